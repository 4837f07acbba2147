"""Figures of the study `coding`, drawn from its saved result."""

from __future__ import annotations

from typing import Any

import numpy as np

from biosnn.report import Figure, new_figure

from .codes import looks
from .plot_code import code_figures
from .plot_depth import depth_figures


def plot(result: Any) -> list[Figure]:
    """Draw the parts that were done; what a lecturer would show comes first."""
    names = [str(name) for key in ("codings", "code codings", "depth codings") for name in result.arrays.get(key, ())]
    drawn = looks(list(dict.fromkeys(names)))
    figures = []
    if "codings" in result.arrays:
        figures += [_slide(result, drawn), _rasters(result, drawn), _robust(result, drawn)]
    if "code codings" in result.arrays:
        figures += code_figures(result, drawn)
    if "depth codings" in result.arrays:
        figures += depth_figures(result, drawn)
    return figures


def _slide(result: Any, drawn: Any) -> Figure:
    arrays = result.arrays
    figure, axes = new_figure(1, 3, width=10.5, height=4.2, sharey=True)
    moments = 1000 * np.asarray(arrays["moments"])
    panels = {
        "synaptic operations": (axes[1], 1.0, "synaptic operations per image"),
        "energy": (axes[2], 1e9, "energy per image (nJ)"),
    }
    for number, name in enumerate(arrays["codings"]):
        look = drawn[str(name)]
        style = {"color": look.colour, "marker": look.marker}
        curve = 100 * arrays["accuracy by moment"][number]
        known = ~np.isnan(curve[0])
        axes[0].plot(moments[known], curve[:, known].mean(axis=0), ms=4, lw=1.4, label=look.label, **style)
        accuracy = 100 * arrays["accuracy"][number]
        for key, (axis, scale, _) in panels.items():
            x = scale * np.asarray(arrays[key][number])
            axis.errorbar(x.mean(), accuracy.mean(), _spread(accuracy), _spread(x), ms=9, ls="", capsize=2, **style)
    axes[0].set(xscale="log", xlabel="time since the image came (ms)", ylabel="accuracy (%)", ylim=(0, 100))
    axes[0].set_title("soonest")
    for key, title in (("synaptic operations", "fewest operations"), ("energy", "least energy")):
        axis, _, label = panels[key]
        axis.set(xscale="log", xlabel=label, title=title)
    _plain(axes[0], (5, 10, 20, 50, 100, 200, 500))
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=9)
    caption = (
        "The same images in every coding. Left: accuracy of a fixed linear readout of the answer so far, against the "
        "time since the image came, mean over networks. Middle and right: accuracy of the whole answer against what "
        "it costs, mean and standard deviation over networks; the best place is the upper left corner. Energy counts "
        "every addition and every update of a neuron; the table of conventions has other ways to count it."
    )
    return Figure("latency-and-energy", figure, caption)


def _rasters(result: Any, drawn: Any) -> Figure:
    arrays = result.arrays
    names = [str(name) for name in arrays["raster codings"]]
    figure, axes = new_figure(2, (len(names) + 2) // 2, width=10.5, height=5.2, squeeze=False)
    image, panels = axes.flat[0], list(axes.flat[1:])
    image.imshow(arrays["raster image"], cmap="gray_r", vmin=0, vmax=1)
    image.set_axis_off()
    image.set_title("the image")
    times, durations = 1000 * np.asarray(arrays["raster times"]), 1000 * np.asarray(arrays["raster durations"])
    for number, (name, axis) in enumerate(zip(names, panels, strict=False)):
        of = arrays["raster coding"] == number
        size = 2.5 if of.sum() < 1500 else 1.0
        axis.plot(times[of], arrays["raster pixels"][of], ls="", marker=".", ms=size, color=drawn[name].colour)
        axis.set(xlim=(0, durations[number]), ylim=(arrays["raster image"].size, -1))
        axis.set_title(f"{drawn[name].label}: {of.sum():,} spikes", fontsize=9)
        axis.set(xlabel="time (ms)", ylabel="pixel")
    for axis in panels[len(names) :]:
        axis.set_axis_off()
    caption = (
        "One image under every coding: a dot is a spike of the input of a pixel, row by row from the top. The time "
        "axes differ: rates are shown for longer."
    )
    return Figure("rasters", figure, caption)


def _robust(result: Any, drawn: Any) -> Figure:
    arrays = result.arrays
    kinds = [str(kind) for kind in arrays["disturbances"]]
    figure, axis = new_figure(width=9.0, height=4.2)
    count = len(arrays["codings"])
    for number, name in enumerate(arrays["codings"]):
        look = drawn[str(name)]
        accuracy = 100 * arrays["accuracy disturbed"][number]
        x = np.arange(len(kinds)) + 0.09 * (number - (count - 1) / 2)
        style = {"color": look.colour, "marker": look.marker, "ls": "", "ms": 6, "elinewidth": 1}
        axis.errorbar(x, accuracy.mean(axis=1), _spread(accuracy.T), label=look.label, **style)
    for edge in np.arange(len(kinds) - 1) + 0.5:
        axis.axvline(edge, color="#cccccc", lw=0.6)
    axis.set_xticks(range(len(kinds)), kinds)
    axis.set(ylabel="accuracy (%)", ylim=(0, 100))
    figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=9)
    caption = (
        "Accuracy on the same images undisturbed (none), with noise on the grey levels (its standard deviation), with "
        "input spikes deleted (the probability), and with input spikes moved (the standard deviation of the jitter). "
        "Networks and readouts have learned from undisturbed images only. Mean and standard deviation over networks."
    )
    return Figure("robustness", figure, caption)


def _spread(found: Any) -> Any:
    """Standard deviation over networks, which are the first axis; none of a single one."""
    return found.std(axis=0, ddof=1) if len(found) > 1 else None


def _plain(axis: Any, ticks: tuple[int, ...]) -> None:
    axis.set_xticks(ticks, [str(tick) for tick in ticks])
    axis.minorticks_off()
