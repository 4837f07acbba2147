"""A script on the target ``cpp``: its programs, one after the other.

What a script makes and runs is queued. The first read of a result builds and runs the program. Objects that are made
after that belong to the next one, which begins with names of its own, so that a loop that makes the same network again
and again finds it in the cache.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any

import brian2
import numpy as np
from brian2.core.clocks import Clock
from brian2.core.names import Nameable
from brian2.core.variables import ArrayVariable

from biosnn.engine import simulation
from biosnn.engine.simulation import Simulation
from biosnn.engine.state import brian_device, hide_names
from biosnn.errors import EngineError
from biosnn.script.device import GIVEN_UP, MADE_BEFORE, ScriptDevice, is_of_clock
from biosnn.script.notes import Notes
from biosnn.script.program import ScriptProgram
from biosnn.script.run_record import RunRecord


class Script(Simulation):
    """What a script does on the target ``cpp``.

    Attributes
    ----------
    programs : list
        Those whose networks may be run on. The last one takes what is made next.
    record : RunRecord
        What was run.
    """

    def _begin(self) -> None:
        brian2.prefs["codegen.target"] = "numpy"  # for what is evaluated in this process
        simulation.seed_numpy(self.seed)
        self.notes = Notes()
        self.process = os.getpid()
        self.record = RunRecord()
        self._entropy, self._drawn = self.seed, 0
        self._late_seed: int | None = None  # given when results had been read, so that it is the next program's as yet
        self._unused_seed: int | None = None  # given since the last run
        hide_names()
        brian_device.active_device = brian_device.runtime_device
        brian_device.runtime_device.defaultclock = None
        self.clock = Clock(dt=self.dt, name="defaultclock")
        self.programs: list[ScriptProgram] = []
        self._next(self.seed)
        _running.append(self)

    def _close(self) -> None:
        self._end("the script is over.")

    def _end(self, reason: str) -> None:
        _running.remove(self)
        for program in self.programs:
            program.device.close(reason)
            program._scratch.remove()

    # ---- programs ---------------------------------------------------------------------------------------------

    def _next(self, seed: int) -> None:
        program = ScriptProgram(self, seed)
        program.device.defaultclock = self.clock
        self.programs.append(program)
        self.activate(program.device)
        program.device.activate(build_on_run=False)

    @property
    def active(self) -> ScriptProgram:
        """The program to which the next object will belong."""
        device = brian_device.active_device
        if not isinstance(device, ScriptDevice):
            raise EngineError("Another session is open in this one: close it first.")
        program: ScriptProgram = device.program
        return program

    def activate(self, device: ScriptDevice) -> None:
        """Let a device be Brian2's, with the names of its own objects."""
        names = Nameable.__instances__()
        if isinstance(brian_device.active_device, ScriptDevice):
            brian_device.active_device.program.names = set(names)
        brian_device.active_device = device
        names.clear()
        for reference in device.program.names:
            if reference() is not None:
                set.add(names, reference)
        if self._late_seed is not None and device.program is not self.programs[-1]:
            device.main_queue.append(("seed", self._late_seed))
            self._late_seed = None
            self.programs[-1].device.main_queue.append(("seed", self.draw()))

    @contextlib.contextmanager
    def for_a_moment(self, device: ScriptDevice) -> Iterator[None]:
        """Let another device be Brian2's."""
        before = brian_device.active_device
        if device is before:
            yield
            return
        self.activate(device)
        try:
            yield
        finally:
            self.activate(before)

    def executed(self, program: ScriptProgram) -> None:
        """What was queued in a program is computed: what is made from now on belongs to the next one."""
        if not program.device.durations:
            return  # read before it was run, which is still to come
        self._late_seed = None
        if program is self.programs[-1]:
            for over in self.programs[:-1]:
                over.give_up()
            del self.programs[:-1]
            self._next(self.draw())
        elif isinstance(brian_device.active_device, ScriptDevice):  # else it is the last one again when that has ended
            self.activate(self.programs[-1].device)

    def execute(self, what: str = "the end of the script") -> None:
        """Compute all that is queued and was not read."""
        for program in list(self.programs):
            if program.pending:
                program.need(what)

    def begin_anew(self) -> None:
        """Let the next object belong to another program."""
        self.execute()
        if self.programs[-1].device.durations:
            self._next(self.draw())

    def forget(self) -> None:
        """Let nothing be computed any more that is queued."""
        for program in self.programs:
            program.device.given_up = True

    @property
    def queued(self) -> int:
        """How many runs are queued and not computed."""
        return sum(len(program.device.durations) for program in self.programs if program.pending)

    def home_of(self, net: Any, active: ScriptDevice) -> ScriptDevice:
        """The device of the program to which the objects of a network belong.

        Raises
        ------
        EngineError
            If they belong to several, or to one that is over, or were made before there was any.
        """
        homes: dict[Any, str] = {}
        for obj in net.sorted_objects:
            for var in getattr(obj, "variables", {}).values():
                if isinstance(var, ArrayVariable) and not is_of_clock(var):
                    homes.setdefault(var.device, _owner(var, obj))
        for device, name in homes.items():
            if not isinstance(device, ScriptDevice):
                raise EngineError(f"{name} {MADE_BEFORE}")
            if device.given_up:
                raise EngineError(f"{name} {GIVEN_UP}")
        if len(homes) > 1:
            earlier, later = (homes[device] for device in sorted(homes, key=self._place)[:2])
            raise EngineError(
                f"{later} was made after the results of the run with {earlier} were read, and joins its network. On "
                "the target cpp, make all objects of a network before its results are read, or use the target cython "
                "or numpy."
            )
        return next(iter(homes), active)

    def _place(self, device: ScriptDevice) -> int:
        return self.programs.index(device.program)

    def remember(self, net: Any) -> None:
        """Note what is run."""
        self._unused_seed = None
        self.record.runs(net)

    # ---- random numbers ---------------------------------------------------------------------------------------

    def draw(self) -> int:
        """Another seed, which follows from that of the script and from how many were drawn."""
        self._drawn += 1
        return int(np.random.SeedSequence([self._entropy, self._drawn]).generate_state(1)[0])

    def seeded(self, seed: int | None) -> None:
        """The script calls Brian2's ``seed``."""
        if seed is None:
            seed = self.draw()
        else:
            self._entropy, self._drawn = int(seed), 0
        np.random.seed(seed)  # noqa: NPY002 - Brian2 does so where it simulates in this process
        self.active.device.main_queue.append(("seed", int(seed)))
        self._unused_seed = int(seed)
        self._late_seed = int(seed) if self.active is self.programs[-1] else None

    def seed_to_go_on(self) -> int:
        """The seed of what follows a state that was restored: the one that the script has just given, or another."""
        return self.draw() if self._unused_seed is None else self._unused_seed

    # ---- what a session offers and a script has no use for ------------------------------------------------------

    def _device(self) -> Any:
        return brian_device.active_device

    def _run(self, network: Any, duration: Any, what: str, namespace: dict[str, Any]) -> None:  # noqa: ARG002
        network.run(duration, namespace=namespace)

    def _prepare(self, network: Any, program: Any, point: Any) -> Any:  # noqa: ARG002
        raise EngineError("A script has no sweeps: open a biosnn.session for them.")


def _owner(var: Any, otherwise: Any) -> str:
    try:
        return str(var.owner.name)
    except (ReferenceError, AttributeError):
        return str(otherwise.name)


_running: list[Script] = []


def _in_a_copy() -> None:
    """In a process that a script has made as a copy of itself: it shall not draw the numbers that its parent draws."""
    for script in _running:
        script._entropy = int(np.random.SeedSequence([script._entropy, _copies[0]]).generate_state(1)[0])
        if isinstance(brian_device.active_device, ScriptDevice):
            script.active.device.main_queue.append(("seed", script.draw()))


def _count() -> None:
    _copies[0] += 1


_copies = [2**31]
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_count, after_in_child=_in_a_copy)
