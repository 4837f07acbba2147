"""How well the spikes of a neuron tell when a pattern is there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from biosnn.display import Brief
from biosnn.errors import DataError, field_error


@dataclass(frozen=True)
class Detection(Brief):
    """What spikes tell of a pattern.

    Parameters
    ----------
    hit_rate : float
        The share of presentations in which there was a spike.
    false_alarms : int
        How many spikes fell outside of all presentations.
    latency : float
        The mean time from the onset of a presentation to each spike in it, NaN without any; the unit is that of the
        times.
    latencies : ndarray, shape (spikes,)
        Of each spike, in the order of time; NaN for a false alarm.
    """

    hit_rate: float
    false_alarms: int
    latency: float
    latencies: NDArray[np.float64]


def detection(times: ArrayLike, onsets: ArrayLike, length: float) -> Detection:
    """Compare the spikes of one neuron with the presentations of a pattern.

    Parameters
    ----------
    times : array_like, shape (spikes,)
        When each spike came, in any order. Quantities count in seconds.
    onsets : array_like, shape (presentations,)
        When each presentation began, rising; they do not overlap.
    length : float
        How long each takes. Its end does not belong to it.

    Returns
    -------
    Detection

    Raises
    ------
    DataError
        If there is no presentation, or one begins before the last one has ended.
    """
    at, begin = np.sort(np.asarray(times, dtype=float)), np.asarray(onsets, dtype=float)
    if begin.ndim != 1 or not begin.size:
        raise DataError(field_error("detection, onsets", "at least one presentation", f"shape {begin.shape}"))
    if np.any(np.diff(begin) < length * (1 - 1e-9)):
        expected = f"presentations at least {length:g} apart"
        raise DataError(field_error("detection, onsets", expected, f"{np.diff(begin).min():g}"))
    last = np.searchsorted(begin, at, side="right") - 1
    since = np.where(last >= 0, at - begin[last], np.inf)
    inside = since < length * (1 - 1e-9)  # times are rounded
    latencies = np.where(inside, since, np.nan)
    hits = len(np.unique(last[inside]))
    latency = float(since[inside].mean()) if inside.any() else float("nan")
    return Detection(hits / len(begin), int(np.count_nonzero(~inside)), latency, latencies)
