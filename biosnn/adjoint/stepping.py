"""A time step as one expression for each variable: what the statements that Brian2 generates compute, put together."""

from __future__ import annotations

from typing import Any

import sympy
from brian2.core.functions import DEFAULT_FUNCTIONS
from brian2.stateupdaters.base import StateUpdateMethod, UnsupportedEquationsException

from biosnn.adjoint.names import Expr, disguise, symbol
from biosnn.adjoint.reading import Reading, when
from biosnn.adjoint.statements import Statement, after, statements
from biosnn.codegen.exact import method_named
from biosnn.errors import AdjointError

_MOST_PARTS = 1_000
"""Of the expressions of a step. A method of several stages puts each into the next; derivatives are larger still."""


def update_statements(reading: Reading) -> tuple[Statement, ...]:
    """The statements that Brian2 updates the group with, in other names.

    Raises
    ------
    AdjointError
        If the method has no such statements, or does not take the equations.
    """
    where, method = f"{reading.where}.method", reading.model.method
    if method.startswith("gsl"):
        do = "Use 'exact', 'exponential_euler', 'rk4' or 'euler'."
        raise AdjointError(f"{where}: {method!r} chooses its steps while it runs, and has no statements. {do}")
    chosen: Any = method_named(method)
    updater = StateUpdateMethod.stateupdaters[chosen] if isinstance(chosen, str) else chosen
    try:
        code = updater(reading.equations, dict(DEFAULT_FUNCTIONS))
    except UnsupportedEquationsException as error:
        raise AdjointError(f"{where}: {method!r} does not take these equations. {error}") from None
    return statements(where, str(code))


def steps(reading: Reading, updates: tuple[Statement, ...], *, held: bool) -> dict[str, Expr]:
    """Each variable after a time step, in terms of what all were before; ``held``: while the neuron is refractory.

    Raises
    ------
    AdjointError
        If the expressions grow too large, have no derivative, or are no numbers.
    """
    where = f"{reading.where}.method"
    written = [(one.target, when(reading.undisguised(one.value), active=not held)) for one in updates]
    _check_size(where, reading, written)
    found = after([disguise(name) for name in reading.states], written)
    result = {}
    for name in reading.states:
        # Brian2 does not write to a variable that rests, whatever its statements would give it.
        resting = held and name in reading.held
        new = found[disguise(name)].xreplace({symbol(disguise(name)): symbol(name)})
        result[name] = symbol(name) if resting else new
        if result[name].has(sympy.nan, sympy.zoo, sympy.oo, -sympy.oo):
            state = "held" if held else "free"
            do = "Use 'exponential_euler', 'rk4' or 'euler'."
            raise AdjointError(f"{where}: a step of {name} is no number while the neuron is {state}. {do}")
        reading.check(f"{where}, a step of {name}", result[name], steps=True)
    return result


def _check_size(where: str, reading: Reading, written: list[tuple[str, Expr]]) -> None:
    """Refuse expressions that would be too large, before they are put together."""
    sizes: dict[Expr, int] = {}
    for target, value in written:
        sizes[symbol(target)] = sum(sizes.get(part, 1) for part in sympy.preorder_traversal(value))
        if sizes[symbol(target)] > _MOST_PARTS:
            do = "Use 'exponential_euler' or 'euler'."
            raise AdjointError(f"{where}: {reading.model.method!r} makes expressions too large to differentiate. {do}")
