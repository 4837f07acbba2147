"""Figures of the study `unsupervised`, drawn from its saved result."""

from __future__ import annotations

from typing import Any

import numpy as np

from biosnn.report import Figure, draw_fields, new_figure


def plot(result: Any) -> list[Figure]:
    """Draw what the network learned, how well, how fast, and how it answers."""
    return [_fields(result), _confusion(result), _curve(result), _raster(result), _activity(result)]


def _fields(result: Any) -> Figure:
    figure = draw_fields(result.arrays["receptive fields"], result.arrays["neuron labels"])
    caption = (
        "What each excitatory cell of the first network has learned: its input weights, laid out like the image. Cells "
        "are sorted by the class that they answer most on training images (none: they answered no image)."
    )
    return Figure("receptive-fields", figure, caption)


def _confusion(result: Any) -> Figure:
    table = result.arrays["confusion"].astype(float)
    share = 100 * table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    classes = len(table)
    figure, axis = new_figure(width=6.0, height=4.8)
    image = axis.imshow(share, cmap="cividis", vmin=0, vmax=100)
    for row in range(classes):
        for column in range(classes + 1):
            if table[row, column]:
                colour = "white" if share[row, column] < 50 else "black"
                text = f"{share[row, column]:.0f}"
                axis.text(column, row, text, ha="center", va="center", fontsize=8, color=colour)
    axis.set_xticks(range(classes + 1), [*map(str, range(classes)), "none"])
    axis.set_yticks(range(classes))
    axis.set(xlabel="decision of the network", ylabel="true class")
    axis.spines[:].set_visible(False)
    figure.colorbar(image, ax=axis, label="fraction of the images of the class (%)")
    caption = (
        f"Decisions on {int(table.sum())} held-out images, all networks together. A row adds up to 100 %; "
        "'none' means that no labelled cell fired."
    )
    return Figure("confusion", figure, caption)


def _curve(result: Any) -> Figure:
    presentations, curves = result.arrays["curve presentations"], result.arrays["curve accuracy"]
    figure, axis = new_figure(height=4.0)
    for number, curve in enumerate(curves):
        label = None if number else "while learning"
        axis.plot(presentations, 100 * curve, color="#0072b2", alpha=0.6, label=label)
    end = presentations[-1] if len(presentations) else 0
    finals = 100 * result.arrays["final accuracy"]
    at = np.full(len(finals), end * 1.06)
    axis.plot(at, finals, "o", color="#d55e00", ms=5, label="held-out images, frozen")
    lines: dict[str, tuple[Any, str]] = {
        "k-means": ("--", "#009e73"),
        "logistic regression": (":", "#000000"),
        "chance": ("-.", "#cc79a7"),
    }
    if "accuracy without learning" in result.values:
        lines["accuracy without learning"] = ((0, (5, 1)), "#e69f00")
    for name, (style, colour) in ((name, line) for name, line in lines.items() if name in result.values):
        value = 100 * float(result.values[name])
        label = name.removeprefix("accuracy ")
        axis.axhline(value, ls=style, color=colour, lw=1.2, label=f"{label} ({value:.1f} %)")
    axis.set(xlabel="training presentations", ylabel="accuracy (%)", ylim=(0, 102), xlim=(0, None))
    axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8)
    caption = (
        "Accuracy while learning, one line per network: cells get their labels from one stretch of presentations and "
        "are tested on the next, so that only training images are used. Dots: held-out images at the end, with frozen "
        "weights and thresholds. Lines across: simpler methods on the same splits, and the network without plasticity."
    )
    return Figure("learning-curve", figure, caption)


def _raster(result: Any) -> Figure:
    arrays = result.arrays
    images, period = arrays["recorded images"], np.asarray(arrays["recorded period"])
    shown, length = 1000 * period
    figure, axes = new_figure(3, 1, width=7.4, height=6.4, sharex=True, gridspec_kw={"height_ratios": (1.1, 1.6, 1.6)})
    axes[0].set_axis_off()
    axes[0].set_ylim(0, 1)
    for number, image in enumerate(images):
        box = [(number * length) + 0.12 * shown, 0.0, 0.76 * shown, 0.84]
        inset = axes[0].inset_axes(box, transform=axes[0].transData)
        inset.imshow(image, cmap="gray_r", vmin=0, vmax=1)
        inset.set_axis_off()
        decided = arrays["recorded decisions"][number]
        title = f"{arrays['recorded labels'][number]} → {'none' if decided < 0 else decided}"
        inset.set_title(title, fontsize=9, pad=2, loc="center")
    pixels, cells = images[0].size if len(images) else 1, len(arrays["neuron labels"])
    rank = np.empty(cells, dtype=int)
    rank[np.argsort(arrays["neuron labels"], kind="stable")] = np.arange(cells)
    ranks = rank[arrays["recorded spike neurons"]]
    rows = (
        (axes[1], arrays["recorded input times"], arrays["recorded input pixels"], "input (pixel)", pixels, 0.6),
        (axes[2], arrays["recorded spike times"], ranks, "excitatory cell", cells, 5.0),
    )
    for axis, times, which, label, size, dot in rows:
        for number in range(len(images)):
            axis.axvspan(number * length, number * length + shown, color="#56b4e9", alpha=0.15, lw=0)
        axis.plot(1000 * np.asarray(times), which, ls="", marker=".", ms=dot, color="black")
        axis.set(ylabel=label, ylim=(-1, size))
    _class_ticks(axes[2], arrays["neuron labels"])
    axes[2].set(xlabel="time (ms)", xlim=(0, len(images) * length))
    caption = (
        "A few held-out images shown to the first network after learning: true class → decision above each. Middle: "
        "spikes of the inputs, one row per pixel. Below: spikes of the excitatory cells, sorted by the class that they "
        "were given. Shaded: the image is on."
    )
    return Figure("raster", figure, caption)


def _class_ticks(axis: Any, labels: Any) -> None:
    """Mark on the y axis of sorted cells where each class begins."""
    ordered = np.sort(labels)
    classes = np.unique(ordered)
    begins = np.searchsorted(ordered, classes)
    middles = (begins + np.append(begins[1:], len(ordered))) / 2
    axis.set_yticks(middles, ["–" if label < 0 else str(label) for label in classes], fontsize=8)
    axis.tick_params(axis="y", length=0)
    axis.set_ylabel("excitatory cells\nby class")
    for begin in begins[1:]:
        axis.axhline(begin - 0.5, color="#999999", lw=0.5)


def _activity(result: Any) -> Figure:
    arrays = result.arrays
    spikes, thresholds = arrays["spikes an image"], np.asarray(arrays["thresholds"])
    figure, axes = new_figure(2, 2, width=7.4, height=5.2)
    axes = axes.flat
    axes[0].hist(spikes, bins=_whole_bins(spikes), color="#0072b2")
    axes[0].axvline(spikes.mean(), color="#d55e00", ls="--", label=f"mean {spikes.mean():.1f}")
    axes[0].set(xlabel="spikes in answer to an image", ylabel="images")
    axes[0].legend(fontsize=8)
    axes[1].hist(arrays["spikes a neuron"], bins=30, color="#0072b2")
    axes[1].set(xlabel="spikes of a cell in the test", ylabel="cells")
    if thresholds.size:
        axes[2].hist(thresholds, bins=30, color="#0072b2")
    else:
        axes[2].text(0.5, 0.5, "this cell has no\nadaptive threshold", ha="center", transform=axes[2].transAxes)
    axes[2].set(xlabel="adaptive threshold (mV)", ylabel="cells")
    weights = result.arrays["receptive fields"].ravel()
    axes[3].hist(weights, bins=60, color="#0072b2", log=True)
    axes[3].set(xlabel="input weight (dimensionless)", ylabel="synapses")
    caption = (
        "Activity of the frozen networks, all seeds together: spikes of all excitatory cells in answer to an image; "
        "spikes of each cell over all images; the adaptive part of each cell's threshold after learning; and the "
        "weights of the first network's inputs."
    )
    return Figure("activity", figure, caption)


def _whole_bins(counts: Any) -> Any:
    """Bins for whole numbers: one for each, or, where those would be too many to be seen, one for several."""
    step = max(int(counts.max()) // 60, 1)
    return np.arange(0, counts.max() + step + 1, step) - 0.5
