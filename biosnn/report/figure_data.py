"""The numbers in a drawing, as a table: what somebody needs to draw a figure again with a program of his own."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.collections import Collection, EventCollection, PathCollection, QuadMesh
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

HEAD = ("panel", "series", "x", "y", "value")
MOST_ROWS = 200_000
"""A figure with more numbers has no table; its arrays are in the result."""


def figure_table(figure: Figure) -> str:
    """Write the lines, points, bars and images of a drawing as CSV, or nothing if it has none or too many.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The drawing.

    Returns
    -------
    str
        A table of `HEAD`. ``panel`` is the title of the axes, or their number from 1, and the labels of their axes,
        where the units stand. ``series`` is the label in the legend, or what is drawn and its number. ``value`` is that
        of an image at a place.
    """
    rows: list[tuple[Any, ...]] = []
    for number, axes in enumerate(figure.axes, 1):
        # A bar of colours is an axes too, without anything that was measured.
        if hasattr(axes, "_colorbar"):
            continue
        title = axes.get_title(loc="left") or axes.get_title() or str(number)
        panel = f"{title}: {axes.get_xlabel() or 'x'}, {axes.get_ylabel() or 'y'}"
        rows += [(panel, *row) for row in _of_axes(axes)]
        if len(rows) > MOST_ROWS:
            return ""
    return _csv(rows) if rows else ""


def _csv(rows: list[tuple[Any, ...]]) -> str:
    stored = io.StringIO()
    writer = csv.writer(stored, lineterminator="\n")
    writer.writerow(HEAD)
    writer.writerows(rows)
    return stored.getvalue()


def _of_axes(axes: Any) -> Iterator[tuple[Any, ...]]:
    for number, line in enumerate(axes.lines, 1):
        # A line across all the axes, as of axhline, is at a place of the data in one direction only.
        if line.get_transform() == axes.transData:
            yield from _points(_series(line, f"line {number}"), *line.get_data())
    for number, drawn in enumerate(axes.collections, 1):
        yield from _of_collection(drawn, number)
    bars = [bar for bar in axes.patches if isinstance(bar, Rectangle) and bar.get_transform() != axes.transAxes]
    for number, bar in enumerate(bars, 1):
        middle, height = bar.get_x() + bar.get_width() / 2, bar.get_y() + bar.get_height()
        yield from _points(_series(bar, f"bar {number}"), [middle], [height])
    for number, image in enumerate(axes.images, 1):
        array = np.asarray(image.get_array())
        if array.ndim == 2:
            yield from _of_image(_series(image, f"image {number}"), array, image.get_extent(), image.origin)


def _of_collection(drawn: Collection, number: int) -> Iterator[tuple[Any, ...]]:
    if isinstance(drawn, PathCollection):
        offsets = np.asarray(drawn.get_offsets())
        yield from _points(_series(drawn, f"points {number}"), offsets[:, 0], offsets[:, 1])
    elif isinstance(drawn, EventCollection):
        times = np.asarray(drawn.get_positions())
        places = np.full(len(times), drawn.get_lineoffset())
        both = (times, places) if drawn.is_horizontal() else (places, times)
        yield from _points(_series(drawn, f"events {number}"), *both)
    elif isinstance(drawn, QuadMesh):
        corners = np.asarray(drawn.get_coordinates())
        middles = (corners[:-1, :-1] + corners[1:, 1:]) / 2
        values = np.asarray(drawn.get_array()).ravel()
        series = _series(drawn, f"image {number}")
        for (x, y), value in zip(middles.reshape(-1, 2), values, strict=True):
            yield series, _text(x), _text(y), _text(value)


def _of_image(series: str, array: Any, extent: Any, origin: str) -> Iterator[tuple[Any, ...]]:
    height, width = array.shape
    left, right, bottom, top = extent
    if origin == "upper":
        bottom, top = top, bottom
    across, down = (np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height
    for row, y in zip(array, bottom + (top - bottom) * down, strict=True):
        for value, x in zip(row, left + (right - left) * across, strict=True):
            yield series, _text(x), _text(y), _text(value)


def _points(series: str, x: Any, y: Any) -> Iterator[tuple[Any, ...]]:
    for one, other in zip(np.asarray(x), np.asarray(y), strict=True):
        yield series, _text(one), _text(other), ""


def _series(drawn: Any, otherwise: str) -> str:
    label = str(drawn.get_label() or "")
    return otherwise if not label or label.startswith("_") else label


def _text(number: Any) -> str:
    return number if isinstance(number, str) else f"{float(number):.9g}"
