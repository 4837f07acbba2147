"""The page of a sweep: figures, a table that sorts and filters, links to the points' own pages, and what failed."""

from __future__ import annotations

import base64
import io
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl

from biosnn.errors import ResultError, unknown
from biosnn.folders import size_text
from biosnn.report import Figure
from biosnn.report.figures import STYLE
from biosnn.report.templates import duration_text, template
from biosnn.study.saved import REPORT
from biosnn.sweep.figures import draw, values_of
from biosnn.sweep.layout import Layout
from biosnn.sweep.results import DAMAGED, DONE, FAILED, Row, columns, read_rows
from biosnn.writing import replaced

FIGURES = "figures"
_MOST_ROWS = 2000
_MOST_FAILURES = 50


@dataclass(frozen=True)
class _Cell:
    text: str
    value: float | str = ""
    number: bool = False


def write_page(store: Layout, values: Sequence[str] = ()) -> Path:
    """Write ``report.html`` into a store, and its figures as PNG and SVG into ``figures/``.

    Parameters
    ----------
    store : Layout
        The store.
    values : sequence of str
        Which values are drawn; by default, the first that change.

    Raises
    ------
    ResultError
        If there is no sweep in the folder, no such value, or it cannot be written.
    """
    plan = store.plan()
    rows = read_rows(store, plan)
    known = list(dict.fromkeys(name for row in rows for name in row.values))
    for name in values:
        if name not in known:
            raise ResultError(f"--value: {unknown('value', name, known)}")
    with mpl.rc_context(STYLE):
        figures = draw(plan, rows, values)
        pictures = [{"caption": figure.caption, "data": _svg(figure)} for figure in figures]
        counts = Counter(row.status for row in rows)
        table = columns(plan, rows[:_MOST_ROWS])
        dropped = ("processor", "host", "error", "key")
        head = [name for name in table if name not in dropped]
        lines = zip(*(table[name] for name in head), strict=True)
        text = template("sweep.html").render(
            plan=plan,
            counts={name: counts[name] for name in (DONE, FAILED, DAMAGED)},
            left=len(rows) - counts[DONE] - counts[FAILED] - counts[DAMAGED],
            seeds=len({row.point.seed for row in rows}),
            seconds=duration_text(sum(row.seconds for row in rows if not math.isnan(row.seconds))),
            memory=_most([row.memory for row in rows]),
            processors=sorted({row.processor for row in rows if row.processor}),
            figures=pictures,
            left_out=[name for name in values_of(rows) if name not in values][len(figures) :] if not values else [],
            head=[("point", False), *((name, _numeric(table[name])) for name in head)],
            body=[_line(store, row, line) for row, line in zip(rows, lines, strict=False)],
            more=max(0, len(rows) - _MOST_ROWS),
            failures=_failures(store, rows),
            code=sorted(plan.code.items()),
        )
        try:
            _write_figures(store.folder / FIGURES, figures)
            with replaced(store.folder / REPORT) as new:
                new.write_text(text, encoding="utf-8")
        except OSError as error:
            raise ResultError(f"{store.folder}: the page cannot be written: {error.strerror or error}.") from None
    return store.folder / REPORT


def _write_figures(folder: Path, figures: Sequence[Figure]) -> None:
    folder.mkdir(exist_ok=True)
    for old in (*folder.glob("value-*.png"), *folder.glob("value-*.svg")):
        old.unlink()
    for figure in figures:
        for kind in ("png", "svg"):
            figure.figure.savefig(folder / f"{figure.name}.{kind}")


def _svg(figure: Figure) -> str:
    text = io.BytesIO()
    figure.figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return f"data:image/svg+xml;base64,{base64.b64encode(text.getvalue()).decode()}"


def _most(numbers: Sequence[float]) -> str:
    there = [number for number in numbers if number > 0]
    return size_text(max(there)) if there else ""


def _line(store: Layout, row: Row, cells: Sequence[Any]) -> dict[str, Any]:
    """A row of the table, whose first cell leads to the point's page, or else its folder."""
    place = store.point(row.point.key)
    page = place / REPORT if (place / REPORT).is_file() else place
    link = page.relative_to(store.folder).as_posix() if row.status == DONE else ""
    return {"link": link, "cells": [_Cell(row.point.key[:8]), *map(_cell, cells)]}


def _numeric(column: Sequence[Any]) -> bool:
    return all(isinstance(item, (int, float)) for item in column)


def _cell(item: Any) -> _Cell:
    if isinstance(item, (int, float)):
        return _Cell("" if math.isnan(item) else f"{item:.6g}", item if not math.isnan(item) else "NaN", number=True)
    return _Cell(str(item))


def _failures(store: Layout, rows: Sequence[Row]) -> list[dict[str, str]]:
    found = []
    for row in [row for row in rows if row.status in (FAILED, DAMAGED)][:_MOST_FAILURES]:
        what = ", ".join(f"{name}={text}" for name, text in row.point.settings.items())
        log = store.failure(row.point.key).log if row.status == FAILED else ""
        found.append({"what": f"{what or 'defaults'}, seed {row.point.seed}", "error": row.error, "log": log})
    return found
