"""Figures of the study izhikevich_2004, from a saved result only."""

import numpy as np
from brian2 import ms, mV

from biosnn.report import Figure, new_figure
from biosnn.report.recognition import recognition_figure
from biosnn.study import SavedResult

BLUE, GREY = "#0072b2", "0.35"


def plot(result: SavedResult) -> list[Figure]:
    arrays = result.arrays
    names, table, shown = arrays["patterns"], arrays["table"], arrays.get("shown by cell")
    recognition = recognition_figure(
        names, table, shown, answer="response", drive="stimulus", size=(6, 4.5, 5.6), fontsize=7
    )
    return [_patterns(result), recognition]


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
