"""Programs and precompiled headers that have been built before, each a folder named by the hash of what went in.

An entry is made in a staging folder and renamed into place, so it is either absent or whole; a lock file a key keeps
two processes from building the same thing at once (were the lock to fail, both would build, and one would win).
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from biosnn.errors import EngineError, field_error
from biosnn.folders import cache_folder

DEFAULT_SIZE = "2 GiB"
KINDS = ("programs", "headers")
RECORD = "build.json"
STALE = 24 * 3600.0  # seconds after which a staging folder must belong to a process that died
_UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}


@dataclass(frozen=True)
class Entry:
    """One built thing.

    Attributes
    ----------
    kind
        ``programs`` or ``headers``.
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
    found = []
    for kind in KINDS:
        for record in (folder() / kind).glob(f"*/{RECORD}"):
            with contextlib.suppress(FileNotFoundError):  # another process may evict it under our eyes
                path = record.parent
                found.append(Entry(kind, path.name, path, _size(path), record.stat().st_mtime))
    return sorted(found, key=lambda entry: entry.used, reverse=True)


def total_size() -> int:
    """Bytes that all entries take together."""
    return sum(entry.size for entry in entries())


def clear() -> int:
    """Remove every entry and return how many bytes that freed."""
    freed = 0
    for entry in entries():
        freed += entry.size
        _discard(entry.path)
    for kind in KINDS:  # what is left there is no entry: damaged, so of no use to anyone
        for path in (folder() / kind).glob("*"):
            _discard(path)
    return freed


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
    """
    path = folder() / kind / key
    if _use(path):
        return path, False
    with _lock(key):
        if _use(path):
            return path, False
        if path.exists():  # an entry that fails its own record was damaged from outside
            _discard(path)
        staging = staging_folder(key[:12])
        try:
            facts = make(staging)
            files = {str(p.relative_to(staging)): p.stat().st_size for p in staging.rglob("*") if p.is_file()}
            record = {"kind": kind, "key": key, "made": time.strftime("%Y-%m-%dT%H:%M:%S%z"), **facts, "files": files}
            (staging / RECORD).write_text(json.dumps(record, indent=1))
            path.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(OSError):  # somebody else's entry of this name is as good as ours
                staging.rename(path)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        if not _use(path):
            raise EngineError(f"The cache folder {folder()} does not keep what is written to it. Is the disk full?")
        evict(keep=path)
    return path, True


def staging_folder(prefix: str) -> Path:
    """A new folder on the cache's own disk, so that it can be renamed into place."""
    root = folder() / "staging"
    root.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=f"{prefix}-", dir=root))


def keep_log(name: str, text: str) -> Path:
    """Write a log where it outlives the run folder, and return its path."""
    root = folder() / "logs"
    root.mkdir(parents=True, exist_ok=True)
    for old in sorted(root.glob("*.log"), key=lambda p: p.stat().st_mtime)[:-49]:
        old.unlink(missing_ok=True)
    path = root / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}-{time.monotonic_ns() % 10**6}.log"
    path.write_text(text)
    return path


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
    for path in (folder() / "staging").glob("*"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > STALE:
                shutil.rmtree(path, ignore_errors=True)


def _use(path: Path) -> bool:
    """Whether the entry is whole, by its own record; if so, it counts as used now."""
    try:
        files = json.loads((path / RECORD).read_text())["files"]
        whole = all((path / name).stat().st_size == size for name, size in files.items())
        if whole:
            os.utime(path / RECORD)
    except (OSError, ValueError, KeyError):
        return False
    return whole


def _discard(path: Path) -> None:
    """Remove an entry; renamed first, so that nobody meets it half removed."""
    gone = staging_folder("gone") / path.name
    with contextlib.suppress(FileNotFoundError):
        path.rename(gone)
    shutil.rmtree(gone.parent, ignore_errors=True)


def _size(path: Path) -> int:
    return sum(p.stat().st_size for p in path.rglob("*") if p.is_file())


@contextlib.contextmanager
def _lock(key: str) -> Iterator[None]:
    """Hold the lock file of a key; where the system has no such locks, go on without (see the module's docstring)."""
    root = folder() / "locks"
    root.mkdir(parents=True, exist_ok=True)
    with open(root / f"{key[:32]}.lock", "w") as file:
        if sys.platform != "win32":
            import fcntl

            with contextlib.suppress(OSError):
                fcntl.flock(file, fcntl.LOCK_EX)
        yield
