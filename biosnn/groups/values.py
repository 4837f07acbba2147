"""What the parameters, inputs and variables of a group are set to."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from typing import Any, TypeVar

import numpy as np
from brian2 import NeuronGroup, Synapses
from brian2.core.functions import Function
from brian2.units.fundamentalunits import DimensionMismatchError, Quantity

from biosnn.errors import ModelError, QuantityError, field_error, unknown
from biosnn.groups.connectivity import check_length
from biosnn.model import NeuronModel, SynapseModel
from biosnn.projection import Projection
from biosnn.quantity import check_dimension, format_quantity, parse_quantity, unit_text

M = TypeVar("M", NeuronModel, SynapseModel)
Value = Any
"""What a variable may be set to: a quantity, an array of them, a text quantity, or a Brian2 expression as text."""

_OWN_OF_SYNAPSES = "Where each synapse has its own value, declare it in the equations, such as 'eta : 1 (constant)'."


def with_own_values(
    model: NeuronModel, preset: str, values: Mapping[str, Value] | None, n: int
) -> tuple[NeuronModel, dict[str, Quantity]]:
    """The model that ``n`` neurons are built with, and the parameters of which each of them has its own value.

    Raises
    ------
    ModelError
        If a value has the wrong dimension, or there are not as many as neurons.
    """
    given = {name: value for name, value in (values or {}).items() if name in model.parameters}
    own = {name: value for name, value in given.items() if not isinstance(value, str) and np.ndim(value) > 0}
    shared = {name: value for name, value in (values or {}).items() if name not in own}
    resolved = with_values(model, preset, shared)
    each = {name: _for_each(f"{model.name}.{name}", model, name, value, n) for name, value in own.items()}
    return (resolved.with_own(*each) if each else resolved), each


def _for_each(where: str, model: NeuronModel, name: str, value: Value, n: int) -> Quantity:
    try:
        quantity = Quantity(value)
        check_dimension(where, quantity, model.parameters[name].dimension)
    except QuantityError as error:
        raise ModelError(str(error)) from None
    except (TypeError, ValueError, DimensionMismatchError):  # several units, texts, lists of several lengths
        raise ModelError(field_error(where, "an array of quantities in one unit", value)) from None
    if quantity.shape != (n,):
        expected = f"one quantity for the whole group, or one for each of its {n} neurons"
        raise ModelError(field_error(where, expected, f"an array of shape {quantity.shape}"))
    if np.any(np.isnan(np.asarray(quantity))):
        raise ModelError(field_error(where, "numbers", "an array with NaN"))
    return quantity


def with_values(model: M, preset: str, values: Mapping[str, Value] | None) -> M:
    """The model with the parameter values that a group is built with, so that it tells the truth about the group."""
    given = {name: value for name, value in (values or {}).items() if name in model.parameters}
    for name, value in given.items():
        if np.ndim(value) > 0 or not isinstance(value, str | int | float | Quantity):
            do = _OWN_OF_SYNAPSES if isinstance(model, SynapseModel) and np.ndim(value) > 0 else ""
            raise ModelError(field_error(f"{model.name}.{name}", "one quantity for the whole group", value, do))
    texts = {name: value if isinstance(value, str) else format_quantity(value) for name, value in given.items()}
    return model.with_values(preset, **texts) if preset or texts else model


def declarations(model: NeuronModel | SynapseModel, own: Collection[str] = ()) -> list[str]:
    """The lines that declare parameters (shared, constant) and value inputs; those of ``own`` are parameters too."""
    shared = " (shared)" if isinstance(model, SynapseModel) else ""
    lines = [f"{name} : {unit_text(entry.dimension)} (shared, constant)" for name, entry in model.parameters.items()]
    for name, entry in model.inputs.items():
        if entry.kind == "value":
            flags = " (constant)" if name in own else shared
            lines.append(f"{name} : {unit_text(parse_quantity(entry.default))}{flags}")
    return lines


def set_values(group: Any, model: NeuronModel | SynapseModel, values: Mapping[str, Value]) -> None:
    """Set parameters, then inputs and initial values, which may be expressions in parameters."""
    group.add_attribute("model")
    group.model = model
    linked = model.linked if isinstance(model, NeuronModel) else []
    settable = {*model.parameters, *model.inputs, *model.parsed.names} - {*model.parsed.subexpr_names, *linked}
    where = f"{group.name} ({model.name})"
    for name in values:
        if name in model.parsed.subexpr_names:
            follows = f"nothing, as it follows from {name} = {model.parsed[name].expr.code}"
            raise ModelError(field_error(f"{where}.{name}", follows, values[name], "Set what it is computed from."))
        if name not in settable:
            raise ModelError(f"{where}: " + unknown("parameter, input or state variable", name, settable))
    for name, parameter in model.parameters.items():
        setattr(group, name, parameter.quantity)
    given = {name: value for name, value in values.items() if name not in model.parameters}
    defaults = {name: entry.default for name, entry in model.inputs.items() if entry.kind == "value"}
    for name, value in {**defaults, **model.initial, **given}.items():
        _set_variable(f"{where}.{name}", group, name, value)


def _set_variable(where: str, group: Any, name: str, value: Value) -> None:
    """Set a variable of each neuron or synapse; a text that is no quantity is an expression for the generated code."""
    if isinstance(value, str):
        try:
            value = parse_quantity(value)
        except QuantityError:
            try:
                ast.parse(value.strip(), mode="eval")  # before Brian2 does, which would leave something behind
            except SyntaxError:
                expected = "a quantity, such as '20 ms', or an expression, such as '20*ms*rand()'"
                raise ModelError(field_error(where, expected, value)) from None
            setattr(group, name, value)
            return
    if isinstance(value, Function):
        do = f"Equations call a function of time, such as {name}(t), and functions declares it."
        raise ModelError(field_error(where, "a quantity, an array or an expression", value, do))
    value = Quantity(value)  # a list becomes an array, whose units must agree
    try:
        check_dimension(str(value), value, group.variables[name].dim)
    except QuantityError as error:
        raise ModelError(f"{where}: {error}") from None
    if isinstance(group, Projection):
        group[name] = value
        return
    if isinstance(group, NeuronGroup) and np.shape(value) not in ((), (1,), (len(group),)):
        expected = f"one value, or one for each of the {len(group)} neurons"
        raise ModelError(field_error(where, expected, f"an array of shape {np.shape(value)}"))
    if isinstance(group, Synapses) and np.ndim(value) > 0 and not group.variables[name].scalar:
        check_length(where, group, value)
    if not np.any(value):
        return  # a new group's variables are zero; an entry for each would only lengthen the program
    setattr(group, name, value)
