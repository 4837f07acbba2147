"""The ``cpp`` target: a whole simulation becomes one C++ program, built once and run as often as wanted."""

from __future__ import annotations

import collections
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import brian2
import numpy as np
from numpy.typing import NDArray

from biosnn.engine import checks, progress, scratch, simulation
from biosnn.engine.compiler import compile, toolchain
from biosnn.engine.prepared import Point, Prepared, Report, Usage, variable
from biosnn.engine.program import kept, literals, runner
from biosnn.engine.program.queueing import QueueingDevice
from biosnn.engine.simulation import Simulation
from biosnn.errors import EngineError, RunError, field_error

T = TypeVar("T")
Ran = tuple[Path, Usage]
# Keys of numbers of a point beside those of variables, which have a dot.
_SEED, _START = "seed", "start"


class ProgramSimulation(Simulation):
    """Queues runs, then builds (or finds in the cache) and runs the program."""

    device: QueueingDevice
    _refused = 0

    def _begin(self) -> None:
        # Strings evaluated on results, after the run, go through the runtime device; NumPy needs no compiler for that.
        brian2.prefs["codegen.target"] = "numpy"
        self._scratch = scratch.make()
        self._root = self._scratch.path
        self.device = QueueingDevice()
        self.device.execute = self._execute_for
        self.device.before_queueing = self._check_not_executed
        self._labels: dict[int, str] = {}
        self._executed = ""
        self._sweeping = False
        self._used: list[Path] = []
        simulation.fresh_device(self.device, self.dt)
        brian2.seed(self.seed)
        simulation.seed_numpy(self.seed)

    def _device(self) -> Any:
        return self.device

    def _end(self, reason: str) -> None:
        self.device.close(reason)
        self._scratch.remove()

    def _close(self) -> None:
        if self.device.has_been_run:
            kept.keep(self.device, self._scratch)
        else:
            self._end(self.device.closed or "its session ended without results: no run was executed, or it failed.")

    def _stage(self) -> str:
        return f"open, {self.queued} runs queued" if self._open and self.queued else super()._stage()

    @property
    def queued(self) -> int:
        """How many runs are queued and not executed."""
        return 0 if self._executed else len(self.device.durations)

    @property
    def refused(self) -> bool:
        """Whether what is queued has been refused, and nothing was queued since: whoever read it was told."""
        return 0 < self._refused == len(self.device.durations)

    def _run(self, network: Any, duration: Any, what: str, namespace: dict[str, Any]) -> None:
        self._check_not_executed()
        network.run(duration, report=None, namespace=namespace)
        self._labels[len(self.device.durations)] = what

    def _check_not_executed(self) -> None:
        if self._executed:
            raise EngineError(
                f"The program was executed already ({self._executed}): on the cpp target, queue all runs before "
                "reading results, or call sim.reset() to begin a new program."
            )

    def _label(self, run: int) -> str:
        """What is simulated in a run, of which the first is number 1."""
        return self._labels.get(run, "") or "simulating"

    def execute(self) -> None:
        self._check_open()
        if self._executed:
            return
        if not self.device.durations:
            raise EngineError("Nothing to execute: call sim.run first.")
        self._execute_for("sim.execute()")

    def _execute_for(self, what: str) -> None:
        if self._sweeping:
            raise EngineError(
                f"Cannot read {what} while a sweep's program is put together: on the cpp target, program() runs once "
                "for all points, before any of them has a value. Read in read()."
            )
        if self._executed:
            raise EngineError(f"Cannot read {what}: the program was executed ({self._executed}) and gave no results.")
        self._ask_objects()
        self._executed = what if what == "sim.execute()" else f"to read {what}"
        self._build_and_run()

    def _build_and_run(self) -> None:
        """Make the program of what is queued, run it, and open its results."""
        self._build()
        folder = self._folder()
        runner.prepare(folder, self._inputs, {})
        with progress.Progress(self._label(1)) as bar:
            self.usage = runner.execute(folder, self._environment(), lambda *how_far: self._show(bar, *how_far))
        self._open_results(folder)

    def _ask_objects(self) -> None:
        """Let objects refuse the queued runs before anything is compiled, if they have something against them."""
        self._refused = len(self.device.durations)
        for obj in self.device.simulated:
            if hasattr(obj, "before_building"):
                obj.before_building()
        self._refused = 0

    def _build(self) -> literals.Settings:
        """Make the program and all that its runs share; return the numbers of the first of them."""
        compiler = toolchain.find_compiler()
        if compiler is None:
            raise EngineError(f"The cpp target needs a compiler: {toolchain.target_problems()['cpp']}")
        self.device.check_timed_arrays()
        self._inputs = self._root / "inputs"
        sources = self._root / "sources"
        with scratch.writing():
            files, settings = self.device.write_sources(sources, self._inputs)
        with progress.Progress("compiling") as bar:
            program, _ = compile.build(
                sources,
                files,
                compiler,
                self.device.flags(),
                self.device.origins(),
                lambda done, total: bar.update(done / total, f"{done} of {total} files"),
            )
        with scratch.writing():
            runner.keep_binary(program, self._inputs)
        return settings

    def _folder(self) -> Path:
        with scratch.writing():
            return Path(tempfile.mkdtemp(prefix="run-", dir=self._root))

    def _environment(self) -> dict[str, str]:
        return {
            **brian2.prefs["devices.cpp_standalone.run_environment_variables"],
            **self.device.run_environment_variables,
            "BIOSNN_THREADS": str(self.threads),
        }

    def _show(self, bar: progress.Progress, run: int, fraction: float) -> None:
        total = sum(self.device.durations)
        if total > 0:
            bar.what = self._label(run)
            done = simulated(self.device.durations, run, fraction)
            bar.update(done / total, f"{progress.simulated(done)} of {progress.simulated(total)} simulated")

    def _open_results(self, folder: Path) -> None:
        runner.verify(folder, self.device.result_dtypes())
        self.device.open_results(folder / "results")
        checks.check_states(self.device.simulated, self.device.given_nan, str(self.dt))

    # ---- points -----------------------------------------------------------------------------------------------

    def _prepare(self, network: Any, program: Callable[[], object], point: Point) -> Prepared:
        if self._executed:
            raise EngineError("The program was executed already: call sim.reset() before preparing one.")
        carriers = self._queue_points(network, point)
        self._sweeping = True
        try:
            program()
        finally:
            self._sweeping = False
        if not self.device.durations:
            raise EngineError(field_error("program()", "at least one call of sim.run", "none"))
        if point.start is None and point.durations is None:  # else each point runs at times of its own
            self._ask_objects()
        self._executed = "at points"
        return PreparedProgram(self, network, point, self._build(), carriers)

    def _queue_points(self, network: Any, point: Point) -> dict[str, tuple[str, Any]]:
        """Queue the setting of each value of a point; return the static array and type of those that are arrays."""
        carriers = {}
        for key, value in sorted(point.values.items()):
            var = variable(network, key)
            name = self.device.set_by_point(key, var, value, len(self.device.main_queue))
            if name:
                carriers[key] = (name, var.dtype)
        self.device.main_queue.append(("seed", literals.PointValue(_SEED, integer=True)))
        if point.start is not None:
            self.device.main_queue.append(("start", (network.name, literals.PointValue(_START, integer=False))))
        return carriers

    # What a prepared program needs of its simulation.

    def run_once(
        self, arrays: Mapping[str, NDArray[Any]], report: runner.Report, stop: threading.Event
    ) -> tuple[Path, Usage]:
        """Run the program with these arrays of its own; return the folder with its results, and what it took."""
        try:
            folder = self._used.pop()
        except IndexError:
            folder = self._folder()
        runner.prepare(folder, self._inputs, arrays)
        return folder, runner.execute(folder, self._environment(), report, stop)

    def open_point(self, folder: Path, usage: Usage) -> None:
        """Let reads go to the results in this folder."""
        self.usage = usage
        self._open_results(folder)

    def recycle(self, folder: Path) -> None:
        """Let another run use a folder whose results have been read."""
        self._used.append(folder)

    def close_point(self) -> None:
        """Let reads fail again."""
        self.device.close_results("the results of a point can be read inside read() only.")


class PreparedProgram(Prepared):
    """A program of the ``cpp`` target.

    Parameters
    ----------
    simulation : ProgramSimulation
        Whose program it is.
    network : Network
        What the points name.
    example : Point
        What the program was made for; all others bring some of its variables.
    settings : Settings
        The numbers that were lifted out of the program.
    carriers : mapping
        For each key whose value is an array, the static array that carries it and its type.
    """

    def __init__(
        self,
        simulation: ProgramSimulation,
        network: Any,
        example: Point,
        settings: literals.Settings,
        carriers: Mapping[str, tuple[str, Any]],
    ) -> None:
        super().__init__(simulation._check_open, network, example)
        self.program, self.settings, self.carriers = simulation, settings, carriers

    def _run(self, points: list[Point], read: Callable[[int], T], jobs: int | None, report: Report | None) -> list[T]:
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
                    bar.update(sum(done) / total, detail)

        def run(number: int, point: Point) -> Ran:
            return self.program.run_once(self._arrays(point), partial(said, number), stop)

        jobs, results = jobs or max(1, compile.cores() // self.program.threads), []
        waiting = collections.deque(enumerate(points))
        running: collections.deque[tuple[int, Future[Ran]]] = collections.deque()
        with progress.Progress("sweep") as bar, ThreadPoolExecutor(max_workers=jobs) as pool:
            try:
                while waiting or running:
                    # A few points ahead of the reader keep all processes busy, without results piling up on the disk.
                    while waiting and len(running) < 2 * jobs:
                        number, point = waiting.popleft()
                        running.append((number, pool.submit(run, number, point)))
                    number, future = running.popleft()
                    results.append(self._read(number, future, read))
            except BaseException:
                stop.set()
                pool.shutdown(cancel_futures=True)
                raise
            finally:
                self.program.close_point()
        return results

    def _durations(self, point: Point) -> list[float]:
        """Simulated seconds of each run at a point."""
        return list(self.program.device.durations if point.durations is None else point.durations)

    def _arrays(self, point: Point) -> dict[str, NDArray[Any]]:
        """What the program reads at a point in place of what it was made with."""
        values = point.values
        scalars = {key: value for key, value in values.items() if key not in self.carriers}
        scalars |= {_SEED: self.program.seed if point.seed is None else point.seed, _START: point.start or 0.0}
        scalars |= {literals.duration(run): seconds for run, seconds in enumerate(point.durations or ())}
        scalars |= {literals.given(key): key in values for key in self.carriers}
        arrays = self.settings.arrays(scalars)
        arrays |= {
            name: np.asarray(values[key], dtype) for key, (name, dtype) in self.carriers.items() if key in values
        }
        return arrays

    def _read(self, number: int, future: Future[Ran], read: Callable[[int], T]) -> T:
        try:
            folder, usage = future.result()
            self.program.open_point(folder, usage)
        except RunError as error:
            raise RunError(f"Point {number}: {error}") from error
        value = read(number)
        self.program.recycle(folder)
        return value


def simulated(durations: Sequence[float], run: int, fraction: float) -> float:
    """Seconds that a program has simulated when it is so far in one of its runs, of which the first is number 1."""
    return sum(durations[: run - 1]) + fraction * durations[run - 1]
