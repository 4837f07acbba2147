"""Which statements threads may divide between them: those in which no neuron, or synapse, matters to another."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from brian2 import TimedArray
from brian2.codegen.translation import analyse_identifiers
from brian2.core.functions import DEFAULT_FUNCTIONS, Function
from brian2.core.variables import ArrayVariable

_WRITTEN = re.compile(r"(?:^|[\n;])\s*(\w+)\s*(?:[-+*/]|\*\*)?=(?!=)")
_ROUNDED_ALIKE = ("clip", "abs", "sign", "int", "floor", "ceil", "timestep")
"""Functions that give the same bits one at a time as several at once in vector instructions."""


def divisible(
    code: str,
    variables: Mapping[str, Any],
    indices: Mapping[str, str],
    own: Sequence[str] = ("_idx",),
    *,
    anywhere: bool = False,
) -> bool:
    """Whether statements give the same whatever neurons, or synapses, they are run for first, or at the same time.

    That is so if they write to variables that have a value for each of these only, and call functions that keep nothing
    between calls. Random numbers are drawn one after the other, by one thread; what a function of a user's own does is
    not known.

    Parameters
    ----------
    code : str
        Abstract code.
    variables, indices : mapping
        The variables and functions that it names, and by which index each variable is looked up.
    own : sequence of str
        The indices of what only one thread writes to.
    anywhere : bool
        Whether the part of a thread may begin anywhere, so that the compiler makes vector instructions for other
        synapses than it would for all at once.
    """
    _, known, unknown = analyse_identifiers(code, dict(variables), recursive=True)
    functions = [var for var in map(variables.get, known) if isinstance(var, Function)]
    if unknown or not all(_is_pure(function, anywhere) for function in functions):
        return False
    return all(
        indices.get(name, "_idx") in own and not variables[name].scalar
        for name in written(code)
        if isinstance(variables.get(name), ArrayVariable)
    )


def written(code: str) -> list[str]:
    """The names to which statements give values."""
    return _WRITTEN.findall(code)


def _is_pure(function: Function, anywhere: bool) -> bool:
    """Whether a function gives the same for the same arguments, in whatever thread it is called."""
    ours = [name for name, default in DEFAULT_FUNCTIONS.items() if function is default]
    if anywhere:
        return any(name in _ROUNDED_ALIKE for name in ours)
    return isinstance(function, TimedArray) or (bool(ours) and bool(function.stateless))
