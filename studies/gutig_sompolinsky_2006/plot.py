"""Figures of the study gutig_sompolinsky_2006, from a saved result only."""

import numpy as np
from brian2 import ms
from matplotlib import colormaps

from biosnn.report import Figure, new_figure
from biosnn.study import SavedResult

BLUE, RED, BLACK = "#0072b2", "#d55e00", "#000000"


def plot(result: SavedResult) -> list[Figure]:
    figures = [_capacity(result)]
    if "potential" in result.arrays:
        figures.append(_potentials(result))
    return figures


def _capacity(result: SavedResult) -> Figure:
    figure, (left, right) = new_figure(1, 2, width=8.4, height=3.7)
    loads, cycles = np.asarray(result.arrays["load"]), np.asarray(result.arrays["cycles"])
    slope, offset = np.asarray(result.arrays["line"])
    capacity = float(result.values["capacity"])
    left.plot(np.repeat(loads, cycles.shape[1]), 1 / np.sqrt(cycles.ravel()), ".", color=BLUE, alpha=0.4, label="draws")
    left.plot(loads, result.arrays["speed"], "o", color=BLUE, label="median")
    ends = np.array([loads.min(), capacity])
    left.plot(ends, offset + slope * ends, color=BLACK, lw=1.2, label="straight line")
    left.plot(capacity, 0, "v", color=RED, ms=8, clip_on=False, label=f"capacity {capacity:.2f}")
    left.axvline(2, color="0.6", lw=1, ls="--")
    left.text(2.02, left.get_ylim()[1], "perceptron", fontsize=8, color="0.4", va="top")
    left.set(xlabel="load (patterns per afferent)", ylabel="1/√(cycles until learned)", ylim=(0, None), xlim=(0.9, 3.5))
    left.legend(loc="upper right", bbox_to_anchor=(1, 0.93), fontsize=8)
    shades = colormaps["viridis"](np.linspace(0.85, 0.05, len(loads)))
    for load, course, shade in zip(loads, np.asarray(result.arrays["errors"]), shades, strict=True):
        number = np.arange(1, len(course) + 1)
        right.plot(number, 100 * course, color=shade, label=f"{load:g}", lw=1.3)
    right.set(xscale="log", xlabel="cycle", ylabel="errors (%)", ylim=(0, 55))
    right.legend(title="load", fontsize=8, title_fontsize=8, loc="upper right")
    caption = (
        "Left: one over the square root of the cycles that a tempotron needs until it makes no error, against the "
        "number of patterns per afferent, with the straight line through the medians, which reaches zero at the "
        "capacity; dashed: what a perceptron can learn. Right: errors in each cycle, mean of all draws of a load."
    )
    return Figure("capacity", figure, caption)


def _potentials(result: SavedResult) -> Figure:
    """Beside figure 1 of the paper: a pattern of each kind, and the potential that it makes."""
    figure, axes = new_figure(2, 2, width=8.4, height=4.6, sharex=True, sharey="row")
    time = np.asarray(result.arrays["time"] / ms)
    titles = ("is to fire", "is to be silent")
    for column, (title, colour) in enumerate(zip(titles, (RED, BLUE), strict=True)):
        above, below = axes[:, column]
        spikes = np.asarray(result.arrays["spike times"][column] / ms)
        above.plot(spikes, result.arrays["afferents"][column], ".", ms=2.5, color=BLACK)
        above.set_title(f"a pattern at which the neuron {title}", fontsize=9)
        below.plot(time, result.arrays["potential"][column], color=colour, lw=1.1)
        below.axhline(1, color="0.5", lw=1, ls="--")
        below.set(xlabel="time (ms)", xlim=(0, time[-1]))
    axes[0, 0].set_ylabel("afferent")
    axes[1, 0].set_ylabel("potential (thresholds)")
    axes[1, 1].text(time[-1], 1.04, "threshold", fontsize=8, color="0.4", ha="right")
    caption = (
        "Two patterns of a learned task, above the spikes of the afferents, one each, below the membrane potential "
        "without a reset. The left one is to make the neuron fire, the right one is not."
    )
    return Figure("potentials", figure, caption)
