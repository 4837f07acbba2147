"""From a neuron model to its adjoint."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import sympy

from biosnn.adjoint import spiking
from biosnn.adjoint.gradient import Adjoint, tidy
from biosnn.adjoint.jump import release, spike_jump
from biosnn.adjoint.names import Expr, symbol
from biosnn.adjoint.reading import Reading
from biosnn.adjoint.statements import after
from biosnn.adjoint.stepping import steps, update_statements
from biosnn.errors import AdjointError
from biosnn.model import NeuronModel
from biosnn.model.expressions import identifiers

_MOST_TO_EXPAND = 60
"""Operations of an expression of which it is worth a look whether it is zero."""


def adjoint(model: NeuronModel) -> Adjoint:
    """Derive how a loss changes with the variables and the parameters of a neuron.

    The statements that Brian2 generates for a time step are differentiated, so that gradients are those of the
    simulation; spikes, resets, refractoriness and arriving spikes are those of the equations.

    Parameters
    ----------
    model : NeuronModel

    Returns
    -------
    Adjoint

    Raises
    ------
    AdjointError
        If the model has what cannot be differentiated, such as noise; the message says what, why and what to do.
    """
    if model.events:
        do = "Leave the events out, or train the model by another way."
        raise AdjointError(f"NeuronModel {model.name!r}.events: {', '.join(model.events)} has no gradient. {do}")
    if model.linked:
        do = "Make it an input, with a value."
        raise AdjointError(f"NeuronModel {model.name!r}.equations: {', '.join(model.linked)} is another group's. {do}")
    reading = Reading(model)
    crossing = spiking.crossing(reading)
    period, rearmed_below = spiking.resting(reading)
    rests = period is not None
    flow, flow_held = reading.flow(held=False), reading.flow(held=True) if rests else {}
    updates = update_statements(reading)  # after the equations, which have more to say of what is wrong in them
    values = {
        "step": steps(reading, updates, held=False),
        "step_held": steps(reading, updates, held=True) if rests else {},
        "flow": flow,
        "flow_held": flow_held,
        "reset": _reset(reading),
        "initial": _initial(reading),
        "threshold": {"": crossing.threshold} if crossing else {},
        "refractory": {"": period} if rests else {},
    }
    silent = crossing.silent if crossing else None
    parameters, untrainable = _trainable(reading, values, silent)
    by = [name for name in (*parameters, *reading.inputs) if name not in untrainable]
    tables = _tables(reading.states, by, values)
    moved = [name for name in model.spike_inputs if name in tables["threshold_gradient"]]
    return Adjoint(
        model=model,
        states=reading.states,
        parameters=parameters,
        untrainable=MappingProxyType(untrainable),
        inputs=reading.inputs,
        spike_inputs=tuple(model.spike_inputs),
        held=reading.held,
        **tables,
        threshold=crossing.threshold if crossing else None,
        spikes_at_zero=crossing is not None and crossing.at_zero,
        refractory=period,
        release=release(flow, flow_held),
        silent=silent,
        rearmed_below=rearmed_below,
        spike_jump=spike_jump(values, tables, by) if crossing else None,
        exact_refused=spiking.refused_exactly(reading, silent, period),
        arrivals_refused=MappingProxyType({name: _crosses_itself(reading, name) for name in moved}),
    )


def differentiable(model: NeuronModel) -> None:
    """Raise `AdjointError` if no gradient can be derived from a model; the message says why and what to do."""
    adjoint(model)


def _trainable(
    reading: Reading, values: Mapping[str, Any], silent: Expr | None
) -> tuple[tuple[str, ...], dict[str, str]]:
    """The parameters that gradients can be taken of, and others with the reason why not."""
    parameters, others = reading.trainable([one for table in values.values() for one in table.values()])
    if silent is not None:
        alone = {one.name for one in silent.free_symbols} & set(reading.model.parameters) - set(parameters)
        others |= dict.fromkeys(alone, f"{reading.where}.threshold: only says how soon a spike may follow another")
    return parameters, others


def _tables(states: Iterable[str], by: Iterable[str], values: Mapping[str, Any]) -> dict[str, Any]:
    """The tables of an adjoint, of values and of derivatives, read-only."""
    tables: dict[str, Any] = {}
    for name in ("step", "step_held", "flow", "reset"):
        tables[f"{name}_jacobian"] = derivatives(values[name], states)
        tables[f"{name}_parameters"] = derivatives(values[name], by)
    tables["initial_parameters"] = derivatives(values["initial"], by)
    for field, names in (("threshold_gradient", states), ("threshold_parameters", by), ("refractory_parameters", by)):
        of = values[field.partition("_")[0]]
        tables[field] = {name: slope for (_, name), slope in derivatives(of, names).items()}
    tables |= {name: values[name] for name in ("step", "step_held", "flow", "flow_held", "reset", "initial")}
    return {name: MappingProxyType(table) for name, table in tables.items()}


def derivatives(values: Mapping[str, Expr], names: Iterable[str]) -> dict[tuple[str, str], Expr]:
    """The derivatives of expressions by names, but for those that are zero."""
    found = {}
    for name in names:
        for of, value in values.items():
            if symbol(name) in value.free_symbols:
                slope = tidy(sympy.diff(value, symbol(name)))
                if not _is_zero(slope):
                    found[of, name] = slope
    return found


def _is_zero(expression: Expr) -> bool:
    if expression.is_zero or sympy.count_ops(expression) > _MOST_TO_EXPAND:
        return bool(expression.is_zero)
    return bool(sympy.expand(expression) == 0)


def _reset(reading: Reading) -> Mapping[str, Expr]:
    """What each state variable is after a spike."""
    written = [(one.target, reading.expression(one.value)) for one in reading.written]
    reset = after(reading.states, written)
    for name, value in reset.items():
        reading.check(f"{reading.where}.reset, {name}", value)
    return reset


def _initial(reading: Reading) -> dict[str, Expr]:
    """Where state variables start, unless they start at random, which no gradient must go through."""
    initial = {}
    for name, text in reading.model.initial.items():
        value, where = reading.expression(text), f"{reading.where}.initial.{name}"
        if name not in reading.states:
            continue
        if identifiers(text) & {"rand", "randn", "poisson"}:
            read = sorted({one.name for one in value.free_symbols} & set(reading.model.parameters))
            if read:
                do = "Write the initial value in numbers, or give it when the network is built."
                raise AdjointError(f"{where}: {text!r} draws at random what {', '.join(read)} matters to. {do}")
            continue
        reading.check(where, value)
        initial[name] = value
    return initial


def _crosses_itself(reading: Reading, name: str) -> str:
    do = "Let spikes add to a current that drives it, or take a surrogate gradient."
    return (
        f"{reading.where}.inputs.{name}: an arriving spike moves {name} across the threshold at once, and the time "
        f"of the spike that follows is its own. {do}"
    )
