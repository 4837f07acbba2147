"""Figures of the study masquelier_2008, from a saved result only."""

import numpy as np
from brian2 import ms

from biosnn.report import Figure, new_figure
from biosnn.study import SavedResult

COLOURS = {"reduced": "#0072b2", "nearest": "#d55e00", "all": "#009e73"}
NAMES = {"reduced": "neighbours only", "nearest": "nearest spikes (control)", "all": "all pairs (control)"}


def plot(result: SavedResult) -> list[Figure]:
    rules = [rule for rule in COLOURS if f"{rule}: weights" in result.arrays]
    return [_latency(result, rules), _inputs(result)]


def _latency(result: SavedResult, rules: list[str]) -> Figure:
    figure, (left, right) = new_figure(1, 2, width=9, height=3.5, width_ratios=[1.7, 1])
    for rule in rules:
        latency = np.nan_to_num(np.asarray(result.arrays[f"{rule}: latencies"] / ms), nan=0.0)
        number = np.arange(1, len(latency) + 1)
        left.plot(number, latency, ".", ms=3 if rule == "reduced" else 5, color=COLOURS[rule], label=NAMES[rule])
    left.set(xlabel="number of the spike", ylabel="latency (ms)", ylim=(-1, 50), xlim=(0, None))
    left.set_title("time since the pattern began; 0 outside of it")
    left.legend(loc="upper right", markerscale=3, frameon=True, fontsize=9)
    edges = np.linspace(0, 1, 41)
    for rule in rules:
        weights = result.arrays[f"{rule}: weights"]
        share = 100 * np.histogram(weights, edges)[0] / len(weights)
        right.stairs(share, edges, color=COLOURS[rule], lw=1.6, ls="-" if rule == "reduced" else "--")
    right.set(xlabel="weight", ylabel="inputs (%)", xlim=(0, 1), yscale="log", ylim=(0.02, 100), title="at the end")
    caption = (
        "Left: when each spike comes, counted from the beginning of the pattern, as in figure 3 of the paper; spikes "
        "outside of the pattern are shown at 0. After some hundred the neuron fires within the pattern only, ever "
        "earlier. Where more spikes pair (controls) it soon falls silent. Right: the weights at the end."
    )
    return Figure("latency", figure, caption)


def _inputs(result: SavedResult) -> Figure:
    figure, axes = new_figure(width=6.6, height=4.2)
    weights = result.arrays["reduced: weights"]
    time = np.asarray(result.arrays["raster time"] / ms)
    cell = np.asarray(result.arrays["raster input"])
    order = np.argsort(weights[cell])
    shown = axes.scatter(time[order], cell[order], c=weights[cell][order], s=1.6, cmap="cividis_r", vmin=0, vmax=1)
    axes.axvspan(0, 50, color="#0072b2", alpha=0.10, lw=0)
    latency = float(result.arrays["reduced: each latency"][0] / ms)
    if np.isfinite(latency):
        axes.axvline(latency, color="#d55e00", lw=1.2, ls="--")
    axes.set(xlabel="time since the pattern began (ms)", ylabel="input", xlim=(-50, 100), ylim=(0, len(weights)))
    figure.colorbar(shown, label="weight at the end", pad=0.02)
    caption = (
        "Spikes of all inputs around one of the last presentations (shaded), as in figure 4 of the paper; dark dots "
        "are those of inputs that have become strong. The first half of the inputs has the pattern. Dashed: the "
        "mean latency of the neuron's spike, which follows the strong inputs at the beginning of the pattern."
    )
    return Figure("inputs", figure, caption)
