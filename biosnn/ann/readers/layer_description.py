"""Layers as a TOML describes them, with the names of their arrays (docs/import-a-network.md)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn.ann.graph import Graph, with_shape
from biosnn.ann.layers import (
    Add,
    AveragePool,
    Concat,
    Convolution,
    Input,
    Layer,
    Linear,
    MaxPool,
    Pair,
    Relu,
    Scale,
    Select,
    Shape,
    Sides,
)
from biosnn.ann.simplify import simplified
from biosnn.errors import ConversionError, field_error, unknown

ArraysByName = Mapping[str, NDArray[Any]]


def described(description: Mapping[str, Any], arrays: ArraysByName) -> Graph:
    """Make a graph of a description.

    Parameters
    ----------
    description : mapping
        ``input`` is the shape of one image or of the values, ``layers`` a list of tables in the order of computation.
    arrays : mapping of str to ndarray
        The arrays that layers name.

    Raises
    ------
    ConversionError
        If a field is missing, unknown, or makes no sense; the message names the layer.
    """
    _check_fields("description", description, {"input", "layers"}, {"arrays", "source"})
    shape = _wholes("input", description["input"], 1)
    listed = description["layers"]
    if not isinstance(listed, list) or not listed or not all(isinstance(entry, dict) for entry in listed):
        raise ConversionError(field_error("layers", "tables [[layers]], at least one", listed))
    layers: dict[str, Layer] = {"input": with_shape(Input(name="input"), shape)}
    for number, entry in enumerate(listed, 1):
        layer = _layer(f"layers[{number}]", entry, layers, arrays)
        layers[layer.name] = layer
    return simplified(layers.values(), layer.name, (), {})


def _layer(where: str, entry: Mapping[str, Any], before: Mapping[str, Layer], arrays: ArraysByName) -> Layer:
    kind = entry.get("kind")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise ConversionError(f"{where}: {unknown('kind of layer', str(kind), _KINDS)}")
    required, optional, make = _KINDS[kind]
    name = entry.get("name", f"{kind}{sum(layer.name.startswith(kind) for layer in before.values()) + 1}")
    if not isinstance(name, str) or not name or name in before:
        raise ConversionError(field_error(f"{where} name", "a text that names no other layer", name))
    where = f"{where} {name!r} ({kind})"
    _check_fields(where, entry, set(required), {"kind", "name", "inputs", *optional})
    inputs = entry.get("inputs", [list(before)[-1]])
    if not isinstance(inputs, list) or not all(isinstance(source, str) for source in inputs):
        raise ConversionError(field_error(f"{where} inputs", "a list of names of layers", inputs))
    for source in inputs:
        if source not in before:
            raise ConversionError(f"{where} inputs: {unknown('layer before it', source, before)}")
    shapes = [before[source].shape for source in inputs]
    layer = make(_Fields(where, entry, arrays, shapes), {"name": name, "inputs": tuple(inputs)})
    return with_shape(layer, layer.fit(shapes))


class _Fields:
    """The fields of a layer's table, each checked when it is asked for."""

    def __init__(self, where: str, entry: Mapping[str, Any], arrays: ArraysByName, shapes: Sequence[Shape]) -> None:
        self.where, self.entry, self.arrays, self.shapes = where, entry, arrays, shapes

    @property
    def shape(self) -> Shape:
        """The shape of the only input."""
        if len(self.shapes) != 1:
            raise ConversionError(field_error(f"{self.where} inputs", "one", self.entry.get("inputs")))
        return self.shapes[0]

    @property
    def image(self) -> Shape:
        if len(self.shape) != 3:
            expected = "an input of the shape (channels, height, width)"
            raise ConversionError(field_error(self.where, expected, self.shape))
        return self.shape

    def array(self, name: str, default: NDArray[Any] | None = None) -> NDArray[Any]:
        if name not in self.entry and default is not None:
            return default
        value = self.entry[name]
        if not isinstance(value, str):
            raise ConversionError(field_error(f"{self.where} {name}", "the name of an array", value))
        return self.arrays[value]

    def number(self, name: str, default: float) -> float:
        value = self.entry.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ConversionError(field_error(f"{self.where} {name}", "a number", value))
        return float(value)

    def whole(self, name: str, default: int) -> int:
        return _wholes(f"{self.where} {name}", [self.entry.get(name, default)], 0)[0]

    def pair(self, name: str, default: Any = 1) -> Pair:
        """Down and across; one number stands for both."""
        value = self.entry.get(name, default)
        numbers = _wholes(f"{self.where} {name}", value if isinstance(value, list) else [value] * 2, 1)
        if len(numbers) != 2:
            raise ConversionError(field_error(f"{self.where} {name}", "one whole number, or two", value))
        return numbers[0], numbers[1]

    def sides(self) -> Sides:
        """Top, left, bottom, right; one number stands for all, two for down and across."""
        value = self.entry.get("padding", 0)
        numbers = _wholes(f"{self.where} padding", value if isinstance(value, list) else [value] * 4, 0)
        numbers = numbers * 2 if len(numbers) == 2 else numbers
        if len(numbers) != 4:
            raise ConversionError(field_error(f"{self.where} padding", "one whole number, two, or four", value))
        return numbers[0], numbers[1], numbers[2], numbers[3]


def _convolution(fields: _Fields, base: dict[str, Any]) -> Layer:
    weight = fields.array("weight")
    return Convolution(
        weight=weight,
        bias=fields.array("bias", np.zeros(len(weight)) if weight.ndim else weight),
        stride=fields.pair("stride"),
        padding=fields.sides(),
        dilation=fields.pair("dilation"),
        groups=fields.whole("groups", 1),
        **base,
    )


def _linear(fields: _Fields, base: dict[str, Any]) -> Layer:
    weight = fields.array("weight")
    return Linear(weight=weight, bias=fields.array("bias", np.zeros(len(weight)) if weight.ndim else weight), **base)


def _batch_norm(fields: _Fields, base: dict[str, Any]) -> Layer:
    gain, shift, mean, variance = (fields.array(name).astype(float) for name in ("gain", "shift", "mean", "variance"))
    spread = variance + fields.number("epsilon", 1e-5)
    if any(array.shape != fields.shape[:1] for array in (gain, shift, mean, spread)) or not (spread > 0).all():
        expected = f"gain, shift, mean and variance of the shape {fields.shape[:1]}, variance plus epsilon above 0"
        raise ConversionError(field_error(fields.where, expected, [a.shape for a in (gain, shift, mean, variance)]))
    weight = gain / np.sqrt(spread)
    return _by_channel(fields, weight, shift - mean * weight, base)


def _scale(fields: _Fields, base: dict[str, Any]) -> Layer:
    weight = fields.array("weight", np.ones(1))
    return _by_channel(fields, weight, fields.array("bias", np.zeros(1)), base)


def _by_channel(fields: _Fields, weight: NDArray[Any], bias: NDArray[Any], base: dict[str, Any]) -> Layer:
    """Arrays of one axis go by channel; others have the axes of the input."""
    axes = [1] * (len(fields.shape) - 1)
    weight, bias = (array.reshape(-1, *axes) if array.ndim < 2 else array for array in (weight, bias))
    return Scale(weight=weight, bias=bias, **base)


def _relu(fields: _Fields, base: dict[str, Any]) -> Layer:
    return Relu(most=fields.number("most", math.inf), **base)


def _concat(fields: _Fields, base: dict[str, Any]) -> Layer:
    return Concat(axis=fields.whole("axis", 0), **base)


def _average(fields: _Fields, base: dict[str, Any]) -> Layer:
    counts = fields.entry.get("counts_padding", False)
    if not isinstance(counts, bool):
        raise ConversionError(field_error(f"{fields.where} counts_padding", "true or false", counts))
    return AveragePool(**_window(fields), counts_padding=counts, **base)


def _largest(fields: _Fields, base: dict[str, Any]) -> Layer:
    return MaxPool(**_window(fields), **base)


def _window(fields: _Fields) -> dict[str, Any]:
    """A kernel that is left out is as large as the image; a stride that is left out is the kernel."""
    kernel = fields.pair("kernel", list(fields.image[1:]))
    return {"kernel": kernel, "stride": fields.pair("stride", list(kernel)), "padding": fields.sides()}


def _reshape(fields: _Fields, base: dict[str, Any]) -> Layer:
    size = math.prod(fields.shape)
    shape = _wholes(f"{fields.where} shape", fields.entry.get("shape", [size]), 1)
    if math.prod(shape) != size:
        raise ConversionError(field_error(f"{fields.where} shape", f"{size} values, as its input has", shape))
    return Select(source=np.arange(size).reshape(shape), **base)


def _transpose(fields: _Fields, base: dict[str, Any]) -> Layer:
    order = _wholes(f"{fields.where} order", fields.entry["order"], 0)
    if sorted(order) != list(range(len(fields.shape))):
        expected = f"each of the axes 0 to {len(fields.shape) - 1} once, without the batch axis"
        raise ConversionError(field_error(f"{fields.where} order", expected, order))
    return Select(source=np.arange(math.prod(fields.shape)).reshape(fields.shape).transpose(order), **base)


def _add(_: _Fields, base: dict[str, Any]) -> Layer:
    return Add(**base)


# kind -> the fields it needs, those it may have, and what it becomes
_KINDS: dict[str, tuple[tuple[str, ...], tuple[str, ...], Callable[[_Fields, dict[str, Any]], Layer]]] = {
    "add": (("inputs",), (), _add),
    "average_pool": ((), ("kernel", "stride", "padding", "counts_padding"), _average),
    "batch_norm": (("gain", "shift", "mean", "variance"), ("epsilon",), _batch_norm),
    "concat": (("inputs",), ("axis",), _concat),
    "convolution": (("weight",), ("bias", "stride", "padding", "dilation", "groups"), _convolution),
    "flatten": ((), (), _reshape),
    "linear": (("weight",), ("bias",), _linear),
    "max_pool": ((), ("kernel", "stride", "padding"), _largest),
    "relu": ((), ("most",), _relu),
    "reshape": (("shape",), (), _reshape),
    "scale": ((), ("weight", "bias"), _scale),
    "transpose": (("order",), (), _transpose),
}


def _check_fields(where: str, entry: Mapping[str, Any], required: set[str], optional: set[str]) -> None:
    missing, odd = sorted(required - entry.keys()), sorted(entry.keys() - required - optional)
    if missing:
        raise ConversionError(field_error(where, f"the fields {', '.join(missing)}", sorted(entry)))
    if odd:
        raise ConversionError(f"{where}: {unknown('field', odd[0], required | optional)}")


def _wholes(where: str, value: Any, least: int) -> tuple[int, ...]:
    good = isinstance(value, list) and value and all(type(n) is int and least <= n < 2**31 for n in value)
    if not good:
        raise ConversionError(field_error(where, f"whole numbers, at least {least}", value))
    return tuple(value)
