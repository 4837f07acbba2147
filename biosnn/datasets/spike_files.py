"""Files of labelled spike trains: our own, those of the Heidelberg digits, and events of a camera."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from brian2 import Quantity, second
from numpy.typing import NDArray

from biosnn import files
from biosnn.datasets.own import read_npz
from biosnn.datasets.ragged import read_ragged
from biosnn.datasets.spike_trains import LabelledSpikeTrains
from biosnn.errors import DataError, field_error

_NAMES = ("neurons", "times", "indptr", "labels", "shape", "duration")
_WRITE = "Write it with LabelledSpikeTrains.write."
_MOST_TEXT = 2**28
_HEIDELBERG = "It should be as the Heidelberg digits (SHD) are: spikes/times, spikes/units and labels."
CHANNELS, SECONDS = 700, 1.4
"""The channels of the Heidelberg digits' artificial cochlea, and a time after all of their spikes."""


def read_spike_trains(
    path: str | Path, *, size: int | None = None, duration: Quantity | None = None
) -> LabelledSpikeTrains:
    """Read labelled spike trains.

    Parameters
    ----------
    path : str or Path
        A ``.npz`` file with the arrays that `LabelledSpikeTrains.write` writes. Or an HDF5 file (``.h5``, ``.hdf5``) as
        the Heidelberg digits and commands (SHD, SSC) are stored: ``spikes/times`` (s) and ``spikes/units``, with an
        array of its own for each example, and ``labels``; what else is in it is left alone. Nothing is loaded by HDF5
        but where these lie.
    size, duration : int and Quantity, optional
        How many inputs there are, and how long an example takes, of an HDF5 file, which does not say it. By default
        700 and 1.4 s, as of the Heidelberg digits.

    Returns
    -------
    LabelledSpikeTrains
        Times in single precision, if the file has them so, or in half.

    Raises
    ------
    DataError
        If the file is missing, damaged, too large, or something else, or what is in it does not fit together.
    QuantityError
        If the duration is no time.
    MissingExtraError
        If it is an HDF5 file, and h5py is not installed.

    Notes
    -----
    Cramer, Stradmann, Schemmel & Zenke 2022, doi:10.1109/TNNLS.2020.3044364.
    """
    file = Path(path).expanduser()
    if file.suffix.lower() in (".h5", ".hdf5", ".hdf"):
        return _read_hdf5(file, CHANNELS if size is None else size, SECONDS * second if duration is None else duration)
    if size is not None or duration is not None:
        raise DataError(f"{file}: size and duration are given for HDF5 files only: this one says them. Leave them out.")
    arrays = read_npz(file, _NAMES)
    with files.reading(file, DataError, "spike trains", _WRITE):
        for name in ("times", "duration"):
            if arrays[name].dtype.kind not in "fiu":
                raise DataError(field_error(name, "numbers, in seconds", str(arrays[name].dtype), _WRITE))
        if arrays["shape"].ndim != 1 or arrays["shape"].dtype.kind not in "iu":
            got = f"{arrays['shape'].dtype} {arrays['shape'].shape}"
            raise DataError(field_error("shape", "whole numbers, one for each axis", got, _WRITE))
        return LabelledSpikeTrains(
            arrays["neurons"],
            Quantity(arrays["times"], dim=second.dim),
            arrays["indptr"],
            arrays["labels"],
            tuple(arrays["shape"].tolist()),
            Quantity(arrays["duration"], dim=second.dim),
            f"the file {file.name}",
        )


def _read_hdf5(file: Path, size: int, duration: Quantity) -> LabelledSpikeTrains:
    found = read_ragged(file, ("spikes/times", "spikes/units"), "labels", _HEIDELBERG)
    (times, ends), (units, other_ends) = found.rows["spikes/times"], found.rows["spikes/units"]
    if not np.array_equal(ends, other_ends):
        differ = int(np.argmax(ends != other_ends)) - 1 if ends.shape == other_ends.shape else 0
        got = f"{len(ends) - 1} and {len(other_ends) - 1} examples; the first that differs is {differ}"
        raise DataError(field_error(f"{file}: spikes/units", "as many as spikes/times has, in each example", got))
    if times.dtype.kind != "f" or units.dtype.kind not in "iu":
        got = f"{times.dtype} and {units.dtype}"
        raise DataError(field_error(f"{file}: spikes", "times of floating point, units of whole numbers", got))
    with files.reading(file, DataError, "spike trains", _HEIDELBERG):
        whole = times.astype(np.float32 if times.dtype.itemsize < 8 else np.float64)
        in_time = Quantity(whole, dim=second.dim, copy=False)
        return LabelledSpikeTrains(units, in_time, ends, found.column, (size,), duration, f"the file {file.name}")


# ---- events -----------------------------------------------------------------------------------------------------


def read_events(path: str | Path, *, shape: tuple[int, int], duration: Quantity, label: int = 0) -> LabelledSpikeTrains:
    """Read the events of a camera as one example, in which pixels are inputs.

    Parameters
    ----------
    path : str or Path
        A file in one of these forms, told by its ending. An event is the column x and the row y of a pixel, from 0,
        the time t in microseconds, and the polarity p, 0 (darker) or 1 (brighter).

        - ``.csv``, ``.txt``: a line ``x,y,t,p`` for each event. The first line may be these four names.
        - ``.npz``: arrays ``x``, ``y``, ``t``, ``p`` of the same length.
        - ``.bin``: 5 bytes for each event, as N-MNIST has them: x, y, then 1 bit of polarity and 23 bits of time, most
          significant first.
    shape : tuple of int
        Rows and columns of the camera.
    duration : Quantity
        How long the example takes; all events come before.
    label : int
        Its class.

    Returns
    -------
    LabelledSpikeTrains
        Of inputs of shape (2, rows, columns): polarity, y, x. Several files become one by `LabelledSpikeTrains.joined`.

    Raises
    ------
    DataError
        If the file is missing, damaged or of another form, or an event is out of range.
    QuantityError
        If the duration is no time.

    Notes
    -----
    N-MNIST: Orchard, Jayawant, Cohen & Thakor 2015, doi:10.3389/fnins.2015.00437.
    """
    file = Path(path).expanduser()
    if file.suffix.lower() not in _EVENTS:
        raise DataError(field_error(str(file), f"a file of events, {', '.join(_EVENTS)}", file.suffix))
    columns = _EVENTS[file.suffix.lower()](file)
    if not isinstance(shape, tuple) or len(shape) != 2 or not all(isinstance(each, int | np.integer) for each in shape):
        raise DataError(field_error("read_events shape", "rows and columns of the camera", shape))
    (rows, width), limits = shape, {"x": shape[1], "y": shape[0], "p": 2}
    for name, most in limits.items():
        values = columns[name]
        wrong = ~((values >= 0) & (values < most) & (values == np.floor(values)))  # also where one is NaN
        if wrong.any():
            where, first = f"{file}: {name}", int(np.argmax(wrong))
            expected = f"whole numbers from 0 to {most - 1}"
            raise DataError(field_error(where, expected, f"{values[first]} in event {first}"))
    x, y, p = (columns[name].astype(np.int64) for name in ("x", "y", "p"))
    times = Quantity(columns["t"] * 1e-6, dim=second.dim)
    with files.reading(file, DataError, "events"):
        neurons = (p * rows + y) * width + x
        ends, source = np.array([0, len(x)]), f"the file {file.name}"
        return LabelledSpikeTrains(neurons, times, ends, np.array([label]), (2, rows, width), duration, source)


def _events_of_text(file: Path) -> dict[str, NDArray[Any]]:
    text = files.read_text(file, DataError, _MOST_TEXT)
    head, _, rest = text.partition("\n")
    if [word.strip() for word in head.split(",")] == list("xytp"):
        text = rest
    with files.reading(file, DataError, "lines of four numbers, x,y,t,p"):
        if not text.strip():
            return dict.fromkeys("xytp", np.empty(0))
        table = np.loadtxt(io.StringIO(text), delimiter=",", ndmin=2, comments=None)
        if table.shape[1] != 4:
            raise DataError(field_error(str(file), "four numbers in a line, x,y,t,p", f"{table.shape[1]}"))
    return dict(zip("xytp", table.T, strict=True))


def _events_of_npz(file: Path) -> dict[str, NDArray[Any]]:
    arrays = read_npz(file, tuple("xytp"))
    for name, array in arrays.items():
        if array.ndim != 1 or array.dtype.kind not in "iufb" or len(array) != arrays["x"].size:
            expected = f"{arrays['x'].size} numbers, as x has"
            raise DataError(field_error(f"{file}: {name}", expected, f"{array.dtype} {array.shape}"))
    return {name: array.astype(np.float64) for name, array in arrays.items()}


def _events_of_bytes(file: Path) -> dict[str, NDArray[Any]]:
    content = files.read_bytes(file, DataError, _MOST_TEXT)
    if len(content) % 5:
        raise DataError(field_error(str(file), "5 bytes for each event", f"{len(content)} bytes", "Copy it again."))
    events = np.frombuffer(content, np.uint8).reshape(-1, 5).astype(np.int64)
    times = ((events[:, 2] & 127) << 16) | (events[:, 3] << 8) | events[:, 4]
    return {"x": events[:, 0], "y": events[:, 1], "t": times, "p": events[:, 2] >> 7}


_EVENTS: dict[str, Callable[[Path], dict[str, NDArray[Any]]]] = {
    ".csv": _events_of_text,
    ".txt": _events_of_text,
    ".npz": _events_of_npz,
    ".bin": _events_of_bytes,
}
