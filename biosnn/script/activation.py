"""Let an ordinary Brian2 script run on a target of biosnn."""

from __future__ import annotations

import atexit
import contextlib
import sys
import threading
from collections.abc import Iterator

import brian2

from biosnn.engine.sessions import opened
from biosnn.errors import EngineError
from biosnn.script.device_choice import passed_over
from biosnn.script.exact_steps import remembered
from biosnn.script.in_process import InProcessScript
from biosnn.script.programs import Script

TARGETS: dict[str, type[Script | InProcessScript]] = {
    "cpp": Script,
    "cython": InProcessScript,
    "numpy": InProcessScript,
}
_open: list[Script | InProcessScript] = []
_active: list[contextlib.ExitStack] = []


@contextlib.contextmanager
def active(target: str = "cpp", *, seed: int | None = None, threads: int = 1) -> Iterator[Script | InProcessScript]:
    """Within the block, what Brian2 runs is run on a target of biosnn; see `activate`.

    At its end, what is queued and was not read is computed, unless the block has failed.

    Yields
    ------
    Script or InProcessScript
        What has been run.
    """
    if _open:
        raise EngineError("biosnn.activate() was called before: one script runs on one target.")
    with (
        opened(TARGETS, target, seed=seed, dt=brian2.defaultclock.dt, threads=threads) as script,
        passed_over(script.target, script.notes),
        remembered(),
    ):
        _open.append(script)
        try:
            yield script
            script.execute()
        finally:
            _open.remove(script)


def activate(target: str = "cpp", *, seed: int | None = None, threads: int = 1) -> None:
    """Let the Brian2 script that follows run on a target of biosnn, as it is.

    Write it before the first object of Brian2, in place of ``set_device``. On ``cpp``, runs are queued: the first read
    of a result, or the end of the script, builds the program (or finds it in the cache) and runs it. What a program
    cannot do is refused by name before anything is run.

    Parameters
    ----------
    target : str
        ``cpp``, ``cython`` or ``numpy``, as in `session`.
    seed : int, optional
        Of all random numbers, unless the script calls Brian2's ``seed``; drawn if not given.
    threads : int
        How many threads simulate one network on ``cpp``. The results do not depend on it.

    Raises
    ------
    EngineError
        For an unknown target, a seed or a number of threads out of range, and a second call.

    Examples
    --------
    >>> import biosnn  # doctest: +SKIP
    >>> from brian2 import *  # doctest: +SKIP
    >>> biosnn.activate("cpp")  # doctest: +SKIP
    """
    if _open and not _active:  # biosnn exec
        _open[0].notes.say(f"biosnn.activate({target!r}) is passed over: the script runs on {_open[0].target} already.")
        return
    stack = contextlib.ExitStack()
    stack.enter_context(active(target, seed=seed, threads=threads))
    _active.append(stack)
    # Compiling takes threads, which are not to be had any more when atexit calls.
    getattr(threading, "_register_atexit", atexit.register)(_deactivate)


def _deactivate() -> None:
    """At the end of the script: compute what was not read, unless the script has failed."""
    if not _active:
        return
    stack = _active.pop()
    failed: BaseException | None = getattr(sys, "last_value", None)
    try:
        if failed is None:
            stack.close()
        else:
            stack.__exit__(type(failed), failed, failed.__traceback__)
    except BaseException as error:
        if error is not failed:
            sys.excepthook(type(error), error, error.__traceback__)
