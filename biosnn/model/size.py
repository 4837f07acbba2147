"""How large the texts of a model become when Brian2 works on them: refused before, where that would take for ever.

Brian2 puts subexpressions into the equations that name them, and multiplies sums out (``(v + w)**2`` has three terms),
with a computer algebra system that takes as long as the result is large.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping
from dataclasses import dataclass

from brian2.core.functions import DEFAULT_FUNCTIONS

from biosnn.errors import ModelError

_DEEPEST = 150
_MOST_PARTS = 5000
_MOST_TERMS = 5000
_MOST_LOOKS = 100_000
_LARGEST_POWER = 1000.0


@dataclass(frozen=True)
class Size:
    """How large an expression is.

    Parameters
    ----------
    parts : float
        Names, numbers and signs, with those of the subexpressions that it names.
    terms : float
        Terms of the sum that it is once it is multiplied out; at least as many as there are.
    widest : float
        The most terms of anything within it.
    """

    parts: float
    terms: float
    widest: float


_ONE = Size(1, 1, 1)


def check_nesting(where: str, text: str, tree: ast.Expression) -> None:
    """Raise `ModelError` if an expression is nested deeper than Brian2 follows it, or follows it in reasonable time."""
    level: list[ast.AST] = [tree]
    depth = 0
    while level:
        level, depth = [child for node in level for child in ast.iter_child_nodes(node)], depth + 1
        if depth > _DEEPEST + 2:  # the tree of a number has two levels more than the expression
            do = "Give its parts names of their own."
            raise ModelError(f"{where}: {cut(text)!r} is nested deeper than {_DEEPEST} levels. {do}")
    if _looks(tree.body) > _MOST_LOOKS:
        do = "Give the inner ones names of their own."
        raise ModelError(f"{where}: {cut(text)!r} has too many functions within functions. {do}")


def _looks(node: ast.AST) -> float:
    """How often Brian2 looks at parts of an expression for its dimension.

    Where that of a function follows from its arguments, it works them out again, and so twice as often at each level.
    """
    looks: list[float] = [_looks(child) for child in ast.iter_child_nodes(node)]
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        return 1 + sum(looks)
    function, given = DEFAULT_FUNCTIONS.get(node.func.id), looks[1:]
    if function is None or not callable(function._return_unit):
        return 1 + sum(given)
    like: list[int] = [function._arg_names.index(unit) for unit in function._arg_units if isinstance(unit, str)]
    return 1.0 + 2 * sum(given) + sum(given[place] for place in like if place < len(given))


def check_size(where: str, text: str, tree: ast.expr, subexpressions: Mapping[str, Size]) -> Size:
    """Raise `ModelError` if the right side of an equation becomes too large to work on; return its size.

    Parameters
    ----------
    where, text : str
        What to call it in a message.
    tree : ast.expr
        The expression.
    subexpressions : mapping
        The sizes of those that it may name.
    """
    size = _size(tree, subexpressions)
    if size.parts > _MOST_PARTS:
        do = "Name fewer subexpressions in each other, or let some be variables."
        said = f"becomes more than {_MOST_PARTS} names and numbers long with the subexpressions that it names"
        raise ModelError(f"{where}: {cut(text)!r} {said}. {do}")
    if size.widest > _MOST_TERMS:
        do = "Name the sum in a variable, or take a smaller power."
        raise ModelError(f"{where}: {cut(text)!r} has more than {_MOST_TERMS} terms once multiplied out. {do}")
    return size


def cut(text: str) -> str:
    """A text of a length that a message can have."""
    return text if len(text) <= 100 else f"{text[:97]}..."


def _size(node: ast.expr, known: Mapping[str, Size]) -> Size:
    if isinstance(node, ast.Name):
        return known.get(node.id, _ONE)
    inner = [_size(child, known) for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
    if not inner:
        return _ONE
    parts = 1 + sum(size.parts for size in inner)
    terms = _terms(node, inner)
    return Size(parts, terms, max(terms, *(size.widest for size in inner)))


def _terms(node: ast.expr, inner: list[Size]) -> float:
    terms = [size.terms for size in inner]
    if isinstance(node, ast.BinOp):
        left, right = terms
        if isinstance(node.op, ast.Add | ast.Sub):
            return left + right
        return left * right if not isinstance(node.op, ast.Pow) else right * _terms_of_power(left, _bound(node.right))
    if isinstance(node, ast.UnaryOp):
        return terms[0]
    return 1.0  # of a function or a condition


def _terms_of_power(terms: float, power: float) -> float:
    """How many terms (a + b + …)**power has, a power that is not whole being taken as the next whole one."""
    if terms <= 1 or power <= 1:
        return terms
    if power > _LARGEST_POWER or terms > _MOST_TERMS:
        return math.inf
    whole = math.ceil(power)
    return float(min(math.comb(int(terms) + whole - 1, whole), 10 * _MOST_TERMS))


def _bound(node: ast.expr) -> float:
    """The largest number that an exponent has in it: (a + b)**(k + 3) is (a + b)**k * (a + b)**3."""
    match node:
        case ast.Constant():
            return min(abs(float(node.value)), 2 * _LARGEST_POWER) if isinstance(node.value, int | float) else 1.0
        case ast.UnaryOp():
            return _bound(node.operand)
        case ast.BinOp():
            left, right = _bound(node.left), _bound(node.right)
            match node.op:
                case ast.Add() | ast.Sub():
                    return left + right
                case ast.Div() if isinstance(node.right, ast.Constant) and right > 0:
                    return left / right
                case ast.Mult() | ast.Div():
                    return left * max(1.0, right)
                case ast.Pow():
                    return float(max(1.0, left) ** min(right, 50.0))
            return left
    return 1.0
