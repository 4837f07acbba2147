"""Traces that depend on the spikes of one side only live on the neuron, not on each of its synapses.

A neuron with a thousand synapses then decays one number instead of a thousand. The values are the same: a companion
group of the same size holds the trace, follows the spikes of its neurons, and the synapses read it through a
reference. The order within a time step is that of `SynapseModel`: ``on_pre``, presynaptic traces, ``on_post``,
postsynaptic traces. Brian2 gives the two pathways the orders -1 and 1 in the slot "synapses".
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from brian2 import NeuronGroup, Synapses
from brian2.equations.equations import DIFFERENTIAL_EQUATION
from brian2.groups.group import CodeRunner
from brian2.utils.stringtools import get_identifiers

from biosnn.codegen.exact import exact
from biosnn.errors import ModelError, field_error
from biosnn.groups.moving import TraceHome
from biosnn.model import SynapseModel, Trace

_ORDER = {"pre": 0, "post": 2}
_INDEX = {"pre": "_presynaptic_idx", "post": "_postsynaptic_idx"}


@dataclass(frozen=True)
class SynapticForm:
    """The texts of a synapse that holds some of its traces itself."""

    equations: str
    on_pre: str
    on_post: str


def on_the_neuron(model: SynapseModel, *, delayed: bool) -> list[str]:
    """The traces that can live on the neuron.

    With a delay, a presynaptic spike reaches each synapse at a time of its own, so that presynaptic traces differ
    from synapse to synapse and stay there.
    """
    sides = {"post"} if delayed else {"pre", "post"}
    # An event-driven equation of the synapse needs the traces that it reads where it is: it is solved with them.
    sides -= {model.traces[name].side for name in read_by(model, "event-driven")}
    return [name for name, trace in model.traces.items() if trace.side in sides]


def read_by(model: SynapseModel, driven: str) -> list[str]:
    """The traces that the synapse's own equations read, those that are "event-driven" or those that are not."""
    used: set[str] = set()
    for name, expression in model.parsed.get_substituted_expressions(include_subexpressions=True):
        equation = model.parsed[name]
        if equation.type != DIFFERENTIAL_EQUATION and "summed" not in equation.flags:
            continue
        if ("event-driven" in equation.flags) == (driven == "event-driven"):
            used |= expression.identifiers
    return [name for name in model.traces if name in used]


def check_moved(model: SynapseModel, moved: Collection[str]) -> None:
    """Refuse traces on synapses, where they are known at spikes only, if an equation reads them at every time step.

    Raises
    ------
    ModelError
        If there are such.
    """
    for name in read_by(model, "clock-driven"):
        if name in moved:
            side = {"pre": "presynaptic", "post": "postsynaptic"}[model.traces[name].side]
            expected = f"{side} spikes without delay, since an equation reads the trace {name} at every time step"
            do = f"Make {name} a (clock-driven) equation of the synapse, raised in its statements."
            raise ModelError(field_error(f"SynapseModel {model.name!r}", expected, "a trace on each synapse", do))


def can_be_late(model: SynapseModel) -> bool:
    """Whether synapses only look at presynaptic traces when the target spikes.

    Then a neuron's trace of some steps ago is all that a synapse with a delay has to know.
    """
    traces = model.traces_of("pre")
    at_other_times = get_identifiers(f"{model.on_pre}\n{model.equations}\n{model.transmits}")
    return bool(traces) and not at_other_times & set(traces) and all(trace.initial == "0" for trace in traces.values())


def synaptic_form(model: SynapseModel, on_neuron: Sequence[str]) -> SynapticForm:
    """The texts of the synapse when the traces ``on_neuron`` live on the neuron, and the others on the synapse."""
    on_synapse = {name: trace for name, trace in model.traces.items() if name not in on_neuron}
    check_moved(model, on_synapse)
    equations = [model.equations, *(f"{trace.equation} (event-driven)" for trace in on_synapse.values())]

    def statements(own_text: str, side: str) -> str:
        updates = [trace.on_spike for trace in on_synapse.values() if trace.side == side]
        return "\n".join(text for text in [own_text, *updates] if text)

    return SynapticForm("\n".join(equations), statements(model.on_pre, "pre"), statements(model.on_post, "post"))


def attach_traces(
    syn: Any,
    model: SynapseModel,
    on_neuron: Sequence[str],
    arriving: Mapping[str, Any] | None = None,
    see: Mapping[str, Callable[[dict[str, Any]], None]] | None = None,
) -> dict[str, Any]:
    """Create the companion groups that hold the traces ``on_neuron``, and let the synapses refer to them.

    A Network takes the companions along with the synapses. ``arriving`` has the list of spikes that a side's traces
    follow, where it is not that of its neurons. ``see`` has what lets the synapses see the variables of a side's
    traces, where it is not a reference to the value of now. Returns the group that holds each trace.
    """
    holders: dict[str, Any] = dict.fromkeys(model.traces, syn)
    for side, source in (("pre", syn.source), ("post", syn.target)):
        traces = {name: trace for name, trace in model.traces_of(side).items() if name in on_neuron}
        if traces:
            companion = _companion(syn, model, side, source, traces, (arriving or {}).get(side))
            syn.contained_objects.append(companion)
            if isinstance(syn, Synapses):
                check = partial(check_moved, model, traces)
                syn.contained_objects.append(TraceHome(syn, side, traces, companion, _INDEX[side], check))
            for name in traces:
                _forget(syn, name)
            if see and side in see:
                see[side]({name: companion.variables[name] for name in traces})
            else:
                for name in traces:
                    syn.variables.add_reference(name, companion, index=_INDEX[side])
            holders.update(dict.fromkeys(traces, companion))
    return holders


def _forget(syn: Any, name: str) -> None:
    """Let a trace come before a variable of the target, which statements see by its bare name too."""
    for variables in (syn.variables, *(pathway.variables for pathway in getattr(syn, "_pathways", ()))):
        variables._variables.pop(name, None)
        variables.indices.pop(name, None)


def _companion(
    syn: Any, model: SynapseModel, side: str, source: Any, traces: Mapping[str, Trace], arriving: Any
) -> NeuronGroup:
    spiking = getattr(source, "source", source)  # a Subgroup's spikes are counted in the group it is cut from
    companion = NeuronGroup(
        len(spiking),
        "\n".join(trace.equation for trace in traces.values()),
        method=exact,
        namespace={},
        clock=spiking.clock,
        name=f"{syn.name}_{side}_traces",
    )
    for name in [*model.parameters, *model.inputs]:
        companion.variables.add_reference(name, syn)
    for name in model.uses:
        variable, _, of = name.rpartition("_")
        if of == side and variable in spiking.variables:
            companion.variables.add_reference(name, spiking, variable)
    spikes = spiking.variables["_spikespace"] if arriving is None else arriving
    companion.variables._variables["_arriving"] = spikes
    companion.variables.indices["_arriving"] = "0"
    follower = CodeRunner(
        companion,
        "reset",  # Brian2's template for "run these statements for each neuron that has just spiked"
        code="\n".join(trace.on_spike for trace in traces.values() if trace.on_spike),
        clock=spiking.clock,
        when="synapses",
        order=_ORDER[side],
        name=f"{companion.name}_on_spike",
        needed_variables=["_arriving"],
        template_kwds={"eventspace_variable": spikes},
    )
    companion.contained_objects.append(follower)
    return companion
