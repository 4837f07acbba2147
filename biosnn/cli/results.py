"""Print what a run is about and what came out."""

from __future__ import annotations

import json
import math
import os
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.table import Table as RichTable

from biosnn.cli.terminal import Console, Text
from biosnn.display import number_text
from biosnn.printable import printable
from biosnn.report.templates import duration_text
from biosnn.run import RESULTS
from biosnn.study.load import Study
from biosnn.study.result import Table
from biosnn.study.saved import RESULT, SavedResult, seconds_last_time
from biosnn.study.settings import setting_texts
from biosnn.study.verdict import KINDS, CheckedValue, digits_of, for_readers

# A sign and a word, so that nobody has to tell colours apart.
_VERDICTS = {
    "pass": ("✓ pass", "green"),
    "fail": ("✗ fail", "red"),
    "silent": ("○ inconclusive", "yellow"),
    "error": ("! error", "red"),
    "unchecked": ("○ unchecked", "yellow"),
}
# What no shell takes for anything else, in any alphabet.
_PLAIN = re.compile(r"[\w@%+=:,./-]+")


def typed(path: Path) -> str:
    """A path as it is typed at a terminal: one below the working directory is seen to be a path."""
    return quoted(str(path) if path.is_absolute() else f"./{path}")


def quoted(path: str) -> str:
    """Quote a path for the shell where that needs it, on one line."""
    text = printable(path, keep="")
    return text if _PLAIN.fullmatch(text) else shlex.quote(text)


def verdict_text(verdict: str) -> Text:
    """A verdict as sign, word and colour."""
    text, style = _VERDICTS.get(verdict, ("", ""))
    return Text(text, style=style)


def print_start(console: Console, study: Study[Any], given: Mapping[str, str]) -> None:
    """Print the title of a study and the settings that differ from its defaults.

    Raises
    ------
    SettingsError
        If a setting is wrong.
    """
    console.print(Text(study.name, style="bold") + Text(f": {study.title}"))
    settings = study.make_settings(given)
    changed = study.changed_settings(settings)
    seconds = seconds_last_time(RESULTS, study.name, setting_texts(settings))
    if seconds is not None:
        console.print(f"With these settings it took {duration_text(seconds)} here last time.", style="dim")
    elif study.entry is not None and not changed:
        console.print(
            f"This takes about {study.entry.seconds:g} s of a processor, and {study.entry.memory}.", style="dim"
        )
    defaults = {info.name: info.text for info in study.describe()}
    for name, text in changed.items():
        console.print(f"  {name} = {text} (default: {defaults[name]})")


def print_saved(console: Console, result: SavedResult) -> None:
    """Print a result that is no news: which study, when, with which settings; then what `print_result` prints."""
    finished = str(result.provenance.get("finished", "")).replace("T", " ").replace("+00:00", " UTC")
    console.print(Text(result.study, style="bold") + Text(f", finished {finished}"))
    changed = set(result.provenance.get("changed", ()))
    for name, text in result.settings.items():
        mark = " (changed)" if name in changed else ""
        console.print(Text(f"  {name} = {text}", style="" if mark else "dim") + Text(mark))
    print_result(console, result)


def print_result(console: Console, result: SavedResult) -> None:
    """Print a result: its tables, its values, its claims, its verdict and where its report lies."""
    if result.answer:
        console.print(Text(result.answer, style="bold"))
    _print_warnings(console, result)
    for name, given in result.tables.items():
        table = _table(name, given)
        if console.measure(table).maximum <= console.width:
            console.print(table)
        else:
            console.print(f"Too wide for this terminal, so only in the report: {name}")
    for kind, rows in _by_kind(result.rows).items():
        console.print(_values(kind, rows))
    if result.claims:
        console.print(_claims(result))
    if result.not_applicable:
        # Names may have commas in them.
        console.print(f"Not applicable with these settings: {' · '.join(result.not_applicable)}")
    if result.figure_error:
        console.print(f"The figures could not be drawn: {result.figure_error.strip()}", style="red")
    console.print(verdict_text(result.verdict) + Text(f"  {result.study}, seed {result.seed}, {result.target}"))
    console.print(f"Report: {shown(result.report)}", soft_wrap=True)


def print_short(console: Console, result: SavedResult) -> None:
    """Print the answer of a result, its verdict and where its report lies."""
    if result.answer:
        console.print(result.answer, soft_wrap=True)
    _print_warnings(console, result)
    console.print(verdict_text(result.verdict) + Text(f"  {shown(result.report)}"), soft_wrap=True)


def _print_warnings(console: Console, result: SavedResult) -> None:
    for warning in result.warnings:
        console.print(Text("Warning: ", style="bold yellow") + Text(warning))


def print_json(console: Console, result: SavedResult) -> None:
    """Print what ``result.json`` says, and the folder, for a program to read."""
    content = json.loads((result.folder / RESULT).read_text(encoding="utf-8"))
    console.print(json.dumps({"folder": str(result.folder.absolute()), **content}, indent=1), soft_wrap=True)


def _by_kind(rows: tuple[CheckedValue, ...]) -> dict[str, list[CheckedValue]]:
    """The values under a heading each: the published ones apart from our own, and from what nothing was expected of."""
    found: dict[str, list[CheckedValue]] = {
        f"{kind} value": [row for row in rows if row.verdict and row.kind == kind] for kind in KINDS
    }
    # Results of earlier versions do not tell which are published.
    found["expected value"] = [row for row in rows if row.verdict and not row.kind]
    found["other value"] = [row for row in rows if not row.verdict]
    return {heading: some for heading, some in found.items() if some}


def _values(heading: str, rows: list[CheckedValue]) -> RichTable:
    checked = any(row.verdict for row in rows)
    table = RichTable(box=None, pad_edge=False)
    table.add_column(heading)
    table.add_column("here", justify="right")
    if checked:
        table.add_column("expected", justify="right")
        table.add_column("verdict")
        table.add_column("source", overflow="fold", style="dim")
    for row in map(for_readers, rows):
        unit = "" if row.unit == "1" else f" {row.unit}"
        here = f"{shown_number(row)}{unit}" if math.isfinite(row.value) or not row.why else "not reported"
        expected = "" if row.expected is None else f"{shown_number(row, row.expected)} ± {row.tolerance:.3g}{unit}"
        cells = [Text(row.name), Text(here)]
        if checked:
            cells += [Text(expected), verdict_text(row.verdict), Text(row.why or row.source)]
        table.add_row(*cells)
    return table


def shown_number(row: CheckedValue, number: float | None = None) -> str:
    """The value of a row, or another number, with as many digits as the row's tolerance makes sense of."""
    return number_text(row.value if number is None else number, digits_of(row))


def _table(name: str, given: Table) -> RichTable:
    table = RichTable(box=None, pad_edge=False, title=Text(name, style="bold"), title_justify="left")
    for number, heading in enumerate(given.rows[0]):
        table.add_column(Text(heading), justify="right" if number else "left", overflow="fold")
    for row in given.rows[1:]:
        table.add_row(*map(Text, row))
    return table


def _claims(result: SavedResult) -> RichTable:
    table = RichTable(box=None, pad_edge=False)
    for heading in ("claim", "verdict", "statement"):
        table.add_column(heading, overflow="fold")
    for claim in result.claims:
        why = f" [{claim.why}]" if claim.why else ""
        table.add_row(Text(claim.name), verdict_text(claim.verdict), Text(claim.statement + why))
    return table


def shown(path: Path) -> str:
    """A path as the reader can type it: relative where that is shorter."""
    try:
        relative = os.path.relpath(path)
    except OSError:  # the working directory is no longer there
        return quoted(str(path))
    return quoted(relative if not relative.startswith("..") else str(path))
