"""Whether what a neuron's spikes carry is always a whole number, as counts of spikes take it to be."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from brian2 import have_same_dimensions

from biosnn.model import NeuronModel
from biosnn.quantity import parse_quantity

_ROUNDED = {"floor", "ceil", "int", "sign"}
"""Functions that give whole numbers of anything."""
_WHOLE_OF_WHOLE = {"abs", "clip"}


def carries_whole_numbers(model: NeuronModel) -> bool:
    """Whether it follows from a model's text that what spikes carry is whole.

    Sums, differences and products of whole numbers are, what is rounded, conditions, parameters of such a value, and
    variables that only such values are given to. A quotient is not.
    """
    return not model.spike_value or _Reading(model).variable(model.spike_value)


class _Reading:
    def __init__(self, model: NeuronModel) -> None:
        self.model, self.supposed = model, set[str]()
        self.equations = model.parsed
        self.given: dict[str, list[ast.expr]] = {}
        for statement in ast.parse(model.reset).body:
            if isinstance(statement, ast.Assign | ast.AugAssign):
                targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
                whole = isinstance(statement, ast.Assign) or isinstance(statement.op, ast.Add | ast.Sub | ast.Mult)
                value = statement.value if whole else ast.Constant(0.5)
                for target in targets:
                    self.given.setdefault(ast.unparse(target), []).append(value)

    def variable(self, name: str) -> bool:
        """Whether a name stands for whole numbers; one that is met again while it is looked at is supposed to."""
        model = self.model
        if name in self.supposed:
            return True
        self.supposed.add(name)
        if name in model.parameters:
            value = parse_quantity(model.parameters[name].value)
            return have_same_dimensions(value, 1) and float(value).is_integer()
        if name in model.inputs or name in self.equations.diff_eq_names:
            return False
        if name in self.equations.subexpr_names:
            return self._is_whole(ast.parse(self.equations[name].expr.code, mode="eval").body)
        if name in self.equations and self.equations[name].var_type in ("integer", "boolean"):
            return True
        initial = [ast.parse(model.initial[name], mode="eval").body] if name in model.initial else []
        known = name in self.equations or name in self.given
        return known and all(map(self._is_whole, [*initial, *self.given.get(name, ())]))

    def _is_whole(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Constant):
            return isinstance(node.value, int | float) and float(node.value).is_integer()
        if isinstance(node, ast.Compare | ast.BoolOp) or (
            isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
        ):
            return True
        if isinstance(node, ast.Name):
            return self.variable(node.id)
        if isinstance(node, ast.UnaryOp):
            return self._is_whole(node.operand)
        if isinstance(node, ast.BinOp):
            return isinstance(node.op, ast.Add | ast.Sub | ast.Mult) and self._all([node.left, node.right])
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            return node.func.id in _ROUNDED or (node.func.id in _WHOLE_OF_WHOLE and self._all(node.args))
        return False

    def _all(self, nodes: Sequence[ast.expr]) -> bool:
        return all(map(self._is_whole, nodes))
