"""How far work is, in the output of a cell of a Jupyter notebook: bars that move in place, and one line in the end.

All work of one execution of a cell shares one place in its output, so that a loop of a hundred simulations leaves one
line too. Nothing is needed but the kernel's own display; with any other shell there is nothing to show it in.
"""

from __future__ import annotations

import html
import sys
import time
import uuid
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

REDRAWN = 0.2
"""Seconds between two changes of what is shown."""
MOST_KINDS = 6
"""Of work whose times stand in the last line; what else there was is added up."""


@dataclass
class CellOutput:
    """What one execution of a cell shows: the work under way, and seconds and number of the pieces done, by kind.

    Of work under way it has, by whose it is: what is done, which fraction of it, and that in the work's own terms.
    """

    number: int
    running: dict[Any, tuple[str, float, str]] = field(default_factory=dict)
    done: dict[str, tuple[float, int]] = field(default_factory=dict)
    stopped: str = ""
    shown: bool = False
    next: float = 0.0
    # Of its own among all notebooks that are open, in whose outputs this one may be copied.
    name: str = field(default_factory=lambda: f"biosnn-{uuid.uuid4().hex}")

    def update(self, work: Any, what: str, fraction: float, detail: str) -> None:
        """Show how far work is, if what is shown has not just been changed."""
        self.running[work] = what, min(max(fraction, 0.0), 1.0), detail
        if time.monotonic() >= self.next:
            self.draw()

    def end(self, work: Any, seconds: float, *, failed: bool) -> None:
        """Show that it is over: how long it took, or how far it came."""
        what, fraction, _ = self.running.pop(work)
        if failed:
            self.stopped = f"{what}: stopped at {100 * fraction:.0f} % after {duration(seconds)}"
        else:
            kind = what if what in self.done or len(self.done) < MOST_KINDS else "other work"
            before, times = self.done.get(kind, (0.0, 0))
            self.done[kind] = before + seconds, times + 1
        self.draw()

    def draw(self) -> None:
        """Put what is to be shown into the output, in the place of what was shown."""
        self.next = time.monotonic() + REDRAWN
        display = import_module("IPython.display")
        bundle = {"text/html": self._html(), "text/plain": self._text()}
        display.display(bundle, raw=True, display_id=self.name, update=self.shown)
        self.shown = True

    def _lines(self) -> list[tuple[str, float | None]]:
        """The lines to show, with the fraction that is done of what is under way."""
        times = [
            f"{what}: {duration(seconds)}" + (f" ({number} times)" if number > 1 else "")
            for what, (seconds, number) in self.done.items()
        ]
        over = "; ".join([*times, self.stopped] if self.stopped else times)
        bars = [
            (f"{what}: {100 * fraction:.0f} % {detail}", fraction) for what, fraction, detail in self.running.values()
        ]
        return [*bars, *([(over, None)] if over else [])]

    def _text(self) -> str:
        return "\n".join(text for text, _ in self._lines())

    def _html(self) -> str:
        rows = []
        for text, fraction in self._lines():
            bar = "" if fraction is None else f'<progress value="{fraction:.3f}" max="1"></progress> '
            rows.append(f"<div>{bar}{html.escape(text)}</div>")
        return f'<div class="biosnn-progress" style="font-size:.9em">{"".join(rows)}</div>'


_outputs: list[CellOutput] = []


def in_notebook() -> bool:
    """Whether this is a kernel of Jupyter, whose output is that of cells."""
    return getattr(_shell(), "kernel", None) is not None


def cell_output() -> CellOutput:
    """What the cell that is being executed shows of the work in it."""
    number = int(getattr(_shell(), "execution_count", 0))
    if not _outputs or (_outputs[-1].number != number and not _outputs[-1].running):
        _outputs[:] = [CellOutput(number)]
    return _outputs[-1]


def _shell() -> Any:
    """The shell of IPython, if this runs in one; it is not imported for that."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None and hasattr(ipython, "get_ipython") else None


def duration(seconds: float) -> str:
    """A time by the clock as text, as accurate as one wants to know it."""
    whole = round(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {whole % 60} s" if minutes else f"{whole} s"
