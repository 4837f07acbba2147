"""A plastic (or static) synapse as equations with units: `SynapseModel`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from brian2.equations.equations import Equations
from brian2.stateupdaters.base import StateUpdateMethod
from brian2.units.fundamentalunits import DIMENSIONLESS, Dimension, get_dimensions

from biosnn.display import bounded
from biosnn.errors import ModelError, field_error, unknown
from biosnn.model.expressions import (
    DIFFERENTIAL_EQUATION,
    PARAMETER,
    SECOND,
    SUBEXPRESSION,
    check_equations,
    check_expression,
    check_value,
    check_words,
    identifiers,
    parse_equations,
    scope,
    shared,
)
from biosnn.model.fields import (
    Input,
    Parameter,
    check_fields,
    check_new_name,
    check_presets,
    check_used,
    check_values,
    freeze_fields,
    parsed_unit,
    quantity_dimension,
    tidy_fields,
)
from biosnn.model.plain import check_name, expression, lines
from biosnn.model.sheet import model_card
from biosnn.model.solvable import check_solvable
from biosnn.model.statements import check_statements
from biosnn.quantity import dimension_name

_FLAGS = {
    DIFFERENTIAL_EQUATION: ("event-driven", "clock-driven"),
    PARAMETER: ("constant", "shared"),
    SUBEXPRESSION: ("shared", "constant over dt", "summed"),
}
_TRACE_FLAGS: dict[str, tuple[str, ...]] = {DIFFERENTIAL_EQUATION: (), PARAMETER: (), SUBEXPRESSION: ()}


@dataclass(frozen=True)
class Trace:
    """A trace that depends on the spikes of one side only, so that it can live on the neuron.

    Parameters
    ----------
    side : {"pre", "post"}
        Whose spikes it follows.
    equation : str
        Its decay, one linear differential equation, such as ``"dx/dt = -x/tau_plus : 1"``.
    on_spike : str
        Statements at a spike of that side, such as ``"x += 1"`` (all-to-all) or ``"x = 1"`` (nearest spike).
        The synapse's own statements for that spike run first and see the trace as it was before. Empty for a trace that
        follows another one, whose equation names that.
    meaning : str
        What it is, in words.
    initial : str
        Its value at the start, an expression in parameters.
    """

    side: str
    equation: str
    on_spike: str
    meaning: str
    initial: str = "0"


@dataclass(frozen=True, repr=False)
class SynapseModel:
    """A synapse as equations with units, checked when constructed.

    The statements at one time step run in this order: ``on_pre``, the presynaptic traces, ``on_post``, the
    postsynaptic traces. So a pair of spikes in the same step counts as pre before post (t_pre <= t_post: LTP).

    Parameters
    ----------
    name, summary, source : str
        The name it is known by, one line of what it is, and where it comes from (author, year, DOI, equation).
    equations : str
        The synapse's own variables in Brian2's syntax, such as ``"w : 1"``, and sums over the synapses of a neuron,
        such as ``"I_post = w*(v_pre - v_post) : amp (summed)"``.
    on_pre, on_post : str
        Statements at a presynaptic and at a postsynaptic spike. They may change the variables named in ``uses``.
    transmits : str
        What a presynaptic spike hands on, before ``on_pre`` runs. The builder multiplies it by a gain with the unit of
        the target variable. Empty for a synapse that hands nothing on in this way.
    method : str
        Brian2's integration method for the equations that are not driven by events.
    parameters : mapping of str to Parameter
        Constants that all synapses of a group share. They can be changed without compiling anew.
    traces : mapping of str to Trace
        Variables that follow the spikes of one side.
    inputs : mapping of str to Input
        Quantities that the user sets, one for the whole group, such as a reward.
    uses : mapping of str to str
        Variables of the neurons that the texts read or change, with their unit, such as ``v_post = "volt"``.
    initial : mapping of str to str
        Initial values as expressions in parameters. What is not named starts at zero.
    presets : mapping of str to mapping
        Named sets of parameter values from the literature (name -> parameter -> quantity).
    notes : str
        Anything else a reader should know.

    Raises
    ------
    ModelError
        If a field is missing or wrong, dimensions do not agree, or a name is unknown, unused or taken.
    """

    name: str
    summary: str
    source: str
    equations: str
    on_pre: str = ""
    on_post: str = ""
    transmits: str = "w"
    method: str = "euler"
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    traces: Mapping[str, Trace] = field(default_factory=dict)
    inputs: Mapping[str, Input] = field(default_factory=dict)
    uses: Mapping[str, str] = field(default_factory=dict)
    initial: Mapping[str, str] = field(default_factory=dict)
    presets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    notes: str = ""

    def __post_init__(self) -> None:
        check_name("SynapseModel.name", self.name)
        where = f"SynapseModel {self.name!r}"
        check_fields(where, self, {"parameters": Parameter, "inputs": Input, "traces": Trace})
        tidy_fields(where, self, lines=("equations", "on_pre", "on_post"), expressions=("transmits",))
        traces = {name: _tidied(f"{where}.traces.{name}", trace) for name, trace in self.traces.items()}
        object.__setattr__(self, "traces", traces)
        freeze_fields(self, "parameters", "traces", "inputs", "uses", "presets")
        _check(where, self)

    def __repr__(self) -> str:
        return bounded(f"<SynapseModel {self.name}: {self.summary}>")

    def _repr_html_(self) -> str:
        return model_card(self)

    @property
    def kind(self) -> str:
        """ "synapse"."""
        return "synapse"

    @property
    def blocks(self) -> list[tuple[str, str]]:
        """What it consists of, each with a heading, in the order in which it is read."""
        traces = [
            (f"trace of {trace.side}synaptic spikes: {trace.meaning}", f"{trace.equation}\n{_at_spike(trace)}")
            for trace in self.traces.values()
        ]
        reads = "\n".join(f"{name} : {unit}" for name, unit in self.uses.items())
        return [
            ("equations", self.equations),
            ("hands on at a presynaptic spike", f"gain * ({self.transmits})" if self.transmits else ""),
            ("at a presynaptic spike", self.on_pre),
            ("at a postsynaptic spike", self.on_post),
            *traces,
            ("reads from the neurons", reads),
        ]

    @property
    def parsed(self) -> Equations:
        """The equations as Brian2 reads them, without parameters, inputs and traces."""
        return parse_equations(f"SynapseModel {self.name!r}, equations", self.equations, _FLAGS)

    @property
    def plastic(self) -> bool:
        """Whether spikes or time change the synapse."""
        return bool(self.on_pre or self.on_post or self.parsed.diff_eq_names)

    @property
    def summed(self) -> list[str]:
        """The variables of neurons, such as ``I_post``, that are in each time step the sum over their synapses."""
        return [name for name, equation in self.parsed.items() if "summed" in equation.flags]

    def traces_of(self, side: str) -> dict[str, Trace]:
        """The traces that follow the spikes of one side, ``"pre"`` or ``"post"``."""
        return {name: trace for name, trace in self.traces.items() if trace.side == side}

    def with_values(self, preset: str = "", /, **values: str) -> SynapseModel:
        """Return the model with other default parameters; see `NeuronModel.with_values`."""
        if preset and preset not in self.presets:
            raise ModelError(f"SynapseModel {self.name!r}: " + unknown("preset", preset, self.presets))
        new = {**self.presets.get(preset, {}), **values}
        check_values(f"SynapseModel {self.name!r}", new, self.parameters)
        changed = {name: replace(self.parameters[name], value=text) for name, text in new.items()}
        return replace(self, parameters={**self.parameters, **changed})


def _at_spike(trace: Trace) -> str:
    return f"at a spike: {trace.on_spike or 'nothing'}"


def _tidied(where: str, trace: Trace) -> Trace:
    return replace(
        trace,
        equation=lines(f"{where}.equation", trace.equation),
        on_spike=lines(f"{where}.on_spike", trace.on_spike),
        initial=expression(f"{where}.initial", trace.initial),
    )


def _check(where: str, model: SynapseModel) -> None:
    equations = model.parsed
    dimensions = _dimensions(where, model, equations)
    names = scope(dimensions, equations)
    check_equations(where, equations, names)
    _check_summed(where, model, equations)
    writable = set(equations.names) - set(equations.subexpr_names)
    changed = writable | (set(model.uses) - set(model.summed))
    check_statements(f"{where}.on_pre", model.on_pre, names, changed, shared(equations))
    check_statements(f"{where}.on_post", model.on_post, names, changed, shared(equations))
    if model.transmits:
        # The gain gives what is transmitted the unit of its target, so it is a plain number here.
        check_expression(f"{where}.transmits", model.transmits, DIMENSIONLESS, names)
    _check_traces(where, model)
    for name, text in model.initial.items():
        if name not in writable:
            raise ModelError(f"{where}.initial: " + unknown("variable", name, writable))
        check_value(f"{where}.initial.{name}", text, equations[name].dim, names)
    if model.method not in StateUpdateMethod.stateupdaters:
        raise ModelError(f"{where}.method: " + unknown("method", model.method[:40], StateUpdateMethod.stateupdaters))
    check_solvable(where, model.method, equations)
    check_presets(where, model.presets, model.parameters)
    texts = [str(eq.expr.code) for eq in equations.values() if eq.expr is not None]
    texts += [model.on_pre, model.on_post, model.transmits, *model.initial.values()]
    own = [name for name in equations.names if name not in model.summed]
    check_words(where, equations, [*model.parameters, *model.inputs, *model.traces, *own], "\n".join(texts))
    used = identifiers("\n".join(texts)) | set(model.summed)
    in_traces = identifiers("\n".join(f"{t.equation}\n{t.on_spike}\n{t.initial}" for t in model.traces.values()))
    check_used(where, model.inputs, used)
    check_used(where, [*model.parameters, *model.uses], used | in_traces)
    for name in model.traces:
        others = "\n".join(trace.equation + trace.on_spike for other, trace in model.traces.items() if other != name)
        check_used(where, [name], used | identifiers(others))


def _dimensions(where: str, model: SynapseModel, equations: Equations) -> dict[str, Dimension]:
    """The dimension of every name that the model's texts may use."""
    dimensions: dict[str, Dimension] = {name: equations[name].dim for name in equations.names}

    def declare(field_name: str, name: str, dimension: Dimension) -> None:
        if name in dimensions:
            raise ModelError(f"{where}.{field_name}.{name}: defined twice.")
        dimensions[name] = dimension

    for name, parameter in model.parameters.items():
        declare("parameters", name, quantity_dimension(f"{where}.parameters.{name}", parameter.value))
    for name, entry in model.inputs.items():
        if entry.kind != "value":
            raise ModelError(field_error(f"{where}.inputs.{name}.kind", "'value'", entry.kind))
        declare("inputs", name, quantity_dimension(f"{where}.inputs.{name}.default", entry.default))
    for name, trace in model.traces.items():
        declare("traces", name, _trace_dimension(f"{where}.traces.{name}", name, trace))
    summed = {name for name, equation in equations.items() if "summed" in equation.flags}
    for name in dimensions:
        if name not in summed:
            check_new_name(where, name)
    for name, unit in model.uses.items():
        if not name.endswith(("_pre", "_post")):
            raise ModelError(field_error(f"{where}.uses", "names that end in _pre or _post", name))
        dimensions[name] = _unit_dimension(f"{where}.uses.{name}", unit)
    return {**dimensions, "t": SECOND, "dt": SECOND, "i": DIMENSIONLESS, "j": DIMENSIONLESS}


def _check_summed(where: str, model: SynapseModel, equations: Equations) -> None:
    """A sum goes to a variable of the neurons that is declared, and is known at every time step."""
    for name in model.summed:
        equation, here = equations[name], f"{where}.equations, {name}"
        if name not in model.uses:
            expected = "a variable of the neurons that is declared under uses, with its unit, such as I_post"
            raise ModelError(field_error(here, expected, f"{name} (summed)"))
        if len(equation.flags) > 1:
            raise ModelError(field_error(here, "(summed) and no other flag", ", ".join(equation.flags)))
        unit = _unit_dimension(f"{where}.uses.{name}", model.uses[name])
        if unit != equation.dim:
            expected = f"{dimension_name(unit)}, as uses has it"
            raise ModelError(field_error(here, expected, dimension_name(equation.dim)))
        late = [other for other in read_from(equations, name) if "event-driven" in equations[other].flags]
        if late:
            do = f"Make {late[0]} (clock-driven)."
            raise ModelError(field_error(here, "variables that are known at every time step", ", ".join(late), do))


def read_from(equations: Equations, name: str) -> list[str]:
    """The variables of the equations that one of them reads, be it by way of subexpressions."""
    found: list[str] = []
    left = [name]
    while left:
        for other in sorted(equations[left.pop()].identifiers & set(equations.names) - set(found)):
            found.append(other)
            left += [other] if other in equations.subexpr_names else []
    return found


def _unit_dimension(where: str, unit: str) -> Dimension:
    return get_dimensions(parsed_unit(where, unit))


def _trace_dimension(where: str, name: str, trace: Trace) -> Dimension:
    if trace.side not in ("pre", "post"):
        raise ModelError(field_error(f"{where}.side", "'pre' or 'post'", trace.side))
    equation = parse_equations(f"{where}.equation", trace.equation, _TRACE_FLAGS)
    if list(equation.names) != [name] or not equation.diff_eq_names:
        raise ModelError(field_error(f"{where}.equation", f"one differential equation of {name}", trace.equation))
    return equation[name].dim


def _check_traces(where: str, model: SynapseModel) -> None:
    """A trace may use parameters, and traces and variables of the neurons of its own side; nothing of a synapse."""
    shared = {name: parameter.dimension for name, parameter in model.parameters.items()}
    shared.update({name: quantity_dimension(where, entry.default) for name, entry in model.inputs.items()})
    shared.update({"t": SECOND, "dt": SECOND})
    for side in ("pre", "post"):
        traces = model.traces_of(side)
        dimensions = {name: _trace_dimension(where, name, trace) for name, trace in traces.items()}
        used = {name: _unit_dimension(where, unit) for name, unit in model.uses.items() if name.endswith(f"_{side}")}
        names = scope({**shared, **used, **dimensions})
        for name, trace in traces.items():
            here = f"{where}.traces.{name}"
            check_equations(here, parse_equations(f"{here}.equation", trace.equation, _TRACE_FLAGS), names)
            if not trace.on_spike.strip() and not identifiers(trace.equation) & (set(traces) - {name}):
                expected = "statements, as the equation depends on no other trace"
                raise ModelError(field_error(f"{here}.on_spike", expected, trace.on_spike))
            check_statements(f"{here}.on_spike", trace.on_spike, names, traces)
            check_value(f"{here}.initial", trace.initial, dimensions[name], names)
