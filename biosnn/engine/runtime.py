"""The targets that simulate in this process: ``cython`` and ``numpy``."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import brian2
import numpy as np

from biosnn.engine import checks, progress, simulation
from biosnn.engine.prepared import Point, Prepared, Report, variable
from biosnn.engine.simulation import Simulation
from biosnn.engine.state import brian_device
from biosnn.errors import RunError

T = TypeVar("T")
_PREPARED = "biosnn_prepared"
REPORT_PERIOD = 0.2 * brian2.second  # of wall time; what is shown of it is the progress display's affair


class RuntimeSimulation(Simulation):
    """Brian2's runtime device with one of its code generation targets."""

    def execute(self) -> None:
        self._check_open()

    def _begin(self) -> None:
        brian2.prefs["codegen.target"] = self.target
        self.durations: Iterator[float] | None = None
        simulation.fresh_device(brian_device.runtime_device, self.dt)
        self._reseed(self.seed)

    def _device(self) -> Any:
        return brian_device.runtime_device

    def _reseed(self, seed: int) -> None:
        brian2.seed(seed)

    def _end(self, reason: str) -> None:
        """Nothing to release: results of these targets are ordinary arrays."""

    def _close(self) -> None:
        """What was recorded stays readable."""

    def _run(self, network: Any, duration: Any, what: str, namespace: dict[str, Any]) -> None:
        if self.durations is not None:  # those of the point, in place of the program's
            duration = next(self.durations) * brian2.second
        given = {var for _, _, var, _ in checks.states(network.sorted_objects) if np.isnan(var.get_value()).any()}
        with progress.Progress(what or "simulating") as bar:

            def report(elapsed: Any, completed: float, start: Any, whole: Any) -> None:  # noqa: ARG001
                done, total = progress.simulated(completed * float(whole)), progress.simulated(float(whole))
                bar.update(completed, f"{done} of {total} simulated")

            with warnings.catch_warnings():
                # Brian2 compares all states with 1e50, which is infinity in float32.
                warnings.filterwarnings("ignore", "overflow encountered in cast", module="brian2.groups.group")
                network.run(duration, report=report, report_period=REPORT_PERIOD, namespace=namespace)
        checks.check_states(network.sorted_objects, given, str(self.dt))

    def _prepare(self, network: Any, program: Callable[[], object], point: Point) -> Prepared:
        network.store(_PREPARED)
        return PreparedHere(self, network, program, point)


class PreparedHere(Prepared):
    """A network that takes one point after the other, in this process."""

    def __init__(
        self, simulation: RuntimeSimulation, network: Any, program: Callable[[], object], example: Any
    ) -> None:
        super().__init__(simulation._check_open, network, example)
        self.here, self.program = simulation, program

    def _run(
        self,
        points: list[Point],
        read: Callable[[int], T],
        jobs: int | None,  # noqa: ARG002 - there is one process
        report: Report | None,
    ) -> list[T]:
        results = []
        with progress.Progress("sweep") as bar:
            for number, point in enumerate(points):
                if report:
                    report(number / len(points))
                else:
                    bar.update(number / len(points), f"{number} of {len(points)} points")
                self._begin(point)
                try:
                    self.program()
                except RunError as error:
                    raise RunError(f"Point {number}: {error}") from error
                finally:
                    self.here.durations = None
                results.append(read(number))
        return results

    def _begin(self, point: Point) -> None:
        self.network.restore(_PREPARED)
        for key, value in point.values.items():
            # A projection's variables may come in their natural shape.
            variable(self.network, key).get_value()[:] = np.ravel(value) if np.ndim(value) else value
        self.network.t_ = point.start or 0.0
        self.here.durations = None if point.durations is None else iter(point.durations)
        self.here._reseed(self.here.seed if point.seed is None else point.seed)
