"""Whether something in the cache may be run: whole to the last bit, of this user, and open to nobody else's pen.

A built thing has a record, ``build.json``, with the hash of each of its files. Damage is found by the hashes. Malice is
kept out by who owns a file and who may write it: whoever can write a program can write its hash too.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

RECORD = "build.json"
_LARGEST = 2**20  # bytes of a record; one of ours has a hundred times less
_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def seal(folder: Path, facts: Mapping[str, Any]) -> None:
    """Write the record of what a folder holds, and take from others the right to write it (a umask may grant it)."""
    files = {}
    for path in sorted(folder.rglob("*")):
        path.chmod(stat.S_IMODE(path.stat().st_mode) & ~_OTHERS)
        if path.is_file():
            files[path.relative_to(folder).as_posix()] = _hash(path)
    content = {**facts, "files": files}
    record = folder / RECORD
    record.write_text(json.dumps({**content, "sha256": _own_hash(content)}, indent=1))
    record.chmod(0o644)


def facts(folder: Path) -> dict[str, Any] | None:
    """What is recorded of a built thing, or None if it must not be used.

    Nothing that may stand in the folder makes this raise.
    """
    try:
        if not _is_own(folder.lstat()) or not stat.S_ISDIR(folder.lstat().st_mode):
            return None
        content = _read(folder / RECORD)
        expected = content.pop("sha256")
        whole = expected == _own_hash(content) and all(
            _is_inside(name) and _is_regular(folder / name) and _hash(folder / name) == digest
            for name, digest in content["files"].items()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return content if whole else None


def problem(root: Path, part: Path) -> str:
    """Why nothing in a part of the cache is to be trusted; "" if all is well.

    The part must be a folder of this user or of root, that nobody else can write. One that this user owns is made so.
    Of the cache folder itself it is asked only that it cannot be exchanged by everybody: its group may write it, as
    a usual umask has it, since what is put into it is not ours.
    """
    if not hasattr(os, "geteuid"):  # Windows keeps the caches of users apart
        return ""
    for path in (root, part):
        try:
            status = path.stat()
        except OSError:
            continue  # it is not there, or cannot be looked into: nothing is found in it then
        if status.st_uid not in (os.geteuid(), 0):
            return f"{path} belongs to another user (number {status.st_uid})"
        open_to_all = status.st_mode & stat.S_IWOTH and not status.st_mode & stat.S_ISVTX
        if path == root and open_to_all:
            return f"{path} can be written by everybody"
        if path == part and status.st_mode & _OTHERS and not _close_to_others(path, status):
            return f"{path} can be written by other users"
    return ""


def _close_to_others(path: Path, status: os.stat_result) -> bool:
    if status.st_uid != os.geteuid():
        return False
    try:
        path.chmod(stat.S_IMODE(status.st_mode) & ~_OTHERS)
    except OSError:
        return False
    return not path.stat().st_mode & _OTHERS  # some file systems take the call and do nothing


def _read(path: Path) -> dict[str, Any]:
    if not _is_regular(path) or path.stat().st_size > _LARGEST:
        raise ValueError
    content = json.loads(path.read_bytes())
    if not isinstance(content, dict):
        raise TypeError
    return content


def _is_regular(path: Path) -> bool:
    """Whether it is an ordinary file of ours: no link, no pipe, which would wait for ever."""
    status = path.lstat()
    return stat.S_ISREG(status.st_mode) and _is_own(status)


def _is_own(status: os.stat_result) -> bool:
    if not hasattr(os, "geteuid"):
        return True
    return status.st_uid in (os.geteuid(), 0) and not status.st_mode & _OTHERS


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and name == path.as_posix()


def _hash(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _own_hash(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
