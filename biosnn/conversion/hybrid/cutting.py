"""A network cut into pieces, one after the other, in which either all ReLUs are to spike or none. NumPy only.

A piece is a network of its own: the layers are those of the whole, under their names, and what comes from earlier
pieces comes in as its input. Cuts are behind ReLUs and max pooling; linear layers go with those who read them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from biosnn.ann.graph import Graph
from biosnn.ann.layers import Concat, Input, Layer, MaxPool, Relu, Select
from biosnn.display import Brief
from biosnn.errors import ConversionError, field_error, unknown


@dataclass(frozen=True, eq=False)
class Piece(Brief):
    """A part of a network that is computed in one way.

    Parameters
    ----------
    graph : Graph
        Its layers. The input is that of the whole, or stands for the layer it takes; if these are several, they come
        one after the other, flat, and selections follow that have their names and shapes.
    takes : tuple of str
        The layers of earlier pieces, or the input of the whole, that it needs.
    gives : tuple of str
        Its layers that later pieces need; of the last piece the output.
    spikes : bool
        Whether its ReLUs do.
    """

    graph: Graph
    takes: tuple[str, ...]
    gives: tuple[str, ...]
    spikes: bool

    def fed(self, values: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """What its input is, given the values of layers, each of shape (n, *shape of the layer)."""
        flat = [np.asarray(values[name], np.float32).reshape(len(values[name]), -1) for name in self.takes]
        joined = flat[0] if len(flat) == 1 else np.concatenate(flat, axis=1)
        return joined.reshape(-1, *self.graph.input.shape)


def relus(graph: Graph) -> list[str]:
    """The ReLUs that can spike, in the order of computation; one that is the output integrates."""
    return [layer.name for layer in graph.layers if isinstance(layer, Relu) and layer.name != graph.output]


def chosen(graph: Graph, spiking: str | Iterable[str]) -> tuple[str, ...]:
    """The ReLUs that are meant.

    Parameters
    ----------
    graph : Graph
        The network, with ReLUs before max pooling (`population_network`).
    spiking : str or iterable of str
        ``"first 6"``, ``"last 4"``, or names of ReLUs, as a list or with commas between them. Max pooling stands for
        the ReLU that it reads.

    Returns
    -------
    tuple of str
        In the order of computation.

    Raises
    ------
    ConversionError
        If there are not so many, none are meant, or a name is unknown.
    """
    known = relus(graph)
    said = spiking.strip() if isinstance(spiking, str) else ""
    counted = re.fullmatch(r"(first|last)\s+(-?\d+)", said)
    if counted:
        many = int(counted[2])
        if not 1 <= many <= len(known):
            do = "Without a layer that spikes it is the ordinary network." if many == 0 else ""
            expected = f"first or last 1 to {len(known)}, as there are {len(known)} ReLU layers"
            raise ConversionError(field_error("convert, spiking", expected, said, do))
        return tuple(known[:many] if counted[1] == "first" else known[-many:])
    names = [name.strip() for name in spiking.split(",")] if isinstance(spiking, str) else list(spiking)
    if not names or names == [""]:
        expected = "'first 6', 'last 4', or names of ReLU layers"
        raise ConversionError(field_error("convert, spiking", expected, spiking, f"They are {', '.join(known)}."))
    pools = {layer.name: pooled(graph, layer) for layer in graph.layers if isinstance(layer, MaxPool)}
    meant = {pools.get(name, name) for name in names}
    for name in meant - set(known):
        raise ConversionError(f"convert, spiking: {unknown('ReLU layer', str(name), known)}")
    return tuple(name for name in known if name in meant)


def pooled(graph: Graph, layer: Layer) -> str:
    """The ReLU that max pooling reads, maybe through other max pooling."""
    while isinstance(layer, MaxPool):
        layer = graph[layer.inputs[0]]
    return layer.name


def cut(graph: Graph, spiking: Iterable[str]) -> tuple[Piece, ...]:
    """Cut a network wherever, in the order of computation, ReLUs that spike and others meet.

    Parameters
    ----------
    graph : Graph
        The network, with ReLUs before max pooling (`population_network`).
    spiking : iterable of str
        The ReLUs that spike.

    Returns
    -------
    tuple of Piece
        In the order of computation; pieces that spike and others take turns.
    """
    number, kinds = _numbers(graph, set(spiking))
    last = len(kinds) - 1
    pieces = []
    for piece, spikes in enumerate(kinds):
        gives = tuple(
            name
            for name in number
            if number[name] == piece and any(number.get(r, last) > piece for r in _readers(graph, number, name))
        )
        pieces.append(_piece(graph, number, piece, gives if piece < last else (graph.output,), spikes))
    return tuple(pieces)


def _numbers(graph: Graph, spiking: set[str]) -> tuple[dict[str, int], list[bool]]:
    """In which piece each ReLU and max pooling is, in the order of computation; and which pieces spike."""
    number: dict[str, int] = {}
    kinds: list[bool] = []
    for name in relus(graph):
        if not kinds or kinds[-1] != (name in spiking):
            kinds.append(name in spiking)
        number[name] = len(kinds) - 1
    pools = [layer for layer in graph.layers if isinstance(layer, MaxPool)]
    stops = {*number, *(pool.name for pool in pools)}
    for layer in reversed(pools):
        # Spikes are pooled only for those who take spikes; otherwise, decoded rates are.
        of_relu = number[pooled(graph, layer)]
        there = any(number.get(reader, len(kinds) - 1) == of_relu for reader in _readers(graph, stops, layer.name))
        number[layer.name] = of_relu if there or not kinds[of_relu] else of_relu + 1
    return {layer.name: number[layer.name] for layer in graph.layers if layer.name in number}, kinds


def _readers(graph: Graph, stops: Iterable[str], name: str) -> set[str]:
    """The next ReLUs and max pooling that read a layer, through linear layers, or the output."""
    readers, waiting, known = set(), [name], set(stops)
    while waiting:
        reached = waiting.pop()
        if reached == graph.output:
            readers.add(reached)
        for layer in graph.readers(reached):
            if layer.name in known:
                readers.add(layer.name)
            else:
                waiting.append(layer.name)
    return readers


def _piece(graph: Graph, number: Mapping[str, int], piece: int, gives: tuple[str, ...], spikes: bool) -> Piece:
    members, outside, waiting = set(), set(), list(gives)
    while waiting:
        name = waiting.pop()
        if isinstance(graph[name], Input) or number.get(name, piece) < piece:
            outside.add(name)
        elif name not in members:
            members.add(name)
            waiting += graph[name].inputs
    takes = tuple(layer.name for layer in graph.layers if layer.name in outside)
    layers = [*_entrance(graph, takes), *(layer for layer in graph.layers if layer.name in members)]
    output = gives[0]
    if len(gives) > 1:
        exits = [_flat(f"{name}, flat", name, graph) for name in gives]
        output = _new(graph, "values")
        layers += [*exits, Concat(name=output, inputs=tuple(layer.name for layer in exits))]
    return Piece(Graph(tuple(layers), output), takes, gives, spikes)


def _entrance(graph: Graph, takes: tuple[str, ...]) -> list[Layer]:
    """The input of a piece, and the layers that it stands for."""
    first = graph[takes[0]]
    if len(takes) == 1:
        return [first if isinstance(first, Input) else Input(name=first.name, shape=first.shape)]
    entrance = Input(name=_new(graph, "taken"), shape=(sum(graph[name].neurons for name in takes),))
    layers: list[Layer] = [entrance]
    start = 0
    for name in takes:
        size = graph[name].neurons
        source = start + np.arange(size).reshape(graph[name].shape)
        layers.append(Select(name=name, inputs=(entrance.name,), source=source))
        start += size
    return layers


def _flat(name: str, of: str, graph: Graph) -> Select:
    return Select(name=_new(graph, name), inputs=(of,), source=np.arange(graph[of].neurons))


def _new(graph: Graph, name: str) -> str:
    """A name that no layer has."""
    taken = {layer.name for layer in graph.layers}
    while name in taken:
        name += "'"
    return name
