"""The paper's mean-field theory of the balanced state, and the parameters of its figures."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.special import erfc
from scipy.stats import norm

# The figures of the paper: inputs from outside, weights of inhibition (those of excitation are 1), thresholds, time
# constants.
OUTSIDE = {"E": 1.0, "I": 0.8}
INHIBITION = {"E": 2.0, "I": 1.8}
THRESHOLDS = {"E": 1.0, "I": 0.7}
TAU = {"E": 1.0, "I": 0.9}
ACTIVITY_OUTSIDE = 0.1


def limit() -> dict[str, float]:
    """Mean activities where K is endless: those at which excitation and inhibition cancel."""
    over = ACTIVITY_OUTSIDE / (INHIBITION["E"] - INHIBITION["I"])
    exc = over * (INHIBITION["I"] * OUTSIDE["E"] - INHIBITION["E"] * OUTSIDE["I"])
    return {"E": exc, "I": over * (OUTSIDE["E"] - OUTSIDE["I"])}


def variance(name: str, active: Mapping[str, float]) -> float:
    """Of the input of a neuron: that of as many independent inputs as it has."""
    return active["E"] + INHIBITION[name] ** 2 * active["I"]


def matched_thresholds() -> dict[str, float]:
    """Thresholds with which activities are those of the limit at each K: the balance need not be off by anything."""
    active = limit()
    return {name: float(np.sqrt(variance(name, active)) * norm.isf(active[name])) for name in "EI"}


def activities(k: float, thresholds: Mapping[str, float], noise: float = 1.0) -> dict[str, float]:
    """Mean activities at which the network is consistent with itself, approached as the network does.

    ``k`` scales the mean input, by its square root; ``noise`` scales the variance of the input.
    """
    active = limit()
    for _ in range(10_000):
        wanted = {}
        for name in "EI":
            mean = OUTSIDE[name] * ACTIVITY_OUTSIDE + active["E"] - INHIBITION[name] * active["I"]
            sd = np.sqrt(noise * variance(name, active)) + 1e-12
            wanted[name] = 0.5 * erfc((thresholds[name] - np.sqrt(k) * mean) / sd / np.sqrt(2))
        active = {name: active[name] + 0.01 * (wanted[name] - active[name]) / TAU[name] for name in "EI"}
    return active
