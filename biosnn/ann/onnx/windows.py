"""Operators of ONNX that move a window over images: convolutions and poolings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from biosnn.ann.layers import AveragePool, Convolution, Layer, MaxPool, Scale, Select, Sides
from biosnn.ann.onnx.reading import Node, Reading
from biosnn.errors import field_error


def convolution(reading: Reading, node: Node) -> None:
    """A convolution of images."""
    image, weight = _image(reading, node), reading.constant(node, 1)
    if image.flat and weight is not None and weight.ndim == 4:
        do = "Of one-dimensional signals, make images of height 1."
        shape = reading.shape(node.inputs[0])
        raise node.error(field_error("input", "images, of the shape (channels, height, width)", shape, do))
    if weight is None or weight.ndim != (3 if image.flat else 4):
        given = None if weight is None else weight.shape
        expected = "three axes, as of signals" if image.flat else "four axes: a convolution in two dimensions"
        raise node.error(field_error("weight", expected, given, "Three-dimensional convolutions are not read."))
    weight = weight[:, :, None] if image.flat else weight
    size, kernel = image.size, weight.shape[2:]
    stride, dilation = _pair(node, "strides", image.flat), _pair(node, "dilations", image.flat)
    bias = reading.constant(node, 2)
    layer = Convolution(
        name=node.name,
        inputs=(image.name,),
        weight=weight,
        bias=np.zeros(len(weight)) if bias is None else bias,
        stride=stride,
        padding=_padding(node, size, kernel, stride, dilation, image.flat),
        dilation=dilation,
        groups=int(node.attributes.get("group", 1)),
    )
    image.add(reading, layer, node.outputs[0])


def max_pool(reading: Reading, node: Node) -> None:
    """The largest value of each window."""
    if len([name for name in node.outputs if name]) > 1:
        raise node.error("its second output, where the largest values are, is not read. Export without indices.")
    _pool(reading, node, MaxPool, {})


def average_pool(reading: Reading, node: Node) -> None:
    """The mean of each window."""
    _pool(reading, node, AveragePool, {"counts_padding": bool(node.attributes.get("count_include_pad", 0))})


def _pool(reading: Reading, node: Node, kind: type[MaxPool | AveragePool], more: dict[str, Any]) -> None:
    image = _image(reading, node)
    size, kernel = image.size, _pair(node, "kernel_shape", image.flat)
    stride, dilation = _pair(node, "strides", image.flat), _pair(node, "dilations", image.flat)
    if dilation != (1, 1):
        raise node.error(field_error("dilations", "(1, 1)", dilation, "Pool without gaps, and train again."))
    padding = _padding(node, size, kernel, stride, dilation, image.flat)
    if node.attributes.get("ceil_mode", 0):
        larger = _rounded_up(size, kernel, stride, padding)
        if larger != padding and more.get("counts_padding"):
            raise node.error("a mean that counts padding is not read with ceil_mode. Use count_include_pad=False.")
        padding = larger
    layer = kind(name=node.name, inputs=(image.name,), kernel=kernel, stride=stride, padding=padding, **more)
    image.add(reading, layer, node.outputs[0])


def global_pool(reading: Reading, node: Node) -> None:
    """The mean or the largest value of each channel."""
    image = _image(reading, node)
    kind = MaxPool if node.operator == "GlobalMaxPool" else AveragePool
    image.add(reading, kind(name=node.name, inputs=(image.name,), kernel=image.size), node.outputs[0])


def reduction(reading: Reading, node: Node) -> None:
    """The mean or the largest value along some axes: a pooling of an image that is arranged to have them last."""
    value = reading.flow(node)
    shape = reading.shape(value)
    listed = reading.constant(node, 1, "axes")
    if listed is None and node.attributes.get("noop_with_empty_axes", 0):
        reading.flows[node.outputs[0]] = reading.flows[value]
        return
    axes = sorted(
        {int(axis) % (len(shape) + 1) for axis in (range(len(shape) + 1) if listed is None else listed.ravel())}
    )
    if 0 in axes or not axes:
        raise node.error(field_error("axes", "some without the batch axis 0", axes))
    reduced = [axis - 1 for axis in axes]
    kept = [axis for axis in range(len(shape)) if axis not in reduced]
    kind = MaxPool if node.operator == "ReduceMax" else AveragePool
    source, window = reading.flows[value], shape[1:]
    if len(shape) != 3 or reduced != [1, 2]:
        window = (math.prod(shape[axis] for axis in reduced), 1)
        arranged = np.arange(math.prod(shape)).reshape(shape).transpose(kept + reduced).reshape(-1, *window)
        source = reading.add(Select(name=f"{node.name}/arranged", inputs=(source,), source=arranged))
    pooled = reading.add(kind(name=node.name, inputs=(source,), kernel=(window[0], window[1])))
    keeps = node.attributes.get("keepdims", 1)
    result = [1 if axis in reduced else n for axis, n in enumerate(shape) if keeps or axis not in reduced]
    ranks = np.arange(math.prod(result)).reshape(result)
    if node.operator == "ReduceSum":
        many = np.full((1, 1, 1), float(math.prod(window)))
        pooled = reading.add(Scale(name=f"{node.name}/sum", inputs=(pooled,), weight=many, bias=0 * many))
    reading.add(Select(name=f"{node.name}/shape", inputs=(pooled,), source=ranks), node.outputs[0])


@dataclass(frozen=True)
class _Image:
    """The layer that a window moves over: an image, or a signal as an image of height 1."""

    name: str
    size: tuple[int, int]
    flat: bool

    def add(self, reading: Reading, layer: Layer, value: str) -> None:
        """Add what comes of it, which is a signal again if it was one."""
        if not self.flat:
            reading.add(layer, value)
            return
        name = reading.add(layer)
        channels, _, length = reading.of(name).shape
        source = np.arange(channels * length).reshape(channels, length)
        reading.add(Select(name=f"{layer.name}/signal", inputs=(name,), source=source), value)


def _image(reading: Reading, node: Node) -> _Image:
    value = reading.flow(node)
    name, shape = reading.flows[value], reading.shape(value)
    if len(shape) == 2:
        source = np.arange(math.prod(shape)).reshape(shape[0], 1, shape[1])
        name = reading.add(Select(name=f"{node.name}/image", inputs=(name,), source=source))
        return _Image(name, (1, shape[1]), True)
    if len(shape) != 3:
        expected = "images, of the shape (channels, height, width), or signals, (channels, length)"
        raise node.error(field_error("input", expected, shape, "Those of more dimensions are not read."))
    return _Image(name, (shape[1], shape[2]), False)


def _pair(node: Node, name: str, flat: bool) -> tuple[int, int]:
    """Down and across; of a signal, across only."""
    values = [int(n) for n in node.attributes.get(name, [1] if flat else [1, 1])]
    if len(values) != (1 if flat else 2):
        expected = "one whole number" if flat else "two whole numbers, down and across"
        raise node.error(field_error(name, expected, values))
    return (1, values[0]) if flat else (values[0], values[1])


def _padding(
    node: Node, size: Sequence[int], kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int], flat: bool
) -> Sides:
    """Top, left, bottom, right."""
    automatic = node.text("auto_pad", "NOTSET")
    if automatic in ("SAME_UPPER", "SAME_LOWER"):
        places = [-(-size[axis] // stride[axis]) for axis in (0, 1)]
        reach = [(places[axis] - 1) * stride[axis] + dilation[axis] * (kernel[axis] - 1) + 1 for axis in (0, 1)]
        totals = [max(reach[axis] - size[axis], 0) for axis in (0, 1)]
        less, more = [total // 2 for total in totals], [total - total // 2 for total in totals]
        before, after = (less, more) if automatic == "SAME_UPPER" else (more, less)
        return before[0], before[1], after[0], after[1]
    none = [0] * (2 if flat else 4)
    sides = [int(side) for side in node.attributes.get("pads", none)] if automatic == "NOTSET" else none
    if len(sides) != len(none):
        expected = "two whole numbers: before, after" if flat else "four whole numbers: top, left, bottom, right"
        raise node.error(field_error("pads", expected, sides))
    if flat:
        sides = [0, sides[0], 0, sides[1]]
    return sides[0], sides[1], sides[2], sides[3]


def _rounded_up(size: Sequence[int], kernel: Sequence[int], stride: Sequence[int], padding: Sides) -> Sides:
    """The padding with which a last window, that only partly covers the image, fits in."""
    more = []
    for axis in (0, 1):
        room = size[axis] + padding[axis] + padding[axis + 2] - kernel[axis]
        places = -(-room // stride[axis]) + 1
        if (places - 1) * stride[axis] >= size[axis] + padding[axis]:  # it would begin behind the image
            places -= 1
        more.append(padding[axis + 2] + max((places - 1) * stride[axis] - room, 0))
    return padding[0], padding[1], more[0], more[1]
