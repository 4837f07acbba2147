"""Figures of the study naud_2008, from a saved result only."""

import numpy as np
from brian2 import ms, mV, pA

from biosnn.report import Figure, new_figure
from biosnn.report.recognition import recognition_figure
from biosnn.study import SavedResult

BLUE = "#0072b2"


def plot(result: SavedResult) -> list[Figure]:
    arrays = result.arrays
    return [
        _patterns(result),
        recognition_figure(arrays["patterns"], arrays["table"], arrays.get("shown by cell")),
    ]


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
