"""Figures of the study izhikevich_2004, from a saved result only."""

from typing import Any

import numpy as np
from brian2 import ms, mV

from biosnn.report import Figure, new_figure
from biosnn.study import SavedResult

BLUE, GREY = "#0072b2", "0.35"
LIGHT = "#f0f0f0"


def plot(result: SavedResult) -> list[Figure]:
    return [_patterns(result), _table(result)]


def _patterns(result: SavedResult) -> Figure:
    """Beside figure 1 of the paper: the same panels, potential from -90 to 30 mV, the stimulus below."""
    figure, axes = new_figure(5, 4, width=9, height=8)
    panels = zip(*(result.arrays[name] for name in ("panels", "patterns", "time", "potential", "drive")), strict=True)
    table = result.arrays["table"]
    for number, (one, (letter, name, time, potential, drive)) in enumerate(zip(axes.flat, panels, strict=True)):
        t, x = np.asarray(time / ms), np.asarray(drive / (mV / ms))
        one.plot(t, potential / mV, color=BLUE, lw=0.9)
        spread = np.nanmax(np.abs(x - x[0]))
        one.plot(t, -100 + 10 * (x - x[0]) / spread, color=GREY, lw=0.9)
        mark = "" if table[number, number] else " (not recognised)"
        one.set_title(f"({letter}) {str(name).replace('_', ' ')}{mark}", fontsize=8)
        one.set(xlim=(0, np.nanmax(t)), ylim=(-112, 32))
        one.axis("off")
        scale = 20 if np.nanmax(t) < 250 else 50
        one.plot([np.nanmax(t) - scale, np.nanmax(t)], [-70 if drive[-1] > drive[0] else -110] * 2, color="k", lw=2)
    caption = (
        "Twenty responses of the model, each with its stimulus in grey below, in the panels of figure 1 of the paper. "
        "Membrane potential from -90 to 30 mV; the black bar is 20 ms, in panels of 300 ms and more 50 ms."
    )
    return Figure("patterns", figure, caption)


def _table(result: SavedResult) -> Figure:
    names = [str(name).replace("_", " ") for name in result.arrays["patterns"]]
    shown = ["shown by cell"] if "shown by cell" in result.arrays else []
    figure, axes = new_figure(1, 1 + len(shown), width=6 + 4.5 * len(shown), height=5.6, squeeze=False)
    _matrix(axes[0, 0], result.arrays["table"], names, "rule", "response")
    axes[0, 0].set_title("which rules accept which response", fontsize=9)
    axes[0, 0].set_yticks(range(len(names)), names, fontsize=7)
    if shown:
        _matrix(axes[0, 1], np.asarray(result.arrays["shown by cell"]), names, "cell", "stimulus, and its rule")
        axes[0, 1].set_title("which cells show a pattern, given its stimulus", fontsize=9)
        axes[0, 1].set_yticks([])
    caption = (
        "Left: rules that accept (blue) or reject each response; they accept their own only. Right: the control, "
        "in which "
        "all cells get all stimuli: a row is a stimulus with its rule, a column a cell."
    )
    return Figure("recognition", figure, caption)


def _matrix(axes: Any, table: Any, names: list[str], across: str, down: str) -> None:
    axes.imshow(np.asarray(table, dtype=float), cmap=_two_colours(), vmin=0, vmax=1)
    axes.set_xticks(range(len(names)), names, rotation=90, fontsize=7)
    axes.set(xlabel=across, ylabel=down)
    axes.set_xticks(np.arange(-0.5, len(names)), minor=True)
    axes.set_yticks(np.arange(-0.5, len(names)), minor=True)
    axes.grid(which="minor", color="white", lw=0.8)
    axes.tick_params(length=0, which="both")


def _two_colours() -> Any:
    from matplotlib.colors import ListedColormap

    return ListedColormap([LIGHT, BLUE])
