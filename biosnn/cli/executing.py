"""The command that executes a Brian2 script as it is, on a target of biosnn."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer

from biosnn.cli.app import Threads, app, whole_number
from biosnn.cli.terminal import Console


@app.command("exec", context_settings={"allow_interspersed_args": False})
def execute(
    script: Annotated[Path, typer.Argument(metavar="SCRIPT", help="A Brian2 script, a Python file.")],
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="ARGUMENT", help="The script's own arguments and options.")
    ] = None,
    target: Annotated[str, typer.Option("--target", help="cpp, cython or numpy.")] = "cpp",
    seed: Annotated[
        int | None,
        typer.Option("--seed", parser=whole_number, metavar="INTEGER", help="Of the random numbers (default: drawn)."),
    ] = None,
    threads: Threads = None,
    figures: Annotated[
        Path | None, typer.Option("--figures", metavar="DIR", help="Write the figures there instead of showing them.")
    ] = None,
    advise: Annotated[
        bool, typer.Option("--advise", help="Say afterwards which Synapses could be projections, and what it saves.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the whole traceback of an error.")] = False,
) -> None:
    """Execute a Brian2 script as it is, as one C++ program that is built once. Options go before SCRIPT."""
    from biosnn.script.execution import execute_script

    if advise:
        from biosnn.script.advice import advice
    run = execute_script(
        script,
        arguments or [],
        target=target,
        seed=seed,
        threads=1 if threads is None else threads,
        figures=figures,
        look=advice if advise else None,
    )
    if run.said:
        sys.stdout.flush()
        whole = "".join(traceback.format_exception(run.error)) if run.error is not None and debug else ""
        Console(stderr=True).print(whole or run.said, soft_wrap=True)
    for line in run.seen:
        Console().print(line, soft_wrap=True)
    if run.status:
        raise typer.Exit(run.status)
