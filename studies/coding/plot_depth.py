"""Figures of part 3, depth, drawn from the saved result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from biosnn.report import Figure, new_figure


def depth_figures(result: Any, looks: Mapping[str, Any]) -> list[Figure]:
    """Draw how many spikes are left in each layer, and how much they tell.

    Parameters
    ----------
    result : SavedResult
        With the arrays of `depth_arrays`.
    looks : mapping of str to an object with the attributes ``label``, ``colour`` and ``marker``
        How each coding is drawn, by its name.
    """
    return [_accuracy(result.arrays, looks), _activity(result.arrays, looks)]


def _accuracy(arrays: Mapping[str, Any], looks: Mapping[str, Any]) -> Figure:
    figure, axes = new_figure(1, 2, width=8.4, height=4.2, sharey=True)
    titles = {"depth counts": "from spike counts", "depth firsts": "from first spikes"}
    for axis, (key, title) in zip(axes, titles.items(), strict=True):
        _lines(axis, arrays, looks, 100 * arrays[key])
        axis.axhline(100 * float(arrays["depth chance"]), color="#777777", ls=":", lw=1.2, label="chance")
        axis.set_title(title)
    axes[0].set(ylabel="accuracy of a linear decoder (%)", ylim=(0, 100))
    _legend(figure, axes[0])
    caption = (
        "How well a linear decoder names the digit from the spikes of one layer: from how often each neuron spikes on "
        "the left, from how early it spikes first on the right. Layer 0 are the pixels themselves. Mean and standard "
        f"deviation over {arrays['depth counts'].shape[1]} networks with random weights. Dotted: always naming the "
        "most frequent class."
    )
    return Figure("depth-accuracy", figure, caption)


def _activity(arrays: Mapping[str, Any], looks: Mapping[str, Any]) -> Figure:
    figure, axes = new_figure(1, 3, width=10.2, height=4.2)
    _lines(axes[0], arrays, looks, _above_zero(arrays["depth spikes"]))
    axes[0].set(yscale="log", ylabel="spikes per neuron per image")
    _lines(axes[1], arrays, looks, 1000 * np.asarray(arrays["depth latency"]))
    axes[1].set(ylabel="median first spike after onset (ms)", ylim=(0, None))
    gains, ratio = arrays["depth gains"], _above_zero(arrays["depth ratio"])
    for number, name in enumerate(arrays["depth codings"]):
        look = looks[str(name)]
        axes[2].plot(gains, ratio[number], color=look.colour, marker=look.marker, ms=4, lw=1.2)
        best = np.argmin(np.abs(gains - arrays["depth gain"][number]))
        axes[2].plot(gains[best], ratio[number, best], "o", ms=11, mfc="none", mec=look.colour, mew=1.2)
    axes[2].axhline(1, color="#777777", ls=":", lw=1.2)
    axes[2].set(yscale="log", xlabel="gain of the later layers", ylabel="spikes of the last layer for one of the first")
    _legend(figure, axes[0])
    caption = (
        "Left: spikes per neuron per image in each layer, of which the first is brought to about one for every coding; "
        "layer 0 are the pixels. Middle: when neurons that spike do so first. Mean and standard deviation over "
        "networks. Right: how many spikes survive, by the gain of all layers after the first; rings mark the gain that "
        "each coding is given, the least with which a decoder names nearly as many digits as with the best. Gains at "
        "which nothing survives have no marker."
    )
    return Figure("depth-activity", figure, caption)


# ---- what they share -----------------------------------------------------------------------------------------------


def _above_zero(found: Any) -> Any:
    """What a logarithmic axis can show."""
    return np.where(found > 0, found, np.nan)


def _sd(found: Any) -> Any:
    """Standard deviation over networks; none of a single one."""
    return found.std(axis=0, ddof=1) if len(found) > 1 else None


def _lines(axis: Any, arrays: Mapping[str, Any], looks: Mapping[str, Any], found: Any) -> None:
    """For each coding, the mean over networks by layer, and bars for the standard deviation."""
    layers = np.arange(found.shape[-1])
    for number, name in enumerate(arrays["depth codings"]):
        look = looks[str(name)]
        # A little to the side of each other, so that the bars can be told apart.
        x = layers + 0.06 * (number - (len(found) - 1) / 2)
        style = {"color": look.colour, "marker": look.marker, "ms": 4, "lw": 1.2, "elinewidth": 0.8}
        axis.errorbar(x, found[number].mean(axis=0), _sd(found[number]), label=look.label, **style)
    axis.set_xlabel("layer")
    axis.set_xticks(layers)


def _legend(figure: Any, axis: Any) -> None:
    handles, labels = axis.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 4), fontsize=9)
