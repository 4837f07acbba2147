"""Figures: accuracy over epochs, confusions, and weights."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from biosnn.report import Figure, new_figure
from biosnn.report.figures import COLOURS


def plot(result: Any) -> list[Figure]:
    """Draw the training, and what hidden neurons have learned."""
    return [_training(result), _confusion(result), _weights(result)]


def _training(result: Any) -> Figure:
    figure, (left, right) = new_figure(1, 2, width=9.5, height=3.6)
    for number, name in enumerate(str(name) for name in result.arrays["names"]):
        colour = COLOURS[0] if name.startswith("network") else COLOURS[number % len(COLOURS)]
        error = 100 * (1 - result.arrays[f"{name}: validation_accuracy"])
        if np.all(np.isnan(error)):
            error = 100 * (1 - result.arrays[f"{name}: accuracy"])
        epochs = np.arange(1, len(error) + 1)
        label = None if name.startswith("network") and not name.endswith(" 1") else name
        left.plot(epochs, error, "-" if len(error) > 1 else "o", color=colour, label=label, lw=1.3)
        right.plot(epochs, result.arrays[f"{name}: loss"], "-" if len(error) > 1 else "o", color=colour, lw=1.3)
    left.set(xlabel="epoch", ylabel="wrong (% of validation examples)", yscale="log")
    left.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    left.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    left.yaxis.set_minor_formatter(NullFormatter())
    for axis in (left, right):
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    right.set(xlabel="epoch", ylabel="loss of the training examples")
    figure.legend(loc="outside lower center", ncols=3, fontsize=9)
    caption = (
        "Left: fraction of the validation examples that are not correctly classified (with labels in random order: of "
        "the training examples). Right: loss."
    )
    return Figure("training", figure, caption)


def _confusion(result: Any) -> Figure:
    found = result.arrays["confusion"]
    shares = 100 * found / found.sum(axis=1, keepdims=True)
    figure, axis = new_figure(1, 1, width=4.6, height=4.0)
    image = axis.imshow(np.where(np.eye(len(found)) == 1, np.nan, shares), cmap="viridis", vmin=0)
    for row, column in np.argwhere(shares >= 0):
        value = shares[row, column]
        bright = row == column or value > 0.6 * np.nanmax(np.where(np.eye(len(found)) == 1, 0, shares))
        text = f"{value:.1f}" if len(found) < 6 or row == column else (f"{value:.1f}" if value >= 0.5 else "")
        axis.text(column, row, text, ha="center", va="center", fontsize=8, color="black" if bright else "white")
    axis.set(xlabel="answer", ylabel="class", xticks=range(len(found)), yticks=range(len(found)))
    figure.colorbar(image, ax=axis, label="of the class (%), answers that are wrong")
    caption = "What the first network answers to the test examples of each class, in per cent of the class."
    return Figure("answers", figure, caption)


def _weights(result: Any) -> Figure:
    weights, labels = result.arrays["weights input_to_hidden"], ("x", "y", "1 - x", "1 - y", "bias")
    if len(weights) == len(labels):
        figure, axis = new_figure(1, 1, width=6.5, height=3.4)
        parts = axis.violinplot(list(weights), showmedians=True, widths=0.8)
        for body in parts["bodies"]:
            body.set_facecolor(COLOURS[0])
        axis.set_xticks(range(1, len(labels) + 1), labels)
        axis.set(xlabel="input", ylabel="weight onto a hidden neuron (1)")
        return Figure("weights", figure, "Weights from each input onto the hidden neurons, after training.")
    side = int(np.sqrt(len(weights)))
    figure, axes = new_figure(3, 8, width=9.5, height=3.9)
    order = np.argsort(-np.abs(result.arrays["weights hidden_to_output"]).sum(axis=1))
    limit = np.percentile(np.abs(weights), 99.5)
    for axis, neuron in zip(axes.flat, order, strict=False):
        image = axis.imshow(weights[:, neuron].reshape(side, side), cmap="RdBu_r", vmin=-limit, vmax=limit)
        axis.set(xticks=[], yticks=[])
    figure.colorbar(image, ax=axes, label="weight (1)")
    caption = "Weights from the pixels onto the 24 hidden neurons that have the largest weights to the output."
    return Figure("weights", figure, caption)
