"""Execute a user's own script, on the user's command, as Python would, on a target of biosnn."""

from __future__ import annotations

import contextlib
import os
import runpy
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from biosnn.engine.state import forgive_unused
from biosnn.errors import BiosnnError, EngineError, NotFoundError, field_error
from biosnn.script.activation import active
from biosnn.script.blame import blamed
from biosnn.script.run_record import RunRecord

FAILED, REFUSED, INTERRUPTED = 1, 2, 130
_BACKEND = "module://biosnn.script.figures"


@dataclass(frozen=True)
class Execution:
    """How a script has ended.

    Parameters
    ----------
    status : int
        The exit status: the script's own, `FAILED` if it has raised an exception, `REFUSED` if it asks for what its
        target cannot do, `INTERRUPTED` by Ctrl-C.
    said : str
        What to print of its error; "" if there is none.
    error : BaseException or None
        The error.
    seen : list
        What `look` has returned.
    """

    status: int
    said: str = ""
    error: BaseException | None = None
    seen: list[Any] = field(default_factory=list)


def execute_script(
    script: Path,
    arguments: Sequence[str] = (),
    *,
    target: str = "cpp",
    seed: int | None = None,
    threads: int = 1,
    figures: Path | None = None,
    look: Callable[[RunRecord], list[Any]] | None = None,
) -> Execution:
    """Execute a Python file as ``python FILE`` does, with Brian2 on a target of biosnn.

    Parameters
    ----------
    script : Path
        The file.
    arguments : sequence of str
        Its own, ``sys.argv[1:]``.
    target, seed, threads
        See `biosnn.activate`.
    figures : Path, optional
        A folder for the figures that it shows.
    look : callable, optional
        Called with what was run (`RunRecord`), as long as it can be read; returns a list.

    Raises
    ------
    NotFoundError
        If there is no such file.
    EngineError
        If target, seed or threads are wrong.
    """
    _check(script)
    if figures is not None and figures.exists() and not figures.is_dir():
        raise EngineError(field_error("--figures", "a folder", str(figures)))
    status: Any = 0
    error: BaseException | None = None
    seen: list[Any] = []
    with active(target, seed=seed, threads=threads) as run, _as_main(script, arguments), _shown(script, figures):
        run.record.keep = look is not None
        kept: dict[str, Any] | None = None
        try:
            try:
                kept = runpy.run_path(str(script), run_name="__main__")
            except SystemExit as end:
                status = end.code
            run.execute()
        except KeyboardInterrupt:
            run.forget()
            return Execution(INTERRUPTED, "Interrupted.")
        except Exception as raised:
            error = raised
            if run.queued:
                run.notes.say(f"{run.queued} queued run(s) were not executed, since the script has failed.")
            run.forget()
            forgive_unused()
        else:
            seen = look(run.record) if look is not None else []
        del kept
    if error is not None:
        return Execution(REFUSED if isinstance(error, BiosnnError) else FAILED, blamed(error), error)
    if status is None or isinstance(status, int):
        return Execution(status or 0, seen=seen)
    return Execution(FAILED, str(status), seen=seen)


def _check(script: Path) -> None:
    if script.is_dir():
        raise NotFoundError(field_error(str(script), "a Python file", "a folder", "Give one of the files in it."))
    if not script.is_file():
        raise NotFoundError(f"{script}: no such file. biosnn exec takes a Brian2 script, a Python file.")
    if script.suffix == ".ipynb":
        do = f"Write it as a script: jupyter nbconvert --to script {script.name}. Or call biosnn.activate() in it."
        raise NotFoundError(field_error(str(script), "a Python file", "a notebook", do))
    if script.name == "study.py":
        raise NotFoundError(f"{script}: is the script of a study. biosnn run {script.parent} runs it.")


@contextlib.contextmanager
def _as_main(script: Path, arguments: Sequence[str]) -> Iterator[None]:
    """Let the script find its arguments, the files beside it, and Ctrl-C as Python has it."""
    argv, path = sys.argv, list(sys.path)
    sys.argv, sys.path[:0] = [str(script), *arguments], [str(script.resolve().parent)]
    main_thread = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGINT, signal.default_int_handler) if main_thread else None
    try:
        yield
    finally:
        sys.argv, sys.path[:] = argv, path
        if before is not None:
            signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def _shown(script: Path, figures: Path | None) -> Iterator[None]:
    """Let ``show()`` wait for nobody where there is no display."""
    display = sys.platform in ("win32", "darwin") or any(os.environ.get(d) for d in ("DISPLAY", "WAYLAND_DISPLAY"))
    chosen = os.environ.get("MPLBACKEND")
    if figures is None and (display or chosen):
        yield
        return
    import matplotlib as mpl

    given = {"MPLBACKEND": _BACKEND, "BIOSNN_FIGURES": str(figures or ""), "BIOSNN_FIGURES_STEM": script.stem}
    before, backend = {name: os.environ.get(name) for name in given}, dict.get(mpl.rcParams, "backend")
    os.environ.update(given)
    mpl.rcParams["backend"] = _BACKEND
    try:
        yield
        if figures is not None and "biosnn.script.figures" in sys.modules:
            sys.modules["biosnn.script.figures"].write_open()
    finally:
        dict.__setitem__(mpl.rcParams, "backend", backend)
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
