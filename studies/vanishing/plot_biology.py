"""Figures of part 3, biology, drawn from the saved result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from biosnn.measure import interval
from biosnn.report import Figure, graded, new_figure
from biosnn.report.figures import COLOURS

GREY = "#777777"
MARKERS = "osD^v"
# A group with fewer spikes than this has no volley any more, and no spread to be drawn.
GONE = 15
LAYERS = 4
TITLES = {"noise 1": "kept rates, with noise", "noise 0": "kept rates, without noise"}


def biology_figures(result: Any) -> list[Figure]:
    """Draw synfire chains, and the propagation of rates.

    Parameters
    ----------
    result : SavedResult
        With the arrays of `biology_arrays`.
    """
    return [_synfire(result.arrays), _propagation(result.arrays)]


# ---- synfire chains ------------------------------------------------------------------------------------------------


def _synfire(arrays: Mapping[str, Any]) -> Figure:
    figure, axes = new_figure(1, 2, width=9.6, height=4.2)
    _survival(axes[0], arrays)
    _state_space(axes[1], arrays)
    seeds, _, _, volleys = arrays["biology survived"].shape
    groups = arrays["biology packets"].shape[-1]
    caption = (
        f"Left: fraction of volleys that make half of the last of {groups} groups spike together, by how many spikes "
        f"they have at the start; {seeds} chains, {volleys} volleys of each kind in each; bars: 95 % Wilson intervals. "
        "Lines: a sigmoid, fitted by maximum likelihood; dotted: where it is one half. Right: what becomes of single "
        "volleys of the first chain from group to group, as spikes and their spread in time. Open markers are inputs. "
        "Volleys either go to the same point, all neurons within a fraction of a millisecond, or lose their spikes "
        "and their timing; these end where they can no longer be distinguished from the background."
    )
    return Figure("synfire", figure, caption)


def _survival(axis: Any, arrays: Mapping[str, Any]) -> None:
    a = np.asarray(arrays["biology spikes"])
    fine = np.linspace(a.min(), a.max(), 300)
    sigmas = np.asarray(arrays["biology sigmas"]) * 1000
    for number, (sigma, colour) in enumerate(zip(sigmas, graded(len(sigmas)), strict=True)):
        alive = np.moveaxis(arrays["biology survived"][:, number], 1, 0).reshape(len(a), -1)
        share = alive.mean(axis=1)
        low, high = interval(share, alive.shape[1])
        midpoint, width = arrays["biology fits"][number]
        bars = 100 * np.array([share - low, high - share])
        style = {"color": colour, "marker": MARKERS[number % len(MARKERS)], "ms": 5, "ls": "", "elinewidth": 0.9}
        # A little to the side of each other, so that the bars can be told apart.
        axis.errorbar(a + 0.6 * number, 100 * share, bars, label=f"σ = {sigma:g} ms", **style)
        axis.plot(fine, 100 / (1 + np.exp(-(fine - midpoint) / width)), color=colour, lw=1.4)
        axis.axvline(midpoint, ymax=0.5, color=colour, lw=1.0, ls=":")
    axis.set(xlabel="spikes of the volley at the start, a", ylabel="volleys that survive (%)", ylim=(-3, 103))
    axis.legend(loc="lower right")


def _state_space(axis: Any, arrays: Mapping[str, Any]) -> None:
    a, sigmas = np.asarray(arrays["biology spikes"]), np.asarray(arrays["biology sigmas"]) * 1000
    spreads = np.asarray(arrays["biology spreads"]) * 1000
    told = set()
    for number, sigma in enumerate(sigmas):
        for place in range(0, len(a), 2):
            packets = arrays["biology packets"][0, number, place, 0]
            alive = bool(arrays["biology survived"][0, number, place, 0])
            gone = np.flatnonzero(packets < GONE)
            end = gone[0] if len(gone) else len(packets)
            x = np.append(sigma, spreads[0, number, place, 0][:end])
            y = np.append(a[place], packets[:end])
            style = {"color": COLOURS[2 if alive else 1], "lw": 0.9, "marker": "o" if alive else "v", "ms": 2.5}
            label = None if alive in told else ("survives" if alive else "dies out")
            told.add(alive)
            axis.plot(x, y, label=label, **style)
            axis.plot(x[0], y[0], "o", ms=5, mfc="white", mec=style["color"], mew=1.0)
    axis.set(xlabel="spread of spike times, σ (ms)", ylabel="spikes in a group, a", xlim=(0, None), ylim=(0, None))
    axis.legend(loc="lower left")


# ---- rates ---------------------------------------------------------------------------------------------------------


def _propagation(arrays: Mapping[str, Any]) -> Figure:
    conditions = [str(name) for name in arrays["biology conditions"]]
    figure, axes = new_figure(2, 3, width=11.4, height=7.2)
    # The noisiest, the least noisy, and the synfire chain, which comes last.
    noises = [float(name.split()[-1]) for name in conditions[:-1]]
    for axis, number in zip(axes[0], (int(np.argmax(noises)), int(np.argmin(noises)), -1), strict=True):
        _responses(axis, arrays, number)
        axis.set_title(TITLES.get(conditions[number], conditions[number]))
    top = max(axis.get_ylim()[1] for axis in axes[0])
    for axis in axes[0]:
        axis.set_ylim(0, top)
    axes[0, 0].legend(loc="upper left", fontsize=9)
    for axis, key, when in ((axes[1, 0], "told", ""), (axes[1, 1], "told fast", " in 20 ms")):
        _by_depth(axis, arrays, f"biology {key}")
        axis.set(ylabel=f"R² with the input's rate{when}", ylim=(0, 1.02))
    _by_depth(axes[1, 2], arrays, "biology fano")
    axes[1, 2].set(ylabel="Fano factor of a layer in 2 ms", yscale="log")
    handles, labels = axes[1, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), fontsize=9)
    caption = (
        "Above: mean rate of a layer against the input's, with noise, without it, and in the chain along which volleys "
        "were sent; dashed: equal rates. Below: how much of a layer's mean rate, and of its rate in windows of 20 ms, "
        "a line from the input's rate explains, and how far its neurons fire together: a Fano factor of 1 is "
        "independence, and the number of neurons is a layer that fires as one. Mean and standard deviation over "
        f"{arrays['biology response'].shape[1]} chains."
    )
    return Figure("propagation", figure, caption)


def _responses(axis: Any, arrays: Mapping[str, Any], number: int) -> None:
    rates, response = np.asarray(arrays["biology rates"]), np.asarray(arrays["biology response"])[number]
    layers = np.unique(np.linspace(0, response.shape[-1] - 1, LAYERS).round().astype(int))
    axis.plot([0, rates.max()], [0, rates.max()], color=GREY, ls="--", lw=1.0)
    for place, layer in enumerate(layers):
        found = response[..., layer]
        style = {"color": COLOURS[place], "marker": MARKERS[place], "ms": 4, "lw": 1.3, "elinewidth": 0.9}
        axis.errorbar(rates, found.mean(axis=0), found.std(axis=0, ddof=1), label=f"layer {layer + 1}", **style)
    axis.set(xlabel="input rate (Hz)", ylabel="firing rate of a layer (Hz)", xlim=(0, None))


def _by_depth(axis: Any, arrays: Mapping[str, Any], key: str) -> None:
    """A measure by layer in each condition, mean over input rates and mean and deviation over chains."""
    for number, condition in enumerate(arrays["biology conditions"]):
        found = np.asarray(arrays[key])[number]
        if found.ndim == 3:  # chains, input rates, layers: where nothing fires there is no Fano factor
            there = np.isfinite(found)
            many = there.sum(axis=1)
            found = np.where(many > 0, np.where(there, found, 0).sum(axis=1) / np.maximum(many, 1), np.nan)
        layers = 1 + np.arange(found.shape[-1])
        style = {"color": COLOURS[number], "marker": MARKERS[number % len(MARKERS)], "ms": 4, "lw": 1.3}
        axis.errorbar(layers, found.mean(axis=0), found.std(axis=0, ddof=1), label=str(condition), **style)
    axis.set(xlabel="layer")
    axis.set_xticks(layers)
