"""Run a command and end: what is said of an error, exit codes, and signals."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
import warnings
from typing import Any

import typer

from biosnn import folders
from biosnn.cli import executing as _executing  # noqa: F401 - it adds its command
from biosnn.cli import many_runs as _many_runs  # noqa: F401 - it adds its commands
from biosnn.cli.app import app
from biosnn.cli.terminal import Console, Text, ready
from biosnn.errors import BiosnnError

DEFECT = 70  # the exit code of an error of biosnn's own

# The class that lies between in Typer and in Click, from which newer versions of Typer do without.
_UsageError: Any = typer.BadParameter.__mro__[1]


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit.

    The code is that of the command, 2 for an error whose message says how to mend it, `DEFECT` for one of biosnn's
    own, and 128 and the number of the signal for a process that was told to end.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    words, ours = _without_debug(words)
    debug = ours or os.environ.get("BIOSNN_DEBUG", "") not in ("", "0")
    before = _stop_cleanly()
    try:
        with ready():
            sys.exit(_exit_code(words, debug))
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _without_debug(words: list[str]) -> tuple[list[str], bool]:
    """Words without ``--debug``, and whether it was there; ``exec`` and its script have their own."""
    ours = words.index("exec") if "exec" in words[:2] else len(words)
    kept = [word for word in words[:ours] if word != "--debug"]
    return [*kept, *words[ours:]], len(kept) < ours


def _exit_code(words: list[str], debug: bool) -> int:
    problems = Console(stderr=True)
    try:
        with warnings.catch_warnings():
            # Brian2 would send warnings to its log when it is imported; Python refuses to redirect them a second time.
            logging.captureWarnings(True)
            warnings.showwarning = lambda message, *_: _print_plainly(problems, "Warning: ", message, "yellow")
            return int(app(args=words, prog_name="biosnn", standalone_mode=False) or 0)
    except _UsageError as error:
        return _tell_usage(problems, error)
    except _Stopped as stop:
        with contextlib.suppress(OSError):  # the terminal may be gone
            kept = " ".join(getattr(stop, "__notes__", []))
            _print_plainly(problems, "", f"Interrupted{f'. {kept}' if kept else '; no result was written.'}", "yellow")
        return 128 + stop.number
    except Exception as error:
        if debug:
            raise
        message, code = _told(error)
        _print_plainly(problems, "Error: ", message, "red")
        return code


def _told(error: Exception) -> tuple[str, int]:
    """What is said of an error, and the exit code."""
    if isinstance(error, BiosnnError):
        return str(error), 2
    if isinstance(error, OSError):
        return _os_error(error), 2
    if isinstance(error, MemoryError):
        return f"Not enough memory{f': {error}' if str(error) else ''}.", 2
    what = f"{type(error).__name__}: {error}"
    do = "Please report it, with the traceback that BIOSNN_DEBUG=1 or --debug shows."
    return f"This is a fault of biosnn, not of yours: {what}\n{do}", DEFECT


def _os_error(error: OSError) -> str:
    if folders.working_folder_is_gone():
        return folders.GONE
    paths = " and ".join(str(path) for path in (error.filename, error.filename2) if path is not None)
    reason = error.strerror or str(error)
    return f"{paths}: {reason}." if paths else f"{reason}."


def _tell_usage(problems: Console, error: _UsageError) -> int:
    """Say what is wrong with the command line; where nothing was given at all, help has been printed."""
    if type(error).__name__ != "NoArgsIsHelpError":
        _print_plainly(problems, "Error: ", error.format_message(), "red")
        if error.ctx is not None:
            hint = f"{error.ctx.get_usage()}\n{error.ctx.command_path} --help tells more."
            problems.print(hint, style="dim", soft_wrap=True)
    return int(error.exit_code)


class _Stopped(BaseException):
    """The process was asked to end: by Ctrl-C, by a terminal that was closed, or by a cluster whose time is up.

    Typer makes an exit of its own of `KeyboardInterrupt`, and tells nothing.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def _stop_cleanly() -> dict[int, Any]:
    """Let signals that end the process clear up on the way; return what they did before.

    One that is ignored stays so: ``nohup`` does that, for a run that is to outlive its terminal.
    """
    if threading.current_thread() is not threading.main_thread():
        return {}

    def stop(number: int, _: Any) -> None:
        raise _Stopped(number)

    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    return {n: signal.signal(n, stop) for n in numbers if signal.getsignal(n) is not signal.SIG_IGN}


def _print_plainly(console: Console, label: str, message: Any, style: str) -> None:
    console.print(Text(label, style), end="")
    console.print(str(message), soft_wrap=True)
