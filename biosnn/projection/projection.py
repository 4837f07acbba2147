"""A projection: synapses between two groups whose indices follow from a rule, with statements as in ``Synapses``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
from brian2 import Equations, Quantity, Subgroup, second
from brian2.core.names import find_name
from brian2.core.variables import Subexpression, Variables
from brian2.equations.equations import SUBEXPRESSION
from brian2.groups.group import Group, get_dtype
from brian2.synapses.synapses import StateUpdater
from brian2.utils.stringtools import get_identifiers

from biosnn.codegen.code_objects import check_words
from biosnn.codegen.divisible import written
from biosnn.codegen.exact import method_named
from biosnn.codegen.half_made import made_whole
from biosnn.errors import ModelError, field_error, unknown
from biosnn.projection import delays
from biosnn.projection.check import check_carried, check_statements
from biosnn.projection.clear import Clear
from biosnn.projection.delayed_traces import DelayedTraces
from biosnn.projection.delays import Arrivals
from biosnn.projection.endpoints import Endpoints
from biosnn.projection.equations import METHODS, check_equations, parse, split
from biosnn.projection.kinds import CHANGE, INDEX, Kind
from biosnn.projection.pathway import Pathway, gate_of
from biosnn.projection.random.connect import Connect
from biosnn.projection.random.drawn import Drawn
from biosnn.projection.random.kinds import RandomKind
from biosnn.projection.values import SynapticValues
from biosnn.quantity import check_dimension

Statements: TypeAlias = str | Mapping[str, str] | None
_TAKEN = {"j", "fit", "delayed_traces", "pathways", "equations", "event_driven", "lastupdate", "contained_objects"}
_TAKEN |= {"drawn", "synaptic", "kind", "endpoints"} | set(dir(Group))
"""Names that a variable of synapses cannot have, since a projection has them."""
_MEMORY = ("_history_", "_counts_", "_largest_")
"""How names of arrays begin that hold what spikes have left behind, and what has not arrived."""


class Projection(SynapticValues):
    """Synapses between two groups, without an index, a queue entry or a trace for each of them.

    It is a Brian2 group: put it into a ``Network``, and read and set its variables by name. ``projection["w"]`` is
    such a variable in its natural shape; ``projection.w`` is the same, flat.

    Within a time step, spikes are gone through one after another in the order of their neurons, and each changes all
    of its synapses at once.

    Parameters
    ----------
    source, target : NeuronGroup, PoissonGroup, SpikeGeneratorGroup or Subgroup
        Where spikes come from and where they go.
    kind : Kind
        What connects to what.
    weights : Quantity or array, optional
        Makes a variable ``w`` of this dimension and sets it: an array of the kind's natural shape, or one value for
        all synapses, which then takes no memory. By default the kind's own weight, where it has one. Of drawn synapses
        with weights of their own, declare them in ``model`` and set them to an expression.
    model : str
        More variables of the synapses, as equations in the form of ``Synapses``: parameters, which may be (shared)
        or (constant), subexpressions, and differential equations, (clock-driven) or (event-driven).
    on_pre, on_post : str or mapping of str to str
        Statements that run for each synapse of a source (target) neuron that spikes; several by name.
    delay : Quantity, str or mapping of str to these, optional
        From a spike to the statements it runs: one for all synapses, or for ``on_pre`` an array of the natural shape
        of a weight, which takes a few bytes per weight (docs/projections.md), or where synapses are drawn an
        expression. For several statements, by their name. The names of single ones are "pre" and "post".
    method : str, optional
        How clock-driven equations are integrated.
    namespace : mapping, optional
        Constants and functions that statements use.
    name : str
        Its name.

    Raises
    ------
    ModelError
        If groups, weights or delays do not fit the kind; if a statement has an unknown name or wrong units, writes to
        what is constant or shared, or its result would depend on the order of the synapses.
    """

    add_to_magic_network = True  # of a script; a session has explicit networks

    @made_whole
    def __init__(
        self,
        source: Any,
        target: Any,
        kind: Kind,
        weights: Any = None,
        *,
        model: str = "",
        on_pre: Statements = None,
        on_post: Statements = None,
        delay: Any = None,
        method: str | None = None,
        namespace: Mapping[str, Any] | None = None,
        name: str = "projection*",
    ) -> None:
        where = f"Projection {name.rstrip('*')!r}"
        if not isinstance(kind, Kind):
            raise ModelError(field_error(f"{where}, kind", "a kind such as Dense()", kind))
        self.endpoints = Endpoints.of(where, source, target)
        kind = delays.sorted_by(f"{where}, delay", kind, delay, self.endpoints.whole("pre").clock.dt)
        self.kind, self.fit = kind, kind.fit(len(source), len(target))
        Group.__init__(
            self, clock=self.endpoints.whole("pre").clock, when="synapses", namespace=dict(namespace or {}), name=name
        )
        self.where = f"Projection {self.name!r}"
        self.source, self.target = source, target
        weights = kind.weight if weights is None else weights
        weights = weights if weights is None else self._given(weights)
        own = {"delay", *kind.numbers, *kind.provides} if isinstance(kind, RandomKind) else set()
        own |= {CHANGE} if kind.carried else set()
        known = parse(self.where, model, weights, _TAKEN | own | set(vars(self)))
        check_words(f"{self.where}, model", known.names)
        self.event_driven, self.equations = split(self.where, kind, known)
        self.delayed_traces: DelayedTraces | None = None
        self.drawn: Drawn | None = None
        self.synaptic: list[str] = []
        self._add_variables(known)
        check_equations(self, known, method)
        self.pathways: dict[str, Pathway] = {}
        self._enable_group_attributes()
        if weights is not None:
            self["w"] = weights
        if self.equations.diff_eq_names:
            updater = StateUpdater(self, method_named(method) or METHODS, clock=self._clock, order=0)
            self.contained_objects.append(updater)
        self._add_pathways(on_pre, on_post, delay)

    # ---- variables --------------------------------------------------------------------------------------------

    def _add_variables(self, equations: Equations) -> None:
        self.variables = variables = Variables(self)
        variables.create_clock_variables(self._clock)
        if isinstance(self.kind, RandomKind):
            self.drawn = Drawn(self)
            self.fit = replace(self.fit, outgoing=self.drawn.outgoing, incoming=self.drawn.arriving)
            self.contained_objects.append(Connect(self.drawn))
        else:
            variables.add_constant("N", int(np.prod(self.fit.shape, dtype=np.int64)))
        for index in ("i", "j", *([CHANGE] if self.kind.carried else [])):
            variables.add_auxiliary_variable(index, dtype=np.int32)
        for index in ("_presynaptic_idx", "_postsynaptic_idx", INDEX):
            variables.add_auxiliary_variable(index, dtype=np.int32)
        for equation in equations.values():
            shared = "shared" in equation.flags
            kwds = {"dimensions": equation.dim, "dtype": get_dtype(equation), "scalar": shared}
            if equation.type == SUBEXPRESSION:
                variables.add_subexpression(equation.varname, expr=str(equation.expr), **kwds)
            else:
                self._add_array(equation.varname, constant="constant" in equation.flags, **kwds)
        self._add_lists(self.fit.arrays)
        if self.event_driven:
            self._add_array("lastupdate", scalar=False, dimensions=second.dim, dtype=np.float64)
        for side, suffixes in (("pre", ["_pre"]), ("post", ["_post", ""])):
            self._refer_to(side, suffixes)
        if self.drawn is not None:
            self.drawn.check_chance()

    def _add_array(self, name: str, *, scalar: bool, **kwds: Any) -> None:
        """Add a variable that has a value for all synapses, or one for each weight."""
        if scalar:
            self.variables.add_array(name, size=1, scalar=True, index="0", **kwds)
            return
        self.synaptic.append(name)
        if self.drawn is None:
            self.variables.add_array(name, size=int(self.variables["N"].value), **kwds)
        elif self.drawn.computed:
            self.variables.add_auxiliary_variable(name, dimensions=kwds["dimensions"], dtype=kwds["dtype"])
            self.drawn.begin_with_zero(name)
        else:  # it gets its length when synapses are drawn
            kwds["needs_reference_update"] = not kwds.get("constant", False)
            self.variables.add_dynamic_array(name, size=0, **kwds)

    def _add_lists(self, arrays: Mapping[str, Any]) -> None:
        for name, array in arrays.items():
            if f"_list_{name}" not in self.variables:
                fixed = {"constant": True, "read_only": True}
                self.variables.add_array(f"_list_{name}", size=array.size, values=array, dtype=array.dtype, **fixed)

    def lists(self, side: str) -> dict[str, Any]:
        """The variables that hold the kind's arrays, those that statements of this side need."""
        if side == "post":
            if self.drawn is not None:
                self.drawn.need_incoming()
            incoming = dict(self.fit.incoming_arrays())
            if incoming and self.delayed_traces is not None:
                in_steps = self.delayed_traces.delays.get_value()
                incoming["in_delays"] = in_steps[incoming["in_synapses"][: len(in_steps)]]
            self._add_lists(incoming)
        if side == "" and self.drawn is not None:
            self.drawn.regular = self.delayed_traces is not None
        names = [name for name in self.variables if name.startswith("_list_")]
        return {name: self.variables[name] for name in names if side == "post" or not name.startswith("_list_in_")}

    @property
    def written_readonly_vars(self) -> set[Any]:
        """What a program fills though nobody can set it, so that Brian2 does not take it to be as it was made."""
        return set() if self.drawn is None else {self.variables[name] for name in self.drawn.own_variables}

    def changed(self) -> set[str]:
        """The variables of the synapses that statements or equations change."""
        texts = [obj.statements for obj in self.contained_objects if isinstance(obj, Pathway)]
        names = {
            *self.equations.diff_eq_names,
            *self.event_driven.names,
            *(name for text in texts for name in written(text)),
        }
        return names & set(self.synaptic)

    def _refer_to(self, side: str, suffixes: list[str]) -> None:
        """Let statements see the variables of a group."""
        group = self.endpoints.whole(side)
        for name, var in group.variables.items():
            if name.startswith("_") or name in ("t", "dt", "t_in_timesteps", "i", "N"):
                continue
            index = "0" if getattr(var, "scalar", False) else f"_{side}synaptic_idx"
            if index != "0" and group.variables.indices[name] != group.variables.default_index:
                continue  # it has an index of its own in that group
            for suffix in suffixes:
                self.variables.add_reference(name + suffix, group, name, index=index)

    # ---- what runs --------------------------------------------------------------------------------------------

    def _add_pathways(self, on_pre: Statements, on_post: Statements, delay: Any) -> None:
        wanted: dict[str, tuple[str, str]] = {}
        for side, given in (("pre", on_pre), ("post", on_post)):
            texts = list(given.values()) if isinstance(given, Mapping) else [given]
            if not all(isinstance(text, str) for text in texts if text is not None):
                expected = "statements as text, or several by name"
                raise ModelError(field_error(f"{self.where}, on_{side}", expected, given))
            named = {side: given} if isinstance(given, str) else dict(given or {})
            twice = sorted(set(named) & set(wanted))
            if twice:
                raise ModelError(f"{self.where}: both on_pre and on_post have the name {twice[0]!r}.")
            for name in named:
                if not isinstance(name, str) or not name.isidentifier():
                    raise ModelError(field_error(f"{self.where}, on_{side}", "names of pathways as identifiers", name))
            wanted |= {name: (side, code) for name, code in named.items()}
        late = dict(delay) if isinstance(delay, Mapping) else {} if delay is None else {"pre": delay}
        for name in late:
            if name not in wanted:
                raise ModelError(f"{self.where}, delay: " + unknown("pathway", name, list(wanted)))
        for name, (side, code) in wanted.items():
            self.add_pathway(name, side, code, delays.arrivals(self, name, side, late.get(name)))

    def add_pathway(self, name: str, side: str, code: str, arrivals: Arrivals, **when: Any) -> None:
        """Let statements run for each synapse at which a spike arrives.

        Parameters
        ----------
        name : str
            Of the pathway.
        side : {"pre", "post"}
            Whose spikes run them.
        code : str
            The statements.
        arrivals : Arrivals
            At which time steps.
        **when
            ``when`` and ``order`` within a step; by default those of ``Synapses``.

        Raises
        ------
        ModelError
            If the statements are not well formed (see `Projection`).
        """
        where = f"{self.where}, on_{side}" + (f" {name!r}" if name != side else "")
        if side not in self.kind.sides:
            kind = type(self.kind).__name__
            raise ModelError(field_error(where, f"on_pre only: {kind} takes the spikes of its source", code))
        check_statements(self, where, code, side, self.namespace)
        late = arrivals != Arrivals(self.endpoints.spikes(side))
        check_carried(self, where, code, side, late=late)
        when |= {"clock": self.endpoints.whole(side).clock, "name": f"{self.name}_{name}"}
        gate = gate_of(self, name)
        self.pathways[name] = Pathway(self, code, side, arrivals.spikes, arrivals.heterogeneous, gate, **when)
        self.contained_objects.append(self.pathways[name])

    def run_regularly(
        self,
        code: str,
        dt: Quantity | None = None,
        clock: Any = None,
        when: str = "start",
        order: int = 0,
        name: str | None = None,
        codeobj_class: Any = None,
    ) -> Any:
        """Run statements at regular times, for every synapse or for every weight. Sums onto neurons are statements too.

        Parameters
        ----------
        code : str
            Statements. ``total_post += w`` adds up the weights that arrive at each neuron. Those that only name
            variables of the synapses, such as ``w *= 0.99``, run once per weight, however many synapses share it.
            Event-driven variables that they name are brought up to date before.
        dt, clock, when, order, name
            As in Brian2's groups.
        codeobj_class
            Must be left out: the target of the session is used.

        Returns
        -------
        CodeRunner
            With ``active = False`` it pauses.

        Raises
        ------
        ModelError
            As for the statements of a projection.
        """
        if codeobj_class is not None:
            raise ModelError(field_error(f"{self.where}, codeobj_class", "None", codeobj_class))
        name = name or find_name(f"{self.name}_run_regularly*", [obj.name for obj in self.contained_objects])
        where = f"{self.where}, run_regularly"
        first = [str(equation.expr) for equation in self.event_driven.values()]
        texts = [code, *(first if self.names_event_driven(code) else [])]
        side = "" if any(self._names_neurons(text) for text in texts) else "weight"
        if side not in ("weight", *self.kind.sides):
            expected = f"statements about weights only, since {type(self.kind).__name__} depends on spikes"
            raise ModelError(field_error(where, expected, code))
        check_statements(self, where, code, side, self.namespace)
        timing = {"dt": dt, "clock": clock if clock is not None or dt is not None else self._clock}
        runner = Pathway(self, code, side, when=when, order=order, name=name, **timing)
        self.contained_objects.append(runner)
        return runner

    def reset_regularly(
        self, dt: Quantity | None = None, *, events: Any = None, when: str = "start", order: int = 0
    ) -> None:
        """Reset at regular times: discard spikes in transit, and the counts or sums of max pooling.

        Parameters
        ----------
        dt : Quantity, optional
            How often; the first time at the beginning.
        events : group, optional
            Instead of ``dt``: in every time step in which a neuron of this group spikes.
        when, order
            As in Brian2's groups.

        Raises
        ------
        ModelError
            If not one of ``dt`` and ``events`` is given, or there is nothing to reset.
        """
        where = f"{self.where}, reset_regularly"
        if (dt is None) == (events is None):
            raise ModelError(field_error(where, "either dt or events", f"dt={dt}, events={events}"))
        spiking = "_spikespace" in getattr(events, "variables", ()) and not isinstance(events, Subgroup)
        if events is not None and not spiking:
            raise ModelError(field_error(f"{where}, events", "a whole group of neurons that spike", events))
        arrays = [(v, 0, v.size) for name, v in self.variables.items() if name.startswith(_MEMORY)]
        if not arrays:
            raise ModelError(field_error(where, "a projection with delays or a gate", type(self.kind).__name__))
        name = find_name(f"{self.name}_forgets*", [obj.name for obj in self.contained_objects])
        timing: dict[str, Any] = {"clock": events.clock if events is not None else self._clock}
        if dt is not None:
            check_dimension(f"{where}, dt", dt, second)
            timing = {"dt": dt}
        spikes = events.variables["_spikespace"] if events is not None else None
        self.contained_objects.append(Clear(self, arrays, spikes, when=when, order=order, name=name, **timing))

    def names_event_driven(self, code: str) -> bool:
        """Whether statements name an event-driven variable, be it by way of a subexpression."""
        return bool(self.named(code) & self.event_driven.names)

    def _names_neurons(self, code: str) -> bool:
        """Whether statements say something about neurons, and not about weights alone."""
        of_neurons = ("_presynaptic_idx", "_postsynaptic_idx", INDEX)
        given = [CHANGE] if self.kind.carried else []
        names = {"i", "j", *given, *(name for name, index in self.variables.indices.items() if index in of_neurons)}
        return bool(self.named(code) & names)

    def named(self, code: str) -> set[str]:
        """The variables that statements name, and those that subexpressions among them name."""
        used: set[str] = get_identifiers(code) & set(self.variables)
        subexpressions = [self.variables[name] for name in used if isinstance(self.variables[name], Subexpression)]
        for subexpression in subexpressions:
            used |= self.named(subexpression.expr)
        return used
