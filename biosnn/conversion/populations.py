"""A network seen from its neurons: populations, and the linear paths that lead from one to the next.

Every ReLU becomes a population of spiking neurons, and the output one that integrates. What lies between them is linear
and becomes synapses: a path from a population to another is a chain of layers. Biases along the way add up to a
constant for each neuron.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from biosnn.ann.affine import forward
from biosnn.ann.graph import Graph
from biosnn.ann.layers import Add, Concat, Input, Layer, MaxPool, Relu, Select, Shape
from biosnn.ann.layouts import TO_FIRST, arrangement
from biosnn.ann.maxima import maxima_of_relus
from biosnn.display import Brief
from biosnn.errors import ConversionError, field_error, unknown

RELU, MAXIMUM, OUTPUT, HOLD = "relu", "maximum", "output", "hold"


@dataclass(frozen=True, eq=False)
class Path(Brief):
    """A chain of linear layers from a population, or the input, to another population.

    Parameters
    ----------
    source : str
        The population, or the input.
    layers : tuple of Layer
        From the source on: `Convolution`, `Linear`, `Scale`, `AveragePool` and `Select`.
    """

    source: str
    layers: tuple[Layer, ...]


@dataclass(frozen=True, eq=False)
class Population(Brief):
    """Neurons that stand for the values of a layer.

    Parameters
    ----------
    name : str
        Of the layer.
    kind : {"relu", "maximum", "output", "hold"}
        A ReLU; the spikes of the most active neurons of windows, for max pooling; the output, which integrates; or
        neurons that repeat a value later (see `windows`).
    shape : tuple of int
        Of the layer, channels first.
    paths : tuple of Path
        What reaches them.
    bias : ndarray, of this shape
        What biases alone bring to them.
    """

    name: str
    kind: str
    shape: Shape
    paths: tuple[Path, ...]
    bias: NDArray[np.float32]

    @property
    def neurons(self) -> int:
        """How many."""
        return self.bias.size


@dataclass(frozen=True, eq=False)
class PopulationNetwork(Brief):
    """A network as populations.

    Parameters
    ----------
    graph : Graph
        The network.
    populations : tuple of Population
        In the order of computation; the output is the last, unless there are ends.
    ends : tuple of str
        The populations whose rates are handed on, of a part of a network that has no output of its own.
    """

    graph: Graph
    populations: tuple[Population, ...]
    ends: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Population:
        for population in self.populations:
            if population.name == name:
                return population
        raise ConversionError(unknown("population", name, [population.name for population in self.populations]))

    def shape(self, name: str) -> Shape:
        """Of a population, or of the input."""
        shapes = [population.shape for population in self.populations if population.name == name]
        return shapes[0] if shapes else self.graph[name].shape

    @cached_property
    def channels_last(self) -> bool:
        """Whether images have their channels last, and are transposed before the first weights see them."""
        name, shape = self.graph.input.name, self.graph.input.shape
        firsts = (path.layers[:1] for p in self.populations for path in p.paths if path.source == name)
        return len(shape) == 3 and any(arrangement(layer, shape) == TO_FIRST for first in firsts for layer in first)

    @property
    def hidden(self) -> tuple[Population, ...]:
        """Those that spike: all but the output."""
        return self.populations if self.ends else self.populations[:-1]


def population_network(graph: Graph, ends: tuple[str, ...] = ()) -> PopulationNetwork:
    """See a network as populations and paths.

    Max pooling comes right behind ReLUs, where that gives the same values (see `maxima`).

    Parameters
    ----------
    graph : Graph
        The network.
    ends : tuple of str
        As in `PopulationNetwork`. With them, the output of the graph is none, unless it is a ReLU or max pooling.

    Raises
    ------
    ConversionError
        If there is no ReLU, or max pooling of what no neuron stands for: the message names the layer.
    """
    graph = maxima_of_relus(graph)
    last = graph[graph.output]
    if isinstance(last, MaxPool) and not ends:
        do = "Let a linear layer follow."
        raise ConversionError(field_error(last.where, "a layer before the output", "the output", do))
    output = () if ends else (graph.output,)
    order = [layer for layer in graph.layers if isinstance(layer, Relu | MaxPool) and layer.name not in output]
    if not any(isinstance(layer, Relu) for layer in order):
        do = "Without one, nothing would spike: the network is a single linear map."
        raise ConversionError(field_error("The network", "one ReLU or more before its output", "none", do))
    neurons = {layer.name for layer in order}
    offsets = _offsets(graph, neurons)
    populations = []
    for layer in order:
        kind = MAXIMUM if isinstance(layer, MaxPool) else RELU
        paths = (Path(layer.inputs[0], (layer,)),) if kind == MAXIMUM else _paths(graph, neurons, layer.inputs[0])
        bias = np.zeros(layer.shape, np.float32) if kind == MAXIMUM else offsets[layer.inputs[0]]
        populations.append(Population(layer.name, kind, layer.shape, paths, bias))
    if ends:
        return PopulationNetwork(graph, tuple(populations), ends)
    # The potential of an output that is a ReLU itself says the same, and more.
    end = last.inputs[0] if isinstance(last, Relu) else last.name
    populations.append(Population(last.name, OUTPUT, last.shape, _paths(graph, neurons, end), offsets[end]))
    return PopulationNetwork(graph, tuple(populations))


def _paths(graph: Graph, neurons: set[str], name: str, after: tuple[Layer, ...] = ()) -> tuple[Path, ...]:
    """All chains that end in a layer's output, going back to populations or the input."""
    layer = graph[name]
    if name in neurons or isinstance(layer, Input):
        return (Path(name, after),)
    if isinstance(layer, Add):
        return tuple(path for source in layer.inputs for path in _paths(graph, neurons, source, after))
    if isinstance(layer, Concat):
        parts = zip(layer.inputs, _places(graph, layer), strict=True)
        return tuple(path for source, part in parts for path in _paths(graph, neurons, source, (part, *after)))
    if isinstance(layer, Relu | MaxPool):
        raise AssertionError(f"{layer.where} is not among the populations")
    return _paths(graph, neurons, layer.inputs[0], (layer, *after))


def _places(graph: Graph, layer: Concat) -> list[Select]:
    """Where each input of a concatenation comes to lie in it."""
    selections, start = [], 0
    for name in layer.inputs:
        shape = graph[name].shape
        source = np.full(layer.shape, -1, dtype=np.int64)
        there = (slice(None),) * layer.axis + (slice(start, start + shape[layer.axis]),)
        source[there] = np.arange(graph[name].neurons).reshape(shape)
        selections.append(Select(name=layer.name, inputs=(name,), shape=layer.shape, source=source))
        start += shape[layer.axis]
    return selections


def _offsets(graph: Graph, neurons: set[str]) -> Mapping[str, NDArray[np.float32]]:
    """What each layer outputs if nothing comes in and no neuron fires: biases, and what they become on their way."""
    offsets: dict[str, NDArray[np.float32]] = {}
    for layer in graph.layers:
        if layer.name in neurons or isinstance(layer, Input | Relu):
            offsets[layer.name] = np.zeros(layer.shape, np.float32)
        else:
            inputs = [offsets[name][None] for name in layer.inputs]
            offsets[layer.name] = forward(layer, inputs)[0].astype(np.float32)
    return offsets
