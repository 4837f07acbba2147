"""From a neuron model to its adjoint."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import sympy

from biosnn.adjoint import spiking
from biosnn.adjoint.gradient import Adjoint, SpikeJump, tidy
from biosnn.adjoint.names import ERROR, JUMP, SLOPE, Expr, lambda_of, symbol
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
    reading = Reading(model)
    crossing = spiking.crossing(reading)
    period, rearmed_below = spiking.resting(reading)
    updates = update_statements(reading)
    step, flow = steps(reading, updates, held=False), reading.flow(held=False)
    step_held = steps(reading, updates, held=True) if period is not None else {}
    flow_held = reading.flow(held=True) if period is not None else {}
    reset, initial = _reset(reading), _initial(reading)
    threshold, silent = (crossing.threshold, crossing.silent) if crossing else (None, None)
    whole = [*step.values(), *step_held.values(), *reset.values(), *initial.values(), threshold, period]
    parameters, untrainable = reading.trainable([one for one in whole if one is not None])
    if silent is not None:
        alone = {one.name for one in silent.free_symbols} - set(parameters)
        why = f"{reading.where}.threshold: only says how soon a spike may follow another"
        untrainable.update({name: why for name in alone if name in model.parameters})
    inputs = reading.inputs
    by = [name for name in (*parameters, *inputs) if name not in untrainable]
    tables: dict[str, Any] = {
        "step_jacobian": derivatives(step, reading.states),
        "step_held_jacobian": derivatives(step_held, reading.states),
        "step_parameters": derivatives(step, by),
        "step_held_parameters": derivatives(step_held, by),
        "flow_jacobian": derivatives(flow, reading.states),
        "flow_parameters": derivatives(flow, by),
        "threshold_gradient": _gradient(threshold, reading.states),
        "threshold_parameters": _gradient(threshold, by),
        "reset_jacobian": derivatives(reset, reading.states),
        "reset_parameters": derivatives(reset, by),
        "refractory_parameters": _gradient(period, by),
        "initial_parameters": derivatives(initial, by),
        **{"step": step, "step_held": step_held, "flow": flow, "flow_held": flow_held},
        **{"reset": reset, "initial": initial, "untrainable": untrainable},
    }
    tables["arrivals_refused"] = {
        name: _crosses_itself(reading, name) for name in model.spike_inputs if name in tables["threshold_gradient"]
    }
    rest = [lambda_of(name) * (flow_held[name] - flow[name]) for name in reading.states if name in flow_held]
    return Adjoint(
        model=model,
        states=reading.states,
        parameters=parameters,
        inputs=inputs,
        spike_inputs=tuple(model.spike_inputs),
        held=reading.held,
        threshold=threshold,
        refractory=period,
        release=tidy(sympy.Add(*rest)),
        silent=silent,
        rearmed_below=rearmed_below,
        jump=_jump(threshold, reset, flow, flow_held or flow, tables, by) if threshold is not None else None,
        exact_refused=spiking.refused_exactly(reading, silent, period),
        **{name: MappingProxyType(table) for name, table in tables.items()},
    )


def check_differentiable(model: NeuronModel) -> None:
    """Raise `AdjointError` if no gradient can be derived from a model; the message says why and what to do."""
    adjoint(model)


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


def _gradient(value: Expr | None, names: Iterable[str]) -> dict[str, Expr]:
    return {} if value is None else {name: slope for (_, name), slope in derivatives({"": value}, names).items()}


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
        f"{reading.where}.inputs.{name}: an arriving spike moves {name} across the threshold at once, and the time of the "
        f"spike that follows is its own. {do}"
    )


def _jump(
    threshold: Expr,
    reset: Mapping[str, Expr],
    flow: Mapping[str, Expr],
    flow_after: Mapping[str, Expr],
    tables: Mapping[str, Any],
    by: Iterable[str],
) -> SpikeJump:
    """What goes backwards through a spike.

    A spike that comes later by s finds the state moved by s f before the reset, so that after it there is R f s more, and
    s f(x+) less, which would have been added since. A reset that reads the time itself gives as much more.
    """
    jacobian, gradient = tables["reset_jacobian"], tables["threshold_gradient"]
    new = {symbol(name): value for name, value in reset.items()}
    changes = []
    for name in flow:
        carried = sympy.Add(*(slope * flow[of] for (to, of), slope in jacobian.items() if to == name))
        carried += sympy.diff(reset[name], symbol("t"))
        lost = flow_after[name].xreplace(new)
        changes.append(lambda_of(name) * tidy(sympy.expand(carried - lost)))
    before = {}
    for name in flow:
        carried = sympy.Add(*(slope * lambda_of(to) for (to, of), slope in jacobian.items() if of == name))
        before[name] = carried - gradient.get(name, 0) * JUMP / SLOPE
    parameters = {}
    for name in by:
        through = sympy.Add(*(slope * lambda_of(to) for (to, of), slope in tables["reset_parameters"].items() if of == name))
        total = through - tables["threshold_parameters"].get(name, 0) * JUMP / SLOPE
        if total != 0:
            parameters[name] = total
    return SpikeJump(
        slope=tidy(sympy.Add(*(slope * flow[name] for name, slope in gradient.items()))),
        jump=sympy.Add(*changes, ERROR),
        before=MappingProxyType(before),
        parameters=MappingProxyType(parameters),
    )
