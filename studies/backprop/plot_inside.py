"""The network trained by exact gradients, before and after: spikes of three points, hidden weights, spike times."""

from __future__ import annotations

from typing import Any

import numpy as np

from biosnn.report import Figure, new_figure
from biosnn.report.figures import COLOURS

WHEN = ("before", "after")
INPUTS = ("x", "y", "1 - x", "1 - y", "always")


def inside_figures(result: Any) -> list[Figure]:
    """Three figures."""
    return [_rasters(result), _weights(result), _times(result)]


def _rasters(result: Any) -> Figure:
    arrays = result.arrays
    classes = len(np.unique(arrays["ways labels"]))
    hidden = arrays["ways hidden weights after"].shape[1]
    apart = hidden / 12  # so that one output neuron can be told from the next
    figure, axes = new_figure(2, classes, width=10.5, height=5.6, sharex=True, sharey=True)
    last = 1e3 * float(np.asarray(arrays["ways duration"])[0])
    for row, when in zip(axes, WHEN, strict=True):
        for label, axis in enumerate(row):
            for layer, colour, begin in (("hidden", COLOURS[0], 0), ("output", COLOURS[1], hidden + apart)):
                of, neuron = arrays[f"ways {layer} raster {when}"].T
                some = of == label
                times = 1e3 * np.asarray(arrays[f"ways {layer} raster times {when}"])[some]
                height = neuron[some] if layer == "hidden" else begin + apart * neuron[some]
                size = 2.0
                axis.plot(times, height, ls="", marker="|" if layer == "hidden" else "o", ms=2 * size, color=colour)
            axis.axhline(hidden + apart / 2, color="#bbbbbb", lw=0.7)
            axis.set_title(f"class {label}, {when} training", fontsize=9)
    for axis in axes[-1]:
        axis.set(xlabel="time (ms)", xlim=(0, last))
    for axis in axes[:, 0]:
        axis.set_yticks([0, hidden - 1, *(hidden + apart * (k + 1) for k in range(classes))])
        axis.set_yticklabels(["1", str(hidden), *(f"output {k}" for k in range(classes))], fontsize=8)
        axis.set_ylabel("hidden neuron")
    caption = (
        "Spikes in answer to the first test point of each class, before and after training with exact gradients. Above "
        "the line: the three output neurons, of which the first to spike decides."
    )
    return Figure("rasters", figure, caption)


def _weights(result: Any) -> Figure:
    arrays = result.arrays
    before, after = (arrays[f"ways hidden weights {when}"] for when in WHEN)
    # Neurons in the order of the direction of the plane to which they have turned.
    order = np.argsort(np.arctan2(after[1] - after[3], after[0] - after[2]))
    most = np.abs(np.stack([before, after])).max()
    figure, axes = new_figure(2, 1, width=9.0, height=4.0, sharex=True)
    for axis, when, weights in zip(axes, WHEN, (before, after), strict=True):
        drawn = axis.imshow(
            weights[:, order], cmap="RdBu_r", vmin=-most, vmax=most, aspect="auto", interpolation="none"
        )
        axis.set_yticks(range(len(INPUTS)), INPUTS)
        axis.set_title(f"{when} training", fontsize=10)
        axis.grid(False)
    axes[-1].set_xlabel("hidden neuron")
    figure.colorbar(drawn, ax=axes, label="weight", pad=0.01)
    caption = (
        "Weights from the five inputs to the hidden neurons, before and after training with exact gradients; neurons "
        "are sorted by the direction of the plane to which their weights have turned."
    )
    return Figure("hidden-weights", figure, caption)


def _times(result: Any) -> Figure:
    arrays = result.arrays
    last = 1e3 * float(np.asarray(arrays["ways duration"])[0])
    points = len(arrays["ways labels"])
    figure, axes = new_figure(1, 2, width=9.5, height=3.6, sharex=True)
    bins = np.linspace(0, last, 81)
    for axis, layer in zip(axes, ("hidden", "output"), strict=True):
        for when, colour in zip(WHEN, ("#999999", COLOURS[0]), strict=True):
            times = 1e3 * np.asarray(arrays[f"ways {layer} times {when}"])
            axis.hist(
                times, bins, weights=np.full(len(times), 1 / points), color=colour, alpha=0.65, label=f"{when} training"
            )
        axis.axvline(22, color="black", ls=":", lw=1.0)
        axis.set(xlabel="time (ms)", title=f"{layer} neurons", xlim=(0, last))
    axes[0].set_ylabel(f"spikes per point in {bins[1]:g} ms")
    axes[1].legend(fontsize=9)
    caption = "When spikes come, of all test points. Dotted: the last an input spike may come."
    return Figure("spike-times", figure, caption)
