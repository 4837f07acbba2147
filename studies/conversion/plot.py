"""Figures of the study `conversion`, drawn from its saved result."""

from __future__ import annotations

from typing import Any

import numpy as np

from biosnn.report import Figure, new_figure
from biosnn.report.figures import COLOURS

SPIKING, ANN = COLOURS[0], "#000000"
MOST_PANELS = 12


def plot(result: Any) -> list[Figure]:
    """Draw the latency curve first, then the layers."""
    figures = [_latency(result)]
    if "layers" in result.arrays:
        figures += [_parts(result), _layers(result), _scatter(result)]
    if "recipes" in result.arrays:
        figures.insert(1, _recipes(result))
    return figures


def _recipes(result: Any) -> Figure:
    """Accuracy of each recipe against steps, spikes and energy."""
    arrays = result.arrays
    names, accuracy = [str(name) for name in arrays["recipes"]], 100 * np.asarray(arrays["recipe accuracy"])
    steps = np.asarray(arrays["recipe steps"])
    figure, panels = new_figure(1, 3, width=10.5, height=3.8, sharey=True)
    along = (
        ("time steps", np.tile(steps, (len(names), 1))),
        ("spikes per image", np.asarray(arrays["recipe spikes"])),
        ("energy per image (nJ)", 1e9 * np.asarray(arrays["recipe energy"])),
    )
    for axes, (label, values) in zip(panels, along, strict=True):
        axes.axhline(100 * float(arrays["recipe accuracy of the ANN"]), color=ANN, ls="--", lw=1.2, label="ANN")
        for name, colour, mark, x, y in zip(names, COLOURS, "os^DvPX*", values, accuracy, strict=False):
            axes.plot(x, y, mark + "-", color=colour, ms=4, lw=1.2, label=name)
        axes.set(xscale="log", xlabel=label)
    panels[0].set_xticks(steps, [str(step) for step in steps])
    panels[0].minorticks_off()
    panels[0].set(ylabel="accuracy (%)", ylim=(None, 101))
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=6)
    caption = (
        "Accuracy of the recipes, each made for the number of steps shown and read at its end, against time, spikes "
        "and energy (the first convention in the table of energies)."
    )
    return Figure("recipes", figure, caption)


def _latency(result: Any) -> Figure:
    arrays, values = result.arrays, result.values
    curve = 100 * np.asarray(arrays["latency curve"])
    figure, (left, right) = new_figure(1, 2, width=9.5, height=3.8)
    steps = np.arange(1, len(curve) + 1)
    left.axhline(100 * values["accuracy of the ANN"], color=ANN, ls="--", lw=1.2, label="ANN")
    left.plot(steps, curve, color=SPIKING, label="spiking")
    names = [str(name) for name in arrays["control names"] if str(name)]
    for name, control, colour in zip(names, arrays["control curves"], COLOURS[1:], strict=False):
        left.plot(steps, 100 * np.asarray(control), color=colour, lw=1.1, label=name)
    low, high = 100 * np.asarray(arrays["accuracy interval"])
    left.plot([steps[-1]] * 2, [low, high], color=SPIKING, lw=3, alpha=0.5, solid_capstyle="butt")
    left.set(xscale="log", xlabel="time steps since the image came", ylabel="accuracy (%)")
    # What matters are differences near the end: at the first steps a network may know nothing yet.
    lowest = min(curve[len(curve) // 4 :].min(), low, 100 * values["accuracy of the ANN"])
    left.set_ylim(max(0.0, 5 * np.floor((lowest - 4) / 5)), 100.5)
    left.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, fontsize=8)
    right.plot(steps, 100 * np.asarray(arrays["output errors"]), color=SPIKING)
    right.set(xscale="log", yscale="log", xlabel="time steps since the image came")
    right.set_ylabel("output error (% of their spread)")
    for axes in (left, right):
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter("{x:g}")
            axis.set_minor_formatter("" if axis is axes.xaxis or axes is left else "{x:g}")
    right.tick_params(which="minor", labelsize=7)
    caption = (
        "Accuracy after each time step, with the 95 % interval at the end, against the ANN on the same images; and how "
        "far the outputs are from the ANN's, which a network without losses of another kind would halve in twice the "
        "time."
    )
    return Figure("latency", figure, caption)


def _parts(result: Any) -> Figure:
    arrays = result.arrays
    names, parts = [str(name) for name in arrays["layers"]], [str(part) for part in arrays["parts"]]
    errors = 100 * np.asarray(arrays["errors"])
    figure, axes = new_figure(width=9.5, height=3.8)
    marks = dict(zip(parts, "os^Dv.", strict=False))
    for number, part in enumerate(parts):
        if not errors[:, number].any():
            continue
        style = {"color": ANN, "lw": 2} if part == "error" else {"color": COLOURS[number], "lw": 1.2}
        label = "all of it" if part == "error" else part
        axes.plot(np.arange(len(names)), errors[:, number], marks[part] + "-", ms=4, label=label, **style)
    _name_layers(axes, names)
    axes.set(ylabel="error (% of the activations)", ylim=(0, None))
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    caption = (
        "Root mean square difference of rates and activations in each layer, in the order of computation, and its "
        "parts: what the layer inherits, clips, cannot tell in whole spikes, loses by reset or leak, and by uneven "
        "arrival."
    )
    return Figure("errors", figure, caption)


def _layers(result: Any) -> Figure:
    arrays = result.arrays
    names = [str(name) for name in arrays["layers"]]
    figure, (left, right) = new_figure(1, 2, width=9.5, height=3.8)
    shown = dict(zip([str(name) for name in arrays["populations"]], np.asarray(arrays["rate"]), strict=True))
    left.bar(np.arange(len(names)), [shown[name] for name in names], color=SPIKING)
    left.set(ylabel="firing rate (spikes per neuron and step)")
    for key, colour, mark in (
        ("silent", COLOURS[1], "o-"),
        ("dead in the ANN", ANN, "x:"),
        ("saturated", COLOURS[2], "s-"),
    ):
        right.plot(np.arange(len(names)), 100 * np.asarray(arrays[key]), mark, color=colour, ms=5, label=key)
    right.set(ylabel="neurons, or answers (%)", ylim=(-0.5, None))
    right.legend(loc="best")
    for axes in (left, right):
        _name_layers(axes, names)
    caption = (
        "Firing rate of each layer; neurons that never fired and those whose activation is zero in the ANN for all "
        "these images; answers with a spike in every step."
    )
    return Figure("layers", figure, caption)


def _scatter(result: Any) -> Figure:
    arrays = result.arrays
    names = [str(name) for name in arrays["layers"]]
    chosen = np.unique(np.linspace(0, len(names) - 1, min(len(names), MOST_PANELS)).round().astype(int))
    columns = min(len(chosen), 4)
    rows = -(-len(chosen) // columns)
    figure, grid = new_figure(rows, columns, width=2.5 * columns, height=2.5 * rows, squeeze=False)
    for axes in grid.flat[len(chosen) :]:
        axes.set_axis_off()
    for axes, number in zip(grid.flat, chosen, strict=False):
        a, r = np.asarray(arrays["activations"][number]), np.asarray(arrays["rates"][number])
        most = float(np.nanmax([np.nanmax(a), np.nanmax(r), 1e-9]))
        axes.plot([0, most], [0, most], color=ANN, lw=0.8)
        axes.plot(a, r, ".", ms=2, alpha=0.4, color=SPIKING, rasterized=True)
        axes.set_title(f"{_short(names[number])}: r = {arrays['correlation'][number]:.4f}", fontsize=8)
        axes.tick_params(labelsize=7)
    figure.supxlabel("activation in the ANN", fontsize=9)
    figure.supylabel("rate times threshold", fontsize=9)
    caption = (
        "What the spikes of a neuron stand for against the activation of the ANN, for some neurons and images drawn at "
        "random, with their correlation r. The line is equality; what bends away from it at the right is clipped."
    )
    return Figure("rates", figure, caption)


def _name_layers(axes: Any, names: list[str]) -> None:
    axes.set_xticks(np.arange(len(names)), [_short(name) for name in names], rotation=60, ha="right", fontsize=7)


def _short(name: str) -> str:
    """The end of a long name, such as those that exporters give."""
    return name if len(name) <= 16 else "…" + name[-15:]
