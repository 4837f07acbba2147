"""Figures of part 1, the code itself, drawn from the saved result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from biosnn.report import Figure, new_figure

# The entropy of the bins that values lie in: see `code.information`.
MOST_BITS = 4


def code_figures(result: Any, looks: Mapping[str, Any]) -> list[Figure]:
    """Draw the error, the information, and what the code costs.

    Parameters
    ----------
    result : SavedResult
        With the arrays of `code_arrays`.
    looks : mapping of str to an object with the attributes ``label``, ``colour`` and ``marker``
        How each coding is drawn, by its name.
    """
    return [_error(result.arrays, looks), _information(result.arrays, looks), _price(result.arrays, looks)]


def _error(arrays: Mapping[str, Any], looks: Mapping[str, Any]) -> Figure:
    names, times = arrays["code disturbances"], 1000 * np.asarray(arrays["code times"])
    # Codings of a user's own may all be without a decoder.
    rows = {"code error": "of the own decoder", "code fitted": "of the fitted decoder"}
    rows = {key: of for key, of in rows.items() if np.isfinite(arrays[key]).any()}
    size = {"width": max(2.5 * len(names), 5.0), "height": 0.4 + 2.6 * len(rows)}
    figure, axes = new_figure(len(rows), len(names), **size, sharex=True, sharey=True, squeeze=False)
    for (key, of), row in zip(rows.items(), axes, strict=True):
        for number, axis in enumerate(row):
            _lines(axis, arrays, looks, times, arrays[key][:, number])
            axis.set(xscale="log", yscale="log")
        row[0].set_ylabel(f"rms error {of}")
    for axis, name in zip(axes[0], names, strict=True):
        axis.set_title(_title(name))
    _times(axes[-1])
    _legend(figure, axes[0, 0])
    caption = (
        "How wrong a value from 0 to 1 is when it is read from its spikes, against the time that the coding has; the "
        "root of the mean square over many values, with lines for the mean and bands for the standard deviation over "
        "repetitions. Above, the decoder of each coding, which knows nothing of the disturbance; below, one kind of "
        "decoder for all, which was fitted to spikes so disturbed. Always to say one half would be an error of 0.29."
    )
    return Figure("code-error", figure, caption)


def _information(arrays: Mapping[str, Any], looks: Mapping[str, Any]) -> Figure:
    names, times = arrays["code disturbances"], 1000 * np.asarray(arrays["code times"])
    columns = len(names)
    figure, axes = new_figure(1, columns, width=max(2.5 * columns, 5.0), height=3.8, sharey=True, squeeze=False)
    for number, axis in enumerate(axes[0]):
        _lines(axis, arrays, looks, times, arrays["code information"][:, number])
        axis.axhline(MOST_BITS, color="#777777", ls=":", lw=1)
        axis.set(xscale="log", title=_title(names[number]), ylim=(-0.1, MOST_BITS + 0.15))
    axes[0, 0].set_ylabel("information (bits per neuron)")
    _times(axes[0])
    _legend(figure, axes[0, 0])
    caption = (
        "How much the spikes of one neuron tell of its value, against the time that the coding has: mutual information "
        "between the value, in 16 bins, and what the fitted decoder makes of the spikes. The dotted line is all there "
        "is to be told, 4 bits. Bands: standard deviation over repetitions."
    )
    return Figure("code-information", figure, caption)


def _price(arrays: Mapping[str, Any], looks: Mapping[str, Any]) -> Figure:
    own, fitted = (arrays[key][:, 0].mean(axis=-1, keepdims=True) for key in ("code error", "code fitted"))
    spikes = arrays["code spikes"][:, 0].mean(axis=-1)
    settled = 1000 * np.asarray(arrays["code settled"])[:, 0].mean(axis=-1)
    # A code without a spike has cost nothing and said nothing.
    paid, waited = (np.where(spikes > 0, price, np.nan) for price in (spikes, settled))
    panels = [(paid, fitted, "spikes per value", "rms error of the fitted decoder")]
    if np.isfinite(own).any():
        panels.append((waited, own, "time until the estimate has settled (ms)", "rms error of the own decoder"))
    figure, axes = new_figure(1, len(panels), width=3.9 * len(panels), height=4.2, squeeze=False)
    for axis, (price, error, cost, what) in zip(axes[0], panels, strict=True):
        _lines(axis, arrays, looks, price, error)
        axis.set(xlabel=cost, ylabel=what, xscale="log", yscale="log")
        _plain(axis)
    _legend(figure, axes[0, 0])
    name = _title(arrays["code disturbances"][0])
    caption = (
        f"What a small error costs ({name}): spikes on the left, time on the right. Each marker is a time allowed. "
        "An estimate has settled when the coding's own decoder, shown the spikes so far, is at most a tenth worse than "
        "in the end; codings without a decoder are missing there. Lower left is better."
    )
    return Figure("code-price", figure, caption)


# ---- what they share -----------------------------------------------------------------------------------------------


def _lines(axis: Any, arrays: Mapping[str, Any], looks: Mapping[str, Any], x: Any, found: Any) -> None:
    """A line for each coding through the mean over the last axis, and a band for the standard deviation."""
    means, sds = found.mean(axis=-1), found.std(axis=-1, ddof=int(found.shape[-1] > 1))
    for name, at, mean, sd in zip(arrays["code codings"], np.broadcast_to(x, means.shape), means, sds, strict=True):
        look = looks[str(name)]
        axis.plot(at, mean, color=look.colour, marker=look.marker, ms=4, lw=1.3, label=look.label)
        if np.any(sd > 0):
            axis.fill_between(at, np.maximum(mean - sd, mean / 10), mean + sd, color=look.colour, alpha=0.15, lw=0)


def _title(name: Any) -> str:
    return "no disturbance" if name == "none" else str(name)


def _times(axes: Any) -> None:
    for axis in axes:
        axis.set_xlabel("time allowed (ms)")
        _plain(axis)


def _plain(axis: Any) -> None:
    """Write 1, 2, 5, 10 below the axis rather than powers of ten."""
    axis.xaxis.set_major_locator(LogLocator(base=10, subs=(1.0, 2.0, 5.0)))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda x, _place: f"{x:g}"))
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.tick_params(axis="x", labelsize=8)


def _legend(figure: Any, axis: Any) -> None:
    handles, labels = axis.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 4), fontsize=9)
