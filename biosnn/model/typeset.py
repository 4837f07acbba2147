"""Equations, statements and conditions of a model as formulas: MathML, which browsers show without anything loaded.

Terms stay in the order in which they were written. What is not understood is shown as it stands.
"""

from __future__ import annotations

import ast
import re

from biosnn.display.cards import Safe, block, escaped

_GREEK = dict(
    re.findall(
        r"(\w+)=(\w)",
        "alpha=α beta=β gamma=γ delta=δ epsilon=ε zeta=ζ eta=η theta=θ kappa=κ lambda=λ lambd=λ mu=μ nu=ν xi=ξ pi=π "
        "rho=ρ sigma=σ tau=τ phi=φ chi=χ psi=ψ omega=ω Delta=Δ Theta=Θ Phi=Φ",
    )
)
_SIGNS = {
    ast.Add: "+",
    ast.Sub: "−",
    ast.Mod: "mod",
    ast.FloorDiv: "div",
    ast.And: "and",
    ast.Or: "or",
    ast.Not: "not",
    ast.Lt: "<",
    ast.LtE: "≤",
    ast.Gt: ">",
    ast.GtE: "≥",
    ast.Eq: "=",
    ast.NotEq: "≠",
    ast.USub: "−",
    ast.UAdd: "+",
}
_BINDS: dict[type[ast.AST], int] = {
    ast.Or: 1,
    ast.And: 2,
    ast.Not: 3,
    ast.Compare: 4,
    ast.Add: 5,
    ast.Sub: 5,
    ast.Mult: 6,
    ast.Div: 6,
    ast.Mod: 6,
    ast.FloorDiv: 6,
    ast.USub: 7,
    ast.UAdd: 7,
    ast.Pow: 8,
}
_ATOM = 9
_TIMES = '<mspace width=".2em"></mspace>'
_OPEN, _CLOSE = '<mo stretchy="false">(</mo>', '<mo stretchy="false">)</mo>'
_EQUATION = re.compile(r"(?:d(\w+)/dt|(\w+))\s*(?:=(?!=)\s*(.+?))?\s*:\s*([^:(]+?)\s*(?:\(([^()]*)\))?")
_STATEMENT = re.compile(r"(\w+)\s*([-+*/]?)=(?!=)\s*(.+)")


def formulas(text: str) -> Safe:
    """A text of equations, statements or a condition, a formula a line."""
    return Safe("".join(_formula(line.strip()) for line in re.split(r"[\n;]", text) if line.strip()))


def _formula(line: str) -> Safe:
    # A heading in words may stand before what a trace does at a spike.
    before, _, line = line.rpartition(": ") if line.startswith("at a spike: ") else ("", "", line)
    try:
        if equation := _EQUATION.fullmatch(line):
            slope, name, right, unit, flags = equation.groups()
            left = _fraction(f"<mi>d</mi>{_name(slope)}", "<mi>d</mi><mi>t</mi>") if slope else _name(name)
            about = "" if unit == "1" else f", in {unit}"
            about += f" ({flags})" if flags else ""
            body = left + (f"<mo>=</mo>{_expression(right)}" if right else "") + f"<mtext>{escaped(about)}</mtext>"
        elif statement := _STATEMENT.fullmatch(line):
            name, sign, right = statement.groups()
            old = f"{_name(name)}<mo>{escaped(sign.replace('-', '−'))}</mo>" if sign else ""
            value = f"<mrow>{_expression(right, {'': 0, '+': 5}.get(sign, 6))}</mrow>"
            body = f"{_name(name)}<mo>←</mo>{old}{value}"
        else:
            body = _expression(line)
    except (SyntaxError, ValueError, RecursionError, KeyError, MemoryError):
        return block(line)
    said = f"{escaped(before)}: " if before else ""
    return Safe(f'<div class="biosnn-formula">{said}<math displaystyle="true"><mrow>{body}</mrow></math></div>')


def _expression(text: str, above: int = 0) -> str:
    return _within(ast.parse(text.strip(), mode="eval").body, above)


def _within(node: ast.expr, above: int) -> str:
    """A part of an expression, in brackets if what is around it binds more."""
    text, binds = _part(node)
    return f"<mrow>{_OPEN}{text}{_CLOSE}</mrow>" if binds < above else text


def _part(node: ast.expr) -> tuple[str, int]:
    """A part of an expression, and how much what holds it together binds."""
    if isinstance(node, ast.Name):
        return _name(node.id), _ATOM
    if isinstance(node, ast.Constant):
        return f"<mn>{escaped(node.value)}</mn>", _ATOM
    if isinstance(node, ast.Call):
        arguments = "<mo>,</mo>".join(_within(argument, 0) for argument in node.args)
        return f"{_name(ast.unparse(node.func))}<mrow>{_OPEN}{arguments}{_CLOSE}</mrow>", _ATOM
    if isinstance(node, ast.BinOp):
        return _operation(node)
    if isinstance(node, ast.UnaryOp):
        binds = _BINDS[type(node.op)]
        return f"<mo>{_SIGNS[type(node.op)]}</mo>{_within(node.operand, binds)}", binds
    if isinstance(node, ast.BoolOp):
        binds, sign = _BINDS[type(node.op)], f"<mtext>&#xa0;{_SIGNS[type(node.op)]}&#xa0;</mtext>"
        return sign.join(_within(value, binds + 1) for value in node.values), binds
    if isinstance(node, ast.Compare):
        text = _within(node.left, 5)
        for operator, value in zip(node.ops, node.comparators, strict=True):
            text += f"<mo>{escaped(_SIGNS[type(operator)])}</mo>{_within(value, 5)}"
        return text, _BINDS[ast.Compare]
    raise ValueError(ast.dump(node))


def _operation(node: ast.BinOp) -> tuple[str, int]:
    kind = type(node.op)
    binds = _BINDS[kind]
    if kind is ast.Div:
        return _fraction(_within(node.left, 0), _within(node.right, 0)), _ATOM - 1
    if kind is ast.Pow:
        return f"<msup><mrow>{_within(node.left, _ATOM)}</mrow><mrow>{_within(node.right, 0)}</mrow></msup>", binds
    if kind is ast.Mult:
        return f"{_within(node.left, binds)}{_TIMES}{_within(node.right, binds)}", binds
    return f"{_within(node.left, binds)}<mo>{_SIGNS[kind]}</mo>{_within(node.right, binds + 1)}", binds


def _fraction(above: str, below: str) -> str:
    return f"<mfrac><mrow>{above}</mrow><mrow>{below}</mrow></mfrac>"


def _name(name: str) -> str:
    """A name, with what follows an underscore below it, and Greek letters as such."""
    first, _, rest = name.partition("_")
    if not first or not rest:
        return f"<mi>{escaped(_GREEK.get(name, name))}</mi>"
    below = ", ".join(_GREEK.get(word, word) for word in rest.split("_"))
    return f"<msub><mi>{escaped(_GREEK.get(first, first))}</mi><mtext>{escaped(below)}</mtext></msub>"
