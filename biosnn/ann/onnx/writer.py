"""A graph of layers as an ONNX model, whose values have the names of the layers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from biosnn.ann.graph import Graph
from biosnn.ann.layers import Add, AveragePool, Concat, Convolution, Input, Layer, Linear, MaxPool, Relu, Scale, Select
from biosnn.optional_dependencies import onnx

if TYPE_CHECKING:
    from onnx import NodeProto, TensorProto

OPSET = 17


def write_onnx(graph: Graph, outputs: Iterable[str] = ()) -> bytes:
    """Write a graph as an ONNX model.

    Parameters
    ----------
    graph : Graph
        The network.
    outputs : iterable of str
        The layers whose values the model returns; by default the graph's output.

    Returns
    -------
    bytes
        The model: float32, with a dynamic batch axis ``n``, each value under the name of its layer.

    Raises
    ------
    ConversionError
        If there is no layer of that name.
    MissingExtraError
        If ONNX is not installed.
    """
    helper = onnx().helper
    written = _Written()
    for layer in graph.layers:
        if not isinstance(layer, Input):
            _WRITERS[type(layer)](written, layer)
    returned = [graph[name] for name in dict.fromkeys(outputs or [graph.output])]
    model = helper.make_model(
        helper.make_graph(
            written.nodes,
            "biosnn",
            [_value(graph.input)],
            [_value(layer) for layer in returned],
            initializer=written.arrays,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=8,  # the first that knows this opset
        producer_name="biosnn",
    )
    return bytes(model.SerializeToString())


def _value(layer: Layer) -> Any:
    helper = onnx().helper
    return helper.make_tensor_value_info(layer.name, onnx().TensorProto.FLOAT, ["n", *layer.shape])


@dataclass
class _Written:
    nodes: list[NodeProto] = field(default_factory=list)
    arrays: list[TensorProto] = field(default_factory=list)

    def array(self, layer: Layer, name: str, array: NDArray[Any]) -> str:
        """Add an array to the model; the name it has there is returned."""
        whole = f"{layer.name}:{name}"
        self.arrays.append(onnx().numpy_helper.from_array(array, whole))
        return whole

    def node(self, operator: str, inputs: Iterable[str], layer: Layer, part: str = "", **attributes: Any) -> str:
        """Add a node that computes a layer, or a part of what it does; the name of its value is returned."""
        value = f"{layer.name}:{part}" if part else layer.name
        made = onnx().helper.make_node(operator, list(inputs), [value], name=value, **attributes)
        self.nodes.append(made)
        return value


def _convolution(written: _Written, layer: Convolution) -> None:
    arrays = (written.array(layer, name, getattr(layer, name)) for name in ("weight", "bias"))
    written.node(
        "Conv",
        [*layer.inputs, *arrays],
        layer,
        kernel_shape=layer.weight.shape[2:],
        strides=layer.stride,
        pads=layer.padding,
        dilations=layer.dilation,
        group=layer.groups,
    )


def _linear(written: _Written, layer: Linear) -> None:
    arrays = [written.array(layer, name, getattr(layer, name)) for name in ("weight", "bias")]
    flat = written.node("Flatten", layer.inputs, layer, "flat")
    written.node("Gemm", [flat, *arrays], layer, transB=1)


def _scale(written: _Written, layer: Scale) -> None:
    weight, bias = (written.array(layer, name, getattr(layer, name)) for name in ("weight", "bias"))
    scaled = written.node("Mul", [*layer.inputs, weight], layer, "scaled")
    written.node("Add", [scaled, bias], layer)


def _relu(written: _Written, layer: Relu) -> None:
    if np.isinf(layer.most):
        written.node("Relu", layer.inputs, layer)
    else:
        least = written.array(layer, "least", np.array(0, np.float32))
        most = written.array(layer, "most", np.array(layer.most, np.float32))
        written.node("Clip", [*layer.inputs, least, most], layer)


def _add(written: _Written, layer: Add) -> None:
    written.node("Sum", layer.inputs, layer)


def _concat(written: _Written, layer: Concat) -> None:
    written.node("Concat", layer.inputs, layer, axis=layer.axis + 1)


def _pool(written: _Written, layer: AveragePool | MaxPool) -> None:
    window: dict[str, Any] = {"kernel_shape": layer.kernel, "strides": layer.stride, "pads": layer.padding}
    if isinstance(layer, AveragePool):
        window["count_include_pad"] = int(layer.counts_padding)
    written.node(type(layer).__name__, layer.inputs, layer, **window)


def _select(written: _Written, layer: Select) -> None:
    """Take the values from the flat input, behind which stands a zero."""
    flat = written.node("Flatten", layer.inputs, layer, "flat")
    padded = written.node("Pad", [flat, written.array(layer, "pads", np.array([0, 0, 0, 1]))], layer, "padded")
    source = written.array(layer, "source", layer.source.ravel())  # where -1 is the last value: that zero
    taken = written.node("Gather", [padded, source], layer, "taken", axis=1)
    written.node("Reshape", [taken, written.array(layer, "shape", np.array([-1, *layer.shape]))], layer)


_WRITERS: dict[type[Layer], Callable[[_Written, Any], None]] = {
    Add: _add,
    AveragePool: _pool,
    Concat: _concat,
    Convolution: _convolution,
    Linear: _linear,
    MaxPool: _pool,
    Relu: _relu,
    Scale: _scale,
    Select: _select,
}
