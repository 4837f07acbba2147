"""Figures of the study stdp-window, from a saved result only."""

import numpy as np
from brian2 import ms

from biosnn.report import Figure, new_figure
from biosnn.study import SavedResult

DATA, THEORY, FIT = "#0072b2", "#000000", "#d55e00"
COLUMNS, PANELS = 3, 6


def plot(result: SavedResult) -> list[Figure]:
    rules = [str(name) for name in result.arrays["rules"]]
    pages = [rules[begin : begin + PANELS] for begin in range(0, len(rules), PANELS)]
    figures = [
        _windows(result, what, page, f"-{number}" if number > 1 else "")
        for what in ("single", "trains")
        for number, page in enumerate(pages, 1)
    ]
    return [_bi_poo(result), *figures] if "tau_plus" in result.values else figures


def _bi_poo(result: SavedResult) -> Figure:
    delta = np.asarray(result.arrays["single"] / ms)
    window = 60 * 100 * result.arrays["stdp_pair, single"]
    t = np.linspace(0, delta.max(), 400)
    figure, axes = new_figure(width=6.4, height=3.8)
    axes.axhline(0, color="0.7", lw=0.8)
    axes.axvline(0, color="0.7", lw=0.8)
    axes.plot(t, 77.7 * np.exp(-t / 16.8), color=FIT, lw=1.4, label="fit of Bi & Poo")
    axes.plot(-t, -27.3 * np.exp(-t / 33.7), color=FIT, lw=1.4)
    axes.plot(delta, window, "o", ms=3.5, color=DATA, label="60 simulated pairs")
    axes.set(xlabel="t$_{post}$ - t$_{pre}$ (ms)", ylabel="change of weight (%)", xlim=(delta.min(), delta.max()))
    axes.legend(loc="upper left")
    caption = "The window of pair STDP, simulated, and the curves that Bi & Poo fitted to their hippocampal neurons."
    return Figure("bi-poo", figure, caption)


def _windows(result: SavedResult, what: str, rules: list[str], number: str) -> Figure:
    rows = -(-len(rules) // COLUMNS)
    delta = np.asarray(result.arrays[what] / ms)
    figure, grid = new_figure(rows, COLUMNS, width=9.5, height=0.5 + 2.4 * rows, sharex=True, squeeze=False)
    handles = {}
    for axes, rule in zip(grid.flat, rules, strict=False):
        axes.axhline(0, color="0.7", lw=0.8)
        axes.axvline(0, color="0.7", lw=0.8)
        if f"{rule}, {what} exact" in result.arrays:
            exact = result.arrays[f"{rule}, {what} exact"]
            if what == "trains":  # which spikes form pairs changes by jumps, so a line would mislead
                (handles["closed form"],) = axes.plot(delta, exact, "+", ms=8, color=THEORY, mew=1)
            else:
                for side in (delta < 0, delta >= 0):
                    (handles["closed form"],) = axes.plot(delta[side], exact[side], color=THEORY, lw=1)
        (handles["simulation"],) = axes.plot(delta, result.arrays[f"{rule}, {what}"], "o", ms=2.2, color=DATA)
        axes.set_title(rule)
        axes.ticklabel_format(axis="y", style="sci", scilimits=(-2, 3))
    for axes in grid.flat[len(rules) :]:
        axes.set_visible(False)
    for k in range(max(0, len(rules) - COLUMNS), len(rules)):
        grid.flat[k].tick_params(labelbottom=True)
    figure.supxlabel("t$_{post}$ - t$_{pre}$ (ms)")
    figure.supylabel("change of weight" if what == "single" else "change of weight by a train")
    figure.legend(handles.values(), handles.keys(), loc="outside upper right", ncols=2)
    by = "one pair of spikes" if what == "single" else "a short train of presynaptic doublets and postsynaptic spikes"
    caption = f"Change of weight (for rstdp, of eligibility) by {by}: simulation against closed form."
    return Figure(f"windows-{what}{number}", figure, caption)
