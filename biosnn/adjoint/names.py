"""Names of a model as symbols, and the symbols that a gradient adds to them.

Computer algebra takes names such as E, I, S, N, beta and gamma for something of its own where it reads a text.
Equations go through it under other names, which begin with `_PREFIX`, and what comes out is told in symbols, never in a
text that would be read again. What a gradient adds begins with _, as no name of a model does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import sympy
from brian2.core.namespace import DEFAULT_UNITS

Expr = Any
"""An expression of sympy, which has no types."""

_PREFIX = "m_"
_TIME = ("t", "dt")


def symbol(name: str) -> Expr:
    """The symbol of a variable, parameter or input; ``"t"`` and ``"dt"`` are the time and the time step."""
    return sympy.Symbol(name, real=True, positive=True) if name in _TIME else sympy.Symbol(name, real=True)


def lambda_of(state: str) -> Expr:
    """The symbol of the adjoint of a state variable: what the loss changes by with that variable."""
    return sympy.Symbol(f"_lambda_{state}", real=True)


WEIGHT = sympy.Symbol("_w", real=True)
"""What an arriving spike adds to a variable."""
ERROR = sympy.Symbol("_err", real=True)
"""What the loss changes by with the time of a spike, but for the neuron's own state: what targets sent back, dL/dt of
that spike, and what the end of the refractory period, which shifts with it, adds."""
JUMP = sympy.Symbol("_B", real=True)
"""What the loss changes by with the time of a spike, in sum."""
SLOPE = sympy.Symbol("_gdot", real=True)
"""How fast the neuron crosses its threshold."""


def disguised(text: str, names: Iterable[str]) -> str:
    """A text with other names for those of a model, which computer algebra takes for nothing else."""
    return re.sub(r"(?<![\w.])[A-Za-z]\w*", _renaming(names), text)


def _renaming(names: Iterable[str]) -> Any:
    known = frozenset(names)
    return lambda found: f"{_PREFIX}{found[0]}" if found[0] in known else found[0]


def disguise(name: str) -> str:
    """The other name of a model's name."""
    return f"{_PREFIX}{name}"


def undisguised(expression: Expr, names: Iterable[str]) -> Expr:
    """An expression in the model's own names again, and units as what they are in basic units."""
    own: Mapping[Expr, Expr] = {symbol(disguise(name)): symbol(name) for name in names}
    units = {
        one: sympy.Float(float(DEFAULT_UNITS[one.name])) for one in expression.free_symbols if one.name in DEFAULT_UNITS
    }
    return expression.xreplace({**own, **units})
