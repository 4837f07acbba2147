"""Activity along layers of neurons with random weights, and along chains: what theory predicts of its depth.

Weights are normal with mean 0 and variance s**2, n of them a neuron. Only the gain n s**2 and the threshold count, and
of these only theta/sqrt(gain): a smaller threshold does what larger weights do.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import fft
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from biosnn.errors import ModelError, field_error

Floats = NDArray[np.float64]
RESETS = ("soft", "hard")


def _normal(x: Any) -> Any:
    """The density of the normal distribution. That of `scipy.stats` takes most of a second to import."""
    return np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)


# Where z**2 Q(z) is largest, 2 Q(z) = z phi(z): the rate at which a binary network needs the least gain.
_EASIEST = float(brentq(lambda z: 2 * ndtr(-z) - z * _normal(z), 0.5, 2))
# A layer with so small a rate hands on nothing in any number of steps that is simulated.
_NOTHING = 1e-5
# From a layer to the next, a change by which the rates have come to rest.
_SAME = 1e-5
# In how many parts of the time rates are distinguished.
_PARTS = 10
# How far the grid of potentials goes at most, below and above; only noise of several thresholds per step needs more.
_CELLS = 1000


# ---- binary neurons ------------------------------------------------------------------------------------------------


def binary_depth(p0: float, gain: float, theta: float, layers: int) -> Floats:
    """Fraction of active neurons in each layer of binary neurons with random weights.

    Parameters
    ----------
    p0 : float
        Fraction of active inputs.
    gain : float
        n s**2: neurons of a layer times the variance of a weight.
    theta : float
        Threshold, positive: a neuron is active if the weights of active neurons before it add up to as much.
    layers : int

    Returns
    -------
    ndarray, shape (layers,)
        Of layers 1, 2 and so on.

    Notes
    -----
    p_{l+1} = Q(theta/sqrt(gain p_l)), Q the upper tail of the normal distribution, since the sum of n p_l independent
    normal weights is normal with variance gain p_l (Amari 1972, IEEE Trans Syst Man Cybern 2:643; Poole et al. 2016,
    NeurIPS, eq. 3). Exact for wide layers; a layer of n neurons deviates by about sqrt(p(1 - p)/n), and a rate of 1/n
    or less is one neuron or none.
    """
    _check(gain=gain, theta=theta)
    rates, p = np.zeros(layers), float(p0)
    for layer in range(layers):
        p = float(ndtr(-theta / np.sqrt(gain * p))) if p > 0 else 0.0
        rates[layer] = p
    return rates


def critical_gain(theta: float, p: float | None = None) -> float:
    """The gain n s**2 with which a fraction p of active neurons stays the same from layer to layer.

    Parameters
    ----------
    theta : float
        Threshold.
    p : float, optional
        Between 0 and 1/2; by default Q(theta), for which the sum of weights has variance 1 and the gain is 1/Q(theta).

    Returns
    -------
    float
        (theta/z)**2/p with Q(z) = p. Deviations from p fade if z < 1.19 (p > 0.117), and grow otherwise.
    """
    rate = float(ndtr(-theta)) if p is None else p
    _check(theta=theta)
    if not 0 < rate < 0.5:
        raise ModelError(field_error("critical_gain p", "between 0 and 0.5", rate))
    return float((theta / ndtri(1 - rate)) ** 2 / rate)


def least_gain(theta: float) -> float:
    """The gain n s**2 under which activity of binary neurons dies out, whatever the inputs: 6.04 theta**2.

    Notes
    -----
    It is the minimum of `critical_gain` over p, where the two fixed points of the recursion meet.
    """
    return critical_gain(theta, float(ndtr(-_EASIEST)))


def fixed_points(gain: float, theta: float) -> tuple[float, float] | None:
    """The two rates that stay the same from layer to layer of binary neurons.

    Returns
    -------
    (float, float) or None
        The unstable one, under which activity dies out, and the stable one above it, to which it goes otherwise. None
        if the gain is less than `least_gain`. A rate of 0 is always stable.
    """
    _check(gain=gain, theta=theta)
    if gain < least_gain(theta):
        return None

    def missing(z: float) -> float:
        return float(z**2 * ndtr(-z) - theta**2 / gain)

    low = float(ndtr(-brentq(missing, _EASIEST, 38)))
    return low, float(ndtr(-brentq(missing, 0, _EASIEST)))


# ---- constant drive, chains ----------------------------------------------------------------------------------------


def drive_rate(z: ArrayLike, reset: str = "soft") -> Any:
    """Spikes per step of an integrate-and-fire neuron at a constant drive, without a leak.

    Parameters
    ----------
    z : array_like
        How much the membrane potential rises per step, in thresholds.
    reset : str
        "soft" takes the threshold off at a spike, "hard" sets the potential to zero.

    Returns
    -------
    float or ndarray
        min(z, 1) with soft reset (Han, Srinivasan & Roy 2020, CVPR, eq. 4), 1/ceil(1/z) with hard reset (Rueckauer et
        al. 2017, Front Neurosci 11:682, eq. 5); 0 if z is not positive.
    """
    _check(reset=reset)
    drive = np.asarray(z, dtype=float)
    if reset == "soft":
        return np.clip(drive, 0, 1)[()]
    # A drive such as 1/3 reaches the threshold in three steps but for rounding.
    steps = np.ceil(1 / np.maximum(drive, np.finfo(float).tiny) * (1 - 1e-12))
    return np.where(drive > 0, 1 / np.maximum(steps, 1), 0)[()]


def chain_rates(z: float, w: float, layers: int, reset: str = "soft") -> Floats:
    """Spikes per step along a chain: a drive, and from each integrate-and-fire neuron to the next one synapse.

    Parameters
    ----------
    z : float
        Drive of the first neuron, in thresholds per step.
    w : float
        Weight of each synapse, in thresholds.
    layers : int
    reset : str

    Returns
    -------
    ndarray, shape (layers,)

    Notes
    -----
    With soft reset a neuron fires w times for each spike before it, with hard reset once for every ceil(1/w) spikes.
    """
    return np.asarray(drive_rate(z, reset) * drive_rate(w, reset) ** np.arange(layers))


# ---- integrate-and-fire neurons, in the mean -----------------------------------------------------------------------


def mean_field(
    p0: float,
    gain: float,
    theta: float,
    layers: int,
    *,
    steps: int,
    reset: str = "soft",
    decay: float = 1.0,
    squared: float | None = None,
) -> Floats:
    """Rates of layers of integrate-and-fire neurons with random weights, from rest over a number of steps.

    In each step v <- decay v + sum of the weights of spikes; a neuron with v >= theta spikes and is reset.

    Parameters
    ----------
    p0 : float
        Mean rate of the inputs (spikes per step), which spike by chance in each step.
    gain, theta : float
        As in `binary_depth`.
    layers, steps : int
    reset : str
        "soft" or "hard".
    decay : float
        What a step leaves of the potential: 1 without a leak, exp(-dt/tau_m) with one.
    squared : float, optional
        Mean squared rate of the inputs; by default p0**2, as if all had the same.

    Returns
    -------
    ndarray, shape (layers,)
        Spikes per neuron and step of layers 1, 2 and so on.

    Notes
    -----
    What arrives at a neuron in a step is normal over neurons and steps. Its mean over time differs between neurons,
    with variance gain q, where q is the mean squared rate of the layer before; around that mean it varies with gain (p
    - q). For neurons of each mean, the density of the membrane potential is followed from step to step on a grid, which
    gives their rate (Brunel & Hakim 1999, Neural Comput 11:1621, for such a density; van Vreeswijk & Sompolinsky 1998,
    Neural Comput 10:1321, for the two variances). Since deep layers begin late, p and q are taken for each tenth of the
    time, and a neuron's mean grows and falls with sqrt(q).

    Assumed are wide layers, and within a tenth of the time spike trains without memory: that of a neuron in one step
    says nothing of the next. The second is right for inputs and wrong for neurons that fire regularly or in bursts. In
    simulations of ten layers of 500 neurons over 200 steps, with the gains 2 and 1/Q(1), the mean rates of five
    networks differ from the prediction by 0.022 at most, in layer 2, and by twice their own standard error
    (tests/test_theory_layers.py). Where few spikes come late, it predicts too many: over 50 steps at a gain of 2,
    layers of 2000 neurons fall under 1 % in layer 12.0 with hard reset and 15.1 with a time constant of 10 steps, and
    not in 14.7 and 16.9 as predicted.
    """
    _check(gain=gain, theta=theta, reset=reset)
    if not 0 < decay <= 1:
        raise ModelError(field_error("mean_field decay", "above 0, up to 1", decay))
    lengths = np.diff(np.linspace(0, steps, min(_PARTS, steps) + 1).round().astype(int))
    p = np.full(len(lengths), float(p0))
    q = np.full(len(lengths), float(p0) ** 2 if squared is None else float(squared))
    rates, (z, weight) = np.zeros(layers), _normal_nodes()
    for layer in range(layers):
        if lengths @ p < _NOTHING * steps:
            break
        spread, noise = np.sqrt(gain * q) / theta, np.sqrt(gain * np.maximum(p - q, 0)) / theta
        of_nodes = _rates(z, spread, noise, lengths, reset, decay)
        before, p, q = p, weight @ of_nodes, weight @ of_nodes**2
        rates[layer] = lengths @ p / steps
        if np.abs(p - before).max() < _SAME:
            rates[layer:] = rates[layer]
            break
    return rates


def _normal_nodes(size: int = 16) -> tuple[Floats, Floats]:
    """Where to take a function of a normal variable, and the weights of a mean: dense near 0, where neurons begin to
    fire."""
    x, w = np.polynomial.legendre.leggauss(size)
    u = (x + 1) / 2
    z, weight = 5 * u**2, w / 2 * 10 * u * _normal(5 * u**2)
    weight /= 2 * weight.sum()
    return np.concatenate([-z[::-1], z]), np.concatenate([weight[::-1], weight])


def _rates(z: Floats, spread: Floats, noise: Floats, lengths: NDArray[np.int64], reset: str, decay: float) -> Floats:
    """Rates of neurons that get z spread on average and this noise each step, in thresholds: shape (neurons, parts).

    The potential lives on a grid whose cells end at 0 and at the threshold. What falls between two grid points is
    shared by them such that its mean stays; that adds a sixth of a squared cell to the variance, which the noise has
    less. Nothing goes below the grid or, with soft reset, above it.
    """
    most = max(float(noise.max()), 0.01)
    cells = int(np.clip(np.ceil(2 / most), 8, 200))
    h = 1 / cells
    variance = lengths @ noise**2
    reach = float(np.sqrt(variance if decay == 1 else min(float(variance), most**2 / (1 - decay**2))))
    below = min(int(np.ceil(3 * reach / h)) + 1, _CELLS)
    above = min(int(np.ceil((1 + 2 * reach) / h)), _CELLS) if reset == "soft" else 0
    grid = (np.arange(below + cells + above) - below + 0.5) * h
    top = below + cells
    far = min(int(np.ceil((z.max() * spread.max() + 5 * most) / h)) + 1, len(grid))
    length = fft.next_fast_len(len(grid) + 2 * far, real=True)
    leak = _leak(grid, decay) if decay < 1 else None
    density, rates = np.zeros((len(z), len(grid))), np.zeros((len(z), len(lengths)))
    density[:, below - 1 : below + 1] = 0.5
    for part, steps in enumerate(lengths):
        if spread[part] + noise[part] < _NOTHING:
            continue
        of_step = noise[part] ** 2 - h**2 / 6 * (1 if decay == 1 else 2)
        spectrum = fft.rfft(_moves(z * spread[part], np.sqrt(max(of_step, (0.2 * h) ** 2)), h, far), length)
        for _ in range(steps):
            if leak is not None:
                density = density @ leak
            moved = fft.irfft(fft.rfft(density, length) * spectrum, length)
            density = moved[:, far : far + len(grid)].copy()
            density[:, 0] += moved[:, :far].sum(axis=1)
            over = moved[:, far + len(grid) : 2 * far + len(grid)].sum(axis=1)
            if reset == "soft":
                density[:, -1] += over
                fired = density[:, top:].copy()
                density[:, top:] = 0
                density[:, below : below + above] += fired
                rates[:, part] += fired.sum(axis=1) / steps
            else:
                density[:, below - 1 : below + 1] += over[:, None] / 2
                rates[:, part] += over / steps
    return np.clip(rates, 0, 1)


def _moves(mean: Floats, noise: float, h: float, far: int) -> Floats:
    """How likely the potential moves by -far to far grid points in a step, for each mean: shape (means, 2 far + 1)."""
    jump = np.arange(-far - 1, far + 2) * h
    x = (jump - mean[:, None]) / noise
    # The second difference of the integral of the distribution function: the normal density seen by tents of width h.
    density = np.diff(x * ndtr(x) + _normal(x), 2, axis=1) * noise / h
    lost = 1 - np.minimum(density.sum(axis=1), 1)
    density[:, -1] += np.where(mean > 0, lost, 0)
    density[:, 0] += np.where(mean > 0, 0, lost)
    return np.asarray(density)


def _leak(grid: NDArray[np.floating[Any]], decay: float) -> Floats:
    """Moves a density from v to decay v: shape (points, points)."""
    place = (decay * grid - grid[0]) / (grid[1] - grid[0])
    left = np.clip(np.floor(place).astype(int), 0, len(grid) - 2)
    share, rows = place - left, np.arange(len(grid))
    matrix = np.zeros((len(grid), len(grid)))
    matrix[rows, left], matrix[rows, left + 1] = 1 - share, share
    return matrix


def _check(*, gain: float = 1.0, theta: float = 1.0, reset: str = "soft") -> None:
    for name, value in {"gain": gain, "theta": theta}.items():
        if not value > 0:
            raise ModelError(field_error(name, "a positive number", value))
    if reset not in RESETS:
        raise ModelError(field_error("reset", " or ".join(RESETS), reset))
