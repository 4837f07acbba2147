"""Who computes a point: a file that only one process can make, and that it touches while it lives.

A claim counts no longer when the process that made it has ended, which is seen at once on its own machine, or when it
has not been touched for `PATIENCE` seconds by the clock of the file system that holds it. So of many processes on many
machines, each point is computed by one; no scheduler and no lock of the file system is needed.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from biosnn.writing import is_dead, own_mark

PERIOD = 10.0
"""Seconds between two touches."""
PATIENCE = 90.0
"""Seconds without a touch after which a claim of another machine counts no longer."""


class Claim:
    """A claim of this process's own."""

    def __init__(self, path: Path, mark: str) -> None:
        self.path, self.mark = path, mark

    def held(self) -> bool:
        """Whether it is still this process's."""
        return _mark(self.path) == self.mark


class _Heart:
    """A thread that touches all claims of this process."""

    def __init__(self) -> None:
        self.claims: set[Claim] = set()
        self.owner = 0

    def begin(self, claim: Claim) -> None:
        """Touch a claim from now on."""
        self.claims.add(claim)
        if self.owner != os.getpid():  # a thread does not live on in a fork
            self.owner = os.getpid()
            threading.Thread(target=self._beat, daemon=True).start()

    def _beat(self) -> None:
        while True:
            time.sleep(PERIOD)
            for claim in tuple(self.claims):
                with contextlib.suppress(OSError):
                    if claim.held():
                        os.utime(claim.path)


_heart = _Heart()


@contextlib.contextmanager
def claimed(path: Path, *, patience: float = PATIENCE) -> Iterator[Claim | None]:
    """Claim a point for the block; None where a living process has it.

    Parameters
    ----------
    path : Path
        The file of the claim.
    patience : float
        Seconds without a touch after which another one's claim may be taken over.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    mark = own_mark()
    if not _make(path, mark) and not (_free(path, patience) and _make(path, mark)):
        yield None
        return
    claim = Claim(path, mark)
    _heart.begin(claim)
    try:
        yield claim
    finally:
        _heart.claims.discard(claim)
        if claim.held():
            path.unlink(missing_ok=True)


def alive(path: Path, patience: float = PATIENCE) -> bool:
    """Whether a claim is there and its process may live."""
    mark = _mark(path)
    return mark is not None and not is_dead(mark) and not _untouched(path, patience)


def _make(path: Path, mark: str) -> bool:
    """Make the file, unless it is there. Killed before it has its content, it counts until it is old."""
    try:
        number = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    except FileExistsError:
        return False
    with os.fdopen(number, "w", encoding="utf-8") as file:
        file.write(json.dumps({"mark": mark, "host": platform.node(), "pid": os.getpid()}))
    return True


def _free(path: Path, patience: float) -> bool:
    """Take away a claim that counts no longer; false where it does, or another process was faster."""
    mark = _mark(path)
    if mark is None:
        return True  # it has ended by itself
    if alive(path, patience):
        return False
    aside = path.with_name(f".{path.name}.old-{uuid.uuid4().hex}")
    try:
        path.rename(aside)
    except OSError:
        return True
    try:
        if _mark(aside) == mark:
            return True
        # Between the look and the renaming another process had taken it over: its claim is put back.
        with contextlib.suppress(OSError):
            os.link(aside, path)
        return False
    finally:
        aside.unlink(missing_ok=True)


def _mark(path: Path) -> str | None:
    """Who made a claim; None if there is none, "" if the file does not say."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return ""
    return str(content.get("mark", "")) if isinstance(content, dict) else ""


def _untouched(path: Path, patience: float) -> bool:
    """Whether a claim is old by the clock of its own file system, which may differ from this machine's."""
    probe = path.with_name(f".now-{own_mark()}")
    try:
        probe.touch()
        return probe.stat().st_mtime - path.stat().st_mtime > patience
    except OSError:
        return False
    finally:
        probe.unlink(missing_ok=True)
