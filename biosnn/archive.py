"""Named arrays with units, and texts, in one ``.npz`` file that anybody's NumPy or unzip can read. Nothing is pickled.

What the arrays are (unit, shape, type) stands as *entries* in a JSON text that whoever writes the file keeps, beside it
or in it. Reading holds each array against its entry before any memory is taken for it.
"""

from __future__ import annotations

import math
import os
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from brian2.units.fundamentalunits import Quantity, get_dimensions

from biosnn import codec, files
from biosnn.errors import BiosnnError, field_error
from biosnn.quantity import parse_unit, unit_text
from biosnn.writing import replaced

_MOST_MEMBERS = 10_000
_KINDS = "biufcU"  # of numbers, booleans and texts, as NumPy calls them
_EXPECTED, _AGAIN = "an npz archive", "Copy it again, or make it anew."


def entries(arrays: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What is to be known of each array: unit, shape, type of the elements, and the name of its member in the file."""
    entries_by_name = {}
    for name, array in arrays.items():
        plain, unit = np.asarray(array), unit_text(get_dimensions(array))
        entries_by_name[name] = {"unit": unit, "shape": list(plain.shape), "dtype": plain.dtype.str, "key": name}
    return entries_by_name


def write(
    path: Path, arrays: Mapping[str, Any], texts: Mapping[str, str] | None = None, *, atomic: bool = True
) -> None:
    """Write arrays, as ``NAME.npy``, and texts, by their names, into a file.

    It is written whole or not at all, but with ``atomic=False``, which is for a folder that is itself so.
    """
    place = replaced(path) if atomic else nullcontext(path)
    # By hand, since `numpy.savez` takes no array of the name "file" and no text, and would pickle objects.
    with place as new, zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, text in (texts or {}).items():
            archive.writestr(name, text)
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asarray(array), allow_pickle=False)  # type: ignore[no-untyped-call, unused-ignore]


@contextmanager
def opened(path: Path, error: type[BiosnnError], expected: str, do: str = "") -> Iterator[zipfile.ZipFile]:
    """Open an archive whose members are still to be looked at; see `files.reading` for what is raised.

    Parameters
    ----------
    path : Path
        The file.
    error : type
        Of the exception to raise.
    expected : str
        What it should be.
    do : str
        What to do about one that is damaged.
    """
    boundary = files.reading(path, error, expected, do)
    with files.opened(path, error) as file, boundary, zipfile.ZipFile(file) as archive:
        if len(archive.infolist()) > _MOST_MEMBERS:
            raise error(field_error(str(path), f"at most {_MOST_MEMBERS} members", len(archive.infolist()), do))
        yield archive


def check_members(archive: zipfile.ZipFile, path: Path, error: type[BiosnnError], names: Iterable[str]) -> None:
    """Hold what members claim to become in all against the file and the memory there is (`files.check_size`).

    Raises
    ------
    error
        If that is too much, or one is packed in a way whose size is known only afterwards.
    """
    wanted = [archive.getinfo(name) for name in set(names)]
    for info in wanted:
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            expected = "a member that is deflated or not compressed, as NumPy writes them"
            raise error(field_error(f"{path}: {info.filename}", expected, f"method {info.compress_type}"))
    assert archive.fp is not None
    stored = os.fstat(archive.fp.fileno()).st_size
    files.check_size(path, sum(info.file_size for info in wanted), stored, error)


def read_texts(path: Path, error: type[BiosnnError], limit: int) -> dict[str, str]:
    """The texts of a file: all members but arrays.

    Raises
    ------
    error
        If it is no such file, or the texts have more than ``limit`` bytes in all.
    """
    with opened(path, error, _EXPECTED, _AGAIN) as archive:
        members = [info for info in archive.infolist() if not info.filename.endswith(".npy")]
        check_members(archive, path, error, (info.filename for info in members))
        size = sum(info.file_size for info in members)
        if size > limit:
            names = ", ".join(info.filename for info in members[:3])
            raise error(field_error(f"{path}: {names}", f"texts of at most {limit} bytes in all", size))
        texts = {}
        for info in members:
            with files.reading(f"{path}: {info.filename}", error, "a text in UTF-8", _AGAIN):
                texts[info.filename] = _content(archive, info).decode("utf-8")
        return texts


def _content(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """A member, of which no more is unpacked than it claims, and one byte; that it is whole, its checksum tells."""
    with archive.open(info) as file:
        return file.read(info.file_size + 1)


def read_arrays(path: Path, where: str, wanted: Mapping[str, Any], error: type[BiosnnError]) -> dict[str, Any]:
    """The arrays of a file, as quantities where they have a unit.

    Parameters
    ----------
    path : Path
        The file.
    where : str
        What to call the place of the entries in a message.
    wanted : mapping
        Their entries, as `entries` gives them, which come from a stranger's file.
    error : type
        Of the exception to raise.

    Raises
    ------
    error
        If the file cannot be read, an entry makes no sense, or an array is not what its entry says.
    """
    if not isinstance(wanted, Mapping):
        raise error(field_error(f"{where} arrays", "an entry for each array, by name", type(wanted).__name__))
    with opened(path, error, _EXPECTED, _AGAIN) as archive:
        there = set(archive.namelist())
        entries_by_name: dict[str, _Entry] = {}
        for name, entry in wanted.items():
            entries_by_name[name] = codec.made(_Entry, entry, f"{where} arrays[{name!r}]", error, ignore_unknown=True)
        if len({entry.member for entry in entries_by_name.values()}) < len(entries_by_name):
            raise error(field_error(f"{where} arrays", "a key of its own for each", sorted(entries_by_name)))
        check_members(archive, path, error, {entry.member for entry in entries_by_name.values()} & there)
        return {
            name: _read_array(f"{where} arrays[{name!r}]", archive, entry, error)
            for name, entry in entries_by_name.items()
        }


def _read_array(where: str, archive: zipfile.ZipFile, entry: _Entry, error: type[BiosnnError]) -> Any:
    if entry.member not in archive.namelist():
        raise error(f"{where}: the archive has no array {entry.key!r}.")
    with files.reading(f"{where} unit", error, "a unit"):
        dimensions = get_dimensions(parse_unit(entry.unit))
    with files.reading(where, error, "an array", _AGAIN):
        brought, kind, _ = head(archive, where, entry.member, error)
        if (brought, kind.str) != (entry.shape, entry.dtype):
            raise error(field_error(where, f"shape and dtype {(entry.shape, entry.dtype)}", (brought, kind.str)))
        array = numbers(archive, where, entry.member, error)
        return array if dimensions.is_dimensionless else Quantity(array, dim=dimensions)


def head(archive: zipfile.ZipFile, where: str, member: str, error: type[BiosnnError]) -> tuple[Any, Any, int]:
    """The shape, type and bytes of an array that is a member of an archive, before memory is taken for it.

    Parameters
    ----------
    archive : ZipFile
        The archive, open.
    where : str
        What to call the array in a message.
    member : str
        Its name, ``NAME.npy``.
    error : type
        Of the exception to raise.

    Raises
    ------
    error
        If it is no array, is of a version that is not read, or has objects in it.
    """
    with files.reading(where, error, "an array as NumPy saves it", _AGAIN), archive.open(member) as file:
        version = np.lib.format.read_magic(file)  # type: ignore[no-untyped-call, unused-ignore]
        read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}.get(version)
        if read is None:
            raise error(field_error(where, "an array of version 1 or 2", version))
        shape, _, dtype = read(file)  # type: ignore[no-untyped-call, unused-ignore]
        brought = archive.getinfo(member).file_size - file.tell()
    if dtype.hasobject:
        do = "Objects are pickled, and loading them could run any code. Save arrays of numbers, all of one shape."
        raise error(field_error(where, "numbers", f"objects, of the shape {shape}", do))
    if dtype.kind not in _KINDS or not dtype.itemsize:
        raise error(field_error(where, "numbers, booleans or texts", f"{dtype} {shape}"))
    return shape, dtype, brought


def numbers(archive: zipfile.ZipFile, where: str, member: str, error: type[BiosnnError]) -> Any:
    """An array that is a member of an archive, which `check_members` has looked at.

    Raises
    ------
    error
        If there are not as many bytes as its shape says.
    """
    shape, dtype, brought = head(archive, where, member, error)
    size = math.prod(shape) * dtype.itemsize
    if size != brought:
        raise error(
            field_error(where, f"{size} bytes, as its shape {shape} says", f"{brought} bytes", "Save it again.")
        )
    with archive.open(member) as file:
        array = np.lib.format.read_array(file, allow_pickle=False)  # type: ignore[no-untyped-call, unused-ignore]
        file.read(1)  # the end, at which the checksum is looked at
        return array


@dataclass(frozen=True)
class _Entry:
    """What is said of an array: see `entries`."""

    unit: str
    shape: tuple[int, ...]
    dtype: str
    key: str

    @property
    def member(self) -> str:
        return f"{self.key}.npy"
