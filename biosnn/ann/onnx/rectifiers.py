"""Operators of ONNX that clip values: they all become ReLUs, maybe of shifted values.

Whatever a number clips is the ReLU of a difference: max(x, a) = relu(x - a) + a, and min(x, b) = b - relu(b - x).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn.ann.layers import Relu, Scale
from biosnn.ann.onnx.reading import Node, Reading
from biosnn.errors import field_error


def relu(reading: Reading, node: Node) -> None:
    """The positive part."""
    reading.add(Relu(name=node.name, inputs=(reading.flows[reading.flow(node)],)), node.outputs[0])


def clip(reading: Reading, node: Node) -> None:
    """Clipped from below, from above, both, or neither."""
    least, most = (reading.constant(node, k, name) for k, name in ((1, "min"), (2, "max")))
    low, high = _number(node, "min", least, -math.inf), _number(node, "max", most, math.inf)
    _clipped(reading, node, reading.flow(node), low, high)


def maximum(reading: Reading, node: Node) -> None:
    """Clipped from below, in the words of some exporters."""
    value = flow_first(reading, node)
    _clipped(reading, node, value, _bound(reading, node), math.inf)


def minimum(reading: Reading, node: Node) -> None:
    """Clipped from above, in the words of some exporters."""
    value = flow_first(reading, node)
    _clipped(reading, node, value, -math.inf, _bound(reading, node))


def leaky(reading: Reading, node: Node) -> None:
    """A ReLU whose slope below zero is zero; no other is read."""
    if node.operator == "PRelu":
        slope = reading.constant(node, 1)
    else:
        slope = np.asarray(node.attributes.get("alpha", {"LeakyRelu": 0.01}.get(node.operator, 1.0)))
    if slope is None or slope.any():
        what = "threshold" if node.operator == "ThresholdedRelu" else "slope below zero"
        given = None if slope is None else float(slope.ravel()[np.abs(slope).argmax()])
        do = "Use ReLU instead, and train the network again: a firing rate is the positive part of its drive."
        raise node.error(field_error(what, "0", given, do))
    relu(reading, node)


def flow_first(reading: Reading, node: Node) -> str:
    """Put the input that flows first, for an operator whose inputs may be swapped."""
    if node.inputs[0] in reading.constants:
        node.inputs = node.inputs[::-1]
    if len(node.inputs) != 2:
        raise node.error(field_error("inputs", "two", list(node.inputs)))
    return reading.flow(node)


def _bound(reading: Reading, node: Node) -> float:
    bound = reading.constant(node, 1)
    if bound is None or (bound != bound.ravel()[0]).any() or bound.ndim > len(reading.shape(node.inputs[0])) + 1:
        raise node.error("it is read of a layer and a number that clips it, and in no other form. Use ReLU or Clip.")
    return _number(node, "bound", bound, math.nan)


def _number(node: Node, name: str, bound: NDArray[Any] | None, default: float) -> float:
    if bound is None:
        return default
    if not bound.size or math.isnan(number := float(bound.ravel()[0])):
        raise node.error(field_error(name, "a number", bound.tolist()))
    # The largest number of its type is what some write for none.
    return math.copysign(math.inf, number) if abs(number) >= float(np.finfo(np.float32).max) else number


def _clipped(reading: Reading, node: Node, value: str, low: float, high: float) -> None:
    if not low < high:
        raise node.error(field_error("max", f"a number above the minimum, {low}", high))
    if low <= 0 and reading.never_negative(value):
        low = 0.0 if 0 < high < math.inf else -math.inf
    source, output = reading.flows[value], node.outputs[0]
    if low == -math.inf and high == math.inf:
        reading.flows[output] = source
    elif low == 0:
        reading.add(Relu(name=node.name, inputs=(source,), most=high), output)
    elif low > -math.inf:
        _shifted(reading, node, value, 1, low, high - low)
    else:
        _shifted(reading, node, value, -1, high, math.inf)


def _shifted(reading: Reading, node: Node, value: str, sign: int, bound: float, most: float) -> None:
    """The bound, plus or minus by how much a value is beyond it."""
    one = np.full([1] * len(reading.shape(value)), float(sign))
    beyond = Scale(name=f"{node.name}/beyond", inputs=(reading.flows[value],), weight=one, bias=-bound * one)
    rectified = Relu(name=node.name, inputs=(reading.add(beyond),), most=most)
    back = Scale(name=f"{node.name}/back", inputs=(reading.add(rectified),), weight=one, bias=bound * np.abs(one))
    reading.add(back, node.outputs[0])
