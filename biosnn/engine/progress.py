"""Say on the standard error how far a long piece of work is: a bar in a terminal, a line now and then in a log.

``BIOSNN_PROGRESS`` is ``off``, ``bar`` or ``plain``; ``plain:SECONDS`` sets the time between lines. By default, a
terminal gets the bar and anything else plain lines. Work that is over within two seconds says nothing.
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

from biosnn.errors import EngineError, field_error
from biosnn.printable import printable

QUIET = 2.0
PERIOD = 10.0


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
        self.next = self.begin + min(QUIET, self.period)
        self.bar: RichProgress | None = None
        self.task: Any = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.bar is not None:
            self.bar.stop()

    def update(self, fraction: float, detail: str) -> None:
        """Say that this fraction is done; ``detail`` tells it in the work's own terms."""
        now = time.monotonic()
        if self.mode == "off" or now < self.next:
            return
        if self.mode == "bar":
            self._draw(fraction, detail)
            return
        self.next = now + self.period
        elapsed = now - self.begin
        here = fraction - self.begun_at
        left = f", about {_duration(elapsed * (1 - fraction) / here)} left" if here > 0 and fraction < 1 else ""
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


def _duration(seconds: float) -> str:
    whole = round(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {whole % 60} s" if minutes else f"{whole} s"


def _mode() -> tuple[str, float]:
    asked = os.environ.get("BIOSNN_PROGRESS", "").strip()
    if not asked:
        return ("bar" if sys.stderr.isatty() else "plain"), PERIOD
    mode, _, period = asked.partition(":")
    try:
        seconds = float(period) if period else PERIOD
    except ValueError:
        seconds = -1.0
    if mode not in ("off", "bar", "plain") or seconds < 0:
        raise EngineError(field_error("BIOSNN_PROGRESS", "off, bar, plain or plain:SECONDS", asked))
    return mode, seconds
