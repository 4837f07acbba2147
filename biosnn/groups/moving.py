"""Traces that leave the neuron, since a delay was set after their synapses were made.

As long as a spike reaches all synapses of a neuron at once, they share its trace (`traces`). Whether it does is known
when a run begins and no sooner: a delay may be set in any of Brian2's ways, before the first run or between two.
Synapses whose spikes are delayed get traces of their own, which continue from the values of the neuron's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from brian2 import Equations, StateMonitor, second
from brian2.codegen.codeobject import create_runner_codeobj
from brian2.core.base import BrianObject
from brian2.devices.device import get_device
from brian2.equations.equations import DIFFERENTIAL_EQUATION
from brian2.groups.group import get_dtype

from biosnn.groups.driven import up_to_date
from biosnn.model import Trace

FIRST = -(2**20)
"""Before all else, when a run is prepared: what is generated for the others depends on where traces live."""


class TraceHome(BrianObject):  # type: ignore[misc]
    """Watches over the traces of one side, and gives them to the synapses when spikes of that side are delayed.

    Parameters
    ----------
    syn : Synapses
        Whose traces.
    side : {"pre", "post"}
        Whose spikes they follow.
    traces : mapping of str to Trace
        The traces that live on neurons.
    companion : NeuronGroup
        The group that holds them there.
    index : str
        How a synapse finds its neuron.
    check : callable
        Refuses traces on synapses where the model does not allow them.
    """

    def __init__(
        self, syn: Any, side: str, traces: Mapping[str, Trace], companion: Any, index: str, check: Callable[[], None]
    ) -> None:
        name = f"{syn.name}_{side}_trace_home"
        BrianObject.__init__(self, clock=syn.clock, when="before_start", order=FIRST, name=name)
        self.syn, self.side, self.traces, self.companion, self.index = syn, side, dict(traces), companion, index
        self.check = check
        self.on_synapses = False
        self._behind = False
        self._step: float | None = None  # that of the last run, after which values are those of its last step

    def before_run(self, run_namespace: Any) -> None:
        """Let the traces move, if they have to."""
        pathway = next((candidate for candidate in self.syn._pathways if candidate.prepost == self.side), None)
        if not self.on_synapses and pathway is not None and _delayed(pathway.variables["delay"]):
            self._move(pathway)
        if self._behind:
            self._take_over(run_namespace)
        self._step = float(self.companion.clock.dt)
        super().before_run(run_namespace)

    # Brian2 keeps the state of a network by these names, as its sweeps on NumPy and Cython do from point to point.

    def _full_state(self) -> dict[str, Any]:
        return {"on_synapses": self.on_synapses and not self._behind, "step": self._step}

    def _restore_from_full_state(self, state: Mapping[str, Any]) -> None:
        self._behind, self._step = self.on_synapses and not state["on_synapses"], state["step"]

    def _move(self, pathway: Any) -> None:
        """Change the texts and variables of the synapses to what they are when synapses have traces of their own."""
        self.check()
        syn = self.syn
        trace_equations = Equations("\n".join(f"{trace.equation} (event-driven)" for trace in self.traces.values()))
        others = [eq for eq in syn.equations.values() if eq.type != DIFFERENTIAL_EQUATION]
        for equation in trace_equations.values():
            name = equation.varname
            for variables in (syn.variables, *(each_pathway.variables for each_pathway in syn._pathways)):
                variables._variables.pop(name, None)
                variables.indices.pop(name, None)
            dtype = get_dtype(equation)
            _add_array(syn, name, dimensions=equation.dim, dtype=dtype)
            syn.variables.add_reference(f"_{name}_of_neuron", self.companion, name, index=self.index)
        if syn.event_driven is None:
            _add_array(syn, "lastupdate", dimensions=second.dim, dtype=syn.variables["t"].dtype)
        for each_pathway in syn._pathways:
            each_pathway.variables.add_references(syn, list(self.traces))
        _show_monitors(syn, list(self.traces))
        # What the synapses had, until these have the values of their neurons (see `_take_over`).
        self._before = syn.event_driven
        syn.event_driven = Equations([*(syn.event_driven or Equations(others)).values(), *trace_equations.values()])
        updates = [trace.on_spike for trace in self.traces.values() if trace.on_spike]
        pathway.code = "\n".join([pathway.code, *updates])
        self.on_synapses = self._behind = True

    def _take_over(self, run_namespace: Any) -> None:
        """Let the traces continue from the values that they have on neurons."""
        # Event-driven variables decay from `lastupdate` on. The values on neurons are those of the last step, which is
        # one step before t; what synapses have had already is brought to that time first, as all share `lastupdate`.
        lines, last = [], ""
        if self._step is not None:
            last = f"clip(t - {self._step!r}*second, 0*second, inf*second)"
            if self._before is not None:
                lines.append(up_to_date(self.syn, f"{last} - lastupdate", self._before))
        elif self._before is None:
            last = "0*second"
        lines += [f"{name} = _{name}_of_neuron" for name in self.traces]
        lines += [f"lastupdate = {last}"] if last else []
        code, name = "\n".join(lines), f"{self.name}_take_over*"
        create_runner_codeobj(
            self.syn, code, "stateupdate", name=name, check_units=False, run_namespace=run_namespace
        )()
        self._behind = False


def _delayed(var: Any) -> bool:
    """Whether spikes of a pathway may come later than in the step in which they arise."""
    device = get_device()
    if not hasattr(device, "main_queue"):
        return bool(np.any(var.get_value()))
    # A program's delays are known when it runs, but what sets them is known now.
    name = re.compile(rf"\b{re.escape(device.get_array_name(var, access_data=False))}\b")
    return any(_sets(function, arguments, var, name) for function, arguments in device.main_queue)


def _sets(function: str, arguments: Any, var: Any, name: re.Pattern[str]) -> bool:
    """Whether an entry of a program's queue may give a variable another value than zero."""
    if function == "run_code_object":
        return any(var is other for other in arguments[0].variables.values())
    if function in ("resize_array", "run_network", "before_run_code_object"):
        return False
    # What is set is known only when the program runs: whatever names the variable counts, but for a plain zero.
    given = arguments if isinstance(arguments, tuple) else (arguments,)
    named = any(isinstance(argument, str) and name.search(argument) for argument in given)
    return named and not (function == "set_by_constant" and isinstance(given[1], int | float) and given[1] == 0)


def _add_array(syn: Any, name: str, **kwds: Any) -> None:
    """Add a variable of which each synapse has a value, to synapses that may have been connected."""
    device = get_device()
    syn.variables.add_dynamic_array(name, size=0, **kwds)
    var = syn.variables[name]
    syn.register_variable(var)
    if hasattr(device, "main_queue"):
        length = f"{device.get_array_name(syn.variables['_synaptic_pre'], access_data=False)}.size()"
        device.resize(var, length)
    else:
        var.resize(len(syn))


def _show_monitors(syn: Any, names: list[str]) -> None:
    """Let monitors made before see the variables that have taken the place of others of the same name."""
    for reference in StateMonitor.__instances__():
        monitor = reference()
        if monitor is None or getattr(monitor.source, "name", None) != syn.name or monitor.source != syn:
            continue
        for name in names:
            if f"_source_{name}" in monitor.variables:
                monitor.variables._variables.pop(f"_source_{name}")
                monitor.variables.indices.pop(f"_source_{name}")
                monitor.variables.add_reference(f"_source_{name}", syn, name, index=syn.variables.indices[name])
