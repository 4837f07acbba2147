"""Spikes that arrive later: the spikes of the last steps are kept, not an entry for each synapse that waits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from brian2 import Quantity, second
from numpy.typing import NDArray

from biosnn.codegen.code_objects import Task
from biosnn.errors import ModelError, field_error
from biosnn.projection.kinds import Fit, Indices
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
    delay, slots : int
        In steps.
    """

    step: Any
    spikes: Any
    history: Any
    delayed: Any
    expected: Any
    size: int
    delay: int
    slots: int

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
    shortest, longest : int
        Of the delays, in steps.
    delays : Variable or None
        For each weight its delay in steps, in one byte or two.
    order, starts : Variable or None
        Where a neuron's synapses are a row of the weights: the row's places, those of the shortest delay first, and for
        each row and delay where in the order it begins. So the synapses of one delay are found without a search.
    """

    spike_history: SpikeHistory
    shortest: int
    longest: int
    delays: Any = None
    order: Any = None
    starts: Any = None

    @property
    def needed(self) -> dict[str, Any]:
        """What a code object has to know of it."""
        variables = {"t_in_timesteps": self.spike_history.step, "_history": self.spike_history.history}
        arrays = {"_delays": self.delays, "_order": self.order, "_starts": self.starts}
        return variables | {name: var for name, var in arrays.items() if var is not None}

    def arriving(self, fit: Fit, neuron: int, age: int) -> tuple[Indices, Indices]:
        """The synapses that a neuron's spike of this age reaches now: their weights and targets."""
        if self.order is None:
            weights, targets = fit.outgoing(neuron)
            now = self.delays.get_value()[weights] == age
            return weights[now], targets[now]
        # For each row as many starts as there are delays, and one more: where the last delay ends.
        row, places = fit.shape[1], self.longest - self.shortest + 2
        first, last = self.starts.get_value()[neuron * places + age - self.shortest :][:2]
        targets = self.order.get_value()[neuron * row + first : neuron * row + last].astype(np.int64)
        return neuron * row + targets, targets


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
    where = f"{projection.where}, delay of {name!r}"
    in_steps = steps(where, delay, projection.endpoints.whole(side).clock.dt)
    if in_steps.ndim == 0:
        longest = int(in_steps)
        return Arrivals(_spike_history(projection, name, side, longest, longest).delayed if longest else now)
    return Arrivals(now, _heterogeneous(projection, where, name, side, in_steps, lookup))


def _spike_history(projection: Any, name: str, side: str, longest: int, delay: int | None) -> SpikeHistory:
    """Keep the spikes of the last steps, and hand out those of ``delay`` steps ago if it is one for all."""
    group, slots, variables = projection.endpoints.whole(side), longest + 1, projection.variables
    size, clock = len(group) + 1, group.clock
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
        slots,
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
    spike_history = _spike_history(projection, name, side, int(in_steps.max()), None)
    shortest, longest = int(in_steps.min()), int(in_steps.max())
    arrays: dict[str, NDArray[Any]] = {}
    if projection.fit.rows:
        arrays |= _by_delay(in_steps, shortest, longest)
    if lookup or not projection.fit.rows:
        arrays["delays"] = in_steps.reshape(-1).astype(np.int8 if longest <= np.iinfo(np.int8).max else np.int16)
    for what, values in arrays.items():
        fixed = {"constant": True, "read_only": True}
        projection.variables.add_array(f"_{what}_{name}", len(values), values=values, dtype=values.dtype, **fixed)
    return HeterogeneousDelays(
        spike_history, shortest, longest, **{what: projection.variables[f"_{what}_{name}"] for what in arrays}
    )


def _by_delay(in_steps: NDArray[np.int64], shortest: int, longest: int) -> dict[str, NDArray[Any]]:
    """Each row's places in the order of their delays, and where in it each delay begins."""
    order = np.argsort(in_steps, axis=1, kind="stable")
    counts = np.stack([np.bincount(row - shortest, minlength=longest - shortest + 1) for row in in_steps])
    starts = np.concatenate([np.zeros((len(in_steps), 1), dtype=np.int64), np.cumsum(counts, axis=1)], axis=1)
    narrow = np.int16 if in_steps.shape[1] <= np.iinfo(np.int16).max else np.int32
    # Some more at the end, since the C++ template reads the order in steps of this length.
    padded = np.append(order.reshape(-1), np.zeros(_STRIDE, dtype=np.int64)).astype(narrow)
    return {"order": padded, "starts": starts.reshape(-1).astype(np.int32)}
