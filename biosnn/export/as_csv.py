"""A result as tables, each a file of comma-separated values: no other program is needed to read them."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from brian2 import second
from brian2.units.fundamentalunits import get_dimensions
from numpy.typing import NDArray

from biosnn.export.contents import VALUES, Contents
from biosnn.quantity import unit_text

_PLAIN = re.compile(r"[^\w.+=-]+")
ABOUT, TABLE = "about.csv", "values.csv"

Table = tuple[Sequence[str], Iterable[Sequence[Any]]]
"""Its head, and its rows."""


def write_csv(folder: Path, found: Contents, values: list[tuple[str, ...]]) -> None:
    """Write all tables into an empty folder."""
    _write(folder / ABOUT, ("what", "text"), found.about.items())
    _write(folder / TABLE, VALUES, values)
    taken = {ABOUT, TABLE}
    for name, (head, rows) in _tables(found):
        _write(folder / _file(name, taken), head, rows)


def _tables(found: Contents) -> Iterator[tuple[str, Table]]:
    for name, spikes in found.spikes.items():
        at = np.argsort(np.asarray(spikes.times), kind="stable")
        rows = zip((spikes.times / second)[at].tolist(), spikes.indices[at].tolist(), strict=True)
        yield name, (("time (second)", "neuron"), rows)
    for name, signal in found.signals.items():
        times = (signal.start + signal.step * np.arange(len(signal.values))).tolist()
        columns = signal.values.reshape(len(times), -1)
        with_times = ([t, *row] for t, row in zip(times, columns.tolist(), strict=True))
        yield name, (("time (second)", *_heads(name, signal.unit, columns.shape[1])), with_times)
    for name, array in found.others.items():
        yield name, _plain_table(name, unit_text(get_dimensions(array)), np.asarray(array))


def _plain_table(name: str, unit: str, array: NDArray[Any]) -> Table:
    """An array of up to two axes as it is; of more, with a row for each number, and the place that it has."""
    if array.ndim <= 2:
        rows = array if array.ndim == 2 else array.reshape(-1, 1)
        return _heads(name, unit, rows.shape[1]), rows.tolist()
    return (*(f"axis {n}" for n in range(array.ndim)), *_heads(name, unit, 1)), _with_places(array)


def _with_places(array: NDArray[Any]) -> Iterator[Sequence[Any]]:
    for place, value in zip(np.ndindex(array.shape), array.ravel().tolist(), strict=True):
        yield (*place, value)


def _heads(name: str, unit: str, many: int) -> tuple[str, ...]:
    of = "" if unit == "1" else f" ({unit})"
    return (f"{name}{of}",) if many == 1 else tuple(f"{name} {n}{of}" for n in range(many))


def _file(name: str, taken: set[str]) -> str:
    """A name for a file that every system takes and no other has, be they told by capitals or not."""
    plain = _PLAIN.sub("_", name)
    tried = (f"{plain}{f'_{n}' if n else ''}.csv" for n in range(len(taken) + 1))
    chosen = next(file for file in tried if file.lower() not in {other.lower() for other in taken})
    taken.add(chosen)
    return chosen


def _write(path: Path, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        table = csv.writer(file)
        table.writerow(head)
        table.writerows(rows)
