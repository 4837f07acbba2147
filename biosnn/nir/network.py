"""A network of NIR: nodes and edges, with shapes and the order in which a time step goes through it. No Brian2."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from types import MappingProxyType
from typing import Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from biosnn.ann.layers import MOST_NEURONS, MOST_VALUES, Shape
from biosnn.display import Brief, bounded, card, table
from biosnn.errors import ConversionError, field_error, unknown
from biosnn.nir.neurons import Neuron
from biosnn.nir.nodes import Affine, Input, Linear, Node, Output, Scale, Threshold

Edge = tuple[str, str]
MOST_NODES = 10_000
MOST_PATHS = 20_000
"""How many paths through nodes without memory there may be; they double where two such nodes stand side by side."""


@dataclass(frozen=True)
class LinearPath(Brief):
    """How values get from one population to the next, or to an output.

    Parameters
    ----------
    source, target : str
        An Input or neurons; neurons or an Output.
    through : tuple of str
        The nodes without memory between them.
    """

    source: str
    target: str
    through: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class NirNetwork:
    """Nodes and edges, checked when constructed.

    Parameters
    ----------
    nodes : mapping of str to Node
        By their names. What arrives at a node over several edges is added.
    edges : iterable of (str, str)
        From node to node; they may lead back.
    metadata : mapping
        What else a file says of the network.

    Attributes
    ----------
    shapes : mapping of str to tuple of int
        Of each node's output; of images channels first.
    order : tuple of str
        Inputs, neurons and thresholds, in the order in which a time step goes through them: those that others take
        something from come first. Where neurons form a loop, those first that are fewer populations away from an input.
    back : frozenset of (str, str)
        From which of them something leads back to which, and arrives in the next step.

    Raises
    ------
    ConversionError
        If names are unknown, shapes do not fit, an edge is there twice, a node has no input or leads nowhere, or a loop
        has no neurons in it.
    """

    nodes: Mapping[str, Node]
    edges: tuple[Edge, ...]
    metadata: Mapping[str, Any] = field(default_factory=dict)
    shapes: Mapping[str, Shape] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "nodes", MappingProxyType(_nodes(self.nodes)))
        object.__setattr__(self, "edges", _edges(self.edges))
        object.__setattr__(self, "metadata", MappingProxyType(dict(self.metadata)))
        _check_edges(self)
        object.__setattr__(self, "shapes", MappingProxyType(_shapes(self)))
        _ = self.maps, self.order

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """The Input nodes, in the order of their names."""
        return tuple(sorted(name for name, node in self.nodes.items() if isinstance(node, Input)))

    @cached_property
    def outputs(self) -> tuple[str, ...]:
        """The Output nodes, in the order of their names."""
        return tuple(sorted(name for name, node in self.nodes.items() if isinstance(node, Output)))

    @cached_property
    def sources(self) -> Mapping[str, tuple[str, ...]]:
        """For each node, those that lead to it."""
        arriving: dict[str, list[str]] = {name: [] for name in self.nodes}
        for source, target in self.edges:
            arriving[target].append(source)
        return {name: tuple(sources) for name, sources in arriving.items()}

    @cached_property
    def readers(self) -> Mapping[str, tuple[str, ...]]:
        """For each node, those that it leads to."""
        readers: dict[str, list[str]] = {name: [] for name in self.nodes}
        for source, target in self.edges:
            readers[source].append(target)
        return {name: tuple(targets) for name, targets in readers.items()}

    @cached_property
    def maps(self) -> tuple[str, ...]:
        """The nodes without memory (and delays) in the order of computation."""
        inner = [name for name in self.nodes if not self._ends(name)]
        try:
            among = {name: [source for source in self.sources[name] if not self._ends(source)] for name in inner}
            return tuple(TopologicalSorter(among).static_order())
        except CycleError as error:
            loop = sorted(set(error.args[1]))
            raise ConversionError(
                f"Nodes {loop} form a loop in which there are no neurons: nothing says what comes first."
            ) from None

    @cached_property
    def paths(self) -> tuple[LinearPath, ...]:
        """All paths from populations to populations and outputs."""
        paths: list[LinearPath] = []
        for source in self.nodes:
            if not self._ends(source) or isinstance(self.nodes[source], Output):
                continue
            stack: list[tuple[str, tuple[str, ...]]] = [(target, ()) for target in reversed(self.readers[source])]
            while stack:
                name, through = stack.pop()
                if self._ends(name):
                    paths.append(LinearPath(source, name, through))
                else:
                    stack += [(target, (*through, name)) for target in reversed(self.readers[name])]
                if len(paths) + len(stack) > MOST_PATHS:
                    raise ConversionError(field_error("NirNetwork edges", f"at most {MOST_PATHS} paths", "more"))
        return tuple(paths)

    @cached_property
    def order(self) -> tuple[str, ...]:
        sorter = TopologicalSorter(dict.fromkeys(self._populations, ()))
        for source, target in self._between - self.back:
            sorter.add(target, source)
        sorter.prepare()
        order: list[str] = []
        ready: list[tuple[int, str]] = []
        while sorter.is_active():
            for name in sorter.get_ready():
                heapq.heappush(ready, (self._far[name], name))
            order.append(heapq.heappop(ready)[1])
            sorter.done(order[-1])
        return tuple(order)

    @cached_property
    def back(self) -> frozenset[Edge]:
        """Which population leads back to which: what it sends arrives in the next step.

        Within a loop, these are the paths to all that are not farther from an input, whatever their names.
        """
        far, loops = self._far, _loops(self._populations, self._between)
        return frozenset((a, b) for a, b in self._between if loops[a] == loops[b] and far[a] >= far[b])

    @cached_property
    def _populations(self) -> list[str]:
        return [name for name, node in self.nodes.items() if self._ends(name) and not isinstance(node, Output)]

    @cached_property
    def _between(self) -> frozenset[Edge]:
        ends = [(path.source, path.target) for path in self.paths]
        return frozenset((a, b) for a, b in ends if not isinstance(self.nodes[b], Output))

    def _ends(self, name: str) -> bool:
        """Whether paths begin or end at a node."""
        return isinstance(self.nodes[name], Input | Output | Neuron | Threshold)

    @cached_property
    def _far(self) -> dict[str, int]:
        """How many populations each one is away from the nearest input."""
        readers: dict[str, list[str]] = {name: [] for name in self.nodes}
        for a, b in self._between:
            readers[a].append(b)
        far = dict.fromkeys(self.inputs, 0)
        waiting = deque(self.inputs)
        while waiting:
            name = waiting.popleft()
            for reader in readers[name]:
                if reader not in far:
                    far[reader] = far[name] + 1
                    waiting.append(reader)
        return {name: far.get(name, len(self.nodes)) for name in self.nodes}

    def __repr__(self) -> str:
        return bounded(f"<NirNetwork: {len(self.nodes)} nodes, from {', '.join(self.inputs)}>")

    def _repr_html_(self) -> str:
        return card("Network of NIR", "", table(("node", "kind", "shape"), self._rows()))

    def _rows(self) -> list[tuple[str, str, str]]:
        names = list(self.inputs)
        for name in names:  # grows as it goes: first those next to an input, then the next
            names += [reader for reader in self.readers[name] if reader not in names]
        names += [name for name in self.nodes if name not in names]
        return [(name, self.nodes[name].kind, " x ".join(map(str, self.shapes[name]))) for name in names]

    def __str__(self) -> str:
        rows = self._rows()
        widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
        return "\n".join(f"{name:{widths[0]}}  {kind:{widths[1]}}  {shape}" for name, kind, shape in rows)


def _nodes(given: Any) -> dict[str, Node]:
    if not isinstance(given, Mapping) or not all(isinstance(name, str) and name for name in given):
        raise ConversionError(field_error("NirNetwork nodes", "nodes by their names", type(given).__name__))
    for name, node in given.items():
        if not isinstance(node, Node):
            kind = f"{type(node).__module__}.{type(node).__qualname__}"
            do = "Make it with a class of biosnn.nir.kinds, or read a graph of the library with read_nir."
            raise ConversionError(field_error(f"Node {name!r}", "a node of biosnn", kind, do))
    return dict(given)


def _edges(given: Any) -> tuple[Edge, ...]:
    edges = tuple(given)
    for edge in edges:
        pair = isinstance(edge, tuple | list) and len(edge) == 2
        if not pair or not all(isinstance(name, str) for name in edge):
            raise ConversionError(field_error("NirNetwork edges", "pairs of names", edge))
    return tuple((source, target) for source, target in edges)


def a_network(where: str, given: Any) -> NirNetwork:
    """Return a network as it is; `ConversionError` says how to make one of something else."""
    if not isinstance(given, NirNetwork):
        kind = f"{type(given).__module__}.{type(given).__qualname__}"
        do = "read_nir makes one of a file, and of a graph of the library nir."
        raise ConversionError(field_error(where, "a NirNetwork", kind, do))
    return given


def _check_edges(network: NirNetwork) -> None:
    nodes, edges = network.nodes, network.edges
    if not 1 <= len(nodes) <= MOST_NODES or len(edges) > 10 * MOST_NODES:
        raise ConversionError(
            field_error("NirNetwork nodes", f"1 to {MOST_NODES}, with ten times the edges", len(nodes))
        )
    for edge in edges:
        for name in edge:
            if name not in nodes:
                raise ConversionError(f"Edge {edge}: {unknown('node', name, nodes)}")
    twice = sorted({edge for edge in edges if edges.count(edge) > 1}) if len(set(edges)) < len(edges) else []
    if twice:
        raise ConversionError(field_error("NirNetwork edges", "each edge once", twice))
    for kind, names in (("Input", network.inputs), ("Output", network.outputs)):
        if not names:
            do = "It says where values come in, and what the answer is. Add one, and an edge."
            raise ConversionError(field_error("NirNetwork nodes", f"at least one {kind}", "none", do))
    read = {source for source, _ in edges}
    for name, node in nodes.items():
        if not network.sources[name] and not isinstance(node, Input):
            do = "Add one from a node, or from an Input."
            raise ConversionError(field_error(f"Node {name!r} ({node.kind})", "an edge that leads to it", "none", do))
        if name not in read and not isinstance(node, Output | Neuron | Threshold):
            do = "Leave it out, or add an edge from it to an Output."
            raise ConversionError(field_error(f"Node {name!r} ({node.kind})", "an edge that leads from it", "none", do))
        if name in read and isinstance(node, Output):
            raise ConversionError(f"Node {name!r} (Output): an edge leads from it. Take it from the node before.")


def _shapes(network: NirNetwork) -> dict[str, Shape]:
    """The shapes of all outputs: nodes say their own, or it follows from their input."""
    declared = {name: shape for name, node in network.nodes.items() if (shape := _own_shape(node))}
    shapes, changed = dict(declared), True
    while changed and len(shapes) < len(network.nodes):
        changed = False
        for source, target in network.edges:
            if source in shapes and target not in shapes:
                shapes[target] = _fitted(network, source, target, shapes[source])
                changed = True
    for name, node in network.nodes.items():
        if name not in shapes:
            do = "Paths from an Input must lead to it."
            raise ConversionError(field_error(f"Node {name!r} ({node.kind})", "a known input shape", "none", do))
    for source, target in network.edges:
        shape = _fitted(network, source, target, shapes[source])
        if shape != shapes[target]:
            where = f"Edge ({source!r}, {target!r})"
            raise ConversionError(field_error(where, f"that {target!r} has the output {shapes[target]}", shape))
    total = sum(int(np.prod(shape, dtype=object)) for shape in shapes.values())
    if total > MOST_VALUES:
        raise ConversionError(field_error("NirNetwork nodes", f"at most {MOST_VALUES} values in all of them", total))
    return shapes


def _own_shape(node: Node) -> Shape:
    if isinstance(node, Input | Output | Neuron):
        return node.shape
    if isinstance(node, Affine | Linear):
        return (len(node.weight),)
    if isinstance(node, Threshold):
        return node.threshold.shape
    return node.scale.shape if isinstance(node, Scale) else ()


def _fitted(network: NirNetwork, source: str, target: str, shape: Shape) -> Shape:
    try:
        fitted = network.nodes[target].fit(shape)
    except ConversionError as problem:
        raise ConversionError(f"Node {target!r}, which takes its input from {source!r}: {problem}") from None
    if int(np.prod(fitted, dtype=object)) > MOST_NEURONS:
        raise ConversionError(field_error(f"Node {target!r} shape", f"at most {MOST_NEURONS} values", fitted))
    return fitted


def _loops(names: Iterable[str], between: Iterable[Edge]) -> dict[str, int]:
    """The number of the loop that each population is part of."""
    place = {name: number for number, name in enumerate(names)}
    ends = [(place[a], place[b]) for a, b in between]
    rows, columns = zip(*ends, strict=True) if ends else ((), ())
    matrix = coo_array((np.ones(len(ends)), (rows, columns)), shape=(len(place), len(place)))
    _, labels = connected_components(matrix, directed=True, connection="strong")
    return {name: int(labels[number]) for name, number in place.items()}
