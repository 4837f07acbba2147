"""The targets that simulate in this process: ``cython`` and ``numpy``."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, TypeVar

import brian2
import numpy as np

from biosnn.engine import checks, progress, simulation
from biosnn.engine.simulation import SEED, Simulation
from biosnn.engine.state import brian_device
from biosnn.errors import RunError

T = TypeVar("T")
REPORT_PERIOD = 0.2 * brian2.second  # of wall time; what is shown of it is the progress display's affair


class RuntimeSimulation(Simulation):
    """Brian2's runtime device with one of its code generation targets."""

    def execute(self) -> None:
        self._check_open()

    def _begin(self) -> None:
        brian2.prefs["codegen.target"] = self.target
        simulation.fresh_device(brian_device.runtime_device, self.dt)
        self._reseed(self.seed)

    def _reseed(self, seed: int) -> None:
        brian2.seed(seed)

    def _end(self, reason: str) -> None:
        """Nothing to release: results of these targets are ordinary arrays."""

    def _run(self, network: Any, duration: Any, what: str, namespace: dict[str, Any]) -> None:
        given = {var for _, _, var, _ in checks.states(network.sorted_objects) if np.isnan(var.get_value()).any()}
        with progress.Progress(what or "simulating") as shown:

            def report(elapsed: Any, completed: float, start: Any, whole: Any) -> None:  # noqa: ARG001
                done, total = progress.simulated(completed * float(whole)), progress.simulated(float(whole))
                shown.update(completed, f"{done} of {total} simulated")

            with warnings.catch_warnings():
                # Brian2 compares all states with 1e50, which is infinity in float32.
                warnings.filterwarnings("ignore", "overflow encountered in cast", module="brian2.groups.group")
                network.run(duration, report=report, report_period=REPORT_PERIOD, namespace=namespace)
        checks.check_states(network.sorted_objects, given, str(self.dt))

    def _sweep(
        self,
        network: Any,
        program: Callable[[], object],
        points: list[dict[str, Any]],
        read: Callable[[], T],
        jobs: int | None,  # noqa: ARG002 - these targets take one point after the other
    ) -> list[T]:
        found = []
        network.store("biosnn_sweep")
        with progress.Progress("sweep") as shown:
            for number, point in enumerate(points):
                shown.update(number / len(points), f"{number} of {len(points)} points")
                network.restore("biosnn_sweep")
                for key, value in point.items():
                    if key != SEED:
                        # A projection's variables may come in their natural shape.
                        simulation.variable(network, key).get_value()[:] = np.ravel(value) if np.ndim(value) else value
                self._reseed(point.get(SEED, self.seed))
                try:
                    program()
                except RunError as error:
                    raise RunError(f"Point {number}: {error}") from error
                found.append(read())
        return found
