"""Branches of a file whose condition is known while it is read: only the nodes of one of them are of the network.

PyTorch's older exporter writes `squeeze()` so, with a condition on the length of the axis.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from biosnn.ann.onnx import file as onnx_file
from biosnn.ann.onnx.floats import single
from biosnn.ann.onnx.reading import Node, Reading
from biosnn.errors import ConversionError
from biosnn.optional_dependencies import onnx

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto

MOST_NESTED = 8


def branches(node: NodeProto) -> Iterator[GraphProto]:
    """The branches of a node, if it has any."""
    yield from (attribute.g for attribute in node.attribute if attribute.HasField("g"))


def outer_values(node: NodeProto, nested: int = 0) -> list[str]:
    """The values that a node takes: its inputs, and what its branches take from outside."""
    values = list(node.input)
    for graph in branches(node):
        if nested == MOST_NESTED:
            raise ConversionError(f"Node {node.name!r}: branches within branches, more than {MOST_NESTED} deep.")
        inner_values = {tensor.name for tensor in graph.initializer}
        inner_values.update(value for inner in graph.node for value in inner.output)
        taken = [value for inner in graph.node for value in outer_values(inner, nested + 1)]
        taken += [value.name for value in graph.output]
        values += [value for value in taken if value not in inner_values]
    return list(dict.fromkeys(values))


def chosen_branch(reading: Reading, node: Node) -> GraphProto:
    """The branch that a condition chooses, its constants being known from now on.

    Raises
    ------
    ConversionError
        If the condition depends on the image, or a tensor of the branch is none that is read.
    """
    condition = reading.constants.get(node.inputs[0])
    if condition is None or condition.size != 1:
        do = "Networks are read that go one way from input to output, the same for all images."
        raise node.error(f"its condition {node.inputs[0]!r} depends on the image. {do}")
    name = "then_branch" if np.asarray(condition).item() else "else_branch"
    graph: Any = next(a.g for a in node.proto.attribute if a.name == name)
    if len(graph.output) != len(node.outputs):
        raise node.error(f"its {name} has {len(graph.output)} outputs, and it has {len(node.outputs)}.")
    waiting = list(branches(node.proto))
    while waiting:  # ONNX Runtime is given all of them
        inner = waiting.pop()
        onnx_file.check_names(inner)
        for tensor in onnx_file.tensors(inner):
            onnx_file.check_tensor(tensor)
        waiting += [nested for made in inner.node for nested in branches(made)]
    numbers = [tensor for tensor in graph.initializer if tensor.data_type != onnx().TensorProto.STRING]
    for tensor in numbers:
        if tensor.name in reading.constants or tensor.name in reading.flows:
            raise node.error(f"its {name} brings {tensor.name!r}, which is there already. Export the model again.")
        reading.constants[tensor.name] = single(onnx_file.array(tensor))
    return graph


def rename_outputs(reading: Reading, node: Node, graph: GraphProto) -> None:
    """Let a node's outputs be those of its branch, whose values have no name outside."""
    inner = {value for made in graph.node for value in made.output}
    reading.forget(inner)
    for value, output in zip(graph.output, node.outputs, strict=True):
        reading.same(output, value.name)
        if value.name in inner and value.name in reading.flows:
            reading.origins.setdefault(reading.flows[value.name], output)
