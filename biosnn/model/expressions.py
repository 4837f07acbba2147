"""Check the text of equations and statements before Brian2 sees it: syntax, names and physical dimensions.

The text may come from a stranger's file. It is parsed to a syntax tree whose nodes must all be on a short list
(arithmetic, comparison, calls of Brian2's functions), and it is never evaluated.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

from brian2.core.functions import DEFAULT_CONSTANTS, DEFAULT_FUNCTIONS
from brian2.core.namespace import DEFAULT_UNITS
from brian2.core.variables import Variable
from brian2.equations.equations import DIFFERENTIAL_EQUATION, PARAMETER, SUBEXPRESSION, Equations
from brian2.parsing.expressions import is_boolean_expression, parse_expression_dimensions
from brian2.units.fundamentalunits import DIMENSIONLESS, Dimension

from biosnn.errors import ModelError, QuantityError, unknown
from biosnn.quantity import dimension_name, parse_unit

SECOND = DEFAULT_UNITS["second"].dim

_ALLOWED_NODES = (
    *(ast.Expression, ast.Name, ast.Load, ast.Constant, ast.Call, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare),
    *(ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.USub, ast.UAdd),
    *(ast.And, ast.Or, ast.Not, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq),
)
_STATEMENT = re.compile(r"^([A-Za-z]\w*)\s*([-+*/%]?=)(?!=)\s*(.+)$")
_UNIT_OF_LINE = re.compile(r":([^(\n]*)")
_RIGHT_SIDE = re.compile(r"=([^:]*):")
_MAX_DIGITS = 5000.0

Scope = Mapping[str, Any]
"""The names that a text may use: Brian2 variables, constants and functions."""


def scope(dimensions: Mapping[str, Dimension], boolean: Iterable[str] = ()) -> dict[str, Any]:
    """Collect the names that a text may use: Brian2's own, then ``dimensions`` (name -> physical dimension)."""
    names = dict(_names_of_brian())
    names.update({name: Variable(name, dimensions=dim) for name, dim in dimensions.items()})
    names.update({name: Variable(name, dtype=bool) for name in boolean})
    return names


@cache
def _names_of_brian() -> dict[str, Any]:
    units = {name: Variable(name, dimensions=unit.dim, scalar=True) for name, unit in DEFAULT_UNITS.items()}
    return {**DEFAULT_FUNCTIONS, **DEFAULT_CONSTANTS, **units}


def own_names(names: Scope) -> list[str]:
    """The names in a scope that are the model's own, for an error message: no units, functions or constants."""
    return [name for name in names if not _is_builtin(name)]


def _is_builtin(name: str) -> bool:
    return name in DEFAULT_FUNCTIONS or name in DEFAULT_CONSTANTS or name in DEFAULT_UNITS


def identifiers(text: str) -> set[str]:
    """Every identifier that occurs in a text."""
    return set(re.findall(r"(?<![\w.])[A-Za-z_]\w*", text))


def parse_equations(where: str, text: str, flags: Mapping[str, Iterable[str]]) -> Equations:
    """Parse equations, with the units checked by our own grammar first and the flags against ``flags``."""
    for unit in _UNIT_OF_LINE.findall(re.sub(r"#.*", "", text)):
        if unit.strip() not in ("boolean", "integer"):
            try:
                parse_unit(unit)
            except QuantityError as error:
                raise ModelError(f"{where}: {error}") from None
    for expression in _RIGHT_SIDE.findall(re.sub(r"#.*", "", text)):
        _syntax_tree(where, " ".join(expression.split()))
    try:
        equations = Equations(text)
        equations.check_flags({kind: list(names) for kind, names in flags.items()})
    except Exception as error:
        # Brian2 raises a different class for each defect: EquationError, SyntaxError, ValueError, TypeError.
        raise ModelError(f"{where}: {_one_line(error)}") from None
    return equations


def check_equations(where: str, equations: Equations, names: Scope) -> None:
    """Check the right-hand side of every equation: known names, and the dimension that the left-hand side asks for."""
    for name, equation in equations.items():
        if equation.type == PARAMETER:
            continue
        dimension = equation.dim / SECOND if equation.type == DIFFERENTIAL_EQUATION else equation.dim
        left = f"d{name}/dt" if equation.type == DIFFERENTIAL_EQUATION else name
        check_expression(f"{where}, {left}", str(equation.expr.code), dimension, names)


def check_expression(where: str, text: str, dimension: Dimension, names: Scope) -> None:
    """Check an expression: allowed syntax, known names, and ``dimension`` as the result."""
    _check_syntax(where, text, names)
    found = _dimensions(where, lambda: parse_expression_dimensions(text, names))
    if found != dimension:
        raise ModelError(f"{where}: expected {dimension_name(dimension)}, but {text!r} is {dimension_name(found)}.")


def check_condition(where: str, text: str, names: Scope) -> None:
    """Check a condition such as ``v > v_th``: allowed syntax, known names, comparable dimensions, true or false."""
    _check_syntax(where, text, names)
    _dimensions(where, lambda: parse_expression_dimensions(text, names))
    if not is_boolean_expression(text, names):
        raise ModelError(f"{where}: expected a condition such as 'v > v_th' (got {text!r}).")


def check_statements(where: str, text: str, names: Scope, writable: Iterable[str]) -> None:
    """Check statements such as ``v = v_r; theta += theta_plus``.

    A statement assigns to a writable variable, or to a new name that later statements may read.
    """
    known, allowed = dict(names), set(writable)
    for line in split_statements(text):
        match = _STATEMENT.match(line)
        if match is None:
            raise ModelError(f"{where}: expected a statement like 'v = v_r' or 'g += w' (got {line!r}).")
        target, operator, expression = match.groups()
        if target in known and target not in allowed:
            what = "a name of Brian2" if _is_builtin(target) else "constant here"
            raise ModelError(f"{where}: {target!r} is {what} and cannot be written to. " + _list(allowed))
        if operator != "=" and target not in known:
            raise ModelError(f"{where}: " + unknown("variable", target, own_names(known)))
        right = expression if operator == "=" else f"{target} {operator[0]} ({expression})"
        _check_syntax(where, right, known)
        found = _dimensions(where, lambda right=right: parse_expression_dimensions(right, known))  # type: ignore[misc]
        if target not in known:
            known[target] = Variable(target, dimensions=found)
            allowed.add(target)
        elif found != known[target].dim:
            expected = dimension_name(known[target].dim)
            raise ModelError(f"{where}: {target!r} is {expected}, but {line!r} gives it {dimension_name(found)}.")


def split_statements(text: str) -> list[str]:
    """Split statements at line ends and semicolons; comments and blank lines are dropped."""
    lines = re.split(r"[;\n]", re.sub(r"#.*", "", text))
    return [line.strip() for line in lines if line.strip()]


def _check_syntax(where: str, text: str, names: Scope) -> None:
    for node in ast.walk(_syntax_tree(where, text)):
        if isinstance(node, ast.Name) and node.id not in names:
            raise ModelError(f"{where}: " + unknown("variable or parameter", node.id, own_names(names)))


def _syntax_tree(where: str, text: str) -> ast.Expression:
    """Parse an expression and check that it holds nothing but arithmetic, comparisons and calls of known functions."""
    try:
        tree = ast.parse(text.strip(), mode="eval")
        digits = _digits(tree.body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ModelError(f"{where}: {_short(text)!r} is not an expression.") from None
    for node in ast.walk(tree):
        if not isinstance(node, _ALLOWED_NODES) or (isinstance(node, ast.Call) and node.keywords):
            raise ModelError(
                f"{where}: {type(node).__name__} is not allowed in {_short(text)!r}. "
                "Use arithmetic, comparisons and Brian2's functions."
            )
        if isinstance(node, ast.Call):
            called = node.func.id if isinstance(node.func, ast.Name) else ast.unparse(node.func)
            if called not in DEFAULT_FUNCTIONS:
                raise ModelError(f"{where}: " + unknown("function", called, DEFAULT_FUNCTIONS))
        if isinstance(node, ast.Constant) and not isinstance(node.value, int | float):
            raise ModelError(f"{where}: {node.value!r} is not a number (in {_short(text)!r}).")
    if digits > _MAX_DIGITS:
        raise ModelError(f"{where}: the powers in {_short(text)!r} are too large to work out.")
    return tree


def _digits(node: ast.AST) -> float:
    """Bound the number of digits that an expression's constants grow to when Brian2's algebra works them out.

    Without a bound, ``9**9**9**9`` in a stranger's file would keep the computer busy for ever.
    """
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        return float(_digits(node.left) * 10.0 ** min(_digits(node.right), 300.0))
    if isinstance(node, ast.Constant):
        size = abs(node.value) if isinstance(node.value, int | float) else 1
        return math.log10(max(2, size, 1 / size if 0 < size < 1 else 1))
    return max(math.log10(2), sum(_digits(child) for child in ast.iter_child_nodes(node)))


def _short(text: str) -> str:
    return text if len(text) <= 100 else f"{text[:97]}..."


def _dimensions(where: str, parse: Callable[[], Dimension]) -> Dimension:
    try:
        return parse() or DIMENSIONLESS
    except Exception as error:
        # DimensionMismatchError, SyntaxError, TypeError, …: all mean that the text is wrong, and say how.
        raise ModelError(f"{where}: {_one_line(error)}") from None


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())


def _list(names: Iterable[str]) -> str:
    return f"Writable here: {', '.join(sorted(names)) or '(nothing)'}."


__all__ = ["DIFFERENTIAL_EQUATION", "PARAMETER", "SECOND", "SUBEXPRESSION"]
__all__ += ["check_condition", "check_equations", "check_expression", "check_statements", "identifiers"]
__all__ += ["own_names", "parse_equations", "scope", "split_statements"]
