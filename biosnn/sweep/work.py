"""Points in a process of their own: what executors call, on this machine or on a worker of a cluster."""

from __future__ import annotations

import contextlib
import os
import platform
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, MutableSet
from dataclasses import dataclass
from pathlib import Path

from biosnn.engine import children
from biosnn.engine.compiler import compile

# A library that takes all cores for itself would take them from the other points.
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
POINT = ("-m", "biosnn.sweep.point")
"""What Python runs to compute points."""
CHANGED = 75
"""The exit status of a process that finds other code, or another plan, than it was to compute with."""
NOT_RUN = 76
"""The status where nobody can say what became of a process, since the scheduler has gone."""


@dataclass(frozen=True)
class Chunk:
    """Points that one process computes, one after another.

    Parameters
    ----------
    store : str
        The folder of the sweep's store, absolute.
    folder : str
        Where relative paths begin that are settings.
    keys : tuple of str
        The points.
    figures_from : float
        Points get figures and a page if they take at least so many seconds.
    seconds : float
        After so many seconds no further point is begun.
    """

    store: str
    folder: str
    keys: tuple[str, ...]
    figures_from: float
    seconds: float


@dataclass(frozen=True)
class Ended:
    """How a process that computed points ended.

    Parameters
    ----------
    status : int
        Its exit status; negative for a signal.
    output : str
        What it printed.
    host : str
        On which machine.
    """

    status: int
    output: str
    host: str

    @property
    def killed(self) -> bool:
        """Whether it was ended from outside, so that another try makes sense."""
        return self.status < 0 or self.status > 128


def compute_apart(chunk: Chunk, cores: int = 1, running: MutableSet[subprocess.Popen[str]] | None = None) -> Ended:
    """Compute points in a process of its own, and wait for it; it ends with this one, however that ends.

    Parameters
    ----------
    chunk : Chunk
        The points.
    cores : int
        How many processors each may use.
    running : mutable set, optional
        Has the process in it for as long as it runs, so that somebody else can end it.
    """
    environment = {**os.environ, **dict.fromkeys(_ONE_THREAD, "1")}
    environment |= {"BIOSNN_CORES": str(cores), "BIOSNN_PROGRESS": "off"}
    limits = ["--figures-from", str(chunk.figures_from), "--seconds", str(chunk.seconds)]
    command = [sys.executable, *POINT, *limits, chunk.store, *chunk.keys]
    folder = Path(chunk.folder if Path(chunk.folder).is_dir() else chunk.store)
    said: list[str] = []
    with children.child(command, folder, environment) as process:
        if running is not None:
            running.add(process)
        try:
            reading = threading.Thread(target=_read, args=(process, said), daemon=True)
            reading.start()
            process.wait()
            # A process that a point has left behind would hold the pipe open, and wait for its end is not ours.
            _end_group(process)
            reading.join(5)
        finally:
            if running is not None:
                running.discard(process)
    return Ended(process.returncode, "".join(said), platform.node())


def _read(process: subprocess.Popen[str], said: list[str]) -> None:
    with contextlib.suppress(OSError, ValueError):  # closed meanwhile
        if process.stdout is not None:
            said.extend(process.stdout)


def _end_group(process: subprocess.Popen[str]) -> None:
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


class _Stopped(BaseException):
    """Raised where a signal arrives: the code of a study may catch every exception."""


@contextlib.contextmanager
def ended_by_queues() -> Iterator[None]:
    """Let SIGTERM, by which queues end jobs, give claims back on the way out; checkpoints stay."""

    def stop(number: int, _: object) -> None:
        raise _Stopped(number)

    if hasattr(signal, "SIGTERM"):
        signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except _Stopped as stopped:
        number = int(stopped.args[0])
        end = "as a queue does at the end of the walltime. The same sweep goes on from here."
        print(f"Ended by signal {number}, {end}")
        sys.exit(128 + number)


def share_of_cores(workers: int) -> int:
    """How many processors each of several processes may use on this machine."""
    return max(1, compile.cores() // workers)
