"""Folders in which simulations are written and run: in ``TMPDIR``, for as long as their process lives.

A file in it is locked while the process lives. A folder whose file can be locked belongs to nobody any more: its
process was killed, and the next one clears it away.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from biosnn.errors import EngineError

PREFIX = "biosnn-"
LOCK = "in-use.lock"
_cleared: set[str] = set()


@dataclass(frozen=True)
class Scratch:
    """A folder of this process, and the open file whose lock says so; None where there are no locks."""

    path: Path
    lock: IO[str] | None

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        if self.lock is not None:
            self.lock.close()


def make() -> Scratch:
    """A new folder; the first time, those that killed processes have left are removed.

    Raises
    ------
    EngineError
        When none can be made.
    """
    with writing():
        base = tempfile.gettempdir()
        if base not in _cleared:
            _cleared.add(base)
            clear()
        path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))
        try:
            return Scratch(path, _locked(path))
        except BaseException:
            shutil.rmtree(path, ignore_errors=True)
            raise


@contextlib.contextmanager
def writing() -> Iterator[None]:
    """Turn the system's error, met in writing a simulation, into one that says where, why and what to do."""
    try:
        yield
    except OSError as error:
        where = tempfile.tempdir or os.environ.get("TMPDIR") or "the folder for temporary files"
        raise EngineError(
            f"A simulation cannot be written to {where}: {error}. TMPDIR names the folder: let it be one that you may "
            "write and that has room."
        ) from error


def abandoned() -> list[Path]:
    """Folders of this user whose process has ended without removing them."""
    found = []
    with contextlib.suppress(OSError):
        for path in sorted(Path(tempfile.gettempdir()).glob(f"{PREFIX}*")):
            lock = _lock_of_nobody(path)
            if lock is not None:
                lock.close()
                found.append(path)
    return found


def clear() -> None:
    """Remove the folders that killed processes have left."""
    for path in abandoned():
        lock = _lock_of_nobody(path)  # once more, and held meanwhile: another process may be clearing too
        if lock is not None:
            with lock:
                shutil.rmtree(path, ignore_errors=True)


def _locked(folder: Path) -> IO[str] | None:
    """The lock file of a new folder. It gets its name once it is locked, so that nobody finds it without."""
    if sys.platform == "win32":
        return None
    import fcntl

    new = folder / f"{LOCK}.new"
    file = open(new, "w")  # noqa: SIM115 - it stays open as long as the folder is used
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        new.rename(folder / LOCK)
    except OSError:  # the file system has no locks: nobody will take the folder for abandoned
        file.close()
        new.unlink(missing_ok=True)
        return None
    return file


def _lock_of_nobody(folder: Path) -> IO[str] | None:
    """The lock of a folder of ours that no process holds; None if one does, or it is none of ours."""
    if sys.platform == "win32":
        return None
    import fcntl

    try:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            return None
        file = os.fdopen(os.open(folder / LOCK, os.O_RDWR | os.O_NOFOLLOW), "r+")
    except OSError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file
