"""Operators of ONNX that move a window over images: convolutions and poolings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from biosnn.conversion.layers import AveragePool, Convolution, MaxPool, Select, Shape, Sides
from biosnn.conversion.onnx_reading import Node, Reading
from biosnn.errors import field_error


def convolution(reading: Reading, node: Node) -> None:
    """A convolution of images."""
    value, weight = reading.flow(node), reading.constant(node, 1)
    if weight is None or weight.ndim != 4:
        shape = None if weight is None else weight.shape
        do = "Of one-dimensional signals, make images of height 1; three-dimensional ones are not read."
        raise node.error(field_error("weight", "four axes: a convolution in two dimensions", shape, do))
    size, kernel = _size(reading, node, value), weight.shape[2:]
    stride, dilation = _pair(node, "strides"), _pair(node, "dilations")
    bias = reading.constant(node, 2)
    layer = Convolution(
        name=node.name,
        inputs=(reading.flows[value],),
        weight=weight,
        bias=np.zeros(len(weight)) if bias is None else bias,
        stride=stride,
        padding=_padding(node, size, kernel, stride, dilation),
        dilation=dilation,
        groups=int(node.attributes.get("group", 1)),
    )
    reading.add(layer, node.outputs[0])


def max_pool(reading: Reading, node: Node) -> None:
    """The largest value of each window."""
    if len([name for name in node.outputs if name]) > 1:
        raise node.error("its second output, where the largest values are, is not read. Export without indices.")
    _pool(reading, node, MaxPool, {})


def average_pool(reading: Reading, node: Node) -> None:
    """The mean of each window."""
    _pool(reading, node, AveragePool, {"counts_padding": bool(node.attributes.get("count_include_pad", 0))})


def _pool(reading: Reading, node: Node, kind: type[MaxPool | AveragePool], more: dict[str, Any]) -> None:
    value = reading.flow(node)
    size, kernel = _size(reading, node, value), _pair(node, "kernel_shape")
    stride, dilation = _pair(node, "strides"), _pair(node, "dilations")
    if dilation != (1, 1):
        raise node.error(field_error("dilations", "(1, 1)", dilation, "Pool without gaps, and train again."))
    padding = _padding(node, size, kernel, stride, dilation)
    if node.attributes.get("ceil_mode", 0):
        larger = _rounded_up(size, kernel, stride, padding)
        if larger != padding and more.get("counts_padding"):
            raise node.error("a mean that counts padding is not read with ceil_mode. Use count_include_pad=False.")
        padding = larger
    inputs = (reading.flows[value],)
    reading.add(
        kind(name=node.name, inputs=inputs, kernel=kernel, stride=stride, padding=padding, **more), node.outputs[0]
    )


def global_pool(reading: Reading, node: Node) -> None:
    """The mean or the largest value of each channel."""
    value = reading.flow(node)
    size = _size(reading, node, value)
    kind = MaxPool if node.operator == "GlobalMaxPool" else AveragePool
    reading.add(kind(name=node.name, inputs=(reading.flows[value],), kernel=size), node.outputs[0])


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
    reading.add(Select(name=f"{node.name}/shape", inputs=(pooled,), source=ranks), node.outputs[0])


def _size(reading: Reading, node: Node, value: str) -> tuple[int, int]:
    shape: Shape = reading.shape(value)
    if len(shape) != 3:
        do = "Of one-dimensional signals, make images of height 1; three-dimensional ones are not read."
        raise node.error(field_error("input", "images, of the shape (channels, height, width)", shape, do))
    return shape[1], shape[2]


def _pair(node: Node, name: str) -> tuple[int, int]:
    values = node.attributes.get(name, [1, 1])
    if len(values) != 2:
        raise node.error(field_error(name, "two whole numbers, down and across", list(values)))
    return int(values[0]), int(values[1])


def _padding(
    node: Node, size: Sequence[int], kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
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
    sides = [int(side) for side in node.attributes.get("pads", [0] * 4)] if automatic == "NOTSET" else [0] * 4
    if len(sides) != 4:
        raise node.error(field_error("pads", "four whole numbers: top, left, bottom, right", sides))
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
