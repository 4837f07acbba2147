"""Neurons at rest need no step: which variables tell whether a group's next step would change anything.

In a network where few neurons are active, most have come to rest: their next step gives the values that they have,
to the last bit. As long as nothing else writes to them, so does every step after it, and none is needed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from brian2.codegen.translation import analyse_identifiers
from brian2.core.functions import Function
from brian2.core.variables import ArrayVariable, Constant, DynamicArrayVariable, Subexpression

FEWEST = 1024
"""Of a group with fewer neurons, all are gone through in less time than it takes to see which rest."""

# What a neuron is refractory by. It depends on time, but only once: a neuron that no longer is refractory stays so
# until it spikes, which the variable itself tells.
_REFRACTORY = re.compile(
    r"^not_refractory = timestep\(t - lastspike, dt\) >= timestep\(([\w.+-]+), dt\)$", re.MULTILINE
)


def watched(code: str, variables: Mapping[str, Any], indices: Mapping[str, str], size: int) -> dict[str, Any]:
    """What a step of a group depends on and what it changes, if a step that changes nothing can be left out.

    That is so if the step follows from these values alone: not from time, from random numbers, or from the values of
    other neurons.

    Parameters
    ----------
    code : str
        The statements of the step, as Brian2's abstract code.
    variables, indices : mapping
        The variables that it names, and by which index each is looked up.
    size : int
        How many neurons the group has.

    Returns
    -------
    dict
        What the template takes: ``arrays`` with a value for each neuron, and ``numbers`` with one for all; empty if
        every step has to be done.
    """
    if size < FEWEST:
        return {}
    refractory = _REFRACTORY.search(code)
    own = _REFRACTORY.sub(f"not_refractory = not_refractory and {refractory[1]} >= dt" if refractory else "", code)
    _, known, unknown = analyse_identifiers(own, dict(variables), recursive=True)
    arrays, numbers = [], []
    for name in sorted(known):
        var = variables.get(name)
        if isinstance(var, Function):
            if not var.stateless:
                return {}
        elif isinstance(var, ArrayVariable) and not isinstance(var, DynamicArrayVariable):
            if var.scalar and var.constant:
                numbers.append(var)
            elif not var.scalar and indices[name] == "_idx" and var.size == size:
                arrays.append(var)
            else:
                return {}
        elif not isinstance(var, Constant | Subexpression):
            return {}
    if unknown or not arrays:
        return {}
    return {"size": size, "arrays": arrays, "numbers": numbers, "refractory": refractory is not None}
