"""A file takes the place of another whole or not at all, whatever ends the program in between."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import hashlib
import os
import platform
import sys
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

_NEW = ".new-"


@contextlib.contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """Give a hidden name beside a file to write to, which takes the file's place when the block ends well.

    What programs that were killed left of earlier files of this name is removed first.

    Parameters
    ----------
    path : Path
        The file that is to be there, or to be another one, afterwards.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    if "\0" in str(path):
        raise OSError(errno.EINVAL, "a path cannot have a NUL character in it", str(path))
    for left in left_by_the_dead(path, _NEW):
        left.unlink(missing_ok=True)
    new = path.with_name(f".{path.name}{_NEW}{own_mark()}")
    try:
        yield new
        _sync(new)
        new.replace(path)
        with contextlib.suppress(OSError):  # not all systems can do it for folders
            _sync(path.parent)
    finally:
        with contextlib.suppress(OSError):
            new.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """See that all files of a folder are on the disk, before the folder gets its name."""
    for path in folder.rglob("*"):
        if path.is_file():
            _sync(path)
    with contextlib.suppress(OSError):
        _sync(folder)


def sync_folders(folders: Sequence[Path]) -> None:
    """See that all files of folders of one file system are on the disk, at the cost of few."""
    if len(folders) > 1 and sys.platform == "linux":
        number = os.open(folders[0], os.O_RDONLY)
        try:
            if ctypes.CDLL(None, use_errno=True).syncfs(number) == 0:
                return
        except (OSError, AttributeError):
            pass  # not in this library
        finally:
            os.close(number)
    for folder in folders:
        sync_folder(folder)


def _sync(path: Path) -> None:
    number = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def own_mark() -> str:
    """What the hidden names of this process end in."""
    return f"{_machine()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"


def left_by_the_dead(path: Path, kind: str) -> list[Path]:
    """The files and folders ``.NAME`` + ``kind`` + mark beside a path whose process has ended."""
    prefix = f".{path.name}{kind}"
    try:
        names = sorted(path.parent.iterdir())
    except OSError:
        return []
    return [left for left in names if left.name.startswith(prefix) and is_dead(left.name.removeprefix(prefix))]


def _machine() -> str:
    return hashlib.sha256(platform.node().encode()).hexdigest()[:8]


def is_dead(mark: str) -> bool:
    """Whether the process of a mark has ended. One of another machine may be alive."""
    machine, _, rest = mark.partition("-")
    pid = rest.partition("-")[0]
    if machine != _machine() or not pid.isdigit() or os.name == "nt":
        return False
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:
        return False
    return False
