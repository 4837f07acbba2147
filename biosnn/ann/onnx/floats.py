"""Models in other than single precision, as the same models in float32, with which spiking networks are compared.

ONNX Runtime has no convolutions in float64, and computes float16 in ways of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from biosnn.optional_dependencies import onnx

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, TensorProto


def single(array: NDArray[Any]) -> NDArray[Any]:
    """An array of half precision in float32; any other as it is."""
    half = array.dtype == np.float16 or array.dtype.name == "bfloat16"
    return array.astype(np.float32) if half else array


def has_halves(model: ModelProto) -> bool:
    """Whether a model takes or keeps numbers in half precision."""
    proto = onnx().TensorProto
    kinds = {tensor.data_type for tensor in model.graph.initializer}
    kinds |= {value.type.tensor_type.elem_type for value in model.graph.input}
    kinds |= {a.t.data_type for node in model.graph.node for a in node.attribute if a.HasField("t")}
    kinds |= {a.i for node in model.graph.node if node.op_type == "Cast" for a in node.attribute if a.name == "to"}
    return bool(kinds & {proto.FLOAT16, proto.BFLOAT16})


def to_float32(model: ModelProto) -> None:
    """Let a model keep, take and compute float32 wherever it has other floats."""
    proto = onnx().TensorProto
    _convert(model.graph, {proto.DOUBLE, proto.FLOAT16, proto.BFLOAT16})


def _convert(graph: GraphProto, others: set[int]) -> None:
    single_kind = onnx().TensorProto.FLOAT
    del graph.value_info[:]
    for value in (*graph.input, *graph.output):
        if value.type.tensor_type.elem_type in others:
            value.type.tensor_type.elem_type = single_kind
    for tensor in graph.initializer:
        _convert_tensor(tensor, others)
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                _convert_tensor(attribute.t, others)
            if attribute.HasField("g"):
                _convert(attribute.g, others)
            if node.op_type == "Cast" and attribute.name == "to" and attribute.i in others:
                attribute.i = single_kind


def _convert_tensor(tensor: TensorProto, others: set[int]) -> None:
    if tensor.data_type in others:
        helper = onnx().numpy_helper
        with np.errstate(over="ignore"):  # which the reading has refused
            array = np.asarray(helper.to_array(tensor)).astype(np.float32)
        tensor.CopyFrom(helper.from_array(array, tensor.name))
