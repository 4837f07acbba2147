"""When a neuron spikes and for how long it rests then, as expressions; or why these have no derivative."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

import sympy
from brian2.parsing.sympytools import str_to_sympy

from biosnn.adjoint.names import Expr, symbol
from biosnn.adjoint.reading import Reading
from biosnn.errors import AdjointError
from biosnn.quantity import parse_quantity

_SINCE, _STEPS_SINCE = str_to_sympy("t - lastspike"), str_to_sympy("timestep(t - lastspike, dt)")
_COMPARE = "Write one comparison, such as 'v > v_th'."


@dataclass(frozen=True)
class Crossing:
    """When a neuron spikes.

    Parameters
    ----------
    threshold : expression
        Spikes are where it becomes positive.
    at_zero : bool
        Whether it spikes where it is zero, too.
    silent : expression or None
        How long after a spike there is no other, beside the refractory period.
    """

    threshold: Expr
    at_zero: bool
    silent: Expr | None


def crossing(reading: Reading) -> Crossing | None:
    """What has to become positive for a spike; None for a neuron that never spikes.

    Raises
    ------
    AdjointError
        If that is more than one comparison, or depends on no state variable, or on time.
    """
    text = reading.model.threshold
    if not text:
        return None
    where = f"{reading.where}.threshold"
    states = {symbol(name) for name in reading.states}
    compared, silent = [], None
    for larger, smaller, equal in _conditions(where, text, ast.parse(text, mode="eval").body):
        left, right = (reading.expression(ast.unparse(side)) for side in (larger, smaller))
        if silent is None and left == _SINCE and not right.free_symbols & states:
            silent = right
        elif silent is None and left == _STEPS_SINCE and right.func == left.func and not right.free_symbols & states:
            silent = right.args[0]
        else:
            compared.append((left - right, equal))
    if len(compared) != 1:
        raise AdjointError(
            f"{where}: {text!r} compares more than one thing, and which of them is last is not known. {_COMPARE}"
        )
    threshold, equal = compared[0]
    if symbol("t") in threshold.free_symbols:
        do = "Write a variable with an equation of its own instead."
        raise AdjointError(f"{where}: {text!r} depends on the time itself. {do}")
    reading.check(where, threshold)
    if not threshold.free_symbols & states:
        raise AdjointError(
            f"{where}: {text!r} depends on no state variable, so that nothing learned moves a spike. {_COMPARE}"
        )
    return Crossing(threshold, equal, silent)


def _conditions(where: str, text: str, node: ast.expr) -> Iterator[tuple[ast.expr, ast.expr, bool]]:
    """The comparisons that all have to hold: what has to be larger, than what, and whether equal is enough."""
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And):
        for value in node.values:
            yield from _conditions(where, text, value)
    elif isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Gt | ast.GtE):
        yield node.left, node.comparators[0], isinstance(node.ops[0], ast.GtE)
    elif isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Lt | ast.LtE):
        yield node.comparators[0], node.left, isinstance(node.ops[0], ast.LtE)
    else:
        raise AdjointError(
            f"{where}: {ast.unparse(node)!r} is no crossing from below, of which a spike's time follows. {_COMPARE}"
        )


def resting(reading: Reading) -> tuple[Expr | None, bool]:
    """The refractory period, and whether it only lasts as long as the neuron is above its threshold.

    Raises
    ------
    AdjointError
        If it is any other condition, or depends on a state variable.
    """
    text, where = reading.model.refractory, f"{reading.where}.refractory"
    if not text:
        return None, False
    do = "Write a duration in parameters, such as 't_ref'."
    if any(isinstance(node, ast.Compare | ast.BoolOp | ast.Not) for node in ast.walk(ast.parse(text, mode="eval"))):
        if text == reading.model.threshold and not reading.held:
            return None, True  # nothing rests, and each crossing is one spike
        raise AdjointError(f"{where}: {text!r} is a condition, whose end has no derivative. {do}")
    period = reading.expression(text)
    reading.check(where, period)
    changing = sorted(period.free_symbols & {symbol(name) for name in (*reading.states, "t")}, key=str)
    if changing:
        raise AdjointError(f"{where}: {text!r} depends on {', '.join(map(str, changing))}, which changes. {do}")
    return period, False


def refused_exactly(reading: Reading, silent: Expr | None, period: Expr | None) -> str | None:
    """Why spikes of a model have no exact gradient although a surrogate gradient can be taken; None if they have."""
    if silent is None:
        return None
    values = {symbol(name): float(parse_quantity(one.value)) for name, one in reading.model.parameters.items()}
    shortest, rest = (sympy.sympify(one or 0).subs(values) for one in (silent, period))
    if not (shortest.is_number and shortest <= rest):
        do = "Let the refractory period be as long, or take a surrogate gradient."
        return (
            f"{reading.where}.threshold: a neuron above its threshold spikes {silent} after its last spike, and not "
            f"when it crosses the threshold. {do}"
        )
    return None
