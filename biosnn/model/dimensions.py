"""The physical dimension of an expression, in time that grows with its length.

The rules are those of Brian2's ``parse_expression_dimensions``, which works out the arguments of a function twice, and
those of a function within them four times.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

from brian2.core.functions import Function
from brian2.core.variables import Constant
from brian2.parsing.expressions import is_boolean_expression
from brian2.units.fundamentalunits import DIMENSIONLESS, Dimension, Unit, get_dimensions, have_same_dimensions

from biosnn.quantity import dimension_name

_SIGNS: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mod: "%"}
_OPERATIONS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Pow: operator.pow,
    ast.Mod: operator.mod,
}


class DimensionError(ValueError):
    """An expression whose parts do not go together; its text says why."""


def dimension_of(node: ast.expr, names: Mapping[str, Any]) -> Dimension:
    """Work out the dimension of an expression.

    Parameters
    ----------
    node : ast.expr
        The expression, of the syntax that `biosnn.model.expressions` allows.
    names : mapping
        The variables, constants and functions of Brian2 that it may use.

    Raises
    ------
    DimensionError
        If the dimensions of its parts do not go together, or a function has another number of arguments.
    """
    match node:
        case ast.Name():
            if isinstance(names[node.id], Function):
                raise DimensionError(f"{node.id} is a function. Write it with its arguments, as {node.id}(…).")
            return get_dimensions(names[node.id])
        case ast.BoolOp():
            for value in node.values:
                dimension_of(value, names)
            return DIMENSIONLESS
        case ast.Compare():
            return _comparison(node, names)
        case ast.Call():
            return _call(node, names)
        case ast.BinOp():
            return _operation(node, names)
        case ast.UnaryOp():
            dimension = dimension_of(node.operand, names)
            return DIMENSIONLESS if isinstance(node.op, ast.Not) else dimension
    return DIMENSIONLESS  # a number


def _comparison(node: ast.Compare, names: Mapping[str, Any]) -> Dimension:
    left, right = dimension_of(node.left, names), dimension_of(node.comparators[0], names)
    if not have_same_dimensions(left, right):
        raise DimensionError(
            f"compares different units in {shown(node)}: {shown(node.left)} is {dimension_name(left)}, "
            f"{shown(node.comparators[0])} is {dimension_name(right)}."
        )
    return DIMENSIONLESS


def _operation(node: ast.BinOp, names: Mapping[str, Any]) -> Dimension:
    left, right = dimension_of(node.left, names), dimension_of(node.right, names)
    if isinstance(node.op, ast.Mult):
        return left * right
    if isinstance(node.op, ast.Div):
        return left / right
    if isinstance(node.op, ast.FloorDiv):
        if left is not DIMENSIONLESS or right is not DIMENSIONLESS:
            raise DimensionError(f"// takes plain numbers only, in {shown(node)}. Divide by a unit with / before.")
        return DIMENSIONLESS
    if isinstance(node.op, ast.Pow):
        if left is DIMENSIONLESS and right is DIMENSIONLESS:
            return DIMENSIONLESS
        return left ** _number(node.right, names)
    if left is not right:
        raise DimensionError(
            f"{shown(node.left)} {_SIGNS[type(node.op)]} {shown(node.right)} uses inconsistent units: the first is "
            f"{dimension_name(left)}, the second {dimension_name(right)}."
        )
    return left


def _call(node: ast.Call, names: Mapping[str, Any]) -> Dimension:
    name = node.func.id  # type: ignore[attr-defined]  # the syntax check has seen to that
    function = names[name]
    given = [dimension_of(argument, names) for argument in node.args]
    if len(given) != len(function._arg_units):
        raise DimensionError(f"{name} takes {len(function._arg_units)} arguments (got {len(given)} in {shown(node)}).")
    for argument, dimension, expected in zip(node.args, given, function._arg_units, strict=True):
        if expected is None:
            continue
        if expected is bool:
            if not is_boolean_expression(argument, names):
                raise DimensionError(f"{name} takes a condition (got {shown(argument)}).")
            continue
        like = given[function._arg_names.index(expected)] if isinstance(expected, str) else expected
        if not have_same_dimensions(dimension, like):
            wanted, got = dimension_name(get_dimensions(like)), dimension_name(dimension)
            raise DimensionError(f"{shown(argument)} is {got}, but {name} takes {wanted} there.")
    if function._return_unit is bool:
        return DIMENSIONLESS
    if isinstance(function._return_unit, Unit | int):
        return getattr(function._return_unit, "dim", DIMENSIONLESS)
    return get_dimensions(function._return_unit(*given))


def _number(node: ast.expr, names: Mapping[str, Any]) -> Any:
    """The value of an exponent, which has to be known for the unit of the power to be."""
    match node:
        case ast.Constant():
            return node.value
        case ast.Name() if isinstance(names[node.id], Constant):
            return names[node.id].get_value()
        case ast.BinOp() if not isinstance(node.op, ast.Sub):  # Brian2 takes that for a sum
            left, right = _number(node.left, names), _number(node.right, names)
            return _OPERATIONS[type(node.op)](float(left) if isinstance(node.op, ast.Div) else left, right)
        case ast.UnaryOp() if isinstance(node.op, ast.USub):
            return -_number(node.operand, names)
    raise DimensionError(f"the exponent of a quantity with a unit is a number, such as 2 or -0.5 (got {shown(node)}).")


def shown(node: ast.expr) -> str:
    """An expression as text for a message, which a person reads."""
    text = ast.unparse(node)
    return f"'{text}'" if len(text) <= 60 else f"'{text[:57]}...'"
