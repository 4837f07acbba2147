"""Sweeps: a study, or a function of one's own, at many settings with many seeds."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from biosnn.display import bounded, card, paragraph, table
from biosnn.engine.progress import Progress as Bar
from biosnn.errors import BiosnnError, SweepError, field_error
from biosnn.sweep.coordinator import Outcome, Progress, Watch, run_plan, say_where
from biosnn.sweep.executors import Executor, Local
from biosnn.sweep.layout import PLAN, Plan, changed_code
from biosnn.sweep.plan import DEFAULT_SEEDS, make_plan
from biosnn.sweep.queues import JobArray
from biosnn.sweep.store import Store

STORES = Path("sweeps")


@dataclass(frozen=True)
class Known:
    """What of a plan is in a store already.

    Parameters
    ----------
    done, failed : int
        Points that are finished, and that failed.
    stale : int
        Points with results of the same settings and seed, but of other code.
    changed : list of str
        What of the code is another now.
    """

    done: int
    failed: int
    stale: int
    changed: list[str]


class Sweep:
    """A study at many points.

    Parameters
    ----------
    study : str, Path, Study or callable
        A study, its name or its folder; or a function ``(settings, sim) -> Result`` at the top of a Python file, or
        ``"FILE.py:NAME"``.
    grid : mapping of str to sequence, optional
        Values, or texts, that each setting takes; all combinations are run.
    points : iterable of mapping, optional
        The settings of each point, instead of a grid.
    seeds : iterable of int
        Each point is run with each of them.
    target : {"cpp", "cython", "numpy"}, optional
        Where to simulate; by default what the study usually runs on.
    threads : int
        How many threads simulate a network on ``cpp``.

    Raises
    ------
    NotFoundError, StudyError, SettingsError, SweepError
        If the study, a setting of any point, a seed or the target is wrong, or a point is there twice.

    Examples
    --------
    >>> sweep = Sweep("brunel", grid={"g": [4.5, 5, 6]}, seeds=range(1, 4))  # doctest: +SKIP
    >>> store = sweep.run(on=Local(2))  # doctest: +SKIP
    >>> store.frame()  # doctest: +SKIP
    """

    def __init__(
        self,
        study: Any,
        *,
        grid: Mapping[str, Sequence[Any]] | None = None,
        points: Iterable[Mapping[str, Any]] | None = None,
        seeds: Iterable[int] = DEFAULT_SEEDS,
        target: str | None = None,
        threads: int = 1,
    ) -> None:
        self.plan: Plan = make_plan(study, grid=grid, points=points, seeds=seeds, target=target, threads=threads)

    @classmethod
    def of_store(cls, store: Path | str) -> Sweep:
        """The sweep of a store, planned anew with the study as it is now.

        Raises
        ------
        ResultError
            If there is no sweep in the folder.
        """
        plan = Store(store).plan()
        points = list({tuple(sorted(point.settings.items())): point.settings for point in plan.points}.values())
        seeds = list(dict.fromkeys(point.seed for point in plan.points))
        with contextlib.chdir(plan.folder):  # where relative paths begin that are settings
            return cls(plan.study, points=points, seeds=seeds, target=plan.target, threads=plan.threads)

    def __len__(self) -> int:
        return len(self.plan.points)

    def __repr__(self) -> str:
        return bounded(f"<Sweep of {self.plan.name}: {len(self)} points>")

    def _repr_html_(self) -> str:
        rows = [(", ".join(f"{k} = {v}" for k, v in p.settings.items()), str(p.seed)) for p in self.plan.points]
        about = paragraph(f"{len(self):,} points, on the target {self.plan.target}.")
        return card("Sweep", self.plan.name, about, table(("settings", "seed"), rows, numbers=(1,)))

    @property
    def default_store(self) -> Path:
        """``sweeps/NAME-HASH``, the hash being that of points, target and study: other code continues there."""
        points = [[sorted(point.settings.items()), point.seed] for point in self.plan.points]
        text = json.dumps([self.plan.study, self.plan.target, points])
        return STORES / f"{self.plan.name}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"

    def known(self, store: Path | str | None = None) -> Known:
        """What a store has of this sweep already; nothing is computed or written.

        Raises
        ------
        ResultError
            If the store's plan is damaged.
        """
        found = Store(store or self.default_store)
        keys = {point.key for point in self.plan.points}
        finished = found.finished()
        done = len(finished & keys)
        failed = len((found.failed() & keys) - finished)
        if not (found.folder / PLAN).exists():
            return Known(done, failed, 0, [])
        before = found.plan()
        old = {(tuple(sorted(point.settings.items())), point.seed): point.key for point in before.points}
        stale = sum(
            old.get((tuple(sorted(point.settings.items())), point.seed), point.key) in finished - {point.key}
            for point in self.plan.points
            if point.key not in finished
        )
        return Known(done, failed, stale, changed_code(before.code, self.plan.code))

    def run(
        self,
        on: Executor | JobArray | None = None,
        store: Path | str | None = None,
        *,
        figures: bool | None = None,
        watch: Watch | None = None,
    ) -> Store:
        """Compute what the store lacks. Points that failed stay so until `Store.retry` is called.

        Parameters
        ----------
        on : Local, Dask, Cluster or JobArray
            Where; by default on this machine, on all its processors. With a `JobArray`, the jobs are handed to the
            queue and the store is returned at once.
        store : Path or str, optional
            The folder; by default `default_store`.
        figures : bool, optional
            Whether each point gets figures and a page; by default, those that take two seconds or more.
        watch : callable, optional
            Told now and then how far it is (`biosnn.sweep.coordinator.Progress`); by default, a progress bar is.

        Returns
        -------
        Store
            With the table written. What failed is in `Store.failures`.

        Raises
        ------
        ResultError
            If the store cannot be written, or holds something else.
        SweepError
            If the points cannot be computed there.
        """
        where = Local() if on is None else on
        if not isinstance(where, (Executor, JobArray)):
            raise SweepError(field_error("on", "Local(), Dask(client), Cluster(...) or JobArray(...)", on))
        found = Store(store or self.default_store)
        found.begin(self.plan)
        if isinstance(where, JobArray):
            known = self.known(found.folder)
            if left := len(self) - known.done - known.failed:
                where.submit(found, left)
            return found
        outcome: Outcome | None = None
        try:
            with self._watched(watch, found) as told:
                outcome = run_plan(found, self.plan, where, figures=figures, watch=told)
        finally:
            try:
                found.write_tables()
            except BiosnnError:
                if outcome is not None:
                    raise
        say_where(outcome.unwritten, found.folder)
        return found

    @contextlib.contextmanager
    def _watched(self, watch: Watch | None, store: Store) -> Iterator[Watch]:
        """Who is told how far it is: the caller's function, or a progress bar."""
        if watch is not None:
            yield watch
            return
        known, total = self.known(store.folder), len(self)
        with Bar(f"sweep of {self.plan.name}", (known.done + known.failed) / total) as bar:

            def told(now: Progress) -> None:
                detail = f"{now.done} done, {now.running} running, {now.failed} failed of {now.total} points"
                bar.update((now.done + now.failed) / now.total, detail)

            yield told
