"""A built program at one point after the other: several processes at once, read in the order of the points."""

from __future__ import annotations

import collections
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from biosnn.engine import compile, lift, progress
from biosnn.engine.prepared import DURATIONS, SEED, Prepared, Report, Usage
from biosnn.errors import RunError

if TYPE_CHECKING:
    from biosnn.engine.program import ProgramSimulation

T = TypeVar("T")
Ran = tuple[Path, Usage]


def simulated(durations: Sequence[float], run: int, fraction: float) -> float:
    """Seconds that a program has simulated when it is so far in one of its runs, of which the first is number 1."""
    return sum(durations[: run - 1]) + fraction * durations[run - 1]


class PreparedProgram(Prepared):
    """A program of the ``cpp`` target.

    Parameters
    ----------
    simulation : ProgramSimulation
        Whose program it is.
    network : Network
        What the points name.
    example : mapping
        The point that the program was made for; all others have some of its keys.
    settings : Settings
        The numbers that were lifted out of the program.
    carriers : mapping
        For each key whose value is an array, the static array that carries it and its type.
    """

    def __init__(
        self,
        simulation: ProgramSimulation,
        network: Any,
        example: Mapping[str, Any],
        settings: lift.Settings,
        carriers: Mapping[str, tuple[str, Any]],
    ) -> None:
        super().__init__(simulation, network, example)
        self.program, self.settings, self.carriers = simulation, settings, carriers

    def _run(
        self, points: list[dict[str, Any]], read: Callable[[], T], jobs: int | None, report: Report | None
    ) -> list[T]:
        stop, guard = threading.Event(), threading.Lock()
        durations = [self._durations(point) for point in points]
        total, done = sum(map(sum, durations)), [0.0] * len(points)

        def said(number: int, run: int, fraction: float) -> None:
            with guard:
                done[number] = simulated(durations[number], run, fraction)
                if report:
                    report(sum(done) / total if total > 0 else 1.0)
                elif total > 0:
                    over = sum(so_far >= 0.999999 * sum(all_) for so_far, all_ in zip(done, durations, strict=True))
                    detail = f"{progress.simulated(sum(done))} simulated, {over} of {len(points)} points"
                    shown.update(sum(done) / total, detail)

        def run(number: int, point: dict[str, Any]) -> Ran:
            return self.program.run_once(self._arrays(point), partial(said, number), stop)

        jobs, found = jobs or compile.cores(), []
        waiting = collections.deque(enumerate(points))
        running: collections.deque[tuple[int, Future[Ran]]] = collections.deque()
        with progress.Progress("sweep") as shown, ThreadPoolExecutor(max_workers=jobs) as pool:
            try:
                while waiting or running:
                    # A few points ahead of the reader keep all processes busy, without results piling up on the disk.
                    while waiting and len(running) < 2 * jobs:
                        number, point = waiting.popleft()
                        running.append((number, pool.submit(run, number, point)))
                    number, future = running.popleft()
                    found.append(self._read(number, future, read))
            except BaseException:
                stop.set()
                pool.shutdown(cancel_futures=True)
                raise
            finally:
                self.program.close_point()
        return found

    def _durations(self, point: Mapping[str, Any]) -> list[float]:
        """Simulated seconds of each run at a point."""
        return list(point.get(DURATIONS, self.program.device.durations))

    def _arrays(self, point: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
        """What the program reads at a point in place of what it was made with."""
        scalars = {SEED: self.simulation.seed, **{key: point[key] for key in point if key not in self.carriers}}
        scalars |= {lift.duration(run): seconds for run, seconds in enumerate(scalars.pop(DURATIONS, ()))}
        scalars |= {lift.given(key): key in point for key in self.carriers}
        own = self.settings.arrays(scalars)
        own |= {name: np.asarray(point[key], dtype) for key, (name, dtype) in self.carriers.items() if key in point}
        return own

    def _read(self, number: int, future: Future[Ran], read: Callable[[], T]) -> T:
        try:
            folder, usage = future.result()
            self.program.open_point(folder, usage)
        except RunError as error:
            raise RunError(f"Point {number}: {error}") from error
        value = read()
        self.program.give_back(folder)
        return value
