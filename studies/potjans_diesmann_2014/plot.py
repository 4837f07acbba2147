"""Figures of the study potjans_diesmann_2014, from a saved result only."""

from __future__ import annotations

import numpy as np
from brian2 import Hz, ms

from biosnn.report import Figure, new_figure
from biosnn.study import SavedResult

EXCITES, INHIBITS, PUBLISHED = "#0072b2", "#d55e00", "#000000"
LABELS = {"L23E": "2/3E", "L23I": "2/3I"} | {f"L{n}{s}": f"{n}{s}" for n in (4, 5, 6) for s in "EI"}


def plot(result: SavedResult) -> list[Figure]:
    return [_activity(result), _networks(result)]


def _names(result: SavedResult) -> tuple[list[str], list[str]]:
    names = [str(name) for name in result.arrays["population"]]
    return [LABELS[name] for name in names], [EXCITES if name.endswith("E") else INHIBITS for name in names]


def _activity(result: SavedResult) -> Figure:
    """Figure 6 of the paper: raster, rates of neurons, irregularity, synchrony."""
    names, colours = _names(result)
    figure, axes = new_figure(1, 4, width=10, height=4.6, width_ratios=[2.4, 1, 1, 1])
    raster, *others = axes
    ends = np.cumsum([0, *result.arrays["shown rows"]])
    time, row = np.asarray(result.arrays["shown time"] / ms), result.arrays["shown row"]
    for first, last, colour in zip(ends, ends[1:], colours, strict=False):
        here = (row >= first) & (row < last)
        raster.plot(time[here], row[here], ".", ms=1.2, color=colour)
    raster.set(xlabel="time (ms)", xlim=(0, 400), ylim=(ends[-1], 0))
    raster.set_yticks((ends[1:] + ends[:-1]) / 2, names)
    at = np.arange(8)
    boxes = [
        {"med": q[2], "q1": q[1], "q3": q[3], "whislo": q[0], "whishi": q[4], "fliers": []}
        for q in np.asarray(result.arrays["quartiles"] / Hz)
    ]
    drawn = others[0].bxp(
        boxes, positions=at, orientation="horizontal", showfliers=False, patch_artist=True, widths=0.7
    )
    for box, colour in zip(drawn["boxes"], colours, strict=True):
        box.set(facecolor=colour, alpha=0.5)
    for line in drawn["medians"]:
        line.set_color(PUBLISHED)
    others[0].set(xlabel="firing rate (Hz)", xlim=(0, 20))
    for one, what, label in ((others[1], "CV2", "CV2 of intervals"), (others[2], "synchrony", "synchrony")):
        one.barh(at, result.arrays[what], color=colours, height=0.7)
        one.set(xlabel=label, xlim=(0, None))
    for one in others:
        one.set_yticks(at, names)
        one.set_ylim(7.6, -0.6)
    caption = (
        "As figure 6 of the paper: spikes of a fortieth of the neurons, blue excitatory, orange inhibitory; firing "
        "rates of the neurons of each population (median, quartiles, 5 and 95 %); mean irregularity; synchrony, "
        "variance by mean of counts in 3 ms."
    )
    return Figure("activity", figure, caption)


def _networks(result: SavedResult) -> Figure:
    names, colours = _names(result)
    published = np.asarray(result.arrays["published"] / Hz)
    figure, axes = new_figure(width=6, height=3.4)
    at = np.arange(8)
    axes.bar(at, published, color="0.85", label="published")
    axes.errorbar(at, published, 0.1 * published, fmt="none", color="0.5", capsize=4, label="±10 %")
    for each in np.asarray(result.arrays["rate of each network"] / Hz):
        axes.scatter(at, each, c=colours, s=14, zorder=3)
    axes.set_xticks(at, names)
    axes.set(ylabel="firing rate (Hz)", ylim=(0, None))
    axes.legend(loc="upper left")
    caption = (
        "Mean firing rate of each population: a point for each network, beside what the authors' implementation gives."
    )
    return Figure("rates", figure, caption)
