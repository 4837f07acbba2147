"""What a network of layers has come to: its description, its weights and its thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from brian2 import Quantity
from numpy.typing import NDArray

from biosnn.display import Brief
from biosnn.learning.history import TrainingHistory
from biosnn.learning.layers.build import name_of
from biosnn.learning.layers.description import Cells, LayerSettings


@dataclass(frozen=True, eq=False)
class LayersTrained(Brief):
    """What a network of layers has come to.

    Parameters
    ----------
    layers : LayerSettings
        What it is made of.
    state : mapping of str to Quantity
        Weights and thresholds of its layers, by the names of their groups: ``maps_1_synapses.w`` and
        ``cells_thresholds.theta``.
    seed : int
        Of its random numbers.
    image : tuple of int
        Rows and columns of an image.
    seconds : float
        How long a processor worked on it (s), what the layers before the one that learned took included.
    histories : tuple of TrainingHistory
        Of each layer that learned.
    """

    layers: LayerSettings
    state: Mapping[str, Quantity]
    seed: int
    image: tuple[int, int]
    seconds: float = 0.0
    histories: tuple[TrainingHistory, ...] = field(default=(), repr=False)

    def weights(self, layer: int) -> NDArray[np.float64]:
        """The weights of a layer that learns, counted from 0.

        Returns
        -------
        ndarray
            Of feature maps, shape (rows, columns, channels, maps); of cells, (rows, columns, channels, cells).
        """
        name, made = names_of(self.layers)[layer], self.layers.layers[layer]
        w = np.asarray(self.state[f"{name}_synapses.w"], float)
        before = self.layers.shapes(self.image)[layer]
        if isinstance(made, Cells):
            return w.reshape(*before, made.size)
        return w.reshape(made.kernel, made.kernel, before[2], made.maps)  # type: ignore[union-attr]

    def state_below(self, depth: int) -> dict[str, Quantity]:
        """The part of the state that belongs to the first layers, so many of them."""
        names = names_of(self.layers)[:depth]
        groups = {f"{name}_{what}" for name in names for what in ("synapses", "thresholds")}
        return {key: value for key, value in self.state.items() if key.partition(".")[0] in groups}


def names_of(layers: LayerSettings) -> tuple[str, ...]:
    """The names of the groups of a network's layers."""
    return tuple(name_of(layer, number) for number, layer in enumerate(layers.layers))
