"""What a simulation must not leave behind: state variables that are not numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from brian2 import NeuronGroup, Synapses
from brian2.core.variables import ArrayVariable

from biosnn.engine.device import describe
from biosnn.errors import RunError


def check_states(objects: Iterable[Any], changed: Callable[[Any], bool], dt: str) -> None:
    """Refuse NaN in any variable of a neuron group or synapses, and infinity in one with a differential equation.

    Parameters
    ----------
    objects
        Objects of a network; those that hold no state are passed over.
    changed
        Whether generated code may have changed a variable. A NaN that the user has put in is the user's affair.
    dt
        The time step as text, for the advice.

    Raises
    ------
    RunError
        Naming group, model, variable, the first index and how many values are affected.
    """
    for group in objects:
        if not isinstance(group, NeuronGroup | Synapses):
            continue
        differential = getattr(getattr(group, "equations", None), "diff_eq_names", ())
        for name, var in sorted(group.variables.items()):
            if not _is_state(group, var) or not changed(var):
                continue
            values = np.atleast_1d(np.asarray(var.get_value()))
            wrong = ~np.isfinite(values) if name in differential else np.isnan(values)
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
