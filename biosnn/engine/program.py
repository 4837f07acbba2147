"""The ``cpp`` target: a whole simulation becomes one C++ program, built once and run as often as wanted."""

from __future__ import annotations

import collections
import shutil
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import brian2
import numpy as np
from numpy.typing import NDArray

from biosnn.engine import checks, compile, lift, progress, runner, simulation, toolchain
from biosnn.engine.device import ProgramDevice
from biosnn.engine.simulation import SEED, Simulation
from biosnn.errors import EngineError, RunError

T = TypeVar("T")


class ProgramSimulation(Simulation):
    """Queues runs, then builds (or finds in the cache) and runs the program."""

    device: ProgramDevice

    def _begin(self) -> None:
        # Strings evaluated on results, after the run, go through the runtime device; NumPy needs no compiler for that.
        brian2.prefs["codegen.target"] = "numpy"
        self.device = ProgramDevice()
        self.device.execute = self._execute_for
        self._networks: list[Any] = []
        self._labels: list[str] = []
        self._executed = ""
        self._sweeping = False
        self._root = Path(tempfile.mkdtemp(prefix="biosnn-"))
        simulation.fresh_device(self.device, self.dt)
        brian2.seed(self.seed)
        simulation.seed_numpy(self.seed)

    def _end(self, reason: str) -> None:
        self.device.close(reason)
        shutil.rmtree(self._root, ignore_errors=True)

    @property
    def queued(self) -> int:
        """How many runs are queued and not executed."""
        return 0 if self._executed else len(self.device.durations)

    def _run(self, network: Any, duration: Any, what: str, namespace: dict[str, Any]) -> None:
        if self._executed:
            raise EngineError(
                f"The program was executed already ({self._executed}): on the cpp target, queue all runs before "
                "reading results, or call sim.reset() to begin a new program."
            )
        network.run(duration, report=None, namespace=namespace)
        self._labels.append(what or "simulating")
        if network not in self._networks:
            self._networks.append(network)

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
        self._executed = what if what == "sim.execute()" else f"to read {what}"
        self._build()
        folder = self._folder()
        runner.prepare(folder, self._inputs, {})
        with progress.Progress(self._labels[0]) as shown:
            runner.execute(folder, self._environment(), lambda *how_far: self._show(shown, *how_far))
        self._open_results(folder)

    def _build(self) -> lift.Settings:
        """Make the program and all that its runs share; return the numbers of the first of them."""
        compiler = toolchain.find_compiler()
        if compiler is None:
            raise EngineError(f"The cpp target needs a compiler: {toolchain.target_problems()['cpp']}")
        self._inputs = self._root / "inputs"
        sources = self._root / "sources"
        files, settings = self.device.write_sources(sources, self._inputs)
        with progress.Progress("compiling") as shown:
            program, _ = compile.build(
                sources,
                files,
                compiler,
                self.device.flags(),
                self.device.origins(),
                lambda done, total: shown.update(done / total, f"{done} of {total} files"),
            )
        runner.keep_binary(program, self._inputs)
        return settings

    def _folder(self) -> Path:
        return Path(tempfile.mkdtemp(prefix="run-", dir=self._root))

    def _environment(self) -> dict[str, str]:
        return {
            **brian2.prefs["devices.cpp_standalone.run_environment_variables"],
            **self.device.run_environment_variables,
        }

    def _show(self, shown: progress.Progress, run: int, fraction: float) -> None:
        total = sum(self.device.durations)
        if total > 0:
            shown.what = self._labels[run - 1]
            done = self._simulated(run, fraction)
            shown.update(done / total, f"{progress.simulated(done)} of {progress.simulated(total)} simulated")

    def _simulated(self, run: int, fraction: float) -> float:
        """Seconds that the program has simulated when it is so far in one of its runs."""
        durations = self.device.durations
        return sum(durations[: run - 1]) + fraction * durations[run - 1]

    def _open_results(self, folder: Path) -> None:
        runner.verify(folder, self.device.result_dtypes())
        self.device.open_results(folder / "results")
        for network in self._networks:
            checks.check_states(network.sorted_objects, self.device.given_nan, str(self.dt))

    # ---- sweeps -----------------------------------------------------------------------------------------------

    def _sweep(
        self,
        network: Any,
        program: Callable[[], object],
        points: list[dict[str, Any]],
        read: Callable[[], T],
        jobs: int | None,
    ) -> list[T]:
        if self._executed:
            raise EngineError("The program was executed already: call sim.reset() before the sweep.")
        carriers = self._queue_points(network, points[0])
        self._sweeping = True
        try:
            program()
        finally:
            self._sweeping = False
        self._executed = "by sim.sweep"
        settings = self._build()
        try:
            return self._run_points(settings, carriers, points, read, jobs or compile.cores())
        finally:
            self.device.close("the results of a sweep can be read inside read() only.")

    def _queue_points(self, network: Any, point: dict[str, Any]) -> dict[str, tuple[str, Any]]:
        """Queue the setting of each value of a point; return the static array and type of those that are arrays."""
        carriers = {}
        for key, value in sorted(point.items()):
            if key != SEED:
                var = simulation.variable(network, key)
                name = self.device.set_by_point(key, var, value, len(self.device.main_queue))
                if name:
                    carriers[key] = (name, var.dtype)
        self.device.main_queue.append(("seed", lift.PointValue(SEED, integer=True)))
        return carriers

    def _run_points(
        self,
        settings: lift.Settings,
        carriers: dict[str, tuple[str, Any]],
        points: list[dict[str, Any]],
        read: Callable[[], T],
        jobs: int,
    ) -> list[T]:
        stop, guard = threading.Event(), threading.Lock()
        total, done = sum(self.device.durations), [0.0] * len(points)

        def report(number: int, run: int, fraction: float) -> None:
            with guard:
                done[number] = self._simulated(run, fraction)
                if total > 0:
                    over = sum(seconds >= 0.999999 * total for seconds in done)
                    detail = f"{progress.simulated(sum(done))} simulated, {over} of {len(points)} points"
                    shown.update(sum(done) / total / len(points), detail)

        def run(number: int, point: dict[str, Any]) -> Path:
            folder = self._folder()
            scalars = {key: value for key, value in point.items() if key not in carriers} | {
                SEED: point.get(SEED, self.seed)
            }
            own: dict[str, NDArray[Any]] = settings.arrays(scalars)
            own |= {name: np.asarray(point[key], dtype=dtype) for key, (name, dtype) in carriers.items()}
            runner.prepare(folder, self._inputs, own)
            runner.execute(folder, self._environment(), partial(report, number), stop)
            return folder

        found: list[T] = []
        waiting = collections.deque(enumerate(points))
        running: collections.deque[tuple[int, Future[Path]]] = collections.deque()
        with progress.Progress("sweep") as shown, ThreadPoolExecutor(max_workers=jobs) as pool:
            try:
                while waiting or running:
                    # A few points ahead of the reader keep all processes busy, without results piling up on the disk.
                    while waiting and len(running) < 2 * jobs:
                        number, point = waiting.popleft()
                        running.append((number, pool.submit(run, number, point)))
                    number, future = running.popleft()
                    found.append(self._read_point(number, future, read))
            except BaseException:
                stop.set()
                pool.shutdown(cancel_futures=True)
                raise
        return found

    def _read_point(self, number: int, future: Future[Path], read: Callable[[], T]) -> T:
        try:
            folder = future.result()
            self._open_results(folder)
        except RunError as error:
            raise RunError(f"Point {number}: {error}") from error
        value = read()
        shutil.rmtree(folder, ignore_errors=True)
        return value
