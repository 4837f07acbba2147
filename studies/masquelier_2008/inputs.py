"""Spikes at random in which a pattern repeats: Masquelier, Guyonneau & Thorpe (2008), methods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

STEPS = 10
"""Time steps in a millisecond."""
LENGTH = 0.050
"""Of the pattern, in seconds."""
WINDOW = 50
"""The same in milliseconds."""
HIGHEST, NOISE = 90.0, 10.0  # Hz
LONGEST = 50.0  # ms without a spike
BLOCK = 1000  # milliseconds whose random numbers are drawn at once


@dataclass(frozen=True)
class Inputs:
    """Spikes of all inputs: time steps and numbers, and when the pattern begins (s)."""

    steps: NDArray[np.int32]
    neurons: NDArray[np.int32]
    onsets: NDArray[np.float64]
    with_pattern: int


def make_inputs(seed: Any, inputs: int, duration: float, frequency: float, jitter: float) -> Inputs:
    """Draw the inputs of one repetition; the pattern is in the first half of them."""
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    windows = max(2, int(duration * 1000) // WINDOW)
    at, of = _wandering(rng, inputs, windows * WINDOW)
    chosen = _windows(rng, windows, frequency)
    at, of = _repeat(rng, at, of, chosen, inputs // 2, jitter)
    noise = rng.poisson(NOISE * windows * WINDOW / 1000 * inputs)
    at = np.concatenate([at, rng.random(noise) * windows * WINDOW])
    of = np.concatenate([of, rng.integers(inputs, size=noise)])
    steps = np.clip((at * STEPS).astype(np.int32), 0, windows * WINDOW * STEPS - 1)
    return Inputs(steps, of.astype(np.int32), np.asarray(chosen * LENGTH, float), inputs // 2)


def _wandering(rng: np.random.Generator, inputs: int, milliseconds: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Spikes (ms) at rates that wander, and that never pause for longer than `LONGEST`."""
    fastest = np.float32(HIGHEST / LONGEST)  # Hz per ms
    rate = np.float32(HIGHEST) * rng.random(inputs, dtype=np.float32)
    change = fastest * (2 * rng.random(inputs, dtype=np.float32) - 1)
    last = -LONGEST * rng.random(inputs)
    least, most = np.float32(0), np.float32(HIGHEST)
    spikes, late = np.empty(inputs, bool), np.empty(inputs, bool)  # as new ones, 150,000 times over, would take longer
    at, of = [], []
    for begin in range(0, milliseconds, BLOCK):
        block = min(BLOCK, milliseconds - begin)
        chance, turn = rng.random((2, block, inputs), dtype=np.float32)
        chance *= 1000
        turn -= np.float32(0.5)
        turn *= 2 * fastest / 5
        for k in range(block):
            t = begin + k
            np.less(chance[k], rate, out=spikes)
            np.less(last, t + 1 - LONGEST, out=late)
            spiking = np.logical_or(spikes, late, out=spikes).nonzero()[0]
            times = rng.random(len(spiking))
            times += t
            last[spiking] = times
            at.append(times)
            of.append(spiking)
            rate += change
            np.minimum(np.maximum(rate, least, out=rate), most, out=rate)
            change += turn[k]
            np.minimum(np.maximum(change, -fastest, out=change), fastest, out=change)
    return np.concatenate(at), np.concatenate(of)


def _windows(rng: np.random.Generator, windows: int, frequency: float) -> NDArray[np.int64]:
    """Which windows have the pattern: so many, and never two on end."""
    wanted = max(2, int(windows * frequency))
    # Each is followed by one without; the others are shared out at random between them.
    gaps = np.sort(rng.choice(windows - wanted + 1, size=wanted, replace=False))
    return gaps + np.arange(wanted)


def _repeat(
    rng: np.random.Generator, at: NDArray[Any], of: NDArray[Any], chosen: NDArray[Any], with_pattern: int, jitter: float
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Replace the spikes of the inputs with the pattern, in the windows that have it, by those of the first one."""
    first = chosen[0] * WINDOW
    copied = (at >= first) & (at < first + WINDOW) & (of < with_pattern)
    pattern, whose = at[copied] - first, of[copied]
    replaced = np.isin((at // WINDOW).astype(np.int64), chosen) & (of < with_pattern)
    times = chosen[:, None] * WINDOW + pattern + jitter * rng.standard_normal((len(chosen), len(pattern)))
    everywhere = np.broadcast_to(whose, times.shape)
    return np.concatenate([at[~replaced], times.ravel()]), np.concatenate([of[~replaced], everywhere.ravel()])
