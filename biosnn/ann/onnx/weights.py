"""Operators of ONNX that have weights, or multiply and add constants."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn.ann.layers import Convolution, Linear, Scale, Select, Shape
from biosnn.ann.onnx.reading import Node, Reading
from biosnn.errors import field_error


def gemm(reading: Reading, node: Node) -> None:
    """A linear layer: alpha A B + beta C, where A flows."""
    value = reading.flow(node)
    if node.attributes.get("transA", 0):
        raise node.error(field_error("transA", "0", 1, "It would mix the images of a batch."))
    weight = _needed(reading, node, 1)
    if weight.ndim != 2:
        raise node.error(field_error("weight", "two axes", weight.shape))
    bias = reading.constant(node, 2)
    alpha, beta = (float(node.attributes.get(name, 1.0)) for name in ("alpha", "beta"))
    weight = weight if node.attributes.get("transB", 0) else weight.T
    _linear(reading, node, value, weight if alpha == 1 else alpha * weight, None if bias is None else beta * bias)


def matmul(reading: Reading, node: Node) -> None:
    """A linear layer without a bias; one that is added by the next node is folded in later."""
    value = reading.flow(node)
    weight = _needed(reading, node, 1)
    if weight.ndim != 2:
        raise node.error(field_error("weight", "two axes", weight.shape))
    if len(reading.shape(value)) > 1:
        _everywhere(reading, node, value, weight)
    else:
        _linear(reading, node, value, weight.T, None)


def _everywhere(reading: Reading, node: Node, value: str, weight: NDArray[Any]) -> None:
    """A linear layer of the channels at each place, these being the last axis: a convolution of single pixels."""
    *places, channels = reading.shape(value)
    if channels != len(weight):
        expected = f"an input of the shape (..., {len(weight)}), as its weights say"
        raise node.error(field_error("input", expected, reading.shape(value), "Flatten images before a linear layer."))
    size = (places[0], math.prod(places[1:]))
    first = np.arange(math.prod(places) * channels).reshape(*size, channels).transpose(2, 0, 1)
    image = reading.add(Select(name=f"{node.name}/image", inputs=(reading.flows[value],), source=first))
    kernel, bias = weight.T[:, :, None, None], np.zeros(weight.shape[1])
    summed = reading.add(Convolution(name=node.name, inputs=(image,), weight=kernel, bias=bias))
    last = np.arange(math.prod(places) * weight.shape[1]).reshape(-1, *size).transpose(1, 2, 0)
    source = last.reshape(*places, weight.shape[1])
    reading.add(Select(name=f"{node.name}/last", inputs=(summed,), source=source), node.outputs[0])


def _linear(reading: Reading, node: Node, value: str, weight: NDArray[Any], bias: NDArray[Any] | None) -> None:
    shape = reading.shape(value)
    if shape != weight.shape[1:]:
        expected = f"an input of the shape {weight.shape[1:]}, as its weights say"
        raise node.error(field_error("input", expected, shape, "Flatten images before a linear layer."))
    if bias is None:
        bias = np.zeros(len(weight))
    elif bias.size not in (1, len(weight)):
        raise node.error(field_error("bias", f"{len(weight)} numbers, one for each output", bias.shape))
    bias = np.broadcast_to(bias.ravel(), len(weight))
    layer = Linear(name=node.name, inputs=(reading.flows[value],), weight=weight, bias=bias)
    reading.add(layer, node.outputs[0])


def batch_normalization(reading: Reading, node: Node) -> None:
    """The normalisation of inference, with the statistics of training."""
    value = reading.flow(node)
    if node.attributes.get("training_mode", 0) or node.attributes.get("spatial", 1) != 1:
        raise node.error("it is in training mode, or not by channel. Export the network for inference: model.eval().")
    gain, shift, mean, variance = (_needed(reading, node, position).astype(float) for position in range(1, 5))
    channels = reading.shape(value)[:1]
    if any(array.shape != channels for array in (gain, shift, mean, variance)):
        shapes = [array.shape for array in (gain, shift, mean, variance)]
        raise node.error(field_error("scale, bias, mean and variance", f"the shape {channels} each", shapes))
    spread = variance + float(node.attributes.get("epsilon", 1e-5))
    if not (spread > 0).all():
        raise node.error(field_error("variance plus epsilon", "above 0", float(spread.min())))
    weight = gain / np.sqrt(spread)
    _scale(reading, node, value, weight, shift - mean * weight)


def scaler(reading: Reading, node: Node) -> None:
    """Scikit-learn's standardisation: (x - offset) * scale."""
    value = reading.flow(node)
    offset, weight = (np.asarray(node.attributes.get(name, [default]), float) for name, default in _SCALER)
    if any(array.size not in (1, *reading.shape(value)[-1:]) for array in (offset, weight)):
        raise node.error(field_error("offset and scale", f"{reading.shape(value)[-1]} numbers", offset.shape))
    _scale(reading, node, value, weight, -offset * weight)


_SCALER = (("offset", 0.0), ("scale", 1.0))


def negative(reading: Reading, node: Node) -> None:
    """The opposite of a value."""
    value = reading.flow(node)
    one = np.ones([1] * len(reading.shape(value)))
    layer = Scale(name=node.name, inputs=(reading.flows[value],), weight=-one, bias=0 * one)
    reading.add(layer, node.outputs[0])


def affine(reading: Reading, node: Node) -> None:
    """A constant added to, subtracted from, multiplied by or dividing what flows."""
    swapped = node.inputs[0] in reading.constants
    if not swapped and node.inputs[1] not in reading.constants:
        do = (
            "Weights that depend on the image cannot be made to spike: replace it (as by an addition), and train again."
        )
        raise node.error(f"both its inputs depend on the image. {do}")
    value = reading.flow(node, int(swapped))
    number = _aligned(node, _needed(reading, node, 0 if swapped else 1).astype(float), reading.shape(value))
    if node.operator == "Div" and (swapped or not number.all()):
        raise node.error("only a division by constants that are not zero is read.")
    one, zero = np.ones_like(number), np.zeros_like(number)
    weight, bias = {
        "Add": (one, number),
        "Sum": (one, number),
        "Sub": (-one, number) if swapped else (one, -number),
        "Mul": (number, zero),
        "Div": (1 / np.where(number == 0, 1, number), zero),
    }[node.operator]
    layer = Scale(name=node.name, inputs=(reading.flows[value],), weight=weight, bias=bias)
    reading.add(layer, node.outputs[0])


def _aligned(node: Node, number: NDArray[Any], shape: Shape) -> NDArray[Any]:
    """A constant with the axes of one image, which it must not enlarge."""
    axes = len(shape) + 1
    whole = number.reshape([1] * (axes - number.ndim) + list(number.shape)) if number.ndim <= axes else number
    fits = whole.ndim == axes and len(whole) == 1
    if not fits or any(n not in (1, m) for n, m in zip(whole.shape[1:], shape, strict=True)):
        expected = f"a shape that goes with {shape}, the same for all images"
        raise node.error(field_error("constant", expected, number.shape))
    return np.asarray(whole[0])


def _scale(reading: Reading, node: Node, value: str, weight: NDArray[Any], bias: NDArray[Any]) -> None:
    """Scale and shift by channel, which is the first axis of one image."""
    axes = [1] * (len(reading.shape(value)) - 1)
    inputs = (reading.flows[value],)
    weight, bias = (array.reshape(-1, *axes) for array in (weight, bias))
    reading.add(Scale(name=node.name, inputs=inputs, weight=weight, bias=bias), node.outputs[0])


def _needed(reading: Reading, node: Node, position: int) -> NDArray[Any]:
    array = reading.constant(node, position)
    if array is None:
        raise node.error(f"its input {position} is missing. Export the model again.")
    return array
