"""Labelled inputs as an ordinary network takes them; and those of a user, in a file of NumPy. Nothing is unpickled."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn import archive
from biosnn.display import Brief
from biosnn.errors import DataError, field_error

_SAVE = "Save it with np.savez(path, x=inputs, y=labels)."
_TEST = ("x_test", "y_test")


@dataclass(frozen=True)
class Examples(Brief):
    """Labelled inputs.

    Parameters
    ----------
    name : str
        Of the dataset, or the path of the file.
    inputs : ndarray of float32, shape (n, ...)
        As a network takes them.
    labels : ndarray of int64, shape (n,)
        The class of each, from 0.
    source : str
        Where they come from.
    for_training : int
        How many, the first ones, are for training; 0 if they are not divided.
    """

    name: str
    inputs: NDArray[np.float32]
    labels: NDArray[np.int64]
    source: str
    for_training: int = 0

    def __post_init__(self) -> None:
        where = f"Examples {self.name!r}"
        if self.inputs.ndim < 2 or self.inputs.dtype != np.float32 or not self.inputs.size:
            got = f"{self.inputs.dtype} {self.inputs.shape}"
            raise DataError(field_error(f"{where}.inputs", "float32 of shape (n, ...)", got))
        if self.labels.shape != self.inputs.shape[:1] or self.labels.dtype != np.int64 or self.labels.min() < 0:
            got = f"{self.labels.dtype} {self.labels.shape}"
            raise DataError(field_error(f"{where}.labels", f"{len(self.inputs)} classes from 0, as int64", got))

    def take(self, indices: NDArray[np.integer] | slice) -> Examples:
        """Those with these indices, in this order."""
        return Examples(self.name, self.inputs[indices], self.labels[indices], self.source)


def from_file(path: str | Path) -> Examples:
    """Read labelled inputs of your own from a ``.npz`` file of NumPy.

    Parameters
    ----------
    path : str or Path
        A file with the arrays ``x``, shape (n, ...), and ``y``, shape (n,): whole numbers from 0. It may have
        ``x_test`` and ``y_test`` too, which are kept for the test; ``x`` and ``y`` are for training then.

    Returns
    -------
    Examples
        ``x`` as it is, in float32, and ``x_test`` after it: whatever the network was trained on (division by 255,
        channels first) is done before saving.

    Raises
    ------
    DataError
        If the file is missing, damaged, pickled or of another format, or the arrays do not fit.
    """
    file = Path(path).expanduser()
    arrays = read_npz(file, ("x", "y"), optional=_TEST)
    data = Examples(str(path), *_labelled(file, arrays, "x", "y"), f"the file {file.name}")
    there = [name for name in _TEST if name in arrays]
    if not there:
        return data
    if len(there) == 1:
        do = "Save both, or neither."
        raise DataError(field_error(str(file), f"{' and '.join(_TEST)} together", there[0], do))
    return divided(data, Examples(str(path), *_labelled(file, arrays, *_TEST), data.source))


def divided(training: Examples, test: Examples) -> Examples:
    """Join inputs for training and those that are kept for the test.

    Raises
    ------
    DataError
        If an input of the one has another shape than one of the other.
    """
    if training.inputs.shape[1:] != test.inputs.shape[1:]:
        expected = f"inputs of shape {training.inputs.shape[1:]}, as those for training in {training.name}"
        raise DataError(field_error(f"{test.name}: test inputs", expected, test.inputs.shape[1:]))
    return Examples(
        training.name,
        np.concatenate([training.inputs, test.inputs]),
        np.concatenate([training.labels, test.labels]),
        training.source if training.source == test.source else f"{training.source}, for the test {test.source}",
        len(training.labels),
    )


def _labelled(
    file: Path, arrays: dict[str, NDArray[Any]], inputs: str, labels: str
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Inputs and labels, by the names of their arrays."""
    x, where = arrays[inputs], f"{file}: {inputs}"
    if x.dtype.kind not in "fiub" or x.ndim < 2 or not x.size:
        raise DataError(field_error(where, "numbers of shape (n, ...)", f"{x.dtype} {x.shape}"))
    classes = _labels(f"{file}: {labels}", arrays[labels], len(x))
    with np.errstate(over="ignore"):
        floats = x.astype(np.float32)
    wrong = ~np.isfinite(floats).reshape(len(floats), -1).all(axis=1)
    if wrong.any():
        got = f"NaN or infinite numbers in {int(wrong.sum())} inputs, first in {inputs}[{int(np.argmax(wrong))}]"
        raise DataError(field_error(where, "finite numbers", got))
    return floats, classes


def _labels(where: str, y: NDArray[Any], count: int) -> NDArray[np.int64]:
    got = f"{y.dtype} {y.shape}"
    if y.ndim == 2 and len(y) == count:
        do = "Use y.ravel()." if y.shape[1] == 1 else "If a row has a 1 at its class, use y.argmax(axis=1)."
        raise DataError(field_error(where, f"one class for each of {count} inputs, shape ({count},)", got, do))
    if y.shape != (count,):
        raise DataError(field_error(where, f"one class for each of {count} inputs, shape ({count},)", got))
    if y.dtype.kind not in "iu":
        do = "Use y.astype(int), if they are." if y.dtype.kind == "f" else "Number the classes from 0."
        raise DataError(field_error(where, "whole numbers", got, do))
    if y.min() < 0:
        raise DataError(field_error(where, "classes from 0", int(y.min()), "Number the classes from 0."))
    return y.astype(np.int64)


def read_npz(path: Path, names: tuple[str, ...], optional: tuple[str, ...] = ()) -> dict[str, NDArray[Any]]:
    """Read arrays of a ``.npz`` file, the size of all looked at before memory is taken for them.

    Parameters
    ----------
    path : Path
        The file.
    names : tuple of str
        The arrays that it must have.
    optional : tuple of str
        Those that are read too if it has them; others are left alone.

    Raises
    ------
    DataError
        If it is missing or damaged, lacks an array, has objects in one, or they are too large (`files.check_size`).
    """
    with archive.opened(path, DataError, "a .npz file of NumPy", _SAVE) as opened:
        there = [name.removesuffix(".npy") for name in opened.namelist()]
        missing = [name for name in names if name not in there]
        if missing:
            expected = f"the arrays {' and '.join(names)}"
            raise DataError(field_error(str(path), expected, ", ".join(there) or "none", _SAVE))
        wanted = [*names, *(name for name in optional if name in there)]
        archive.check_members(opened, path, DataError, [f"{name}.npy" for name in wanted])
        return {name: archive.numbers(opened, f"{path}: {name}", f"{name}.npy", DataError) for name in wanted}
