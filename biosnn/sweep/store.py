"""The store of a sweep as its user has it: how far it is, its table, its data frame, its page, another try."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from biosnn.display import badge, bounded, card, number, paragraph, table
from biosnn.errors import ResultError
from biosnn.study.saved import SavedResult, load_result
from biosnn.sweep import results
from biosnn.sweep.claims import alive
from biosnn.sweep.layout import Failure, Layout
from biosnn.sweep.page import write_page

_MOST_VALUES = 6
"""Of a result, those that a notebook shows."""


def _unit(unit: str) -> str:
    return "" if unit == "1" else unit


class Store(Layout):
    """A sweep on disk.

    Parameters
    ----------
    folder : Path or str
        Its folder.
    """

    def __repr__(self) -> str:
        try:
            counts = ", ".join(f"{many} {status}" for status, many in self.status().items() if many)
        except ResultError:
            counts = "no sweep"
        return bounded(f"<Store {str(self.folder)!r}: {counts}>")

    def _repr_html_(self) -> str:
        try:
            counts = [(status, str(many)) for status, many in self.status().items() if many]
            rows = self.rows()
        except ResultError as error:
            return card("Results of a sweep", self.folder, paragraph(error))
        names = list(dict.fromkeys(name for row in rows for name in row.values))[:_MOST_VALUES]
        lines = [
            (
                ", ".join(f"{k} = {v}" for k, v in row.point.settings.items()),
                str(row.point.seed),
                badge(row.verdict) or row.status,
                *(f"{number(row.values[n][0])} {_unit(row.values[n][1])}" if n in row.values else "" for n in names),
            )
            for row in rows
        ]
        head = ("settings", "seed", "verdict", *names)
        return card("Results of a sweep", self.folder, table((), counts, numbers=(1,)), table(head, lines))

    def status(self) -> dict[str, int]:
        """How many points are done, running, missing and failed, without reading any result.

        Raises
        ------
        ResultError
            If there is no sweep in the folder.
        """
        keys = {str(entry["key"]) for entry in self._content()["points"]}
        finished = self.finished() & keys
        failed = (self.failed() & keys) - finished
        claimed = [key for key in (self.claimed() & keys) - finished - failed if alive(self.claim(key))]
        counts = Counter({results.DONE: len(finished), results.RUNNING: len(claimed), results.FAILED: len(failed)})
        counts[results.MISSING] = len(keys) - counts.total()
        return {status: counts[status] for status in results.STATUSES if status != results.DAMAGED}

    def rows(self) -> list[results.Row]:
        """A row per point, read from the results.

        Raises
        ------
        ResultError
            If there is no sweep in the folder.
        """
        return results.read_rows(self, self.plan())

    def frame(self) -> Any:
        """A pandas data frame with a row per point.

        Its columns are the settings that change, ``seed``, ``status``, each value, the verdicts, ``seconds``,
        ``memory (MB)``, ``processor``, ``host``, ``error`` and ``key``. What has a unit has it in the column's name.

        Raises
        ------
        ResultError
            If there is no sweep in the folder.
        MissingExtraError
            If pandas is not installed.
        """
        return results.frame(self.plan(), self.rows())

    def result(self, key: str) -> SavedResult:
        """Read the result of a point, arrays included.

        Raises
        ------
        ResultError
            If there is none.
        """
        return load_result(self.point(key))

    def failures(self) -> list[Failure]:
        """Why points of the plan failed, each with the last of what its process printed."""
        failed = self.failed() - self.finished()
        return [self.failure(point.key) for point in self.plan().points if point.key in failed]

    def retry(self) -> int:
        """Let points that failed be computed by the next run, and those whose results are damaged; return how many.

        Raises
        ------
        ResultError
            If there is no sweep in the folder.
        """
        failed = [failure.key for failure in self.failures()]
        for key in failed:
            self.forget_failure(key)
        damaged = [row.point.key for row in self.rows() if row.status == results.DAMAGED]
        for key in damaged:
            self.remove(key)
        return len(failed) + len(damaged)

    def write_tables(self) -> list[Path]:
        """Write ``table.csv``, and ``table.parquet`` where pandas and pyarrow are installed.

        Raises
        ------
        ResultError
            If there is no sweep in the folder, or they cannot be written.
        """
        try:
            return results.write_tables(self, self.plan(), self.rows())
        except OSError as error:
            raise ResultError(f"{self.folder}: the table cannot be written: {error.strerror or error}.") from None

    def report(self, values: Sequence[str] = ()) -> Path:
        """Write ``report.html``, and the figures as PNG and SVG, into the store; return the page.

        Parameters
        ----------
        values : sequence of str
            Which values are drawn; by default, the first that change, and of which something was expected.

        Raises
        ------
        ResultError
            If there is no sweep in the folder, no such value, or they cannot be written.
        """
        self.write_tables()
        return write_page(self, values)
