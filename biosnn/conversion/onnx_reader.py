"""An ONNX file becomes a graph of layers: its nodes are walked once, in the order of computation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from biosnn.conversion import onnx_file
from biosnn.conversion.extra import onnx
from biosnn.conversion.graph import Graph, in_order
from biosnn.conversion.onnx_operators import check_operator, translate
from biosnn.conversion.onnx_reading import Node, Reading
from biosnn.errors import ConversionError

if TYPE_CHECKING:
    from onnx import ModelProto


def read_onnx(path: Path) -> Graph:
    """Read an ONNX file.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Graph
        Its layers, normalisations folded; a softmax at the end is left out and remembered.

    Raises
    ------
    ConversionError
        If the file is damaged or too large, or has a layer that is not read; the message names the node, its operator
        and what to do.
    MissingExtraError
        If ONNX or ONNX Runtime is not installed.
    """
    try:
        model = onnx_file.load(path)
        nodes = _nodes(model)
        reading = Reading(model)
        for node in nodes:
            translate(reading, node)
        return reading.graph([value.name for value in model.graph.output])
    except ConversionError as problem:
        raise ConversionError(f"{path}: {problem}") from None


def _context(model: ModelProto) -> Any:
    """What the checker of nodes has to know of a model."""
    context = onnx().checker.C.CheckerContext()
    context.ir_version = model.ir_version
    context.opset_imports = {opset.domain: opset.version for opset in model.opset_import}
    return context


def _nodes(model: ModelProto) -> Iterator[Node]:
    """The nodes in the order of computation, each checked against its operator's schema."""
    makers: dict[str, int] = {}
    protos = model.graph.node
    initial = {tensor.name for tensor in model.graph.initializer} | {value.name for value in model.graph.input}
    for number, proto in enumerate(protos):
        for value in filter(None, proto.output):
            if value in makers or value in initial:
                raise Node(proto, ()).error(f"it computes {value!r}, which is there already. Export the model again.")
            makers[value] = number
    takes: dict[str, list[str]] = {}
    context = _context(model)
    for number, proto in enumerate(protos):
        check_operator(Node(proto, proto.input), context)
        missing = [value for value in proto.input if value and value not in makers and value not in initial]
        if missing:
            raise Node(proto, ()).error(f"its inputs {missing} are computed by no node. The file is incomplete.")
        takes[str(number)] = [str(makers[value]) for value in proto.input if value in makers]
    labels = {str(number): Node(proto, ()).name for number, proto in enumerate(protos)}
    order = in_order(takes, "node", labels)
    return (Node(protos[int(number)], protos[int(number)].input) for number in order)
