"""The commands about many runs: sweeps, two results side by side, and settings that minimise a value."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Annotated

import typer

from biosnn.cli.app import Target, Threads, app
from biosnn.cli.terminal import Console


@app.command()
def sweep(
    what: Annotated[str, typer.Argument(metavar="STUDY|status|table|report|retry", help="A study, or what to do.")],
    settings: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[KEY=VALUES]...|DIR",
            help="Settings with all their values: n=50,100,200 or tau='10 ms:30 ms:5 ms'. Or the store of a sweep.",
        ),
    ] = None,
    seeds: Annotated[str | None, typer.Option("--seeds", help="Such as 1-5 or 1,2,7 (default: 1).")] = None,
    on: Annotated[
        str | None,
        typer.Option("--on", help="local, local=4, dask=ADDRESS, slurm or FILE.toml (default: local, all cores)."),
    ] = None,
    store: Annotated[Path | None, typer.Option("--store", help="The folder (default: sweeps/STUDY-HASH).")] = None,
    target: Target = None,
    threads: Threads = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be computed, and stop.")] = False,
    figures: Annotated[
        bool | None,
        typer.Option("--figures/--no-figures", help="Figures for each point (default: if it takes 2 s or more)."),
    ] = None,
    value: Annotated[
        list[str] | None, typer.Option("--value", help="With report: a value to draw; may be given several times.")
    ] = None,
    mean: Annotated[bool, typer.Option("--mean", help="With table: the mean over the seeds.")] = False,
    show: Annotated[bool, typer.Option("--open", help="Open the report in the browser.")] = False,
) -> None:
    """Run a study at all combinations of settings and seeds, resumable; or look at such a sweep.

    [b]status[/b] DIR says how far it is, [b]table[/b] DIR prints it, [b]report[/b] DIR draws it, [b]retry[/b] DIR
    computes again what failed. The same command a second time computes what is missing, or stale since code changed.
    """
    from biosnn.cli.sweeping import LOOKS, parse_where, plan_sweep, print_plan, run_sweep

    console = Console()
    if what in LOOKS:
        elsewhere = {"--seeds": seeds, "--store": store, "--target": target, "--threads": threads}
        given = [name for name, option in elsewhere.items() if option is not None] + ["--dry-run"] * dry_run
        if given:
            raise typer.BadParameter(f"{', '.join(given)}: goes with a study, not with {what}.")
        _look_at_sweep(console, what, settings or [], on, figures, value or [], mean, show)
        return
    if value or mean:
        raise typer.BadParameter("--value goes with report, and --mean with table.")
    from biosnn.cli.naming import check_study

    meant = difflib.get_close_matches(what, LOOKS, n=1, cutoff=0.75)
    if meant and not Path(what).exists():
        raise typer.BadParameter(f"no study and nothing to do is called {what!r}. Did you mean {meant[0]!r}?")
    if what.endswith(".py"):
        raise typer.BadParameter(f"expected a function of that file, as in {what}:NAME, or a study (got {what!r}).")
    check_study("run", what)
    where = parse_where(on or "local")
    planned = plan_sweep(what, settings or [], seeds, target, threads)
    folder = store or planned.default_store
    print_plan(console, planned, where, folder, dry=dry_run)
    if dry_run:
        return
    passed = run_sweep(console, planned, where, folder, figures)
    if show:
        typer.launch((folder / "report.html").absolute().as_uri())
    if not passed:
        raise typer.Exit(1)


def _look_at_sweep(
    console: Console,
    what: str,
    words: list[str],
    on: str | None,
    figures: bool | None,
    values: list[str],
    mean: bool,
    show: bool,
) -> None:
    from biosnn.cli.results import shown
    from biosnn.cli.sweeping import parse_where, print_plan, print_status, print_table, run_sweep
    from biosnn.sweep import Store, Sweep

    if len(words) != 1:
        raise typer.BadParameter(f"expected biosnn sweep {what} DIR, the store of a sweep (got {' '.join(words)!r}).")
    found = Store(words[0])
    if what == "status":
        print_status(console, found)
    elif what == "table":
        print_table(console, found, mean=mean)
    elif what == "report":
        page = found.report(values)
        console.print(f"Report: {shown(page)}", soft_wrap=True)
        if show:
            typer.launch(page.absolute().as_uri())
    else:
        console.print(f"{found.retry()} points that failed are computed again.")
        where, planned = parse_where(on or "local"), Sweep.of_store(found.folder)
        print_plan(console, planned, where, found.folder, dry=False)
        if not run_sweep(console, planned, where, found.folder, figures):
            raise typer.Exit(1)


@app.command()
def compare(
    first: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a saved result.")],
    second: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of another.")],
    out: Annotated[Path | None, typer.Option("--out", help="The page (default: ./compare-A-B.html).")] = None,
) -> None:
    """Show where two results differ: settings, models, versions, values; and their figures next to each other."""
    from biosnn.cli.comparing import print_comparison

    print_comparison(Console(), first, second, out)


@app.command()
def fit(
    study: Annotated[str, typer.Argument(help="A study's name, the path of its folder, or FILE.py:FUNCTION.")],
    ranges: Annotated[
        list[str], typer.Argument(metavar="KEY=LOW:HIGH...", help="What is tried: LOW:HIGH, LOW:HIGH:log or A,B,C.")
    ],
    minimise: Annotated[str | None, typer.Option("--minimise", help="The value that is to be smallest.")] = None,
    maximise: Annotated[str | None, typer.Option("--maximise", help="The value that is to be largest.")] = None,
    trials: Annotated[int, typer.Option("--trials", help="How many settings are tried.")] = 40,
    at_once: Annotated[int, typer.Option("--at-once", help="How many are proposed at once.")] = 4,
    seeds: Annotated[str | None, typer.Option("--seeds", help="Such as 1-3; the mean counts (default: 1).")] = None,
    on: Annotated[str | None, typer.Option("--on", help="local, local=4, dask=ADDRESS or FILE.toml.")] = None,
    store: Annotated[Path | None, typer.Option("--store", help="The folder (default: sweeps/STUDY-fit).")] = None,
    target: Target = None,
) -> None:
    """Find settings at which a value of a study is smallest or largest. The same command goes on where it was ended."""
    from biosnn.cli.sweeping import run_fit

    if (minimise is None) == (maximise is None):
        raise typer.BadParameter("expected one of --minimise VALUE and --maximise VALUE.")
    options = {"trials": trials, "at_once": at_once, "seeds": seeds or "1", "target": target, "store": store}
    run_fit(Console(), study, ranges, minimise or maximise or "", maximise is not None, on or "local", options)
