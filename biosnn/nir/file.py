"""The content of an NIR file (HDF5), as texts and arrays in tables; its sizes are looked at before memory is taken.

The library ``nir`` reads a file as a whole before it looks at it. Here every object is looked at first: it must lie in
the file itself, once, and say how large it is; and what is compressed must not become larger than that.
"""

from __future__ import annotations

import math
import mmap
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from biosnn import files
from biosnn.ann.layers import MOST_VALUES
from biosnn.errors import ConversionError, field_error
from biosnn.optional_dependencies import imported

Table: TypeAlias = dict[str, Any]
"""Names to texts, arrays, lists of pairs of texts, or tables."""

MOST_BYTES = 2**32
"""How long a file may be."""
MOST_OBJECTS = 200_000
"""How many groups and arrays may be in it; that is some 20,000 nodes."""
MOST_TEXT = 4096
"""How long a text in it may be."""
DEEPEST = 32
"""How many groups may lie in one another."""
_DEFLATE, _SHUFFLE = 1, 2  # as HDF5 numbers its filters
_HEAP = b"GCOL\x01\0\0\0"  # how HDF5's collections of texts begin
_AGAIN = "Copy it again, or write it again with nir.write."


def is_nir(path: Path) -> bool:
    """Whether an HDF5 file has what NIR files have at the top: a node."""
    h5py = imported("h5py")
    try:
        with files.reading(path, ConversionError, "an NIR file"), h5py.File(path, "r") as file:
            return "node" in file and "version" in file
    except ConversionError:
        return False


def load(path: Path) -> Table:
    """Read the root node of a file.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    dict
        As the library's ``to_dict`` has it, with lists of edges as lists of pairs.

    Raises
    ------
    ConversionError
        If it is no HDF5 file, truncated or damaged; if it is too large, or claims to be; or if a part of it is a link,
        lies elsewhere, or is neither numbers nor text.
    MissingExtraError
        If h5py is not installed.
    """
    h5py = imported("h5py")
    size = files.check_plain(path, ConversionError)
    if size > MOST_BYTES:
        raise ConversionError(field_error("its size", f"at most {MOST_BYTES} bytes", size))
    with files.opened(path, ConversionError) as opened:
        if not opened.read(8).startswith(b"\x89HDF"):
            raise ConversionError(f"it is no HDF5 file, as nir.write makes them. {_AGAIN}")
    _check_heaps(path)
    with (
        files.reading(path, ConversionError, "an NIR file: it is truncated or damaged", _AGAIN),
        h5py.File(path, "r") as file,
    ):
        root = _child(h5py, file, "node", "/node")
        if not isinstance(root, h5py.Group):
            raise ConversionError(f"/node: it has no group of this name, as NIR files have. {_AGAIN}")
        look = _Look(h5py, size)
        look.table(root, "/node", 0)
        files.check_size(path, look.bytes, size, ConversionError, _AGAIN)
        return _table(h5py, root)


def _check_heaps(path: Path) -> None:
    """Make sure that the heaps of texts end: HDF5 goes through one for ever in which an object has no size."""
    with (
        files.opened(path, ConversionError) as opened,
        mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        heap = content.find(_HEAP)
        while heap >= 0:
            place, end = heap + 16, heap + int.from_bytes(content[heap + 8 : heap + 16], "little")
            sound = end <= len(content)
            while sound and place + 16 <= end:
                number, size = (int.from_bytes(content[place + a : place + b], "little") for a, b in ((0, 2), (8, 16)))
                step = 16 + -(-size // 8) * 8 if number else size  # what is free, the last one, counts its own head
                sound = 16 <= step <= end - place
                place += step
            if not sound:
                raise ConversionError(f"it is truncated or damaged: the texts at byte {heap}. {_AGAIN}")
            heap = content.find(_HEAP, heap + 4)


class _Look:
    """Goes through all objects, and reads no data but compressed ones, piece by piece."""

    def __init__(self, h5py: Any, size: int) -> None:
        self.h5py, self.size = h5py, size
        self.objects, self.values, self.bytes = 0, 0, 0

    def table(self, group: Any, where: str, depth: int) -> None:
        if depth > DEEPEST:
            raise ConversionError(field_error(where, f"at most {DEEPEST} groups in one another", "more"))
        for name in group:
            place = f"{where}/{name}"
            self.objects += 1
            if self.objects > MOST_OBJECTS:
                raise ConversionError(field_error("/node", f"at most {MOST_OBJECTS} objects", "more"))
            child = _child(self.h5py, group, name, place)
            if isinstance(child, self.h5py.Group):
                self.table(child, place, depth + 1)
            elif isinstance(child, self.h5py.Dataset):
                self.array(child, place)
            else:
                raise ConversionError(field_error(place, "a group or an array", type(child).__name__))

    def array(self, array: Any, where: str) -> None:
        if array.external or array.is_virtual:
            raise ConversionError(field_error(where, "numbers in the file itself", "an array in another file", _AGAIN))
        text = self.h5py.check_string_dtype(array.dtype) is not None
        if not text and (array.dtype.kind not in "fiub" or array.dtype.itemsize > 16):
            do = "Objects are not read: they could run any code, or lead anywhere."
            raise ConversionError(field_error(where, "numbers or text", str(array.dtype), do))
        if array.shape is None:
            raise ConversionError(field_error(where, "numbers or text", "nothing"))
        count = math.prod(array.shape)
        self.values += count
        self.bytes += count * array.dtype.itemsize
        if not 0 < count <= MOST_VALUES or (text and count > MOST_OBJECTS):
            most = MOST_OBJECTS if text else MOST_VALUES
            raise ConversionError(field_error(where, f"1 to {most} values", f"{array.dtype} {array.shape}"))
        if self.values > MOST_VALUES:
            raise ConversionError(field_error("/node", f"at most {MOST_VALUES} values in all arrays", "more"))
        if text and array.dtype.kind == "S" and array.dtype.itemsize > MOST_TEXT:
            raise ConversionError(field_error(where, f"texts of at most {MOST_TEXT} bytes", array.dtype.itemsize))
        if array.chunks is not None:
            self.pieces(array, where)

    def pieces(self, array: Any, where: str) -> None:
        """Make sure that each piece of an array becomes as large as it must, and not a thousand times that."""
        size = math.prod(array.chunks) * array.dtype.itemsize
        if size > 16 * MOST_VALUES or any(c > max(n, 1) for c, n in zip(array.chunks, array.shape, strict=True)):
            raise ConversionError(field_error(where, f"pieces no larger than {array.shape}", array.chunks, _AGAIN))
        plan = array.id.get_create_plist()
        filters = [plan.get_filter(number)[0] for number in range(plan.get_nfilters())]
        if filters not in ([], [_DEFLATE], [_SHUFFLE, _DEFLATE]):
            # Others may be plug-ins, which HDF5 would load and run.
            do = "Write it with nir.write(..., compression='gzip')."
            raise ConversionError(field_error(where, "arrays compressed by gzip or not at all", filters, do))
        for number in range(array.id.get_num_chunks()):
            piece = array.id.get_chunk_info(number)
            if piece.size > min(self.size, size + size // 100 + 1024):
                raise ConversionError(field_error(where, f"pieces of at most {size} bytes", piece.size, _AGAIN))
            skipped, packed = array.id.read_direct_chunk(piece.chunk_offset)
            if filters and not skipped:
                try:
                    unpacked = len(zlib.decompressobj().decompress(packed, size + 1))
                except zlib.error as problem:
                    raise ConversionError(f"{where}: it is damaged: {problem}. {_AGAIN}") from None
                if unpacked != size:
                    raise ConversionError(field_error(where, f"pieces of {size} bytes", unpacked, _AGAIN))


def _child(h5py: Any, group: Any, name: str, where: str) -> Any:
    link = group.get(name, getlink=True)
    if link is not None and not isinstance(link, h5py.HardLink):
        do = "Links may lead to other files. Write the network again with nir.write."
        raise ConversionError(field_error(where, "a part of the file", type(link).__name__, do))
    return group.get(name)


def _table(h5py: Any, group: Any) -> Table:
    table: Table = {}
    for name in group:
        child = group.get(name)
        table[name] = _table(h5py, child) if isinstance(child, h5py.Group) else _value(child[()])
    return table


def _value(value: Any) -> Any:
    """A text, pairs of texts, or an array."""
    if isinstance(value, bytes | str):
        return text_of(value)
    array = np.asarray(value)
    if array.dtype.kind in "OSU":
        return [[text_of(part) for part in row] if np.ndim(row) else text_of(row) for row in array]
    return array


def text_of(value: Any) -> str:
    """A text that a file has; `ConversionError` if it is none, or too long."""
    try:
        text = value.decode("utf-8") if isinstance(value, bytes) else value
    except UnicodeDecodeError:
        text = None
    if not isinstance(text, str) or len(text) > MOST_TEXT:
        raise ConversionError(field_error("a name", f"a text of at most {MOST_TEXT} characters", repr(value)[:80]))
    return text


def plain(node: Mapping[str, Any]) -> Table:
    """A table that the library's ``to_dict`` gives, in the form of `load`: without what is None."""
    texts_and_arrays: Table = {}
    for name, value in node.items():
        if isinstance(value, Mapping):
            texts_and_arrays[str(name)] = plain(value)
        elif isinstance(value, str | bytes):
            texts_and_arrays[str(name)] = text_of(value)
        elif name == "edges":
            texts_and_arrays[name] = [[text_of(end) for end in edge] for edge in value]
        elif value is not None:
            texts_and_arrays[str(name)] = np.asarray(value)
    return texts_and_arrays
