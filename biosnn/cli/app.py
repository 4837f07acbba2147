"""The commands of ``biosnn``. Heavy modules are imported where they are used, so that ``--help`` is quick."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from biosnn import folders
from biosnn.cli.terminal import Console, Text, ready
from biosnn.errors import BiosnnError, NotFoundError

if TYPE_CHECKING:
    from biosnn.study.saved import SavedResult

DEFECT = 70  # the exit code of an error of biosnn's own

# The class that lies between in Typer and in Click, from which newer versions of Typer do without.
_UsageError: Any = typer.BadParameter.__mro__[1]

app = typer.Typer(
    name="biosnn",
    help="A laboratory bench for biologically plausible spiking neural networks on Brian2.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)

Assignments = Annotated[list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="Settings, as text.")]
Out = Annotated[Path | None, typer.Option("--out", help="The result folder (default: results/STUDY-xxxxxxxx).")]


def _whole_number(text: str) -> int:
    try:
        return int(text.encode("ascii"))
    except ValueError:
        raise typer.BadParameter(f"expected a whole number (got {text!r}).") from None


Seed = Annotated[
    int | None, typer.Option("--seed", parser=_whole_number, metavar="INTEGER", help="The seed (default: 1).")
]
Target = Annotated[str | None, typer.Option("--target", help="cpp, cython or numpy (default: the study's own).")]
Threads = Annotated[
    int | None,
    typer.Option(
        "--threads",
        parser=_whole_number,
        metavar="INTEGER",
        help="Threads for one network on cpp (default: 1); the result is the same.",
    ),
]


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error; works anywhere.")] = False,
) -> None:
    """Options of every command; ``--debug`` is taken from the command line by `main`, here is its help."""
    del debug


@app.command("list")
def list_catalogue() -> None:
    """List the studies and models in the catalogue."""
    from biosnn.cli.listing import print_catalogue

    print_catalogue(Console())


@app.command()
def run(
    study: Annotated[str, typer.Argument(help="A study's name, or the path of its folder.")],
    settings: Assignments = None,
    out: Out = None,
    seed: Seed = None,
    target: Target = None,
    threads: Threads = None,
    show: Annotated[bool, typer.Option("--open", help="Open the report in the browser.")] = False,
) -> None:
    """Run a study: numbers, figures and a report in a result folder."""
    from biosnn.cli.naming import check_study

    _refuse_special(study)
    check_study("run", study)
    result = _run(Console(), study, settings, out, seed, target, threads)
    if show:
        typer.launch(result.report.absolute().as_uri())
    if result.broken:
        raise typer.Exit(1)


@app.command()
def check(
    what: Annotated[
        str,
        typer.Argument(metavar="STUDY|DIR|MODEL", help="A study to run, the folder of a saved result, or a model."),
    ],
    settings: Assignments = None,
    out: Out = None,
    seed: Seed = None,
    target: Target = None,
    threads: Threads = None,
) -> None:
    """Run a study, take a saved result, or try a model, and exit with 1 unless everything holds."""
    from biosnn.cli.checking import check_model, check_saved, is_model
    from biosnn.cli.naming import check_study
    from biosnn.study.saved import holds_result

    _refuse_special(what)
    console, alone = Console(), not (settings or out or seed is not None or target or threads)
    if holds_result(Path(what)):
        passed = check_saved(console, what, alone=alone)
    elif is_model(what):
        passed = check_model(console, what, alone=alone)
    else:
        check_study("check", what)
        result = _run(console, what, settings, out, seed, target, threads)
        passed = result.verdict == "pass" and not result.broken
    if not passed:
        raise typer.Exit(1)


def _refuse_special(name: str) -> None:
    """Refuse what is no file, since reading a pipe that nobody writes to would never end."""
    try:
        path = Path(name).expanduser()
    except RuntimeError:
        raise NotFoundError(f"{name}: there is no user of that name.") from None
    if path.exists() and not path.is_file() and not path.is_dir():
        raise NotFoundError(f"{name}: is neither a file nor a folder.")


def _run(
    console: Console,
    name: str,
    settings: list[str] | None,
    out: Path | None,
    seed: int | None,
    target: str | None,
    threads: int | None,
) -> SavedResult:
    from biosnn.cli.results import print_result, print_start
    from biosnn.run import DEFAULT_SEED, run_study
    from biosnn.study.load import load_study
    from biosnn.study.settings import split_assignments

    study = load_study(name)
    given = split_assignments(settings or [])
    print_start(console, study, given)
    result = run_study(
        study,
        given,
        seed=DEFAULT_SEED if seed is None else seed,
        target=target,
        threads=1 if threads is None else threads,
        out=out,
        say=lambda text: console.print(text, style="dim"),
    )
    print_result(console, result)
    return result


@app.command()
def convert(
    network: Annotated[
        str,
        typer.Argument(
            metavar="NETWORK", help="A trained network: a name of the catalogue, or a file (ONNX, NIR, ...)."
        ),
    ],
    settings: Assignments = None,
    save: Annotated[
        Path | None, typer.Option("--save", help="Where the converted network goes (default: into the result folder).")
    ] = None,
    out: Out = None,
    seed: Seed = None,
    target: Target = None,
    threads: Threads = None,
) -> None:
    """Convert a trained network into a spiking one, and say what it loses: the study [b]conversion[/b] of NETWORK."""
    from biosnn.cli.converting import check_place, place_network

    _refuse_special(network)
    check_place(save)
    result = _run(Console(), "conversion", [f"model={network}", *(settings or [])], out, seed, target, threads)
    place_network(Console(), result, save)
    if result.broken:
        raise typer.Exit(1)


@app.command()
def show(
    name: Annotated[
        str, typer.Argument(metavar="NAME|PATH", help="A model, a trained network, a study, or the folder of a result.")
    ],
    figure: Annotated[bool, typer.Option("--figure", help="Draw a model's response, or a network's fields.")] = False,
    out: Annotated[Path | None, typer.Option("--out", help="The figure's file (default: ./NAME.png).")] = None,
    adjoint: Annotated[
        bool, typer.Option("--adjoint", help="Print a neuron model's gradients, backwards in time, instead.")
    ] = False,
) -> None:
    """Show a model's equations, a trained network, a study's question and settings, or a saved result."""
    from biosnn.cli.showing import show_adjoint, show_anything

    _refuse_special(name)
    if adjoint:
        show_adjoint(Console(), name, alone=not figure and out is None)
    else:
        show_anything(Console(), name, figure=figure, out=out)


@app.command()
def new(
    what: Annotated[str, typer.Argument(metavar="model|study", help="What to write.")],
    name: Annotated[str, typer.Argument(help="Its name.")],
    kind: Annotated[str, typer.Option("--kind", help="The kind of model: neuron or synapse.")] = "neuron",
    folder: Annotated[Path, typer.Option("--dir", help="Where to write it.")] = Path(),
) -> None:
    """Write a working skeleton of a model or a study, to be changed."""
    from biosnn.cli.results import typed
    from biosnn.study.skeleton import new_model, new_study

    if what not in ("model", "study"):
        raise typer.BadParameter(f"expected 'model' or 'study' (got {what!r}).")
    path = new_model(name, kind, folder) if what == "model" else new_study(name, folder)
    path_text = typed(path)
    Console().print(f"Wrote {path_text}. Try: biosnn {'show' if what == 'model' else 'check'} {path_text}")


@app.command()
def cache(
    clear: Annotated[bool, typer.Option("--clear", help="Remove all but builds that are under way.")] = False,
) -> None:
    """Show the compiled programs that are kept, or clear them."""
    from biosnn.cli.programs import print_cache

    print_cache(Console(), clear=clear)


@app.command()
def doctor() -> None:
    """Look at compiler, versions, targets and folders, and say what to do about what is missing."""
    from biosnn.cli.machine import print_doctor

    if not print_doctor(Console()):
        raise typer.Exit(1)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit.

    The code is that of the command, 2 for an error whose message says how to mend it, `DEFECT` for one of biosnn's
    own, and 128 and the number of the signal for a process that was told to end.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words or os.environ.get("BIOSNN_DEBUG", "") not in ("", "0")
    before = _stop_cleanly()
    try:
        with ready():
            sys.exit(_exit_code([word for word in words if word != "--debug"], debug))
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


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
            _print_plainly(problems, "", "Interrupted; no result was written.", "yellow")
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
