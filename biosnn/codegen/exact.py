"""Exact steps of linear equations whose rates may be equal.

A potential that a decaying current drives has the solution (exp(-t/a) - exp(-t/b))/(1/b - 1/a), of which Brian2 makes
code. Where both time constants are equal that is 0/0, and where they nearly are, few digits are left. The same number
is t exp(-t/b) f((1/b - 1/a) t) with f(x) = (exp(x) - 1)/x, for which there is a function that keeps all digits.
"""

from __future__ import annotations

from typing import Any

import sympy
from brian2.parsing.sympytools import sympy_to_str
from brian2.stateupdaters.exact import get_linear_system, linear

_ACTIVE = ("int(not_refractory)", "int_(not_refractory)")
"""What Brian2 multiplies the right side of an equation by that rests after a spike, as text."""


def exact(equations: Any, variables: Any = None, method_options: Any = None) -> str:
    """Brian2's method "exact", with other code for variables that others drive, which decay by themselves.

    Parameters and result are those of Brian2's state updaters.
    """
    code = str(linear(equations, variables, method_options))
    names, matrix, constants = get_linear_system(equations, variables or {})
    lines = code.splitlines()
    for row, name in enumerate(names):
        drivers = [k for k in range(len(names)) if k != row and matrix[row, k] != 0]
        by_themselves = all(_alone(matrix, k) and constants[k] == 0 for k in drivers)
        if drivers and by_themselves:
            place = next(k for k, line in enumerate(lines) if line.startswith(f"_{name} = "))
            lines[place] = f"_{name} = {_driven(names, matrix, constants, row, drivers)}"
    return "\n".join(lines)


def _alone(matrix: Any, row: int) -> bool:
    return all(matrix[row, k] == 0 for k in range(matrix.shape[0]) if k != row)


def _driven(names: list[str], matrix: Any, constants: Any, row: int, drivers: list[int]) -> str:
    """The value of a variable after a time step."""
    entries = [matrix[row, row], constants[row], *(matrix[row, k] for k in drivers)]
    functions = sympy.Matrix(entries).atoms(sympy.Function)
    active = next((found for found in functions if str(found) in _ACTIVE), None)
    if active is not None:
        once = [entry.subs(active, 1) for entry in entries]
        if any(sympy.expand(entry - active * other) != 0 for entry, other in zip(entries, once, strict=True)):
            active = None
        else:
            entries = once
    rate, constant, *weights = entries
    terms = [f"{names[row]}*exp(({_text(rate)})*dt)"]
    terms += [
        f"({_text(weight)})*{names[k]}*{_together(rate, matrix[k, k])}"
        for weight, k in zip(weights, drivers, strict=True)
    ]
    if constant != 0:
        terms.append(f"({_text(constant)})*{_together(rate, sympy.Integer(0))}")
    value = " + ".join(terms)
    if active is None:
        return value
    return f"int(not_refractory)*({value}) + (1 - int(not_refractory))*{names[row]}"


def _together(one: Any, other: Any) -> str:
    """The integral of exp(one*(dt - s))*exp(other*s) over a time step: no pole, and no overflow for any two rates."""
    if other == 0:
        return f"dt*exprel(({_text(one)})*dt)"
    larger = f"clip(({_text(one)})*dt, ({_text(other)})*dt, inf)"
    return f"dt*exp({larger})*exprel(-abs(({_text(one)}) - ({_text(other)}))*dt)"


def _text(expression: Any) -> str:
    return str(sympy_to_str(expression))
