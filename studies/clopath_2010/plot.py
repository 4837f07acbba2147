"""Figures of the study clopath_2010, from a saved result only."""

import numpy as np
from brian2 import Hz, ms, mV

from biosnn.report import Figure, new_figure
from biosnn.study import SavedResult

NEST = {"post-pre": (57.83, 72.17, 149.43), "pre-post": (103.30, 124.04, 157.03)}
STYLES = {"post-pre": ("#d55e00", "s"), "pre-post": ("#0072b2", "o")}


def plot(result: SavedResult) -> list[Figure]:
    return [_frequency(result), _membrane(result)]


def _frequency(result: SavedResult) -> Figure:
    figure, axes = new_figure(width=6.2, height=4)
    f = np.asarray(result.arrays["frequency"] / Hz)
    axes.axhline(100, color="0.8", lw=0.8)
    for k, order in enumerate(str(name) for name in result.arrays["orders"]):
        colour, marker = STYLES[order]
        axes.plot(f, result.arrays["weight"][k], marker=marker, color=colour, label=f"{order}, biosnn")
        axes.plot((10, 30, 50), NEST[order], "x", ms=9, color="black", label="NEST" if k == 0 else None, zorder=5)
        without = result.arrays["weight without filters"][k]
        axes.plot(f, without, ":", marker=marker, mfc="none", color=colour, label=f"{order}, no filters (control)")
    axes.set(xlabel="frequency of pairing (Hz)", ylabel="weight (% of the first)", xlim=(0, 60), ylim=(0, 200))
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=9)
    caption = (
        "Weight after 75 pairs of spikes 10 ms apart, against their frequency, as in figure 2 of the paper: with post "
        "before pre it falls at 10 Hz and grows at 50 Hz, with pre before post it grows. Crosses: NEST. Without the "
        "filtered membrane potential (the control) it hardly moves."
    )
    return Figure("frequency", figure, caption)


def _membrane(result: SavedResult) -> Figure:
    figure, axes = new_figure(width=6.6, height=3)
    t = np.asarray(result.arrays["time"] / ms)
    axes.plot(t, result.arrays["membrane potential"] / mV, color="#0072b2", lw=1.1, label="membrane potential u")
    axes.plot(t, result.arrays["filtered"] / mV, color="#d55e00", label="filtered and delayed, u_plus")
    axes.axhline(-45.3, color="black", lw=0.8, ls="--", label="threshold of potentiation")
    axes.set(xlim=(0, 125), ylim=(-80, 40), xlabel="time (ms)", ylabel="membrane potential (mV)")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=3, fontsize=8.5)
    seen = "the membrane potential and its filter"
    caption = f"What the synapse sees of its target at the highest frequency, post before pre: {seen}."
    return Figure("membrane-potential", figure, caption)
