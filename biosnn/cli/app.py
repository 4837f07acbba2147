"""The commands of ``biosnn``. Heavy modules are imported where they are used, so that ``--help`` is quick."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from biosnn.cli.terminal import Console
from biosnn.errors import NotFoundError

if TYPE_CHECKING:
    from biosnn.study.saved import SavedResult

app = typer.Typer(
    name="biosnn",
    help="A laboratory bench for biologically plausible spiking neural networks on Brian2.",
    no_args_is_help=True,
    add_completion=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit status: 0 all is well; 1 something does not hold, failed or is missing; 2 wrong input, with a message "
    "that says how to mend it; 70 a fault of biosnn; 128 and more: ended by a signal.",
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)

Assignments = Annotated[list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="Settings, as text.")]
Out = Annotated[Path | None, typer.Option("--out", help="The result folder (default: results/STUDY-KEY).")]


def whole_number(text: str) -> int:
    """Read an option that is a whole number."""
    try:
        return int(text.encode("ascii"))
    except ValueError:
        raise typer.BadParameter(f"expected a whole number (got {text!r}).") from None


Seed = Annotated[
    int | None, typer.Option("--seed", parser=whole_number, metavar="INTEGER", help="The seed (default: 1).")
]
Target = Annotated[str | None, typer.Option("--target", help="cpp, cython or numpy (default: the study's own).")]
Threads = Annotated[
    int | None,
    typer.Option(
        "--threads",
        parser=whole_number,
        metavar="INTEGER",
        help="Threads for one network on cpp (default: 1); the result is the same.",
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print the answer, the verdict and where it lies.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON, for another program.")]


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import PackageNotFoundError, version

        try:
            Console().print(f"biosnn {version('biosnn')}")
        except PackageNotFoundError:
            Console().print("biosnn, a checkout that is not installed")
        raise typer.Exit()


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error; works anywhere.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options of every command; ``--debug`` is taken from the command line by `main`, here is its help."""
    del debug, version


@app.command("list")
def list_catalogue(
    gallery: Annotated[bool, typer.Option("--gallery", help="List the published experiments, by topic.")] = False,
) -> None:
    """List the studies and models in the catalogue, or the experiments in the gallery."""
    if gallery:
        from biosnn.cli.gallery import print_gallery

        print_gallery(Console())
        return
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
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Run a study: numbers, figures and a report in a result folder."""
    from biosnn.cli.naming import check_study

    _refuse_special(study)
    check_study("run", study)
    result = _run_and_print(study, settings, out, seed, target, threads, quiet, as_json)
    if show:
        typer.launch(result.report.absolute().as_uri())
    if result.broken:
        raise typer.Exit(1)


def _run_and_print(
    name: str,
    settings: list[str] | None,
    out: Path | None,
    seed: int | None,
    target: str | None,
    threads: int | None,
    quiet: bool,
    as_json: bool,
) -> SavedResult:
    """Run a study and print all of it, or its answer, or what programs read."""
    from biosnn.cli.results import print_json, print_short

    console = Console()
    console.quiet = quiet or as_json
    result = _run(console, name, settings, out, seed, target, threads)
    console.quiet = False
    if as_json:
        print_json(console, result)
    elif quiet:
        print_short(console, result)
    return result


@app.command()
def check(
    what: Annotated[
        str | None,
        typer.Argument(metavar="STUDY|DIR|MODEL", help="A study to run, the folder of a saved result, or a model."),
    ] = None,
    settings: Assignments = None,
    out: Out = None,
    seed: Seed = None,
    target: Target = None,
    threads: Threads = None,
    gallery: Annotated[
        bool, typer.Option("--gallery", help="Run all short published experiments instead; --out: where they go.")
    ] = False,
    topic: Annotated[str | None, typer.Option("--topic", help="With --gallery: only those of one topic.")] = None,
    again: Annotated[bool, typer.Option("--again", help="With --gallery: also those that have been run.")] = False,
) -> None:
    """Run a study, take a saved result, or try a model, and exit with 1 unless everything holds."""
    if gallery:
        _check_gallery(what, out, seed, target, threads, topic, again)
        return
    if topic is not None or again:
        raise typer.BadParameter("--topic and --again go with --gallery.")
    if what is None:
        raise typer.BadParameter("expected STUDY, DIR or MODEL, or --gallery.")
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


def _check_gallery(
    what: str | None,
    out: Path | None,
    seed: int | None,
    target: str | None,
    threads: int | None,
    topic: str | None,
    again: bool,
) -> None:
    from biosnn.cli.gallery import check_gallery

    if what is not None:
        raise typer.BadParameter(f"--gallery runs its studies with their defaults, and takes no {what!r}.")
    options = {"target": target, "threads": 1 if threads is None else threads}
    if not check_gallery(Console(), topic=topic, out=out, again=again, seed=seed, options=options):
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
    from biosnn.study.functions import find_study
    from biosnn.study.settings import split_assignments

    study = find_study(name)
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
def gallery(
    results: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the results' folders.")] = Path(
        "results"
    ),
    out: Annotated[Path | None, typer.Option("--out", help="The page (default: DIR/gallery.html).")] = None,
) -> None:
    """Write a page of the published experiments from results, of each the latest with the default settings."""
    from biosnn.cli.gallery import write_page

    write_page(Console(), results, out)


@app.command()
def export(
    result: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a saved result.")],
    to: Annotated[str, typer.Option("--to", help="neo (a file of NIX), nwb, or csv (a folder of tables).")],
    out: Annotated[Path | None, typer.Option("--out", help="The file or folder (default: beside DIR).")] = None,
) -> None:
    """Write the arrays of a result, with units and where they come from, for another program."""
    from biosnn.cli.results import shown
    from biosnn.export import export_result

    made = export_result(result, to, out)
    if made.left_out:
        names = " · ".join(made.left_out)
        Console().print(f"Left out, as Neo takes spike trains and signals only (--to nwb and csv take all): {names}")
    Console().print(f"Wrote {shown(made.path)}", soft_wrap=True)


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
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Convert a trained network into a spiking one, and say what it loses: the study [b]conversion[/b] of NETWORK."""
    from biosnn.cli.converting import check_place, place_network
    from biosnn.cli.naming import check_network

    _refuse_special(network)
    check_network(network)
    check_place(save)
    given = [f"model={network}", *(settings or [])]
    result = _run_and_print("conversion", given, out, seed, target, threads, quiet, as_json)
    console = Console()
    console.quiet = as_json
    place_network(console, result, save)
    if result.broken:
        raise typer.Exit(1)


@app.command()
def show(
    name: Annotated[
        str, typer.Argument(metavar="NAME|PATH", help="A model, a trained network, a study, or the folder of a result.")
    ],
    figure: Annotated[bool, typer.Option("--figure", help="Draw a model's response, or a network's fields.")] = False,
    out: Annotated[Path | None, typer.Option("--out", help="The figure's file (default: ./NAME.png).")] = None,
    interactive: Annotated[
        bool,
        typer.Option("--interactive", help="Write the figures of a result as a page to zoom into (NAME.html)."),
    ] = False,
    drive: Annotated[
        str, typer.Option("--drive", help="A neuron's drive in the figure: '0.5 nA' or 'I = 0.5 nA'.")
    ] = "",
    duration: Annotated[
        str, typer.Option("--duration", help="How long the drive, or the pairs of spikes, last in the figure.")
    ] = "",
    adjoint: Annotated[
        bool, typer.Option("--adjoint", help="Print a neuron model's gradients, backwards in time, instead.")
    ] = False,
) -> None:
    """Show a model's equations, a trained network, a study's question and settings, or a saved result."""
    from biosnn.cli.showing import show_adjoint, show_anything, show_interactive

    _refuse_special(name)
    if interactive:
        show_interactive(Console(), name, out, alone=not (figure or adjoint or drive or duration))
    elif adjoint:
        show_adjoint(Console(), name, alone=not figure and out is None and not drive and not duration)
    else:
        show_anything(Console(), name, figure=figure, out=out, drive=drive, duration=duration)


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
    from biosnn.cli.machine import print_cache

    print_cache(Console(), clear=clear)


@app.command()
def doctor() -> None:
    """Look at compiler, versions, targets and folders, and say what to do about what is missing."""
    from biosnn.cli.machine import print_doctor

    if not print_doctor(Console()):
        raise typer.Exit(1)
