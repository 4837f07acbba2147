"""Figures of the study van_vreeswijk_sompolinsky_1996, from a saved result only."""

from __future__ import annotations

import numpy as np
from brian2 import ms

from biosnn.report import Figure, new_figure
from biosnn.study import SavedResult

EXC, INH, NET, CONTROL = "#0072b2", "#d55e00", "#000000", "#009e73"
STEP = 0.2  # ms


def plot(result: SavedResult) -> list[Figure]:
    return [_balance(result), _scaling(result)]


def _balance(result: SavedResult) -> Figure:
    figure, axes = new_figure(2, 2, width=8.5, height=5, height_ratios=[2, 1], sharex=True)
    k = int(max(result.arrays["inputs"]))
    for column, (name, title) in enumerate((("matched", "weights ∝ 1/√K"), ("control", "weights ∝ 1/K (control)"))):
        top, bottom = axes[0, column], axes[1, column]
        exc, inh = (result.arrays[f"{name}, shown {what}"] for what in ("excitation", "inhibition"))
        time = STEP * np.arange(len(exc))
        for trace, colour, label in ((exc, EXC, "excitation"), (-inh, INH, "inhibition"), (exc - inh, NET, "net")):
            top.plot(time, trace, color=colour, lw=0.8)
            beside = top.get_yaxis_transform()
            top.text(1.01, trace.mean(), label, color=colour, transform=beside, va="center", fontsize=8)
        top.axhline(1, color="0.5", lw=1, ls=":")
        top.set(title=f"{title}, K = {k}", ylabel="input / threshold")
        shown, cell = np.asarray(result.arrays[f"{name}, shown time"] / ms), result.arrays[f"{name}, shown cell"]
        bottom.plot(shown, cell, "|", ms=3, color=EXC)
        bottom.set(xlabel="time (ms)", ylabel="neuron", ylim=(-1, 50), xlim=(0, max(time[-1], 1)))
    caption = (
        "The input of one excitatory neuron and its parts, in units of the threshold (dotted), and when fifty neurons "
        "become active. With strong weights excitation and inhibition are many times the threshold and cancel, and "
        "their fluctuations cross it; with weak ones there is little left to fluctuate."
    )
    return Figure("balance", figure, caption)


def _scaling(result: SavedResult) -> Figure:
    figure, axes = new_figure(1, 3, width=9.5, height=3.2)
    k = result.arrays["inputs"]
    names = {"matched": ("o", "-", EXC, "matched thresholds"), "paper": ("s", "--", INH, "thresholds of the paper")}
    names["control"] = ("^", ":", CONTROL, "weights ∝ 1/K (control)")
    for name, (marker, line, colour, label) in names.items():
        fine = {"color": colour, "marker": marker, "ls": "", "ms": 5}
        axes[0].plot(k, result.arrays[f"{name}, activity E"], **fine)
        axes[0].plot(k, result.arrays[f"{name}, theory E"], color=colour, ls=line, lw=1)
        axes[1].plot(k, result.arrays[f"{name}, activity I"], **fine)
        axes[1].plot(k, result.arrays[f"{name}, theory I"], color=colour, ls=line, lw=1)
        axes[2].plot(k, result.arrays[f"{name}, fluctuations"], **{**fine, "ls": line, "lw": 1}, label=label)
    titles = ("activity, excitatory", "activity, inhibitory", "SD of net input / threshold")
    for one, title in zip(axes, titles, strict=True):
        one.set(xscale="log", xlabel="inputs K", ylabel=title, ylim=(0, None))
    figure.legend(loc="outside upper center", ncols=3, fontsize=8)
    caption = (
        "Mean activities and fluctuations for several numbers of inputs; lines of the first two are the mean-field "
        "theory. With the thresholds of the paper its correction falls as 1/√K; with matched ones it is none."
    )
    return Figure("scaling", figure, caption)
