"""How neurons of any model take what a converted network brings them."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from brian2 import Quantity, ms
from brian2.units.fundamentalunits import get_unit
from numpy.typing import ArrayLike

from biosnn.conversion.whole_values import carries_whole_numbers
from biosnn.errors import ConversionError, field_error
from biosnn.model import NeuronModel
from biosnn.quantity import parse_quantity

DT = 1 * ms
"""How long a step is; only the names of rates depend on it."""


@dataclass(frozen=True)
class Membrane:
    """How a neuron model takes a charge of one threshold.

    Parameters
    ----------
    model : NeuronModel
        The model.
    potential, drive : str
        The variable that spikes add to, which is the membrane potential, and that of a lasting input.
    threshold : str
        The parameter that the potential is compared with.
    rest : Quantity
        Where an image begins without ``start``.
    quantum : Quantity
        From there to the threshold.
    current : Quantity
        The value of the lasting input that brings so much in a time step.
    most : int
        The most spikes that a neuron sends in a step: 1, or the parameter ``k`` of a model whose spikes carry a value.
    """

    model: NeuronModel
    potential: str
    drive: str
    threshold: str
    rest: Quantity
    quantum: Quantity
    current: Quantity
    most: int = 1

    @classmethod
    def of(cls, model: NeuronModel) -> Membrane:
        """Find them in a model.

        Raises
        ------
        ConversionError
            If it has no membrane potential that spikes add to, no lasting input, or no parameter for its threshold, or
            if its spikes may carry fractions, which are not counted.
        """
        where = f"Neuron {model.name!r}"
        potentials = [name for name in model.spike_inputs if name in model.parsed.diff_eq_names]
        lasting = [name for name, entry in model.inputs.items() if entry.kind == "value"]
        if not carries_whole_numbers(model):
            do = "Spikes are counted by what they carry: round it, as floor(v/v_th) or int(v >= v_th) does."
            raise ConversionError(
                field_error(
                    f"{where} spike_value",
                    "whole numbers, and nothing that may be a fraction",
                    f"{model.spike_value} = {_expression(model)}",
                    do,
                )
            )
        do = "Conversion takes neurons such as if_soft, if_hard, lif_soft and lif."
        if len(potentials) != 1 or len(lasting) != 1:
            expected = "one membrane potential that spikes add to, and one lasting input"
            raise ConversionError(field_error(f"{where} inputs", expected, list(model.inputs), do))
        potential, drive = potentials[0], lasting[0]
        named = [name for name in model.parameters if re.search(rf"\b{name}\b", model.threshold)]
        if model.spike_value:  # whose threshold has a second condition: below which potential a spike is taken back
            compared = re.findall(rf"\b{potential}\s*>=?\s*(\w+)", model.threshold)
            named = [name for name in named if name in compared]
        if len(named) != 1:
            expected = "a comparison with one parameter, such as 'v >= v_th'"
            raise ConversionError(field_error(f"{where} threshold", expected, model.threshold, do))
        theta = parse_quantity(model.parameters[named[0]].value)
        begin = model.initial.get(potential, "0")
        rest = parse_quantity(model.parameters[begin].value) if begin in model.parameters else 0 * theta
        quantum = Quantity(theta - rest)
        if not float(quantum) > 0:
            raise ConversionError(field_error(f"{where} threshold", "above the potential at the start", quantum, do))
        current = _current(where, model, quantum, drive)
        return cls(model, potential, drive, named[0], Quantity(rest), quantum, current, _most(where, model))

    @property
    def keeps_rest(self) -> bool:
        """Whether a spike takes the threshold off the potential, and what is over stays on it (soft reset)."""
        taken = rf"\b{self.potential}\s*-=\s*(\w+\s*\*\s*)?{self.threshold}\b"
        return re.search(taken, self.model.reset) is not None

    def begin(self, start: ArrayLike) -> Quantity:
        """The membrane potential at which an image begins, so many thresholds from rest."""
        return Quantity(self.rest + np.asarray(start, float) * self.quantum)


def _expression(model: NeuronModel) -> str:
    """What spikes carry, as the model's text has it."""
    equation = model.parsed[model.spike_value]
    return str(equation.expr.code) if equation.expr is not None else "a variable"


def _most(where: str, model: NeuronModel) -> int:
    """How many spikes a step may have."""
    if not model.spike_value or "k" not in model.parameters:
        return 1
    most = parse_quantity(model.parameters["k"].value)
    if not float(most).is_integer() or not 1 <= float(most) <= 2**15:
        raise ConversionError(field_error(f"{where} parameters.k", "a whole number of at least 1", most))
    return int(most)


def leaks(model: NeuronModel) -> bool:
    """Whether a variable of the neuron decays, or grows, by what it is itself."""
    return any(re.search(rf"\b{name}\b", expression.code) for name, expression in model.parsed.diff_eq_expressions)


def _current(where: str, model: NeuronModel, quantum: Quantity, drive: str) -> Quantity:
    """The lasting input that brings a threshold in a step: a slope, or a current that charges a capacitance."""
    dimension = parse_quantity(model.inputs[drive].default).dim
    slope = Quantity(quantum / DT)
    if slope.dim == dimension:
        return slope
    if "C" in model.parameters:
        charging = Quantity(slope * parse_quantity(model.parameters["C"].value))
        if charging.dim == dimension:
            return charging
    expected = f"the unit of {get_unit(slope.dim)}, or a current beside a parameter C"
    raise ConversionError(field_error(f"{where} input {drive}", expected, model.inputs[drive].default))
