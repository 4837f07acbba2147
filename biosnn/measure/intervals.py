"""How irregular spike trains are: the intervals between spikes, and their coefficients of variation."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from biosnn.errors import DataError, field_error

Floats = NDArray[np.float64]
FEWEST = 3
"""Intervals that a coefficient of variation needs."""


def spike_intervals(times: ArrayLike, indices: ArrayLike) -> tuple[Floats, NDArray[np.int64]]:
    """The intervals between successive spikes of each neuron.

    Parameters
    ----------
    times : array_like, shape (spikes,)
        When each spike came, in any order. Quantities count in seconds.
    indices : array_like of int, shape (spikes,)
        Which neuron it came from.

    Returns
    -------
    intervals : ndarray, shape (intervals,)
        By neuron, and in the order of time; the unit is that of ``times``.
    neurons : ndarray of int64, shape (intervals,)
        Whose each is.

    Raises
    ------
    DataError
        If there is not one neuron for each spike.
    """
    at, of = np.asarray(times, dtype=float), np.asarray(indices, dtype=np.int64)
    if at.ndim != 1 or at.shape != of.shape:
        raise DataError(field_error("spike_intervals", f"a neuron for each of {at.size} spikes", of.size))
    order = np.lexsort((at, of))
    at, of = at[order], of[order]
    same = of[1:] == of[:-1]
    return np.diff(at)[same], of[1:][same]


def cv(times: ArrayLike, indices: ArrayLike, *, neurons: int, fewest: int = FEWEST) -> Floats:
    """The coefficient of variation of the intervals between spikes, of each neuron.

    The standard deviation of the intervals divided by their mean: 0 for a regular train, 1 for a Poisson process,
    1/sqrt(k) for a gamma process of shape k.

    Parameters
    ----------
    times, indices : array_like, shape (spikes,)
        As in `spike_intervals`.
    neurons : int
        How many there are.
    fewest : int
        Neurons with fewer intervals are not judged.

    Returns
    -------
    ndarray, shape (neurons,)
        NaN where there are too few intervals; `numpy.nanmean` is the mean over the others.

    Notes
    -----
    Softky & Koch 1993, doi:10.1523/JNEUROSCI.13-01-00334.1993. The standard deviation is that of the intervals at hand
    (divisor n), which is too low by about 1/(2 n) where intervals are few.
    """
    intervals, of = spike_intervals(times, indices)
    _check_neurons("cv", of, neurons)
    count = np.bincount(of, minlength=neurons)
    enough = count >= max(fewest, 1)
    safe = np.maximum(count, 1)
    mean = np.bincount(of, intervals, neurons) / safe
    # Deviations first: the difference of two large squares would lose the digits of a regular train.
    variance = np.bincount(of, (intervals - mean[of]) ** 2, neurons) / safe
    return np.where(enough, np.sqrt(variance) / np.where(enough, mean, 1), np.nan)


def cv2(times: ArrayLike, indices: ArrayLike, *, neurons: int, fewest: int = FEWEST) -> Floats:
    """The local variation of the intervals between spikes, of each neuron.

    The mean of 2 |I' - I|/(I' + I) over pairs of successive intervals. Unlike `cv` it stays low where a regular neuron
    slowly changes its rate. 0 for a regular train, 1 for a Poisson process.

    Parameters
    ----------
    times, indices, neurons, fewest
        As in `cv`.

    Returns
    -------
    ndarray, shape (neurons,)
        NaN where there are fewer than ``fewest`` intervals.

    Notes
    -----
    Holt, Softky, Koch & Douglas 1996, eq. 3, doi:10.1152/jn.1996.75.5.1806.
    """
    intervals, of = spike_intervals(times, indices)
    _check_neurons("cv2", of, neurons)
    same = of[1:] == of[:-1]
    total = (intervals[1:] + intervals[:-1])[same]
    apart = 2 * np.abs(np.diff(intervals)[same]) / np.where(total > 0, total, 1)
    enough = np.bincount(of, minlength=neurons) >= max(fewest, 2)
    pairs = np.bincount(of[1:][same], minlength=neurons)
    return np.where(enough, np.bincount(of[1:][same], apart, neurons) / np.maximum(pairs, 1), np.nan)


def _check_neurons(measure: str, of: NDArray[np.int64], neurons: int) -> None:
    if of.size and not 0 <= of.min() <= of.max() < neurons:
        raise DataError(field_error(f"{measure}, neurons", f"from 0 to {neurons - 1}", f"{of.min()} to {of.max()}"))
