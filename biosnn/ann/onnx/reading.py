"""What is known of an ONNX file while it is read: its constants, the layers so far, and which layer computes a value.

A value in the file is either a constant or flows from the input. Nodes whose inputs are all constant are computed by
ONNX Runtime, one by one, each after its output's size has been looked at. The batch axis is given a length meanwhile,
so that shapes which exporters compute from it are constants too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, count
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from biosnn.ann.graph import MOST_LAYERS, Graph, with_shape
from biosnn.ann.layers import MOST_VALUES, Input, Layer, Shape
from biosnn.ann.onnx import file as onnx_file
from biosnn.ann.onnx.floats import single
from biosnn.ann.onnx.runtime import evaluate
from biosnn.ann.signs import never_negative
from biosnn.ann.simplify import simplified
from biosnn.errors import ConversionError, field_error
from biosnn.optional_dependencies import onnx

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

BATCH = 2
"""Where the batch axis is dynamic, its length while shapes are found: above 1, so that a mix-up of images shows."""


class Node:
    """A node with its attributes as Python values."""

    def __init__(self, proto: NodeProto, inputs: Sequence[str]) -> None:
        self.proto = proto
        self.operator: str = proto.op_type
        self.inputs = tuple(inputs)
        self.outputs = tuple(proto.output)
        self.name: str = proto.name or next(filter(None, proto.output), "")
        self.attributes: dict[str, Any] = {a.name: onnx().helper.get_attribute_value(a) for a in proto.attribute}

    def error(self, problem: object) -> ConversionError:
        """An error that names the node and its operator."""
        return ConversionError(f"Node {self.name!r}, operator {self.operator}: {problem}")

    def text(self, name: str, default: str) -> str:
        """An attribute that is a word."""
        value = self.attributes.get(name, default)
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


class Reading:
    """What is known so far of a file that is being read.

    Parameters
    ----------
    model : ModelProto
        The file's content, as `onnx_file.load` has checked it.
    context : CheckerContext
        What the checker of nodes has to know of it.

    Attributes
    ----------
    opset : int
        Of the default domain.
    batch : int
        The length of the batch axis.
    constants : dict
        Arrays by the name of the value.
    flows : dict of str to str
        Which layer computes a value.
    heads : dict of str to (str, tuple of str)
        Values after the network's answer, such as the probabilities that a softmax makes: the layer, and the operators
        since.
    """

    def __init__(self, model: ModelProto, context: Any) -> None:
        graph, self.context = model.graph, context
        versions = {"ai.onnx" if not o.domain else o.domain: o.version for o in model.opset_import}
        self.opset = int(versions.get("ai.onnx", onnx_file.OLDEST_OPSET))
        numbers = (tensor for tensor in graph.initializer if tensor.data_type != onnx().TensorProto.STRING)
        self.constants: dict[str, NDArray[Any]] = {tensor.name: single(onnx_file.array(tensor)) for tensor in numbers}
        self.flows: dict[str, str] = {}
        self.heads: dict[str, tuple[str, tuple[str, ...]]] = {}
        self.origins: dict[str, str] = {}
        self._layers: dict[str, Layer] = {}
        self._held = 0
        initial = {tensor.name for tensor in graph.initializer}
        inputs = [value for value in graph.input if value.name not in initial]
        if len(inputs) != 1:
            do = "Export with one input; several can be slices of it."
            raise ConversionError(field_error("Inputs of the model", "one", [value.name for value in inputs], do))
        self.batch, shape = _input_shape(inputs[0])
        self.add(Input(name=inputs[0].name, shape=shape), inputs[0].name)

    def add(self, layer: Layer, value: str = "") -> str:
        """Add a layer, which computes the value of that name in the file; its name, made unique, is returned."""
        names = chain((layer.name, value), (f"{layer.name}_{n}" for n in count(2)))
        name = next(name for name in names if name and name not in self._layers)
        shape = layer.fit([self._layers[source].shape for source in layer.inputs])
        self._layers[name] = with_shape(replace(layer, name=name), shape)
        # One array may serve many layers in the file, and be copied for each.
        self._held += self._layers[name].neurons + getattr(layer, "weight", np.empty(0)).size
        if self._held > 2 * MOST_VALUES or len(self._layers) > MOST_LAYERS:
            expected = f"at most {MOST_LAYERS} layers, of {2 * MOST_VALUES} values and weights in all"
            raise ConversionError(field_error("the network", expected, f"{self._held} in {len(self._layers)} so far"))
        if value:
            self.flows[value] = name
            self.origins[name] = value
        return name

    def layer(self, value: str) -> Layer:
        """The layer that computes a value."""
        return self._layers[self.flows[value]]

    def of(self, name: str) -> Layer:
        """The layer of that name."""
        return self._layers[name]

    def shape(self, value: str) -> Shape:
        """The shape of a value that flows, without the batch axis."""
        return self.layer(value).shape

    def never_negative(self, value: str) -> bool:
        """Whether a value that flows is made of ReLUs, without negative weights since."""
        return never_negative(self._layers, self.flows[value])

    def flow(self, node: Node, position: int = 0) -> str:
        """An input that must flow from the model's input, not be a constant."""
        value = node.inputs[position] if position < len(node.inputs) else ""
        if value in self.flows:
            return value
        raise node.error(f"its input {position} ({value!r}) is expected to flow from the model's input, and does not.")

    def constant(self, node: Node, position: int, attribute: str = "") -> NDArray[Any] | None:
        """An input that must be constant, or in older opsets an attribute; None if it is left out."""
        value = node.inputs[position] if position < len(node.inputs) else ""
        if value in self.constants:
            return self.constants[value]
        if value:
            raise node.error(
                f"its input {position} ({value!r}) is computed from the model's input. Only constants are read here: "
                "layers whose weights or shapes depend on the image cannot be made to spike."
            )
        return np.asarray(node.attributes[attribute]) if attribute in node.attributes else None

    def fold(self, node: Node) -> None:
        """Compute a node whose inputs are constant."""
        feeds = {name: self.constants[name] for name in node.inputs if name}
        arrays = evaluate(node.proto, self.opset, feeds)
        self.constants.update({name: single(array) for name, array in arrays.items()})
        total = sum(array.size for array in self.constants.values())
        if total > 2 * MOST_VALUES:
            raise ConversionError(field_error("constants", f"at most {2 * MOST_VALUES} values in all", total))

    def same(self, output: str, value: str) -> None:
        """Let a value of another name be one that is known."""
        if value in self.constants:
            self.constants[output] = self.constants[value]
        if value in self.flows:
            self.flows[output] = self.flows[value]
        if value in self.heads:
            self.heads[output] = self.heads[value]

    def forget(self, values: set[str]) -> None:
        """Values that have no name in the file, outside of a branch of it."""
        self.origins = {layer: value for layer, value in self.origins.items() if value not in values}

    def graph(self, outputs: Sequence[str]) -> Graph:
        """The layers that lead to the outputs, which must all come from the same one."""
        ends = {value: self.heads.get(value) or (self.flows.get(value, ""), ()) for value in outputs}
        answers = {layer for layer, _ in ends.values()}
        if len(answers) != 1 or "" in answers:
            do = "Export a model with one output, or cut one out with onnx.utils.extract_model(...)."
            names = {value: layer or "a constant, or nothing" for value, (layer, _) in ends.items()}
            raise ConversionError(field_error("Outputs of the model", "one, of one layer", names, do))
        answer = answers.pop()
        head = max((operators for _, operators in ends.values()), key=len)
        return simplified(self._layers.values(), answer, head, self.origins)


_FIX = "python -m onnxruntime.tools.make_dynamic_shape_fixed --input_name {} --input_shape 1,3,32,32 old.onnx new.onnx"


def _input_shape(value: Any) -> tuple[int, Shape]:
    """The length that the batch axis is given, and the shape of one image."""
    kind, proto = value.type.tensor_type, onnx().TensorProto
    where = f"Input {value.name!r}"
    floats = (proto.FLOAT, proto.DOUBLE, proto.FLOAT16, proto.BFLOAT16)
    if kind.elem_type not in (*floats, proto.UINT8, proto.INT32, proto.INT64):
        raise ConversionError(field_error(f"{where} type", "float32, other floats, or whole numbers", kind.elem_type))
    dims = [dim.dim_value if dim.HasField("dim_value") else dim.dim_param or "?" for dim in kind.shape.dim]
    if len(dims) < 2:
        given = dims if kind.HasField("shape") else "none in the file"
        do = f"Export with an example of one size, or: {_FIX.format(value.name)}"
        raise ConversionError(field_error(f"{where} shape", "a batch axis, and at least another", given, do))
    dynamic = [(axis, name) for axis, name in enumerate(dims[1:], 1) if not isinstance(name, int) or name < 1]
    if dynamic:
        axis, name = dynamic[0]
        do = f"Export with images of one size, or: {_FIX.format(value.name)}"
        raise ConversionError(field_error(f"{where} axis {axis}", "a fixed length", name, do))
    batch = dims[0] if isinstance(dims[0], int) and dims[0] > 0 else BATCH
    return batch, tuple(int(n) for n in dims[1:])
