"""Exact steps of linear equations whose rates may be equal.

A potential that a decaying current drives has the solution (exp(-t/a) - exp(-t/b))/(1/b - 1/a), of which Brian2 makes
code. Where both time constants are equal that is 0/0, and where they nearly are, few digits are left. The same number
is t exp(-t/b) f((1/b - 1/a) t) with f(x) = (exp(x) - 1)/x, for which there is a function that keeps all digits. Of
longer chains, in which a variable drives another that drives a third one, there is one for every length, in
`differences`: three equal time constants leave (t/tau)**2/2 exp(-t/tau). Variables that depend on each other have
Brian2's solution.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator
from itertools import pairwise
from typing import Any

import sympy
from brian2 import Equations
from brian2.equations.codestrings import Expression, is_constant_over_dt
from brian2.equations.equations import SingleEquation
from brian2.parsing.sympytools import sympy_to_str
from brian2.stateupdaters.base import UnsupportedEquationsException
from brian2.stateupdaters.exact import get_linear_system, linear

from biosnn.codegen import differences

_ACTIVE = ("int(not_refractory)", "int_(not_refractory)")
"""What Brian2 multiplies the right side of an equation by that rests after a spike, as text."""
_DISGUISE = "disguised_{}"
_MOST_WAYS = 1000
"""By which variables reach one, beyond which its line would be too long."""


class Exact:
    """Brian2's method "exact", with other code for variables that others drive."""

    def __call__(self, equations: Any, variables: Any = None, method_options: Any = None) -> str:
        """Parameters and result are those of Brian2's state updaters."""
        variables = variables or {}
        words = {name for name in equations.diff_eq_names if hasattr(sympy, name)}
        if words:
            return _revealed(self(*_disguised(equations, variables, words), method_options), words)
        names, matrix, constants = get_linear_system(equations, variables)
        _check_constant([*matrix, *constants], variables)
        drivers = {row: [k for k in range(len(names)) if k != row and matrix[row, k] != 0] for row in range(len(names))}
        circular = [row for row in drivers if _circular(row, drivers)]
        driven = [row for row in drivers if drivers[row] and row not in circular]
        values = {names[row]: _driven(names, matrix, constants, row, drivers) for row in driven}
        # Brian2 takes seconds for three that drive each other. Of those that are circular it has to know all. Others it
        # solves faster one by one: of several it has to find out which of their rates are equal.
        together = circular or equations.is_stochastic
        left = [equations] if together else [_only(equations, name) for name in names if name not in values]
        for system in left:
            for line in str(linear(system, variables, method_options)).splitlines():
                name, equals, value = line.partition(" = ")
                if name.startswith("_") and equals:
                    values.setdefault(name[1:], value)
        return "\n".join([*(f"_{name} = {values[name]}" for name in names), *(f"{name} = _{name}" for name in names)])

    def __repr__(self) -> str:
        return "exact"


exact = Exact()


def _disguised(equations: Equations, variables: Any, words: Container[str]) -> tuple[Equations, dict[str, Any]]:
    """Equations, and their variables, without names that computer algebra takes for something of its own.

    Brian2 solves a variable E as if it were the number 2.718, and cannot read S, beta and the like.
    """

    def renamed(text: str) -> str:
        return re.sub(
            r"(?<![\w.])[A-Za-z]\w*", lambda found: _DISGUISE.format(found[0]) if found[0] in words else found[0], text
        )

    made = [
        SingleEquation(
            equation.type,
            renamed(name),
            equation.dim,
            var_type=equation.var_type,
            expr=None if equation.expr is None else Expression(renamed(equation.expr.code)),
            flags=equation.flags,
        )
        for name, equation in equations.items()
    ]
    return Equations(made), {**variables, **{renamed(name): variables[name] for name in variables if name in words}}


def _revealed(code: str, words: Iterable[str]) -> str:
    for name in words:
        code = re.sub(rf"\b(_?){re.escape(_DISGUISE.format(name))}\b", rf"\g<1>{name}", code)
    return code


def method_named(name: Any) -> Any:
    """An integration method of Brian2's by its name, but `exact` in place of its own."""
    return exact if name in ("exact", "linear") else name


def _check_constant(entries: Iterable[Any], variables: Any) -> None:
    step = variables["dt"].get_value()[0] if "dt" in variables else None
    for entry in entries:
        if not is_constant_over_dt(entry, variables, step):
            told = f"Expression '{sympy_to_str(entry)}' is not guaranteed to be constant over a time step."
            raise UnsupportedEquationsException(told)


def _only(equations: Equations, name: str) -> Equations:
    """One differential equation, and all else that it may refer to."""
    others = equations.diff_eq_names - {name}
    return Equations([equation for each, equation in equations.items() if each not in others])


def _circular(row: int, drivers: dict[int, list[int]]) -> bool:
    """Whether a variable is driven, be it by way of others, by some that depend on each other."""

    def reached(start: int) -> set[int]:
        reachable: set[int] = set()
        left = [start]
        while left:
            new = set(drivers[left.pop()]) - reachable
            reachable |= new
            left += new
        return reachable

    return any(k in reached(k) for k in {row, *reached(row)})


def _ways(name: str, row: int, drivers: dict[int, list[int]]) -> list[tuple[int, ...]]:
    """All ways on which variables reach one, which each begin with it."""

    def longer(way: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        yield way
        for k in drivers[way[-1]]:
            yield from longer((*way, k))

    ways: list[tuple[int, ...]] = []
    for way in longer((row,)):
        ways.append(way)
        if len(ways) > _MOST_WAYS:
            raise UnsupportedEquationsException(
                f"Variables reach '{name}' on more than {_MOST_WAYS} ways. Use 'exponential_euler', 'rk4' or 'euler'."
            )
    return ways


def _driven(names: list[str], matrix: Any, constants: Any, row: int, drivers: dict[int, list[int]]) -> str:
    """The value of a variable after a time step."""
    coefficients = [matrix[row, row], constants[row], *(matrix[row, k] for k in drivers[row])]
    functions = sympy.Matrix(coefficients).atoms(sympy.Function)
    active = next((function for function in functions if str(function) in _ACTIVE), None)
    # Refractoriness becomes one factor of the whole step if all coefficients have it: the value then stays as it is.
    if active is not None and any(sympy.expand(entry - active * entry.subs(active, 1)) != 0 for entry in coefficients):
        active = None

    def entry(coefficient: Any, of: int) -> Any:
        return coefficient.subs(active, 1) if active is not None and of == row else coefficient

    # A way row <- ... <- start adds the product of its couplings, times the value at its start, times the integral of
    # the exponentials of its rates (`_together`). A constant input is one variable more on the way, of rate 0.
    terms = []
    for way in _ways(names[row], row, drivers):
        rates = [entry(matrix[k, k], k) for k in way]
        weights = [_factor(entry(matrix[one, other], one)) for one, other in pairwise(way)]
        start = way[-1]
        terms.append("*".join([*weights, names[start], _together(rates)]))
        if constants[start] != 0:
            weights.append(_factor(entry(constants[start], start)))
            terms.append("*".join([*weights, _together([*rates, sympy.Integer(0)])]))
    value = " + ".join(terms)
    if active is None:
        return value
    return f"int(not_refractory)*({value}) + (1 - int(not_refractory))*{names[row]}"


def _together(rates: list[Any]) -> str:
    """The integral of exponentials of these rates, one after another, over a time step: no pole, and no overflow."""
    if len(rates) == 1:
        return f"exp({_over_the_step(rates[0])})"
    if len(rates) > 2:
        points = ", ".join(map(_over_the_step, rates))
        return "*".join(["dt"] * (len(rates) - 1) + [f"{differences.named(len(rates))}({points})"])
    if 0 in rates:
        one, other = rates
        return f"dt*exprel({_over_the_step(one if other == 0 else other)})"
    # (exp(a) - exp(b))/(a - b) = exp(max(a, b)) exprel(-abs(a - b)): nothing overflows, however fast one decays.
    one, other = map(_factor, rates)
    return f"dt*exp(clip({one}*dt, {other}*dt, inf))*exprel(-abs({one} - {other})*dt)"


def _over_the_step(rate: Any) -> str:
    """A rate times the time step, which has no unit; nor has a zero of Brian2's."""
    return "0.0" if rate == 0 else f"{_factor(rate)}*dt"


def _factor(expression: Any) -> str:
    return f"({sympy_to_str(expression)})"
