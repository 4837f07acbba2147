"""Activity along the layers of deep networks, before and while they are trained."""

from __future__ import annotations

from typing import Any

import numpy as np

from biosnn.report import Figure, new_figure
from biosnn.report.figures import COLOURS

LEAST = 1e-3


def depth_figures(result: Any) -> list[Figure]:
    """One figure: a row for each depth, a column for each condition."""
    arrays = result.arrays
    depths, conditions = arrays["depth layers"], [str(name) for name in arrays["depth conditions"]]
    figure, axes = new_figure(
        len(depths), len(conditions), width=10.5, height=2.9 * len(depths) + 0.6, sharey=True, squeeze=False
    )
    for row, layers in zip(axes, depths, strict=True):
        for axis, condition in zip(row, conditions, strict=True):
            rates = arrays[f"depth rates {layers}, {condition}"]
            x = np.arange(1, layers + 1)
            for number, of in enumerate(rates[1:-1]):
                colour = str(0.85 - 0.5 * number / max(len(rates) - 3, 1))
                axis.plot(
                    x, np.maximum(of, LEAST), color=colour, lw=1.0, label="while training" if not number else None
                )
            axis.plot(x, np.maximum(rates[0], LEAST), "o--", ms=4, color=COLOURS[1], lw=1.2, label="before")
            axis.plot(x, np.maximum(rates[-1], LEAST), "s-", ms=4, color=COLOURS[0], lw=1.6, label="after")
            accuracy = result.values[f"depth {layers}, {condition}, accuracy"]
            axis.set_title(f"{layers} layers, {condition}: {100 * float(accuracy):.0f} %", fontsize=9)
            axis.set(yscale="log", xticks=x if layers < 8 else x[::2])
    for axis in axes[-1]:
        axis.set_xlabel("hidden layer")
    for axis in axes[:, 0]:
        axis.set_ylabel("spikes per neuron and point")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=9)
    caption = (
        "Spikes of each hidden layer before training, in each epoch (later ones darker), and after, on average over "
        "neurons and points; below 0.001 drawn there. Titles: accuracy in the test."
    )
    return [Figure("depth", figure, caption)]
