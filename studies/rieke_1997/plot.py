"""Figures of the study rieke_1997, from a saved result only."""

import numpy as np
from brian2 import Hz

from biosnn.report import Figure, new_figure
from biosnn.study import SavedResult

BLUE, RED, BLACK = "#0072b2", "#d55e00", "#000000"
KINDS = {"Poisson": "Poisson neuron", "LIF": "integrate-and-fire neuron"}


def plot(result: SavedResult) -> list[Figure]:
    return [_reconstruction(result), _coherence(result)]


def _reconstruction(result: SavedResult) -> Figure:
    figure, axes = new_figure(2, 1, width=7, height=4.6, sharex=True, sharey=True)
    for one, (kind, name) in zip(axes, KINDS.items(), strict=True):
        signal = np.asarray(result.arrays[f"{kind}, signal"])
        counts = np.asarray(result.arrays[f"{kind}, counts"])
        time = np.arange(len(signal))
        one.plot(time, signal, color=BLACK, lw=1, label="signal")
        one.plot(time, result.arrays[f"{kind}, estimate"], color=RED, label="estimate")
        one.vlines(np.flatnonzero(counts), -4.6, -4.1, color=BLUE, lw=0.7, label="spikes")
        fraction = float(result.values[f"{kind}, coding fraction"])
        one.set_title(f"{name}: coding fraction {fraction:.2f}", fontsize=9)
        one.set(xlim=(0, len(signal)), ylim=(-4.8, 4.2), ylabel="signal (s.d.)")
    axes[-1].set(xlabel="time (ms)")
    axes[0].legend(loc="upper right", ncols=3, fontsize=8)
    caption = (
        "A random signal, the spikes of one neuron that encodes it, and its estimate by the linear filter that "
        "was fitted to "
        "other neurons: above for a Poisson neuron, below for a leaky integrate-and-fire neuron in noise."
    )
    return Figure("reconstruction", figure, caption)


def _coherence(result: SavedResult) -> Figure:
    frequency = np.asarray(result.arrays["frequency"] / Hz)
    used = (frequency > 0) & (frequency < 60)
    figure, axes = new_figure(1, 2, width=7.5, height=3.4, sharex=True, sharey=True)
    for one, (kind, name) in zip(axes, KINDS.items(), strict=True):
        one.plot(frequency[used], result.arrays[f"{kind}, coherence"][used], ".", color=BLUE, ms=4, label="simulation")
        theory = np.asarray(result.arrays[f"{kind}, coherence in theory"])
        label = "closed form" if kind == "Poisson" else "closed form at low frequencies"
        one.plot(frequency[used], theory[used], color=BLACK, lw=1, ls="-" if kind == "Poisson" else "--", label=label)
        one.set(xlabel="frequency (Hz)", xscale="log", ylim=(-0.02, 0.6))
        one.set_title(name, fontsize=9)
        one.legend(loc="upper right", fontsize=8)
    axes[0].set(ylabel="squared coherence")
    caption = (
        "Squared coherence of spikes and signal, whose logarithm gives the information rate. Left: Poisson neuron"
        " with its "
        "closed form. Right: integrate-and-fire neuron with what Siegert's and Brunel's formulas say at low "
        "frequencies."
    )
    return Figure("coherence", figure, caption)
