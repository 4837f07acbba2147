"""Programs and precompiled headers that have been built before, each a folder named by the hash of what went in.

An entry is made in a staging folder and renamed into place, so it is either absent or whole; a lock file a key keeps
two processes from building the same thing at once (were the lock to fail, both would build, and one would win). What
is used is held against its record first (`trust`).
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from biosnn.engine.compiler import trust
from biosnn.engine.compiler.trust import RECORD
from biosnn.errors import EngineError, field_error
from biosnn.folders import cache_folder, folder_size

DEFAULT_SIZE = "2 GiB"
KINDS = ("programs", "headers", "steps")
STAGING, LOCKS, LOGS = "staging", "locks", "logs"
GONE = "gone"
STALE = 24 * 3600.0  # seconds after which what is being thrown away must have been so by a process that died
_UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}


@dataclass(frozen=True)
class Entry:
    """One built thing.

    Attributes
    ----------
    kind
        ``programs``, ``headers`` or ``steps`` (of equations that were solved).
    key
        Hash of its sources, compiler and flags.
    path
        Its folder.
    size
        Bytes on disk.
    used
        When it was last used, in seconds since 1970.
    """

    kind: str
    key: str
    path: Path
    size: int
    used: float


def folder() -> Path:
    """Where the cache lies."""
    return cache_folder()


def size_limit() -> int:
    """Bytes that the cache may take: ``BIOSNN_CACHE_SIZE`` such as "500 MB", else 2 GiB.

    Raises
    ------
    EngineError
        When the variable is not a size.
    """
    text = os.environ.get("BIOSNN_CACHE_SIZE", "") or DEFAULT_SIZE
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*", text)
    if not match or match[2].lower() not in _UNITS:
        raise EngineError(field_error("BIOSNN_CACHE_SIZE", "a size such as '500 MB' or '2 GiB'", text))
    return int(float(match[1]) * _UNITS[match[2].lower()])


def entries() -> list[Entry]:
    """Everything in the cache, the most recently used first."""
    cached = []
    for kind in KINDS:
        for record in (folder() / kind).glob(f"*/{RECORD}"):
            with contextlib.suppress(FileNotFoundError):  # another process may evict it under our eyes
                path = record.parent
                cached.append(Entry(kind, path.name, path, folder_size(path), record.stat().st_mtime))
    return sorted(cached, key=lambda entry: entry.used, reverse=True)


def unfinished() -> list[Entry]:
    """Builds that are under way, or were when their process was killed: what is no entry yet."""
    leftovers = []
    for path in sorted((folder() / STAGING).glob("*")):
        with contextlib.suppress(FileNotFoundError):  # it may be finished under our eyes
            leftovers.append(Entry("unfinished", path.name, path, folder_size(path), path.stat().st_mtime))
    return leftovers


def total_size() -> int:
    """Bytes that all entries and unfinished builds take together."""
    return sum(entry.size for entry in [*entries(), *unfinished()])


def clear() -> int:
    """Remove everything that no running process needs, and return how many bytes that freed."""
    before = total_size()
    begun = unfinished()  # looked up before the locks: a build takes its lock first
    held = {path.stem for path in (folder() / LOCKS).glob("*.lock") if not _take_lock(path, remove=True)}
    for kind in KINDS:
        # A build reads its header without a lock of its own: another process may have made it.
        for path in (folder() / kind).glob("*") if kind != "headers" or not held else ():
            if path.name[:32] not in held:
                _discard(path)
    for entry in begun:
        if not _builds_in(entry, held):
            shutil.rmtree(entry.path, ignore_errors=True)
    for log in (folder() / LOGS).glob("*.log"):
        log.unlink(missing_ok=True)
    return before - total_size()


def obtain(kind: str, key: str, make: Callable[[Path], dict[str, object]]) -> tuple[Path, bool]:
    """The folder of an entry, made first if it is not there.

    Parameters
    ----------
    kind, key
        What it is and the hash that names it.
    make
        Fills an empty folder and returns the facts to record about it; whatever it raises leaves no entry.

    Returns
    -------
    tuple
        The folder, and whether it had to be made.

    Raises
    ------
    EngineError
        When the cache cannot be written, or others than this user could have put into it what is to be run.
    """
    path = folder() / kind / key
    _check_trust(kind)
    if _use(path):
        return path, False
    with _lock(key):
        if _use(path):
            return path, False
        if path.exists() or path.is_symlink():  # damaged, or another user's
            _discard(path)
        _part(kind)  # sooner than after minutes of compiling in vain
        _check_trust(kind)
        staging = staging_folder(key[:12])
        try:
            facts = make(staging)
            with _advice():
                trust.seal(staging, {"kind": kind, "key": key, "made": time.strftime("%Y-%m-%dT%H:%M:%S%z"), **facts})
            with contextlib.suppress(OSError):  # somebody else's entry of this name is as good as ours
                staging.rename(path)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        if not _use(path):
            raise EngineError(f"The cache folder {folder()} does not keep what is written to it. Is the disk full?")
        evict(keep=path)
    return path, True


def facts(path: Path) -> dict[str, Any] | None:
    """What is recorded of an entry; None if there is none, or one that is damaged or not to be trusted."""
    record = trust.facts(path)
    # An entry under another's name would be another program.
    return record if record and (record.get("kind"), record.get("key")) == (path.parent.name, path.name) else None


def _check_trust(kind: str) -> None:
    problem = trust.problem(folder(), folder() / kind)
    if problem:
        raise EngineError(
            f"The cache is not used, since what is in it would be run: {problem}. Let it be yours alone "
            "(chmod -R go-w), or set BIOSNN_CACHE to a folder of yours."
        )


def staging_folder(prefix: str) -> Path:
    """A new folder on the cache's own disk, so that it can be renamed into place."""
    with _advice():
        return Path(tempfile.mkdtemp(prefix=f"{prefix}-", dir=_part(STAGING)))


def keep_log(name: str, text: str) -> str:
    """Write a log where it outlives the run folder, and say where: its path, or why there is none."""
    file = f"{name}-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}-{time.monotonic_ns() % 10**6}.log"
    try:
        root = _part(LOGS)
        for old in sorted(root.glob("*.log"), key=lambda p: p.stat().st_mtime)[:-49]:
            old.unlink(missing_ok=True)
        (root / file).write_text(text)
    except (OSError, EngineError) as error:  # which must not take the place of what went wrong
        return f"none, as it could not be written. {error}"
    return str(root / file)


def evict(keep: Path | None = None) -> None:
    """Remove the least recently used entries until the size limit holds, and what dead processes left behind."""
    present = entries()
    excess = sum(entry.size for entry in present) - size_limit()
    for entry in reversed(present):
        if excess <= 0:
            break
        if entry.path != keep:
            _discard(entry.path)
            excess -= entry.size
    for entry in abandoned():
        shutil.rmtree(entry.path, ignore_errors=True)


def abandoned() -> list[Entry]:
    """Builds whose process was killed: nobody holds the lock of their key."""
    begun = unfinished()  # looked up before the locks: a build takes its lock first
    if not begun:  # as after nearly all builds; there are as many locks as programs
        return []
    held = {path.stem for path in (folder() / LOCKS).glob("*.lock") if not _take_lock(path, remove=False)}
    return [
        entry
        for entry in begun
        if (time.time() - entry.used > STALE if entry.key.startswith(f"{GONE}-") else not _builds_in(entry, held))
    ]


def _builds_in(entry: Entry, held: set[str]) -> bool:
    """Whether the owner of one of these locks builds there: the names of both begin with the same key."""
    return any(key.startswith(entry.key.rpartition("-")[0]) for key in held)


def _use(path: Path) -> bool:
    """Whether the entry can be used; if so, it counts as used now."""
    if facts(path) is None:
        return False
    with contextlib.suppress(OSError):  # a cache that can only be read serves what it has
        os.utime(path / RECORD)
    return True


def _discard(path: Path) -> None:
    """Remove an entry; renamed first, so that nobody meets it half removed."""
    gone = staging_folder(GONE) / path.name
    with contextlib.suppress(OSError):
        path.rename(gone)
    shutil.rmtree(gone.parent, ignore_errors=True)


def _part(name: str) -> Path:
    """A folder of the cache, made if it is not there."""
    path = folder() / name
    with _advice():
        if not path.parent.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.mkdir(mode=0o700, exist_ok=True)
    return path


@contextlib.contextmanager
def _advice() -> Iterator[None]:
    """Turn the system's error into one that says what to do."""
    try:
        yield
    except OSError as error:
        raise EngineError(
            f"The cache folder {folder()} cannot be written: {error.strerror}. Set BIOSNN_CACHE to a folder of yours."
        ) from error


@contextlib.contextmanager
def _lock(key: str) -> Iterator[None]:
    """Hold the lock file of a key; where the system has no such locks, do without (see the module's docstring)."""
    lock = FileLock(_part(LOCKS) / f"{key[:32]}.lock", fallback_to_soft=False)
    with contextlib.suppress(OSError):
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _take_lock(path: Path, *, remove: bool) -> bool:
    """Whether no process holds a lock file, which is then removed if asked; what cannot be known is taken for held."""
    try:
        with FileLock(path, blocking=False, fallback_to_soft=False, preserve_lock_file=not remove):
            if remove and sys.platform != "win32":  # there it goes when it is let go
                path.unlink()
    except OSError:
        return not path.exists()
    return True
