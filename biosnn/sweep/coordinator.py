"""Run what a plan still lacks: which points are to be computed, in which chunks, again after which deaths."""

from __future__ import annotations

import math
import queue
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from biosnn.errors import ResultError, SweepError
from biosnn.sweep.claims import alive
from biosnn.sweep.executors import Executor, Workers
from biosnn.sweep.layout import Failure, Layout, Plan
from biosnn.sweep.results import cost_of
from biosnn.sweep.work import CHANGED, NOT_RUN, Chunk, Ended

SHORT = 2.0
"""Seconds: points that take less go through one process in chunks, and get no figures."""
CHUNK = 60.0
"""Seconds that a chunk of short points takes at most, about; what is finished within gets its name every second."""
LEAST = 10.0
"""Seconds that it takes at least, if there are so many: a process takes some two seconds until it computes."""
TRIES = 4
"""So often a point is begun whose process is ended from outside."""
_LOOK = 0.25  # seconds between two looks for what others compute
_OTHERS = 2.0


@dataclass
class Progress:
    """How far a sweep is; counts of points.

    Parameters
    ----------
    total : int
        All points of the plan.
    done, failed : int
        Those that are finished, or failed, by now; those of before included.
    running : int
        Those that are being computed, by whomever.
    """

    total: int
    done: int = 0
    failed: int = 0
    running: int = 0


@dataclass
class Outcome:
    """What a coordinator has done.

    Parameters
    ----------
    computed : int
        Points that its workers have finished.
    unwritten : list of Failure
        Failures that could not be written into the store.
    """

    computed: int = 0
    unwritten: list[Failure] = field(default_factory=list)


Watch = Callable[[Progress], None]


def run_plan(
    layout: Layout, plan: Plan, executor: Executor, *, figures: bool | None = None, watch: Watch = lambda _: None
) -> Outcome:
    """Compute the points of a plan that are neither finished nor failed.

    Parameters
    ----------
    layout : Layout
        The store, begun with this plan.
    plan : Plan
        The plan.
    executor : Executor
        Where.
    figures : bool, optional
        Whether points get figures and a page; by default, those that take `SHORT` seconds or more.
    watch : callable
        Told now and then how far it is.
    """
    keys = [point.key for point in plan.points]
    coordinator = _Coordinator(layout, plan, figures, watch)
    if coordinator.missing():
        with executor.workers() as workers:
            try:
                coordinator.run(workers)
            except BaseException as stop:
                workers.stop()
                done = len(coordinator.finished)
                stop.add_note(f"{done} of {len(keys)} points are done and kept: the same command goes on.")
                raise
    coordinator.tell(always=True)
    return coordinator.outcome


class _Coordinator:
    def __init__(self, layout: Layout, plan: Plan, figures: bool | None, watch: Watch) -> None:
        self.layout, self.watch, self.folder = layout, watch, plan.folder
        self.keys = keys = [point.key for point in plan.points]
        self.figures_from = SHORT if figures is None else 0.0 if figures else math.inf
        self.finished = layout.finished() & set(keys)
        self.failed = (layout.failed() & set(keys)) - self.finished
        self.outcome = Outcome()
        self.pending = deque(key for key in keys if key not in self.finished and key not in self.failed)
        self.elsewhere: dict[str, float] = {}  # what others compute, and when to look again
        self.tries: Counter[str] = Counter()
        self.most: dict[str, int] = {}  # after a chunk was killed, how many of its points go together
        self.running: set[str] = set()
        self.ended: queue.Queue[tuple[tuple[str, ...], Ended]] = queue.Queue()
        self.seconds, self.memory = 0.0, 0
        self.told = 0.0
        self.begun = False

    def missing(self) -> bool:
        """Whether there is anything left to compute, or to wait for."""
        return bool(self.pending or self.elsewhere or self.running)

    def run(self, workers: Workers) -> None:
        """Compute all, the first point alone.

        It tells how long one takes and how much memory; and on a network file system, where locks of a build cache do
        not hold, it makes the program that the others find.
        """
        chunks, store = 0, str(self.layout.folder.absolute())
        while self.missing():
            limit = workers.count(self.memory) if self.begun else 1
            while self.pending and chunks < limit:
                chunk = Chunk(store, self.folder, self._next(limit), self.figures_from, CHUNK)
                self.running |= set(chunk.keys)
                workers.submit(chunk, self._done(chunk.keys))
                chunks += 1
            try:
                keys, ended = self.ended.get(timeout=_LOOK)
            except queue.Empty:
                self._look_at_others()
            else:
                chunks -= 1
                self._take(keys, ended)
                if self.seconds and not self.begun:
                    workers.check(self.seconds, self.memory)
                self.begun = True
            self.tell()

    def _done(self, keys: tuple[str, ...]) -> Callable[[Ended], None]:
        return lambda ended: self.ended.put((keys, ended))

    def _next(self, workers: int) -> tuple[str, ...]:
        """The next points: one, or as many short ones as leave work for the other workers."""
        many = 1
        if 0 < self.seconds < SHORT:
            left, seconds = len(self.pending), max(self.seconds, 1e-3)
            # Smaller ones at the end, so that no worker is left with the last; but a process takes its time to begin.
            fair = left if workers == 1 else math.ceil(left / (2 * workers))
            many = max(fair, math.ceil(LEAST / seconds))  # a process begins no further one after `CHUNK` seconds
        keys: list[str] = []
        while self.pending and len(keys) < (many := min(many, self.most.get(self.pending[0], many))):
            keys.append(self.pending.popleft())
        return tuple(keys)

    def _take(self, keys: tuple[str, ...], ended: Ended) -> None:
        """See what became of a chunk whose process has ended."""
        self.running -= set(keys)
        failed = self.layout.failed() if len(keys) > 1 else None
        left = []
        for key in keys:
            if self.layout.point(key).is_dir():
                self._finish(key)
                self.outcome.computed += 1
            elif key in failed if failed is not None else self.layout.has_failed(key):
                self.failed.add(key)
            elif alive(self.layout.claim(key)):
                self.elsewhere[key] = time.monotonic()
            else:
                left.append(key)
        if ended.status in (CHANGED, NOT_RUN):
            lines = ended.output.strip().splitlines() or ["it printed nothing"]
            raise SweepError(lines[-1].removeprefix("Error: "))
        if len(keys) == 1:
            for key in left:
                self._again_or_failed(key, ended)
        elif ended.status == 0:
            self.pending.extend(left)  # its time was over
        else:
            self._in_halves(left)

    def _finish(self, key: str) -> None:
        """See from a point how long the others take, but for the first of a process, which takes longer."""
        self.finished.add(key)
        if not self.seconds or self.outcome.computed % 50 == 1:
            self.seconds, memory = cost_of(self.layout.point(key))
            self.memory = max(memory, self.memory)

    def _in_halves(self, keys: list[str]) -> None:
        """Of a chunk that was ended, one point may be the reason: it is found in halves, and costs no other."""
        for key in keys:
            self.most[key] = max(1, len(keys) // 2)
        self.pending.extend(keys)

    def _again_or_failed(self, key: str, ended: Ended) -> None:
        """What becomes of a point whose own process ended without a result or an error."""
        self.tries[key] += 1
        if not ended.killed and ended.status != 0:
            self._fail(key, f"its process ended with status {ended.status}", ended)
        elif self.tries[key] < TRIES:
            self.pending.append(key)
        else:
            how = f"were killed (the last with status {ended.status})" if ended.killed else "ended without a result"
            self._fail(key, f"given up after {TRIES} processes that {how}", ended)

    def _fail(self, key: str, why: str, ended: Ended) -> None:
        lines = [line for line in ended.output.strip().splitlines() if line.strip()]
        host = f" on {ended.host}" if ended.host else ""
        failure = Failure(key, f"{why}{host}: {lines[-1] if lines else 'it printed nothing'}", ended.output)
        self.failed.add(key)
        try:
            self.layout.fail(failure)
        except OSError:
            self.outcome.unwritten.append(failure)

    def _look_at_others(self) -> None:
        now = time.monotonic()
        for key in [key for key, when in self.elsewhere.items() if when <= now]:
            if self.layout.point(key).is_dir():
                self._finish(key)
            elif self.layout.has_failed(key):
                self.failed.add(key)
            elif alive(self.layout.claim(key)):
                self.elsewhere[key] = now + _OTHERS
                continue
            else:
                self.pending.append(key)  # whoever had it has ended
            del self.elsewhere[key]

    def tell(self, *, always: bool = False) -> None:
        """Say how far it is."""
        if not always and time.monotonic() < self.told:
            return
        begin = time.monotonic()
        claimed = len(self.layout.claimed() & set(self.keys) - self.finished - self.failed)
        self.watch(Progress(len(self.keys), len(self.finished), len(self.failed), claimed))
        self.told = time.monotonic() + max(_LOOK, 20 * (time.monotonic() - begin))


def say_where(failures: Sequence[Failure], folder: Path) -> None:
    """Refuse to end as if all were well where failures could not even be written.

    Raises
    ------
    ResultError
        If there are any.
    """
    if failures:
        first = failures[0]
        raise ResultError(
            f"{folder}: {len(failures)} point(s) failed, and the store could not be written: {first.error} "
            "Make room, and start the sweep again: what is finished is kept."
        )
