"""Named arrays with units, and texts, in one ``.npz`` file that anybody's NumPy or unzip can read. Nothing is pickled.

What the arrays are (unit, shape, type) stands as *entries* in a JSON text that whoever writes the file keeps, beside it
or in it. Reading holds each array against its entry before any memory is taken for it.
"""

from __future__ import annotations

import math
import os
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from brian2.units.fundamentalunits import Quantity, get_dimensions

from biosnn.errors import BiosnnError, field_error
from biosnn.quantity import parse_unit, unit_text

_HEADER = 4096  # bytes that the head of an array may take, at most


def entries(arrays: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What is to be known of each array: unit, shape, type of the elements, and the name of its member in the file."""
    found = {}
    for name, array in arrays.items():
        plain, unit = np.asarray(array), unit_text(get_dimensions(array))
        found[name] = {"unit": unit, "shape": list(plain.shape), "dtype": plain.dtype.str, "key": name}
    return found


def write(path: Path, arrays: Mapping[str, Any], texts: Mapping[str, str] | None = None) -> None:
    """Write arrays, as ``NAME.npy``, and texts, by their names, into a file, whole or not at all."""
    # By hand, since `numpy.savez` takes no array of the name "file" and no text, and would pickle objects.
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for name, text in (texts or {}).items():
                archive.writestr(name, text)
            for name, array in arrays.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, np.asarray(array), allow_pickle=False)  # type: ignore[no-untyped-call]
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def read_texts(path: Path, error: type[BiosnnError], limit: int) -> dict[str, str]:
    """The texts of a file: all members but arrays.

    Raises
    ------
    error
        If it is no such file, or a text is longer than ``limit`` bytes.
    """
    with _opened(path, error) as archive:
        found = {}
        for info in archive.infolist():
            if not info.filename.endswith(".npy"):
                if info.file_size > limit:
                    where = f"{path}: {info.filename}"
                    raise error(field_error(where, f"a text of at most {limit} bytes", info.file_size))
                found[info.filename] = archive.read(info).decode("utf-8")
        return found


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
    with _opened(path, error) as archive:
        return {name: _read_array(f"{where} arrays[{name!r}]", archive, entry, error) for name, entry in wanted.items()}


@contextmanager
def _opened(path: Path, error: type[BiosnnError]) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except FileNotFoundError:
        raise error(f"{path}: no such file.") from None
    except BiosnnError:
        raise
    except (OSError, ValueError, zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as problem:
        raise error(f"{path}: cannot be read as an npz archive: {problem}") from None


def _read_array(where: str, archive: zipfile.ZipFile, entry: Any, error: type[BiosnnError]) -> Any:
    key, unit, shape, dtype = _fields(where, entry, error)
    if f"{key}.npy" not in archive.namelist():
        raise error(f"{where}: the archive has no array {key!r}.")
    size = archive.getinfo(f"{key}.npy").file_size
    if not 0 <= size - int(np.prod(shape, dtype=object)) * dtype.itemsize <= _HEADER:
        raise error(field_error(where, f"{dtype} of the shape {shape}", f"{size} bytes"))
    brought, kind, _ = head(archive, where, f"{key}.npy", error)
    if (brought, kind) != (tuple(shape), dtype):
        raise error(field_error(where, f"shape and dtype {(tuple(shape), dtype.str)}", (brought, kind.str)))
    array = numbers(archive, where, f"{key}.npy", error)
    try:
        dimensions = get_dimensions(parse_unit(unit))
    except BiosnnError as problem:
        raise error(f"{where} unit: {problem}") from None
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
        If it is of a version that is not read, or has objects in it.
    ValueError
        If it is no array.
    """
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)  # type: ignore[no-untyped-call]
        read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}.get(version)
        if read is None:
            raise error(field_error(where, "an array of version 1 or 2", version))
        shape, _, dtype = read(file)  # type: ignore[no-untyped-call]
        brought = archive.getinfo(member).file_size - file.tell()
    if dtype.hasobject:
        do = "Objects are pickled, and loading them could run any code. Save arrays of numbers, all of one shape."
        raise error(field_error(where, "numbers", f"objects, of the shape {shape}", do))
    return shape, dtype, brought


def numbers(archive: zipfile.ZipFile, where: str, member: str, error: type[BiosnnError]) -> Any:
    """An array that is a member of an archive, whose `head` has been looked at.

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
        return np.lib.format.read_array(file, allow_pickle=False)  # type: ignore[no-untyped-call]


def _fields(where: str, entry: Any, error: type[BiosnnError]) -> tuple[str, str, list[int], np.dtype[Any]]:
    fields = {"key": str, "unit": str, "shape": list, "dtype": str}
    if not isinstance(entry, dict) or any(not isinstance(entry.get(name), kind) for name, kind in fields.items()):
        raise error(field_error(where, f"the fields {', '.join(fields)}", entry))
    if any(isinstance(n, bool) or not isinstance(n, int) or n < 0 for n in entry["shape"]):
        raise error(field_error(f"{where} shape", "whole numbers, not negative", entry["shape"]))
    try:
        dtype = np.dtype(entry["dtype"])
    except TypeError:
        raise error(field_error(f"{where} dtype", "a type of NumPy's", entry["dtype"])) from None
    if dtype.kind not in "biufcU":
        raise error(field_error(f"{where} dtype", "numbers, booleans or texts", entry["dtype"]))
    return entry["key"], entry["unit"], entry["shape"], dtype
