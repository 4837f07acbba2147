"""Figures of parts 4 and 5, remedies and verdict."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from biosnn.report import Figure, new_figure
from biosnn.report.figures import COLOURS

from .remedies import AS_IT_IS, BIAS, HOMEOSTASIS, RECOMMENDED, SCALES, SOFT, START
from .remedies_outcome import PRICES

ANN = "#000000"
DRAWN = (AS_IT_IS, SCALES, HOMEOSTASIS, BIAS, START, SOFT, RECOMMENDED)
"""Remedies whose time courses are drawn; the others stand in the tables and among the energies."""
MARKS = "os^Dv<>*PX8"


def remedies_figures(result: Any) -> list[Figure]:
    """Accuracy over time and depth, accuracy against energy, and how homeostasis settles."""
    settled = [_homeostasis(result)] if "remedies course" in result.arrays else []
    return [_courses(result), _energy(result), *settled]


def _names(result: Any) -> list[str]:
    return [str(name) for name in result.arrays["remedies names"]]


def _courses(result: Any) -> Figure:
    arrays, names = result.arrays, _names(result)
    curves, kept = 100 * np.asarray(arrays["remedies curve"]), np.asarray(arrays["remedies kept"])
    figure, (left, right) = new_figure(1, 2, width=10, height=4.2)
    left.axhline(100 * float(np.mean(arrays["remedies ann"])), color=ANN, ls="--", lw=1, label="ANN")
    right.axhline(1, color=ANN, ls="--", lw=1)
    steps, layers = np.arange(1, curves.shape[2] + 1), np.arange(1, kept.shape[2] + 1)
    for name, colour, mark in zip(DRAWN, COLOURS, MARKS, strict=False):
        if name not in names:
            continue
        here, there = curves[names.index(name)], kept[names.index(name)]
        left.fill_between(steps, here.min(axis=0), here.max(axis=0), color=colour, alpha=0.15, lw=0)
        left.plot(steps, here.mean(axis=0), color=colour, label=name)
        right.plot(layers, there.mean(axis=0), f"{mark}-", color=colour, ms=4)
    left.set(xscale="log", xlabel="time steps since the image came", ylabel="accuracy (%)", ylim=(0, 102))
    left.xaxis.set_major_formatter("{x:g}")
    right.set(xlabel="layer", ylabel="activity kept (of the ANN's mean activation)", ylim=(0, None))
    right.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.legend(loc="outside upper center", ncols=4, fontsize=8)
    caption = (
        "The network as it is and with one remedy each; recommended are soft reset, percentiles and half a "
        "threshold at the start together. Left: accuracy after each step, bands from the smallest to the largest of"
        " all repetitions. Right: what each layer's rates tell after all steps, over the ordinary network's mean "
        "activation."
    )
    return Figure("remedies", figure, caption)


def _energy(result: Any) -> Figure:
    arrays, names = result.arrays, _names(result)
    known = [str(name) for name in arrays["remedies conventions"]]
    accuracy = 100 * np.asarray(arrays["remedies curve"])[:, :, -1]
    figure, axes = new_figure(1, 2, width=10, height=4.6)
    for axis, price in zip(axes, PRICES, strict=True):
        place = known.index(price)
        ratio = (
            np.asarray(arrays["remedies energies"])[:, :, place] / np.asarray(arrays["remedies ann energies"])[place]
        )
        axis.plot(1, 100 * float(np.mean(arrays["remedies ann"])), "*", color=ANN, ms=12, label="ANN")
        for number, name in enumerate(names):
            colour = COLOURS[number % len(COLOURS)]
            middle, low, high = accuracy[number].mean(), accuracy[number].min(), accuracy[number].max()
            axis.errorbar(
                ratio[number].mean(),
                middle,
                yerr=[[middle - low], [high - middle]],
                fmt=MARKS[number % len(MARKS)],
                color=colour,
                ms=6,
                capsize=2,
                label=name,
            )
        axis.set(xscale="log", xlabel=f"energy (inferences of the ANN),\n{price}", ylim=(0, 102))
        axis.xaxis.set_major_formatter("{x:g}")
        narrow = max(ratio.max(), 1) < 10 * min(ratio.min(), 1)
        axis.xaxis.set_minor_formatter("{x:g}" if narrow else "")
        axis.tick_params(which="minor", labelsize=7)
    axes[0].set_ylabel("accuracy (%)")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=6, fontsize=8)
    caption = (
        "Accuracy after all steps against the energy of an image, in inferences of the ordinary network, by two "
        "conventions of the ledger: arithmetic only, and with memory. Bars from the smallest to the largest of all "
        "repetitions."
    )
    return Figure("energy", figure, caption)


def _homeostasis(result: Any) -> Figure:
    course, held = np.asarray(result.arrays["remedies course"]), np.asarray(result.arrays["remedies held"])
    figure, axes = new_figure(width=6.5, height=4)
    ratio = (course / held[:, None]).mean(axis=0)
    rounds = np.arange(len(ratio))
    shown = np.unique(np.linspace(0, ratio.shape[1] - 1, min(5, ratio.shape[1])).round().astype(int))
    axes.axhline(1, color=ANN, ls="--", lw=1)
    for layer, colour, mark in zip(shown, COLOURS, MARKS, strict=False):
        axes.plot(rounds, ratio[:, layer], f"{mark}-", color=colour, ms=4, label=f"layer {layer + 1}")
    axes.set(xlabel="showings of the calibration images", ylabel="rate (of what it is held at)", ylim=(0, None))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=5, fontsize=8)
    caption = (
        "Homeostasis: rates of some layers while neurons regulate how excitable they are, each channel by its own "
        "rate, without labels. Deep layers overshoot while those before them still change. Means over repetitions."
    )
    return Figure("homeostasis", figure, caption)
