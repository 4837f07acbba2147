"""Folders in which simulations are written and run: in ``TMPDIR``, for as long as their process lives.

A file in it is locked while the process lives. A folder whose file can be locked belongs to nobody any more: its
process was killed, and the next one clears it away.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import BaseFileLock, FileLock

from biosnn.errors import EngineError

PREFIX = "biosnn-"
LOCK = "in-use.lock"
_cleared: set[str] = set()


@dataclass(frozen=True)
class Scratch:
    """A folder of this process, and the lock that says so."""

    path: Path
    lock: BaseFileLock

    def remove(self) -> None:
        self.lock.release()  # first: Windows removes no file that is open
        shutil.rmtree(self.path, ignore_errors=True)


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
        while True:
            path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))
            lock = _lock_of(path)
            try:
                with contextlib.suppress(OSError):  # without locks, nobody will take it for abandoned
                    lock.acquire()
                if path.is_dir():  # else another process cleared it away when its file was there, and not yet locked
                    return Scratch(path, lock)
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
    folders = []
    with contextlib.suppress(OSError):
        for path in sorted(Path(tempfile.gettempdir()).glob(f"{PREFIX}*")):
            with _lock_of_nobody(path) as taken:
                folders += [path] if taken else []
    return folders


def clear() -> None:
    """Remove the folders that killed processes have left."""
    for path in abandoned():
        with _lock_of_nobody(path, keep=False) as taken:  # once more, and held meanwhile: another may be clearing too
            if taken:
                shutil.rmtree(path, ignore_errors=True)
        with contextlib.suppress(OSError):
            path.rmdir()  # where a file that is open cannot be removed (Windows), the lock was still there


def _lock_of(folder: Path, *, keep: bool = True) -> BaseFileLock:
    """The lock of a folder. The system lets it go when its process ends, and any of its threads may do so before."""
    return FileLock(folder / LOCK, thread_local=False, fallback_to_soft=False, preserve_lock_file=keep)


@contextlib.contextmanager
def _lock_of_nobody(folder: Path, *, keep: bool = True) -> Iterator[bool]:
    """Hold the lock of a folder of ours, if no process does; False if one does, or the folder is none of ours."""
    lock = _lock_of(folder, keep=keep)
    with contextlib.suppress(OSError):
        if _is_ours(folder) and (folder / LOCK).is_file():
            lock.acquire(blocking=False)
    try:
        yield lock.is_locked
    finally:
        lock.release()


def _is_ours(folder: Path) -> bool:
    status = folder.lstat()
    return stat.S_ISDIR(status.st_mode) and status.st_uid == getattr(os, "geteuid", lambda: 0)()
