"""Which equations have an exact solution that computer algebra finds in reasonable time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sympy
from brian2.equations.equations import Equations
from brian2.parsing.sympytools import str_to_sympy

from biosnn.errors import ModelError
from biosnn.model import size

_EXACT = ("exact", "linear")
_MOST_COUPLED = 3
_MOST = 30
_FEW, _MOST_SYMBOLS = 3, 7
"""Of no more variables than the first, or parameters than the second, solutions take less than half a minute."""


def check_solvable(where: str, method: str, equations: Equations) -> None:
    """Raise `ModelError` where the exact solution of equations would not be found for minutes, or at all.

    Variables that depend on each other ask for the roots of a polynomial, whose degree is their number. Those of the
    third degree are complex in general, which Brian2 refuses after a long time. With many parameters, expressions grow.
    """
    if method not in _EXACT or len(equations.diff_eq_names) < _MOST_COUPLED:
        return
    if len(equations.diff_eq_names) > _MOST:
        _refuse(where, equations.diff_eq_names, f"are more than {_MOST}")
    expressions = {name: expression.code for name, expression in equations.get_substituted_expressions()}
    reads = {name: _through_subexpressions(equations, name) & set(expressions) for name in expressions}
    together = max(_coupled(reads), key=len)
    if len(together) > _MOST_COUPLED:
        _refuse(where, together, "depend on each other")
    slopes = _slopes(expressions)
    if slopes is None:
        return  # not linear: Brian2 says so at once
    if len(together) == _MOST_COUPLED:
        places = [k for k, name in enumerate(expressions) if name in together]
        unknown = sympy.Dummy("s")
        _, factors = sympy.factor_list(slopes.extract(places, places).charpoly().as_expr(unknown), unknown)
        if max(sympy.degree(factor, unknown) for factor, _ in factors) >= _MOST_COUPLED:
            _refuse(where, together, "depend on each other")
    if len(expressions) > _FEW and len(slopes.free_symbols) > _MOST_SYMBOLS:
        _refuse(where, set(expressions), f"with {len(slopes.free_symbols)} parameters are solved together")


def _refuse(where: str, names: Iterable[str], why: str) -> None:
    raise ModelError(
        f"{where}.method: the exact solution of the equations is not found in reasonable time: "
        f"{size.cut(', '.join(sorted(names)))} {why}. Use 'exponential_euler', 'rk4' or 'euler'."
    )


def _through_subexpressions(equations: Equations, name: str) -> set[str]:
    """The names that an equation reads, and those that its subexpressions read."""
    identifiers: set[str] = set()
    left = [name]
    while left:
        new = equations[left.pop()].identifiers - identifiers
        identifiers |= new
        left += [other for other in new if other in equations.subexpr_names]
    return identifiers


def _slopes(expressions: Mapping[str, str]) -> Any:
    """The matrix of linear equations; None if they are not linear."""
    variables = [sympy.Symbol(name, real=True) for name in expressions]
    right = [str_to_sympy(text) for text in expressions.values()]
    slopes = sympy.Matrix([[sympy.diff(side, variable) for variable in variables] for side in right])
    return None if slopes.free_symbols & set(variables) else slopes


def _coupled(reads: Mapping[str, set[str]]) -> list[set[str]]:
    """The sets of variables each of which depends on all others of its set."""
    reached = {name: _reached(name, reads) for name in reads}
    return [{other for other in reached[name] if name in reached[other]} | {name} for name in reads]


def _reached(name: str, reads: Mapping[str, set[str]]) -> set[str]:
    reached, left = set(reads[name]), list(reads[name])
    while left:
        new = reads[left.pop()] - reached
        reached |= new
        left += new
    return reached
