"""One program of a script: from its first object to the first run of other objects after its results were read."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import Any

from biosnn.engine import checks, scratch
from biosnn.engine.program import runner
from biosnn.engine.program.simulation import ProgramSimulation
from biosnn.engine.state import brian_device
from biosnn.errors import EngineError, RunError
from biosnn.script.device import ScriptDevice

_AGAIN = (
    "results were read, or a state was restored, and a run follows: on the target cpp, what the network has simulated "
    "before is simulated again. To avoid that, read after the last run, or use the target cython."
)


class ScriptProgram(ProgramSimulation):
    """A program whose queue goes on when results have been read: the next read runs it again, from the start.

    Parameters
    ----------
    script : Script
        Whose programs follow each other.
    seed : int
        Of its random numbers.
    """

    device: ScriptDevice

    def __init__(self, script: Any, seed: int) -> None:
        self.script = script
        self.stored: dict[tuple[Any, str], Any] = {}
        super().__init__("cpp", seed, script.dt, script.note, script.threads)

    def _begin(self) -> None:
        self._scratch = scratch.make()
        self._root = self._scratch.path
        self.device = ScriptDevice(self)
        self.device.before_queueing = self._go_on
        self.device.main_queue.append(("seed", self.seed))
        self._labels, self._executed, self._sweeping, self._used = {}, "", False, []
        self.names: set[Any] = set()
        """Weak references to what was made in it, among which names are unique."""

    @property
    def pending(self) -> bool:
        """Whether a run is queued whose results are not computed."""
        later = self.device.main_queue[self.device.executed_until :]
        return not self.device.given_up and any(function == "run_network" for function, _ in later)

    def need(self, what: str) -> None:
        """Compute the results of all that is queued."""
        if self.device.given_up or self.device.closed:
            raise EngineError(f"Cannot read {what}: {self.device.closed or 'its program is over.'}")
        self._check_open()
        before = self._root
        self._ask_objects()
        with scratch.writing():
            self._root = Path(tempfile.mkdtemp(prefix="program-", dir=self._scratch.path))
        self._executed = f"to read {what}"
        active, brian_device.active_device = brian_device.active_device, self.device
        try:
            self._compute()
        finally:
            brian_device.active_device = active
        if before != self._scratch.path:
            shutil.rmtree(before, ignore_errors=True)
        self.script.executed(self)

    def _compute(self) -> None:
        self._build_and_run()
        self.device._last_run_time, self.device._last_run_completed_fraction = self.usage.seconds, 1.0

    def _open_results(self, folder: Path) -> None:
        runner.verify(folder, self.device.result_dtypes())
        self.device.open_results(folder / "results")
        self.device.executed_until = len(self.device.main_queue)
        try:
            checks.check_states(self.device.simulated, self.device.given_nan, str(self.script.clock.dt))
        except RunError as problem:  # which Brian2 warns of
            self.script.notes.say(f"warning: {problem}")

    def _go_on(self) -> None:
        """Called before a run is queued."""
        if self.device.given_up:
            raise EngineError("This network's program is over.")
        if self._executed and self.device.durations:
            self.script.notes.say(_AGAIN)
        self.take_back()

    def take_back(self) -> None:
        """Results are not those of the queue any more."""
        self.device.executed_until = 0
        self.device.has_been_run = False
        self._executed = ""

    def give_up(self) -> None:
        """Keep what was computed for as long as somebody may read it, and nothing else."""
        device, folder = self.device, self._scratch
        device.given_up = True
        for name in ("arrays", "array_cache", "dynamic_arrays", "dynamic_arrays_2d", "_sizes"):
            setattr(device, name, weakref.WeakKeyDictionary(getattr(device, name)))
        for kept in (device.main_queue, device.code_objects, device.simulated, device.static_arrays, self.stored):
            kept.clear()
        for known in (device._owners, device.synapses, device.networks, device.clocks, device.zero_arrays):
            known.clear()
        device.arange_arrays.clear()
        device.timed_arrays.clear()
        device.written_by.clear()
        weakref.finalize(device, _remove, folder, self.script.process)


def _remove(folder: scratch.Scratch, process: int) -> None:
    if os.getpid() == process:  # and not a copy of it, which a script may make by multiprocessing
        folder.remove()
