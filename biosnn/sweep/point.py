"""The process that computes points of a sweep: ``python -m biosnn.sweep.point STORE KEY...``.

Brian2's global state, signals, logs and crashes of a point stay in its process. Short points share one, so that Python
and its libraries are loaded once for many. What became of a point stands in the store; the exit status is
0 unless the store could not be written, the code is another than was planned, or a signal has ended it.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import shutil
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from biosnn.errors import BiosnnError, ResultError, StalePlanError
from biosnn.run import compute_study
from biosnn.study.functions import find_study
from biosnn.study.saved import load_result
from biosnn.sweep.claims import claimed
from biosnn.sweep.layout import Failure, Layout, PlannedPoint
from biosnn.sweep.work import CHANGED, ended_by_queues
from biosnn.writing import sync_folders

_PUBLISH = 1.0
"""Seconds after which results get their names."""


def compute(store: Layout, keys: Sequence[str], *, figures_from: float = math.inf, seconds: float = math.inf) -> None:
    """Compute the points of these keys, but for those that are finished, failed, or computed by a living process.

    Parameters
    ----------
    store : Layout
        Where their plan is, and their results go.
    keys : sequence of str
        Of the points, in their order.
    figures_from : float
        Points get figures and a page if they take at least so many seconds.
    seconds : float
        After so many seconds no further point is begun.

    Raises
    ------
    StalePlanError
        If the code is another than when they were planned, or the plan has no such point any more.
    BiosnnError
        If the study cannot be loaded.
    OSError
        If the store cannot be written.
    """
    given, points = store.planned(keys)
    begun = time.monotonic()
    # To have a result on the disk for sure takes as long as a short point: several get their names at once.
    with contextlib.ExitStack() as claims:
        ready: list[str] = []
        named = begun
        try:
            for point in points:
                if time.monotonic() - begun > seconds:
                    break
                if store.point(point.key).exists():
                    continue
                claim = claims.enter_context(claimed(store.claim(point.key)))
                # Between the look and the claim another process may have finished it.
                if claim is not None and not store.point(point.key).exists() and not store.has_failed(point.key):
                    ready += _compute(store, point, given, figures_from)
                if time.monotonic() - named > _PUBLISH:
                    _publish(store, ready)
                    claims.close()
                    ready, named = [], time.monotonic()
        finally:
            _publish(store, ready)


def _publish(store: Layout, keys: Sequence[str]) -> None:
    sync_folders([store.unfinished(key) for key in keys])
    for key in keys:
        store.publish(key)


def _compute(store: Layout, point: PlannedPoint, given: Mapping[str, Any], figures_from: float) -> list[str]:
    """Compute a point, and return its key; nothing if it fails, which the store says then."""
    place = store.unfinished(point.key)
    try:
        # Anew for each point: what the code of a study keeps in its module would make a result depend on the points
        # before it.
        study = find_study(given["study"])
        if not _is_finished(place, point.key):
            shutil.rmtree(place, ignore_errors=True)
            compute_study(
                study,
                point.settings,
                place,
                seed=point.seed,
                target=given["target"],
                threads=given["threads"],
                draw_from=figures_from,
                key=point.key,
                sync=False,
            )
    except StalePlanError:
        raise
    except Exception as error:
        message = str(error) if isinstance(error, BiosnnError) else f"{type(error).__name__}: {error}"
        traceback.print_exc()
        store.fail(Failure(point.key, message, traceback.format_exc()))
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


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and compute."""
    parser = argparse.ArgumentParser(prog="python -m biosnn.sweep.point", description="Compute points of a sweep.")
    parser.add_argument("store", type=Path)
    parser.add_argument("keys", nargs="+")
    parser.add_argument("--figures-from", type=float, default=0.0, help="seconds from which points get figures")
    parser.add_argument("--seconds", type=float, default=math.inf, help="after which no further point is begun")
    asked = parser.parse_args(arguments)
    try:
        with ended_by_queues():
            compute(Layout(asked.store), asked.keys, figures_from=asked.figures_from, seconds=asked.seconds)
    except (BiosnnError, OSError) as error:
        print(f"Error: {' '.join(str(error).split())}", flush=True)
        sys.exit(CHANGED if isinstance(error, StalePlanError) else 2)


if __name__ == "__main__":
    main()
