"""Say how far a long piece of work is: a bar in a terminal or in a notebook, a line now and then in a log.

``BIOSNN_PROGRESS`` is ``off``, ``bar`` or ``plain``; ``plain:SECONDS`` sets the time between lines. By default, a
terminal and a notebook get a bar, and anything else plain lines on the standard error: further and further apart, so
that hours of work are some dozens of lines, however many pieces it has. Work that is over within two seconds says
nothing.
"""

from __future__ import annotations

import os
import sys
import time
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress

from biosnn.engine.cell_output import CellOutput, cell_output, duration, in_notebook
from biosnn.errors import EngineError, field_error
from biosnn.printable import printable

QUIET = 2.0
PERIOD = 10.0
LONGEST_PERIOD = 600.0


class _Log:
    """When the next line of a log is due: each time when all the work has taken a tenth longer."""

    def __init__(self) -> None:
        self.begin: float | None = None
        self.next = 0.0

    def said(self, now: float) -> None:
        self.begin = now if self.begin is None else self.begin
        self.next = now + min(max(PERIOD, (now - self.begin) / 10), LONGEST_PERIOD)


_log = _Log()


class Progress:
    """How far one piece of work is.

    Parameters
    ----------
    what
        What is being done, in a few words.
    begun_at
        The fraction that was done before: the time left follows from what is done here.
    """

    def __init__(self, what: str, begun_at: float = 0.0) -> None:
        self.what, self.begun_at = printable(what), begun_at
        self.mode, self.period = _mode()
        self.begin = time.monotonic()
        self.next = self.begin + min(QUIET, QUIET if self.period is None else self.period)
        self.bar: RichProgress | None = None
        self.task: Any = None
        self.cell: CellOutput | None = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.bar is not None:
            self.bar.stop()
        if self.cell is not None:
            self.cell.end(self, time.monotonic() - self.begin, failed=kind is not None)

    def update(self, fraction: float, detail: str) -> None:
        """Say that this fraction is done; ``detail`` tells it in the work's own terms."""
        now = time.monotonic()
        if self.mode == "off" or now < self.next:
            return
        if self.mode == "bar":
            self._draw(fraction, detail)
            return
        elapsed = now - self.begin
        here = fraction - self.begun_at
        left = f", about {duration(elapsed * (1 - fraction) / here)} left" if here > 0 and fraction < 1 else ""
        if self.mode == "notebook":
            self.cell = self.cell or cell_output()
            self.cell.update(self, printable(self.what), fraction, f"({printable(detail)}){left}")
            return
        if self.period is None:
            if now < _log.next:
                return
            _log.said(now)
        else:
            self.next = now + self.period
        print(f"biosnn: {self.what}: {100 * fraction:.0f} % ({detail}){left}", file=sys.stderr, flush=True)

    def _draw(self, fraction: float, detail: str) -> None:
        if self.bar is None:
            what = TextColumn("{task.description}", markup=False)
            columns = (what, BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
            more = (TextColumn("{task.fields[detail]}", markup=False), TimeRemainingColumn())
            self.bar = RichProgress(*columns, *more, console=Console(stderr=True, force_terminal=True), transient=True)
            self.bar.start()
            self.task = self.bar.add_task(self.what, total=1.0, detail=detail)
        self.bar.update(self.task, completed=fraction, description=self.what, detail=detail)


def simulated(seconds: float) -> str:
    """A simulated time as text, in the unit that suits it."""
    return f"{seconds:.4g} s" if seconds >= 1 else f"{1000 * seconds:.4g} ms"


def _mode() -> tuple[str, float | None]:
    """How it is said, and the seconds between lines if they are given."""
    asked = os.environ.get("BIOSNN_PROGRESS", "").strip()
    bar = "notebook" if in_notebook() else "bar"
    if not asked:
        return (bar if bar == "notebook" or sys.stderr.isatty() else "plain"), None
    mode, _, period = asked.partition(":")
    try:
        seconds = float(period) if period else None
    except ValueError:
        seconds = -1.0
    if mode not in ("off", "bar", "plain") or (seconds is not None and not seconds >= 0):
        raise EngineError(field_error("BIOSNN_PROGRESS", "off, bar, plain or plain:SECONDS", asked))
    return (bar if mode == "bar" else mode), seconds
