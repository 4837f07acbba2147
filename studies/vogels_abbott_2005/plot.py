"""Figures of the study vogels_abbott_2005, from a saved result only."""

from __future__ import annotations

import numpy as np
from brian2 import Hz, ms

from biosnn.report import Figure, new_figure
from biosnn.study import SavedResult

DATA, THEORY, SECOND = "#0072b2", "#000000", "#d55e00"


def plot(result: SavedResult) -> list[Figure]:
    names = [name for name in ("cuba", "coba") if f"{name} rate" in result.values]
    return [_rasters(result, names), _distributions(result, names)]


def _rasters(result: SavedResult, names: list[str]) -> Figure:
    figure, axes = new_figure(2, len(names), width=4.2 * len(names), height=5, squeeze=False, height_ratios=[2, 1])
    for column, name in enumerate(names):
        for one, what in ((axes[0, column], ""), (axes[1, column], "control ")):
            time = np.asarray(result.arrays[f"{name} {what}shown time"] / ms)
            cell = result.arrays[f"{name} {what}shown cell"]
            few = cell < 50 if what else cell < 200
            one.plot(time[few], cell[few], "|", ms=3, mew=0.8, color=SECOND if what else DATA)
            one.set(ylabel="neuron", xlim=(0, 250 if what else 500), ylim=(-1, 50 if what else 200))
        axes[0, column].set_title(f"{name.upper()}: {result.values[f'{name} rate'] / Hz:.1f} Hz")
        axes[1, column].set_title("without inhibition", fontsize=9)
        axes[1, column].set_xlabel("time (ms)")
    caption = (
        "Spikes of 200 neurons in half a second. Nothing drives the networks but their own spikes. Below, the "
        "control: without inhibition every neuron fires as fast as its refractory period allows."
    )
    return Figure("rasters", figure, caption)


def _distributions(result: SavedResult, names: list[str]) -> Figure:
    figure, (left, right) = new_figure(1, 2, width=7.5, height=3)
    for name, colour in zip(names, (DATA, SECOND), strict=False):
        rates = np.asarray(result.arrays[f"{name} each rate"] / Hz)
        irregularity = result.arrays[f"{name} each CV"]
        for one, seen, bins in (
            (left, rates, np.linspace(0, 80, 41)),
            (right, irregularity[np.isfinite(irregularity)], np.linspace(0, 4, 41)),
        ):
            share = np.full(len(seen), 100 / max(1, len(seen)))
            one.hist(seen, bins, weights=share, histtype="step", color=colour, lw=1.5, label=name.upper())
    left.set(xlabel="firing rate (Hz)", ylabel="neurons (%)", xlim=(0, 80))
    right.set(xlabel="CV of intervals", ylabel="neurons (%)", xlim=(0, 4))
    right.axvline(1, color=THEORY, lw=1, ls=":")
    left.legend()
    caption = "How rates and CV are distributed over neurons; dotted, the CV of a Poisson process."
    return Figure("distributions", figure, caption)
