"""What goes backwards through a spike of the neuron's own, and through the end of its refractory period."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import sympy

from biosnn.adjoint.gradient import SpikeJump, spread, tidy
from biosnn.adjoint.names import ERROR, JUMP, SLOPE, Expr, lambda_of, symbol


def release(flow: Mapping[str, Expr], flow_held: Mapping[str, Expr]) -> Expr:
    """What the loss changes by with the end of a refractory period."""
    return tidy(sympy.Add(*(lambda_of(name) * (side - flow[name]) for name, side in flow_held.items())))


def spike_jump(values: Mapping[str, Any], tables: Mapping[str, Any], by: Iterable[str]) -> SpikeJump:
    """What goes backwards through a spike.

    A spike that comes later by s finds the state moved by s f before the reset, so that after it there is R f s more,
    and s f(x+) less, which would have been added since. A reset that reads the time itself gives as much more.

    Parameters
    ----------
    values : mapping of str to mapping of str to expression
        Flows and reset, by the names of the fields of `Adjoint`.
    tables : mapping of str to mapping
        Their derivatives.
    by : iterable of str
        The parameters and inputs that gradients are taken of.
    """
    reset, flow, flow_after = values["reset"], values["flow"], values["flow_held"] or values["flow"]
    jacobian, gradient = tables["reset_jacobian"], tables["threshold_gradient"]
    new = {symbol(name): value for name, value in reset.items()}
    changes = []
    for name in flow:
        carried = sympy.Add(*(slope * flow[of] for (to, of), slope in jacobian.items() if to == name))
        carried += sympy.diff(reset[name], symbol("t"))
        lost = flow_after[name].xreplace(new)
        changes.append(lambda_of(name) * spread(carried - lost))
    before = {}
    for name in flow:
        carried = sympy.Add(*(slope * lambda_of(to) for (to, of), slope in jacobian.items() if of == name))
        before[name] = carried - gradient.get(name, 0) * JUMP / SLOPE
    parameters = {}
    for name in by:
        through = sympy.Add(
            *(slope * lambda_of(to) for (to, of), slope in tables["reset_parameters"].items() if of == name)
        )
        total = through - tables["threshold_parameters"].get(name, 0) * JUMP / SLOPE
        if total != 0:
            parameters[name] = total
    return SpikeJump(
        slope=tidy(sympy.Add(*(slope * flow[name] for name, slope in gradient.items()))),
        jump=sympy.Add(*changes, ERROR),
        before=MappingProxyType(before),
        parameters=MappingProxyType(parameters),
    )
