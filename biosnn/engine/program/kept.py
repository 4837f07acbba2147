"""What a program has computed stays readable when its session is closed, for as long as somebody has what recorded it.

Nothing is held in memory for it: results stay in the files that the program wrote, and are read when somebody asks for
them. They go with the last group or monitor of the session, or with this process.
"""

from __future__ import annotations

import gc
import os
import shutil
import weakref
from dataclasses import dataclass
from pathlib import Path

from biosnn.engine.program.device import ProgramDevice
from biosnn.engine.scratch import LOCK, Scratch

MOST_BYTES = 2**30
"""How much all sessions of this process that are closed may keep on the disk together; those closed first give way."""


@dataclass(frozen=True)
class _Kept:
    """The results of one session."""

    device: weakref.ref[ProgramDevice]
    remove: weakref.finalize  # type: ignore[type-arg]
    bytes: int


_kept: list[_Kept] = []


def keep(device: ProgramDevice, scratch: Scratch) -> None:
    """Leave of a simulation's folder what its device reads results from, until nobody has the device any more."""
    results = Path(device.results_dir)
    _remove_all_but(scratch.path, {results.parent.name, LOCK})
    _remove_all_but(results.parent, {results.name})
    device.end()
    size = sum(path.stat().st_size for path in results.iterdir())
    _kept.append(_Kept(weakref.ref(device), weakref.finalize(device, _remove, scratch, os.getpid()), size))
    _make_room()


def _remove(scratch: Scratch, owner: int) -> None:
    if os.getpid() == owner:  # a fork of the process ends, too
        scratch.remove()


def _remove_all_but(folder: Path, names: set[str]) -> None:
    for path in folder.iterdir():
        if path.name not in names:
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


def _make_room() -> None:
    if _size() > MOST_BYTES:
        gc.collect()  # groups and monitors refer to each other, so that what nobody has any more may still be there
    while _size() > MOST_BYTES:
        oldest = _kept.pop(0)
        device = oldest.device()
        if device is not None:
            limit = f"{MOST_BYTES / 1e9:.2g} GB"
            device.close(
                f"its session is closed, and sessions that are closed keep results of at most {limit} together, those "
                "that were closed last. Read it (x[:]) inside the with block, or record less."
            )
        oldest.remove()


def _size() -> int:
    _kept[:] = [kept for kept in _kept if kept.remove.alive]
    return sum(kept.bytes for kept in _kept)
