"""The check of the gradient as a figure."""

from __future__ import annotations

from typing import Any

import numpy as np

from biosnn.report import Figure, new_figure
from biosnn.report.figures import COLOURS


def check_figures(result: Any) -> list[Figure]:
    """One figure."""
    arrays = result.arrays
    steps = 1e3 * np.asarray(arrays["check steps"])
    figure, axes = new_figure(1, 3, width=11.0, height=3.9)
    for number, layer in enumerate(("hidden", "output")):
        colour, marker = COLOURS[number], "os"[number]
        cosines, ratios = arrays[f"check {layer} cosines"], arrays[f"check {layer} ratios"]
        x = steps * 1.04 ** (2 * number - 1)
        for axis, found in zip(axes, (cosines, ratios), strict=False):
            low, middle, high = np.nanquantile(found, (0.25, 0.5, 0.75), axis=0)
            axis.errorbar(
                x, middle, (middle - low, high - middle), color=colour, marker=marker, ms=5, lw=1.3, label=layer
            )
        exact, differences = arrays[f"check {layer} exact"], arrays[f"check {layer} differences"]
        axes[2].plot(differences, exact, ls="", marker=marker, ms=3.5, color=colour, alpha=0.6, label=layer)
    largest = max(np.abs(arrays[f"check {layer} exact"]).max() for layer in ("hidden", "output"))
    axes[2].plot([-largest, largest], [-largest, largest], color="#777777", ls=":", lw=1.0)
    axes[0].set(title="direction", ylabel="cosine with the finest", ylim=(None, 1.01))
    axes[1].set(title="length", ylabel="length, in that of the finest")
    axes[1].axhline(1, color="#777777", ls=":", lw=1.0)
    axes[2].set(title="central differences", xlabel="central difference", ylabel="exact gradient")
    axes[2].set(xscale="symlog", yscale="symlog")
    for axis in axes[:2]:
        axis.set(xscale="log", xlabel="time step (ms)")
        axis.set_xticks(steps, [f"{step:g}" for step in steps])
        axis.set_xticks([], minor=True)
    axes[0].legend(fontsize=9, loc="lower left")
    caption = (
        "Exact gradients of random networks with 20 inputs, 10 hidden and 3 output neurons. Left and middle: direction "
        "and length against those at the finest step, median and quartiles over networks. Right: each weight's "
        "gradient at the finest step against the central difference of the loss."
    )
    return [Figure("gradient-check", figure, caption)]
