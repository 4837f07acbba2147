"""Slow state variables where the others are of single precision: they are double, and their changes are added up."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from itertools import product
from typing import Any

import numpy as np
import sympy
from brian2 import Quantity, defaultclock, prefs
from brian2.parsing.sympytools import str_to_sympy
from brian2.stateupdaters.base import StateUpdateMethod

from biosnn.codegen.exact import exact
from biosnn.model import NeuronModel
from biosnn.quantity import parse_quantity

SMALLEST_CHANGE = 1e-5
"""A number of single precision has seven digits: of a relative change as small as this in a time step, two are left."""

_STEP, _SINGLE = "dt", "_dt"
"""Brian2's time step, and that of single precision."""


def in_double(model: NeuronModel, dt: Quantity | None, own: Mapping[str, Quantity] | None = None) -> dict[str, Any]:
    """The variables that decay, or grow, so slowly that single precision would not see it, each with the type double.

    The threshold of a cell that adapts within hours is one: in a time step it loses less than the last digit of a
    number of single precision. It would not decay at all, or half as fast again, as rounding has it.

    Parameters
    ----------
    model : NeuronModel
        With the parameter values in use.
    dt : Quantity, optional
        The time step; by default the session's.
    own : mapping, optional
        Parameters of which each neuron has its own value. A variable that is slow for any neuron is slow for all.

    Returns
    -------
    dict
        Name to type, as ``NeuronGroup`` takes it; empty where all variables are of double precision.
    """
    if prefs["core.default_float_dtype"] != np.float32:
        return {}
    step = float(defaultclock.dt if dt is None else dt)
    values = {name: float(parse_quantity(parameter.value)) for name, parameter in model.parameters.items()}
    slow = {}
    for name, expression in model.parsed.diff_eq_expressions:
        # A rate grows or falls with each parameter, so that the slowest neuron is no faster than one of these corners.
        named = [each for each in own or {} if each in expression.identifiers]
        ends = [{float(np.min(own[each])), float(np.max(own[each]))} for each in named] if own else []
        for corner in product(*ends):
            rate = _own_rate(name, expression.code, {**values, **dict(zip(named, corner, strict=True))})
            if rate is not None and 0 < abs(rate) * step < SMALLEST_CHANGE:
                slow[name] = np.float64
    return slow


def method(model: NeuronModel, slow: Iterable[str]) -> str | Callable[..., Any]:
    """The integration method of a model, of which some variables are slow.

    Those take a step of Euler's method, which for them is as good as any: the square of their change is nothing. Other
    methods multiply them by a number that is 1 in single precision, in which generated code keeps what it has computed.

    Where variables are of single precision, so is the time step that the others take in generated C++: Brian2's is
    double, and would have all that it is multiplied by computed in double precision, exponentials above all, at several
    times the cost. Equations that name the time step or the time themselves keep the double one.
    """
    base = exact if model.method == "exact" else model.method
    if prefs["core.default_float_dtype"] != np.float32:
        return base
    names = list(slow)
    single = _STEP if {"t", "dt"} & model.parsed.identifiers else _SINGLE

    def updater(equations: Any, variables: Any, options: Any = None) -> Any:
        state_updater = StateUpdateMethod.stateupdaters[base] if isinstance(base, str) else base
        code = state_updater(equations, variables, options)
        if not isinstance(code, str):  # GSL's methods write code of another kind
            return code
        expressions = dict(equations.get_substituted_expressions(variables))
        steps = [_step(name, expressions[name]) for name in names]
        assignments = tuple(f"{left} = " for name in names for left in (name, f"_{name}"))
        lines = [re.sub(r"\bdt\b", single, line) for line in code.splitlines() if not line.startswith(assignments)]
        # After the values for the next step have been computed from those of this one, before they take their place.
        states = tuple(f"{name} = " for name in equations.diff_eq_names)
        first = next((k for k, line in enumerate(lines) if line.startswith(states)), len(lines))
        begin = [f"{_SINGLE} = {_STEP}"] if single == _SINGLE else []
        return "\n".join([*begin, *lines[:first], *steps, *lines[first:]])

    return updater


def _step(name: str, expression: Any) -> str:
    """A step of Euler's method; a random number is one of Brian2's, which has grown with the time step already."""
    drift, noise = expression.split_stochastic()
    changes = [f"dt*({drift.code})"] if drift is not None else []
    changes += [f"{xi}*({factor.code})" for xi, factor in (noise or {}).items()]
    return f"{name} += {' + '.join(changes)}"


def _own_rate(name: str, code: str, values: Mapping[str, float]) -> float | None:
    """How fast a variable decays or grows by itself (1/s), if that is a number."""
    derivative = sympy.diff(str_to_sympy(code), sympy.Symbol(name, real=True))
    rate = derivative.subs({sympy.Symbol(parameter, real=True): value for parameter, value in values.items()})
    return float(rate) if rate.is_number and rate.is_real else None
