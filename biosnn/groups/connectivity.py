"""Which neurons a synapse model connects, and with which delays: as ``Synapses``, or as a projection."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from brian2 import Equations, Synapses, second
from brian2.equations.equations import PARAMETER
from brian2.units.fundamentalunits import Quantity
from brian2.utils.stringtools import get_identifiers

from biosnn.codegen.divisible import written
from biosnn.errors import EngineError, ModelError, QuantityError, field_error
from biosnn.groups.traces import SynapticForm, attach_traces
from biosnn.model import SynapseModel
from biosnn.projection import Kind, Projection, RandomKind, delays
from biosnn.projection.delayed_traces import look_up
from biosnn.quantity import check_dimension, parse_quantity


def shared_where_constant(model: SynapseModel, form: SynapticForm, values: Mapping[str, Any]) -> str:
    """The equations, with one value for all synapses of a variable that begins with one and that nothing changes."""
    lines = []
    for equation in Equations(form.equations).values():
        value = values.get(equation.varname, model.initial.get(equation.varname, "0"))
        changed = equation.varname in written(f"{form.on_pre}\n{form.on_post}")
        one = equation.type == PARAMETER and not equation.flags and not changed and _is_one(value)
        lines.append(f"{equation} (shared)" if one else str(equation))
    return "\n".join(lines)


def _is_one(value: Any) -> bool:
    """Whether a value is one quantity, and not an expression."""
    if not isinstance(value, str):
        return np.ndim(value) == 0
    try:
        parse_quantity(value)
    except QuantityError:
        return False
    return True


def checked_delay(where: str, delay: Any) -> Any:
    """A delay as a quantity, or as an expression if it is one."""
    if delay is None:
        return None
    if isinstance(delay, str):
        try:
            delay = parse_quantity(delay)
        except QuantityError:
            try:
                ast.parse(delay.strip(), mode="eval")
            except SyntaxError:
                raise ModelError(field_error(where, "a time such as '0.3 ms', or an expression", delay)) from None
            return delay
    try:
        check_dimension(where, Quantity(delay), second)
    except (QuantityError, TypeError, ValueError) as error:
        raise ModelError(
            str(error) if isinstance(error, QuantityError) else field_error(where, "a time", delay)
        ) from None
    if not np.all(np.isfinite(np.asarray(delay))) or np.any(np.asarray(delay) < 0):
        raise ModelError(field_error(where, "finite times, not negative", delay))
    return delay


def project(
    pre: Any,
    post: Any,
    kind: Kind,
    model: SynapseModel,
    on_neuron: Sequence[str],
    texts: Mapping[str, Any],
    statements: Mapping[str, str],
    delay: Any,
) -> tuple[Projection, dict[str, Any]]:
    """A projection with the texts of a model, and the groups that hold its traces."""
    where, clock = f"synapses({model.name!r}), delay", getattr(pre, "source", pre).clock
    drawn = isinstance(kind, RandomKind)
    syn = Projection(pre, post, delays.sorted_by(where, kind, delay, clock.dt), **texts)
    each = (drawn or np.ndim(delay) > 0) and any(model.traces[name].side == "pre" for name in on_neuron)
    before = delays.arrivals(syn, "pre", "pre", delay, lookup=each)
    arrivals = {"pre": before}
    if statements["post"] or any(model.traces[name].side == "post" for name in on_neuron):
        arrivals["post"] = delays.arrivals(syn, "post", "post")
    see = {"pre": partial(look_up, syn, before.heterogeneous)} if each and before.heterogeneous else {}
    holders = attach_traces(syn, model, on_neuron, {side: arriving.spikes for side, arriving in arrivals.items()}, see)
    for side, code in statements.items():
        if code:
            syn.add_pathway(side, side, code, arrivals[side])
    return syn, holders


def check_arrays(where: str, syn: Any, connect: Any, p: Any, arrays: Mapping[str, Any]) -> None:
    """Refuse arrays for synapses whose number depends on chance, and those that are not as long as it is."""
    for name, value in arrays.items():
        if p != 1 and np.size(value) > 1:
            do = "Give an expression as text, or choose the synapses yourself: connect=(i, j)."
            given = f"an array of shape {np.shape(value)} with p={p}"
            raise ModelError(field_error(f"{where}, {name}", "one value, as chance makes the synapses", given, do))
        if connect is True and np.size(value) not in (1, len(syn.source) * len(syn.target)):
            expected = f"one value, or one for each of the {len(syn.source) * len(syn.target)} synapses"
            raise ModelError(field_error(f"{where}, {name}", expected, f"shape {np.shape(value)}"))


def check_length(where: str, syn: Any, value: Any) -> None:
    """Let an array have a value for each synapse, where it is known how many there are before the program runs."""
    try:
        count = len(syn)
    except EngineError:  # `_check_arrays` has seen to those whose number is known, and to those that depend on chance
        return
    if np.shape(value) not in ((), (1,), (count,)):
        expected = f"one value, or one for each of the {count} synapses"
        raise ModelError(field_error(where, expected, f"shape {np.shape(value)}"))


def connect_synapses(syn: Synapses, connect: bool | str | tuple[Sequence[int], Sequence[int]], p: float) -> None:
    """Make the synapses of ``Synapses``: all, those that fulfil a condition, or those of pairs of neurons."""
    syn.add_attribute("drawn_once")
    syn.drawn_once = p != 1 or (isinstance(connect, str) and "rand" in get_identifiers(connect))
    if connect is True:
        syn.connect(p=p)
    elif isinstance(connect, str):
        syn.connect(condition=connect, p=p)
    elif isinstance(connect, tuple) and len(connect) == 2:
        if not len(connect[0]) or not len(connect[1]):
            raise ModelError(field_error("synapses, connect", "the indices of at least one synapse", connect))
        syn.connect(i=connect[0], j=connect[1], p=p)
    else:
        raise ModelError(
            field_error("synapses, connect", "True, a condition such as 'i != j', or a pair of index arrays", connect)
        )
