"""Neurons at rest need no step: which variables tell whether a group's next step would change anything.

In a network where few neurons are active, most have come to rest: their next step gives the values that they have,
to the last bit. As long as nothing else writes to them, so does every step after it, and none is needed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from brian2.codegen.generators.cpp_generator import c_data_type
from brian2.codegen.translation import analyse_identifiers
from brian2.core.functions import Function
from brian2.core.variables import ArrayVariable, Constant, DynamicArrayVariable, Subexpression

FEWEST = 1024
"""Of a group with fewer neurons, all are gone through in less time than it takes to see which rest."""

# What a neuron is refractory by. It depends on time, but only once: within a run, a neuron that no longer is refractory
# stays so until it spikes, which the variable itself tells. Between runs, all may have been set (stateupdate.cpp).
_REFRACTORY = re.compile(
    r"^not_refractory = timestep\(t - lastspike, dt\) >= timestep\(([\w.+-]+), dt\)$", re.MULTILINE
)

# The same in C++, as Brian2 writes it: the declaration, the question, and the answer kept.
_DECLARED = re.compile(r"(const )?char not_refractory( = \w+\[_idx\])?;")
_ASKED = re.compile(r"not_refractory = _timestep\(t - lastspike, dt\) >= \w+;")
_KEPT = re.compile(r"\w+_not_refractory\[_idx\] = not_refractory;")
_WRITTEN = re.compile(r"\bnot_refractory =[^=]")


def watched(code: str, variables: Mapping[str, Any], indices: Mapping[str, str], size: int) -> dict[str, Any]:
    """What a step of a group depends on and what it changes, if a step that changes nothing can be left out.

    That is so if, within a run, the step follows from these values alone: not from time or from random numbers, and not
    from numbers that change.

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
        What the template takes: ``_size``; ``_arrays``, the C++ type and the variable of all that has a value for each
        neuron and may change within a run; and ``_openly``, which tells the code of a step for neurons none of which is
        refractory. Empty if every step has to be done. (No user's variable, whose name Brian2 gives to templates too,
        begins with an underscore.)
    """
    if size < FEWEST:
        return {}
    refractory = _REFRACTORY.search(code)
    # For the analysis, the test of the time since the last spike is replaced by one of the same names without the time.
    update_code = _REFRACTORY.sub(
        f"not_refractory = not_refractory and {refractory[1]} >= dt" if refractory else "", code
    )
    _, known, unknown = analyse_identifiers(update_code, dict(variables), recursive=True)
    arrays: dict[int, Any] = {}
    for name in sorted(known):
        var = variables.get(name)
        if isinstance(var, Function):
            if not var.stateless:
                return {}
        elif isinstance(var, ArrayVariable) and not isinstance(var, DynamicArrayVariable):
            # A shared number, or another group's, may change without a write to the neuron that rests.
            lasts = var.constant or (not var.scalar and indices[name] == "_idx" and var.size == size)
            if not lasts or (refractory and name == refractory[1] and not var.constant):
                return {}
            if not var.constant:
                arrays[id(var)] = var
        elif not isinstance(var, Constant | Subexpression) or (refractory and name == refractory[1]):
            return {}
    if unknown or not arrays:
        return {}
    watch = [(c_data_type(var.dtype), var) for var in arrays.values()]
    return {"_size": size, "_arrays": watch, "_openly": _openly if refractory else _never}


def _openly(lines: Sequence[str]) -> list[str]:
    """The code of a step for neurons none of which is refractory; empty if its form is not as expected."""
    rest = [line for line in lines if not any(form.fullmatch(line) for form in (_DECLARED, _ASKED, _KEPT))]
    asked = sum(_ASKED.fullmatch(line) is not None for line in lines)
    if asked != 1 or any(_WRITTEN.search(line) for line in rest):
        return []
    return ["const bool not_refractory = true;", *rest]


def _never(_: Sequence[str]) -> list[str]:
    """Of neurons that are not refractory for a time, or never are, there is no other code."""
    return []
