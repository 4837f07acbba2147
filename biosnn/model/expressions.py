"""Check the text of equations and statements before Brian2 sees it: syntax, names and physical dimensions.

The text may come from a stranger's file. It is parsed to a syntax tree whose nodes must all be on a short list
(arithmetic, comparison, calls of Brian2's functions), and it is never evaluated. It has been tidied before, by
`biosnn.model.plain`: what is checked here is to the letter what Brian2 gets.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, lru_cache
from graphlib import CycleError, TopologicalSorter
from types import MappingProxyType
from typing import Any

import sympy
from brian2.core.functions import DEFAULT_CONSTANTS, DEFAULT_FUNCTIONS, Function
from brian2.core.namespace import DEFAULT_UNITS
from brian2.core.preferences import prefs
from brian2.core.variables import Variable
from brian2.equations.equations import BOOLEAN, DIFFERENTIAL_EQUATION, INTEGER, PARAMETER, SUBEXPRESSION, Equations
from brian2.parsing.expressions import is_boolean_expression
from brian2.units.fundamentalunits import Dimension

from biosnn.errors import ModelError, QuantityError, field_error, unknown
from biosnn.model import size
from biosnn.model.dimensions import dimension_of, shown
from biosnn.model.plain import check_word
from biosnn.quantity import dimension_name, parse_unit, product_hint

SECOND = DEFAULT_UNITS["second"].dim

_ALLOWED_NODES = (
    *(ast.Expression, ast.Name, ast.Load, ast.Constant, ast.Call, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare),
    *(ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.USub, ast.UAdd),
    *(ast.And, ast.Or, ast.Not, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq),
)
_UNIT_OF_LINE = re.compile(r":([^(\n]*)")
_MAX_DIGITS = 5000.0
_MOST_EQUATIONS = 300
_WRITE_INSTEAD = {
    "BitXor": "For a power, write **.",
    "BitAnd": "Between conditions, write 'and'.",
    "BitOr": "Between conditions, write 'or'.",
    "Invert": "For a condition, write 'not'.",
    "IfExp": "Write int(condition)*a + int(not condition)*b.",
}
_ONLY_SOMETIMES = {
    "xi": "xi, white noise, is for differential equations, and not for subexpressions. Elsewhere, use randn().",
    "lastspike": "A neuron has it if it has a refractory period; a synapse reads lastspike_pre, declared under uses.",
    "not_refractory": "A neuron has it if it has a refractory period.",
}

Scope = Mapping[str, Any]
"""The names that a text may use: Brian2 variables, constants and functions."""
Flags = tuple[tuple[str, tuple[str, ...]], ...]
"""By kind of equation, which flags it may have."""


def scope(
    dimensions: Mapping[str, Dimension], equations: Equations | None = None, functions: Scope = MappingProxyType({})
) -> dict[str, Any]:
    """Collect the names that a text may use: Brian2's own, ``dimensions`` (name -> physical dimension), ``functions``.

    Those that ``equations`` says are true or false, or whole numbers, are that; ``not_refractory`` always is.
    """
    types = {name: equation.var_type for name, equation in (equations or {}).items()} | {"not_refractory": BOOLEAN}
    made, real = {BOOLEAN: bool, INTEGER: int}, prefs["core.default_float_dtype"]  # that of each would be looked up
    variables = {
        name: Variable(name, dimensions=dim, dtype=made.get(types.get(name, ""), real))
        for name, dim in dimensions.items()
    }
    return {**_names_of_brian(), **variables, **functions}


@cache
def _names_of_brian() -> dict[str, Any]:
    real = prefs["core.default_float_dtype"]
    units = {name: Variable(name, unit.dim, scalar=True, dtype=real) for name, unit in DEFAULT_UNITS.items()}
    return {**DEFAULT_FUNCTIONS, **DEFAULT_CONSTANTS, **units}


def own_names(names: Scope) -> list[str]:
    """The names in a scope that are the model's own, for an error message: no units, functions or constants."""
    return [name for name in names if not is_builtin(name)]


def is_builtin(name: str) -> bool:
    return name in DEFAULT_FUNCTIONS or name in DEFAULT_CONSTANTS or name in DEFAULT_UNITS


def identifiers(text: str) -> set[str]:
    """Every identifier that occurs in a text."""
    return set(re.findall(r"(?<![\w.])[A-Za-z_]\w*", text))


def parse_equations(
    where: str, text: str, flags: Mapping[str, Iterable[str]], functions: Scope = MappingProxyType({})
) -> Equations:
    """Parse equations, with the units checked by our own grammar first and the flags against ``flags``.

    They may call Brian2's functions and ``functions``, by name.
    """
    allowed = tuple((kind, tuple(names)) for kind, names in flags.items())
    return _parse(where, text, allowed, functions) if functions else _parsed(where, text, allowed)


@lru_cache(maxsize=512)
def _parsed(where: str, text: str, flags: Flags) -> Equations:
    """Equations that were parsed before, by themselves, are not parsed again: a run asks a dozen times for them."""
    return _parse(where, text, flags, {})


def _parse(where: str, text: str, flags: Flags, functions: Scope) -> Equations:
    units = _UNIT_OF_LINE.findall(text)
    if len(units) > _MOST_EQUATIONS:
        raise ModelError(f"{where}: expected at most {_MOST_EQUATIONS} equations (got {len(units)}).")
    for unit in units:
        if unit.strip() not in ("boolean", "integer"):
            try:
                parse_unit(unit)
            except QuantityError as error:
                raise ModelError(f"{where}: {error}") from None
    _check_right_sides(where, text, functions)
    try:
        equations = Equations(text)
        equations.check_flags({kind: list(names) for kind, names in flags})
    except Exception as error:
        # Brian2 raises a different class for each defect: EquationError, SyntaxError, ValueError, TypeError.
        raise ModelError(f"{where}: {_one_line(error)}") from None
    return equations


def _check_right_sides(where: str, text: str, functions: Scope) -> None:
    """Check the syntax of each right side, and its size with the subexpressions that it names, before Brian2 does."""
    texts = dict(_sides(text))
    trees = {left: syntax_tree(where, right, functions) for left, right in texts.items()}
    for tree in trees.values():
        check_algebra(where, tree, functions)
    used = {left: {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} for left, tree in trees.items()}
    sizes: dict[str, size.Size] = {}
    named = {left: [name for name in texts if name in used[left]] for left in texts}
    try:
        for left in TopologicalSorter(named).static_order():
            sizes[left] = size.check_size(where, texts[left], trees[left].body, sizes)
    except CycleError as error:
        circle = " <- ".join(reversed(error.args[1]))
        expected = "subexpressions that can be computed one after the other"
        raise ModelError(field_error(where, expected, circle, "Let one of them be a variable.")) from None


def _sides(text: str) -> Iterator[tuple[str, str]]:
    """The left and the right side of each equation that has two; a unit follows each equation."""
    for equation in text.split(":")[:-1]:
        left, equals, right = equation.partition("=")
        if equals:
            yield left.rsplit("\n", 1)[-1].strip(), " ".join(right.split())


def check_equations(where: str, equations: Equations, names: Scope) -> None:
    """Check the right-hand side of every equation: known names, and the dimension that the left-hand side asks for."""
    noise = {name: Variable(name, dimensions=SECOND ** (-0.5)) for name in {"xi", *equations.stochastic_variables}}
    for name, equation in equations.items():
        if equation.type == PARAMETER:
            continue
        changes = equation.type == DIFFERENTIAL_EQUATION
        here = f"{where}, d{name}/dt" if changes else f"{where}, {name}"
        dimension = equation.dim / SECOND if changes else equation.dim
        text = str(equation.expr.code).strip()
        check_expression(here, text, dimension, {**names, **noise} if changes else names)
        check_algebra(here, tree := syntax_tree(here, text, names), names)
        if equation.var_type != BOOLEAN:
            _refuse_conditions(here, [tree.body], names)  # other equations take it for a number


def check_expression(where: str, text: str, dimension: Dimension, names: Scope) -> None:
    """Check an expression: allowed syntax, known names, and ``dimension`` as the result."""
    got = dimension_in(where, known_tree(where, text, names), names)
    if got != dimension:
        raise ModelError(
            f"{where}: expected {dimension_name(dimension)}, but {size.cut(text)!r} is {dimension_name(got)}."
        )


def check_value(where: str, text: str, dimension: Dimension, names: Scope) -> None:
    """Check an expression that a variable is set to."""
    check_expression(where, text, dimension, names)
    check_algebra(where, syntax_tree(where, text, names), names)


def check_words(where: str, equations: Equations, names: Iterable[str], texts: str) -> None:
    """Refuse names that mean something else in generated code.

    The name of a subexpression that only equations name, and no other ``texts``, does not come as far.
    """
    put_in = {name for name in equations.subexpr_names if not equations[name].flags} - identifiers(texts)
    for name in sorted(set(names) - put_in):
        check_word(f"{where}.{name}", name)


def check_condition(where: str, text: str, names: Scope) -> None:
    """Check a condition such as ``v > v_th``: allowed syntax, known names, comparable dimensions, true or false."""
    tree = known_tree(where, text, names)
    dimension_in(where, tree, names)
    if not is_condition(where, tree, names):
        raise ModelError(f"{where}: expected a condition such as 'v > v_th' (got {size.cut(text)!r}).")


def is_condition(where: str, tree: ast.Expression, names: Scope) -> bool:
    return bool(said(where, lambda: is_boolean_expression(tree.body, names)))


def shared(equations: Equations) -> set[str]:
    """The variables of which a group has one number for all its neurons or synapses."""
    return {name for name, equation in equations.items() if "shared" in equation.flags}


def known_tree(where: str, text: str, names: Scope) -> ast.Expression:
    """The syntax tree of an expression all of whose names are known."""
    tree = syntax_tree(where, text, names)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id not in names:
            why = _ONLY_SOMETIMES.get(node.id)
            if why:
                raise ModelError(f"{where}: {node.id!r} is not to be had here. {why}")
            raise ModelError(f"{where}: " + unknown_name("variable or parameter", node.id, names))
    signed = (node for node in ast.walk(tree) if isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.Not))
    _refuse_conditions(where, (node.operand for node in signed), names)
    return tree


def unknown_name(what: str, name: str, names: Scope) -> str:
    do = " A synapse declares variables of its neurons under uses." if name.endswith(("_pre", "_post")) else ""
    return unknown(what, size.cut(name), own_names(names)) + do


def syntax_tree(where: str, text: str, names: Scope) -> ast.Expression:
    """Parse an expression and check that it holds nothing but arithmetic, comparisons and calls of known functions.

    Those are Brian2's, and those among ``names``.
    """
    cut = size.cut(text)
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ModelError(f"{where}: {cut!r} is not an expression.{product_hint(text)}") from None
    size.check_nesting(where, text, tree)
    for node in ast.walk(tree):
        if not isinstance(node, _ALLOWED_NODES) or (isinstance(node, ast.Call) and node.keywords):
            kind = type(node).__name__
            do = _WRITE_INSTEAD.get(kind, "Use arithmetic, comparisons and Brian2's functions.")
            raise ModelError(f"{where}: {kind} is not allowed in {cut!r}. {do}")
        if isinstance(node, ast.Call):
            called = node.func.id if isinstance(node.func, ast.Name) else size.cut(ast.unparse(node.func))
            valid = [name for name in DEFAULT_FUNCTIONS if not name.startswith("_")]  # biosnn's own are for its code
            valid += [name for name, known in names.items() if isinstance(known, Function) and name not in valid]
            if called not in valid:
                raise ModelError(f"{where}: " + unknown("function", size.cut(called), valid))
        if isinstance(node, ast.Constant) and not isinstance(node.value, int | float):
            raise ModelError(f"{where}: {node.value!r} is not a number (in {cut!r}).")
        if isinstance(node, ast.Compare) and len(node.comparators) > 1:
            raise ModelError(f"{where}: {shown(node)} compares more than two things. Write {_unchained(node)}.")
        if isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.Not) and _compares(node.operand):
            raise ModelError(
                f"{where}: {shown(node)} has a sign before a condition. Write int(…) around the condition."
            )
    if _digits(tree.body) > _MAX_DIGITS:
        raise ModelError(f"{where}: the powers in {cut!r} are too large to work out.")
    return tree


def _unchained(node: ast.Compare) -> str:
    """A chained comparison, written as Brian2 takes it."""
    sides = [node.left, *node.comparators]
    pairs = [ast.Compare(sides[k], [op], [sides[k + 1]]) for k, op in enumerate(node.ops)]
    return shown(ast.BoolOp(ast.And(), list(pairs)))


def _compares(node: ast.expr) -> bool:
    return isinstance(node, ast.Compare | ast.BoolOp) or (
        isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
    )


def _refuse_conditions(where: str, numbers: Iterable[ast.expr], names: Scope) -> None:
    """Refuse conditions, and variables that are true or false, where numbers are wanted."""
    for node in numbers:
        text = shown(node)
        if _compares(node) or _is_flag(node, names):
            what = f"the condition {text} is" if _compares(node) else f"{text} is true or false, but"
            raise ModelError(f"{where}: {what} used as a number. Write int({text[1:-1]}), which is 1 or 0.")


def _is_flag(node: ast.expr, names: Scope) -> bool:
    if isinstance(node, ast.Name):
        return bool(getattr(names.get(node.id), "is_boolean", False))
    return isinstance(node, ast.Constant) and isinstance(node.value, bool)


def check_algebra(where: str, tree: ast.Expression, names: Scope) -> None:
    """Refuse what Brian2's computer algebra does not take, which equations and assignments go through."""
    drawn: dict[str, int] = {}
    for node in ast.walk(tree):
        _refuse_conditions(where, _operands(node, names), names)
        if isinstance(node, ast.Call):
            drawn[_called(node)] = drawn.get(_called(node), 0) + 1
    twice = [name for name, count in drawn.items() if count > 1 and not _function(name, names).stateless]
    if twice:
        do = "Draw each in a statement or a subexpression of its own."
        raise ModelError(f"{where}: {shown(tree.body)} calls {twice[0]}() more than once. {do}")


def _function(name: str, names: Scope) -> Any:
    return DEFAULT_FUNCTIONS[name] if name in DEFAULT_FUNCTIONS else names[name]


def _operands(node: ast.AST, names: Scope) -> Iterator[ast.expr]:
    """What a number is worked out from, where computer algebra does that."""
    if isinstance(node, ast.BinOp):
        yield from (node.left, node.right)
    elif isinstance(node, ast.Call) and isinstance(_function(_called(node), names).sympy_func, sympy.FunctionClass):
        yield from node.args


def _called(node: ast.Call) -> str:
    assert isinstance(node.func, ast.Name)
    return node.func.id


def _digits(node: ast.AST) -> float:
    """Bound the number of digits that an expression's constants grow to when Brian2's algebra works them out.

    Without a bound, ``9**9**9**9`` in a stranger's file would keep the computer busy for ever.
    """
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        return float(_digits(node.left) * 10.0 ** min(_digits(node.right), 300.0))
    if isinstance(node, ast.Constant):
        number = abs(node.value) if isinstance(node.value, int | float) else 1
        return math.log10(max(2, number, 1 / number if 0 < number < 1 else 1))
    return max(math.log10(2), sum(_digits(child) for child in ast.iter_child_nodes(node)))


def dimension_in(where: str, tree: ast.Expression, names: Scope) -> Dimension:
    return said(where, lambda: dimension_of(tree.body, names))


def said(where: str, parse: Callable[[], Any]) -> Any:
    try:
        return parse()
    except Exception as error:
        # DimensionError, SyntaxError, TypeError, …: all mean that the text is wrong, and say how.
        raise ModelError(f"{where}: {_one_line(error)}") from None


def _one_line(error: BaseException) -> str:
    said = " ".join(str(error).split())
    return said if len(said) <= 500 else f"{said[:497]}..."


__all__ = ["DIFFERENTIAL_EQUATION", "PARAMETER", "SECOND", "SUBEXPRESSION"]
__all__ += ["check_condition", "check_equations", "check_expression"]
__all__ += ["check_value", "check_words"]
__all__ += ["identifiers", "own_names", "parse_equations", "scope", "shared"]
