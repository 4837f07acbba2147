"""The network by the published program's own steps, in plain NumPy; nothing of biosnn or Brian2.

Only the order in which random numbers are drawn is another. Units: ms and mV.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def simulate(
    seconds: float, step: float, sizes: Mapping[str, int], seed: int, coupling: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """When which neuron spiked (s, number)."""
    rng = np.random.default_rng(seed)
    a, b, c, d, sigma = neurons(rng, sizes)
    exc, total = sizes["E"], sum(sizes.values())
    weights = coupling * np.hstack([0.5 * rng.random((total, exc)), -rng.random((total, sizes["I"]))])
    v = np.full(total, -65.0)
    u = b * v
    times, indices = [], []
    for number in range(round(seconds / step)):
        drive = sigma * rng.standard_normal(total)
        fired = np.flatnonzero(v >= 30)
        times.append(np.full(len(fired), number * step))
        indices.append(fired)
        v[fired] = c[fired]
        u[fired] += d[fired]
        v, u = advance(v, u, drive + weights[:, fired].sum(axis=1), a, b)
    return np.concatenate(times), np.concatenate(indices)


def neurons(rng: Any, sizes: Mapping[str, int]) -> tuple[np.ndarray, ...]:
    """Parameters a, b, c, d of each neuron, and how strong its input is."""
    exc, inh = rng.random(sizes["E"]), rng.random(sizes["I"])
    a = np.concatenate([np.full(len(exc), 0.02), 0.02 + 0.08 * inh])
    b = np.concatenate([np.full(len(exc), 0.2), 0.25 - 0.05 * inh])
    c = np.concatenate([-65 + 15 * exc**2, np.full(len(inh), -65.0)])
    d = np.concatenate([8 - 6 * exc**2, np.full(len(inh), 2.0)])
    return a, b, c, d, np.repeat([5.0, 2.0], [len(exc), len(inh)])


def advance(
    v: np.ndarray, u: np.ndarray, drive: np.ndarray, a: np.ndarray, b: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """One step of 1 ms: two halves of the membrane equation, then the recovery variable with the new potential."""
    for _ in range(2):
        v = v + 0.5 * (0.04 * v**2 + 5 * v + 140 - u + drive)
    return v, u + a * (b * v - u)
