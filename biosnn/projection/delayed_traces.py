"""Presynaptic traces under delays that differ from synapse to synapse.

Each synapse sees a neuron's spikes, and so its trace, as many steps late as its delay is long. What a neuron's trace
has been in the last steps is kept, and a synapse looks it up: one number per neuron and step, not one per synapse.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn.codegen.code_objects import Task
from biosnn.projection.delays import HeterogeneousDelays, SpikeHistory
from biosnn.projection.kinds import INDEX, Indices

# Between the presynaptic traces' own updates and on_post.
_ORDER = 0.5


@dataclass(frozen=True)
class DelayedTraces:
    """Where a synapse finds what it sees of a trace.

    Parameters
    ----------
    step, delays, expected : Variable
        The number of the present step; for each weight its delay in steps; the step that comes next unless there is a
        pause, in which traces stay as they are.
    spike_history : SpikeHistory
        It keeps spikes of as many steps as values are kept.
    neurons : int
        For how many neurons.
    """

    step: Any
    delays: Any
    expected: Any
    spike_history: SpikeHistory
    neurons: int

    @property
    def slots(self) -> int:
        """Of how many steps values are kept."""
        return self.spike_history.slots

    def index(self, weights: Indices, neurons: Indices) -> Indices:
        """On the targets that run in this process: the places to look up, an entry per synapse."""
        steps = int(self.step.get_value().item()) - self.delays.get_value()[weights].astype(np.int64)
        places: Indices = steps % self.slots * self.neurons + neurons
        return places


class Recorder(Task):
    """Keeps the present values of traces, in every step."""

    def __init__(
        self, projection: Any, delayed_traces: DelayedTraces, traces: Mapping[str, tuple[Any, Any]], clock: Any
    ) -> None:
        self.delayed_traces, self.pairs = delayed_traces, list(traces.values())
        needed = {"t_in_timesteps": delayed_traces.step, "_expected": delayed_traces.expected}
        needed["_history"] = delayed_traces.spike_history.history
        for name, (now, kept) in traces.items():
            needed |= {f"_now_{name}": now, f"_kept_{name}": kept}
        kwds = {"delayed_traces": delayed_traces, "pairs": self.pairs}
        at = {"clock": clock, "when": "synapses", "order": _ORDER, "name": f"{projection.name}_late_traces"}
        Task.__init__(self, projection, "record", "biosnn.projection", needed, self.record, kwds, **at)

    def record(self) -> None:
        """Do it, on the targets that run in this process."""
        step, expected = int(self.delayed_traces.step.get_value().item()), self.delayed_traces.expected.get_value()
        # Traces stand still in a pause: the steps that were missed have the present values, too.
        first = max(int(expected.item()), step - self.delayed_traces.slots + 1)
        expected[...] = step + 1
        slots = np.arange(first, step + 1) % self.delayed_traces.slots
        for now, kept in self.pairs:
            values: NDArray[Any] = kept.get_value().reshape(self.delayed_traces.slots, self.delayed_traces.neurons)
            values[slots] = now.get_value()


def look_up(projection: Any, heterogeneous: HeterogeneousDelays, traces: Mapping[str, Any]) -> None:
    """Let the statements of a projection see traces of its source neurons as late as the spikes arrive.

    Parameters
    ----------
    projection : Projection
        Whose statements.
    heterogeneous : HeterogeneousDelays
        The delays, which can be looked up.
    traces : mapping
        The variable of each trace, which has a value for every neuron of the whole source group.
    """
    variables, group = projection.variables, projection.endpoints.whole("pre")
    variables.add_array("_late_expected", size=1, dtype=np.int64)
    history, expected = heterogeneous.spike_history, variables["_late_expected"]
    delayed_traces = DelayedTraces(history.step, heterogeneous.delays, expected, history, len(group))
    pairs = {}
    for name, trace in traces.items():
        kept, kwds = f"_late_{name}", {"dimensions": trace.dim, "dtype": np.dtype(trace.dtype)}
        if projection.drawn is None:
            variables.add_array(kept, size=delayed_traces.slots * delayed_traces.neurons, **kwds)
        else:
            variables.add_dynamic_array(kept, size=0, read_only=True, needs_reference_update=True, **kwds)
            projection.drawn.late.append(kept)
        variables.add_reference(name, projection, kept, index=INDEX)
        pairs[name] = (trace, variables[kept])
    projection.delayed_traces = delayed_traces
    projection.contained_objects.append(Recorder(projection, delayed_traces, pairs, group.clock))
