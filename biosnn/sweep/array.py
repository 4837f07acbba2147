"""A job of an array: ``python -m biosnn.sweep.array STORE --task N --tasks M`` computes every M-th point of a sweep."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from biosnn.errors import BiosnnError
from biosnn.sweep.coordinator import run_plan
from biosnn.sweep.executors import Local
from biosnn.sweep.layout import Layout
from biosnn.sweep.work import ended_by_queues


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and compute."""
    parser = argparse.ArgumentParser(prog="python -m biosnn.sweep.array", description="Compute a share of a sweep.")
    parser.add_argument("store", type=Path)
    parser.add_argument("--task", type=int, required=True, help="which share, from 0")
    parser.add_argument("--tasks", type=int, required=True, help="how many shares there are")
    parser.add_argument("--cores", type=int, default=1, help="points at once")
    asked = parser.parse_args(arguments)
    layout = Layout(asked.store)
    try:
        with ended_by_queues():
            plan = layout.plan()
            share = replace(plan, points=plan.points[asked.task :: asked.tasks])
            run_plan(layout, share, Local(asked.cores))
    except (BiosnnError, OSError) as error:
        print(f"Error: {error}", flush=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
