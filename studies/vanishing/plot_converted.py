"""Figures of part 2, converted networks."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from biosnn.report import Figure, new_figure
from biosnn.report.figures import COLOURS

ANN = "#000000"
SHOWN = ("as it is", "soft reset", "leak", "first spike", "all")
"""Conversions that are drawn; the others stand in the table."""


def converted_figures(result: Any) -> list[Figure]:
    """Depth first, then the threshold scale."""
    return [_depth(result), _scale(result)]


def _named(result: Any) -> list[str]:
    return [str(name) for name in result.arrays["converted conversions"]]


def _depth(result: Any) -> Figure:
    arrays, names = result.arrays, _named(result)
    layers = np.arange(1, len(arrays["converted layers"]) + 1)
    figure, (left, right) = new_figure(1, 2, width=10, height=4)
    left.axhline(1, color=ANN, ls="--", lw=1, label="ANN")
    for name, colour, mark in zip(SHOWN, COLOURS, "os^Dv", strict=False):
        kept = np.asarray(arrays["converted kept"])[names.index(name)]
        left.fill_between(layers, kept.min(axis=0), kept.max(axis=0), color=colour, alpha=0.15, lw=0)
        left.plot(layers, kept.mean(axis=0), f"{mark}-", color=colour, ms=4, label=name)
    left.set(xlabel="layer", ylabel="activity kept (of the ANN's mean activation)", ylim=(0, None))
    left.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, fontsize=8)
    right.axhline(100 * float(np.mean(arrays["converted ann"])), color=ANN, ls="--", lw=1)
    for name, colour in zip(SHOWN[:2], COLOURS, strict=False):
        for what, line, label in (("decoded", "s:", "a linear decoder"), ("rest", "o-", "the ANN from there on")):
            values = 100 * np.asarray(arrays[f"converted {what}"])[names.index(name)]
            right.fill_between(layers, values.min(axis=0), values.max(axis=0), color=colour, alpha=0.12, lw=0)
            right.plot(layers, values.mean(axis=0), line, color=colour, ms=4, label=f"{name}: {label}")
    right.set(xlabel="layer", ylabel="accuracy (%)", ylim=(0, 102))
    right.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, fontsize=8)
    for axes in (left, right):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    caption = (
        "Left: the decoded rates of each layer over the ordinary network's mean activations; 1 loses nothing. Right: "
        "accuracy if the ordinary network computes the rest from a layer's rates, and that of a linear decoder of its "
        "spike counts. Where the first falls and the second does not, the spikes still separate the classes, but no "
        "longer in the code that later layers were trained on. Bands: smallest to largest of"
        " all repetitions."
    )
    return Figure("depth", figure, caption)


def _scale(result: Any) -> Figure:
    arrays = result.arrays
    scales, marks = np.asarray(arrays["converted scales"]), np.asarray(arrays["converted marks"])
    accuracy = 100 * np.asarray(arrays["converted scale accuracy"])
    rates = np.asarray(arrays["converted scale rates"]).mean(axis=1)
    figure, (left, right) = new_figure(1, 2, width=10, height=4)
    left.axhline(100 * float(np.mean(arrays["converted ann"])), color=ANN, ls="--", lw=1, label="ANN")
    for number, (mark, colour) in enumerate(zip(marks, COLOURS, strict=False)):
        here = accuracy[:, :, number]
        left.fill_between(scales, here.min(axis=1), here.max(axis=1), color=colour, alpha=0.15, lw=0)
        left.plot(scales, here.mean(axis=1), "o-", color=colour, ms=3.5, label=f"T = {mark}")
    found = np.asarray(arrays["converted found scale"])
    reached = 100 * np.asarray(arrays["converted found accuracy"])
    left.plot(found, reached, "*", color=ANN, ms=10, mfc="none", label="found automatically")
    left.set(xlabel="scale of all thresholds", ylabel="accuracy (%)", ylim=(0, 102))
    left.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, fontsize=8)
    layers = np.arange(1, rates.shape[1] + 1)
    image = right.pcolormesh(layers, scales, rates, cmap="cividis", shading="nearest", vmin=0)
    right.set(xlabel="layer", ylabel="scale of all thresholds")
    right.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.colorbar(image, ax=right, label="spikes per neuron and step")
    caption = (
        "All thresholds scaled, with soft reset, while a spike still stands for what it stood for. Left: accuracy "
        "after T steps; bands from the smallest to the largest of all repetitions, stars where the search on "
        "calibration images ended. Right: rates by layer after all steps. Above the best scale spikes vanish on "
        "their way, below it deep layers fire too much; the fewer the steps, the lower the best scale."
    )
    return Figure("threshold-scale", figure, caption)
