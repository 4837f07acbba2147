"""Figures of the study brunel_2000, from a saved result only."""

from __future__ import annotations

import numpy as np
from brian2 import Hz, ms

from biosnn.report import Figure, new_figure
from biosnn.study import SavedResult

DATA, THEORY, SECOND = "#0072b2", "#000000", "#d55e00"
# As in figure 8 of the paper: how much time, and the highest rate of the population's (kHz).
SHOWN = {"A": 100, "B": 200, "C": 200, "D": 200}
TITLES = {"A": "synchronous, regular", "B": "synchronous, irregular, fast", "C": "asynchronous, irregular"}
TITLES["D"] = "synchronous, irregular, slow"


def plot(result: SavedResult) -> list[Figure]:
    return [_states(result), _spectra(result), _mean_field(result)]


def _parameters(result: SavedResult, name: str) -> str:
    g, eta = {"A": ("3", 2), "B": ("6", 4), "C": (result.settings["inhibition"], 2), "D": ("4.5", 0.9)}[name]
    return f"g = {float(g):g}, $\\nu_{{ext}}/\\nu_{{thr}}$ = {eta:g}"


def _states(result: SavedResult) -> Figure:
    figure, axes = new_figure(4, 2, width=8, height=7, height_ratios=[1.6, 1, 1.6, 1])
    for place, name in enumerate("ABCD"):
        row, column = divmod(place, 2)
        raster, activity = axes[2 * row, column], axes[2 * row + 1, column]
        middles = np.asarray(result.arrays[f"{name} shown middle"] / ms)
        end = middles[-1]
        begin = max(middles[0], end - SHOWN[name])
        time = np.asarray(result.arrays[f"{name} shown time"] / ms)
        late = time >= begin
        raster.plot(time[late] - begin, result.arrays[f"{name} shown cell"][late], "|", ms=3, color=DATA, mew=0.8)
        raster.set(title=f"{name}  {TITLES[name]}\n{_parameters(result, name)}", ylim=(-1, 50), ylabel="neuron")
        late = middles >= begin
        rate = np.asarray(result.arrays[f"{name} shown rate"] / Hz)[late] / 1000
        activity.fill_between(middles[late] - begin, rate, color=THEORY, lw=0, step="mid")
        activity.set(xlabel="time (ms)", ylabel="rate (kHz)", ylim=(0, None))
        for one in (raster, activity):
            one.set_xlim(0, end - begin)
        raster.tick_params(labelbottom=False)
    caption = (
        "The four states of figure 8 of the paper: spikes of 50 neurons, and the rate of the whole population in "
        "bins of 0.1 ms. A: all together, each regularly. B, D: the population oscillates, single neurons take part "
        "now and then. C: neither."
    )
    return Figure("states", figure, caption)


def _spectra(result: SavedResult) -> Figure:
    figure, axes = new_figure(1, 4, width=9, height=2.8, sharey=True)
    for one, name in zip(axes, "ABCD", strict=True):
        frequency = np.asarray(result.arrays[f"{name} frequency"] / Hz)
        high = (frequency > 0) & (frequency <= 500)
        one.semilogy(frequency[high], np.asarray(result.arrays[f"{name} power"] / Hz)[high], color=DATA, lw=1)
        one.axvline(float(result.values[f"{name} rate"] / Hz), color=SECOND, lw=1, ls=":")
        one.set(title=f"{name}, {_parameters(result, name)}", xlabel="frequency (Hz)", xlim=(0, 500))
        one.title.set_fontsize(8)
    axes[0].set_ylabel("power (Hz²/Hz)")
    caption = (
        "Power spectra of the population's rate in the four states; dotted, the rate of a neuron. Only in A do "
        "population and neurons have the same frequency, with harmonics."
    )
    return Figure("spectra", figure, caption)


def _mean_field(result: SavedResult) -> Figure:
    figure, axes = new_figure(width=4.5, height=3.6)
    for name, (x, y) in {"A": (-16, -4), "B": (8, -8), "C": (8, -8), "D": (8, -8)}.items():
        theory, found = (float(result.values[f"{name} {what}"] / Hz) for what in ("rate in mean field", "rate"))
        axes.loglog(theory, found, "o", color=DATA)
        axes.annotate(name, (theory, found), (x, y), textcoords="offset points")
    axes.plot([3, 500], [3, 500], color=THEORY, lw=1)
    axes.set(xlabel="mean-field rate (Hz)", ylabel="simulated rate (Hz)", xlim=(3, 500), ylim=(3, 500))
    caption = "Mean firing rates beside those at which the mean-field theory is consistent with itself; line: the same."
    return Figure("mean-field", figure, caption)
