"""Run a built program: a folder of its own, its progress, its failures, and whether its results are whole."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn.engine import children, scratch
from biosnn.engine.compiler import cache
from biosnn.engine.prepared import Usage
from biosnn.engine.program.device import SIZES
from biosnn.errors import RunError

PROGRESS, USAGE = "biosnn-progress", "biosnn-usage"
Report = Callable[[int, float], None]  # number of the run from 1, fraction of it that is done


def keep_binary(program: Path, inputs: Path) -> None:
    """Hold on to the binary of a cache entry, which may be evicted while a long sweep still starts it."""
    _link(program / "main", inputs / "main")


def prepare(folder: Path, inputs: Path, changed: Mapping[str, NDArray[Any]]) -> None:
    """Fill a run folder: the binary, the arrays it reads, room for results.

    Parameters
    ----------
    folder
        A new, empty folder, or that of an earlier run of the program, whose results are not needed any more: a program
        writes over them, which is much sooner done than making and removing as many files.
    inputs
        Folder with the binary and the ``static_arrays`` that all runs of the program share.
    own
        Arrays that differ from run to run; they replace the shared ones.
    """
    arrays = folder / "static_arrays"
    with scratch.writing():
        arrays.mkdir(exist_ok=True)
        (folder / "results").mkdir(exist_ok=True)
        (folder / "results" / SIZES).unlink(missing_ok=True)  # it says that results are whole
        _link(inputs / "main", folder / "main")
        for path in (inputs / "static_arrays").iterdir():
            if path.name not in changed:
                _link(path, arrays / path.name)
        for name, values in changed.items():
            target = arrays / name
            if target.exists() and target.stat().st_nlink > 1:
                target.unlink()  # it is the shared one
            values.tofile(target)


def _link(source: Path, target: Path) -> None:
    if target.exists():
        if target.samefile(source):
            return
        target.unlink()
    try:
        os.link(source, target)
    except OSError:  # another disk, or one without hard links
        shutil.copy2(source, target)


def execute(folder: Path, environment: Mapping[str, str], report: Report, stop: threading.Event | None = None) -> Usage:
    """Run the program in its folder and wait for it.

    Parameters
    ----------
    folder
        A run folder as `prepare` leaves it.
    environment
        Variables to add to the process's environment.
    report
        Called for every line of progress.
    stop
        When set, the program is killed at its next line of progress.

    Returns
    -------
    Usage
        What it took.

    Raises
    ------
    RunError
        When the program crashes or reports an error; the message names the log that was kept.
    """
    said: list[str] = []
    usage = Usage()
    command = [str(folder / "main"), "--results_dir", "results/"]
    with children.child(command, cwd=folder, env={**os.environ, **environment}) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if stop is not None and stop.is_set():
                return usage
            if line.startswith(PROGRESS):
                _, run, fraction = line.split()
                report(int(run), float(fraction))
            elif line.startswith(USAGE):
                _, memory, seconds = line.split()
                usage = Usage(int(memory), float(seconds))
            else:
                said.append(line)
        code = process.wait()
    problem = _problem(code, said, folder)
    if problem:
        log = cache.keep_log("run", "".join(said))
        last = "".join(said[-10:]).strip() or "(nothing)"
        raise RunError(f"{problem}\nIts last output: {last}\nLog: {log}")
    return usage


def _problem(code: int, said: list[str], folder: Path) -> str:
    if code < 0:
        name = str(-code)
        with contextlib.suppress(ValueError):
            name = signal.Signals(-code).name
        cause = {
            "SIGSEGV": "it touched memory that is not its own; an index in an equation or connection is out of range",
            "SIGKILL": "somebody, or the system when memory ran out, killed it",
            "SIGFPE": "an integer was divided by zero",
            "SIGABRT": "it gave up, often because memory ran out",
        }.get(name, "see its last output")
        return f"The simulation crashed with {name}: {cause}."
    if any(line.startswith("Error") for line in said):
        return f"The simulation could not read its input or write its results. {room(folder)}"
    if code > 0:
        return f"The simulation ended with exit code {code}."
    return ""


def verify(folder: Path, expected: Mapping[str, tuple[str, np.dtype[Any]]]) -> None:
    """Check that every result is there and as long as the program says it was in memory.

    Parameters
    ----------
    folder
        The run folder.
    expected
        File name to (variable, type of the elements).

    Raises
    ------
    RunError
        Naming the first file that is missing or cut short, and the room on the disk.
    """
    results = folder / "results"
    path = results / SIZES
    lines = path.read_text().split("\n") if path.exists() else []
    if lines[-2:] != ["end", ""]:
        raise RunError(f"The simulation did not finish writing its results to {results}. {room(folder)}")
    lengths = {name: int(length) for name, length in (line.split() for line in lines[:-2])}
    for name, (variable, dtype) in expected.items():
        file, wanted = results / name, lengths[name] * dtype.itemsize
        size = file.stat().st_size if file.exists() else 0
        if size != wanted or not file.exists():
            raise RunError(
                f"The results of {variable} are incomplete: {file} has {size} bytes instead of {wanted}. {room(folder)}"
            )


def room(folder: Path) -> str:
    """A sentence on how much the disk of a folder has left."""
    free = shutil.disk_usage(folder).free
    full = " The disk is full." if free < 10**6 else ""
    return f"{free / 1e6:.0f} MB are free in {folder.parent} (TMPDIR sets where simulations write).{full}"
