"""A job of an array: ``python -m biosnn.sweep.array STORE --task N --tasks M`` computes every M-th point of a sweep."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from biosnn.errors import BiosnnError
from biosnn.sweep.coordinator import run_plan
from biosnn.sweep.executors import Local
from biosnn.sweep.layout import Layout


class _Stopped(BaseException):
    """Raised where a signal arrives."""


def _stop(number: int, _: object) -> None:
    raise _Stopped(number)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and compute."""
    parser = argparse.ArgumentParser(prog="python -m biosnn.sweep.array", description="Compute a share of a sweep.")
    parser.add_argument("store", type=Path)
    parser.add_argument("--task", type=int, required=True, help="which share, from 0")
    parser.add_argument("--tasks", type=int, required=True, help="how many shares there are")
    parser.add_argument("--cores", type=int, default=1, help="points at once")
    asked = parser.parse_args(arguments)
    if hasattr(signal, "SIGTERM"):
        signal.signal(signal.SIGTERM, _stop)
    layout = Layout(asked.store)
    try:
        plan = layout.plan()
        share = replace(plan, points=plan.points[asked.task :: asked.tasks])
        run_plan(layout, share, Local(asked.cores))
    except _Stopped as stop:
        number = int(stop.args[0])
        print(
            f"Ended by signal {number}, as a queue does at the end of the walltime. The same sweep goes on from here."
        )
        sys.exit(128 + number)
    except (BiosnnError, OSError) as error:
        print(f"Error: {error}", flush=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
