"""What the two passes in NumPy share: expressions as functions, and what the forward pass keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sympy
from numpy.typing import NDArray

from biosnn.adjoint import numpy_functions, symbol
from biosnn.adjoint.names import ERROR, JUMP, SLOPE, WEIGHT, lambda_of
from biosnn.display import Brief
from biosnn.training.batch import Floats
from biosnn.training.plan import LayerPlan

Values = Mapping[str, Any]


class Functions:
    """Expressions of a layer as functions of NumPy, by what they give."""

    def __init__(self, plan: LayerPlan) -> None:
        a = plan.adjoint
        names = [*a.states, *a.model.parameters, *a.inputs, "t", "dt"]
        self.names = dict.fromkeys([*names, *(f"_lambda_{state}" for state in a.states), "_err", "_B", "_gdot", "_w"])
        self._symbols = [symbol(name) for name in names] + [lambda_of(state) for state in a.states]
        self._symbols += [ERROR, JUMP, SLOPE, WEIGHT]
        self._made: dict[Any, Any] = {}

    def __call__(self, expression: Any, values: Values) -> Any:
        """What an expression is, with values by the names of its symbols."""
        if expression not in self._made:
            modules = [numpy_functions([sympy.sympify(expression)]), "numpy"]
            self._made[expression] = sympy.lambdify(self._symbols, expression, modules=modules)
        return self._made[expression](*(values.get(name, np.nan) for name in self.names))


@dataclass
class Pass(Brief):
    """What a forward pass keeps for the backward pass.

    Parameters
    ----------
    before, stepped, after : list of mapping
        For each time step, the state variables of each layer before it, after the equations, and after the reset; by
        ``layer.state``, arrays of shape (examples, neurons).
    spikes : list of mapping
        For each step, what spiked: 1 or 0; in a smooth pass anything between.
    resting : list of mapping
        For each step, which neurons were refractory.
    inputs : array, shape (steps, examples, input neurons)
    """

    inputs: Floats
    before: list[dict[str, Floats]] = field(default_factory=list)
    stepped: list[dict[str, Floats]] = field(default_factory=list)
    after: list[dict[str, Floats]] = field(default_factory=list)
    spikes: list[dict[str, Floats]] = field(default_factory=list)
    resting: list[dict[str, NDArray[np.bool_]]] = field(default_factory=list)
