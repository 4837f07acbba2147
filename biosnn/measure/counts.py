"""How often neurons spike in periods of time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from biosnn.errors import DataError, field_error

Counts = NDArray[np.int64]


def spike_counts(times: ArrayLike, indices: ArrayLike, *, period: float, periods: int, neurons: int) -> Counts:
    """Count the spikes of each neuron in each period.

    Parameters
    ----------
    times : array_like
        When each spike came, from the start of the first period; the unit is that of ``period``.
    indices : array_like of int
        Which neuron it came from.
    period : float
        How long a period is. A spike at a boundary counts for the period that begins there.
    periods, neurons : int
        How many of each.

    Returns
    -------
    ndarray of int64, shape (periods, neurons)

    Raises
    ------
    DataError
        If a spike lies outside the periods or neurons.
    """
    row, column = _places(times, indices, period, periods, neurons)
    return np.bincount(row * neurons + column, minlength=periods * neurons).reshape(periods, neurons)


def sparse_spike_counts(times: ArrayLike, indices: ArrayLike, *, period: float, periods: int, neurons: int) -> Any:
    """`spike_counts` as a sparse array, which keeps only what is not zero.

    Returns
    -------
    scipy.sparse.csr_array of int32, shape (periods, neurons)
    """
    row, column = _places(times, indices, period, periods, neurons)
    return sparse.csr_array((np.ones(len(row), dtype=np.int32), (row, column)), shape=(periods, neurons))


def _places(times: ArrayLike, indices: ArrayLike, period: float, periods: int, neurons: int) -> tuple[Counts, Counts]:
    """The period and neuron of each spike."""
    # Times are multiples of a time step with rounding errors in them, much smaller than a millionth of a period.
    row = np.floor(np.asarray(times, dtype=float) / period + 1e-6).astype(np.int64)
    column = np.asarray(indices, dtype=np.int64)
    for what, places, size in (("time", row, periods), ("neuron", column, neurons)):
        if places.size and (places.min() < 0 or places.max() >= size):
            got = f"{places.min()} to {places.max()}"
            raise DataError(field_error(f"spike_counts {what}", f"from 0 to {size - 1}", got))
    return row, column
