"""Figures of part 1, random networks, drawn from the saved result."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.colors import LogNorm

from biosnn.report import Figure, new_figure
from biosnn.report.figures import COLOURS

LOOKS = {
    "binary": ("binary neurons", COLOURS[6], "s"),
    "hard": ("IF, hard reset", COLOURS[1], "v"),
    "soft": ("IF, soft reset", COLOURS[0], "o"),
    "leak": ("LIF, soft reset", COLOURS[2], "^"),
}
TITLES = {"He": "weights of He, $n s^2 = 2$", "critical": "critical, $n s^2 = 1/Q(1) = 6.3$"}
LEAST = 1e-4


def random_figures(result: Any) -> list[Figure]:
    """Rates along layers, where they die out, and what layers tell."""
    arrays = {name.removeprefix("random "): found for name, found in result.arrays.items()}
    return [_rates(arrays), _map(arrays), _depths(arrays), _told(arrays, 1 / int(result.settings["random.classes"]))]


def _rates(arrays: Any) -> Figure:
    figure, axes = new_figure(1, 2, width=9.0, height=4.2, sharey=True)
    for axis, gain, rates, theory in zip(
        axes, arrays["gains"], np.moveaxis(arrays["rate"], 1, 0), np.moveaxis(arrays["theory"], 1, 0), strict=True
    ):
        layers = np.arange(1, rates.shape[-1] + 1)
        for number, kind in enumerate(arrays["kinds"]):
            label, colour, marker = LOOKS[str(kind)]
            axis.plot(layers, np.where(theory[number] > LEAST, theory[number], np.nan), color=colour, lw=1.2)
            mean, spread = rates[number].mean(axis=0), rates[number].std(axis=0, ddof=1)
            shown = mean > LEAST
            some = shown & ((layers - 1 - number) % 4 == 0) | (shown & (layers < 4))
            low = np.minimum(spread, 0.9 * mean)
            bars = np.array([low, spread])[:, some]
            axis.errorbar(
                layers[some], mean[some], bars, color=colour, marker=marker, ms=4, lw=0, elinewidth=0.8, label=label
            )
        axis.axhline(0.01, color="#777777", ls=":", lw=1.0)
        axis.set(title=TITLES[str(gain)], xlabel="layer", yscale="log", ylim=(LEAST, 1))
    axes[0].set_ylabel("spikes per neuron and step")
    _legend(figure, axes[0], 4)
    caption = (
        "Rate against depth in random networks. Markers: simulation, mean and standard deviation over "
        f"{arrays['rate'].shape[2]} networks; lines: theory, the recursion for binary neurons and the mean field for "
        "the others. Dotted: 1 %, under which a layer counts as extinct."
    )
    return Figure("random-rates", figure, caption)


def _map(arrays: Any) -> Figure:
    figure, axes = new_figure(1, 2, width=9.0, height=4.2, sharey=True)
    kinds = [str(kind) for kind in arrays["kinds"]]
    thresholds = arrays["thresholds"]
    rows = np.arange(len(thresholds))
    for axis, kind in zip(axes, ("hard", "soft"), strict=True):
        number = kinds.index(kind)
        rate = np.maximum(arrays["scan"][number].mean(axis=1), LEAST)
        layers = np.arange(1, rate.shape[1] + 1)
        drawn = axis.pcolormesh(layers, rows, rate, norm=LogNorm(LEAST, 1), cmap="cividis", shading="nearest")
        found = arrays["predicted depth"][number]
        predicted = np.where(np.isfinite(found), found, np.nan)
        axis.plot(predicted, rows, color="white", lw=2.8)
        axis.plot(predicted, rows, "D-", ms=3, color=COLOURS[1], lw=1.6, label="theory")
        for found in arrays["measured depth"][number].T:
            axis.plot(found, rows, "o", ms=3.5, mfc="white", mec="black", mew=0.7, ls="none", label="measured")
        axis.set(title=LOOKS[kind][0], xlabel="layer", xlim=(0.5, layers[-1] + 0.5))
        axis.set_yticks(rows, [f"{threshold:g}" for threshold in thresholds])
    axes[0].set_ylabel("threshold at the weights of He")
    figure.colorbar(drawn, ax=axes, label="spikes per neuron and step", pad=0.01)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles[:2], labels[:2], loc="outside lower center", ncols=2, fontsize=9)
    caption = (
        "Rate by layer and threshold, mean over networks. Only the threshold in units of the weights counts: half the "
        "threshold is twice the weights. Line: depth at which the mean field predicts a rate of 1 %; dots: where each "
        "network falls under it. Rows without: by theory, or in the network, activity does not die out."
    )
    return Figure("random-map", figure, caption)


def _depths(arrays: Any) -> Figure:
    figure, axis = new_figure(1, 1, width=5.2, height=4.6)
    deepest = arrays["rate"].shape[-1]
    axis.plot([1, deepest], [1, deepest], color="#777777", ls=":", lw=1.2)
    for number, kind in enumerate(arrays["kinds"]):
        label, colour, marker = LOOKS[str(kind)]
        measured, predicted = arrays["measured depth"][number], arrays["predicted depth"][number]
        some = np.isfinite(predicted) & np.isfinite(measured).all(axis=1)
        mean, spread = measured[some].mean(axis=1), measured[some].std(axis=1, ddof=1)
        style = {"color": colour, "marker": marker, "ms": 5, "lw": 0, "elinewidth": 0.9}
        axis.errorbar(predicted[some], mean, spread, label=label, **style)
    axis.set(
        xscale="log", yscale="log", xlabel="predicted depth of extinction (layer)", ylabel="measured depth (layer)"
    )
    ticks = [tick for tick in (1, 2, 5, 10, 20, 50, 100) if tick <= deepest]
    for own in (axis.xaxis, axis.yaxis):
        own.set_ticks(ticks, [str(tick) for tick in ticks])
        own.set_ticks([], minor=True)
    axis.legend(loc="upper left", fontsize=9)
    caption = (
        "Layer in which the rate falls under 1 %: measured (mean and standard deviation over networks) against "
        "predicted, for every neuron and threshold with which activity dies out by both. Dotted: equal."
    )
    return Figure("random-depth", figure, caption)


def _told(arrays: Any, chance: float) -> Figure:
    figure, axes = new_figure(1, 2, width=9.0, height=4.2, sharey=True)
    at, decoded = arrays["decoded at"], 100 * arrays["decoded"]
    for place, (axis, gain) in enumerate(zip(axes, arrays["gains"], strict=True)):
        for number, kind in enumerate(arrays["kinds"]):
            label, colour, marker = LOOKS[str(kind)]
            found = decoded[number, place]
            x = at * 1.02 ** (number - 1.5)  # a little to the side, so that bars can be told apart
            style = {"color": colour, "marker": marker, "ms": 4, "lw": 1.2, "elinewidth": 0.8}
            axis.errorbar(x, found.mean(axis=0), found.std(axis=0, ddof=1), label=label, **style)
        axis.axhline(100 * chance, color="#777777", ls=":", lw=1.2, zorder=0)
        axis.set(title=TITLES[str(gain)], xlabel="layer", xscale="log", ylim=(0, 105))
        axis.set_xticks(at, [str(layer) for layer in at])
        axis.set_xticks([], minor=True)
    axes[0].set_ylabel("accuracy of a linear decoder (%)")
    _legend(figure, axes[0], 4)
    caption = (
        "How well a linear decoder of spike counts names the class of an input that it has not learned from. Mean and "
        "standard deviation over networks. Dotted: chance, where silent layers are."
    )
    return Figure("random-told", figure, caption)


def _legend(figure: Any, axis: Any, columns: int) -> None:
    handles, labels = axis.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=columns, fontsize=9)
