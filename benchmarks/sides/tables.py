"""Let the sides of a table take turns, and print what came out beside what was wanted."""

from __future__ import annotations

import importlib
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sides import programs
from sides.programs import Run


class Rounds:
    """All runs of a table's programs.

    Parameters
    ----------
    table : str
        The module of this package that lists the sides.
    repeat : int
        How often each runs.
    """

    def __init__(self, table: str, repeat: int) -> None:
        self.sides = importlib.import_module(f"sides.{table}").SIDES
        self.runs: dict[str, list[Run]] = {name: [] for name in self.sides}
        with tempfile.TemporaryDirectory(prefix="biosnn-benchmark-") as made:
            folders = {name: Path(made, table, name) for name in self.sides}
            for name, folder in folders.items():
                _build(table, name, folder, Path(made, "cache"))
            for _ in range(repeat):
                for name, found in self.runs.items():
                    found.append(programs.run(folders[name]))

    def label(self, name: str) -> str:
        return str(self.sides[name].label)

    def seconds(self, name: str, without: str = "") -> float:
        """Median of a side's times, less those of another of the same round."""
        others = [run.seconds for run in self.runs[without]] if without else [0.0] * len(self.runs[name])
        return statistics.median(run.seconds - other for run, other in zip(self.runs[name], others, strict=True))

    def peak(self, name: str) -> float:
        """Median of the peaks of memory."""
        return statistics.median(run.peak for run in self.runs[name])

    def memory(self, name: str, without: str) -> float:
        """Median of the peaks of memory, less those of another."""
        return self.peak(name) - self.peak(without)

    def count(self, name: str, what: str) -> float:
        return self.runs[name][0].counts[what]


@dataclass(frozen=True)
class Row:
    """A line of a table: what was measured, and the target as (what is compared, limit, whether it is at least it)."""

    label: str
    cells: Sequence[str]
    value: float | None = None
    target: str = ""
    limit: float = 0.0
    least: bool = True

    def verdict(self) -> str:
        if self.value is None:
            return ""
        met = self.value >= self.limit if self.least else self.value <= self.limit
        sign = ">=" if self.least else "<="
        return f"{self.target} {self.value:.2f} (wanted {sign} {self.limit:g}): {'met' if met else 'MISSED'}"


def show(title: str, heads: Sequence[str], rows: Sequence[Row]) -> None:
    print(f"\n{title}\n{'':46}" + "".join(f"{head:>16}" for head in heads) + "   target")
    for row in rows:
        print(f"{row.label:46}" + "".join(f"{cell:>16}" for cell in row.cells) + f"   {row.verdict()}", flush=True)


def alike(totals: Sequence[float]) -> bool:
    """Whether sums that were added up in different orders are the same."""
    return max(totals) - min(totals) <= 1e-9 * max(map(abs, totals))


def _build(table: str, side: str, folder: Path, cache: Path) -> None:
    """Build in a fresh process, since Brian2's settings are global."""
    command = [*programs.ALONE, table, side, str(folder)]
    ours = {"BIOSNN_CACHE": str(cache), "BIOSNN_PROGRESS": "off"}
    done = subprocess.run(command, env={**programs.environment(), **ours}, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{table}, {side} could not be built:\n{done.stderr}")
