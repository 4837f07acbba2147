"""The terminal: whatever the commands print goes through here.

No text of a file, a name or a path acts on the terminal: characters that it would obey are shown, and nothing is taken
for markup. What its encoding lacks is spelled in ASCII. A reader who has gone, as of ``biosnn list | head -1``, and a
disk that is full, do not end a command, since that might cost the result of a long run.
"""

from __future__ import annotations

import codecs
import contextlib
import errno
import io
import os
import sys
from collections.abc import Iterable, Iterator
from typing import IO, Any

import rich.console
import rich.text
from rich.segment import Segment

from biosnn.printable import printable

# What biosnn itself prints that is not ASCII, and what usual texts have beyond it.
_SPELLED = {"✓": "+", "✗": "x", "○": "o", "±": "+/-", "·": "|", "×": "x", "−": "-", "–": "-", "—": "-", "…": "..."} | {
    "•": "*",
    "─": "-",
    "‘": "'",
    "’": "'",
    "“": '"',
    "”": '"',
    "∞": "inf",
}
_HANDLER = "biosnn.spelled"


class Text(rich.text.Text):
    """A text of rich's in which nothing acts on the terminal."""

    def __init__(self, text: str = "", style: str = "", **options: Any) -> None:
        super().__init__(printable(text), style, **options)


class Console(rich.console.Console):
    """A console of rich's that takes texts as they are: no markup, no emoji, no highlighting, no control characters."""

    def __init__(self, *, stderr: bool = False) -> None:
        stream: Any = _Steady(sys.stderr if stderr else sys.stdout)
        super().__init__(file=stream, markup=False, emoji=False, highlight=False)

    def render_str(self, text: str, **options: Any) -> rich.text.Text:
        """Make a text of a string."""
        return super().render_str(printable(text), **options)

    def render(
        self, renderable: rich.console.RenderableType, options: rich.console.ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Lay out whatever is printed; a README, for one, may bring control characters in as entities."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=printable(segment.text))


class _Steady:
    """A stream that loses what cannot be written any longer, and says so unless its reader has simply gone."""

    def __init__(self, stream: IO[str] | None) -> None:
        self.stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def write(self, text: str) -> int:
        with _losing(self.stream):
            if self.stream is not None:
                self.stream.write(text)
        return len(text)

    def flush(self) -> None:
        with _losing(self.stream):
            if self.stream is not None:
                self.stream.flush()

    def isatty(self) -> bool:
        return self.stream is not None and self.stream.isatty()


@contextlib.contextmanager
def _losing(stream: IO[str] | None) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        lost = _send_nowhere(stream)
        if lost and error.errno != errno.EPIPE and stream is not sys.stderr:
            print(f"Warning: output cannot be written, and is lost: {error.strerror}.", file=sys.stderr)


def _send_nowhere(stream: IO[str] | None) -> bool:
    """Let the file that a stream writes to be the one that swallows everything; return whether there is one."""
    try:
        number = stream.fileno() if stream is not None else -1
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, number)
        os.close(nowhere)
    except OSError:
        return False
    return True


@contextlib.contextmanager
def ready() -> Iterator[None]:
    """Let the standard output and error take every text inside the block, and close quietly at its end."""
    codecs.register_error(_HANDLER, _spell)
    streams = [stream for stream in (sys.stdout, sys.stderr) if isinstance(stream, io.TextIOWrapper)]
    before = [stream.errors for stream in streams]
    for stream in streams:
        stream.reconfigure(errors=_HANDLER)
    try:
        yield
    finally:
        for stream, errors in zip(streams, before, strict=True):
            with _losing(stream):
                stream.flush()
            stream.reconfigure(errors=errors)


def _spell(error: UnicodeError) -> tuple[str, int]:
    """Spell what an encoding lacks; see `codecs.register_error`."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(_SPELLED.get(char) or _escaped(char) for char in lacking), error.end


def _escaped(char: str) -> str:
    return char.encode("ascii", "backslashreplace").decode("ascii")
