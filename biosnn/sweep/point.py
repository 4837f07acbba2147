"""The process that computes points of a sweep: ``python -m biosnn.sweep.point STORE KEY...``.

Brian2's global state, signals, logs and crashes of a point stay in its process. Short points share one, so that Python
and its libraries are loaded once for many. What became of a point stands in the store; the exit status is 0 unless the
store itself could not be written.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from biosnn.errors import BiosnnError, ResultError
from biosnn.run import compute_study
from biosnn.study.functions import find_study
from biosnn.study.load import Study
from biosnn.study.saved import load_result
from biosnn.sweep.claims import claimed
from biosnn.sweep.layout import Failure, Layout, PlannedPoint
from biosnn.writing import sync_folders

_PUBLISH = 1.0
"""Seconds after which results get their names."""


def compute(store: Layout, keys: Sequence[str], *, figures: bool = True) -> None:
    """Compute the points of these keys, but for those that are finished, or that a living process computes.

    Parameters
    ----------
    store : Layout
        Where their plan is, and their results go.
    keys : sequence of str
        Of the points, in their order.
    figures : bool
        Whether each gets figures and a page.

    Raises
    ------
    BiosnnError
        If the study cannot be loaded.
    OSError
        If the store cannot be written.
    """
    given, points = store.planned(keys)
    study = find_study(given["study"])
    # To have a result on the disk for sure takes as long as a short point: several get their names at once.
    with contextlib.ExitStack() as claims:
        ready: list[str] = []
        named = time.monotonic()
        for point in points:
            if store.point(point.key).exists():
                continue
            claim = claims.enter_context(claimed(store.claim(point.key)))
            # Between the look and the claim another process may have finished it.
            if claim is not None and not store.point(point.key).exists():
                ready += _compute(store, study, point, given, figures)
            if time.monotonic() - named > _PUBLISH:
                _publish(store, ready)
                claims.close()
                ready, named = [], time.monotonic()
        _publish(store, ready)


def _publish(store: Layout, keys: Sequence[str]) -> None:
    sync_folders([store.unfinished(key) for key in keys])
    for key in keys:
        store.publish(key)


def _compute(
    store: Layout, study: Study[Any], point: PlannedPoint, given: Mapping[str, Any], figures: bool
) -> list[str]:
    """Compute a point, and return its key; nothing if it fails, which the store says then."""
    place = store.unfinished(point.key)
    try:
        if not _is_finished(place, point.key):
            shutil.rmtree(place, ignore_errors=True)
            compute_study(
                study,
                point.settings,
                place,
                seed=point.seed,
                target=given["target"],
                threads=given["threads"],
                draw=figures,
                key=point.key,
                sync=False,
            )
    except Exception as error:
        message = str(error) if isinstance(error, BiosnnError) else f"{type(error).__name__}: {error}"
        traceback.print_exc()
        store.fail(Failure(point.key, message))
        return []
    return [point.key]


def _is_finished(folder: Path, key: str) -> bool:
    """Whether a process was ended between its result and the result's name."""
    if not folder.exists():
        return False
    try:
        return load_result(folder).provenance.get("key") == key
    except ResultError:
        return False


def _stop(number: int, _: object) -> None:
    # The queue of a cluster ends jobs like that: the claim is given back, and checkpoints stay.
    print(f"Ended by signal {number}, as a queue does at the end of the walltime. The same sweep goes on from here.")
    sys.stdout.flush()
    sys.exit(128 + number)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and compute."""
    parser = argparse.ArgumentParser(prog="python -m biosnn.sweep.point", description="Compute points of a sweep.")
    parser.add_argument("store", type=Path)
    parser.add_argument("keys", nargs="*")
    parser.add_argument("--no-figures", action="store_true")
    parser.add_argument("--task", type=int, default=0, help="which share of all points, from 0")
    parser.add_argument("--tasks", type=int, default=0, help="how many shares there are")
    asked = parser.parse_args(arguments)
    if hasattr(signal, "SIGTERM"):
        signal.signal(signal.SIGTERM, _stop)
    store = Layout(asked.store.absolute())
    try:
        keys = asked.keys or store.share(asked.task, asked.tasks)
        os.chdir(store.working_folder())  # where relative paths begin that are settings
        compute(store, keys, figures=not asked.no_figures)
    except (BiosnnError, OSError) as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
