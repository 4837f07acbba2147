"""Rows of different lengths in an HDF5 file, of which HDF5 itself reads nothing but where they lie.

HDF5 keeps such a row in a heap, and in its place how long it is and where. It trusts both. Here each is held against
the heaps before any memory is taken, and rows are cut out of the file by their bytes.
"""

from __future__ import annotations

import math
import mmap
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn import files
from biosnn.display import Brief
from biosnn.errors import DataError, field_error
from biosnn.optional_dependencies import imported

MOST_BYTES = 2**33
"""How long a file may be."""
MOST_ROWS = 2**20
"""How many rows an array may have."""
_DEFLATE, _SHUFFLE = 1, 2  # as HDF5 numbers its filters
_PLACE = np.dtype([("length", "<u4"), ("heap", "<u8"), ("number", "<u4")])
_AGAIN = "Copy it again."


@dataclass(frozen=True)
class Ragged(Brief):
    """What a file has: rows by their names, each as values and where each row begins; and a column of whole numbers."""

    rows: dict[str, tuple[NDArray[Any], NDArray[np.int64]]]
    column: NDArray[Any]


def read_ragged(path: Path, rows: tuple[str, ...], column: str, do: str) -> Ragged:
    """Read arrays of rows of numbers, and one of whole numbers.

    Parameters
    ----------
    path : Path
        The file.
    rows : tuple of str
        The arrays whose elements are rows.
    column : str
        The array of whole numbers.
    do : str
        What the file should be, for messages.

    Raises
    ------
    DataError
        If the file is missing, damaged or too large, or an array is missing, elsewhere, or something else.
    MissingExtraError
        If h5py is not installed.
    """
    h5py = imported("h5py")
    size = files.check_plain(path, DataError)
    if not 0 < size <= MOST_BYTES:
        raise DataError(field_error(f"{path}: its size", f"1 to {MOST_BYTES} bytes", size))
    with (
        files.reading(path, DataError, "an HDF5 file: it is truncated or damaged", do),
        files.opened(path, DataError) as opened,
        mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        if content[:8] != b"\x89HDF\r\n\x1a\n":
            raise DataError(f"{path}: it is no HDF5 file. {do}")
        with h5py.File(path, "r") as file:
            if file.id.get_create_plist().get_sizes() != (8, 8):
                raise DataError(field_error(str(path), "addresses of 8 bytes", "others", "Write it with h5py."))
            found = _Content(h5py, path, content, do)
            made = {name: found.rows(found.array(file, name)) for name in rows}
            return Ragged(made, found.column(found.array(file, column)))


class _Content:
    """The bytes of a file."""

    def __init__(self, h5py: Any, path: Path, content: mmap.mmap, do: str) -> None:
        self.h5py, self.path, self.content, self.do = h5py, path, content, do
        self.taken = 0
        self.heaps: dict[int, dict[int, tuple[int, int]]] = {}

    def array(self, file: Any, name: str) -> Any:
        """An array in the file itself, with one axis."""
        place, where = file, f"{self.path}: {name}"
        for part in name.split("/"):
            link = place.get(part, getlink=True) if isinstance(place, self.h5py.Group) else None
            if not isinstance(link, self.h5py.HardLink):
                raise DataError(field_error(where, "an array in the file", type(link).__name__, self.do))
            place = place.get(part)
        if not isinstance(place, self.h5py.Dataset) or place.shape is None or place.ndim != 1:
            raise DataError(field_error(where, "an array with one axis", f"{place}", self.do))
        if place.external or place.is_virtual or not 0 < len(place) <= MOST_ROWS:
            expected = f"1 to {MOST_ROWS} examples, in the file itself"
            raise DataError(field_error(where, expected, f"{len(place)}", self.do))
        return place

    def column(self, array: Any) -> NDArray[Any]:
        where = f"{self.path}: {array.name}"
        if array.dtype.kind not in "iu" or array.dtype.itemsize != array.id.get_type().get_size():
            raise DataError(field_error(where, "whole numbers", str(array.dtype), self.do))
        return np.frombuffer(self._bytes(array, array.dtype.itemsize), array.dtype)

    def rows(self, array: Any) -> tuple[NDArray[Any], NDArray[np.int64]]:
        where, kind = f"{self.path}: {array.name}", self.h5py.check_vlen_dtype(array.dtype)
        if not isinstance(kind, np.dtype) or kind.kind not in "iuf" or kind.itemsize > 8:
            raise DataError(field_error(where, "a row of numbers for each example", str(array.dtype), self.do))
        places = np.frombuffer(self._bytes(array, _PLACE.itemsize), _PLACE)
        ends = np.concatenate(([0], np.cumsum(places["length"], dtype=np.int64)))
        self._take(where, int(ends[-1]) * kind.itemsize)
        values = np.empty(int(ends[-1]), kind)
        for k, (length, heap, number) in enumerate(places.tolist()):
            if length:
                begin, size = self._heap(where, heap).get(number, (0, -1))
                if size != length * kind.itemsize:
                    got = f"{size} bytes" if size >= 0 else "nothing"
                    raise DataError(field_error(f"{where}[{k}]", f"{length} numbers of {kind}", got, _AGAIN))
                values[ends[k] : ends[k + 1]] = np.frombuffer(self.content, kind, length, begin)
        return values, ends

    def _heap(self, where: str, at: int) -> dict[int, tuple[int, int]]:
        """Where the objects of a heap begin, and their sizes, by their numbers."""
        if at in self.heaps:
            return self.heaps[at]
        content, objects = self.content, {}
        end = at + int.from_bytes(content[at + 8 : at + 16], "little") if 0 <= at <= len(content) - 16 else -1
        sound = 0 <= end <= len(content) and content[at : at + 5] == b"GCOL\x01"
        place = at + 16
        while sound and place + 16 <= end:
            number = int.from_bytes(content[place : place + 2], "little")
            size = int.from_bytes(content[place + 8 : place + 16], "little")
            if number == 0:  # what is free, to the end
                break
            sound = place + 16 + size <= end
            objects[number] = (place + 16, size)
            place += 16 + -(-size // 8) * 8
        if not sound:
            raise DataError(f"{where}: the heap at byte {at} is damaged. {_AGAIN}")
        self.heaps[at] = objects
        return objects

    def _take(self, where: str, size: int) -> None:
        self.taken += size
        files.check_size(where, self.taken, len(self.content), DataError)

    def _bytes(self, array: Any, itemsize: int) -> bytes:
        """What is stored of an array, unpacked."""
        where, size = f"{self.path}: {array.name}", len(array) * itemsize
        self._take(where, size)
        if array.chunks is None:
            at = array.id.get_offset()
            if at is None or at + size > len(self.content):
                raise DataError(field_error(where, f"{size} bytes in the file", "fewer", _AGAIN))
            return self.content[at : at + size]
        plan = array.id.get_create_plist()
        filters = [plan.get_filter(number)[0] for number in range(plan.get_nfilters())]
        if filters not in ([], [_DEFLATE], [_SHUFFLE], [_SHUFFLE, _DEFLATE]):
            # Others may be plug-ins, which HDF5 would load and run.
            raise DataError(field_error(where, "arrays compressed by gzip or not at all", filters))
        step = math.prod(array.chunks)
        self._take(where, step * itemsize)
        found = bytearray()
        for begin in range(0, len(array), step):
            found += self._piece(where, array.id.get_chunk_info_by_coord((begin,)), filters, step, itemsize)
        return bytes(found[:size])

    def _piece(self, where: str, piece: Any, filters: list[int], step: int, itemsize: int) -> bytes:
        size = step * itemsize
        if piece.byte_offset is None or piece.byte_offset + piece.size > len(self.content):
            raise DataError(field_error(where, "all of its pieces in the file", "fewer", _AGAIN))
        packed = self.content[piece.byte_offset : piece.byte_offset + piece.size]
        used = [each for k, each in enumerate(filters) if not piece.filter_mask >> k & 1]
        if _DEFLATE in used:
            packed = zlib.decompressobj().decompress(packed, size + 1)
        if len(packed) != size:
            raise DataError(field_error(where, f"pieces of {size} bytes", len(packed), _AGAIN))
        if _SHUFFLE in used:
            packed = np.frombuffer(packed, np.uint8).reshape(itemsize, step).T.tobytes()
        return packed
