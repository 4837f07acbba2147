"""Where a result goes, and how it gets there whole or not at all."""

from __future__ import annotations

import contextlib
import glob
import shutil
from collections.abc import Iterator
from pathlib import Path

from biosnn.errors import ResultError
from biosnn.study.saved import foreign_files, holds_result, study_of
from biosnn.writing import left_by_the_dead, own_mark, sync_folder

_NEW, _OLD, _CHECKPOINT = ".new-", ".old-", ".checkpoint"


def checkpoint_folder(folder: Path, key: str) -> Path:
    """Where the run of a key that writes this result keeps what it needs to go on after it was stopped.

    A run of other code or other settings does not go on there.
    """
    folder = folder.absolute()
    return folder.with_name(f".{folder.name}{_CHECKPOINT}-{key}")


def remove_checkpoints(folder: Path) -> None:
    """Remove what runs that wrote this result kept to go on, of whatever key: the result is there."""
    folder = folder.absolute()
    for left in folder.parent.glob(f".{glob.escape(folder.name)}{_CHECKPOINT}-*"):
        shutil.rmtree(left, ignore_errors=True)


def refuse_foreign(folder: Path, study: str) -> None:
    """Refuse to replace anything but an earlier result of the same study.

    Raises
    ------
    ResultError
        If the folder exists and is neither empty nor a result of that study and nothing else.
    """
    do = "Choose another folder with --out, or move this one away."
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise ResultError(f"{folder}: exists and is no folder. {do}")
    if not folder.exists() or not any(folder.iterdir()):
        return
    owner = study_of(folder)
    if owner is None and holds_result(folder):
        raise ResultError(f"{folder}: holds a damaged result, which does not say of which study. {do}")
    if owner is None:
        raise ResultError(f"{folder}: has files in it that are no result of biosnn. {do}")
    if owner != study:
        raise ResultError(f"{folder}: holds a result of the study {owner!r}, not of {study!r}. {do}")
    foreign = foreign_files(folder)
    if foreign:
        also = ", ".join(foreign)
        raise ResultError(
            f"{folder}: expected a result and nothing else, since it is replaced whole (got also {also}). "
            "Move that away, or choose another folder with --out."
        )


@contextlib.contextmanager
def atomic_folder(folder: Path, do: str = "Choose another folder with --out.", *, sync: bool = True) -> Iterator[Path]:
    """Give a hidden folder beside ``folder`` to write into, which takes its place when the block ends well.

    A run that is killed, or whose block raises, leaves ``folder`` as it was. What killed runs left beside it is
    cleaned away first. ``do`` is what to do where it cannot be written. Without ``sync``, a computer that loses power
    may leave the folder with files that are not whole.

    Raises
    ------
    ResultError
        If the folder cannot be written.
    """
    folder = folder.absolute()
    if "\0" in str(folder):
        raise ResultError(f"{str(folder)!r}: cannot be written: a path cannot have a NUL character in it.")
    try:
        nearest = next(parent for parent in folder.parents if parent.exists())
        if not nearest.is_dir():
            raise ResultError(f"{folder}: cannot be written: {nearest} is no folder. {do}")
        folder.parent.mkdir(parents=True, exist_ok=True)
        _clean_after_the_dead(folder)
        new = folder.with_name(f".{folder.name}{_NEW}{own_mark()}")
        new.mkdir()
    except OSError as error:
        raise ResultError(f"{folder}: cannot be written: {error.strerror or error}. {do}") from None
    try:
        yield new
        if sync:
            sync_folder(new)
        _take_the_place(new, folder)
    except OSError as error:
        raise ResultError(f"{folder}: cannot be written: {error}.") from error
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _take_the_place(new: Path, folder: Path) -> None:
    """Rename: no moment at which the folder is there with half its files.

    No portable call exchanges two folders, so there is a moment with no folder at all. A run killed in it has left
    the earlier result under its hidden name, and the next run finds it there.
    """
    if not folder.exists():
        new.rename(folder)
        return
    old = folder.with_name(f".{folder.name}{_OLD}{own_mark()}")
    folder.rename(old)
    try:
        new.rename(folder)
    except OSError:
        old.rename(folder)
        raise
    _remove(old, folder)


def _remove(old: Path, folder: Path) -> None:
    """Remove a result whose place another has taken. What somebody has put there during the run moves to the other."""
    for name in foreign_files(old):
        if not (folder / name).exists():
            (folder / name).parent.mkdir(exist_ok=True)
            (old / name).rename(folder / name)
    shutil.rmtree(old, ignore_errors=True)


def _clean_after_the_dead(folder: Path) -> None:
    """Remove what runs of this folder left that are no longer alive, but put back a result they had moved aside."""
    for kind in (_OLD, _NEW):
        for left in left_by_the_dead(folder, kind):
            if kind == _OLD and not folder.exists():
                left.rename(folder)
            elif kind == _OLD:
                _remove(left, folder)
            else:
                shutil.rmtree(left, ignore_errors=True)
