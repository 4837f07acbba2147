"""A saved result as a notebook shows it: verdict, answer, values beside the expected ones, claims, small figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from biosnn.display.cards import MOST_THUMBNAILS, Safe, badge, card, escaped, note, paragraph, table, thumbnail
from biosnn.display.texts import number


class Row(Protocol):
    """What is shown of a value: see `biosnn.study.verdict.CheckedValue`."""

    @property
    def name(self) -> str: ...
    @property
    def value(self) -> float: ...
    @property
    def unit(self) -> str: ...
    @property
    def expected(self) -> float | None: ...
    @property
    def tolerance(self) -> float | None: ...
    @property
    def relative(self) -> float | None: ...
    @property
    def source(self) -> str: ...
    @property
    def verdict(self) -> str: ...


class Judged(Protocol):
    """What is shown of a result."""

    @property
    def study(self) -> str: ...
    @property
    def verdict(self) -> str: ...
    @property
    def answer(self) -> str: ...
    @property
    def rows(self) -> Sequence[Row]: ...
    @property
    def claims(self) -> Sequence[Any]: ...
    @property
    def settings(self) -> Mapping[str, str]: ...
    @property
    def seed(self) -> int: ...
    @property
    def target(self) -> str: ...
    @property
    def folder(self) -> Path: ...
    @property
    def figure_error(self) -> str: ...
    @property
    def warnings(self) -> Sequence[str]: ...
    @property
    def figures(self) -> Mapping[str, str]: ...


def shown_value(row: Row) -> str:
    """A value with its unit."""
    return with_unit(row.value, row.unit)


def with_unit(value: Any, unit: str) -> str:
    """A number with its unit, if it has one."""
    return number(value) if unit in ("", "1") else f"{number(value)} {unit}"


def result_card(result: Judged, rows: Sequence[Row]) -> str:
    """The card of a result, with its values as readers write them."""
    values = table(
        ("value", "", "expected", "verdict", "source"),
        [(row.name, shown_value(row), _expected(row), badge(row.verdict), row.source) for row in rows],
        numbers=(1, 2),
    )
    claims = table(
        ("claim", "verdict"),
        [(f"{claim.statement} {claim.why}".strip(), badge(claim.verdict)) for claim in result.claims],
    )
    run = ", ".join([f"target {result.target}", f"seed {result.seed}"])
    return card(
        "Result of a study",
        result.study,
        Safe(f"<p>{badge(result.verdict)} {escaped(result.answer)}</p>"),
        *(note(warning) for warning in result.warnings),
        values,
        claims,
        *(thumbnail(result.folder / "figures" / f"{name}.png", text) for name, text in _few(result.figures)),
        paragraph(f"Figures could not be drawn: {result.figure_error}" if result.figure_error else ""),
        note(f"{run}; in {result.folder}"),
    )


def _few(figures: Mapping[str, str]) -> list[tuple[str, str]]:
    return list(figures.items())[:MOST_THUMBNAILS]


def _expected(row: Row) -> str:
    if row.expected is None:
        return ""
    if row.relative is not None:
        return f"{with_unit(row.expected, row.unit)} ± {100 * row.relative:.3g} %"
    return with_unit(row.expected, row.unit) + (f" ± {number(row.tolerance)}" if row.tolerance is not None else "")
