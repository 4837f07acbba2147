"""A network from named arrays (``.npz``, ``.safetensors``) and a TOML that says what layers they belong to.

The format is described in docs/import-a-network.md. Nothing is unpickled, and the size of an array is looked at before
it is read.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn import archive, files
from biosnn.ann.graph import Graph
from biosnn.ann.layers import MOST_VALUES
from biosnn.ann.readers.layer_description import described
from biosnn.display import Brief
from biosnn.errors import ConversionError, field_error, unknown
from biosnn.optional_dependencies import imported

MOST_TEXT = 2**20
"""How long a description may be."""
MOST_BYTES = 2**32
"""How long a file of arrays may be; of its arrays only those that the description names are read."""
_DESCRIPTION = "It says what layers the arrays belong to; docs/import-a-network.md shows one."


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
    if text != path and not text.exists():
        raise ConversionError(f"{path}: there is no description {text.name} beside it. {_DESCRIPTION}")
    with files.reading(text, ConversionError, "the description of a network"):
        description = _description(text)
        arrays = path if path.suffix != ".toml" else text.with_name(_file_name(description))
        with _opened(arrays) as opened:
            return described(description, opened)


@dataclass(frozen=True)
class Arrays(Brief, Mapping[str, NDArray[Any]]):
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
    text = files.read_text(path, ConversionError, MOST_TEXT, _DESCRIPTION)
    return files.parse_toml(path, text, ConversionError, _DESCRIPTION)


def _file_name(description: dict[str, Any]) -> str:
    name = description.get("arrays")
    if not isinstance(name, str) or Path(name).name != name or Path(name).suffix not in _READERS:
        expected = f"the name of a file beside it, ending in {' or '.join(_READERS)}"
        raise ConversionError(field_error("arrays", expected, name))
    return name


@contextmanager
def _opened(path: Path) -> Iterator[Arrays]:
    size = files.check_plain(path, ConversionError, "It is to lie beside the description.")
    if size > MOST_BYTES:
        raise ConversionError(field_error(path.name, f"at most {MOST_BYTES} bytes", size))
    with _READERS[path.suffix](path) as arrays:
        yield replace(arrays, read=_counted(path, size, arrays.read))


def _counted(path: Path, size: int, read: Callable[[str], NDArray[Any]]) -> Callable[[str], NDArray[Any]]:
    """Read arrays as long as they are not too large in all: a description may name one as often as it likes."""
    taken = 0

    def counted(name: str) -> NDArray[Any]:
        nonlocal taken
        array = read(name)
        taken += array.nbytes
        files.check_size(path, taken, size, ConversionError, "Name each array once.")
        return array

    return counted


@contextmanager
def _npz(path: Path) -> Iterator[Arrays]:
    with archive.opened(path, ConversionError, "an npz archive", "Save it again.") as opened:
        names = frozenset(n.removesuffix(".npy") for n in opened.namelist() if n.endswith(".npy"))
        yield Arrays(path.name, names, lambda name: _member(opened, path, name))


def _member(opened: zipfile.ZipFile, path: Path, name: str) -> NDArray[Any]:
    where, member = f"{path}: array {name!r}", f"{name}.npy"
    archive.check_members(opened, path, ConversionError, [member])
    shape, dtype, _ = archive.head(opened, where, member, ConversionError)
    _check_size(where, shape, dtype.name)
    return np.asarray(archive.numbers(opened, where, member, ConversionError))


@contextmanager
def _safetensors(path: Path) -> Iterator[Arrays]:
    library = imported("safetensors")
    boundary = files.reading(path, ConversionError, "safetensors", "Save it again.")
    with boundary, library.safe_open(path, framework="numpy") as file:
        where = f"{path}: array "
        yield Arrays(path.name, frozenset(file.keys()), lambda name: _tensor(file, f"{where}{name!r}", name))


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
