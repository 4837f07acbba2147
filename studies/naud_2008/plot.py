"""Figures of the study naud_2008, from a saved result only."""

from typing import Any

import numpy as np
from brian2 import ms, mV, pA
from matplotlib.colors import ListedColormap

from biosnn.report import Figure, new_figure
from biosnn.study import SavedResult

BLUE, RED = "#0072b2", "#d55e00"
TWO_COLOURS = ListedColormap(["#f0f0f0", BLUE])


def plot(result: SavedResult) -> list[Figure]:
    return [_patterns(result), _table(result)]


def _patterns(result: SavedResult) -> Figure:
    """Beside figure 4 of the paper: potential over time, spikes drawn to 20 mV."""
    figure, axes = new_figure(4, 2, width=8, height=7.5, sharex=True, sharey=True)
    time = np.asarray(result.arrays["time"] / ms)
    panels = zip(*(result.arrays[name] for name in ("patterns", "potential", "spikes")), strict=True)
    currents = np.asarray(result.arrays["current"] / pA)
    table = result.arrays["table"]
    for number, (one, (name, potential, spikes)) in enumerate(zip(axes.flat, panels, strict=True)):
        one.plot(time, np.minimum(potential / mV, 0), color=BLUE, lw=0.8)
        one.vlines(np.asarray(spikes / ms), -45, 20, color=BLUE, lw=0.8)
        mark = "" if table[number, number] else " (not recognised)"
        one.set_title(f"{str(name).replace('_', ' ')}, {currents[number]:g} pA{mark}", fontsize=9)
        one.set(xlim=(0, time[-1]), ylim=(-80, 22))
    for one in axes[-1]:
        one.set_xlabel("time since the current was switched on (ms)")
    figure.supylabel("membrane potential (mV)", fontsize=10)
    caption = (
        "Eight firing patterns of the adaptive exponential neuron at a constant current, as in figure 4 of the paper. "
        "Spikes are drawn up to 20 mV."
    )
    return Figure("patterns", figure, caption)


def _table(result: SavedResult) -> Figure:
    names = [str(name).replace("_", " ") for name in result.arrays["patterns"]]
    shown = ["shown by cell"] if "shown by cell" in result.arrays else []
    figure, axes = new_figure(1, 1 + len(shown), width=4.6 + 3 * len(shown), height=4, squeeze=False)
    _matrix(axes[0, 0], result.arrays["table"], names, "rule", "answer", "which rules accept which answer")
    axes[0, 0].set_yticks(range(len(names)), names, fontsize=8)
    if shown:
        table = result.arrays["shown by cell"]
        _matrix(axes[0, 1], table, names, "cell", "current, and its rule", "which cells show a pattern")
        axes[0, 1].set_yticks([])
    caption = (
        "Left: rules that accept (blue) or reject the answer of each cell; they accept their own only. Right: the"
        " control, "
        "in which all cells get all currents: a row is a current with its rule, a column a cell."
    )
    return Figure("recognition", figure, caption)


def _matrix(axes: Any, table: Any, names: list[str], across: str, down: str, title: str) -> None:
    axes.imshow(np.asarray(table, dtype=float), cmap=TWO_COLOURS, vmin=0, vmax=1)
    axes.set_xticks(range(len(names)), names, rotation=90, fontsize=8)
    axes.set(xlabel=across, ylabel=down)
    axes.set_title(title, fontsize=9)
    axes.set_xticks(np.arange(-0.5, len(names)), minor=True)
    axes.set_yticks(np.arange(-0.5, len(names)), minor=True)
    axes.grid(which="minor", color="white", lw=0.8)
    axes.tick_params(length=0, which="both")
