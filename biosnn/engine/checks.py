"""What a simulation must not leave behind: state variables that are not numbers."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from typing import Any

import numpy as np
from brian2 import Equations
from brian2.core.variables import ArrayVariable

from biosnn.errors import RunError


def states(objects: Iterable[Any]) -> Iterator[tuple[Any, str, Any, bool]]:
    """All (group, name, variable, whether it has a differential equation) that can go wrong, those that have one first.

    Objects that hold no state, and variables that generated code does not change, are passed over.
    """
    groups = [obj for obj in objects if isinstance(getattr(obj, "equations", None), Equations)]
    for wanted in (True, False):
        for group in groups:
            differential = getattr(getattr(group, "equations", None), "diff_eq_names", ())
            for name, var in sorted(group.variables.items()):
                if (name in differential) is wanted and _is_state(group, var):
                    yield group, name, var, wanted


def check_states(objects: Iterable[Any], given: Container[Any], dt: str) -> None:
    """Refuse NaN in any variable of groups with equations, and infinity in one with a differential equation.

    Parameters
    ----------
    objects
        Objects of a network.
    given
        Variables into which the user has put NaN, which is the user's affair unless they have a differential equation.
    dt
        The time step as text, for the advice.

    Raises
    ------
    RunError
        Naming group, model, variable, the first index and how many values are affected.
    """
    for group, name, var, differential in states(objects):
        if var in given and not differential:
            continue
        values = np.atleast_1d(np.asarray(var.get_value()))
        wrong = ~np.isfinite(values) if differential else np.isnan(values)
        if wrong.any():
            raise RunError(_message(group, name, values, wrong, dt))


def _is_state(group: Any, var: Any) -> bool:
    return (
        isinstance(var, ArrayVariable)
        and not var.read_only
        and not var.constant
        and bool(np.issubdtype(var.dtype, np.floating))
        and getattr(var.owner, "name", None) == group.name
    )


def _message(group: Any, name: str, values: Any, wrong: Any, dt: str) -> str:
    first = int(np.flatnonzero(wrong)[0])
    what = "NaN" if np.isnan(values[first]) else "infinite"
    return (
        f"{name} of {describe(group)} is {what} after the run, first at index {first}, for {int(wrong.sum())} of "
        f"{wrong.size}. Usual causes: dt = {dt} is too large for the fastest time constant, a division by zero, a "
        "logarithm or root of a negative number, or a parameter that was never set (0 by default)."
    )


def describe(owner: Any) -> str:
    """The name of an object, with that of its model if it has one."""
    try:
        model = getattr(getattr(owner, "model", None), "name", None)
        name = str(owner.name)
    except (ReferenceError, AttributeError):
        return "a temporary object"
    return f"{name}, model {model}" if model else name
