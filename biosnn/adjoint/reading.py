"""A neuron model as expressions: its equations, and whatever else is written in its variables."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import sympy
from brian2.equations.codestrings import Expression
from brian2.equations.equations import (
    DIFFERENTIAL_EQUATION,
    FLOAT,
    PARAMETER,
    SUBEXPRESSION,
    Equations,
    SingleEquation,
)
from brian2.equations.refractory import add_refractoriness
from brian2.parsing.sympytools import str_to_sympy

from biosnn.adjoint.functions import check_smooth, named
from biosnn.adjoint.names import Expr, disguise, disguised, symbol, undisguised
from biosnn.adjoint.statements import Statement, statements
from biosnn.errors import AdjointError
from biosnn.model import NeuronModel

_ACTIVE = str_to_sympy("int(not_refractory)")
_OF_A_RUN = {
    "dt": "is the time step: a derivative would hold for one step only. Write the equation without it.",
    "lastspike": "is the time of the spike before, which depends on all before. Write a variable that decays instead.",
    "not_refractory": "is true or false. Let '(unless refractory)' hold a variable.",
    "i": "is a neuron's number. Let an input hold what differs between neurons.",
    "N": "is the size of a group. Let a parameter hold it.",
}


@dataclass(frozen=True)
class Reading:
    """What a model is made of, with every expression of it in reach.

    Parameters
    ----------
    model : NeuronModel
    """

    model: NeuronModel
    _without_derivative: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.parsed.diff_eq_names:
            do = "Only the time of its spikes could have a gradient, which whoever makes them has to know."
            raise AdjointError(
                f"{self.where}: has no differential equation, and so no state to be differentiated. {do}"
            )
        if self.model.spike_value:
            do = "Train a model whose spikes are all alike."
            raise AdjointError(
                f"{self.where}.spike_value: what a spike carries, {self.model.spike_value}, changes in whole numbers, "
                f"which has no derivative. {do}"
            )
        noise = {"xi", *self.parsed.stochastic_variables}
        for name, equation in self.parsed.items():
            here = f"{self.where}.equations, {name}"
            if "constant over dt" in equation.flags:
                raise AdjointError(f"{here}: is 'constant over dt', a state of its own. Leave the flag out.")
            if equation.type != SUBEXPRESSION and equation.var_type != FLOAT:
                do = "Describe it by a real number, or train the model by another way."
                raise AdjointError(f"{here}: is {equation.var_type}, which has no derivative. {do}")
            if noise & set(equation.identifiers):
                do = "Leave the noise out for training, or give it as an input."
                raise AdjointError(f"{here}: has noise (xi), which is another one in each run. {do}")

    @property
    def where(self) -> str:
        """What to call the model in a message."""
        return f"NeuronModel {self.model.name!r}"

    @cached_property
    def parsed(self) -> Equations:
        """The equations as they are in the file; to read them takes a while."""
        return self.model.parsed

    @cached_property
    def written(self) -> tuple[Statement, ...]:
        """The statements of the reset."""
        return statements(f"{self.where}.reset", self.model.reset)

    @cached_property
    def states(self) -> tuple[str, ...]:
        """Variables that change while the model runs, in the order of the file."""
        changed = {one.target for one in self.written} | set(self.model.spike_inputs)
        return tuple(
            name
            for name, equation in self.parsed.items()
            if equation.type == DIFFERENTIAL_EQUATION or (equation.type == PARAMETER and name in changed)
        )

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """What is set from outside: value inputs, and variables of each neuron that nothing writes to."""
        given = [name for name, entry in self.model.inputs.items() if entry.kind == "value"]
        own = [name for name, equation in self.parsed.items() if equation.type == PARAMETER]
        return (*given, *(name for name in own if name not in self.states))

    @cached_property
    def held(self) -> frozenset[str]:
        """Variables that rest while the neuron is refractory."""
        equations = self.parsed
        return frozenset(name for name in equations if "unless refractory" in equations[name].flags)

    @cached_property
    def names(self) -> frozenset[str]:
        """Every name that is the model's own."""
        return frozenset([*self.parsed, *self.model.parameters, *self.inputs])

    @cached_property
    def equations(self) -> Equations:
        """The equations that the group is made of, in other names, each of which rests as it does there."""
        made = []
        for equation in self.parsed.values():
            code = None if equation.expr is None else Expression(disguised(equation.expr.code, self.names))
            new = disguise(equation.varname)
            made.append(
                SingleEquation(
                    equation.type, new, equation.dim, var_type=equation.var_type, expr=code, flags=equation.flags
                )
            )
        return add_refractoriness(Equations(made)) if self.model.refractory else Equations(made)

    def expression(self, text: str) -> Expr:
        """What a text says, with what subexpressions stand for in their place."""
        expression = _of_text(text)
        while any(symbol(name) in expression.free_symbols for name in self._subexpressions):
            expression = expression.xreplace({symbol(name): one for name, one in self._subexpressions.items()})
        return expression

    def undisguised(self, text: str) -> Expr:
        """What a text in other names says, in the model's own."""
        return undisguised(named(str_to_sympy(text)), self.names)

    @cached_property
    def _subexpressions(self) -> dict[str, Expr]:
        equations = self.parsed
        return {name: _of_text(equations[name].expr.code) for name in equations.subexpr_names}

    def flow(self, *, held: bool) -> dict[str, Expr]:
        """The right sides of the differential equations; zero for variables that nothing but statements changes."""
        sides = dict.fromkeys(self.states, sympy.Integer(0))
        for name, code in self.equations.get_substituted_expressions():
            side = when(self.undisguised(code.code), active=not held)
            own = next(state for state in self.states if disguise(state) == name)
            self.check(f"{self.where}.equations, d{own}/dt", side)
            sides[own] = side
        return sides

    def check(self, where: str, expression: Expr, *, steps: bool = False) -> None:
        """Refuse what has no derivative, and note what no gradient can be taken of; ``steps``: dt may be there."""
        for name, why in _OF_A_RUN.items():
            if symbol(name) in expression.free_symbols and not (steps and name == "dt"):
                raise AdjointError(f"{where}: {name} {why}")
        without = check_smooth(where, expression, [symbol(name) for name in self.states])
        for name, what in without.items():
            self._without_derivative.setdefault(name, f"{where}: is inside {what}")

    def trainable(self, expressions: list[Expr]) -> tuple[tuple[str, ...], dict[str, str]]:
        """The parameters that expressions depend on smoothly, and others with the reason why they are none."""
        read = {one.name for expression in expressions for one in expression.free_symbols}
        parameters, others = [], {}
        for name in (*self.model.parameters, *self.inputs):
            if name in self._without_derivative:
                others[name] = f"{self._without_derivative[name]}, which has no derivative"
            elif name in self.model.parameters and name in read:
                parameters.append(name)
        return tuple(parameters), others


def when(expression: Expr, *, active: bool) -> Expr:
    """An expression while the neuron is not refractory, or while it is."""
    return expression.xreplace({_ACTIVE: sympy.Integer(int(active))})


def _of_text(text: str) -> Expr:
    return undisguised(named(str_to_sympy(text)), ())
