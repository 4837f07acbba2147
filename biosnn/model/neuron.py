"""A neuron as equations with units: `NeuronModel`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from brian2.core.functions import Function
from brian2.equations.equations import Equations
from brian2.stateupdaters.base import StateUpdateMethod
from brian2.units.fundamentalunits import DIMENSIONLESS, Dimension

from biosnn.display import bounded
from biosnn.errors import ModelError, field_error, unknown
from biosnn.model.expressions import (
    DIFFERENTIAL_EQUATION,
    PARAMETER,
    SECOND,
    SUBEXPRESSION,
    check_condition,
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
    Event,
    Given,
    Input,
    Parameter,
    check_fields,
    check_new_name,
    check_presets,
    check_used,
    check_values,
    freeze_fields,
    quantity_dimension,
    tidy_fields,
)
from biosnn.model.plain import check_name, expression, lines
from biosnn.model.sheet import model_card
from biosnn.model.solvable import check_solvable
from biosnn.model.statements import check_statements

_FLAGS = {
    DIFFERENTIAL_EQUATION: ("unless refractory",),
    PARAMETER: ("constant", "shared", "linked"),
    SUBEXPRESSION: ("shared", "constant over dt"),
}


@dataclass(frozen=True, repr=False)
class NeuronModel:
    """A neuron as equations with units, checked when constructed.

    Parameters
    ----------
    name, summary, source : str
        The name it is known by, one line of what it is, and where it comes from (author, year, DOI, equation).
    equations : str
        Differential equations, subexpressions and per-neuron variables in Brian2's syntax, without the parameters. A
        variable that is another group's, to which it is linked when neurons are built, has the flag ``(linked)``.
    threshold : str
        Condition for a spike, such as ``"v > v_th"``. Empty for a neuron that never spikes.
    reset : str
        Statements at a spike, such as ``"v = v_r"``.
    refractory : str
        A duration or a condition, in names of the model, such as ``"t_ref"``. Empty for none.
    spike_value : str
        The variable of the equations, a plain number, that says what a spike carries, such as its sign or a count;
        synapses multiply by it. Empty if all spikes are alike.
    method : str
        Brian2's integration method: ``"exact"``, ``"euler"``, ``"exponential_euler"``, ``"rk4"``, ….
    parameters : mapping of str to Parameter
        Constants that all neurons of a group share. They can be changed without compiling anew.
    inputs : mapping of str to Input
        Where currents and spikes enter.
    events : mapping of str to Event
        What happens beside spikes, with a condition and statements; monitors and synapses may follow it.
    functions : mapping of str to Given
        Functions of the equations that are given when neurons are built, such as a ``TimedArray``.
    initial : mapping of str to str
        Initial values as expressions in parameters, such as ``v = "v_rest"``. What is not named starts at zero.
    presets : mapping of str to mapping
        Named sets of parameter values from the literature (name -> parameter -> quantity).
    notes : str
        Anything else a reader should know.

    Raises
    ------
    ModelError
        If a field is missing or wrong, dimensions do not agree, or a name is unknown, unused or taken. The message
        names the model, the field, what was expected and what was given.
    """

    name: str
    summary: str
    source: str
    equations: str
    threshold: str = ""
    reset: str = ""
    refractory: str = ""
    spike_value: str = ""
    method: str = "euler"
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    inputs: Mapping[str, Input] = field(default_factory=dict)
    initial: Mapping[str, str] = field(default_factory=dict)
    presets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    events: Mapping[str, Event] = field(default_factory=dict)
    functions: Mapping[str, Given] = field(default_factory=dict)
    notes: str = ""

    def __post_init__(self) -> None:
        check_name("NeuronModel.name", self.name)
        where = f"NeuronModel {self.name!r}"
        check_fields(where, self, {"parameters": Parameter, "inputs": Input, "events": Event, "functions": Given})
        tidy_fields(where, self, lines=("equations", "reset"), expressions=("threshold", "refractory"))
        events = {name: _tidied(f"{where}.events.{name}", event) for name, event in self.events.items()}
        object.__setattr__(self, "events", events)
        freeze_fields(self, "parameters", "inputs", "presets", "events", "functions")
        _check(where, self)

    def __repr__(self) -> str:
        return bounded(f"<NeuronModel {self.name}: {self.summary}>")

    def _repr_html_(self) -> str:
        return model_card(self)

    @property
    def kind(self) -> str:
        """ "neuron"."""
        return "neuron"

    @property
    def blocks(self) -> list[tuple[str, str]]:
        """What it consists of, each with a heading, in the order in which it is read."""
        return [
            ("equations", self.equations),
            ("spikes when", self.threshold),
            ("at a spike", self.reset),
            ("a spike carries", self.spike_value),
            ("refractory", self.refractory),
            *(block for name, event in self.events.items() for block in _event_blocks(name, event)),
            ("given when it is built", "\n".join(f"{name}{given}" for name, given in self.functions.items())),
        ]

    @property
    def parsed(self) -> Equations:
        """The equations as Brian2 reads them, without parameters and inputs."""
        return parse_equations(f"NeuronModel {self.name!r}, equations", self.equations, _FLAGS, self.stubs)

    @property
    def stubs(self) -> dict[str, Function]:
        """What stands for `functions`, with their units, as long as they are not given."""
        where = f"NeuronModel {self.name!r}.functions"
        return {name: function.stub(f"{where}.{name}") for name, function in self.functions.items()}

    @property
    def spike_inputs(self) -> list[str]:
        """The variables that arriving spikes add to, in the order of the file."""
        return [name for name, entry in self.inputs.items() if entry.kind == "spikes"]

    @property
    def linked(self) -> list[str]:
        """The variables that are those of another group."""
        return [name for name, equation in self.parsed.items() if "linked" in equation.flags]

    def with_values(self, preset: str = "", /, **values: str) -> NeuronModel:
        """Return the model with other default parameters.

        Parameters
        ----------
        preset : str, optional
            One of `presets`; applied first.
        **values : str
            Parameter values as text, such as ``tau="10 ms"``.

        Raises
        ------
        ModelError
            If the preset or a parameter is unknown, or a value has the wrong dimension.
        """
        if preset and preset not in self.presets:
            raise ModelError(f"NeuronModel {self.name!r}: " + unknown("preset", preset, self.presets))
        new = {**self.presets.get(preset, {}), **values}
        check_values(f"NeuronModel {self.name!r}", new, self.parameters)
        changed = {name: replace(self.parameters[name], value=text) for name, text in new.items()}
        return replace(self, parameters={**self.parameters, **changed})

    def with_own(self, *names: str) -> NeuronModel:
        """Return the model with parameters of which each neuron has its own value: they become inputs of kind value.

        Many cells that differ in their parameters are then one group. Presets, which set parameters, are left out.

        Parameters
        ----------
        *names : str
            Some of `parameters`; their values become the defaults.

        Raises
        ------
        ModelError
            If a parameter is unknown.
        """
        for name in names:
            if name not in self.parameters:
                raise ModelError(f"NeuronModel {self.name!r}: " + unknown("parameter", name, self.parameters))
        own = {name: Input("value", self.parameters[name].meaning, self.parameters[name].value) for name in names}
        shared_ones = {name: entry for name, entry in self.parameters.items() if name not in own}
        return replace(self, parameters=shared_ones, inputs={**self.inputs, **own}, presets={})


def _event_blocks(name: str, event: Event) -> list[tuple[str, str]]:
    return [(f"{name} ({event.meaning}) when", event.condition), (f"at {name}", event.action)]


def _tidied(where: str, event: Event) -> Event:
    condition, action = expression(f"{where}.condition", event.condition), lines(f"{where}.action", event.action)
    return replace(event, condition=condition, action=action)


def _check(where: str, model: NeuronModel) -> None:
    equations = model.parsed
    if not equations.diff_eq_names and not model.threshold:
        raise ModelError(f"{where}.equations: expected a differential equation or a threshold (got neither).")
    dimensions = _dimensions(where, model, equations)
    names = scope(dimensions, equations, model.stubs)
    check_equations(where, equations, names)
    writable = set(equations.names) - set(equations.subexpr_names) - set(model.linked)
    if model.threshold:
        check_condition(f"{where}.threshold", model.threshold, names)
    elif model.reset or model.refractory:
        raise ModelError(f"{where}.threshold: expected a condition, since there is a reset or refractory period.")
    check_statements(f"{where}.reset", model.reset, names, writable, shared(equations))
    if model.spike_value:
        _check_spike_value(f"{where}.spike_value", model, equations)
    for name, event in model.events.items():
        if name == "spike" or name in dimensions:
            raise ModelError(
                field_error(f"{where}.events", "names that nothing else has, and that are not spike", name)
            )
        check_new_name(f"{where}.events", name)
        check_condition(f"{where}.events.{name}.condition", event.condition, names)
        check_statements(f"{where}.events.{name}.action", event.action, names, writable, shared(equations))
    if model.refractory:
        _check_refractory(f"{where}.refractory", model.refractory, names)
    _check_initial(where, model, names, writable)
    if model.method not in StateUpdateMethod.stateupdaters:
        raise ModelError(f"{where}.method: " + unknown("method", model.method[:40], StateUpdateMethod.stateupdaters))
    check_solvable(where, model.method, equations)
    check_presets(where, model.presets, model.parameters)
    others = "\n".join([model.threshold, model.reset, model.refractory, model.spike_value, *model.initial.values()])
    others = "\n".join([others, *(f"{event.condition}\n{event.action}" for event in model.events.values())])
    check_words(where, equations, [*model.parameters, *model.inputs, *model.functions, *equations.names], others)
    used = identifiers("\n".join([others, *(str(eq.expr.code) for eq in equations.values() if eq.expr is not None)]))
    check_used(
        where, [*model.parameters, *model.functions, *(n for n, i in model.inputs.items() if i.kind == "value")], used
    )


def _check_spike_value(where: str, model: NeuronModel, equations: Equations) -> None:
    if not model.threshold:
        raise ModelError(f"{where}: expected a threshold, since spikes carry {model.spike_value}.")
    if model.spike_value not in equations:
        raise ModelError(f"{where}: " + unknown("variable of the equations", model.spike_value, equations.names))
    if not equations[model.spike_value].dim.is_dimensionless:
        unit = equations[model.spike_value].unit
        raise ModelError(field_error(where, "a plain number, such as a sign or a count", f"a variable in {unit}"))


def _dimensions(where: str, model: NeuronModel, equations: Equations) -> dict[str, Dimension]:
    """The dimension of every name that the model's texts may use."""
    dimensions: dict[str, Dimension] = {name: equations[name].dim for name in equations.names}
    for name, parameter in model.parameters.items():
        own_name = f"{where}.parameters"
        _check_new(own_name, name, dimensions)
        dimensions[name] = quantity_dimension(f"{own_name}.{name}", parameter.value)
    for name, entry in model.inputs.items():
        if entry.kind == "value":
            _check_new(f"{where}.inputs", name, dimensions)
            dimensions[name] = quantity_dimension(f"{where}.inputs.{name}.default", entry.default)
        elif entry.kind != "spikes":
            raise ModelError(field_error(f"{where}.inputs.{name}.kind", "'value' or 'spikes'", entry.kind))
        elif "linked" in getattr(equations.get(name), "flags", ()) or (
            name not in equations.diff_eq_names and name not in equations.parameter_names
        ):
            raise ModelError(f"{where}.inputs: spikes can only add to a variable of the equations (got {name!r}).")
    for name in model.functions:
        _check_new(f"{where}.functions", name, dimensions)
    for name in [*dimensions, *model.functions]:
        check_new_name(where, name)
    brian = {"t": SECOND, "dt": SECOND, "i": DIMENSIONLESS, "N": DIMENSIONLESS}
    spiked = {"lastspike": SECOND, "not_refractory": DIMENSIONLESS} if model.refractory else {}
    return {**dimensions, **brian, **spiked}


def _check_new(where: str, name: str, dimensions: Mapping[str, Dimension]) -> None:
    if name in dimensions:
        raise ModelError(f"{where}.{name}: defined twice. A parameter or input is declared once, not in the equations.")


def _check_refractory(where: str, text: str, names: Mapping[str, object]) -> None:
    try:
        check_expression(where, text, SECOND, names)
    except ModelError as as_duration:
        try:
            check_condition(where, text, names)
        except ModelError:
            raise as_duration from None


def _check_initial(where: str, model: NeuronModel, names: Mapping[str, object], writable: set[str]) -> None:
    for name, text in model.initial.items():
        if name not in writable:
            raise ModelError(f"{where}.initial: " + unknown("state variable", name, writable))
        check_value(f"{where}.initial.{name}", text, model.parsed[name].dim, names)
