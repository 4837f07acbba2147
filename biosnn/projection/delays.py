"""Spikes that arrive later: the spikes of the last steps are kept, not an entry for each synapse that waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from brian2 import Quantity, second
from numpy.typing import NDArray

from biosnn.codegen.code_objects import Task
from biosnn.errors import ModelError, QuantityError, field_error
from biosnn.projection.kinds import Fit, Indices, Kind
from biosnn.projection.sparse import Sparse
from biosnn.quantity import check_dimension, parse_quantity

LONGEST = np.iinfo(np.int16).max
_STRIDE = 32
"""As in ``templates/cpp/dense.cpp``."""


def steps(where: str, delay: Any, dt: Quantity) -> NDArray[np.int64]:
    """Delays as whole numbers of time steps, rounded as Brian2 rounds them.

    Raises
    ------
    ModelError
        If a delay is no time, is negative, or is longer than 32767 steps.
    """
    delay = _times(where, delay)
    check_dimension(where, delay, second)
    # As Brian2 does; np.rint would take halves to the even neighbour.
    in_steps = np.floor(np.asarray(delay / dt, dtype=float) + 0.5)
    if np.any(np.isnan(in_steps)):
        raise ModelError(field_error(where, "a time", "NaN"))
    if np.any(in_steps < 0):
        raise ModelError(field_error(where, "no negative delay", np.min(delay)))
    if np.max(in_steps, initial=0) > LONGEST:
        raise ModelError(field_error(where, f"at most {LONGEST} steps of {dt}", np.max(delay)))
    return in_steps.astype(np.int64)


def sorted_by(where: str, kind: Kind, delay: Any, dt: Quantity) -> Kind:
    """A kind, its synapses in the order of their delays where it has lists and there is an array of delays."""
    several = list(delay.values()) if isinstance(delay, Mapping) else [delay]
    arrays = [each for each in several if each is not None and not isinstance(each, str) and np.ndim(each) > 0]
    if not isinstance(kind, Sparse) or not arrays:
        return kind
    in_steps = steps(where, arrays[0], dt)
    if in_steps.shape != kind.indices.shape:
        expected = f"one delay or an array of shape {kind.indices.shape}"
        raise ModelError(field_error(where, expected, f"shape {in_steps.shape}"))
    return kind.by_delay(in_steps)


def _times(where: str, delay: Any) -> Quantity:
    if isinstance(delay, str):
        return parse_quantity(delay, second)
    try:
        return Quantity(delay)
    except (TypeError, ValueError):
        raise ModelError(field_error(where, "a time such as 2*ms, or an array of them", delay)) from None


@dataclass
class SpikeHistory:
    """The spikes of a group in the last steps, and those of ``delay`` steps ago.

    Parameters
    ----------
    step, spikes, history, delayed, expected : Variable
        The number of the present step; the group's spikes in it; those of the last ``slots`` steps, round and round;
        those of ``delay`` steps ago, in the form that spikes have everywhere in Brian2 (indices, and their number at
        the end), or None where delays differ from synapse to synapse; the step that comes next unless there is a pause,
        after which nothing is known of the steps in between.
    size : int
        Length of a list of spikes.
    delay : int
        In steps.
    fixed_slots : int
        How many steps are kept; 0 where delays are drawn, so that it depends on them.
    """

    step: Any
    spikes: Any
    history: Any
    delayed: Any
    expected: Any
    size: int
    delay: int
    fixed_slots: int

    @property
    def slots(self) -> int:
        """How many steps are kept."""
        return self.fixed_slots or len(self.history.get_value()) // self.size

    def __call__(self) -> None:
        """Do it, on the targets that run in this process."""
        now, expected = int(self.step.get_value().item()), self.expected.get_value()
        # The slot of a step that was missed, as in a pause, still holds the spikes of a whole round before.
        for missed in range(max(int(expected.item()), now - self.slots + 1), now):
            self._slot(now - missed)[-1] = 0
        expected[...] = now + 1
        self._slot(0)[:] = self.spikes.get_value()
        if self.delayed is not None:
            self.delayed.get_value()[:] = self.ago(self.delay)

    def ago(self, age: int) -> NDArray[np.int32]:
        """The list of spikes of some steps ago."""
        now = int(self.step.get_value().item())
        return self._slot(age) if age <= now else np.zeros(self.size, dtype=np.int32)

    def lively(self, shortest: int, longest: int) -> list[int]:
        """The ages, of those between two (included), of which there are spikes."""
        counts = self.history.get_value().reshape(self.slots, self.size)[:, -1]  # a list ends with its length
        now = int(self.step.get_value().item())
        ages = np.arange(shortest, min(longest, now) + 1)
        return [int(age) for age in ages[counts[(now - ages) % self.slots] > 0]]

    def _slot(self, age: int) -> NDArray[np.int32]:
        slot = (int(self.step.get_value().item()) - age) % self.slots
        spikes: NDArray[np.int32] = self.history.get_value().reshape(self.slots, self.size)[slot]
        return spikes


@dataclass(frozen=True)
class HeterogeneousDelays:
    """Delays that differ from synapse to synapse: spikes of which ages are looked through, and for which synapses.

    Parameters
    ----------
    spike_history : SpikeHistory
        The spikes of the last steps.
    fixed_bounds : (int, int) or None
        The shortest and the longest delay, in steps; None where they are drawn.
    bounds : Variable or None
        What holds them then.
    delays : Variable or None
        For each weight its delay in steps, in one byte or two.
    order : Variable or None
        Where a neuron's synapses are a row of the weights that is not sorted: the row's places, those of the shortest
        delay first.
    starts : Variable or None
        For each row and delay, where in the order, or in the row itself if there is none, the synapses of the delay
        begin. So they are found without a search.
    """

    spike_history: SpikeHistory
    fixed_bounds: tuple[int, int] | None
    bounds: Any = None
    delays: Any = None
    order: Any = None
    starts: Any = None

    @property
    def shortest(self) -> int:
        """The shortest delay, in steps."""
        return int((self.fixed_bounds or self.bounds.get_value())[0])

    @property
    def longest(self) -> int:
        """The longest delay, in steps."""
        return int((self.fixed_bounds or self.bounds.get_value())[1])

    @property
    def needed(self) -> dict[str, Any]:
        """What a code object has to know of it."""
        variables = {"t_in_timesteps": self.spike_history.step, "_history": self.spike_history.history}
        arrays = {"_delays": self.delays, "_order": self.order, "_starts": self.starts, "_bounds": self.bounds}
        return variables | {name: var for name, var in arrays.items() if var is not None}

    def arriving(self, fit: Fit, neuron: int, age: int) -> tuple[Indices, Indices]:
        """The synapses that a neuron's spike of this age reaches now: their weights and targets."""
        weights, targets = fit.outgoing(neuron)
        if self.starts is None:
            now = self.delays.get_value()[weights] == age
            return weights[now], targets[now]
        # For each row as many starts as there are delays, and one more: where the last delay ends.
        places = self.longest - self.shortest + 2
        first, last = self.starts.get_value()[neuron * places + age - self.shortest :][:2]
        if self.order is None:
            return weights[first:last], targets[first:last]
        row = fit.shape[1]
        here = self.order.get_value()[neuron * row + first : neuron * row + last].astype(np.int64)
        return weights[here], targets[here]


@dataclass(frozen=True)
class Arrivals:
    """When spikes arrive at the synapses of a projection.

    Parameters
    ----------
    spikes : Variable
        The list of those that arrive in the present step, or, where delays differ, of those sent in it.
    heterogeneous : HeterogeneousDelays or None
        Delays that differ from synapse to synapse.
    """

    spikes: Any
    heterogeneous: HeterogeneousDelays | None = None


class SpikeRecorder(Task):
    """Runs a `SpikeHistory` in every step, before the pathways that it serves."""

    def __init__(self, projection: Any, spike_history: SpikeHistory, clock: Any, name: str) -> None:
        self.spike_history = spike_history
        needed = {
            "t_in_timesteps": spike_history.step,
            "_spikes_now": spike_history.spikes,
            "_history": spike_history.history,
        }
        needed["_expected"] = spike_history.expected
        if spike_history.delayed is not None:
            needed["_delayed"] = spike_history.delayed
        at = {"clock": clock, "when": "synapses", "order": -2, "name": name}
        Task.__init__(
            self,
            projection,
            "spike_history",
            "biosnn.projection",
            needed,
            spike_history,
            {"spike_history": spike_history},
            **at,
        )
        self._where, self._dt = projection.where, float(clock.dt)

    def before_run(self, run_namespace: Any) -> None:
        """Make sure that the steps counted are still those of the clock."""
        if float(self.clock.dt) != self._dt:
            do = "Set the time step before the projection is made."
            raise ModelError(field_error(self._where, f"delays in steps of {self._dt * second}", self.clock.dt, do))
        super().before_run(run_namespace)


def arrivals(projection: Any, name: str, side: str, delay: Any = None, *, lookup: bool = False) -> Arrivals:
    """When the spikes of one side arrive at the synapses of a projection.

    Parameters
    ----------
    projection : Projection
        Which gets what has to run for it.
    name : str
        Of the pathway that the spikes will take.
    side : {"pre", "post"}
        Whose spikes.
    delay : Quantity, optional
        One for all synapses or, for "pre", an array of the natural shape of a weight.
    lookup : bool
        Whether the delay of any one synapse will be asked for, as late traces do.

    Returns
    -------
    Arrivals

    Raises
    ------
    ModelError
        If the delay does not fit.
    """
    now = projection.endpoints.spikes(side)
    if delay is None:
        return Arrivals(now)
    if projection.drawn is not None and side == "pre":
        if isinstance(delay, str) and not _is_a_time(delay) and not projection.kind.stored:
            where = f"{projection.where}, delay of {name!r}"
            raise ModelError(field_error(where, "one delay for all synapses that are not stored", delay))
        if projection.kind.stored:
            return Arrivals(now, _drawn(projection, name, delay, lookup))
    where = f"{projection.where}, delay of {name!r}"
    in_steps = steps(where, delay, projection.endpoints.whole(side).clock.dt)
    if in_steps.ndim == 0:
        longest = int(in_steps)
        return Arrivals(_spike_history(projection, name, side, longest, longest).delayed if longest else now)
    return Arrivals(now, _heterogeneous(projection, where, name, side, in_steps, lookup))


def _spike_history(projection: Any, name: str, side: str, longest: int | None, delay: int | None) -> SpikeHistory:
    """Keep the spikes of the last steps, and hand out those of ``delay`` steps ago if it is one for all."""
    group, slots, variables = projection.endpoints.whole(side), (longest or 0) + 1, projection.variables
    size, clock = len(group) + 1, group.clock
    if longest is not None:  # else it is there, and as long as the delays that will be drawn need it
        variables.add_array(f"_history_{name}", size=slots * size, dtype=np.int32)
    variables.add_array(f"_expected_{name}", size=1, dtype=np.int64)
    if delay is not None:
        variables.add_array(f"_delayed_{name}", size=size, dtype=np.int32)
    spike_history = SpikeHistory(
        clock.variables["timestep"],
        projection.endpoints.spikes(side),
        variables[f"_history_{name}"],
        variables[f"_delayed_{name}"] if delay is not None else None,
        variables[f"_expected_{name}"],
        size,
        delay or 0,
        slots if longest is not None else 0,
    )
    projection.contained_objects.append(
        SpikeRecorder(projection, spike_history, clock, f"{projection.name}_{name}_delay")
    )
    return spike_history


def _heterogeneous(
    projection: Any, where: str, name: str, side: str, in_steps: NDArray[np.int64], lookup: bool
) -> HeterogeneousDelays:
    if side == "post" or projection.kind.sums:
        raise ModelError(field_error(where, "one delay for all synapses", f"an array of shape {in_steps.shape}"))
    shape = projection.fit.shape
    if in_steps.shape != shape:
        raise ModelError(field_error(where, f"one delay or an array of shape {shape}", f"shape {in_steps.shape}"))
    longest = int(in_steps.max(initial=0))
    shortest = int(in_steps.min(initial=longest))
    spike_history = _spike_history(projection, name, side, longest, None)
    arrays: dict[str, NDArray[Any]] = {}
    if projection.fit.rows:
        arrays |= _by_delay(in_steps, shortest, longest)
    elif "indptr" in projection.fit.arrays:
        in_steps = projection.fit.stored(in_steps)
        arrays |= _of_lists(projection.fit.arrays["indptr"], in_steps, shortest, longest)
    if lookup or not arrays:
        arrays["delays"] = in_steps.reshape(-1).astype(np.int8 if longest <= np.iinfo(np.int8).max else np.int16)
    for what, values in arrays.items():
        fixed = {"constant": True, "read_only": True}
        projection.variables.add_array(f"_{what}_{name}", len(values), values=values, dtype=values.dtype, **fixed)
    return HeterogeneousDelays(
        spike_history,
        (shortest, longest),
        **{what: projection.variables[f"_{what}_{name}"] for what in arrays},
    )


def _drawn(projection: Any, name: str, delay: Any, lookup: bool) -> HeterogeneousDelays:
    """One time, or an expression for each synapse, which is worked out when synapses are drawn."""
    where = f"{projection.where}, delay of {name!r}"
    if not isinstance(delay, str) or _is_a_time(delay):
        delay = _times(where, delay)
        if delay.shape != ():
            do = 'Give an expression, such as "1*ms + 0.5*ms*rand()": synapses are drawn when a run begins.'
            raise ModelError(field_error(where, "one delay or an expression", f"shape {delay.shape}", do))
        steps(where, delay, projection.endpoints.whole("pre").clock.dt)
    projection.drawn.delay_by(name, delay, lookup=lookup)
    variables = projection.variables
    spike_history = _spike_history(projection, name, "pre", None, None)
    delays = variables[f"_list_delays_{name}"] if lookup else None
    return HeterogeneousDelays(
        spike_history, None, variables[f"_range_{name}"], delays, starts=variables[f"_list_starts_{name}"]
    )


def _is_a_time(text: str) -> bool:
    try:
        parse_quantity(text, second)
    except QuantityError:
        return False
    return True


def _by_delay(in_steps: NDArray[np.int64], shortest: int, longest: int) -> dict[str, NDArray[Any]]:
    """Each row's places in the order of their delays, and where in it each delay begins."""
    sources, row = in_steps.shape
    order = np.argsort(in_steps, axis=1, kind="stable")
    indptr = np.arange(sources + 1) * row
    starts = start_of_each_delay(indptr, np.repeat(np.arange(sources), row), in_steps.reshape(-1), shortest, longest)
    narrow = np.int16 if row <= np.iinfo(np.int16).max else np.int32
    # Some more at the end, since the C++ template reads the order in steps of this length.
    padded = np.append(order.reshape(-1), np.zeros(_STRIDE, dtype=np.int64)).astype(narrow)
    return {"order": padded, "starts": starts.reshape(-1)}


def _of_lists(
    indptr: NDArray[Any], in_steps: NDArray[np.int64], shortest: int, longest: int
) -> dict[str, NDArray[Any]]:
    """Where in the list of each source each delay begins, if the list is in the order of these delays."""
    sources = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    if np.any((np.diff(in_steps) < 0) & (np.diff(sources) == 0)):
        return {}
    return {"starts": start_of_each_delay(indptr, sources, in_steps, shortest, longest).reshape(-1)}


def start_of_each_delay(
    indptr: Indices, sources: Indices, in_steps: Indices, shortest: int, longest: int
) -> NDArray[np.int32]:
    """Where, among the synapses of each source in the order of their delays, those of each delay begin.

    Returns
    -------
    array of int, shape (sources, delays + 1)
        The last column is where those of the longest delay end.
    """
    n_source, n_delay = len(indptr) - 1, longest - shortest + 1
    counts = np.bincount(sources * n_delay + in_steps - shortest, minlength=n_source * n_delay)
    starts = np.zeros((n_source, n_delay + 1), dtype=np.int32)
    np.cumsum(counts.reshape(n_source, n_delay), axis=1, out=starts[:, 1:])
    return starts
