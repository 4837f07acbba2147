"""Figures of the study izhikevich_2003, from a saved result only."""

from __future__ import annotations

import numpy as np
from brian2 import Hz, ms, mV

from biosnn.report import Figure, new_figure
from biosnn.study import SavedResult

DATA, PROGRAM, CONTROL = "#0072b2", "#000000", "#d55e00"


def plot(result: SavedResult) -> list[Figure]:
    return [_raster(result), _spectrum(result)]


def _raster(result: SavedResult) -> Figure:
    figure, (top, bottom) = new_figure(2, 1, width=6.5, height=6, height_ratios=[3, 1], sharex=True)
    time, cell = np.asarray(result.arrays["shown time"] / ms), result.arrays["shown cell"]
    excites = cell < 800
    top.plot(time[excites], cell[excites], ".", ms=1, color=DATA)
    top.plot(time[~excites], cell[~excites], ".", ms=1, color=CONTROL)
    top.set(ylim=(0, 1000), xlim=(0, 1000), ylabel="neuron")
    top.text(1.01, 0.4, "excitatory", color=DATA, transform=top.transAxes, rotation=90, va="center")
    top.text(1.01, 0.9, "inhibitory", color=CONTROL, transform=top.transAxes, rotation=90, va="center")
    trace = np.array(result.arrays["shown potential"] / mV)
    trace[np.round(time[cell == 0]).astype(int)] = 30  # the peak of a spike, which lies within a step
    bottom.plot(np.arange(len(trace)), trace, color=PROGRAM, lw=0.8)
    bottom.set(xlabel="time (ms)", ylabel="v (mV)", ylim=(-90, 40))
    caption = (
        "As in figure 3 of the paper: spikes of the thousand neurons in one second, excitatory ones below, and the "
        "membrane potential of one excitatory neuron. Vertical stripes are times at which many fire together."
    )
    return Figure("raster", figure, caption)


def _spectrum(result: SavedResult) -> Figure:
    figure, axes = new_figure(width=6, height=3.4)
    frequency = np.asarray(result.arrays["frequency"] / Hz)
    high = frequency >= 1
    for name, label, style in (
        ("power", "network", {"color": DATA}),
        ("power, published program", "published program in NumPy", {"color": PROGRAM, "ls": ":"}),
        ("power, control", "without synapses (control)", {"color": CONTROL, "ls": "--"}),
    ):
        axes.semilogy(frequency[high], result.arrays[name][high], label=label, **style)
    for low, end, name in ((7, 14, "alpha"), (25, 70, "gamma")):
        axes.axvspan(low, end, color="0.92", lw=0)
        axes.text((low + end) / 2, 0.98, name, transform=axes.get_xaxis_transform(), ha="center", va="top", fontsize=8)
    axes.set(xlabel="frequency (Hz)", ylabel="power / that of independent neurons", xlim=(1, 100), ylim=(0.3, 300))
    axes.legend(loc="upper right", bbox_to_anchor=(1, 0.9))
    caption = (
        "The power spectrum of the population's rate, beside that of independent Poisson neurons of the same rate, "
        "which is 1: a peak in the alpha band, another in the gamma band, and neither without synapses."
    )
    return Figure("spectrum", figure, caption)
