"""Figures of the study stdp-frequency, from a saved result only."""

import numpy as np
from brian2 import Hz

from biosnn.report import Figure, new_figure
from biosnn.study import SavedResult

STYLES = {
    "minimal": ("#0072b2", "-", "o", "triplets, minimal"),
    "full": ("#009e73", "-", "s", "triplets, full"),
    "full nearest": ("#56b4e9", "-", "^", "triplets, full, nearest spikes"),
    "pair, best fit": ("#d55e00", "--", "v", "pairs, best fit"),
    "pair, Bi and Poo": ("#e69f00", ":", "D", "pairs, window of Bi & Poo"),
}


def plot(result: SavedResult) -> list[Figure]:
    figures = [_frequency(result)]
    return [*figures, _errors(result)] if "normalised error, minimal" in result.values else figures


def _frequency(result: SavedResult) -> Figure:
    f, sign = np.asarray(result.arrays["frequency"] / Hz), result.arrays["sign"]
    figure, both = new_figure(1, 2, width=8, height=4.3, sharey=True)
    for axes, side in zip(both, (1, -1), strict=True):
        here = sign == side
        axes.axhline(0, color="0.7", lw=0.8)
        for model, change in zip(result.arrays["models"], result.arrays["change"], strict=True):
            if str(model) in STYLES:
                colour, line, marker, label = STYLES[str(model)]
                axes.plot(f[here], 100 * change[here], line, marker=marker, ms=4, color=colour, label=label, lw=1.3)
        data, error = 100 * result.arrays["data"][here], 100 * result.arrays["data error"][here]
        axes.errorbar(
            *(f[here], data, error), fmt="o", ms=6, color="black", capsize=3, label="data ± standard error", zorder=5
        )
        order = "pre 10 ms before post" if side > 0 else "post 10 ms before pre"
        axes.set(xlabel="frequency of pairing (Hz)", title=order)
    both[0].set_ylabel("change of weight (%)")
    handles, labels = both[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=9)
    caption = (
        "Change of a synapse by 60 pairs of spikes against their frequency: data of Sjöström et al. 2001, the triplet "
        "models of Pfister & Gerstner 2006, and the rule for pairs, which cannot follow."
    )
    return Figure("frequency", figure, caption)


def _errors(result: SavedResult) -> Figure:
    names = [name for name in STYLES if f"normalised error, {name}" in result.values]
    errors = [result.values[f"normalised error, {name}"] for name in names]
    figure, axes = new_figure(width=6.4, height=2.8)
    at = np.arange(len(names))[::-1]
    bars = axes.barh(at, errors, color=[STYLES[name][0] for name in names], height=0.65)
    axes.bar_label(bars, [f"{error:.3g}" for error in errors], padding=4)
    axes.axvline(1, color="black", lw=0.8, ls=":")
    axes.set_xscale("log")
    axes.set(xlim=(0.1, 30), xlabel="normalised error")
    axes.set_yticks(at, [STYLES[name][3] for name in names])
    axes.set_xticks([0.1, 1, 10], ["0.1", "1", "10"])
    return Figure(
        "errors",
        figure,
        "Normalised error of each model: the mean squared deviation from the data, in standard errors of the data. At "
        "one, dotted, a model is as far from the data as their own error.",
    )
