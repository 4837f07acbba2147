"""A network as layers in the order of computation, checked when it is constructed. NumPy only."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from types import MappingProxyType

from biosnn.ann.layers import MOST_NEURONS, MOST_VALUES, Input, Layer, Shape
from biosnn.display import bounded, card, note, table
from biosnn.errors import ConversionError, field_error, unknown

MOST_LAYERS = 10_000


@dataclass(frozen=True, eq=False)
class Graph:
    """A network read from a file, or made by hand.

    Parameters
    ----------
    layers : iterable of Layer
        In any order; kept in the order of computation. Exactly one of them is an `Input`. Shapes may be left out: they
        follow from that of the input, and those that are given must agree.
    output : str
        The layer whose values are the network's answer: before a softmax, if it has one.
    head : tuple of str
        The operators after the output that were left out, such as a softmax.
    origins : mapping of str to str
        The name, in the file it was read from, of the value that a layer computes; for as many layers as have one.

    Attributes
    ----------
    input : Input
        Where images or values come in.

    Raises
    ------
    ConversionError
        If names are used twice or unknown, layers form a cycle or lead nowhere, shapes do not fit, or sizes are beyond
        what memory should be asked for.
    """

    layers: tuple[Layer, ...]
    output: str
    head: tuple[str, ...] = ()
    origins: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        layers = tuple(self.layers)
        if not 2 <= len(layers) <= MOST_LAYERS:
            raise ConversionError(field_error("Graph layers", f"2 to {MOST_LAYERS} of them", len(layers)))
        by_name = _by_name(layers)
        if self.output not in by_name:
            raise ConversionError(f"Graph output: {unknown('layer', self.output, by_name)}")
        ordered = in_order({name: layer.inputs for name, layer in by_name.items()}, "layer")
        object.__setattr__(self, "layers", _shaped([by_name[name] for name in ordered]))
        object.__setattr__(self, "origins", MappingProxyType(dict(self.origins)))
        _check_use(self.layers, self.output)

    @cached_property
    def _by_name(self) -> dict[str, Layer]:
        return {layer.name: layer for layer in self.layers}

    def __getitem__(self, name: str) -> Layer:
        """Return the layer of that name; `ConversionError` if there is none."""
        if name not in self._by_name:
            raise ConversionError(unknown("layer", name, self._by_name))
        return self._by_name[name]

    @cached_property
    def input(self) -> Input:
        """Where images or values come in."""
        return next(layer for layer in self.layers if isinstance(layer, Input))

    def readers(self, name: str) -> list[Layer]:
        """The layers that take the output of the one of that name."""
        return [layer for layer in self.layers if name in layer.inputs]

    @property
    def neurons(self) -> dict[str, int]:
        """How many values each layer has."""
        return {layer.name: layer.neurons for layer in self.layers}

    @property
    def macs(self) -> dict[str, int]:
        """Multiply-accumulates of each layer for one input."""
        return {layer.name: layer.macs for layer in self.layers}

    def __repr__(self) -> str:
        shapes = [" x ".join(map(str, self[name].shape)) for name in (self.input.name, self.output)]
        layers = f"{len(self.layers)} layers, {sum(self.macs.values()):,} multiply-accumulates"
        return bounded(f"<Graph: {layers}, from {self.input.name} ({shapes[0]}) to {self.output} ({shapes[1]})>")

    def _repr_html_(self) -> str:
        rows = [(*row, f"{layer.macs:,}") for row, layer in zip(self._rows(), self.layers, strict=True)]
        head = ("layer", "kind", "shape", "multiply-accumulates")
        left_out = f"Left out behind the output: {', '.join(self.head)}" if self.head else ""
        return card("Ordinary network", "", table(head, rows, numbers=(3,)), note(left_out))

    def _rows(self) -> list[tuple[str, str, str]]:
        return [(layer.name, type(layer).__name__, " x ".join(map(str, layer.shape))) for layer in self.layers]

    def __str__(self) -> str:
        rows = self._rows()
        widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
        return "\n".join(f"{name:{widths[0]}}  {kind:{widths[1]}}  {shape}" for name, kind, shape in rows)


def in_order(inputs: Mapping[str, Collection[str]], kind: str, labels: Mapping[str, str] | None = None) -> list[str]:
    """Sort things so that each comes after those it takes its input from, and otherwise keep their order.

    Parameters
    ----------
    inputs : mapping of str to collection of str
        For each thing, those it takes its input from, which must be among them.
    kind : str
        What to call them in a message.
    labels : mapping of str to str, optional
        What to call each of them there, if not by its key.

    Raises
    ------
    ConversionError
        If there is a cycle; the message names it.
    """
    try:
        TopologicalSorter(inputs).prepare()
    except CycleError as error:
        cycle = " <- ".join(repr(labels[name] if labels else name) for name in reversed(error.args[1]))
        raise ConversionError(
            f"There is a cycle: {kind} {cycle}. Networks are read that go one way from input to output; "
            "unroll a recurrent one over time."
        ) from None
    # Its own order is by how far things are from the first: it would take apart what stands one after the other.
    order: dict[str, None] = {}
    for first in inputs:
        stack = [first]  # of our own: a long network would be too deep for Python's
        while stack:
            name = stack[-1]
            missing = [] if name in order else [other for other in inputs[name] if other not in order]
            if missing:
                stack += reversed(missing)
            else:
                order.setdefault(stack.pop())
    return list(order)


def _by_name(layers: tuple[Layer, ...]) -> dict[str, Layer]:
    by_name: dict[str, Layer] = {}
    for layer in layers:
        if layer.name in by_name or not layer.name:
            raise ConversionError(field_error(f"{layer.where} name", "one that no other layer has", layer.name))
        by_name[layer.name] = layer
    for layer in layers:
        for name in layer.inputs:
            if name not in by_name:
                raise ConversionError(f"{layer.where} inputs: {unknown('layer', name, by_name)}")
    entrances = [layer.name for layer in layers if isinstance(layer, Input)]
    if len(entrances) != 1:
        raise ConversionError(field_error("Graph layers", "exactly one Input", entrances))
    return by_name


def with_shape(layer: Layer, shape: Shape) -> Layer:
    """Give a layer the shape that follows from its inputs; `ConversionError` if it has too many values, or none."""
    if not shape or min(shape) < 1 or math.prod(shape) > MOST_NEURONS:
        raise ConversionError(field_error(f"{layer.where} shape", f"1 to {MOST_NEURONS} values", shape))
    return replace(layer, shape=shape)


def _shaped(layers: list[Layer]) -> tuple[Layer, ...]:
    """The layers with their shapes, which must agree with those that are given."""
    shapes: dict[str, Shape] = {}
    shaped = []
    for layer in layers:
        shape = layer.fit([shapes[name] for name in layer.inputs])
        if layer.shape not in ((), shape):
            raise ConversionError(field_error(f"{layer.where} shape", f"{shape}, as its inputs say", layer.shape))
        shapes[layer.name] = shape
        shaped.append(with_shape(layer, shape))
    total = sum(math.prod(shape) for shape in shapes.values())
    if total > MOST_VALUES:
        raise ConversionError(field_error("Graph layers", f"at most {MOST_VALUES} values in all layers", total))
    return tuple(shaped)


def _check_use(layers: tuple[Layer, ...], output: str) -> None:
    used = {output}
    for layer in reversed(layers):
        if layer.name in used:
            used.update(layer.inputs)
    idle = [layer.name for layer in layers if layer.name not in used]
    if idle:
        raise ConversionError(f"Layers {idle} do not lead to the output {output!r}. Leave them out.")
