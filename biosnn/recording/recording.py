"""Spikes that go to a file while a network runs, so that memory does not grow with their number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from brian2 import Quantity, second
from brian2.core.clocks import Clock
from brian2.core.spikesource import SpikeSource
from brian2.core.variables import Variables
from brian2.devices.device import RuntimeDevice, get_device
from brian2.groups.group import Group
from numpy.typing import NDArray

from biosnn.codegen.code_objects import Task
from biosnn.errors import EngineError, ModelError, field_error
from biosnn.inputs import check
from biosnn.recording import chosen, spool, window
from biosnn.recording.trains import SpikeTrains, counts, trains


class SpikeRecording(Group):  # type: ignore[misc]
    """The recorded spikes of a group; made by `record_spikes`.

    Put it into a ``Network`` with its group. What it has recorded can be read when a ``SpikeMonitor`` could be.

    Attributes
    ----------
    source : group
        Whose spikes.
    neurons : array of int
        The neurons that are recorded.
    start, stop : Quantity or None
        From when on, and until when.
    """

    add_to_magic_network = True

    def __init__(self, group: Any, record: Any, start: Any, stop: Any, name: str) -> None:
        where = f"recording {check.plain_name('recording', name)!r}"
        fires = _what_fires(where, group)
        neurons = chosen.neurons(f"{where}, record", group, record)
        start, stop = window.checked(where, start, stop)
        Group.__init__(self, clock=group.clock, when=fires.when, order=fires.order + 1, namespace={}, name=name)
        self.codeobj_class = None
        self._N, self.source, self.neurons, self.start, self.stop = len(neurons), group, neurons, start, stop
        self._spool = spool.Spool() if isinstance(get_device(), RuntimeDevice) else None
        self._windowed = start is not None or stop is not None
        self._dt: float | None = None
        self._steps = 0, window.FOR_EVER
        self._queued: list[tuple[int, int]] = []
        self.variables = variables = Variables(self)
        variables.add_constant("N", value=self._N)
        variables.create_clock_variables(self._clock, prefix="_clock_")
        # The first step that was simulated and the one after the last; numbers of spikes and of marks.
        for each in ("_ran", "_recorded", "_window"):
            variables.add_array(each, size=2, dtype=np.int64, read_only=True)
        self.written_readonly_vars = {variables["_ran"], variables["_recorded"]}
        self._origin = int(getattr(group, "start", 0))
        self._mask = _mask(group, neurons, self._origin)
        self._everybody = len(getattr(group, "source", group)) == self._N and self._mask is None
        if self._mask is not None:
            variables.add_array("_chosen", size=len(self._mask), dtype=bool, values=self._mask, read_only=True)
        self.add_dependency(group)
        self.contained_objects.append(self._writer())
        self._enable_group_attributes()

    def _writer(self) -> Task:
        """What writes the spikes of a time step."""
        variables, spikes = self.variables, self.source.variables["_spikespace"]
        times = variables["_window"] if self._windowed else None
        mask = variables["_chosen"] if self._mask is not None else None
        first, last = (int(self.neurons[end]) + self._origin for end in (0, -1))
        kwds = {"spikes": spikes, "window": times, "chosen": mask, "origin": self._origin}
        kwds |= {"first": first, "last": last + 1, "everybody": self._everybody}
        kwds |= {"recording": self.name, "spikes_file": self._files()[0], "steps_file": self._files()[1]}
        kwds |= {"room": spool.ROOM, "bits": spool.BITS, "most": spool.MOST}
        needed = {name: variables[name] for name in ("_clock_t_in_timesteps", "_ran", "_recorded")}
        needed |= {"_spikes_now": spikes}
        needed |= {var.name: var for var in (times, mask) if var is not None}
        at = {"clock": self.clock, "when": self.when, "order": self.order, "name": f"{self.name}_writer"}
        return Task(self, "record_spikes", "biosnn.recording", needed, self._record, kwds, **at)

    def _files(self) -> tuple[str, str]:
        return f"recorded_{self.name}_spikes", f"recorded_{self.name}_steps"

    # ---- before and while it runs ---------------------------------------------------------------------------------

    def before_run(self, run_namespace: Any) -> None:
        """See that the steps of this run can be told from each other, and from those of runs before.

        Raises
        ------
        EngineError
            If the time step is not what it was, or there are too many.
        """
        dt = float(self.clock.dt_)
        if self._dt is None:
            self._dt = dt
            if self._windowed:
                self._steps = window.steps(self.name, self.start, self.stop, dt)
                self.variables["_window"].set_value(np.array(self._steps))
        if dt != self._dt:
            expected = f"{self._dt * second}, as it began"
            raise EngineError(field_error("time step", expected, dt * second, "Make another recording."))
        begin, end = int(self.clock.variables["timestep"].get_value().item()), int(self.clock._i_end)
        if self._spool is not None:
            before = int(self.variables["_ran"].get_value()[1])
        else:
            before = self._queued[-1][1] if self._queued else 0
        if begin < before:
            expected = f"a run that begins at {before * dt * second} or later, where the one before ended"
            raise EngineError(field_error("time", expected, begin * dt * second, "Make another recording."))
        self._check_number(end)
        self._queued.append((begin, end))
        super().before_run(run_namespace)

    def before_building(self) -> None:
        """See that the runs that a program queues pass through the whole window.

        Raises
        ------
        EngineError
            If they do not.
        """
        if self._queued:
            self._check_window(self._queued[0][0], self._queued[-1][1])

    def _check_window(self, begin: int, end: int) -> None:
        """See that so many steps, from the first to the one after the last, have the whole window among them."""
        if self._windowed and not window.is_within(self._steps, begin, end):
            dt = (self._dt or 0.0) * second
            raise EngineError(
                f"The window of {self.name}, {window.shown(self.start, self.stop)}, is not within what is simulated, "
                f"{window.shown(begin * dt, end * dt)}. Let it be, or leave start and stop out."
            )

    def _check_number(self, steps: int) -> None:
        if steps > spool.MOST_STEPS:
            raise EngineError(field_error(f"time steps of {self.name}", f"at most {spool.MOST_STEPS}", steps))

    def _record(self) -> None:
        """Do it, on the targets that run in this process."""
        assert self._spool is not None
        get = {name: self.variables[name].get_value() for name in ("_ran", "_recorded", "_clock_t_in_timesteps")}
        step, ran = int(get["_clock_t_in_timesteps"].item()), get["_ran"]
        if ran[1] == 0:
            ran[0] = step
        ran[1] = step + 1
        if not self._steps[0] <= step < self._steps[1]:
            return
        space = self.source.variables["_spikespace"].get_value()
        spikes = space[: space[-1]]
        if self._mask is not None:
            spikes = spikes[self._mask[spikes]]
        elif not self._everybody:
            first, last = (self.neurons[end] + self._origin for end in (0, -1))
            spikes = spikes[(spikes >= first) & (spikes <= last)]
        if len(spikes):
            get["_recorded"] += (len(spikes), self._spool.add(step, spikes - self._origin))

    # Network.store and Network.restore, and so the points of these targets.

    def _full_state(self) -> dict[str, Any]:
        kept = {name: (self.variables[name].get_value().copy(), 2) for name in ("_ran", "_recorded")}
        return {**kept, "_spool": self._spool}

    def _restore_from_full_state(self, state: dict[str, Any]) -> None:
        super()._restore_from_full_state({name: value for name, value in state.items() if name != "_spool"})
        # What was read of the spikes since then stays as it was.
        self._spool = state["_spool"].beginning(*self.variables["_recorded"].get_value().tolist())

    # ---- what was recorded ------------------------------------------------------------------------------------------

    @property
    def num_spikes(self) -> int:
        """How many spikes were recorded."""
        return self._numbers()[0]

    @property
    def i(self) -> NDArray[np.int32]:
        """The neuron of each spike: a view of the file, of which only what is looked at is read."""
        return self._read()[0]

    @property
    def t(self) -> Quantity:
        """The time of each spike."""
        _, steps, numbers = self._read()
        return Quantity(np.repeat(self._times(steps), numbers), dim=second.dim, copy=False)

    @property
    def count(self) -> NDArray[np.int64]:
        """How many spikes each of the recorded `neurons` has."""
        return counts(self.i, len(self.source))[self.neurons]

    def trains(self, *, start: Any = None, stop: Any = None) -> SpikeTrains:
        """The times of the spikes of each neuron.

        Parameters
        ----------
        start, stop : Quantity or str, optional
            Only spikes at or after ``start`` and before ``stop``; no others are read.

        Returns
        -------
        SpikeTrains
            A mapping of the recorded neurons to their times.

        Raises
        ------
        ModelError, QuantityError
            If ``start`` or ``stop`` is no time, or ``stop`` not after ``start``.
        EngineError
            If spikes were not recorded all the time from ``start`` to ``stop``.
        """
        start, stop = window.checked(f"{self.name}.trains", start, stop)
        spikes, steps, numbers = self._read()
        if start is not None or stop is not None:
            first, last = np.searchsorted(steps, self._recorded_steps(start, stop))
            ends = np.cumsum(numbers)
            skipped = ends[first - 1] if first else 0
            spikes = spikes[skipped : ends[last - 1] if last else 0]
            steps, numbers = steps[first:last], numbers[first:last]
        return trains(self.neurons, len(self.source), spikes, self._times(steps), numbers)

    def _recorded_steps(self, start: Quantity | None, stop: Quantity | None) -> tuple[int, int]:
        """The steps from one time to another, all of which must have been recorded."""
        begin, end = self.variables["_ran"].get_value().tolist()
        begin, end = max(begin, self._steps[0]), min(end, self._steps[1])
        first, last = window.steps(f"{self.name}.trains", start, stop, self._dt or 1.0)
        steps = begin if start is None else first, last
        if not window.is_within(steps, begin, end):
            expected = window.shown(*(step * (self._dt or 0.0) * second for step in (begin, end)))
            do = f"{self.name} recorded no longer."
            raise EngineError(field_error(f"{self.name}.trains", f"times {expected}", window.shown(start, stop), do))
        return steps

    def _times(self, steps: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.asarray(steps * (self._dt or 0.0), np.float64)

    def _numbers(self) -> tuple[int, int]:
        """How many spikes and marks there are."""
        spikes, marks = self.variables["_recorded"].get_value().tolist()  # runs the program if it is queued
        begin, end = self.variables["_ran"].get_value().tolist()
        self._check_window(begin, end)
        self._check_number(end)
        return spikes, marks

    def _read(self) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int64]]:
        """The neuron of each spike; of each mark, the step and the number of spikes."""
        n_spikes, n_marks = self._numbers()
        if self._spool is not None:
            spikes, marks = self._spool.read(n_spikes, n_marks)
        else:
            folder = Path(self.variables["_recorded"].device.results_dir)
            spikes_file, steps_file = (folder / name for name in self._files())
            spikes = spool.mapped(spikes_file, np.int32, n_spikes, self.name)
            marks = spool.mapped(steps_file, np.int64, n_marks, self.name)
        return spikes, *spool.steps_and_numbers(marks)


def record_spikes(
    group: Any, *, record: Any = True, start: Any = None, stop: Any = None, name: str = "recording*"
) -> SpikeRecording:
    """Record the spikes of a group to a file, so that a long run takes no more memory than a short one.

    Spikes go through a buffer of a megabyte to a file among the temporary ones (``TMPDIR``), at 4 bytes each and 8 for
    each time step in which there are any. The file is gone with the simulation, or with its last reader.

    Parameters
    ----------
    group : NeuronGroup, Subgroup or other group that spikes
        Whose spikes. Those of a subgroup are counted from its first neuron, as ``SpikeMonitor`` does.
    record : True, slice, int, array of int, or Subgroup
        Which neurons of the group; all by default.
    start, stop : Quantity or str, optional
        Spikes at or after ``start`` and before ``stop`` are recorded; by default, all of them.
    name : str
        Its name.

    Returns
    -------
    SpikeRecording
        ``i`` and ``t``, ``count``, ``num_spikes`` and ``trains()``.

    Raises
    ------
    ModelError
        If the group does not spike or has no regular time step; if there is no such neuron, none, or one is named
        twice; if ``stop`` is not after ``start`` or one of them is before 0 s.
    QuantityError
        If ``start`` or ``stop`` is no time.

    Notes
    -----
    What was recorded in a window cannot be read before the network has passed through all of it. On the target ``cpp``,
    a window beyond the runs is refused before anything is compiled.
    """
    return SpikeRecording(group, record, start, stop, name)


def _what_fires(where: str, group: Any) -> Any:
    """What makes the neurons of a group fire, after which they are recorded."""
    if not isinstance(group, SpikeSource) or "_spikespace" not in getattr(group, "variables", ()):
        do = "Has it a threshold?" if hasattr(group, "variables") else ""
        raise ModelError(field_error(f"{where}, group", "a group that spikes", getattr(group, "name", group), do))
    if not isinstance(group.clock, Clock):
        raise ModelError(field_error(where, "a group with a regular time step", group.clock, "Use SpikeMonitor."))
    whole = getattr(group, "source", group)
    thresholder = getattr(whole, "thresholder", {})
    return thresholder.get("spike", whole)


def _mask(group: Any, neurons: NDArray[np.int64], origin: int) -> NDArray[np.bool_] | None:
    """Which neurons of the whole group are recorded, or None if they are some in a row."""
    if np.all(np.diff(neurons) == 1):
        return None
    mask = np.zeros(len(getattr(group, "source", group)), bool)
    mask[neurons + origin] = True
    return mask
