"""Statements that run for each synapse of a projection: at a spike of its source or target, or at given times."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from brian2 import Equations
from brian2.equations.equations import SUBEXPRESSION
from brian2.groups.group import CodeRunner
from brian2.utils.stringtools import get_identifiers
from numpy.typing import NDArray

from biosnn.codegen.code_objects import OWN, table
from biosnn.codegen.divisible import divisible, written
from biosnn.codegen.exact import exact
from biosnn.projection import code_objects, once
from biosnn.projection.delays import HeterogeneousDelays
from biosnn.projection.kinds import AHEAD, INDEX, Fit, Indices

_ORDER = {"pre": -1, "post": 1}


@dataclass(frozen=True)
class Router:
    """On the targets that run in this process: which synapses a step concerns, a neuron at a time.

    Parameters
    ----------
    side : {"pre", "post", "", "weight"}
        Whose spikes matter; "": every synapse is meant; "weight": every weight.
    fit : Fit
        The kind, fitted to the groups.
    spikes : Variable or None
        The list of spikes.
    heterogeneous : HeterogeneousDelays or None
        Delays that differ from synapse to synapse.
    gate : MaxPoolGate or None
        What lets only some spikes pass.
    count : Variable
        How many weights there are.
    start, stop : int
        Which neurons of the list are the projection's own (a Subgroup shares the list of its group).
    """

    side: str
    fit: Fit
    spikes: Any
    heterogeneous: HeterogeneousDelays | None
    gate: MaxPoolGate | None
    count: Any
    start: int
    stop: int

    def __call__(self, carried: Any = None) -> Iterator[tuple[NDArray[Any], ...]]:
        """For each neuron: indices of weights, source neurons and target neurons, an entry per synapse.

        With what the spikes carry, of a `GradedGate`: the synapses of the changes, and these.
        """
        if isinstance(self.gate, GradedGate):
            spiking = self.spiking()
            for neuron, value in zip(spiking.tolist(), np.rint(np.broadcast_to(carried, len(spiking))), strict=True):
                weights, targets = self.fit.outgoing(neuron)
                changes = self.gate.changes(self.fit, neuron, int(value), targets)
                some = changes != 0
                yield weights[some], np.full(np.sum(some), neuron), targets[some], changes[some]
            return
        if self.heterogeneous is not None:
            for age in self.heterogeneous.spike_history.lively(self.heterogeneous.shortest, self.heterogeneous.longest):
                for i in self._own(self.heterogeneous.spike_history.ago(age)):
                    weights, targets = self.heterogeneous.arriving(self.fit, i, age)
                    yield weights, np.full(len(weights), i), targets
            return
        if self.side == "weight":
            weights = np.arange(int(np.asarray(self.count.get_value()).item()))
            yield weights, np.zeros_like(weights), np.zeros_like(weights)
            return
        neurons = self._own(self.spikes.get_value()) if self.side else range(self.stop - self.start)
        for neuron in neurons:
            if self.side == "post":
                weights, sources = self.fit.incoming(neuron)
                yield weights, sources, np.full(len(weights), neuron)
            else:
                weights, targets = self.fit.outgoing(neuron)
                if self.gate is not None:
                    passing = self.gate.passing(neuron, targets)
                    weights, targets = weights[passing], targets[passing]
                yield weights, np.full(len(weights), neuron), targets

    def spiking(self) -> Indices:
        """The neurons whose spikes arrive now."""
        return np.array(self._own(self.spikes.get_value()), dtype=np.int64)

    def _own(self, spikes: Any) -> list[int]:
        indices = spikes[: spikes[-1]]
        return [int(index) - self.start for index in indices if self.start <= index < self.stop]


@dataclass(frozen=True)
class MaxPoolGate:
    """Lets a spike pass to a target where its neuron has now fired more often than any other that leads there.

    Parameters
    ----------
    counts, largest : Variable
        For each source neuron its spikes so far; for each target the largest of these counts that it has seen.
    carried : str
        Of a `GradedGate`.
    """

    counts: Any
    largest: Any
    carried: str = ""

    def passing(self, neuron: int, targets: Indices) -> NDArray[np.bool_]:
        """Count a spike, and return to which targets it passes."""
        counts, largest = self.counts.get_value(), self.largest.get_value()
        counts[neuron] += 1
        passing: NDArray[np.bool_] = counts[neuron] > largest[targets]
        largest[targets[passing]] = counts[neuron]
        return passing


@dataclass(frozen=True)
class GradedGate(MaxPoolGate):
    """Passes on by how much the largest sum of a window changes, where spikes carry a value.

    Parameters
    ----------
    counts, largest : Variable
        For each source neuron the sum of what its spikes have carried; for each target the largest sum in its window.
    carried : str
        What statements call that which a spike of the source carries.
    """

    def changes(self, fit: Fit, neuron: int, value: int, targets: Indices) -> NDArray[np.int64]:
        """Add what a spike carries, and return by how much the largest sum of each target changes."""
        sums, largest = self.counts.get_value(), self.largest.get_value()
        before = int(sums[neuron])
        sums[neuron] = now = before + value
        changes = np.zeros(len(targets), dtype=np.int64)
        for place, target in enumerate(targets):
            most = int(largest[target])
            if now > most:
                largest[target] = now
            elif now < before == most:
                window = sums[fit.incoming(int(target))[1]]
                beyond = len(window) < fit.numbers["kernel_rows"] * fit.numbers["kernel_columns"]
                largest[target] = max(window.max(), 0) if beyond else window.max()  # what is added is silent
            changes[place] = int(largest[target]) - most
        return changes


def gate_of(projection: Any, name: str) -> MaxPoolGate | None:
    """What lets only some spikes pass to the statements of this name, if the projection's kind has it so."""
    if not projection.kind.gates:
        return None
    for what, group in (("counts", projection.source), ("largest", projection.target)):
        projection.variables.add_array(f"_{what}_{name}", size=len(group), dtype=np.int32)
    counts, largest = (projection.variables[f"_{what}_{name}"] for what in ("counts", "largest"))
    if projection.kind.carried:
        return GradedGate(counts, largest, f"{projection.kind.carried}_pre")
    return MaxPoolGate(counts, largest)


class Pathway(CodeRunner):  # type: ignore[misc]
    """Statements and when they run.

    Parameters
    ----------
    projection : Projection
        Whose synapses are meant.
    code : str
        The statements.
    side : {"pre", "post", "", "weight"}
        Run them for the synapses of each source or target neuron that spikes, for all synapses, or for all weights.
    spikes : Variable or None
        The list of spikes.
    heterogeneous : HeterogeneousDelays or None
        Delays that differ from synapse to synapse.
    gate : MaxPoolGate or None
        What lets only some spikes pass.
    **when
        ``name``, ``clock`` or ``dt``, and ``when`` and ``order``.
    """

    def __init__(
        self,
        projection: Any,
        code: str,
        side: str,
        spikes: Any = None,
        heterogeneous: HeterogeneousDelays | None = None,
        gate: MaxPoolGate | None = None,
        **when: Any,
    ) -> None:
        if side in _ORDER:
            when = {"when": "synapses", "order": _ORDER[side], **when}
        self.side, self.statements = side, code
        endpoints = projection.endpoints
        count = projection.variables["N"]
        numbers = {**projection.fit.numbers, **endpoints.numbers(side)}
        numbers["weights"] = int(count.value) if projection.drawn is None else 0  # that is known in the program only
        delayed_traces = projection.delayed_traces if side in ("post", "") else None
        kwds = {"side": side, "n": numbers, "eventspace_variable": spikes}
        kwds |= {"heterogeneous": heterogeneous, "gate": gate, "delayed_traces": delayed_traces}
        kwds["apart"] = _apart(projection, code)
        kwds["touched"] = [projection.variables[name] for name in projection.synaptic if name in get_identifiers(code)]
        if projection.kind.sums:
            kwds |= _sums(projection, code)
        kwds["ahead"] = AHEAD
        computed = projection.drawn is not None and projection.drawn.computed
        kwds["computed"] = projection.drawn if computed else None
        kwds["once"] = {}
        CodeRunner.__init__(
            self, projection, projection.kind.template, code=code, user_code=code, template_kwds={OWN: kwds}, **when
        )
        needed = {"_spikes_now": spikes} if heterogeneous is None else heterogeneous.needed
        needed |= projection.lists(side)
        if computed:
            needed |= {name: projection.variables[name] for name in projection.drawn.own_variables}
        if gate is not None:
            needed |= {"_counts": gate.counts, "_largest": gate.largest}
        if delayed_traces is not None:
            needed |= {"t_in_timesteps": delayed_traces.step, "_delays": delayed_traces.delays}
            needed["_history"] = delayed_traces.spike_history.history
        self.variables = table(projection, {name: var for name, var in needed.items() if var is not None})
        self._needed = sorted(self.variables)
        # Statements see the time of what runs them, not that of the source.
        self.variables.create_clock_variables(self.clock)
        if delayed_traces is not None:
            self.variables.add_object("_late", delayed_traces)
            add_index(self.variables, INDEX, unique=False)
        for name, index in (("pre", "_presynaptic_idx"), ("post", "_postsynaptic_idx")):
            # One neuron's synapses are gone through at a time. All reach different neurons on the other side, unless a
            # pair may have several.
            other = name != (side if side in _ORDER else "pre")
            add_index(self.variables, index, unique=other and not projection.kind.may_repeat)
        start, stop = endpoints.span("post" if side == "post" else "pre")
        self.variables.add_object(
            "_router", Router(side, projection.fit, spikes, heterogeneous, gate, count, start, stop)
        )

    def update_abstract_code(self, run_namespace: Any) -> None:  # noqa: ARG002 - Brian2's signature
        """Bring event-driven variables up to date before the statements: at spikes, and where these name them."""
        self.abstract_code: str | dict[str, str] = self.statements
        if self.group.drawn is not None and self.group.drawn.computed:
            used = [name for name in self.group.synaptic if name in self.group.named(self.statements)]
            statements, random = self.group.drawn.numbers_of(used)
            self.template_kwds[OWN]["random"] = random
            for name in (name for name, *_ in random if name not in self.variables):
                self.variables.add_auxiliary_variable(name, dtype=np.float64)
            # First all values of a spike's synapses, as they would lie in memory, then what is done with them.
            self.abstract_code = {"values": "\n".join(statements), "statements": self.statements}
            self.user_code = None
            self.template_kwds[OWN]["values"] = [self.group.variables[name] for name in used]
        if self.group.event_driven and (self.side in _ORDER or self.group.names_event_driven(self.statements)):
            subexpressions = [eq for eq in self.group.equations.values() if eq.type == SUBEXPRESSION]
            system = Equations([*self.group.event_driven.values(), *subexpressions])
            update = exact(system, self.group.variables)
            update = re.sub(r"\bdt\b", "(t - lastupdate)", update)
            # Brian2 keeps the new value of `x` as `_x` at first, which for some names is a word of a template.
            names = "|".join(map(re.escape, self.group.event_driven.names))
            update = re.sub(rf"\b_({names})\b", r"_biosnn_next_\1", update)
            self.abstract_code = f"{update}\n{self.statements}\nlastupdate = t"
        names = self.template_kwds[OWN]["once"]
        if names:
            code = str(self.abstract_code)
            if self.template != "projection":
                code = re.sub(rf"\b({'|'.join(names)})\b", rf"{once.PREFIX}\1", code)
            values = "\n".join(f"_taken_{name} = {name}" for name in names)
            self.abstract_code, self.user_code = {"once": values, "statements": code}, None

    def before_run(self, run_namespace: Any) -> None:
        """Name what the active target needs, and let Brian2 generate the code."""
        self.codeobj_class = code_objects.for_target(self.group.kind.package, scattered=self.group.kind.scattered)
        python = code_objects.language(self.codeobj_class) != "cpp"
        self.template = "projection" if python else self.group.kind.template
        self.template_kwds[OWN]["once"] = {}
        self.update_abstract_code(run_namespace)
        drawn = self.group.drawn
        # In the statements of computed synapses, chance has names that are no variables.
        computed = drawn is not None and drawn.computed
        text = "\n".join([*drawn.initial.values(), self.statements]) if computed else str(self.abstract_code)
        gate = self.template_kwds[OWN]["gate"]
        carried = gate.carried if gate is not None else ""
        text += f"\n_taken = {carried}" if carried else ""
        known = code_objects.complete_functions(self.group, text, run_namespace)
        self.template_kwds[OWN]["divisible"] = not computed and not python and self._divisible(known)
        if carried:
            self._name_once(carried, self.group.variables[carried])
        if not computed and not python:
            self._work_out_once(known)
        objects = [name for name in ("_router", "_late") if name in self.variables]
        self.needed_variables = objects if python else self._needed
        super().before_run(run_namespace)

    def _work_out_once(self, known: Mapping[str, Any]) -> None:
        """Take what the statements name of the neuron that spikes alone out of the loop over its synapses."""
        if self.side not in _ORDER or self.template_kwds[OWN]["heterogeneous"] is not None or self.group.kind.sums:
            return  # kinds that sum run statements once for a spike anyway
        variables = {**self.group.variables, **known, **self.variables}
        indices = {**self.group.variables.indices, **self.variables.indices}
        for name in once.worked_out_once(str(self.abstract_code), self.side, variables, indices):
            self._name_once(name, variables[name])

    def _name_once(self, name: str, var: Any) -> None:
        self.template_kwds[OWN]["once"][name] = var
        if once.PREFIX + name not in self.variables:
            self.variables.add_auxiliary_variable(once.PREFIX + name, dimensions=var.dim, dtype=var.dtype)

    def _divisible(self, known: Mapping[str, Any]) -> bool:
        """Whether threads may go through the synapses, each of them through those of some targets."""
        kind, heterogeneous = self.group.kind, self.template_kwds[OWN]["heterogeneous"]
        if not kind.divisible or self.template_kwds[OWN]["gate"] is not None:
            return False
        if self.side in ("pre", "") and not self._ascending(kind, heterogeneous):
            return False
        variables = {**self.group.variables, **known, **self.variables}
        indices = {**self.group.variables.indices, **self.variables.indices}
        part_of_row = kind.scattered and self.side in ("pre", "")
        own = ("_idx", "_postsynaptic_idx")
        return divisible(str(self.abstract_code), variables, indices, own, anywhere=part_of_row)

    def _ascending(self, kind: Any, heterogeneous: HeterogeneousDelays | None) -> bool:
        """Whether the targets of what is gone through at once are in order: a source's, or those of one delay."""
        if not kind.scattered:
            return heterogeneous is None
        if heterogeneous is not None and heterogeneous.starts is not None:
            return True
        drawn = self.group.drawn
        return bool(kind.ascending) if drawn is None else not drawn.delayed


def _sums(projection: Any, code: str) -> dict[str, Any]:
    """For a kind that sums: the variables that statements add to, each with the one that tells where it rests."""
    used = get_identifiers(code)
    sums: dict[str, str] = {}
    written: list[Any] = []
    for name in sorted(used & set(projection.variables)):
        var = projection.variables[name]
        if projection.variables.indices[name] != "_postsynaptic_idx" or any(var is other for other in written):
            continue
        written.append(var)
        rests = getattr(var, "conditional_write", None)
        sums[name] = "" if rests is None else rests.name
    return {"sums": sums, "resting": sorted({rests for rests in sums.values() if rests})}


def _apart(projection: Any, code: str) -> bool:
    """Whether the synapses of one spike write to nothing that they share, so that they may be gone through at once."""
    per_synapse = ("_idx", "_postsynaptic_idx")
    names = [name for name in written(code) if name in projection.variables]
    return all(projection.variables.indices[name] in per_synapse for name in names)


def add_index(variables: Any, name: str, *, unique: bool) -> None:
    """Add an index that is not an array: the loop of a template works it out."""
    variables.add_auxiliary_variable(name, dtype=np.int32)
    variables[name].unique = unique
