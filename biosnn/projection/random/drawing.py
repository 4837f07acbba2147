"""Draws synapses in NumPy, for the targets that run in this process.

``templates/cpp/connect.cpp`` does the same in C++.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from brian2 import second
from numpy.typing import NDArray

from biosnn.errors import ModelError, field_error
from biosnn.projection.delays import LONGEST, start_of_each_delay
from biosnn.projection.kinds import Indices
from biosnn.projection.random.drawn import Drawn
from biosnn.projection.random.expression import Expression, Synapses, evaluate
from biosnn.projection.random.kinds import DELAYS

ATTEMPTS = 100
"""How often a delay is drawn, at most, until it is not negative."""


def draw(drawn: Drawn, namespace: Mapping[str, Any]) -> None:
    """Draw the synapses of a projection: what connects to what, their delays, and how their variables begin."""
    projection = drawn.projection
    kind, variables, endpoints = projection.kind, projection.variables, projection.endpoints
    _draw_key(variables["_key"])
    the_draw = replace(drawn.draw_now(), chance=partial(_chance, drawn, namespace))
    kind.check_numbers(the_draw)
    indptr, indices = kind.rows(the_draw)
    synapses = Synapses(np.arange(len(indices)), np.repeat(np.arange(the_draw.sources), np.diff(indptr)), indices)
    place = synapses.index - indptr[synapses.source]
    if drawn.delayed:
        delays = _delays(drawn, the_draw.key, synapses, place, namespace)
        in_steps = np.floor(delays / float(endpoints.whole("pre").clock.dt) + 0.5).astype(np.int64)
        if np.max(in_steps, initial=0) > LONGEST:
            where, longest = f"{projection.where}, delay", np.max(delays) * second
            raise ModelError(field_error(where, f"at most {LONGEST} steps", longest))
        order = np.lexsort((place, in_steps, synapses.source))
        synapses, in_steps = Synapses(synapses.index, synapses.source, indices[order]), in_steps[order]
        _keep_delays(drawn, indptr, synapses, in_steps)
    _fill(variables["_list_indptr"], indptr)
    _fill(variables["_list_indices"], synapses.target)
    if drawn.incoming:
        _keep_incoming(drawn, synapses, the_draw.targets)
    for name in projection.synaptic:
        _fill(variables[name], np.zeros(len(indices)))
    variables["N"].set_value(len(indices))
    for name, code in drawn.initial.items():
        expression = Expression.of(code)
        random = expression.random(the_draw.key, drawn.stream(name), synapses.source, place)
        evaluate(projection, expression, synapses, random, namespace)


def _chance(drawn: Drawn, namespace: Mapping[str, Any], source: Indices, target: Indices) -> NDArray[np.float64]:
    """The probability that neurons are connected."""
    pairs = Synapses(np.arange(len(source)), source, target)
    chance = evaluate(drawn.projection, Expression.of(drawn.kind.chance), pairs, {}, namespace)
    chance = np.broadcast_to(chance, source.shape)
    wrong = ~((chance >= 0) & (chance <= 1))
    if wrong.any():
        where = f"{drawn.projection.where}, {type(drawn.kind).__name__}"
        raise ModelError(field_error(where, "probabilities from 0 to 1", chance[wrong][0]))
    return chance


def _draw_key(variable: Any) -> None:
    """Draw the key of the random numbers itself, as in C++, if there is none."""
    if not int(np.asarray(variable.get_value()).item()):
        first, other = np.random.random_sample(2)  # noqa: NPY002 - Brian2 draws from the global generator
        variable.set_value(int(first * 2147483648.0) << 32 | int(other * 4294967296.0) | 1)


def _fill(variable: Any, values: NDArray[Any]) -> None:
    variable.resize(len(values))
    variable.get_value()[:] = values


def _delays(
    drawn: Drawn, key: int, synapses: Synapses, place: Indices, namespace: Mapping[str, Any]
) -> NDArray[np.float64]:
    """The delay of each synapse (s), drawn again where it is negative."""
    expression = Expression.of(drawn.delay)
    delays, left = np.zeros(len(place)), synapses.index
    for attempt in range(ATTEMPTS if expression.names else 1):
        some = Synapses(left, synapses.source[left], synapses.target[left])
        random = expression.random(key, DELAYS, some.source, place[left], attempt)
        delays[left] = evaluate(drawn.projection, expression, some, random, namespace)
        left = left[~(delays[left] >= 0)]
        if not len(left) or np.isnan(delays[left]).any():
            break
    if len(left):
        expected = f"times that are not negative, or become so if they are drawn up to {ATTEMPTS} times"
        raise ModelError(field_error(f"{drawn.projection.where}, delay", expected, delays[left[0]] * second))
    return delays


def _keep_delays(drawn: Drawn, indptr: Indices, synapses: Synapses, in_steps: Indices) -> None:
    variables, name = drawn.projection.variables, drawn.delayed
    shortest, longest = (int(in_steps.min()), int(in_steps.max())) if len(in_steps) else (0, 0)
    variables[f"_range_{name}"].set_value(np.array([shortest, longest]))
    starts = start_of_each_delay(indptr, synapses.source, in_steps, shortest, longest)
    _fill(variables[f"_list_starts_{name}"], starts.reshape(-1))
    neurons = len(drawn.projection.endpoints.whole("pre"))
    _fill(variables[f"_history_{name}"], np.zeros((longest + 1) * (neurons + 1)))
    for late in drawn.late:
        _fill(variables[late], np.zeros((longest + 1) * neurons))
    if f"_list_delays_{name}" in variables:
        _fill(variables[f"_list_delays_{name}"], in_steps)


def _keep_incoming(drawn: Drawn, synapses: Synapses, targets: int) -> None:
    variables = drawn.projection.variables
    by_target = np.argsort(synapses.target, kind="stable")
    begin = np.concatenate([[0], np.cumsum(np.bincount(synapses.target, minlength=targets))])
    _fill(variables["_list_in_indptr"], begin)
    _fill(variables["_list_in_synapses"], by_target)
    _fill(variables["_list_in_sources"], synapses.source[by_target])
    if "_list_in_delays" in variables:
        _fill(variables["_list_in_delays"], variables[f"_list_delays_{drawn.delayed}"].get_value()[by_target])
