"""Synfire chains: does a volley of spikes survive from group to group? (Diesmann, Gewaltig & Aertsen 1999)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from brian2 import Quantity, ms
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import expit, log_expit

from biosnn.display import Brief
from biosnn.propagation.chain import TAU_S, WEIGHT, Chain, CorticalChains, Setting, Spikes, drive, noise

Floats = NDArray[np.float64]

# A chain settles, then a volley comes every PERIOD, which is long enough for the one before it to have passed and for
# membranes to have returned to rest. The window in which a group's spikes are counted.
SETTLE, PERIOD, WINDOW = 60 * ms, 60 * ms, 10 * ms
CENTRE = PERIOD / 3


@dataclass(frozen=True, eq=False)
class Volleys(Brief):
    """What became of volleys.

    Parameters
    ----------
    spikes : ndarray, shape (spikes,)
        Spikes of a volley at the start, the a of the paper.
    sigmas : ndarray, shape (sigmas,)
        Standard deviations of their times (ms).
    packets : ndarray, shape (seeds, sigmas, spikes, volleys, groups)
        Spikes of each group within the 10 ms in which it has most.
    spreads : ndarray, the same shape
        Half the width (ms) of the middle 68.3 % of their times: their standard deviation, if they are Gaussian.
    background : ndarray, shape (seeds,)
        Firing rate (Hz) before the first volley.
    width : int
        Neurons per group.
    """

    spikes: Floats
    sigmas: Floats
    packets: Floats
    spreads: Floats
    background: Floats
    width: int

    @property
    def survived(self) -> NDArray[np.bool_]:
        """Whether half of the last group's neurons spike together, shape (seeds, sigmas, spikes, volleys)."""
        return np.asarray(self.packets[..., -1] >= self.width / 2)

    @property
    def midpoints(self) -> Floats:
        """At how many spikes half of the volleys survive, shape (seeds, sigmas)."""
        return np.array([[sigmoid(self.spikes, of_sigma)[0] for of_sigma in seed] for seed in self.survived])

    @property
    def fits(self) -> Floats:
        """Midpoint and width of the sigmoid of all seeds together, shape (sigmas, 2)."""
        pooled = np.moveaxis(self.survived, 0, -1).reshape(len(self.sigmas), len(self.spikes), -1)
        return np.array([sigmoid(self.spikes, of_sigma) for of_sigma in pooled])


def volley_trains(wanted: CorticalChains, seed: int) -> Spikes:
    """All volleys of one seed, one after the other: every number of spikes with every spread, several times."""
    rng, dt = np.random.default_rng([seed, 1]), float(wanted.dt / ms)
    steps, neurons = [], []
    for number, (sigma, a) in enumerate(_plan(wanted)):
        centre = float((SETTLE + number * PERIOD + CENTRE) / ms)
        steps.append(np.rint((centre + rng.normal(0, sigma, a)) / dt).astype(np.int64))
        neurons.append(np.arange(a))
    # None comes before the beginning, however wide a volley is.
    return Spikes(np.maximum(np.concatenate(steps), 0), np.concatenate(neurons))


def run_volleys(wanted: CorticalChains, chain: Chain, trains: Sequence[Spikes], seeds: Sequence[int]) -> Volleys:
    """Send all volleys of each seed along the chain."""
    n, plan = chain.groups * chain.width, _plan(wanted)
    steps = round(float((SETTLE + len(plan) * PERIOD) / chain.dt))
    same = {
        "steps": steps,
        "weights": np.full(chain.groups, 1.0) * WEIGHT,
        "mu": np.full(n, 1.0) * drive(),
        "sigma": np.full(n, 1.0) * noise(TAU_S),
        "tau_s": TAU_S,
    }
    shape = (len(wanted.sigmas), len(wanted.spikes), wanted.volleys, chain.groups, 2)

    def read(spikes: Spikes) -> tuple[Floats, float]:
        return _packets(spikes, chain, len(plan)).reshape(shape), _background(spikes, chain)

    results = chain.run([Setting(given, seed=seed, **same) for given, seed in zip(trains, seeds, strict=True)], read)
    packets = np.array([one for one, _ in results])
    return Volleys(
        np.array(wanted.spikes, dtype=float),
        np.array([float(sigma / ms) for sigma in wanted.sigmas]),
        packets[..., 0],
        packets[..., 1],
        np.array([rate for _, rate in results]),
        chain.width,
    )


def sigmoid(spikes: ArrayLike, survived: ArrayLike) -> tuple[float, float]:
    """Fit 1/(1 + exp(-(a - midpoint)/width)) to what survived, by maximum likelihood.

    Parameters
    ----------
    spikes : array_like, shape (spikes,)
        The a of each kind of volley.
    survived : array_like of bool, shape (spikes, volleys)

    Returns
    -------
    tuple of float
        Midpoint and width, both in spikes. The midpoint is within the values of a, the width not below half a spike: of
        volleys that all survive above some a, and never below, the likelihood would have it zero.
    """
    a, alive = np.asarray(spikes, dtype=float), np.asarray(survived, dtype=float)
    won, lost = alive.sum(axis=1), (1 - alive).sum(axis=1)

    def against(parameters: Floats) -> float:
        z = (a - parameters[0]) / parameters[1]
        return float(-(won @ log_expit(z) + lost @ log_expit(-z)))

    # As many kinds as have died would have, were they to die first: a start close to the end.
    start = np.interp((1 - alive.mean(axis=1)).sum() - 0.5, np.arange(len(a)), a)
    limits = [(a.min(), a.max()), (0.5, np.ptp(a) + 0.5)]
    midpoint, width = minimize(against, [start, 3.0], bounds=limits).x
    return float(midpoint), float(width)


def survival_of(spikes: ArrayLike, fit: ArrayLike) -> Floats:
    """The fitted sigmoid."""
    midpoint, width = np.asarray(fit)
    return np.asarray(expit((np.asarray(spikes) - midpoint) / width))


def _plan(wanted: CorticalChains) -> list[tuple[float, int]]:
    """The spread (ms) and number of spikes of each volley, in their order."""
    return [
        (float(sigma / ms), int(a)) for sigma in wanted.sigmas for a in wanted.spikes for _ in range(wanted.volleys)
    ]


def _packets(spikes: Spikes, chain: Chain, volleys: int) -> Floats:
    """How many spikes each group has of each volley, and how far apart, shape (volleys, groups, 2)."""
    dt = chain.dt
    volley, step = np.divmod(spikes.steps - round(float(SETTLE / dt)), round(float(PERIOD / dt)))
    cell = volley * chain.groups + spikes.neurons // chain.width
    kept = volley >= 0
    # In the order of volley, group and time, so that each group's spikes of a volley lie together.
    order = np.lexsort((step[kept], cell[kept]))
    times = step[kept][order] * float(dt / ms)
    ends = np.searchsorted(cell[kept][order], np.arange(volleys * chain.groups + 1))
    packets = [_packet(times[first:last]) for first, last in pairwise(ends)]
    return np.reshape(packets, (volleys, chain.groups, 2))


def _packet(times: Floats) -> tuple[float, float]:
    """Spikes in the window that has most of them, and half the width of the middle 68.3 % of their times."""
    if not len(times):
        return 0.0, np.nan
    ends = np.searchsorted(times, times + float(WINDOW / ms), side="right")
    first = int(np.argmax(ends - np.arange(len(times))))
    inside = times[first : ends[first]]
    low, high = np.percentile(inside, (15.87, 84.13))  # one standard deviation to each side of a normal distribution
    return float(len(inside)), float(high - low) / 2


def _background(spikes: Spikes, chain: Chain) -> float:
    """Firing rate (Hz) in the second half of the time in which the chain settles."""
    settle = SETTLE / chain.dt
    counted = np.sum((spikes.steps >= settle / 2) & (spikes.steps < settle))
    return float(counted / (chain.groups * chain.width * float(SETTLE / 2 / Quantity(1, dim=chain.dt.dim))))
