"""What each operator of ONNX becomes: layers, a constant, or an error that says what to do.

The specification of all of them: https://onnx.ai/onnx/operators/
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from biosnn.ann.graph import in_order
from biosnn.ann.layers import MOST_NEURONS, Add, Concat, Scale, Select
from biosnn.ann.onnx.branches import chosen_branch, outer_values, rename_outputs
from biosnn.ann.onnx.reading import Node, Reading
from biosnn.ann.onnx.rectifiers import clip, leaky, maximum, minimum, relu
from biosnn.ann.onnx.runtime import evaluate
from biosnn.ann.onnx.weights import affine, batch_normalization, gemm, matmul, negative, scaler
from biosnn.ann.onnx.windows import average_pool, convolution, global_pool, max_pool, reduction
from biosnn.errors import ConversionError, field_error
from biosnn.optional_dependencies import onnx

if TYPE_CHECKING:
    from onnx import NodeProto


def translate(reading: Reading, node: Node) -> None:
    """Take a node into what is read so far.

    Raises
    ------
    ConversionError
        If its attributes or inputs are not read; the message names the node, its operator, and what to do.
    """
    try:
        if node.operator == "If":
            _branch(reading, node)
        elif any(value in reading.heads for value in node.inputs):
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


def _branch(reading: Reading, node: Node) -> None:
    """Only what the condition chooses is read."""
    graph = chosen_branch(reading, node)
    known = {*reading.constants, *reading.flows, *reading.heads}
    for inner in in_order_of_computation(graph.node, known, reading.context):
        translate(reading, inner)
    rename_outputs(reading, node, graph)


def in_order_of_computation(protos: Sequence[NodeProto], known: set[str], context: Any) -> Iterator[Node]:
    """Nodes in the order of computation, each checked against its operator's schema.

    Parameters
    ----------
    protos : sequence of NodeProto
        Of a model, or of a branch in it.
    known : set of str
        The values that they may take from elsewhere.
    context : CheckerContext
        Of the model.
    """
    makers: dict[str, int] = {}
    for number, proto in enumerate(protos):
        for value in filter(None, proto.output):
            if value in makers or value in known:
                raise Node(proto, ()).error(f"it computes {value!r}, which is there already. Export the model again.")
            makers[value] = number
    takes: dict[str, list[str]] = {}
    for number, proto in enumerate(protos):
        check_operator(Node(proto, proto.input), context)
        taken = outer_values(proto)
        missing = [value for value in taken if value and value not in makers and value not in known]
        if missing:
            raise Node(proto, ()).error(f"its inputs {missing} are computed by no node. The file is incomplete.")
        takes[str(number)] = [str(makers[value]) for value in taken if value in makers]
    labels = {str(number): Node(proto, ()).name for number, proto in enumerate(protos)}
    order = in_order(takes, "node", labels)
    return (Node(protos[int(number)], protos[int(number)].input) for number in order)


def check_operator(node: Node, context: Any) -> None:
    """Raise `ConversionError` if an operator is not read, or a node does not follow its schema in that context."""
    domain, known = node.proto.domain, _LAYERS.keys() | _FOLDED | _AFTER_HEAD | {"If"}
    if domain not in ("", "ai.onnx", "ai.onnx.ml") or node.operator not in known:
        named = f"{domain}.{node.operator}" if domain else node.operator
        valid = ", ".join(sorted(_LAYERS))
        raise node.error(f"{named} is not read. {_advice(node.operator)} Layers are read from: {valid}.")
    if node.operator == "If":
        if len(node.inputs) != 1 or {"then_branch", "else_branch"} - {
            b.name for b in node.proto.attribute if b.HasField("g")
        }:
            raise node.error("it has not one condition and two branches. Export it again.")
        return  # what is in a branch is checked when it is chosen
    try:
        onnx().checker.check_node(node.proto, context)
    except Exception as problem:  # its own error, or what it makes of an attribute that it cannot look at
        raise node.error(f"it does not follow the specification of ONNX: {problem}. Export it again.") from None


def _constant_only(_: Reading, node: Node) -> None:
    advice = _advice(node.operator)
    raise node.error(f"it is read for constants only, and here its input depends on the image. {advice}")


def _same(reading: Reading, node: Node) -> None:
    """An operator that changes nothing when a network is used: identity, dropout, a cast to floats."""
    training, ratio = (reading.constant(node, k) if node.operator == "Dropout" else None for k in (2, 1))
    if training is not None and training.any() and (ratio is None or ratio.any()):
        raise node.error("it is in training mode. Export the network for inference: model.eval().")
    proto = onnx().TensorProto
    floats = (proto.FLOAT, proto.DOUBLE, proto.FLOAT16, proto.BFLOAT16)
    if node.operator == "Cast" and node.attributes.get("to") not in floats:
        raise node.error(
            "only a cast to float32 or float64, or half of it, is read. Whole numbers would be rounded: omit it."
        )
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
    "Clip": clip,
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
    "LeakyRelu": leaky,
    "MatMul": matmul,
    "Max": maximum,
    "MaxPool": max_pool,
    "Min": minimum,
    "Mul": affine,
    "Neg": negative,
    "PRelu": leaky,
    "Pad": _select,
    "ReduceMax": reduction,
    "ReduceMean": reduction,
    "ReduceSum": reduction,
    "Relu": relu,
    "Reshape": _select,
    "Scaler": scaler,
    "Shape": _shape,
    "Slice": _select,
    "SpaceToDepth": _select,
    "Split": _select,
    "Squeeze": _select,
    "Sub": _difference,
    "Sum": _add,
    "ThresholdedRelu": leaky,
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
    _words("Celu Elu Erf Gelu HardSigmoid HardSwish Mish Selu Softplus Swish Tanh"): (
        "Use ReLU instead, and train the network again: a firing rate is the positive part of its drive."
    ),
    _words("GRU Loop LSTM RNN Scan"): (
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
