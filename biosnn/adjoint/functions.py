"""Functions of equations: their derivatives where they have one, and what they are in NumPy.

An exact step has differences of exponentials in it. Their derivatives are such differences again, of more points, which
keep all digits where points meet: (exp(x) - 1)/x, which is the difference at x and 0, has the one at x, x and 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import numpy as np
import scipy.special
import sympy
from brian2.core.functions import DEFAULT_FUNCTIONS, timestep
from sympy.core.function import AppliedUndef  # type: ignore[import-untyped]

from biosnn.adjoint.names import Expr
from biosnn.codegen import differences
from biosnn.errors import AdjointError

_BRIAN_EXPREL = DEFAULT_FUNCTIONS["exprel"].sympy_func
_RANDOM = ("rand", "randn", "poisson")
_WITHOUT_DERIVATIVE: dict[str, str] = {
    "int_": "int",
    "clip": "clip",
    "timestep": "timestep",
    "floor": "floor",
    "ceiling": "ceil",
    "sign": "sign",
    "Mod": "%",
}


class exprel(sympy.Function):  # type: ignore[misc]
    """(exp(x) - 1)/x, whose derivative keeps all digits near 0, as that of Brian2's does not."""

    nargs = 1

    @classmethod
    def eval(cls, x: Expr) -> Expr:
        return sympy.Integer(1) if x.is_zero else None

    def fdiff(self, argindex: int = 1) -> Expr:
        assert argindex == 1
        return exp_difference(self.args[0], self.args[0], sympy.Integer(0))

    def _eval_is_real(self) -> Any:
        return self.args[0].is_real


class absolute(sympy.Function):  # type: ignore[misc]
    """abs(x) of a number that is real, which computer algebra does not see of a quotient."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> Expr:
        assert argindex == 1
        return sympy.sign(self.args[0])

    def _eval_is_real(self) -> Any:
        return True


absolute.__name__ = "abs"


class _Difference(sympy.Function):  # type: ignore[misc]
    """The divided difference of the exponential at its arguments."""

    def fdiff(self, argindex: int = 1) -> Expr:
        return exp_difference(*self.args, self.args[argindex - 1])

    def _eval_is_real(self) -> Any:
        return all(x.is_real for x in self.args)


@cache
def _difference_of(count: int) -> Any:
    # Generated code calls a function of as many points by this name, which Brian2 is told of here.
    return type(differences.named(count), (_Difference,), {"nargs": count})


def exp_difference(*points: Expr) -> Expr:
    """The divided difference of the exponential at some points: of two, (exp(x) - exp(y))/(x - y)."""
    return _difference_of(len(points))(*points)


def is_difference(expression: Expr) -> bool:
    """Whether an expression is a call of `exp_difference`."""
    return isinstance(expression, _Difference)


def named(expression: Expr) -> Expr:
    """An expression as it was read, with those functions in it that have a derivative here."""
    # Brian2 reads sqrt as a function that computer algebra knows nothing of.
    expression = expression.replace(sympy.Function("sqrt"), sympy.sqrt)
    # A quotient of two exponentials, as `biosnn.codegen.exact` writes it, has maximum and absolute value in it.
    expression = expression.replace(lambda part: part.is_Mul and part.has(_BRIAN_EXPREL), _with_differences)
    expression = expression.replace(
        lambda part: isinstance(part, AppliedUndef) and part.func.__name__.startswith("_exp_difference_"),
        lambda part: exp_difference(*part.args),
    )
    # Where two rates are one and the same, that quotient is a single exponential.
    expression = expression.replace(
        lambda part: _is_maximum(part) and part.args[0] == part.args[1], lambda part: part.args[0]
    )
    return expression.replace(_BRIAN_EXPREL, exprel).replace(sympy.Abs, absolute)


def _with_differences(product: Expr) -> Expr:
    factors = list(product.args)
    for raised in [one for one in factors if isinstance(one, sympy.exp) and _is_maximum(one.args[0])]:
        x, y, _ = raised.args[0].args
        for other in factors:
            if isinstance(other, _BRIAN_EXPREL) and _is_apart(other.args[0], x - y):
                factors.remove(raised)
                factors.remove(other)
                factors.append(exp_difference(x, y))
                break
    return sympy.Mul(*factors)


def _is_apart(negative: Expr, difference: Expr) -> bool:
    signed = negative.replace(sympy.Abs, lambda inside: inside)
    return negative.has(sympy.Abs) and bool(sympy.expand(signed**2 - difference**2) == 0)


def _is_maximum(part: Expr) -> bool:
    return isinstance(part, AppliedUndef) and part.func.__name__ == "clip" and part.args[2] == sympy.oo


def check_smooth(where: str, expression: Expr, states: Iterable[Expr]) -> dict[str, str]:
    """Refuse what has no derivative with respect to a state variable.

    Returns
    -------
    dict
        The names of what else is inside such functions, with the function: no gradient can be taken of it.

    Raises
    ------
    AdjointError
        If a function, or a condition, of a state variable has no derivative, or a number is drawn at random.
    """
    of_states, without = set(states), {}
    for part in sympy.preorder_traversal(expression):
        name = _name(part)
        if name in _RANDOM:
            do = "Gradients go through what is the same in each run: leave the noise out, or give it as an input."
            raise AdjointError(f"{where}: {name}() is drawn at random. {do}")
        if isinstance(part, sympy.logic.boolalg.Boolean) and not isinstance(part, sympy.Symbol):
            name = "a condition"
        elif name in _WITHOUT_DERIVATIVE:
            name = _WITHOUT_DERIVATIVE[name]
        elif not isinstance(part, AppliedUndef):
            continue
        inside = sorted(one.name for one in part.free_symbols & of_states)
        if inside or name not in (*_WITHOUT_DERIVATIVE.values(), "a condition"):
            what = f"of the state variable {', '.join(inside)} " if inside else ""
            do = "Write it with functions that are smooth, such as exp or tanh, or train the model by another way."
            raise AdjointError(f"{where}: {name} {what}has no derivative. {do}")
        without.update({one.name: name for one in part.free_symbols})
    return without


def _name(part: Expr) -> str:
    return str(getattr(part.func, "__name__", part.func)) if part.args else ""


def numpy_functions(expressions: Iterable[Expr]) -> dict[str, Any]:
    """What `sympy.lambdify` has to be told, beside "numpy", for expressions of an adjoint."""
    found = {part.func.__name__ for one in expressions for part in one.atoms(_Difference)}
    return {
        **dict.fromkeys(found, differences.exp_difference),
        "abs": np.abs,
        "exprel": scipy.special.exprel,
        "int_": lambda x: np.asarray(x).astype(int),
        "timestep": timestep,
        "clip": np.clip,
    }
