"""Figures of the study litwin_kumar_doiron_2012, from a saved result only."""

from __future__ import annotations

import numpy as np
from brian2 import Hz, second

from biosnn.report import Figure, new_figure
from biosnn.study import SavedResult

COLOURS = {"uniform": "#d55e00", "clustered": "#0072b2", "stimulated": "#009e73"}
TITLES = {"uniform": "uniform (control)", "clustered": "clustered", "stimulated": "clustered, lowest five stimulated"}


def plot(result: SavedResult) -> list[Figure]:
    return [_rasters(result), _fano(result)]


def _rasters(result: SavedResult) -> Figure:
    figure, axes = new_figure(2, 3, width=10, height=5.6, height_ratios=[4, 1], sharex=True)
    for (top, bottom), (name, colour) in zip(axes.T, COLOURS.items(), strict=True):
        time = np.asarray(result.arrays[f"{name}, shown time"] / second)
        top.plot(time, result.arrays[f"{name}, shown cell"], ".", ms=0.7, color=colour, rasterized=True)
        top.set(title=TITLES[name], ylim=(0, 1600), xlim=(0, 2))
        rate = np.asarray(result.arrays[f"{name}, shown rate"] / Hz)
        bottom.plot(0.02 * (np.arange(len(rate)) + 0.5), rate, color=colour, lw=1)
        bottom.set(xlabel="time (s)", ylim=(0, 80))
    axes[0, 0].set_ylabel("excitatory neuron")
    axes[1, 0].set_ylabel("most variable\ncluster (Hz)")
    caption = (
        "Two seconds of 1600 excitatory neurons, twenty clusters of 80 in a row, and the rate of the one that changes "
        "most. With clusters, some are active together for a while; a stimulus keeps those that get it active."
    )
    return Figure("rasters", figure, caption)


def _fano(result: SavedResult) -> Figure:
    figure, (left, right) = new_figure(1, 2, width=8, height=3.3, width_ratios=[2, 1])
    bins = np.linspace(0, 4, 81)
    for name, colour in COLOURS.items():
        fano = result.arrays[f"{name}, each Fano factor"]
        if name == "stimulated":
            continue
        share = np.histogram(np.clip(fano[np.isfinite(fano)], 0, 3.99), bins)[0] / np.isfinite(fano).sum()
        left.stairs(share, bins, color=colour, lw=1.5, label=TITLES[name])
    left.axvline(1, color="0.5", ls=":", lw=1)
    left.set(xlabel="Fano factor in 100 ms", ylabel="share of excitatory neurons", xlim=(0, 4))
    left.legend(loc="upper right")
    names = ("uniform", "clustered", "stimulated")
    means = [result.values[f"{name}, Fano factor of the clusters to be stimulated"] for name in names]
    right.bar(range(3), means, color=[COLOURS[name] for name in names], width=0.6)
    right.axhline(1, color="0.5", ls=":", lw=1)
    right.set(xticks=range(3), ylabel="mean Fano factor,\nfive clusters")
    right.set_xticklabels(["uniform", "clustered", "clustered,\nstimulated"], fontsize=8)
    caption = (
        "Fano factors of spike counts in 100 ms (a Poisson process has 1, dotted): of all excitatory neurons, and the "
        "mean of those of five clusters, without and with a stimulus to them."
    )
    return Figure("fano", figure, caption)
