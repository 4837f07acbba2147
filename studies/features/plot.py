"""Figures of the study `features`, drawn from its saved result."""

from __future__ import annotations

from typing import Any

import numpy as np

from biosnn.report import Figure, draw_fields, new_figure

from .baselines import OTHERS

BLUE, ORANGE, GREEN, GREY = "#0072b2", "#d55e00", "#009e73", "#999999"


def plot(result: Any) -> list[Figure]:
    """Draw what the layers have learned, and how well their answers tell the class."""
    figures = [_accuracy(result)]
    if "few labels" in result.arrays:
        figures.append(_few(result))
    if "kernels" in result.arrays:
        figures.append(_kernels(result))
    if "robustness, noise" in result.arrays:
        figures.append(_robustness(result))
    return [*figures, _fields(result), _activity(result)]


def _accuracy(result: Any) -> Figure:
    names = [name for name, value in result.values.items() if isinstance(value, float) and _is_accuracy(name)]
    names.sort(key=lambda name: result.values[name])
    figure, axis = new_figure(width=7.5, height=0.5 + 0.32 * len(names))
    values = [100 * result.values[name] for name in names]
    colours = [_colour(name) for name in names]
    axis.barh(range(len(names)), values, color=colours)
    axis.set_yticks(range(len(names)), [_called(name) for name in names], fontsize=8)
    least = max(min(values) - 5, 0)
    for row, value in enumerate(values):
        axis.text(value + 0.01 * (100 - least), row, f"{value:.1f}", va="center", fontsize=8)
    axis.set(xlabel="correctly classified (%)", xlim=(least, 100 + 0.06 * (100 - least)))
    caption = (
        "The fraction of the judged images that is correctly classified. Blue: no labels but to name cells. Orange: "
        "labels or a reward teach. Grey: controls, of the same architecture. Green: other methods."
    )
    return Figure("accuracy", figure, caption)


def _is_accuracy(name: str) -> bool:
    left_out = ("accuracy sd", "accuracy of the first network")
    return name.startswith(("accuracy", *OTHERS)) and name not in left_out


def _called(name: str) -> str:
    return "vote of the cells" if name == "accuracy" else name.removeprefix("accuracy, ").removeprefix("accuracy ")


def _colour(name: str) -> str:
    if name.startswith(OTHERS):
        return GREEN
    if "without plasticity" in name or "kernels" in name:
        return GREY
    return ORANGE if "linear" in name or "reward" in name else BLUE


def _few(result: Any) -> Figure:
    labels = result.arrays["few labels"]
    figure, axis = new_figure(width=5.5, height=3.6)
    methods = (("weighted vote", BLUE, "o"), ("k-means", GREEN, "^"), ("logistic regression", GREY, "s"))
    for name, colour, marker in methods:
        found = 100 * result.arrays[f"few labels, {name}"]
        spread = found.std(axis=1)
        called = f"{name} of {'cells' if colour == BLUE else 'pixels'}"
        axis.errorbar(labels, found.mean(axis=1), yerr=spread, color=colour, marker=marker, capsize=3, label=called)
    axis.set(xscale="log", xlabel="labelled images", ylabel="correctly classified (%)")
    axis.set_xticks(labels, [str(each) for each in labels])
    axis.minorticks_off()
    axis.legend(frameon=False, loc="lower right")
    caption = "With few labelled images; the others are learned from without labels. Bars: standard deviation."
    return Figure("few-labels", figure, caption)


_METHODS = ((BLUE, "o", "vote of the cells"), (GREEN, "^", "k-means of pixels"), (GREY, "s", "logistic regression"))


def _robustness(result: Any) -> Figure:
    figure, axes = new_figure(width=7.5, height=3.4, columns=2)
    noise, lost = (result.arrays[f"robustness, strengths of {what}"] for what in ("noise", "loss"))
    panels = (("noise", noise, 1), ("spikes of contrast cells lost", lost, 100))
    for axis, (what, strengths, factor) in zip(axes, panels, strict=True):
        for found, (colour, marker, name) in zip(result.arrays[f"robustness, {what}"], _METHODS, strict=False):
            axis.plot(factor * strengths, 100 * found, color=colour, marker=marker, label=name)
    if "robustness, spikes of maps lost" in result.arrays:
        found = result.arrays["robustness, spikes of maps lost"][0]
        axes[1].plot(100 * lost, 100 * found, color=ORANGE, marker="v", label="vote, spikes of maps lost")
    axes[0].set(xlabel="standard deviation of the noise (of full intensity)", ylabel="correctly classified (%)")
    axes[1].set(xlabel="spikes of contrast cells, or pixels, lost (%)")
    for axis in axes:
        axis.set_ylim(0, 102)
        axis.legend(frameon=False, loc="lower left", fontsize=7)
    caption = (
        "Images that are disturbed when everything has been learned. Left: noise is added to each pixel. Right: each "
        "spike of the contrast cells, or of the pooled maps, is lost with a probability; methods that see pixels lose "
        "pixels, which are black then."
    )
    return Figure("robustness", figure, caption)


def _kernels(result: Any) -> Figure:
    kernels = result.arrays["kernels"]
    both = kernels[..., 0] - kernels[..., 1] if kernels.shape[-1] > 1 else kernels[..., 0]
    columns = min(16, len(both))
    rows = -(-len(both) // columns)
    figure, axes = new_figure(width=0.5 * columns, height=0.5 * rows, rows=rows, columns=columns)
    most = np.abs(both).max()
    for axis in np.ravel(axes):
        axis.axis("off")
    for axis, kernel in zip(np.ravel(axes), both, strict=False):
        axis.imshow(kernel, cmap="PuOr_r", vmin=-most, vmax=most)
    caption = (
        "The kernels of the feature maps of the first network, which all positions share. Orange: weights of "
        "on-centres (or of intensities), violet: of off-centres."
    )
    return Figure("kernels", figure, caption)


def _fields(result: Any) -> Figure:
    fields, labels = result.arrays["cell fields"], result.arrays["cell labels"]
    most = 400
    if len(fields) > most:
        some = np.linspace(0, len(fields) - 1, most).astype(int)
        fields, labels = fields[some], labels[some]
    figure = draw_fields(np.maximum(fields, 0), labels)
    caption = (
        "What cells of the first network look for in the image: their weights, projected through pooling and kernels, "
        f"on-centres less off-centres; at most {most} cells, sorted by the class that they answer most."
    )
    return Figure("cell-fields", figure, caption)


def _activity(result: Any) -> Figure:
    figure, axes = new_figure(width=7.5, height=3.0, columns=2)
    axes[0].hist(result.arrays["answers per cell"], bins=40, color=BLUE)
    axes[0].set(xlabel="answers of a cell to the judged images", ylabel="cells")
    axes[1].hist(result.arrays["thresholds"], bins=40, color=BLUE)
    axes[1].set(xlabel="adaptive threshold (dimensionless)", ylabel="cells")
    caption = "How often each cell of the first network answers, and what its threshold has come to."
    return Figure("activity", figure, caption)
