"""What a population does together: counts in windows, its rate and the power spectrum of it, correlation, synchrony."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import gaussian_filter1d

from biosnn.errors import DataError, field_error
from biosnn.measure.counts import Counts, spike_counts

Floats = NDArray[np.float64]
# A boundary that is a multiple of a time step must not move by a window because of a rounding error.
ROUNDING = 1e-6


def window_counts(
    times: ArrayLike, indices: ArrayLike, *, window: float, begin: float, end: float, neurons: int
) -> Counts:
    """Count the spikes of each neuron in successive windows; what a last, shorter one would have is left out.

    Parameters
    ----------
    times, indices : array_like, shape (spikes,)
        When each spike came, and from which neuron. Quantities count in seconds.
    window : float
        How long each is, in the unit of ``times``.
    begin, end : float
        Between which times the windows lie.
    neurons : int
        How many there are.

    Returns
    -------
    ndarray of int64, shape (windows, neurons)

    Raises
    ------
    DataError
        If no window fits in, or if a spike comes from none of the neurons.
    """
    at, windows = _shifted(times, window, begin, end)
    inside = (at >= 0) & (at < windows)
    return spike_counts(at[inside], np.asarray(indices)[inside], period=1.0, periods=windows, neurons=neurons)


def fano_factor(counts: ArrayLike) -> Floats:
    """The variance of each neuron's counts over windows, divided by their mean.

    0 for a regular train in windows that hold whole intervals, 1 for a Poisson process; the square of `cv` for a
    renewal process in windows that are long beside its intervals.

    Parameters
    ----------
    counts : array_like, shape (windows, neurons)
        By `window_counts`.

    Returns
    -------
    ndarray, shape (neurons,)
        NaN where there are no spikes.

    Raises
    ------
    DataError
        If there are fewer than two windows.

    Notes
    -----
    Fano 1947, doi:10.1103/PhysRev.72.26; Shadlen & Newsome 1998, doi:10.1523/JNEUROSCI.18-10-03870.1998. The variance
    has the divisor n.
    """
    table = _two_windows("fano_factor", counts)
    mean = table.mean(axis=0)
    return np.where(mean > 0, table.var(axis=0) / np.where(mean > 0, mean, 1), np.nan)


def population_rate(
    times: ArrayLike, *, neurons: int, begin: float, end: float, window: float, smoothing: float = 0.0
) -> tuple[Floats, Floats]:
    """The firing rate of a population in the course of time: spikes per neuron and time.

    Parameters
    ----------
    times : array_like, shape (spikes,)
        When each spike of the population came. Quantities count in seconds, so that rates are in Hz.
    neurons : int
        How many there are.
    begin, end : float
        Of the time that is looked at.
    window : float
        The width of a bin.
    smoothing : float
        Standard deviation of the Gaussian with which the rate is smoothed; none if 0. At both ends the rate is
        continued by its mirror image, which keeps the mean.

    Returns
    -------
    middles : ndarray, shape (windows,)
        The middle of each bin.
    rates : ndarray, shape (windows,)
        In the inverse of the unit of ``times``.

    Raises
    ------
    DataError
        If no bin fits in.
    """
    at, windows = _shifted(times, window, begin, end)
    inside = (at >= 0) & (at < windows)
    counts = np.bincount(np.floor(at[inside] + ROUNDING).astype(np.int64), minlength=windows)[:windows]
    rates = counts / (neurons * float(window))
    if smoothing > 0:
        rates = gaussian_filter1d(rates, float(smoothing) / float(window), mode="reflect")
    middles: Floats = np.asarray(float(begin) + float(window) * (np.arange(windows) + 0.5))
    return middles, rates


def power_spectrum(rates: ArrayLike, window: float, *, segment: float | None = None) -> tuple[Floats, Floats]:
    """The power spectrum of a population's rate about its mean.

    It is two-sided (given at positive frequencies), as theory has it: N independent Poisson neurons of the rate r have
    r/N at each frequency, and the integral over all frequencies, negative ones too, is the variance of the rate.

    Parameters
    ----------
    rates : array_like, shape (windows,)
        By `population_rate`, without smoothing.
    window : float
        The width of its bins.
    segment : float, optional
        Spectra of segments of this length, which overlap by half and have a Hann window, are averaged; frequencies are
        as far apart as its inverse. By default an eighth of the whole.

    Returns
    -------
    frequencies : ndarray
        From 0 to half the inverse of ``window``.
    power : ndarray
        For rates in Hz and times in seconds in Hz**2/Hz.

    Raises
    ------
    DataError
        If the segment is longer than what there is, or shorter than two bins.

    Notes
    -----
    Welch 1967, doi:10.1109/TAU.1967.1161901.
    """
    values = np.asarray(rates, dtype=float)
    length = len(values) // 8 if segment is None else round(float(segment) / float(window))
    if not 2 <= length <= len(values):
        expected = f"from 2 to {len(values)} bins of the rate"
        raise DataError(field_error("power_spectrum, segment", expected, f"{length} bins"))
    from scipy.signal import welch  # slow to import, and only needed here

    found = welch(values, 1 / float(window), nperseg=length, detrend="constant", return_onesided=False)
    half = length // 2 + 1
    # The last of an even number of frequencies is given as negative.
    return np.abs(found[0][:half]), np.asarray(found[1][:half])


def mean_correlation(counts: ArrayLike) -> float:
    """The mean of the correlation coefficients of counts, over all pairs of neurons.

    Worked out from the variance of the sum of all counts, once standardised, in a time that grows with the neurons and
    not with the pairs.

    Parameters
    ----------
    counts : array_like, shape (windows, neurons)
        By `window_counts`. Neurons whose counts are all the same have no correlation and are left out.

    Returns
    -------
    float
        0 for independent neurons, 1 for equal trains; NaN for fewer than two neurons.
    """
    standard = _standardised("mean_correlation", counts)
    neurons = standard.shape[1]
    if neurons < 2:
        return float("nan")
    return float((standard.sum(axis=1).var() - neurons) / (neurons * (neurons - 1)))


def pairwise_correlations(counts: ArrayLike, *, pairs: int | None = None, seed: int = 0) -> Floats:
    """The correlation coefficient of the counts of two neurons, for all pairs or for some that are drawn.

    Parameters
    ----------
    counts : array_like, shape (windows, neurons)
        By `window_counts`. Neurons whose counts are all the same are left out.
    pairs : int, optional
        How many pairs of different neurons to draw, with replacement; by default all of them, each once.
    seed : int
        Of the draw.

    Returns
    -------
    ndarray, shape (pairs,)
        Empty for fewer than two neurons.

    Notes
    -----
    Pearson's coefficient of spike counts: Perkel, Gerstein & Moore 1967, doi:10.1016/S0006-3495(67)86597-4.
    """
    standard = _standardised("pairwise_correlations", counts)
    neurons = standard.shape[1]
    if neurons < 2:
        return np.zeros(0)
    if pairs is None:
        one, other = np.triu_indices(neurons, 1)
    else:
        rng = np.random.default_rng(seed)
        one = rng.integers(neurons, size=pairs)
        other = (one + rng.integers(1, neurons, size=pairs)) % neurons
    found = np.empty(len(one))
    part = max(1, 10**7 // len(standard))  # pairs at a time, so that 80 MB suffice
    for first in range(0, len(one), part):
        here = slice(first, first + part)
        found[here] = np.mean(standard[:, one[here]] * standard[:, other[here]], axis=0)
    return found


def _shifted(times: ArrayLike, window: float, begin: float, end: float) -> tuple[Floats, int]:
    """Times in windows since ``begin``, and the number of windows."""
    width = float(window)
    windows = int(np.floor((float(end) - float(begin)) / width + ROUNDING)) if width > 0 else 0
    if windows < 1:
        raise DataError(field_error("window", f"above 0 and at most {float(end) - float(begin):g}", width))
    at = (np.asarray(times, dtype=float) - float(begin)) / width
    # What lies at a boundary, but for rounding, belongs to what begins there.
    nearest = np.round(at)
    return np.where(np.abs(at - nearest) < ROUNDING, nearest, at), windows


def _two_windows(measure: str, counts: ArrayLike) -> Any:
    table = np.asarray(counts)
    if table.ndim != 2 or len(table) < 2:
        raise DataError(field_error(measure, "counts of shape (windows, neurons), at least two windows", table.shape))
    return table


def _standardised(measure: str, counts: ArrayLike) -> Any:
    """Counts with mean 0 and variance 1, of the neurons that have a variance."""
    table = _two_windows(measure, counts)
    varied = table.min(axis=0) < table.max(axis=0)
    table = table[:, varied].astype(float)
    return (table - table.mean(axis=0)) / table.std(axis=0)
