"""The same network in plain NumPy, with nothing of biosnn or Brian2: an independent program to compare with.

    python independent.py [seconds] [networks]

prints rates and Fano factors of clustered and uniform networks.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Any

import numpy as np

N = runpy.run_path(str(Path(__file__).parent / "parameters.py"))


def weights(rng: Any, ratio: float) -> np.ndarray:
    """From each neuron (row) to each (column)."""
    exc, inh = N["SIZES"].values()
    cluster = N["cluster_of"](exc)
    same = cluster[:, None] == cluster[None, :]
    within, between = N["chances"](ratio, exc)
    table = np.zeros((exc + inh, exc + inh), np.float32)
    factor = N["STRONGER"] if ratio > 1 else 1.0
    drawn = rng.random((exc, exc), np.float32)
    table[:exc, :exc] = (drawn < np.where(same, within, between)) * np.where(same, factor, 1.0) * N["WEIGHTS"]["EE"]
    table[:exc, exc:] = (rng.random((exc, inh), np.float32) < N["CHANCES"]["IE"]) * N["WEIGHTS"]["IE"]
    table[exc:, :exc] = (rng.random((inh, exc), np.float32) < N["CHANCES"]["EI"]) * N["WEIGHTS"]["EI"]
    table[exc:, exc:] = (rng.random((inh, inh), np.float32) < N["CHANCES"]["II"]) * N["WEIGHTS"]["II"]
    return table


def simulate(ratio: float, seconds: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """When which neuron spiked (s, number), by the analytic form of the kernels in two filters each."""
    rng = np.random.default_rng(seed)
    exc, inh = N["SIZES"].values()
    table, dt = weights(rng, ratio), N["DT"]
    tau = np.repeat([N["TAU_M"]["E"], N["TAU_M"]["I"]], [exc, inh])
    drive = np.concatenate(
        [low + (high - low) * rng.random(N["SIZES"][name]) for name, (low, high) in N["DRIVE"].items()]
    )
    v, rest = rng.random(exc + inh), np.zeros(exc + inh)
    # Both exponentials of each kernel: what rises and what decays.
    rise_e, fall_e, rise_i, fall_i = np.zeros((4, exc + inh))
    wide_e, wide_i = N["TAU_EXC"] - N["TAU_RISE"], N["TAU_INH"] - N["TAU_RISE"]
    times, indices = [], []
    for step in range(round(seconds * 1000 / dt)):
        current = (fall_e - rise_e) / wide_e - (fall_i - rise_i) / wide_i
        awake = rest <= 0
        v = np.where(awake, v + dt * ((drive - v) / tau + current), v)
        rest -= dt
        rise_e *= 1 - dt / N["TAU_RISE"]
        rise_i *= 1 - dt / N["TAU_RISE"]
        fall_e *= 1 - dt / N["TAU_EXC"]
        fall_i *= 1 - dt / N["TAU_INH"]
        fired = np.flatnonzero(v >= 1)
        if len(fired):
            v[fired], rest[fired] = 0.0, N["T_REF"]
            from_e, from_i = table[fired[fired < exc]].sum(axis=0), table[fired[fired >= exc]].sum(axis=0)
            rise_e += from_e
            fall_e += from_e
            rise_i += from_i
            fall_i += from_i
            times.append(np.full(len(fired), step * dt / 1000))
            indices.append(fired)
    return np.concatenate(times), np.concatenate(indices)


def fano(at: np.ndarray, of: np.ndarray, begin: float, end: float, window: float = 0.1) -> np.ndarray:
    """Of excitatory neurons that spike, over successive windows."""
    exc, windows = N["SIZES"]["E"], int((end - begin) / window + 1e-6)
    inside = (of < exc) & (at >= begin) & (at < begin + windows * window)
    place = np.minimum(((at[inside] - begin) / window + 1e-9).astype(int), windows - 1)
    counts = np.bincount(place * exc + of[inside], minlength=windows * exc).reshape(windows, exc)
    mean = counts.mean(axis=0)
    return np.asarray(counts.var(axis=0)[mean > 0] / mean[mean > 0])


if __name__ == "__main__":
    length = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    networks = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    for chosen in (N["RATIO"], 1.0):
        for number in range(networks):
            at, of = simulate(chosen, length + 0.5, number)
            late = at >= 0.5
            rates = [np.sum(late & (of < 4000)) / 4000 / length, np.sum(late & (of >= 4000)) / 1000 / length]
            mean = fano(at, of, 0.5, length + 0.5).mean()
            print(f"ratio {chosen}: rates {rates[0]:.3f}, {rates[1]:.3f} Hz, Fano factor {mean:.4f}", flush=True)
