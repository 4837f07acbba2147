"""What is in a drawing: its lines, points, bars and images, and all of it as a table to draw it again from."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import Collection, EventCollection, PathCollection, QuadMesh
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle, StepPatch
from numpy.typing import NDArray

from biosnn.display import Brief

HEAD = ("panel", "series", "kind", "x", "y", "value")
MOST_NUMBERS = 200_000
"""A figure of more points has no table; its arrays are in the result."""


@dataclass(frozen=True, eq=False)
class Series(Brief):
    """Something that is drawn in a panel.

    Parameters
    ----------
    label : str
        That in the legend, or what it is and its number.
    kind : str
        ``line``, ``points``, ``bar`` or ``image``.
    x, y : ndarray
        Its points; those of an image are the middles of its pixels along each side.
    value : ndarray, shape (len(y), len(x)), optional
        That of an image.
    colour : str
        As in HTML.
    named : bool
        Whether it stands in the legend.
    """

    label: str
    kind: str
    x: NDArray[Any]
    y: NDArray[Any]
    value: NDArray[Any] | None = None
    colour: str = "#000000"
    named: bool = False

    @property
    def numbers(self) -> int:
        """How many points, or pixels."""
        return int(self.x.size if self.value is None else self.value.size)


def panels(figure: Figure) -> list[Axes]:
    """The axes of a drawing in which something was measured: a bar of colours is none."""
    return [axes for axes in figure.axes if not hasattr(axes, "_colorbar")]


def panel_name(axes: Axes, number: int) -> str:
    """The title of a panel, or its number, and what its axes are."""
    title = axes.get_title(loc="left") or axes.get_title() or str(number)
    return f"{title}: {axes.get_xlabel() or 'x'}, {axes.get_ylabel() or 'y'}"


def series_of(axes: Axes) -> list[Series]:
    """Find what is drawn in a panel, as far as it is at places of the data: no text, and no line across all of it."""
    return [*_lines(axes), *_stairs(axes), *_collections(axes), *_bars(axes), *_images(axes)]


@dataclass(frozen=True)
class Level:
    """A line across all of a panel, at a place of one of its axes."""

    place: float
    horizontal: bool
    colour: str


def levels_of(axes: Axes) -> list[Level]:
    """Find the lines across all of a panel, as `axhline` and `axvline` draw them."""
    found = []
    for line in axes.lines:
        across = ((axes.get_yaxis_transform(which="grid"), True), (axes.get_xaxis_transform(which="grid"), False))
        for transform, horizontal in across:
            if line.get_transform() == transform:
                values = np.asarray(line.get_ydata() if horizontal else line.get_xdata(), float)
                found.append(Level(float(values[0]), horizontal, to_hex(line.get_color())))
    return found


def figure_table(figure: Figure) -> str:
    """Write what is in a drawing as CSV, or nothing if that is nothing or too much.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The drawing.

    Returns
    -------
    str
        A table of `HEAD`. ``panel`` is that of `panel_name`, where the units stand; ``series`` and ``kind`` are those
        of `Series`. ``value`` is that of an image at a place.
    """
    found = [(panel_name(axes, number), series_of(axes)) for number, axes in enumerate(panels(figure), 1)]
    total = sum(one.numbers for _, drawn in found for one in drawn)
    if not 0 < total <= MOST_NUMBERS:
        return ""
    stored = io.StringIO()
    writer = csv.writer(stored, lineterminator="\n")
    writer.writerow(HEAD)
    for panel, drawn in found:
        for one in drawn:
            writer.writerows((panel, one.label, one.kind, *row) for row in _rows(one))
    return stored.getvalue()


def _rows(one: Series) -> Iterator[tuple[str, str, str]]:
    if one.value is None:
        for x, y in zip(one.x, one.y, strict=True):
            yield _text(x), _text(y), ""
        return
    for y, row in zip(one.y, one.value, strict=True):
        for x, value in zip(one.x, row, strict=True):
            yield _text(x), _text(y), _text(value)


def _lines(axes: Axes) -> Iterator[Series]:
    for number, line in enumerate(axes.lines, 1):
        # A line across all the axes, as of axhline, is at a place of the data in one direction only.
        if line.get_transform() == axes.transData and line.get_visible():
            kind = "points" if line.get_linestyle() in ("None", "none", "", " ") else "line"
            x, y = (np.asarray(values) for values in line.get_data())
            yield Series(
                _label(line, f"{kind} {number}"), kind, x, y, colour=to_hex(line.get_color()), named=_has(line)
            )


def _stairs(axes: Axes) -> Iterator[Series]:
    """Histograms: each value at both edges of its bin, as a line goes."""
    for number, stairs in enumerate((one for one in axes.patches if isinstance(one, StepPatch)), 1):
        values, edges, _ = stairs.get_data()
        x, y = np.repeat(edges, 2)[1:-1], np.repeat(values, 2)
        colour = to_hex(stairs.get_facecolor() if stairs.get_fill() else stairs.get_edgecolor())
        yield Series(_label(stairs, f"stairs {number}"), "line", x, y, colour=colour, named=_has(stairs))


def _collections(axes: Axes) -> Iterator[Series]:
    for number, drawn in enumerate(axes.collections, 1):
        found = _of_collection(drawn, number)
        if found is not None:
            yield found


def _of_collection(drawn: Collection, number: int) -> Series | None:
    if isinstance(drawn, PathCollection):
        offsets = np.asarray(drawn.get_offsets())
        colour = _first_colour(drawn.get_facecolor(), drawn.get_edgecolor())
        label = _label(drawn, f"points {number}")
        return Series(label, "points", offsets[:, 0], offsets[:, 1], colour=colour, named=_has(drawn))
    if isinstance(drawn, EventCollection):
        times = np.asarray(drawn.get_positions())
        places = np.full(len(times), drawn.get_lineoffset())
        x, y = (times, places) if drawn.is_horizontal() else (places, times)
        colour = _first_colour(drawn.get_edgecolor())
        return Series(_label(drawn, f"points {number}"), "points", x, y, colour=colour, named=_has(drawn))
    if isinstance(drawn, QuadMesh):
        corners = np.asarray(drawn.get_coordinates())
        x = (corners[0, 1:, 0] + corners[0, :-1, 0]) / 2
        y = (corners[1:, 0, 1] + corners[:-1, 0, 1]) / 2
        value = np.asarray(drawn.get_array()).reshape(len(y), len(x))
        return Series(_label(drawn, f"image {number}"), "image", x, y, value)
    return None


def _bars(axes: Axes) -> Iterator[Series]:
    """The bars of one call together: their middles, and how high they reach."""
    for number, bars in enumerate(axes.containers, 1):
        rectangles = [bar for bar in getattr(bars, "patches", []) if isinstance(bar, Rectangle)]
        if not rectangles:
            continue
        x = np.array([bar.get_x() + bar.get_width() / 2 for bar in rectangles])
        y = np.array([bar.get_y() + bar.get_height() for bar in rectangles])
        if getattr(bars, "orientation", "vertical") == "horizontal":
            x = np.array([bar.get_x() + bar.get_width() for bar in rectangles])
            y = np.array([bar.get_y() + bar.get_height() / 2 for bar in rectangles])
        colour = to_hex(rectangles[0].get_facecolor())
        yield Series(_label(bars, f"bar {number}"), "bar", x, y, colour=colour, named=_has(bars))


def _images(axes: Axes) -> Iterator[Series]:
    for number, image in enumerate(axes.images, 1):
        value = np.asarray(image.get_array())
        if value.ndim != 2:
            continue
        left, right, bottom, top = image.get_extent()
        if image.origin == "upper":
            bottom, top = top, bottom
        height, width = value.shape
        x = left + (right - left) * (np.arange(width) + 0.5) / width
        y = bottom + (top - bottom) * (np.arange(height) + 0.5) / height
        yield Series(_label(image, f"image {number}"), "image", x, y, value)


def _has(drawn: Any) -> bool:
    """Whether something has a label of its author's."""
    label = str(drawn.get_label() or "")
    return bool(label) and not label.startswith("_")


def _label(drawn: Any, otherwise: str) -> str:
    return str(drawn.get_label()) if _has(drawn) else otherwise


def _first_colour(*candidates: Any) -> str:
    return next((to_hex(colours[0]) for colours in candidates if len(colours)), "#000000")


def _text(number: Any) -> str:
    return number if isinstance(number, str) else f"{float(number):.9g}"
