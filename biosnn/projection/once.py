"""What statements name of the neuron that spikes alone: worked out once, and not at each of its synapses.

A compiler does not do so by itself where it cannot know that nothing in the loop changes it. (Statements that do are
refused, see `check`.) Results stay the same to the last bit. Compilers may put sums and products into another order and
contract a product with what it is added to, and do so differently outside of a loop; so only those are moved in which
there is nothing of the kind.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any

from brian2.codegen.translation import analyse_identifiers
from brian2.core.variables import ArrayVariable, AuxiliaryVariable, Subexpression

from biosnn.codegen.divisible import divisible, written

PREFIX = "_once_"
"""How names begin of what is worked out once."""
_LEAF, _BIT, _SUM, _PRODUCT = "leaf", "bit", "sum", "product"


def worked_out_once(code: str, side: str, variables: Mapping[str, Any], indices: Mapping[str, str]) -> list[str]:
    """The subexpressions among the names in statements that may be worked out before the loop over synapses.

    It is ``s_pre`` in ``x_post += s_pre*w`` where ``s`` depends on presynaptic variables alone, ``w`` differs from
    synapse to synapse and is not written, and nothing else is done to ``x_post`` or with ``s_pre``.

    Parameters
    ----------
    code : str
        The statements.
    side : {"pre", "post"}
        Whose spikes run them.
    variables, indices : mapping
        The variables and functions that they name, and by which index each variable is looked up.
    """
    own, found = f"_{side}synaptic_idx", []
    for line in re.split(r"[\n;]", code):
        product = re.fullmatch(r"\s*(\w+)\s*[+-]=\s*(\w+)\s*\*\s*(\w+)\s*", line)
        if not product:
            continue
        onto, one, other = product.groups()
        for name, factor in ((one, other), (other, one)):
            var, index = variables.get(factor), indices.get(factor)
            differs = isinstance(var, ArrayVariable) and not var.scalar and index not in ("0", own)
            only_here = all(len(re.findall(rf"\b{word}\b", code)) == 1 for word in (onto, name))
            if differs and only_here and factor not in written(code) and _of_neuron(name, own, variables, indices):
                found.append(name)
    return found


def _of_neuron(name: str, own: str, variables: Mapping[str, Any], indices: Mapping[str, str]) -> bool:
    """Whether a subexpression has the same value, to the last bit, at all synapses of the neuron that spikes."""
    var, code = variables.get(name), f"_taken = {name}"
    if not isinstance(var, Subexpression) or var.is_boolean:
        return False
    if not divisible(code, variables, indices, anywhere=True) or _shape(var.expr, variables) in (_PRODUCT, None):
        return False
    named = {other: variables[other] for other in analyse_identifiers(code, dict(variables), recursive=True)[1]}
    if any(isinstance(other, AuxiliaryVariable) for other in named.values()):  # such as i and j
        return False
    arrays = [other for other, array in named.items() if isinstance(array, ArrayVariable) and not array.scalar]
    return {indices[other] for other in arrays} == {own}


def _shape(expression: str, variables: Mapping[str, Any]) -> str | None:
    """What an expression is in the end, or None if the order in which it is worked out may change its last bits."""

    def of(node: Any) -> str | None:
        if isinstance(node, ast.Name):
            var = variables.get(node.id)
            return _shape(var.expr, variables) if isinstance(var, Subexpression) else _LEAF
        if isinstance(node, ast.BinOp):
            return _combined(node.op, of(node.left), of(node.right))
        if isinstance(node, ast.UnaryOp):
            return of(node.operand)
        inner = [of(part) for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr)]
        if isinstance(node, ast.Call):
            inner = inner[1:]  # without the function's name
            truth = len(node.args) == 1 and isinstance(node.args[0], ast.Compare | ast.BoolOp)
            done = _BIT if isinstance(node.func, ast.Name) and node.func.id == "int" and truth else _LEAF
        else:
            done = _LEAF  # a number, or a comparison
        return None if None in inner else done

    return of(ast.parse(expression.strip(), mode="eval").body)


def _combined(operator: ast.operator, *both: str | None) -> str | None:
    if None in both:
        return None
    if isinstance(operator, ast.Add | ast.Sub):
        return None if {_SUM, _PRODUCT} & {*both} else _SUM
    if isinstance(operator, ast.Mult) and _BIT in both:  # what is taken or left out is not rounded
        return both[0] if both[1] == _BIT else both[1]
    return _PRODUCT if isinstance(operator, ast.Mult | ast.Div) and _PRODUCT not in both else None
