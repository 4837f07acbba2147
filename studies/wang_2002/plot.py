"""Figures of the study wang_2002, from a saved result only."""

from __future__ import annotations

import numpy as np
from brian2 import Hz, second

from biosnn.report import Figure, new_figure
from biosnn.study import SavedResult

FIRST, SECOND, FIT = "#0072b2", "#d55e00", "#000000"


def plot(result: SavedResult) -> list[Figure]:
    figures = [_neurometric(result)]
    shown = [name for name in result.arrays if name.startswith("shown rates")]
    return [_decisions(result, shown), *figures]


def _decisions(result: SavedResult, shown: list[str]) -> Figure:
    figure, axes = new_figure(1, len(shown), width=2.6 * len(shown) + 0.6, height=3.2, sharey=True, squeeze=False)
    time = np.asarray(result.arrays["time"] / second) - 0.5
    for one, name in zip(axes[0], shown, strict=True):
        for trial in np.asarray(result.arrays[name] / Hz):
            for rate, colour in zip(trial, (FIRST, SECOND), strict=True):
                one.plot(time, rate, color=colour, lw=0.7, alpha=0.8)
        what = name.removeprefix("shown rates, ")
        one.axvspan(0, 1, color="0.93", lw=0)
        one.set(title="without NMDA (control)" if what == "control" else f"coherence {what} %", xlabel="time (s)")
        one.set(xlim=(-0.5, 1.5), ylim=(0, 60))
    axes[0, 0].set_ylabel("firing rate (Hz)")
    axes[0, 0].text(-0.45, 56, "first", color=FIRST, fontsize=8)
    axes[0, 0].text(-0.45, 52, "second", color=SECOND, fontsize=8)
    caption = (
        "The rates of the two populations in up to ten trials at several coherences; shaded, the stimulus, which "
        "favours the first. One ramps up, the other is suppressed, and both stay so; without NMDA receptors neither "
        "does."
    )
    return Figure("decisions", figure, caption)


def _neurometric(result: SavedResult) -> Figure:
    figure, axes = new_figure(width=4.5, height=3.4)
    coherence, right = result.arrays["coherence"], 100 * result.arrays["correct"]
    axes.plot(coherence, right, "o", color=FIRST, label="network")
    fine = np.geomspace(1, 100, 200)
    for threshold, slope, style, label in (
        (result.values["threshold"], result.values["slope"], {"color": FIRST}, "fit"),
        (9.2, 1.5, {"color": FIT, "ls": ":"}, "paper"),
    ):
        axes.plot(fine, 100 - 50 * np.exp(-((fine / threshold) ** slope)), label=label, **style)
    axes.set(xscale="log", xlabel="coherence (%)", ylabel="correct (%)", xlim=(0.9, 100), ylim=(40, 102))
    axes.legend(loc="lower right")
    caption = "The share of correct decisions at each coherence, the fit to it, and that of the paper."
    return Figure("neurometric", figure, caption)
