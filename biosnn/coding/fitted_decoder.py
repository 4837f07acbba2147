"""A decoder that is fitted to spikes and values, the same for all codings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from biosnn.coding.spikes import Spikes

Floats = NDArray[np.float64]

# It looks at so many steps one by one, and at the later ones in so many bins.
FINE, COARSE = 64, 32
KNOTS = 17
RIDGES = np.logspace(-7, 4, 12)


def fitted_values(spikes: Spikes, values: Floats) -> Floats:
    """Decode each neuron's value by a decoder that has learned from the spikes of other neurons.

    The decoder is the same for all codings: a sum of one function of the spike count, one of the time of the first
    spike, one of the mean interval, and a weight for each spike by its time. It so contains what reads a rate, a
    latency, a burst and a binary number. Functions are linear between knots (a generalised additive model: Hastie &
    Tibshirani 1990); the weights of spikes are the linear reconstruction of Bialek et al. 1991,
    doi:10.1126/science.2063199. All is one ridge regression, whose penalty is chosen by generalised cross-validation
    (Golub, Heath & Wahba 1979, doi:10.1080/00401706.1979.10489751). One half of the neurons is decoded by what was
    fitted to the other half, and the other way round.

    Parameters
    ----------
    spikes : Spikes
        Of neurons that each encode one value, shape (neurons,).
    values : ndarray, shape (neurons,)
        The values they encode.

    Returns
    -------
    ndarray, shape (neurons,)
        From 0 to 1.
    """
    seen, half = features(spikes), len(values) // 2
    parts = (slice(0, half), slice(half, None))
    decoded = [_ridge(seen[learned], values[learned], seen[new]) for new, learned in (parts, parts[::-1])]
    return np.clip(np.concatenate(decoded), 0, 1)


def features(spikes: Spikes) -> Floats:
    """What the fitted decoder sees of each neuron, shape (neurons, features)."""
    counts, (first, last) = spikes.counts(), extremes(spikes)
    interval = np.where(counts > 1, (last - first) / np.maximum(counts - 1, 1), 0)
    silent, single = counts == 0, counts < 2
    tables = [
        _hats(counts.astype(float), np.ones(spikes.size, dtype=bool)),
        # Who is silent might spike later. That helps where none such is among those that are learned from.
        _hats(first.astype(float), np.ones(spikes.size, dtype=bool)),
        _hats(interval, ~single),
    ]
    return np.column_stack([_raster(spikes), silent, single, *tables])


def _raster(spikes: Spikes) -> Floats:
    """Spikes of each neuron in the first steps, and in bins of later ones."""
    late = spikes.steps - FINE
    width = max(1, -(-(spikes.length - FINE) // COARSE))
    place = np.where(late < 0, spikes.steps, FINE + late // width)
    columns = FINE + COARSE
    cells = np.bincount(spikes.neurons * columns + place, minlength=spikes.size * columns)
    return cells.reshape(-1, columns).astype(float)


def _hats(x: Floats, there: NDArray[np.bool_]) -> Floats:
    """A basis of functions of x that are linear between knots; 0 where there is no x."""
    if not there.any():
        return np.zeros((len(x), 0))
    knots = np.unique(np.quantile(x[there], np.linspace(0, 1, KNOTS)))
    hats = np.column_stack([np.interp(x, knots, row) for row in np.eye(len(knots))])
    # A straight line needs no penalty on its many pieces.
    return np.column_stack([hats, (x - knots[0]) / max(knots[-1] - knots[0], 1)]) * there[:, np.newaxis]


def _ridge(seen: Floats, values: Floats, new: Floats) -> Floats:
    """Ridge regression, with the penalty that generalised cross-validation likes best."""
    centre, mean, n = seen.mean(axis=0), values.mean(), len(values)
    x, y = seen - centre, values - mean
    size, axes = np.linalg.eigh(x.T @ x)
    size, along = np.maximum(size, 0), axes.T @ (x.T @ y)
    shrunk = 1 / (size + RIDGES[:, np.newaxis])
    left = y @ y - 2 * (shrunk * along**2).sum(axis=1) + (shrunk**2 * size * along**2).sum(axis=1)
    free = np.maximum(1 - (size * shrunk).sum(axis=1) / n, 1e-9)
    best = int(np.argmin(np.maximum(left, 1e-12) / free**2))
    return np.asarray((new - centre) @ (axes @ (shrunk[best] * along)) + mean)


def extremes(spikes: Spikes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The steps of the first and the last spike of each neuron."""
    last = np.zeros(spikes.size, dtype=np.int64)
    np.maximum.at(last, spikes.neurons, spikes.steps)
    return spikes.first_steps(), last
