"""What the three ways of training come to: accuracy in time and in training, and decisions on the plane."""

from __future__ import annotations

from typing import Any

import numpy as np

from biosnn.report import Figure, new_figure
from biosnn.report.figures import COLOURS

TITLES = {
    "exact": "exact gradients",
    "surrogate": "surrogate gradients",
    "conversion": "converted",
    "local": "local plasticity",
}
CONTROLS = ("frozen hidden layer", "shuffled labels", "sign turned")


def ways_figures(result: Any) -> list[Figure]:
    """Three figures."""
    return [_decided(result), _by_time(result), _by_epoch(result)]


def _decided(result: Any) -> Figure:
    arrays = result.arrays
    points, labels = arrays["ways points"], arrays["ways labels"]
    figure, axes = new_figure(1, len(TITLES), width=11.0, height=3.4, sharey=True)
    for axis, name, decided in zip(axes, arrays["ways names"], arrays["ways decided"], strict=True):
        right = decided == labels
        for number in np.unique(labels):
            some = right & (labels == number)
            axis.plot(*points[some].T, ls="", marker=".", ms=3, color=COLOURS[number])
        axis.plot(*points[~right].T, ls="", marker="x", ms=5, mew=1.1, color="black")
        axis.set(xlabel="x", aspect="equal", xticks=(0, 0.5, 1), yticks=(0, 0.5, 1))
        axis.set_title(f"{TITLES[str(name)]}: {100 * right.mean():.1f} %", fontsize=10)
    axes[0].set_ylabel("y")
    caption = "Test points of the yin-yang dataset, coloured by class; a cross is one that is decided wrongly."
    return Figure("decisions", figure, caption)


def _by_time(result: Any) -> Figure:
    arrays = result.arrays
    figure, (left, right) = new_figure(1, 2, width=9.5, height=3.8, sharey=True, gridspec_kw={"width_ratios": (2, 1)})
    for number, name in enumerate(map(str, arrays["ways names"])):
        steps = name == "conversion"
        axis = right if steps else left
        moments = np.asarray(arrays[f"ways moments of {name}"]) * (1 if steps else 1e3)
        style = {"color": COLOURS[number], "lw": 1.6, "label": TITLES[name]}
        axis.plot(moments, 100 * arrays[f"ways accuracy by time of {name}"], **style)
    left.set(
        xlabel="time since the first input spike may come (ms)",
        ylabel="accuracy of the answer so far (%)",
        ylim=(0, 100),
    )
    right.set(xlabel="time step", xscale="log")
    for axis in (left, right):
        axis.legend(loc="lower right", fontsize=9)
    caption = (
        "Accuracy on the test points of what has been answered so far. The last input spikes come at 22 ms. With exact "
        "gradients the first output spike decides, and a point without one counts as wrong; with surrogate ones the "
        "largest potential so far. The converted network knows no milliseconds: its steps are counted."
    )
    return Figure("accuracy-in-time", figure, caption)


def _by_epoch(result: Any) -> Figure:
    arrays = result.arrays
    figure, axes = new_figure(1, 2, width=9.5, height=4.0)
    for number, name in enumerate(("exact", "surrogate", *CONTROLS)):
        style = {"color": COLOURS[number], "lw": 1.4}
        accuracy = 100 * arrays[f"ways accuracy by epoch, {name}"]
        loss = arrays[f"ways loss by epoch, {name}"]
        epochs = np.arange(1, len(loss) + 1)
        axes[0].plot(epochs, loss, marker="." if len(loss) < 6 else "", **style)
        axes[1].plot(epochs, accuracy, marker="." if len(loss) < 6 else "", label=TITLES.get(name, name), **style)
    axes[0].set(xlabel="epoch", ylabel="mean loss while training", yscale="log")
    axes[1].set(xlabel="epoch", ylabel="accuracy on training points (%)", ylim=(0, 100))
    figure.legend(*axes[1].get_legend_handles_labels(), loc="outside lower center", ncols=5, fontsize=9)
    caption = (
        "Loss and accuracy while training, by epoch, with exact and surrogate gradients and in the controls. "
        "Losses of first spikes and of potentials cannot be compared with each other."
    )
    return Figure("training", figure, caption)
