"""The paths between populations as synapses, and the order of the pixels that drive them.

What a chain of layers becomes is in `biosnn.ann.connections`. Here are images whose channels are last: they are seen as
the weights see them, channels first.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from biosnn.ann.connections import Connection, connection, order
from biosnn.ann.layers import Select
from biosnn.ann.layouts import TO_FIRST, arrangement
from biosnn.conversion.populations import Path, Population, PopulationNetwork


def path_connection(populated: PopulationNetwork, population: Population, path: Path) -> Connection:
    """A path that leads to a population as a kind and weights; see `connection`."""
    source = populated.shape(path.source)
    if path.source != populated.graph.input.name or not populated.channels_last:
        return connection(path.layers, source, population.shape)
    height, width, channels = source
    layers = path.layers[1:]
    if not path.layers or arrangement(path.layers[0], source) != TO_FIRST:
        back = np.arange(math.prod(source)).reshape(channels, height, width).transpose(1, 2, 0)
        layers = (Select(name=path.source, inputs=(path.source,), shape=source, source=back), *path.layers)
    return connection(layers, (channels, height, width), population.shape)


def pixel_order(populated: PopulationNetwork) -> NDArray[np.int64]:
    """For each pixel, in the order of neurons, the flat index of its value in an image as it comes."""
    entrance = populated.graph.input
    return np.arange(entrance.neurons) if populated.channels_last else order(entrance.shape)
