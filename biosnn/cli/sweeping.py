"""Sweeps at the terminal: started, looked at, tabulated, drawn, tried again; and fits, which are made of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from biosnn.cli.results import shown, verdict_text
from biosnn.cli.terminal import Console, Text
from biosnn.engine.progress import Progress as Bar
from biosnn.errors import SweepError, field_error
from biosnn.printable import printable
from biosnn.study.functions import find_study
from biosnn.study.settings import split_assignments
from biosnn.sweep import Cluster, Dask, JobArray, Local, Store, Sweep, read_queue
from biosnn.sweep.figures import changing, values_of
from biosnn.sweep.fit import fit
from biosnn.sweep.grid import axes_of_texts, parse_seeds
from biosnn.sweep.results import DONE, FAILED, Row

LOOKS = ("status", "table", "report", "retry")
"""What `biosnn sweep` does with a store, where its first word is not a study."""
_MOST_ERRORS = 5
_MOST_POINTS = 12

Where = Local | Dask | Cluster | JobArray


def parse_where(text: str) -> Where:
    """Read ``--on``: ``local``, ``local=4``, ``dask=ADDRESS``, ``slurm`` or a file of TOML.

    Raises
    ------
    SweepError
        If it is something else.
    """
    kind, equals, rest = text.partition("=")
    if text == "local":
        return Local()
    if kind == "local" and equals and rest.isascii() and rest.isdigit():
        return Local(int(rest))
    if kind == "dask" and rest:
        return Dask(rest)
    if text == "slurm":
        return JobArray()
    if text.endswith(".toml"):
        return read_queue(Path(text).expanduser())
    raise SweepError(field_error("--on", "local, local=4, dask=ADDRESS, slurm or FILE.toml", text))


def plan_sweep(
    study: str, settings: Sequence[str], seeds: str | None, target: str | None, threads: int | None
) -> Sweep:
    """The sweep that a command line asks for.

    Raises
    ------
    BiosnnError
        If the study, a setting, a seed or the target is wrong.
    """
    loaded = find_study(study)
    grid = axes_of_texts(loaded.settings, split_assignments(settings))
    return Sweep(
        loaded,
        grid=grid,
        seeds=parse_seeds(seeds or "1"),
        target=target,
        threads=1 if threads is None else threads,
    )


def print_plan(console: Console, sweep: Sweep, where: Where, store: Path, *, dry: bool) -> None:
    """Say what is to be computed, what is there already, and what went stale."""
    plan, known = sweep.plan, sweep.known(store)
    console.print(Text(plan.name, style="bold") + Text(f": {plan.title}"))
    for axis in changing(plan):
        levels = ", ".join(str(level) for level in axis.levels[:_MOST_POINTS])
        console.print(f"  {axis.label}: {levels}{', ...' if len(axis.levels) > _MOST_POINTS else ''}")
    seeds = len({point.seed for point in plan.points})
    left = len(sweep) - known.done - known.failed
    told = f"{len(sweep)} points ({len(sweep) // seeds} settings x {seeds} seeds), {known.done} done before"
    console.print(f"{told}, {known.failed} failed before, {left} to compute. Store: {shown(store)}", soft_wrap=True)
    if known.stale:
        console.print(f"{known.stale} earlier results are of other code and are computed again.", style="yellow")
        console.print(f"  changed: {', '.join(known.changed) or 'models or files that settings name'}", soft_wrap=True)
    if dry:
        for point in plan.points[:_MOST_POINTS]:
            words = " ".join(f"{name}={text}" for name, text in point.settings.items())
            console.print(f"  {point.key}  {words} --seed {point.seed}", soft_wrap=True)
        if len(sweep) > _MOST_POINTS:
            console.print(f"  and {len(sweep) - _MOST_POINTS} more")
        if isinstance(where, JobArray):
            console.print(where.script(Store(store), len(sweep)), soft_wrap=True)


def run_sweep(console: Console, sweep: Sweep, where: Where, store: Path, figures: bool | None) -> bool:
    """Compute, show how far it is, and print what came out; return whether no point failed."""
    found = sweep.run(where, store, figures=figures)
    if isinstance(where, JobArray):
        job = f"Submitted job {' '.join(where.submitted)}." if where.submitted else "Nothing is left to compute."
        console.print(f"{job} biosnn sweep status {shown(found.folder)}", soft_wrap=True)
        return True
    page = found.report()
    print_status(console, found)
    console.print(f"Report: {shown(page)}", soft_wrap=True)
    return not found.failures()


def print_status(console: Console, store: Store) -> None:
    """Print how many points are done, running, missing and failed, and why the first failed."""
    counts = store.status()
    total = sum(counts.values())
    parts = [f"{many} {status}" for status, many in counts.items() if many or status == DONE]
    console.print(f"{', '.join(parts)} of {total} points")
    if counts[FAILED]:
        points = {point.key: point for point in store.plan().points}
        failures = store.failures()
        for failure in failures[:_MOST_ERRORS]:
            point = points[failure.key]
            words = ", ".join(f"{name}={text}" for name, text in point.settings.items()) or "defaults"
            console.print(Text(f"✗ {words}, seed {point.seed}: ", "red") + Text(failure.error), soft_wrap=True)
        if len(failures) > _MOST_ERRORS:
            console.print(f"and {len(failures) - _MOST_ERRORS} more, in the report.")
        console.print(f"biosnn sweep retry {shown(store.folder)} computes them again.", style="dim", soft_wrap=True)


def print_table(console: Console, store: Store, *, mean: bool) -> None:
    """Print a row per point, or per settings with the mean over seeds; values that do not fit are named."""
    plan, rows = store.plan(), store.rows()
    axes, units = [axis.name for axis in changing(plan)], values_of([row for row in rows if row.status == DONE])
    groups = _grouped(rows, axes) if mean else [[row] for row in rows]
    heads = [*axes, "seeds" if mean else "seed", "status"]
    lines = [_line(group, axes, mean=mean) for group in groups]
    cells = {name: [_value(group, name, mean=mean) for group in groups] for name in units}
    labels = {name: f"{name} ({unit})" if unit != "1" else name for name, unit in units.items()}
    width = sum(2 + max(len(text) for text in (head, *column)) for head, column in _columns(heads, lines))
    fitting: list[str] = []
    left: list[str] = []
    for name, column in cells.items():
        needed = 2 + max(len(text) for text in (labels[name], *column))
        (left if left or (width + needed > console.width and console.is_terminal) else fitting).append(name)
        width += needed
    columns = [*_columns(heads, lines), *((labels[name], cells[name]) for name in fitting)]
    console.file.write(_aligned(columns))
    if left:
        console.print(f"Too wide for this terminal: {' · '.join(left)}. {shown(store.folder / 'table.csv')} has all.")
    verdicts = [row.verdict for row in rows if row.verdict]
    for verdict in dict.fromkeys(verdicts):
        console.print(verdict_text(verdict) + Text(f" at {verdicts.count(verdict)} of {len(rows)} points"))


def _grouped(rows: Sequence[Row], axes: Sequence[str]) -> list[list[Row]]:
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row.point.settings[name] for name in axes), []).append(row)
    return list(groups.values())


def _columns(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> list[tuple[str, list[str]]]:
    return [(head, [line[place] for line in lines]) for place, head in enumerate(heads)]


def _aligned(columns: Sequence[tuple[str, Sequence[str]]]) -> str:
    """A table as text; rich takes ten seconds for ten thousand rows."""
    padded = []
    for head, column in columns:
        width = max(len(text) for text in (head, *column))
        padded.append([text.ljust(width) if head == "status" else text.rjust(width) for text in (head, *column)])
    return "".join(f"{printable('  '.join(line).rstrip())}\n" for line in zip(*padded, strict=True))


def _line(group: Sequence[Row], axes: Sequence[str], *, mean: bool) -> list[str]:
    first = group[0]
    settings = [first.point.settings[name] for name in axes]
    statuses = [row.status for row in group]
    counted = [f"{statuses.count(one)} {one}" for one in dict.fromkeys(statuses)]
    return [*settings, str(len(group) if mean else first.point.seed), ", ".join(counted) if mean else first.status]


def _value(group: Sequence[Row], name: str, *, mean: bool) -> str:
    numbers = np.array([row.values[name][0] for row in group if name in row.values])
    numbers = numbers[np.isfinite(numbers)]
    if not len(numbers):
        return ""
    spread = f" ± {numbers.std(ddof=1):.2g}" if mean and len(numbers) > 1 else ""
    return f"{numbers.mean():.5g}{spread}"


def run_fit(
    console: Console, study: str, ranges: Sequence[str], value: str, maximise: bool, on: str, options: dict[str, Any]
) -> None:
    """Search, show how far it is, and print the best settings.

    Raises
    ------
    BiosnnError
        If a range, the value or a count is wrong, or no point gives the value.
    """
    where = parse_where(on)
    if isinstance(where, JobArray):
        raise SweepError(
            "--on: a fit waits for its points, which an array of jobs does not. Give a FILE.toml of Dask's."
        )
    given = {**options, "seeds": parse_seeds(options["seeds"])}
    with Bar(f"fit of {study}") as bar:

        def watch(tried: int, best: float) -> None:
            bar.update(tried / options["trials"], f"{tried} tried" + ("" if math.isnan(best) else f", best {best:.5g}"))

        found = fit(study, value, split_assignments(ranges), maximise=maximise, on=where, watch=watch, **given)
    unit = "" if found.unit == "1" else f" {found.unit}"
    told = f"{value} = {found.value:.6g}{unit}, the {'largest' if maximise else 'smallest'} of {found.tried} tried"
    console.print(Text(told, style="bold") + Text(f" ({found.failed} failed)" if found.failed else ""))
    for name, text in found.settings.items():
        console.print(f"  {name}={text}")
    console.print(f"Report: {shown(found.store.report())}", soft_wrap=True)
