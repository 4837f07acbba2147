"""Figures of a sweep: a value against a setting, over two settings as a heat map, over more as parallel coordinates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure as Drawing
from matplotlib.ticker import FixedLocator, NullLocator
from numpy.typing import NDArray

from biosnn.report import Figure, new_figure
from biosnn.sweep.layout import Plan
from biosnn.sweep.results import DONE, Row, setting_number

_MOST_VALUES = 8
_MOST_WRITTEN = 60  # cells of a heat map in which the numbers stand
_SEQUENTIAL = "viridis"


@dataclass(frozen=True)
class Axis:
    """A setting that changes in a sweep.

    Parameters
    ----------
    name : str
        Which.
    label : str
        Its name with its unit.
    levels : list
        Its values in their order, numbers or texts.
    """

    name: str
    label: str
    levels: list[Any]

    @property
    def numeric(self) -> bool:
        """Whether its values are numbers."""
        return all(isinstance(level, (int, float)) for level in self.levels)


def changing(plan: Plan) -> list[Axis]:
    """The settings that have several values in a plan."""
    axes = []
    for name, unit in plan.units.items():
        values = list(dict.fromkeys(setting_number(point.settings[name], unit) for point in plan.points))
        if len(values) > 1:
            numeric = all(isinstance(value, (int, float)) and not math.isnan(value) for value in values)
            label = f"{name} ({unit})" if unit not in ("", "1") else name
            axes.append(Axis(name, label, sorted(values) if numeric else [str(value) for value in values]))
    return axes


def values_of(rows: Sequence[Row]) -> dict[str, str]:
    """The names and units of the values of a sweep that changes: those come first of which something was expected."""
    units = {name: unit for row in rows for name, (_, unit) in row.values.items()}
    spread = {name: _spread([row.values[name][0] for row in rows if name in row.values]) for name in units}
    judged = {name for row in rows for name in row.verdicts}
    order = sorted((name for name in units if spread[name]), key=lambda name: name not in judged)
    return {name: units[name] for name in order}


def _spread(numbers: Sequence[float]) -> bool:
    finite = {number for number in numbers if math.isfinite(number)}
    return len(finite) > 1


def draw(plan: Plan, rows: Sequence[Row], names: Sequence[str] = ()) -> list[Figure]:
    """Draw the figures of a sweep.

    Parameters
    ----------
    plan : Plan
        The plan.
    rows : sequence of Row
        What came out.
    names : sequence of str
        Which values; by default, the first that change, and of which something was expected.
    """
    done = [row for row in rows if row.status == DONE]
    units = values_of(done)
    chosen = list(names) or list(units)[:_MOST_VALUES]
    axes = changing(plan)
    figures = []
    for number, name in enumerate(chosen, start=1):
        shown = [row for row in done if name in row.values and math.isfinite(row.values[name][0])]
        if shown:
            unit = shown[0].values[name][1]
            label = f"{name} ({unit})" if unit != "1" else name
            draw_one = _DRAWN.get(len(axes), _parallel)
            drawing, caption = draw_one(plan, axes, shown, name, label)
            figures.append(Figure(f"value-{number}", drawing, caption))
    return figures


def _number(row: Row, name: str) -> float:
    return row.values[name][0]


def _level(plan: Plan, row: Row, axis: Axis) -> int:
    value = setting_number(row.point.settings[axis.name], plan.units[axis.name])
    return axis.levels.index(value if axis.numeric else str(value))


def _over_seeds(plan: Plan, axes: list[Axis], rows: list[Row], name: str, label: str) -> tuple[Drawing, str]:
    del plan, axes
    figure, ax = new_figure(height=2.6)
    numbers = np.array([_number(row, name) for row in rows])
    ax.plot(numbers, np.zeros(len(numbers)), "|", markersize=22, markeredgewidth=1.4)
    ax.plot(numbers.mean(), 0, "D", color="black", markersize=6, label=f"mean {numbers.mean():.4g}")
    ax.set(xlabel=label, yticks=[], ylim=(-1, 1.6))
    ax.spines.left.set_visible(False)
    ax.legend(loc="upper right")
    deviation = f", standard deviation {numbers.std(ddof=1):.3g}" if len(numbers) > 1 else ""
    return figure, f"{name} for {len(numbers)} seeds (lines): mean {numbers.mean():.4g}{deviation}."


def _against_one(plan: Plan, axes: list[Axis], rows: list[Row], name: str, label: str) -> tuple[Drawing, str]:
    (axis,) = axes
    figure, ax = new_figure()
    level = np.array([_level(plan, row, axis) for row in rows])
    numbers = np.array([_number(row, name) for row in rows])
    places = np.array(axis.levels if axis.numeric else range(len(axis.levels)), dtype=float)
    there = np.unique(level)
    means = np.array([numbers[level == one].mean() for one in there])
    several = any(np.count_nonzero(level == one) > 1 for one in there)
    if several:
        low, high = (np.array([extreme(numbers[level == one]) for one in there]) for extreme in (np.min, np.max))
        if axis.numeric:
            ax.fill_between(places[there], low, high, alpha=0.2, linewidth=0, label="from lowest to highest seed")
        else:
            ax.vlines(places[there], low, high, alpha=0.3, linewidth=6, label="from lowest to highest seed")
        ax.plot(places[level], numbers, ".", color="#5b6570", markersize=4, label="one seed")
    ax.plot(places[there], means, "o-" if axis.numeric else "o", label="mean of the seeds" if several else name)
    ax.set(xlabel=axis.label, ylabel=label)
    if axis.numeric and places.min() > 0 and places.max() / places.min() >= 100:
        ax.set_xscale("log")
    if not axis.numeric:
        ax.set_xticks(places, axis.levels, rotation=30 if max(map(len, axis.levels)) > 10 else 0)
        ax.set_xlim(-0.5, len(places) - 0.5)
    if several:
        figure.legend(loc="outside upper left", ncols=3)
    return figure, f"{name} against {axis.name}" + (", with the spread over seeds." if several else ".")


def _over_two(plan: Plan, axes: list[Axis], rows: list[Row], name: str, label: str) -> tuple[Drawing, str]:
    # The longer axis lies along the page.
    across, up = sorted(axes, key=lambda axis: -len(axis.levels))
    means = _means(plan, rows, name, across, up)
    height = min(6.0, max(2.6, 1.2 + 0.45 * len(up.levels)))
    figure, ax = new_figure(height=height)
    image = ax.imshow(means, origin="lower", aspect="auto", cmap=_SEQUENTIAL, interpolation="nearest")
    figure.colorbar(image, ax=ax, label=label)
    for axis, set_ticks, most in ((across, ax.set_xticks, 12), (up, ax.set_yticks, 15)):
        step = -(-len(axis.levels) // most)
        places = range(0, len(axis.levels), step)
        set_ticks(list(places), [_short(axis.levels[place]) for place in places])
    ax.set(xlabel=across.label, ylabel=up.label)
    ax.spines[:].set_visible(False)
    if means.size <= _MOST_WRITTEN:
        middle = (np.nanmin(means) + np.nanmax(means)) / 2
        for (row, column), value in np.ndenumerate(means):
            if np.isfinite(value):
                colour = "white" if value < middle else "black"
                ax.text(column, row, f"{value:.3g}", ha="center", va="center", color=colour, fontsize=9)
    return figure, f"{name} over {across.name} and {up.name}: the mean of the seeds. White: no result."


def _means(plan: Plan, rows: list[Row], name: str, across: Axis, up: Axis) -> NDArray[np.float64]:
    sums, counts = np.zeros((2, len(up.levels), len(across.levels)))
    for row in rows:
        place = _level(plan, row, up), _level(plan, row, across)
        sums[place] += _number(row, name)
        counts[place] += 1
    with np.errstate(invalid="ignore"):
        return np.asarray(sums / counts)


def _parallel(plan: Plan, axes: list[Axis], rows: list[Row], name: str, label: str) -> tuple[Drawing, str]:
    """A line per point, from axis to axis, in the colour of its value, which is the last axis."""
    figure, ax = new_figure(height=4.2)
    numbers = np.array([_number(row, name) for row in rows])
    low, high = float(numbers.min()), float(numbers.max())
    order = np.argsort(numbers)
    # Lines through the same values lie beside each other, so that one does not hide the others.
    beside = np.empty(len(numbers))
    beside[order] = np.linspace(-0.025, 0.025, len(numbers))
    levels = [np.array([_level(plan, row, axis) for row in rows]) / max(1, len(axis.levels) - 1) for axis in axes]
    heights = [*(height + beside for height in levels), (numbers - low) / (high - low or 1)]
    lines = np.stack([np.column_stack((range(len(heights)), one)) for one in np.array(heights).T])
    ax.add_collection(LineCollection(list(lines[order]), array=numbers[order], cmap=_SEQUENTIAL, alpha=0.7, lw=1.2))
    figure.colorbar(ax.collections[0], ax=ax, label=label, pad=0.12)
    for place, axis in enumerate(axes):
        ax.axvline(place, color="#5b6570", lw=0.8)
        step = -(-len(axis.levels) // 12)
        for at in range(0, len(axis.levels), step):
            height = at / max(1, len(axis.levels) - 1)
            box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.8}
            ax.text(place + 0.03, height, _short(axis.levels[at]), fontsize=8.5, va="center", bbox=box)
    ax.axvline(len(axes), color="#5b6570", lw=0.8)
    for height in (0.0, 0.5, 1.0):
        ax.text(len(axes) + 0.03, height, f"{low + height * (high - low):.3g}", fontsize=8.5, va="center")
    ax.set(xlim=(-0.1, len(axes) + 0.35), ylim=(-0.05, 1.05))
    ax.xaxis.set_major_locator(FixedLocator(list(range(len(heights)))))
    ax.set_xticklabels([axis.label.replace(" (", "\n(") for axis in axes] + [label.replace(" (", "\n(")])
    ax.yaxis.set_major_locator(NullLocator())
    ax.spines[:].set_visible(False)
    return (
        figure,
        f"{name} at every point: a line per point and seed, from setting to setting, in the colour of {name}.",
    )


def _short(level: Any) -> str:
    return f"{level:.4g}" if isinstance(level, float) else str(level)


_DRAWN = {0: _over_seeds, 1: _against_one, 2: _over_two}
