"""Figures of the study `hybrid`, drawn from its saved result."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.ticker import LogLocator, MaxNLocator

from biosnn.report import Figure, graded, new_figure
from biosnn.report.figures import COLOURS

ANN, SIDES = "#000000", {"first": COLOURS[0], "last": COLOURS[1]}
MARKERS = {"first": "o", "last": "s"}
CONVENTION = "neuron updates too"
SHOWN = 0.7
"""The fraction of the ANN's accuracy that the figure of energy begins with."""


def plot(result: Any) -> list[Figure]:
    """Draw what each cut needs first, then accuracies, energy and errors."""
    return [_needed(result), _accuracy(result), _energy(result), _errors(result)]


def _of(result: Any, side: str) -> np.ndarray:
    """The cuts of one side, and all layers spiking at their end."""
    sides = np.asarray(result.arrays["side"]).astype(str)
    return np.flatnonzero((sides == side) | (sides == "all"))


def _needed(result: Any) -> Figure:
    arrays = result.arrays
    steps, layers = np.asarray(arrays["steps needed"]), np.asarray(arrays["layers"])
    low, high = np.asarray(arrays["steps needed, interval"])
    longest = float(np.asarray(arrays["marks"])[-1])
    figure, axes = new_figure(width=6.5, height=3.8)
    for side, colour in SIDES.items():
        rows = _of(result, side)
        shift = 0.08 if side == "last" else -0.08
        known = rows[np.isfinite(steps[rows])]
        ends = np.minimum(high[known], longest)
        axes.vlines(layers[known] + shift, np.minimum(low[known], longest), ends, color=colour, lw=2, alpha=0.4)
        axes.plot(layers[known] + shift, steps[known], MARKERS[side] + "-", color=colour, label=f"{side} layers spike")
    axes.axhline(steps[-1] / 2, color=ANN, lw=0.8, ls=":", label="half of all layers'")
    axes.set(yscale="log", xlabel="ReLU layers that spike", ylabel="time steps needed")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _name_ticks(axes.yaxis)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    caption = (
        "Time steps from which on a hybrid is within the allowed distance of the ANN's accuracy, against how many of "
        "its layers spike, the first or the last; at the right end all do. Bars: what resamples of the images give, "
        "up to what was simulated. "
        "Points that are missing need more steps than were simulated."
    )
    return Figure("needed", figure, caption)


def _accuracy(result: Any) -> Figure:
    arrays = result.arrays
    curves, layers = 100 * np.asarray(arrays["curves"]), np.asarray(arrays["layers"])
    marks = np.asarray(arrays["marks"])
    figure, axes = new_figure(1, 2, width=9.5, height=3.8, sharey=True)
    some = sorted({int(np.argmin(np.abs(marks - marks[-1] / part))) for part in (32, 16, 8, 4, 1)})
    for ax, side in zip(axes, SIDES, strict=True):
        rows = _of(result, side)
        ax.axhline(100 * result.values["accuracy of the ANN"], color=ANN, ls="--", lw=1.2, label="ANN")
        for colour, k in zip(graded(len(some)), some, strict=True):
            ax.plot(layers[rows], curves[rows, k], MARKERS[side] + "-", ms=4, color=colour, label=f"T = {marks[k]}")
        ax.set(xlabel=f"ReLU layers that spike, the {side} ones")
    axes[0].set(ylabel="accuracy (%)")
    axes[1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    caption = (
        "Accuracy after some numbers of time steps against how many layers spike: the first (left) or the last "
        "(right). At the right end of each panel all layers spike."
    )
    return Figure("accuracy", figure, caption)


def _energy(result: Any) -> Figure:
    arrays = result.arrays
    number = [str(name) for name in arrays["conventions"]].index(CONVENTION)
    energy = 1e6 * np.asarray(arrays["energy"])[..., number]
    curves, sides = 100 * np.asarray(arrays["curves"]), np.asarray(arrays["side"]).astype(str)
    figure, axes = new_figure(width=6.5, height=3.8)
    for side, colour in SIDES.items():
        rows = np.flatnonzero(sides == side)
        axes.plot(energy[rows].ravel(), curves[rows].ravel(), MARKERS[side], ms=3, alpha=0.45, color=colour)
        axes.plot([], [], MARKERS[side], ms=4, color=colour, label=f"{side} layers spike")
    axes.plot(energy[-1], curves[-1], "D-", ms=4, color=COLOURS[2], label="all layers spike")
    order = np.argsort(energy.ravel())
    costs, reached = energy.ravel()[order], curves.ravel()[order]
    front = reached > np.maximum.accumulate(np.append(-1.0, reached))[:-1]
    axes.step(costs[front], reached[front], where="post", color="0.4", lw=1, label="best for its energy")
    ann = 1e6 * float(np.asarray(arrays["energy of the ANN"])[number])
    axes.plot([ann], [100 * result.values["accuracy of the ANN"]], "*", ms=13, color=ANN, label="ANN")
    axes.set(xscale="log", xlabel="energy per image (µJ)", ylabel="accuracy (%)")
    least = SHOWN * result.values["accuracy of the ANN"]
    axes.set(ylim=(100 * least, min(100 * (1 + (1 - SHOWN) / 20), 102)))
    _name_ticks(axes.xaxis)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    caption = (
        f"Accuracy against energy per image by the convention '{CONVENTION}', both parts of each hybrid together: each "
        "point is a cut after a number of time steps. The grey line joins what nothing cheaper reaches. Below "
        f"{100 * SHOWN:.0f} % of the ANN's accuracy nothing is shown."
    )
    return Figure("energy", figure, caption)


def _errors(result: Any) -> Figure:
    arrays = result.arrays
    errors, marks = 100 * np.asarray(arrays["layer errors"]), np.asarray(arrays["marks"])
    some = sorted({int(np.argmin(np.abs(marks - marks[-1] / part))) for part in (32, 16, 8, 4, 1)})
    figure, axes = new_figure(width=6.5, height=3.8)
    for colour, k in zip(graded(len(some)), some, strict=True):
        axes.plot(np.arange(1, len(errors) + 1), errors[:, k], "o-", ms=4, color=colour, label=f"T = {marks[k]}")
    axes.set(xlabel="ReLU layer, in the order of computation", ylabel="error of rates (% of the activations)")
    axes.set(ylim=(0, None))
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    caption = (
        "Root mean square difference of decoded rates and the ANN's activations in each layer, where all layers "
        "spike: what is decoded behind this layer is so far off."
    )
    return Figure("errors", figure, caption)


def _name_ticks(axis: Any) -> None:
    """Ticks of a logarithmic axis as plain numbers."""
    axis.set_major_locator(LogLocator(10, subs=(1, 2, 5)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter("")
