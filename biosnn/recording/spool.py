"""Files of recorded spikes: as generated code writes them, and as the targets that run in this process do.

One file has the index of the neuron of each spike, in the order in which they fell. The other has a mark for each time
step with spikes: its number, and how many there are.
"""

from __future__ import annotations

import contextlib
import tempfile
import weakref
from pathlib import Path
from typing import IO, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from biosnn.engine import scratch
from biosnn.errors import EngineError, RunError

ROOM = 2**20
"""Bytes of a file that are kept in memory until they are written."""
BITS = 24
"""Of a mark, those that hold the number of spikes."""
MOST = 2**BITS - 1
"""A step with more spikes has several marks."""
MOST_STEPS = 2 ** (63 - BITS)
_PART = 2**20  # spikes that are copied at once


def marks(step: int, spikes: int) -> NDArray[np.int64]:
    """The marks of a time step."""
    numbers = [min(MOST, spikes - before) for before in range(0, spikes, MOST)]
    return (step << BITS) | np.array(numbers, np.int64)


def steps_and_numbers(marks: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of each mark, the number of its step and that of its spikes."""
    return marks >> BITS, marks & MOST


def mapped(path: Path, dtype: Any, length: int, what: str) -> NDArray[Any]:
    """An array in a file, of which only what is looked at is read.

    Raises
    ------
    RunError
        If the file is not as long as it should be.
    """
    wanted = length * np.dtype(dtype).itemsize
    size = path.stat().st_size if path.exists() else 0
    if length and size != wanted:  # without spikes, there may be that of an earlier run in the same folder
        raise RunError(f"The spikes of {what} are incomplete: {path} has {size} bytes instead of {wanted}.")
    return _mapped(path, dtype, length)


def _mapped(file: Any, dtype: Any, length: int) -> NDArray[Any]:
    if length == 0:  # nothing that could be mapped
        return np.frombuffer(b"", dtype)
    return np.asarray(np.memmap(file, dtype, mode="r", shape=(length,)))


class Spool:
    """Temporary files without a name, to which spikes are appended; the system removes them with their last reader."""

    def __init__(self) -> None:
        with scratch.writing():
            self._spikes, self._marks = (tempfile.TemporaryFile(buffering=ROOM) for _ in range(2))  # noqa: SIM115
        weakref.finalize(self, _close, self._spikes, self._marks)

    def add(self, step: int, spikes: NDArray[np.int32]) -> int:
        """Append the spikes of a time step; return how many marks it took."""
        new = marks(step, len(spikes))
        with scratch.writing():
            self._spikes.write(np.ascontiguousarray(spikes, np.int32))
            self._marks.write(new)
        return len(new)

    def read(self, n_spikes: int, n_marks: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """The first spikes and marks."""
        with scratch.writing():
            self._spikes.flush()
            self._marks.flush()
        return _mapped(self._spikes, np.int32, n_spikes), _mapped(self._marks, np.int64, n_marks)

    def beginning(self, n_spikes: int, n_marks: int) -> Spool:
        """Another spool, that has the first spikes and marks of this one."""
        other = Spool()
        spikes, marks = self.read(n_spikes, n_marks)
        with scratch.writing():
            for begin in range(0, n_spikes, _PART):
                other._spikes.write(spikes[begin : begin + _PART])
            other._marks.write(marks)
        return other

    def __reduce__(self) -> NoReturn:
        raise EngineError(
            "Network.store(filename=...): recorded spikes are in files of this process and cannot be kept in another "
            "one. Store in memory, or use SpikeMonitor."
        )


def _close(*files: IO[bytes]) -> None:
    for file in files:
        with contextlib.suppress(OSError):  # of a full disk, whoever wrote has been told
            file.close()
