"""Two results side by side, at the terminal and as a page."""

from __future__ import annotations

from pathlib import Path

from rich.table import Table

from biosnn.cli.results import shown
from biosnn.cli.terminal import Console, Text
from biosnn.errors import ResultError
from biosnn.report.compare import Comparison, compare, write_comparison
from biosnn.study.saved import load_result
from biosnn.sweep.layout import PLAN


def print_comparison(console: Console, first: Path, second: Path, page: Path | None) -> None:
    """Print what differs between two results, and write the page.

    Raises
    ------
    ResultError
        If one is no result, or the page cannot be written.
    """
    for folder in (first, second):
        if (folder / PLAN).is_file():
            raise ResultError(f"{folder}: is the store of a sweep. Give two of its points, {folder}/points/ab/KEY.")
    found = compare(load_result(first), load_result(second))
    page = page or Path(f"compare-{first.resolve().name}-{second.resolve().name}.html")
    write_comparison(found, page)
    if found.same:
        console.print("Nothing differs.")
    for kind in found.sections:
        _print_section(console, found, kind)
    console.print(f"Page with the figures: {shown(page)}", soft_wrap=True)


def _print_section(console: Console, found: Comparison, kind: str) -> None:
    differences, equal = found.sections[kind], found.equal[kind]
    if not differences:
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    heads = [f"{kind} ({equal} equal)", "first", "second", *(["change"] if kind == "values" else [])]
    for head in heads:
        table.add_column(head, overflow="fold")
    for item in differences:
        cells = [item.name, item.first, item.second, *([item.change] if kind == "values" else [])]
        table.add_row(*map(Text, cells))
    console.print(table)
