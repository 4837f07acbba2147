"""Draw adjoint.png: a neuron forward in time, and what its loss changes by, backward in time.

python docs/images/adjoint.py
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray

TAU_M, TAU_S, STEP, END = 20.0, 5.0, 0.001, 30.0
ARRIVALS, WEIGHTS = (2.0, 6.0, 9.0, 14.0), (5.0, 4.0, 4.0, 5.0)
BLUE, ORANGE, GREY = "#0072b2", "#d55e00", "#8c8c8c"

Array = NDArray[np.float64]


def forward(weights: Any = WEIGHTS) -> tuple[Array, Array, list[int]]:
    """Potential and current at each step, and the steps in which the neuron spikes (v = 1; then v = 0)."""
    steps = round(END / STEP)
    v, current, spikes = np.zeros(steps), np.zeros(steps), []
    arriving = {round(at / STEP): w for at, w in zip(ARRIVALS, weights, strict=True)}
    for k in range(1, steps):
        v[k] = v[k - 1] + STEP * (current[k - 1] - v[k - 1]) / TAU_M
        current[k] = current[k - 1] * (1 - STEP / TAU_S) + arriving.get(k, 0.0)
        if v[k] > 1:
            spikes.append(k)
            v[k] = 0
    return v, current, spikes


def backward(current: Array, spikes: list[int]) -> tuple[Array, Array]:
    """What the time of the last spike changes by with the potential and with the current, at each step."""
    of_v, of_current = np.zeros_like(current), np.zeros_like(current)
    for k in range(len(current) - 2, -1, -1):
        of_v[k] = of_v[k + 1] * (1 - STEP / TAU_M)
        of_current[k] = of_current[k + 1] * (1 - STEP / TAU_S) + of_v[k + 1] * STEP / TAU_M
        if k in spikes:
            slope = (current[k] - 1) / TAU_M
            moved = float(k == spikes[-1]) - of_v[k] * current[k] / TAU_M
            of_v[k] = -moved / slope
    return of_v, of_current


def main() -> None:
    """Both directions, one above the other."""
    v, current, spikes = forward()
    of_v, of_current = backward(current, spikes)
    time = STEP * np.arange(len(v))
    figure, axes = plt.subplots(2, 1, figsize=(8.2, 5.4), sharex=True, layout="constrained")
    axes[0].plot(time, v, color=BLUE, label="membrane potential v")
    axes[0].plot(time, current / 10, color=ORANGE, label="synaptic current I (a tenth)")
    axes[0].axhline(1, color=GREY, ls=":", lw=1)
    axes[0].set_title("forward in time →", loc="left", fontsize=11)
    axes[1].plot(time, of_v, color=BLUE, label="λ of v")
    axes[1].plot(time, of_current, color=ORANGE, label="λ of I")
    at = [round(arrival / STEP) for arrival in ARRIVALS]
    axes[1].plot(time[at], of_current[at], "o", color=ORANGE, ms=7, label="gradients of the four weights")
    axes[1].axhline(0, color=GREY, lw=0.7)
    axes[1].set_title("← backward in time: what the time of the last spike changes by", loc="left", fontsize=11)
    for axis in axes:
        for k in spikes:
            axis.axvline(k * STEP, color="black", ls="--", lw=0.9)
        for arrival in ARRIVALS:
            axis.axvline(arrival, color=GREY, lw=0.6)
        axis.legend(fontsize=9, loc="upper right" if axis is axes[0] else "lower right")
        axis.spines[["top", "right"]].set_visible(False)
    axes[1].set_xlabel("time (ms); grey: spikes that arrive, dashed: spikes of the neuron")
    figure.savefig(Path(__file__).parent / "adjoint.png", dpi=150)
    for k, place in enumerate(at):
        both = [np.array(WEIGHTS) + sign * 0.05 * (np.arange(4) == k) for sign in (1, -1)]
        late, early = (STEP * forward(changed)[2][len(spikes) - 1] for changed in both)
        print(f"weight {k}: {of_current[place]:.4f} ms; by central differences {(late - early) / 0.1:.4f} ms")


if __name__ == "__main__":
    main()
