"""ONNX Runtime at work: a whole model, or a single node of one whose inputs are known."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from biosnn.ann.layers import MOST_VALUES, Shape
from biosnn.errors import ConversionError, field_error
from biosnn.optional_dependencies import onnx, onnxruntime

if TYPE_CHECKING:
    from onnx import NodeProto

Arrays = Mapping[str, NDArray[Any]]
_FATAL = 4  # the level of its log: what it has to say comes as an exception
_KNOWN = 4096  # values of a constant that shapes may be inferred from


def session(model: bytes, threads: int = 0, optimise: bool = True) -> Any:
    """An inference session.

    Parameters
    ----------
    model : bytes
        An ONNX model.
    threads : int
        How many it may use; 0 for as many as there are cores.
    optimise : bool
        Whether nodes may be fused.

    Raises
    ------
    ConversionError
        If ONNX Runtime refuses the model; with its reason.
    """
    runtime = onnxruntime()
    options = runtime.SessionOptions()
    options.log_severity_level = _FATAL
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    # Threads that wait for the next call would take the cores from simulations in between.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if not optimise:
        options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        return runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as problem:  # it has no base class for its errors
        raise ConversionError(f"ONNX Runtime refuses the model: {problem}") from None


def run(opened: Any, names: Sequence[str] | None, feeds: Arrays) -> list[NDArray[Any]]:
    """What a session computes; `ConversionError` if it fails."""
    try:
        return list(opened.run(names, dict(feeds)))
    except Exception as problem:
        raise ConversionError(f"ONNX Runtime cannot run the model: {problem}") from None


def node_shapes(node: NodeProto, opset: int, shapes: Mapping[str, tuple[Any, Shape]], known: Arrays) -> list[Shape]:
    """The shapes of a node's outputs, inferred before any of them is computed.

    Parameters
    ----------
    node : NodeProto
        Of the default domain.
    opset : int
        Of that domain.
    shapes : mapping
        For each input its NumPy type and its shape.
    known : mapping
        Inputs that are constants.

    Raises
    ------
    ConversionError
        If a shape cannot be told, or is of more values than memory should be asked for.
    """
    library, helper = onnx(), onnx().helper
    types = {
        name: helper.make_tensor_type_proto(helper.np_dtype_to_tensor_dtype(np.dtype(kind)), shape)
        for name, (kind, shape) in shapes.items()
    }
    data = {name: library.numpy_helper.from_array(a) for name, a in known.items() if a.size <= _KNOWN}
    imports = [helper.make_opsetid("", opset)]
    try:
        schema = library.defs.get_schema(node.op_type, opset, "")
        inferred = library.shape_inference.infer_node_outputs(schema, node, types, data, opset_imports=imports)
    except Exception as problem:  # a schema error, an inference error, or what nanobind makes of another
        raise ConversionError(f"the shapes of its inputs do not fit: {problem}") from None
    shape_list = []
    for name in filter(None, node.output):
        dims = inferred[name].tensor_type.shape.dim if name in inferred else None
        known_type = name in inferred and inferred[name].tensor_type.HasField("shape")
        if dims is None or not known_type or any(not dim.HasField("dim_value") for dim in dims):
            raise ConversionError(f"the shape of its output {name!r} cannot be told before it is computed.")
        shape = tuple(int(dim.dim_value) for dim in dims)
        if min(shape, default=0) < 0 or math.prod(shape) > MOST_VALUES:
            raise ConversionError(field_error(f"its output {name!r}", f"at most {MOST_VALUES} values", shape))
        shape_list.append(shape)
    return shape_list


def evaluate(node: NodeProto, opset: int, feeds: Arrays) -> dict[str, NDArray[Any]]:
    """The outputs of a node of the default domain for inputs that are known.

    Raises
    ------
    ConversionError
        If an output would be of more values than memory should be asked for, or ONNX Runtime refuses.
    """
    node_shapes(node, opset, {name: (a.dtype, a.shape) for name, a in feeds.items()}, feeds)
    library, helper = onnx(), onnx().helper
    kinds = {name: helper.np_dtype_to_tensor_dtype(a.dtype) for name, a in feeds.items()}
    inputs = [helper.make_tensor_value_info(name, kinds[name], a.shape) for name, a in feeds.items()]
    names = [name for name in node.output if name]
    outputs = [library.ValueInfoProto(name=name) for name in names]
    graph = helper.make_graph([node], "node", inputs, outputs)
    # The oldest format that says these opsets, so that any ONNX Runtime knows it.
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    opened = session(model.SerializeToString(), threads=1, optimise=False)
    return dict(zip(names, run(opened, names, feeds), strict=True))
