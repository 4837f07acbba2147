"""The program that an adjoint describes, in double precision and in fifty digits, and its gradient backwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import mpmath
import numpy as np
import sympy

from biosnn import catalogue
from biosnn.adjoint import Adjoint, adjoint, numpy_functions, symbol
from biosnn.quantity import parse_quantity

mpmath.mp.dps = 50


@cache
def of(name: str) -> Adjoint:
    """The adjoint of a model of the catalogue, derived once."""
    return adjoint(catalogue.neuron_model(name))


def parameter_values(a: Adjoint) -> dict[str, float]:
    """The defaults of all parameters and value inputs, in basic units."""
    inputs = {name: one.default for name, one in a.model.inputs.items() if one.kind == "value"}
    texts = {name: one.value for name, one in a.model.parameters.items()} | inputs
    return {name: float(parse_quantity(text)) for name, text in texts.items()}


def numbers(expressions: Sequence[Any], values: Mapping[str, float]) -> list[float]:
    """What expressions are, with values by the names of symbols."""
    return [float(one) for one in function(expressions, list(values))(*values.values())]


def function(expressions: Sequence[Any], names: Sequence[str]) -> Callable[..., Any]:
    """Expressions as a function of numbers of double precision."""
    symbols = [_symbol(name) for name in names]
    made = [sympy.sympify(one) for one in expressions]
    return sympy.lambdify(symbols, made, modules=[numpy_functions(made), "numpy"])  # type: ignore[no-any-return]


def _symbol(name: str) -> Any:
    return sympy.Symbol(name, real=True) if name.startswith("_") else symbol(name)


def precise(expressions: Sequence[Any], names: Sequence[str]) -> Callable[..., Any]:
    """Expressions as a function of numbers of fifty digits."""
    made = [sympy.sympify(one) for one in expressions]
    found = {part.func.__name__ for one in made for part in one.atoms(sympy.Function)}
    functions = {name: _quotients for name in found if name.startswith("_exp_difference")}
    functions["exprel"] = lambda x: mpmath.expm1(x) / x
    symbols = [_symbol(name) for name in names]
    return sympy.lambdify(symbols, made, modules=[functions, "mpmath"])  # type: ignore[no-any-return]


def _quotients(*x: Any) -> Any:
    """The divided difference of the exponential by its definition, for which fifty digits are enough; or its limit."""
    x = tuple(sorted(x))
    if x[0] == x[-1]:
        return mpmath.exp(x[0]) / mpmath.factorial(len(x) - 1)
    return (_quotients(*x[1:]) - _quotients(*x[:-1])) / (x[-1] - x[0])


def backwards(
    a: Adjoint, start: Mapping[str, float], values: Mapping[str, float], steps: int, weights: Mapping[str, float]
) -> dict[str, float]:
    """The gradient of sum(weight * state**2) after some steps, by what a start, a parameter and an input are."""
    names = [*a.states, *values]
    step = function([a.step[name] for name in a.states], names)
    jacobian = function(list(a.step_jacobian.values()), names)
    by_parameters = function(list(a.step_parameters.values()), names)
    path = [list(start.values())]
    for _ in range(steps):
        path.append([float(x) for x in step(*path[-1], *values.values())])
    adjoints = {name: 2 * weights[name] * x for name, x in zip(a.states, path[-1], strict=True)}
    gradient = dict.fromkeys(values, 0.0)
    for x in reversed(path[:-1]):
        for (to, by), slope in zip(a.step_parameters, by_parameters(*x, *values.values()), strict=True):
            gradient[by] += adjoints[to] * float(slope)
        before = dict.fromkeys(a.states, 0.0)
        for (to, of_), slope in zip(a.step_jacobian, jacobian(*x, *values.values()), strict=True):
            before[of_] += adjoints[to] * float(slope)
        adjoints = before
    return {**adjoints, **{name: slope for name, slope in gradient.items() if name in (*a.parameters, *a.inputs)}}


def differences(
    a: Adjoint, start: Mapping[str, float], values: Mapping[str, float], steps: int, weights: Mapping[str, float]
) -> dict[str, float]:
    """The same by central differences of the same program, in fifty digits."""
    step = precise([a.step[name] for name in a.states], [*a.states, *values])

    def loss(changed: Mapping[str, Any]) -> Any:
        x = [changed[name] for name in a.states]
        for _ in range(steps):
            x = step(*x, *(changed[name] for name in values))
        return sum(weights[name] * one**2 for name, one in zip(a.states, x, strict=True))

    exact = {name: mpmath.mpf(float(x)) for name, x in {**start, **values}.items()}
    slopes = {}
    for name in (*a.states, *a.parameters, *(one for one in a.inputs if one in values)):
        h = mpmath.mpf(10) ** -15 * (abs(exact[name]) or 1)
        up, down = (loss({**exact, name: exact[name] + sign * h}) for sign in (1, -1))
        slopes[name] = float((up - down) / (2 * h))
    return slopes


def relative(found: Mapping[str, float], expected: Mapping[str, float]) -> dict[str, float]:
    """How far each number is from what it should be, as a part of that."""
    assert found.keys() == expected.keys()
    return {n: abs(found[n] - x) / abs(x) if x else abs(found[n]) for n, x in expected.items() if np.isfinite(x)}
