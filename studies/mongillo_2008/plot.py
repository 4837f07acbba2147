"""Figures of the study mongillo_2008, from a saved result only."""

from __future__ import annotations

import numpy as np
from brian2 import second

from biosnn.report import Figure, new_figure
from biosnn.study import SavedResult

CUED, OTHER, FACILITATION, RESOURCES = "#d55e00", "#000000", "#0072b2", "#009e73"
TITLES = {"A": "A: 22.7 mV", "B": "B: 23.7 mV", "C": "C: 24.1 mV"}
TITLES["control A"] = "A without facilitation (control)"
CUE, DELAY, READOUT = 0.35, 0.6, 0.25


def plot(result: SavedResult) -> list[Figure]:
    figure, axes = new_figure(2, 4, width=11, height=5, height_ratios=[2.2, 1], sharex="col")
    for (top, bottom), (name, title) in zip(axes.T, TITLES.items(), strict=True):
        time = np.asarray(result.arrays[f"{name} shown time"] / second)
        item, cell = result.arrays[f"{name} shown item"], result.arrays[f"{name} shown cell"]
        for number in range(5):
            here = item == number
            place = cell[here] + 85 * number
            top.plot(time[here], place, ".", ms=1, color=CUED if number == 0 else OTHER, rasterized=True)
        top.axvspan(-CUE, 0, color="0.85", lw=0)
        if name in ("A", "control A"):
            top.axvspan(DELAY, DELAY + READOUT, color="0.93", lw=0)
        top.set(
            title=title,
            xlim=(-1, {"A": 1, "B": 2.5, "C": 2.5}[name[-1]]),
            ylim=(-5, 425),
            yticks=[40 + 85 * number for number in range(5)],
        )
        top.set_yticklabels(["cued", "2", "3", "4", "5"])
        at = np.asarray(result.arrays[f"{name} shown time of plasticity"] / second)
        for key, colour in (("u", FACILITATION), ("x", RESOURCES)):
            bottom.plot(at, result.arrays[f"{name} shown {key}"], color=colour, lw=1.2)
        bottom.set(ylim=(0, 1.1), xlabel="time after the cue (s)")
    axes[0, 0].set_ylabel("item")
    axes[1, 0].set_ylabel("cued item")
    axes[1, 0].text(-0.95, 0.8, "resources x", color=RESOURCES, fontsize=8)
    axes[1, 0].text(-0.95, 0.06, "facilitation u", color=FACILITATION, fontsize=8)
    caption = (
        "Spikes of eighty neurons of each of the five items, and facilitation and resources of the synapses of the "
        "cued one. Shaded: the cue to the first item, and the readout to all of them. Last: the same as the first "
        "without facilitation."
    )
    return [Figure("rasters", figure, caption)]
