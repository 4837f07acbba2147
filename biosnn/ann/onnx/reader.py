"""An ONNX file becomes a graph of layers: its nodes are walked once, in the order of computation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from biosnn import files
from biosnn.ann.graph import Graph
from biosnn.ann.onnx import file as onnx_file
from biosnn.ann.onnx.operators import in_order_of_computation, translate
from biosnn.ann.onnx.reading import Reading
from biosnn.errors import ConversionError
from biosnn.optional_dependencies import onnx

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
    with files.reading(path, ConversionError, "an ONNX network", "Export it again."):
        model = onnx_file.load(path)
        context = _context(model)
        given = {tensor.name for tensor in model.graph.initializer} | {value.name for value in model.graph.input}
        nodes = in_order_of_computation(model.graph.node, given, context)
        reading = Reading(model, context)
        for node in nodes:
            translate(reading, node)
        return reading.graph([value.name for value in model.graph.output])


def _context(model: ModelProto) -> Any:
    """What the checker of nodes has to know of a model."""
    context = onnx().checker.C.CheckerContext()
    context.ir_version = model.ir_version
    context.opset_imports = {opset.domain: opset.version for opset in model.opset_import}
    return context
