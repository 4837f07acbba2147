"""What each operator of ONNX becomes: layers, a constant, or an error that says what to do.

The specification of all of them: https://onnx.ai/onnx/operators/
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn.conversion.extra import onnx
from biosnn.conversion.layers import MOST_NEURONS, Add, Concat, Relu, Scale, Select
from biosnn.conversion.onnx_reading import Node, Reading
from biosnn.conversion.onnx_runtime import evaluate
from biosnn.conversion.onnx_weights import affine, batch_normalization, gemm, matmul, scaler
from biosnn.conversion.onnx_windows import average_pool, convolution, global_pool, max_pool, reduction
from biosnn.errors import ConversionError, field_error


def translate(reading: Reading, node: Node) -> None:
    """Take a node into what is read so far.

    Raises
    ------
    ConversionError
        If its attributes or inputs are not read; the message names the node, its operator, and what to do.
    """
    try:
        if any(value in reading.heads for value in node.inputs):
            _after_head(reading, node)
        elif any(value in reading.flows for value in node.inputs):
            _LAYERS.get(node.operator, _constant_only)(reading, node)
        elif node.operator in _FOLDED:
            reading.fold(node)
        else:
            raise ConversionError("it is applied to constants only. Export with constant folding.")
    except ConversionError as problem:
        text = str(problem)
        raise (problem if text.startswith("Node ") else node.error(text)) from None


def check_operator(node: Node, context: Any) -> None:
    """Raise `ConversionError` if an operator is not read, or a node does not follow its schema in that context."""
    domain, known = node.proto.domain, _LAYERS.keys() | _FOLDED | _AFTER_HEAD
    if domain not in ("", "ai.onnx", "ai.onnx.ml") or node.operator not in known:
        named = f"{domain}.{node.operator}" if domain else node.operator
        valid = ", ".join(sorted(_LAYERS))
        raise node.error(f"{named} is not read. {_advice(node.operator)} Layers are read from: {valid}.")
    try:
        onnx().checker.check_node(node.proto, context)
    except Exception as problem:  # its own error, or what it makes of an attribute that it cannot look at
        raise node.error(f"it does not follow the specification of ONNX: {problem}. Export it again.") from None


def _constant_only(_: Reading, node: Node) -> None:
    advice = _advice(node.operator)
    raise node.error(f"it is read for constants only, and here its input depends on the image. {advice}")


def _relu(reading: Reading, node: Node) -> None:
    reading.add(Relu(name=node.name, inputs=(reading.flows[reading.flow(node)],)), node.outputs[0])


def _clip(reading: Reading, node: Node) -> None:
    least, most = reading.constant(node, 1, "min"), reading.constant(node, 2, "max")
    if least is None or np.any(least != 0):
        do = "Only a ReLU, clipped from above or not, can be made to spike."
        raise node.error(field_error("min", "0", None if least is None else least.tolist(), do))
    _clipped(reading, node, np.inf if most is None else float(most.ravel()[0]))


def _clipped(reading: Reading, node: Node, most: float) -> None:
    reading.add(Relu(name=node.name, inputs=(reading.flows[reading.flow(node)],), most=most), node.outputs[0])


def _max(reading: Reading, node: Node) -> None:
    """A ReLU, in the words of some exporters."""
    _flow_first(reading, node)
    bound = reading.constant(node, 1)
    if bound is None or np.any(bound != 0):
        raise node.error("it is read as a ReLU, of two inputs one of which is zero, and in no other form. Use ReLU.")
    _clipped(reading, node, np.inf)


def _min(reading: Reading, node: Node) -> None:
    """What clips a ReLU from above, in the words of some exporters."""
    value = _flow_first(reading, node)
    bound = reading.constant(node, 1)
    if bound is None or bound.size != 1 or not isinstance(reading.layer(value), Relu):
        raise node.error("it is read after a ReLU that it clips at a number, and in no other form. Use Clip.")
    _clipped(reading, node, float(bound.ravel()[0]))


def _flow_first(reading: Reading, node: Node) -> str:
    """Put the input that flows first, for an operator whose inputs may be swapped."""
    if node.inputs[0] in reading.constants:
        node.inputs = node.inputs[::-1]
    if len(node.inputs) != 2:
        raise node.error(field_error("inputs", "two", list(node.inputs)))
    return reading.flow(node)


def _same(reading: Reading, node: Node) -> None:
    """An operator that changes nothing when a network is used: identity, dropout, a cast to floats."""
    training = reading.constant(node, 2) if node.operator == "Dropout" else None
    if training is not None and training.any():
        raise node.error("it is in training mode. Export the network for inference: model.eval().")
    proto = onnx().TensorProto
    if node.operator == "Cast" and node.attributes.get("to") not in (proto.FLOAT, proto.DOUBLE):
        raise node.error("only a cast to float32 or float64 is read. Whole numbers would be rounded: leave it out.")
    reading.flows[node.outputs[0]] = reading.flows[reading.flow(node)]


def _add(reading: Reading, node: Node) -> None:
    if any(value in reading.constants for value in node.inputs) and len(node.inputs) == 2:
        affine(reading, node)
        return
    inputs = tuple(reading.flows[reading.flow(node, position)] for position in range(len(node.inputs)))
    reading.add(Add(name=node.name, inputs=inputs), node.outputs[0])


def _difference(reading: Reading, node: Node) -> None:
    if any(value in reading.constants for value in node.inputs):
        affine(reading, node)
        return
    first, second = (reading.flow(node, position) for position in (0, 1))
    one = np.ones([1] * len(reading.shape(second)))
    negative = Scale(name=f"{node.name}/negative", inputs=(reading.flows[second],), weight=-one, bias=0 * one)
    reading.add(Add(name=node.name, inputs=(reading.flows[first], reading.add(negative))), node.outputs[0])


def _concat(reading: Reading, node: Node) -> None:
    if any(value in reading.constants for value in node.inputs):
        _select(reading, node)  # with zeros, as a shortcut that pads channels
        return
    inputs = tuple(reading.flows[reading.flow(node, position)] for position in range(len(node.inputs)))
    axis, axes = int(node.attributes.get("axis", 1)), len(reading.shape(node.inputs[0])) + 1
    if axis % axes == 0:
        raise node.error("it joins images along the batch axis. Join layers along another axis.")
    reading.add(Concat(name=node.name, inputs=inputs, axis=axis % axes - 1), node.outputs[0])


def _shape(reading: Reading, node: Node) -> None:
    """The shape of a value is a constant, since the batch axis has been given a length."""
    dims = (reading.batch, *reading.shape(reading.flow(node)))
    part = slice(node.attributes.get("start"), node.attributes.get("end"))
    reading.constants[node.outputs[0]] = np.array(dims[part], np.int64)


def _select(reading: Reading, node: Node) -> None:
    """An operator that moves values about: ONNX Runtime moves their indices, with 0 for a zero."""
    flowing = [value for value in node.inputs if value in reading.flows]
    if len(flowing) != 1:
        raise node.error(field_error("inputs", "one that flows, and constants", list(node.inputs)))
    if node.operator == "Pad":
        _check_pad(reading, node)
    value, size = flowing[0], reading.layer(flowing[0]).neurons
    if reading.batch * size > 4 * MOST_NEURONS:
        do = "Export with a dynamic batch axis, or a batch of 1."
        raise node.error(field_error("input", f"at most {4 * MOST_NEURONS} values", reading.batch * size, do))
    # As float64, which every one of these operators takes, and which holds these whole numbers exactly.
    indices = np.arange(1.0, reading.batch * size + 1).reshape(reading.batch, *reading.shape(value))
    feeds = {name: reading.constants[name] for name in node.inputs if name and name != value}
    feeds = {name: array.astype(float) if array.dtype.kind == "f" else array for name, array in feeds.items()}
    if any(array.dtype.kind == "f" and array.any() for array in feeds.values()):
        raise node.error("it brings in numbers that are not zero. Only zeros can be joined to a layer.")
    moved = evaluate(node.proto, reading.opset, feeds | {value: indices})
    for output, array in moved.items():
        source = array.astype(np.int64)
        _check_batch(reading, node, source, size)
        name = node.name if len(moved) == 1 else output
        layer = Select(name=name, inputs=(reading.flows[value],), source=source[0] - 1)
        reading.add(layer, output)


def _check_batch(reading: Reading, node: Node, source: NDArray[np.int64], size: int) -> None:
    """Each image's values must come from itself, and all images be treated alike."""
    offsets = size * np.arange(reading.batch)
    alike = len(source) == reading.batch and source.ndim > 1 and source.size
    if alike:
        offsets = offsets.reshape(-1, *[1] * (source.ndim - 1))
        alike = np.array_equal(source, np.where(source[:1] == 0, 0, source[:1] + offsets)) and source[0].max() <= size
    if not alike:
        value = next(value for value in node.inputs if value in reading.flows)
        shape, became = (reading.batch, *reading.shape(value)), source.shape
        do = "Let the first axis be that of the batch, and keep its length (x.flatten(1), or reshape to (-1, n))."
        raise node.error(f"it mixes the images of a batch: the shape {shape} becomes {became}. {do}")


def _check_pad(reading: Reading, node: Node) -> None:
    value = reading.constant(node, 2, "value")
    if value is not None and value.any():
        raise node.error(field_error("padding", "with zeros", value.tolist(), "Pad with zeros."))


def _head(reading: Reading, node: Node) -> None:
    """An operator after the network's answer, such as a softmax, is left out."""
    reading.heads[node.outputs[0]] = (reading.flows[reading.flow(node)], (node.operator,))


def _after_head(reading: Reading, node: Node) -> None:
    value = next(value for value in node.inputs if value in reading.heads)
    layer, operators = reading.heads[value]
    if node.operator not in _AFTER_HEAD or any(name in reading.flows for name in node.inputs):
        raise node.error(
            f"its input {value!r} comes after {operators[0]}, which is only read at the end of a network. "
            "Use ReLU within it."
        )
    for output in filter(None, node.outputs):
        reading.heads[output] = (layer, (*operators, node.operator))


_LAYERS: dict[str, Callable[[Reading, Node], None]] = {
    "Add": _add,
    "AveragePool": average_pool,
    "BatchNormalization": batch_normalization,
    "Cast": _same,
    "Clip": _clip,
    "Concat": _concat,
    "Conv": convolution,
    "DepthToSpace": _select,
    "Div": affine,
    "Dropout": _same,
    "Flatten": _select,
    "Gather": _select,
    "Gemm": gemm,
    "GlobalAveragePool": global_pool,
    "GlobalMaxPool": global_pool,
    "Identity": _same,
    "MatMul": matmul,
    "Max": _max,
    "MaxPool": max_pool,
    "Min": _min,
    "Mul": affine,
    "Pad": _select,
    "ReduceMax": reduction,
    "ReduceMean": reduction,
    "Relu": _relu,
    "Reshape": _select,
    "Scaler": scaler,
    "Shape": _shape,
    "Slice": _select,
    "SpaceToDepth": _select,
    "Split": _select,
    "Squeeze": _select,
    "Sub": _difference,
    "Sum": _add,
    "Transpose": _select,
    "Unsqueeze": _select,
    **dict.fromkeys(("ArgMax", "LogSoftmax", "Sigmoid", "Softmax"), _head),
}


def _words(*lines: str) -> frozenset[str]:
    return frozenset(" ".join(lines).split())


# Operators that may compute constants: none that can loop, and none whose output's size cannot be told beforehand.
_FOLDED = _words(
    "Abs Add And Cast Ceil Concat Constant ConstantOfShape Div Equal Exp Expand Flatten Floor Gather Gemm Greater",
    "Identity Less MatMul Max Min Mod Mul Neg Not Or Pad Pow Range Reciprocal ReduceMax ReduceMin ReduceProd ReduceSum",
    "Reshape ScatterND Shape Size Slice Split Sqrt Squeeze Sub Sum Tile Transpose Unsqueeze Where",
)

_HEADS = _words("ArgMax LogSoftmax Sigmoid Softmax")

# What exporters make of probabilities: labels, their types and names.
_AFTER_HEAD = _HEADS | _words(
    "ArrayFeatureExtractor Cast Concat Flatten Gather Identity Normalizer Reshape Squeeze Sub TopK Unsqueeze ZipMap"
)

_ADVICE = {
    _words("Celu Elu Erf Gelu HardSigmoid HardSwish LeakyRelu Mish PRelu Selu Softplus Swish Tanh"): (
        "Use ReLU instead, and train the network again: a firing rate is the positive part of its drive."
    ),
    _words("GRU If Loop LSTM RNN Scan"): (
        "Networks are read that go one way from input to output; unroll a recurrent one over time."
    ),
    _words("ConvInteger DequantizeLinear MatMulInteger QLinearConv QLinearMatMul QuantizeLinear"): (
        "Export the network before it is quantised."
    ),
    _words("GroupNormalization InstanceNormalization LayerNormalization RMSNormalization"): (
        "It depends on the image and cannot be folded into weights. Use batch normalisation, and train again."
    ),
}


def _advice(operator: str) -> str:
    given = (advice for operators, advice in _ADVICE.items() if operator in operators)
    return next(given, "Replace it in the network by layers that are read, and train it again.")
