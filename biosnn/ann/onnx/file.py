"""The bytes of an ONNX file, parsed within bounds: a stranger's file may claim anything.

Sizes are looked at before memory is asked for. A first pass walks over the lengths that the file announces (Protocol
Buffers' wire format) without making objects of them, since a few bytes there can become a large object. Only then is
it parsed, and each tensor's claim held against the bytes that it brings.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from biosnn import files
from biosnn.ann.layers import MOST_VALUES
from biosnn.errors import ConversionError, field_error
from biosnn.optional_dependencies import onnx

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, TensorProto

MOST_BYTES = 2**30
"""How long a file may be."""
MOST_STRUCTURE = 2**24
"""How many of its bytes may be other than the numbers of tensors, which take many times that when parsed."""
MOST_PARTS = 200_000
"""How many fields may be looked at on the way to the tensors."""
OLDEST_OPSET = 7
"""Operators before it broadcast and normalise by other rules."""

# The way from a model to the numbers of its tensors: message -> number of a field -> message in it (onnx.proto).
_WAY = {
    "model": {7: "graph"},
    "graph": {1: "node", 5: "tensor"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor"},
    "tensor": {4: "numbers", 9: "numbers", 10: "numbers"},
}
_KINDS = ("FLOAT", "DOUBLE", "FLOAT16", "BFLOAT16", "INT64", "INT32", "INT8", "UINT8", "BOOL")


def load(path: Path) -> ModelProto:
    """Parse a file.

    Raises
    ------
    ConversionError
        If it is too long, truncated, no ONNX file, of an opset that is not read, or brings tensors that lie outside,
        are other than they claim, or are of a kind that is not read.
    MissingExtraError
        If ONNX is not installed.
    """
    library = onnx()
    size = files.check_plain(path, ConversionError)
    if size > MOST_BYTES:
        raise ConversionError(field_error("The file", f"at most {MOST_BYTES} bytes", size, "Split the network."))
    content = files.read_bytes(path, ConversionError, MOST_BYTES)
    _check_lengths(memoryview(content))
    model = library.ModelProto()
    try:
        model.ParseFromString(content)
    except library.DecodeError as problem:
        raise ConversionError(f"It is no ONNX file, or a damaged one: {problem}. Export it again.") from None
    _check_model(model)
    check_names(model.graph, (opset.domain for opset in model.opset_import))
    for tensor in tensors(model.graph):
        check_tensor(tensor)
    return model


def notes(path: Path) -> dict[str, str]:
    """What a file says of itself, such as how well it was trained; errors as of `load`."""
    with files.reading(path, ConversionError, "an ONNX network", "Export it again."):
        return {str(entry.key): str(entry.value) for entry in load(path).metadata_props}


def array(tensor: TensorProto) -> NDArray[Any]:
    """The numbers of a tensor that `load` has checked."""
    return np.asarray(onnx().numpy_helper.to_array(tensor))


def _check_lengths(content: memoryview) -> None:
    """Hold every announced length against the bytes there are, and the bytes of structure against their bound."""
    structure, waiting, parts = 0, [("model", 0, len(content))], 0
    while waiting:
        message, start, end = waiting.pop()
        for number, first, last in _fields(content, start, end):
            inner = _WAY[message].get(number) if first < last else None
            parts += 1
            if inner is None:
                structure += last - first
            elif inner != "numbers":
                waiting.append((inner, first, last))
            if structure + 2 * parts > MOST_STRUCTURE or parts > MOST_PARTS:
                expected = f"at most {MOST_STRUCTURE} bytes in {MOST_PARTS} fields besides the numbers of tensors"
                do = "Weights belong into initializers as raw data, as all exporters write them."
                raise ConversionError(field_error("The file", expected, f"{structure} in {parts} so far", do))


def _fields(content: memoryview, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """The fields of a message: number, and where the bytes of a length-delimited one begin and end."""
    at = start
    while at < end:
        key, at = _varint(content, at, end)
        first, kind = at, key & 7
        if kind == 0:
            _, at = _varint(content, at, end)
        elif kind == 2:
            length, first = _varint(content, at, end)
            at = first + length
        elif kind in (1, 5):
            at += 8 if kind == 1 else 4
        else:
            raise ConversionError(f"It is no ONNX file: at byte {first}, a field of the unknown wire type {kind}.")
        if at > end:
            raise ConversionError(
                f"The file is truncated, or no ONNX file: {at - first} bytes are announced at byte {first}, and "
                f"{end - first} are left. Copy or export it again."
            )
        yield key >> 3, first if kind == 2 else at, at


def _varint(content: memoryview, at: int, end: int) -> tuple[int, int]:
    value = 0
    for place in range(10):
        if at + place >= end:
            raise ConversionError(f"The file is truncated, or no ONNX file: it ends within a number at byte {at}.")
        byte = content[at + place]
        value |= (byte & 127) << 7 * place
        if byte < 128:
            return value, at + place + 1
    raise ConversionError(f"It is no ONNX file: a number without end at byte {at}.")


def _check_model(model: ModelProto) -> None:
    if not model.graph.node or not model.opset_import:
        raise ConversionError("It is no ONNX model: it has no nodes, or does not say its opset. Export it again.")
    newest = onnx().defs.onnx_opset_version()
    for opset in model.opset_import:
        if opset.domain in ("", "ai.onnx") and not OLDEST_OPSET <= opset.version <= newest:
            do = "Export it again with opset_version=17, or use onnx.version_converter.convert_version(model, 17)."
            raise ConversionError(field_error("Opset", f"{OLDEST_OPSET} to {newest}", opset.version, do))
    if model.functions:
        names = [function.name for function in model.functions]
        do = "Save onnx.inliner.inline_local_functions(model) instead."
        raise ConversionError(field_error("Functions of its own", "none", names, do))
    if model.graph.sparse_initializer:
        raise ConversionError("It has sparse initializers. Export the weights as dense ones.")


def check_names(graph: GraphProto, more: Iterable[str] = ()) -> None:
    """Raise `ConversionError` if a name, in a graph or another, is no text: it comes as bytes where it is no UTF-8."""
    named = [*graph.input, *graph.output, *graph.initializer, *graph.node, *tensors(graph)]
    names = {*(thing.name for thing in named), *more}
    names.update(dim.dim_param for value in graph.input for dim in value.type.tensor_type.shape.dim)
    for node in graph.node:
        names.update(node.input, node.output, (node.op_type, node.domain), (a.name for a in node.attribute))
    wrong = [name for name in names if not isinstance(name, str)]
    if wrong:
        raise ConversionError(field_error("Names", "texts in UTF-8", wrong[0], "The file is damaged: export it again."))


def tensors(graph: GraphProto) -> Iterator[TensorProto]:
    """All tensors of a graph, but for those of branches within it."""
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors


def check_tensor(tensor: TensorProto) -> None:
    """Hold what a tensor claims against what it brings, before an array is made of it."""
    proto, where = onnx().TensorProto, f"Tensor {tensor.name!r}"
    if tensor.data_location == proto.EXTERNAL or tensor.external_data:
        raise ConversionError(
            f"{where} lies in another file, which is not read. Save all in one: torch.onnx.export(..., "
            "external_data=False), or onnx.save_model(model, path, save_as_external_data=False)."
        )
    kind = proto.DataType.Name(tensor.data_type) if tensor.data_type in proto.DataType.values() else tensor.data_type
    if kind not in (*_KINDS, "STRING"):  # texts are names of classes, which no layer reads
        raise ConversionError(field_error(f"{where} type", f"one of {', '.join(_KINDS)}", kind, "Export as float32."))
    values = math.prod(tensor.dims)
    if min(tensor.dims, default=0) < 0 or values > MOST_VALUES:
        claim = f"{list(tensor.dims)}, {values} values"
        raise ConversionError(field_error(f"{where} shape", f"at most {MOST_VALUES} values", claim))
    if tensor.HasField("raw_data"):
        width = onnx().helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
        claimed, brought = values * width, len(tensor.raw_data)
    else:
        field = onnx().helper.tensor_dtype_to_field(tensor.data_type)
        claimed, brought = values, len(getattr(tensor, field))
    if claimed != brought:
        unit = "bytes" if tensor.HasField("raw_data") else "numbers"
        expected = f"{claimed} {unit}, as its shape {list(tensor.dims)} says"
        raise ConversionError(field_error(where, expected, f"{brought} {unit}", "Export it again."))
