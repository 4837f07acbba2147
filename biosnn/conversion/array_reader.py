"""A network from named arrays (``.npz``, ``.safetensors``) and a TOML that says what layers they belong to.

The format is described in docs/import-a-network.md. Nothing is unpickled, and the size of an array is looked at before
it is read.
"""

from __future__ import annotations

import math
import tomllib
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn import archive
from biosnn.conversion.described import described
from biosnn.conversion.extra import imported
from biosnn.conversion.graph import Graph
from biosnn.conversion.layers import MOST_VALUES
from biosnn.errors import ConversionError, field_error, unknown

MOST_TEXT = 2**20
"""How long a description may be."""
MOST_BYTES = 2**32
"""How long a file of arrays may be; of its arrays only those that the description names are read."""


def read_arrays(path: Path) -> Graph:
    """Read a network from a description and the arrays beside it.

    Parameters
    ----------
    path : Path
        The description (``.toml``), or the file of arrays whose description has the same name with ``.toml``.

    Returns
    -------
    Graph
        Its layers, normalisations folded.

    Raises
    ------
    ConversionError
        If a file is missing, damaged or too large, the description has what is not known, or arrays do not fit.
    MissingExtraError
        If the arrays are in the format of safetensors, which is not installed.
    """
    text = path.with_suffix(".toml")
    try:
        description = _description(text)
        arrays = path if path.suffix != ".toml" else text.with_name(_file_name(description))
        with _opened(arrays) as found:
            return described(description, found)
    except ConversionError as problem:
        raise ConversionError(f"{text}: {problem}") from None


@dataclass(frozen=True)
class Arrays(Mapping[str, NDArray[Any]]):
    """Arrays of a file, each read when it is asked for.

    Parameters
    ----------
    file : str
        What to call the file in a message.
    names : frozenset of str
        The arrays there are.
    read : function
        Reads one, after its size has been looked at.
    """

    file: str
    names: frozenset[str]
    read: Callable[[str], NDArray[Any]]

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name not in self.names:
            raise ConversionError(f"{self.file}: {unknown('array', name, self.names)}")
        return self.read(name)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self.names))

    def __len__(self) -> int:
        return len(self.names)


def _description(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            content = file.read(MOST_TEXT + 1)
    except OSError:
        do = "It says what layers the arrays belong to; docs/import-a-network.md shows one."
        raise ConversionError(f"there is no description of that name. {do}") from None
    if len(content) > MOST_TEXT:
        raise ConversionError(field_error("description", f"at most {MOST_TEXT} bytes", "more"))
    try:
        return tomllib.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as problem:
        raise ConversionError(f"it is no TOML: {problem}") from None


def _file_name(description: dict[str, Any]) -> str:
    name = description.get("arrays")
    if not isinstance(name, str) or Path(name).name != name or Path(name).suffix not in _READERS:
        expected = f"the name of a file beside it, ending in {' or '.join(_READERS)}"
        raise ConversionError(field_error("arrays", expected, name))
    return name


@contextmanager
def _opened(path: Path) -> Iterator[Arrays]:
    try:
        size = path.stat().st_size
    except OSError:
        raise ConversionError(f"there is no file {path.name} beside it.") from None
    if size > MOST_BYTES:
        raise ConversionError(field_error(path.name, f"at most {MOST_BYTES} bytes", size))
    with _READERS[path.suffix](path) as arrays:
        yield arrays


@contextmanager
def _npz(path: Path) -> Iterator[Arrays]:
    try:
        with zipfile.ZipFile(path) as opened:
            names = frozenset(n.removesuffix(".npy") for n in opened.namelist() if n.endswith(".npy"))
            yield Arrays(path.name, names, lambda name: _member(opened, f"{path.name}: array {name!r}", f"{name}.npy"))
    except ConversionError:
        raise
    # What zipfile and NumPy raise for files that are damaged, encrypted, or compressed in ways they do not know.
    except (OSError, ValueError, zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as problem:
        raise ConversionError(f"{path.name} cannot be read as an npz archive: {problem}. Save it again.") from None


def _member(opened: zipfile.ZipFile, where: str, member: str) -> NDArray[Any]:
    shape, dtype, _ = archive.head(opened, where, member, ConversionError)
    _check_size(where, shape, dtype.name)
    return np.asarray(archive.numbers(opened, where, member, ConversionError))


@contextmanager
def _safetensors(path: Path) -> Iterator[Arrays]:
    library = imported("safetensors")
    try:
        with library.safe_open(path, framework="numpy") as file:
            where = f"{path.name}: array "
            yield Arrays(path.name, frozenset(file.keys()), lambda name: _tensor(file, f"{where}{name!r}", name))
    except (library.SafetensorError, OSError, ValueError) as problem:
        if isinstance(problem, ConversionError):
            raise
        raise ConversionError(f"{path.name} cannot be read as safetensors: {problem}. Save it again.") from None


def _tensor(file: Any, where: str, name: str) -> NDArray[Any]:
    part = file.get_slice(name)
    if part.get_dtype() not in _DTYPES:
        do = "Save the weights as float32: tensor.float()."
        raise ConversionError(field_error(where, f"one of {', '.join(_DTYPES)}", part.get_dtype(), do))
    _check_size(where, part.get_shape(), part.get_dtype())
    return np.asarray(file.get_tensor(name))


_DTYPES = ("F64", "F32", "F16", "I64", "I32", "I16", "I8", "U8")


def _check_size(where: str, shape: tuple[int, ...] | list[int], kind: str) -> None:
    if not 0 < math.prod(shape) <= MOST_VALUES:
        raise ConversionError(field_error(where, f"1 to {MOST_VALUES} numbers", f"{kind} {tuple(shape)}"))


_READERS = {".npz": _npz, ".safetensors": _safetensors}
