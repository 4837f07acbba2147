"""Expressions of an adjoint as C++: what does not change in a pass is worked out once, common parts once per neuron."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sympy
from brian2.codegen.generators.cpp_generator import CPPCodeGenerator
from brian2.core.functions import DEFAULT_FUNCTIONS
from sympy.printing.cxx import CXX11CodePrinter  # type: ignore[import-untyped, unused-ignore]

from biosnn.adjoint.names import ERROR, JUMP, SLOPE, lambda_of, symbol
from biosnn.training.plan import LayerPlan

Expr = Any
_EXPREL = "static inline double exprel(double x) { return std::fabs(x) < 1e-16 ? 1 : std::expm1(x)/x; }"


class _Printer(CXX11CodePrinter):  # type: ignore[misc]
    """C++ in which a small power is a product and a number has the type of all others."""

    def _print_Pow(self, expr: Expr) -> str:
        base, exponent = expr.as_base_exp()
        if exponent.is_Integer and 2 <= abs(int(exponent)) <= 8:
            product = "*".join([self.parenthesize(base, 1000)] * abs(int(exponent)))
            return f"({product})" if exponent > 0 else f"((real) 1/({product}))"
        return str(super()._print_Pow(expr))

    def _print_Float(self, expr: Expr) -> str:
        return f"(real) {float(expr)!r}"

    def _print_Integer(self, expr: Expr) -> str:
        return f"(real) {int(expr)}" if expr >= 0 else f"((real) {int(expr)})"

    def _print_Rational(self, expr: Expr) -> str:
        return f"((real) {float(expr)!r})"

    def _print_sign(self, expr: Expr) -> str:
        inside = self._print(expr.args[0])
        return f"((real) ({inside} > 0) - (real) ({inside} < 0))"

    def _print_Function(self, expr: Expr) -> str:
        name, inside = type(expr).__name__, ", ".join(map(self._print, expr.args))
        if name == "abs":
            return f"std::fabs({inside})"
        if name == "exprel" or name.startswith("_exp_difference"):
            return f"{name}({inside})"
        return str(super()._print_Function(expr))


_PRINTER = _Printer()


def cpp(expression: Expr) -> str:
    """An expression in C++."""
    return str(_PRINTER.doprint(sympy.sympify(expression)))


def functions(expressions: Iterable[Expr]) -> str:
    """The C++ functions that expressions call and the standard library has not."""
    names = {type(part).__name__ for one in expressions for part in sympy.sympify(one).atoms(sympy.Function)}
    differences = sorted(name for name in names if name.startswith("_exp_difference"))
    codes = [DEFAULT_FUNCTIONS[name].implementations[CPPCodeGenerator].get_code(None) for name in differences]
    return "\n".join([_EXPREL, *(code["support_code"] if isinstance(code, dict) else code for code in codes)])


class LayerCode:
    """Writes the expressions of one layer.

    State variables are called ``s_`` and their name, adjoints ``_lambda_s_`` and the name, parameters ``p_``, since
    names of a model may be words of C++.

    Attributes
    ----------
    hoisted : list of pair
        What is worked out once per pass: names of constants, and what they are of the parameters.
    """

    def __init__(self, plan: LayerPlan) -> None:
        a = plan.adjoint
        self.given = [*a.model.parameters, *a.inputs, "dt"]
        self._renamed = {symbol(name): sympy.Symbol(f"s_{name}", real=True) for name in a.states}
        self._renamed |= {lambda_of(name): sympy.Symbol(f"_lambda_s_{name}", real=True) for name in a.states}
        self._renamed |= {symbol(name): sympy.Symbol(f"p_{name}", real=True) for name in self.given}
        self._changing = {self._renamed[symbol(name)] for name in a.states} | {ERROR, JUMP, SLOPE, symbol("t")}
        self._changing |= {self._renamed[lambda_of(name)] for name in a.states}
        self.hoisted: list[tuple[str, str]] = []
        self._constants: dict[Expr, Expr] = {}
        self._groups = 0

    def constant(self, expression: Expr) -> str:
        """The name of a constant that is what an expression of parameters is."""
        renamed = sympy.sympify(expression).xreplace(self._renamed)
        if renamed not in self._constants:
            name = f"k{len(self.hoisted)}"
            self.hoisted.append((name, cpp(renamed).replace("(real) ", "")))
            self._constants[renamed] = sympy.Symbol(f"c.{name}", real=True)
        return str(self._constants[renamed]).removeprefix("c.")

    def value(self, expression: Expr) -> str:
        """An expression, in line."""
        return cpp(self._hoist(sympy.sympify(expression).xreplace(self._renamed)))

    def statements(self, values: Mapping[str, Expr], *, const: bool = True) -> str:
        """Lines that give names to expressions, what they have in common first."""
        self._groups += 1
        renamed = [self._hoist(sympy.sympify(value).xreplace(self._renamed)) for value in values.values()]
        parts = sympy.numbered_symbols(f"_x{self._groups}_", real=True)
        common, results = sympy.cse(renamed, symbols=parts)
        kind = "const real" if const else "real"
        lines = [f"const real {name} = {cpp(value)};" for name, value in common]
        lines += [f"{kind} {name} = {cpp(value)};" for name, value in zip(values, results, strict=True)]
        lines += [f"(void) {name};" for name in values]
        return "\n".join(lines)

    def _hoist(self, expression: Expr) -> Expr:
        """An expression with constants in place of its parts that do not change."""
        if expression.is_number or expression in self._changing:
            return expression
        if not expression.free_symbols & self._changing:
            name = self.constant(expression)
            return sympy.Symbol(f"c.{name}", real=True)
        if expression.is_Add or expression.is_Mul:
            fixed = [one for one in expression.args if not one.free_symbols & self._changing]
            rest = [self._hoist(one) for one in expression.args if one.free_symbols & self._changing]
            return expression.func(*([self._hoist(expression.func(*fixed))] if fixed else []), *rest)
        return expression.func(*map(self._hoist, expression.args))
