"""How much neurons act at the same time, or at the same phase of an oscillation."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from biosnn.errors import DataError, field_error

Floats = NDArray[np.float64]


def synchrony(traces: ArrayLike) -> float:
    """The synchrony chi of a population: how much of what its neurons do is seen in their mean.

    chi**2 is the variance in time of the mean over neurons, divided by the mean over neurons of the variance in time: 1
    where all do the same, 1/sqrt(N) for N independent neurons of equal variance.

    Parameters
    ----------
    traces : array_like, shape (times, neurons)
        Membrane potentials, or counts of spikes by `window_counts`.

    Returns
    -------
    float
        From 0 to 1; NaN where nothing changes.

    Raises
    ------
    DataError
        If there are fewer than two times.

    Notes
    -----
    Golomb & Rinzel 1993, doi:10.1103/PhysRevE.48.4810; Golomb 2007, Scholarpedia 2:1347, eq. 8 to 10.
    """
    table = np.asarray(traces, dtype=float)
    if table.ndim != 2 or len(table) < 2:
        expected = "traces of shape (times, neurons), at least two times"
        raise DataError(field_error("synchrony", expected, table.shape))
    single = float(table.var(axis=0).mean())
    return float(np.sqrt(table.mean(axis=1).var() / single)) if single > 0 else float("nan")


def phase_consistency(phases: ArrayLike, indices: ArrayLike | None = None, *, neurons: int = 1) -> Floats:
    """The pairwise phase consistency of the spikes of each neuron: how much they keep to one phase of an oscillation.

    It is the mean of cos(phase - phase') over all pairs of a neuron's spikes: 1 where all have the same phase, 0 on
    average where phases are evenly distributed, whatever their number. (A mean resultant
    length would be 1/sqrt(n) there.)

    Parameters
    ----------
    phases : array_like, shape (spikes,)
        The phase of the oscillation at each spike, in radians.
    indices : array_like of int, shape (spikes,), optional
        Which neuron each came from; by default all from the first.
    neurons : int
        How many there are.

    Returns
    -------
    ndarray, shape (neurons,)
        NaN where there are fewer than two spikes.

    Raises
    ------
    DataError
        If there is not one neuron for each spike, or if one is none of them.

    Notes
    -----
    Vinck et al. 2010, eq. 14, doi:10.1016/j.neuroimage.2010.01.073. The sum over pairs is worked out from the sum of
    all unit vectors: (abs(sum)**2 - n)/(n (n - 1)).
    """
    angle = np.asarray(phases, dtype=float)
    of = np.zeros(angle.shape, dtype=np.int64) if indices is None else np.asarray(indices, dtype=np.int64)
    if angle.ndim != 1 or of.shape != angle.shape:
        raise DataError(field_error("phase_consistency", f"a neuron for each of {angle.size} phases", of.size))
    if of.size and not 0 <= of.min() <= of.max() < neurons:
        extremes = f"{of.min()} to {of.max()}"
        raise DataError(field_error("phase_consistency, neurons", f"from 0 to {neurons - 1}", extremes))
    n = np.bincount(of, minlength=neurons)
    squared = np.bincount(of, np.cos(angle), neurons) ** 2 + np.bincount(of, np.sin(angle), neurons) ** 2
    return np.where(n > 1, (squared - n) / np.where(n > 1, n * (n - 1.0), 1), np.nan)
