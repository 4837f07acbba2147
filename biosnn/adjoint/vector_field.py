"""The equations of a model between spikes as functions of numbers: the vector field, and its Jacobian."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy
from brian2.units.fundamentalunits import Quantity
from numpy.typing import NDArray

from biosnn.adjoint.derive import derivatives
from biosnn.adjoint.functions import numpy_functions
from biosnn.adjoint.names import Expr, symbol
from biosnn.adjoint.reading import Reading
from biosnn.errors import AdjointError, unknown
from biosnn.model import NeuronModel
from biosnn.quantity import parse_quantity

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class VectorField:
    """How fast the state of a neuron changes between spikes, in basic SI units.

    Parameters
    ----------
    states : tuple of str
        The solutions of the differential equations, in the order of the file: what a state is made of.
    drive : str
        The input that the neuron is driven by. Other inputs have their defaults.
    """

    states: tuple[str, ...]
    drive: str
    _flow: Any
    _jacobian: Any
    _by_drive: Any

    def flow(self, state: Floats, drive: float) -> Floats:
        """The time derivative of each state variable, shape (states,)."""
        return np.asarray(self._flow(*state, drive), dtype=float)

    def jacobian(self, state: Floats, drive: float) -> Floats:
        """The derivatives of the flow (rows) by the state variables (columns)."""
        return np.asarray(self._jacobian(*state, drive), dtype=float)

    def by_drive(self, state: Floats, drive: float) -> Floats:
        """The derivatives of the flow by the drive, shape (states,)."""
        return np.asarray(self._by_drive(*state, drive), dtype=float)


def vector_field(model: NeuronModel, drive: str, values: Mapping[str, Quantity] | None = None) -> VectorField:
    """Derive the vector field of a model and its Jacobian, by computer algebra from the model's own text.

    Parameters
    ----------
    model : NeuronModel
    drive : str
        One of its inputs of kind value.
    values : mapping of str to Quantity, optional
        Other inputs and per-neuron variables that stay constant. Parameters have the values of the model
        (`NeuronModel.with_values`).

    Returns
    -------
    VectorField

    Raises
    ------
    AdjointError
        If there is no such input, a variable has no value, or equations have no derivative.
    """
    reading = Reading(model)
    given = [name for name, entry in model.inputs.items() if entry.kind == "value"]
    if drive not in given:
        raise AdjointError(f"{reading.where}: " + unknown("input of kind value", drive, given))
    moving = tuple(name for name in reading.states if name in reading.parsed.diff_eq_names)
    constants = {name: parse_quantity(one.value) for name, one in model.parameters.items()}
    constants |= {name: parse_quantity(model.inputs[name].default) for name in given if name != drive}
    constants |= dict(values or {})
    numbers = {symbol(name): sympy.Float(float(np.asarray(value))) for name, value in constants.items()}
    flow = {name: side.xreplace(numbers) for name, side in reading.flow(held=False).items() if name in moving}
    arguments = [symbol(name) for name in (*moving, drive)]
    left = sorted({one.name for side in flow.values() for one in side.free_symbols - set(arguments)})
    if left:
        do = "Give it in values."
        raise AdjointError(f"{reading.where}.equations: {', '.join(left)} has no constant value. {do}")
    slopes = derivatives(flow, (*moving, drive))
    rows = [[slopes.get((of, by), sympy.Integer(0)) for by in (*moving, drive)] for of in moving]

    def function(expressions: Any) -> Any:
        return sympy.lambdify(arguments, expressions, [numpy_functions(_flat(expressions)), "numpy"])

    jacobian, by_drive = [row[:-1] for row in rows], [row[-1] for row in rows]
    return VectorField(moving, drive, function(list(flow.values())), function(jacobian), function(by_drive))


def _flat(expressions: Any) -> list[Expr]:
    return [one for row in expressions for one in (row if isinstance(row, list) else [row])]
