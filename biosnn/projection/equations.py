"""The variables of a projection's synapses: read from the text of a model, and checked."""

from __future__ import annotations

from typing import Any

import numpy as np
from brian2 import DimensionMismatchError, Equations, Quantity, StateUpdateMethod, get_unit
from brian2.core.variables import ArrayVariable
from brian2.equations.equations import DIFFERENTIAL_EQUATION, PARAMETER, SUBEXPRESSION, EquationError

from biosnn.codegen.exact import exact
from biosnn.errors import ModelError, field_error, unknown
from biosnn.projection.kinds import Kind
from biosnn.projection.random.kinds import RandomKind
from biosnn.quantity import unit_text

METHODS = (exact, "euler", "heun")
"""How clock-driven equations are integrated unless one is named: the first that can, as in ``Synapses``."""

_FLAGS = {
    DIFFERENTIAL_EQUATION: ["event-driven", "clock-driven"],
    SUBEXPRESSION: ["shared"],
    PARAMETER: ["constant", "shared"],
}


def parse(where: str, model: str, weights: Any, taken: set[str]) -> Equations:
    """Read a model and add the variable ``w`` for weights that are given.

    Raises
    ------
    ModelError
        If the text is not well formed, has a flag that projections do not know, or a name that they use themselves.
    """
    if not isinstance(model, str):
        raise ModelError(field_error(f"{where}, model", "equations as text", model))
    if weights is not None:
        shared = " (shared)" if np.ndim(weights) == 0 else ""
        model = f"w : {unit_text(get_unit(Quantity(weights).dim) * 1.0)}{shared}\n{model}"
    try:
        equations = Equations(model)
        equations.check_flags(_FLAGS)
    except (EquationError, SyntaxError, ValueError) as error:
        raise ModelError(f"{where}, model: {error}") from None
    for name in sorted(equations.names & taken):
        raise ModelError(field_error(f"{where}, model", "names that a projection does not use itself", name))
    return equations


def check_driven(where: str, equations: Equations) -> None:
    """Refuse equations that depend on variables which are up to date at other times than they.

    Event-driven variables are so at the spikes of their synapse only, the others at every time step.

    Raises
    ------
    ModelError
        If an equation that is clock-driven depends on a variable that is event-driven, or the other way round.
    """

    def driven(equation: Any) -> str:
        return "event-driven" if "event-driven" in equation.flags else "clock-driven"

    for name, dependencies in equations.dependencies.items():
        checked = equations[name]
        for dependency in dependencies:
            other = dependency.equation
            differs = checked.type == other.type == DIFFERENTIAL_EQUATION and driven(checked) != driven(other)
            if differs:
                via = f" (by way of {', '.join(dependency.via)})" if dependency.via else ""
                expected = f"the {driven(checked)} variable {name} to depend on {driven(checked)} variables only"
                do = "Let both be clock-driven."
                raise ModelError(field_error(where, expected, f"{other.varname}, which is {driven(other)}{via}", do))


def split(where: str, kind: Kind, equations: Equations) -> tuple[Equations, Equations]:
    """The event-driven equations, and the others, if a kind can have them.

    Raises
    ------
    ModelError
        If it cannot.
    """
    where = f"{where}, model"
    check_driven(where, equations)
    if isinstance(kind, RandomKind) and not kind.stored and equations.diff_eq_names:
        names = ", ".join(sorted(equations.diff_eq_names))
        raise ModelError(field_error(where, "no equations of synapses that are not stored", names))
    event_driven = [equation for equation in equations.values() if "event-driven" in equation.flags]
    if event_driven and kind.shares_weights:
        names = ", ".join(equation.varname for equation in event_driven)
        do = "Synapses that share a weight are not updated at one time: keep traces on neurons."
        raise ModelError(field_error(where, "no event-driven equations", names, do))
    others = [equation for equation in equations.values() if equation not in event_driven]
    return Equations(event_driven), Equations(others)


def numbers(where: str, values: Any, shape: tuple[int, ...]) -> Quantity:
    """Values of a variable, which are one for all or an array of its shape.

    Raises
    ------
    ModelError
        If they are no real numbers, are not finite, or have another shape.
    """
    try:
        quantity = None if isinstance(values, str) else Quantity(values)
    except (TypeError, ValueError):
        quantity = None
    if quantity is None or np.asarray(quantity).dtype.kind not in "buif":
        do = "Give numbers with a unit, such as 0.5*nS, or an array of them."
        raise ModelError(field_error(where, "real numbers", values, do))
    if quantity.shape not in ((), shape):
        raise ModelError(field_error(where, f"one value or an array of shape {shape}", f"shape {quantity.shape}"))
    if not np.all(np.isfinite(np.asarray(quantity))):
        raise ModelError(field_error(where, "finite values", "NaN or infinity"))
    return quantity


def check_equations(projection: Any, equations: Equations, method: Any) -> None:
    """Check units, that shared expressions depend on shared variables only, and the name of the method.

    Raises
    ------
    ModelError
        If one of them is wrong, or a name is unknown.
    """
    where = f"{projection.where}, model"
    try:
        equations.check_units(projection, run_namespace=projection.namespace)
    except DimensionMismatchError as error:
        raise ModelError(f"{where}: units do not agree: {error}") from None
    except KeyError as error:
        valid = [name for name in projection.variables if not name.startswith("_")]
        name = next((n for n in sorted(equations.identifiers) if n in str(error) and n not in valid), str(error))
        raise ModelError(f"{where}: " + unknown("variable, function or unit", name, valid)) from None
    for equation in equations.values():
        if equation.type == SUBEXPRESSION and "shared" in equation.flags:
            for name in sorted(equation.identifiers & set(projection.variables)):
                var = projection.variables[name]
                if isinstance(var, ArrayVariable) and not var.scalar:
                    expected = f"shared variables in the shared expression {equation.varname}"
                    raise ModelError(field_error(where, expected, name))
    if isinstance(method, str) and method not in StateUpdateMethod.stateupdaters:
        raise ModelError(f"{where}: " + unknown("method", method, StateUpdateMethod.stateupdaters))
