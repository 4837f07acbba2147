"""The gallery of published experiments at the terminal: listed, run in one go, and as a page."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from biosnn import catalogue
from biosnn.cli.results import shown, verdict_text
from biosnn.cli.terminal import Console, Text
from biosnn.errors import BiosnnError, NotFoundError, StudyError, unknown
from biosnn.gallery import LONGEST, TOPICS, GalleryEntry
from biosnn.report.gallery import published, write_gallery
from biosnn.run import DEFAULT_SEED, RESULTS, default_key, finished_result, run_study
from biosnn.study.claims import PASS
from biosnn.study.load import EXPECTED, load_study
from biosnn.study.saved import SavedResult
from biosnn.study.verdict import KINDS, PUBLISHED, CheckedValue, passed, read_expected

_NONE = "There is no study in the gallery. docs/write-a-study.md says how one gets there."


@dataclass(frozen=True)
class _Checked:
    """What came out of a study: its result, or why there is none."""

    name: str
    result: SavedResult | None
    error: str = ""

    @property
    def passes(self) -> bool:
        return self.result is not None and self.result.verdict == PASS and not self.result.broken


def print_gallery(console: Console) -> None:
    """List the studies of the gallery by topic.

    Raises
    ------
    NotFoundError
        If nothing does.
    """
    entries = _chosen(None)
    for topic, heading in TOPICS.items():
        found = {name: entry for name, entry in entries.items() if entry.topic == topic}
        if found:
            console.print(heading, style="underline")
            console.print(_listed(found))
            console.print()
    console.print("biosnn check --gallery runs all short ones, biosnn run NAME one of them.", style="dim")


def _listed(entries: Mapping[str, GalleryEntry]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("study", no_wrap=True, style="bold")
    table.add_column("alias", no_wrap=True)
    table.add_column("published", justify="right")
    table.add_column("seconds", justify="right")
    table.add_column("paper", overflow="fold")
    for name, entry in entries.items():
        many = _published(name)
        cells = (name, entry.alias, "?" if many is None else str(many), f"{entry.seconds:g}", entry.paper)
        table.add_row(*map(Text, cells))
    return table


def _published(name: str) -> int | None:
    """How many published values a study is held against, as its file says; None if that cannot be read."""
    try:
        return sum(item.kind == PUBLISHED for item in read_expected(catalogue.study_folder(name) / EXPECTED))
    except StudyError:
        return None


def check_gallery(
    console: Console, *, topic: str | None, out: Path | None, again: bool, seed: int | None, options: dict[str, Any]
) -> bool:
    """Run every short study of the gallery, one after another, print a table and return whether all hold.

    Parameters
    ----------
    console : Console
        Where to print.
    topic : str, optional
        Only the studies of one.
    out : Path, optional
        The folder of the results' folders, by default ``results``.
    again : bool
        Whether to run also what there is a finished result of.
    seed : int, optional
        The seed of all runs.
    options : dict
        ``target`` and ``threads`` of `run_study`.

    Raises
    ------
    NotFoundError
        If the topic is unknown, or no short study is in it.
    """
    entries = _chosen(topic)
    short = {name: entry for name, entry in entries.items() if entry.short}
    if not short:
        raise NotFoundError(f"Each study takes longer than {LONGEST} s: {', '.join(entries)}. Run them by name.")
    rows = []
    for number, (name, entry) in enumerate(short.items(), start=1):
        begin = f"{number} of {len(short)}: {name}"
        console.print(Text(begin, style="bold") + Text(f" (about {entry.seconds:g} s)"))
        rows.append(_checked(console, name, out or RESULTS, DEFAULT_SEED if seed is None else seed, again, options))
    console.print()
    _print_table(console, rows)
    left = [name for name in entries if name not in short]
    if left:
        console.print(f"Not run, since it takes more than {LONGEST} s: {', '.join(left)}. Run them by name.")
    return all(row.passes for row in rows)


def write_page(console: Console, results: Path, page: Path | None) -> None:
    """Write the page of the gallery from the results in a folder, by default into that, and say what is on it.

    Raises
    ------
    ResultError
        If there is no such folder, or the page cannot be written.
    """
    page = page or results / "gallery.html"
    cards = write_gallery(results, page)
    some, many = published(cards)
    run = [card for card in cards if card.verdict]
    console.print(f"{some} of {many} published values pass; {len(run)} of {len(cards)} studies have been run.")
    console.print(f"Page: {shown(page)}", soft_wrap=True)


def _chosen(topic: str | None) -> dict[str, GalleryEntry]:
    if topic is not None and topic not in TOPICS:
        raise NotFoundError(unknown("topic", topic, TOPICS))
    entries = catalogue.gallery()
    names = [name for of in TOPICS for name, entry in entries.items() if entry.topic == of and topic in (None, of)]
    if not names:
        raise NotFoundError(_NONE if topic is None else f"There is no study in the topic {topic!r} of the gallery.")
    return {name: entries[name] for name in names}


def _checked(
    console: Console, name: str, results: Path, seed: int, again: bool, options: Mapping[str, Any]
) -> _Checked:
    """Run a study, unless there is a result of it already; whatever goes wrong with it spares the others."""
    try:
        study = load_study(name)
        key = default_key(study, seed=seed, target=options["target"])
        folder = results / f"{study.name}-{key}"
        result = None if again else finished_result(folder, key)
        if result is None:
            say = lambda text: console.print(f"  {text}", style="dim")  # noqa: E731
            result = run_study(study, seed=seed, out=folder, say=say, **options)
        else:
            console.print("  has been run already, by the same code", style="dim")
    except BiosnnError as error:
        return _told(console, _Checked(name, None, str(error)))
    except Exception as error:
        return _told(console, _Checked(name, None, f"{type(error).__name__}: {error}"))
    finally:
        gc.collect()  # what one network took is there for the next
    return _told(console, _Checked(name, result))


def _told(console: Console, row: _Checked) -> _Checked:
    said = Text("  ") + verdict_text(PASS if row.passes else "error" if row.error else "fail")
    console.print(said + Text(f"  {row.error}" if row.error else ""), soft_wrap=True)
    return row


def _print_table(console: Console, rows: list[_Checked]) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("study", no_wrap=True)
    for heading in (*KINDS, "claims", "seconds"):
        table.add_column(heading, justify="right")
    table.add_column("verdict")
    for row in rows:
        table.add_row(Text(row.name), *_counts(row), verdict_text(_verdict(row)))
    console.print(table)
    for row in rows:
        if not row.passes:
            console.print(Text(f"{row.name}: ", style="bold") + Text(_why(row)), soft_wrap=True)
    # Of a study that has no result, none passes of those that it would have been held against.
    counted = [passed(row.result.rows, PUBLISHED) if row.result else (0, _published(row.name) or 0) for row in rows]
    some, many = (sum(counts) for counts in zip(*counted, strict=True))
    studies = "1 study" if len(rows) == 1 else f"{len(rows)} studies"
    console.print(Text(f"{some} of {many} published values pass, in {studies}.", style="bold"))


def _counts(row: _Checked) -> list[Text]:
    if row.result is None:
        return [Text("")] * (len(KINDS) + 2)
    claims = [claim.verdict for claim in row.result.claims]
    counts = [*(passed(row.result.rows, kind) for kind in KINDS), (claims.count(PASS), len(claims))]
    seconds = row.result.provenance["wall_time"]["value"]
    return [*(Text(f"{some}/{many}" if many else "") for some, many in counts), Text(f"{seconds:.3g}")]


def _verdict(row: _Checked) -> str:
    if row.result is None or row.result.broken:
        return "error"
    return row.result.verdict


def _why(row: _Checked) -> str:
    """What of a study does not hold, and where its report lies."""
    if row.result is None:
        return row.error
    result = row.result
    parts = [_missed(item) for item in result.rows if item.verdict not in ("", PASS)]
    parts += [f"{claim.name}: {claim.verdict}" for claim in result.claims if claim.verdict != PASS]
    parts += [f"figures: {result.figure_error.strip()}"] if result.figure_error else []
    return f"{'; '.join(parts) or 'nothing was checked'}. Report: {shown(result.report)}"


def _missed(row: CheckedValue) -> str:
    if row.why or row.expected is None or row.tolerance is None:
        return f"{row.name}: {row.why}"
    unit = "" if row.unit == "1" else f" {row.unit}"
    return f"{row.name} is {row.value:.4g}{unit}, not {row.expected:.4g} ± {row.tolerance:.2g}{unit}"
