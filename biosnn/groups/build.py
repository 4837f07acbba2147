"""Turn models into Brian2 objects: `neurons` and `synapses`.

The objects are ordinary Brian2 groups: put them into a ``Network``, monitor them, change their variables. Parameters
are ``(shared, constant)`` variables, so that a new value needs no new build.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
from brian2 import Equations, NeuronGroup, Synapses
from brian2.units.fundamentalunits import Quantity

from biosnn.catalogue import neuron_model, synapse_model
from biosnn.codegen.code_objects import check_words
from biosnn.codegen.exact import method_named
from biosnn.codegen.half_made import without_leftovers
from biosnn.errors import ModelError, QuantityError, field_error, unknown
from biosnn.groups import driven, precision
from biosnn.groups.connectivity import (
    check_arrays,
    check_length,
    checked_delay,
    connect_synapses,
    project,
    shared_where_constant,
)
from biosnn.groups.functions import given_functions
from biosnn.groups.linked import checked_links, link
from biosnn.groups.traces import attach_traces, can_be_late, on_the_neuron, synaptic_form
from biosnn.groups.used import check_events, check_names, check_uses
from biosnn.groups.values import Value, declarations, set_values, with_own_values, with_values
from biosnn.model import NeuronModel, SynapseModel
from biosnn.projection import Kind, Projection, RandomKind
from biosnn.quantity import check_dimension, parse_quantity, unit_text


@without_leftovers()
def neurons(
    n: int,
    model: str | Path | NeuronModel = "lif",
    *,
    name: str | None = None,
    dt: Quantity | None = None,
    preset: str = "",
    values: Mapping[str, Value] | None = None,
) -> NeuronGroup:
    """Build a group of neurons from a model.

    Parameters
    ----------
    n : int
        Number of neurons.
    model : str, Path or NeuronModel
        A name in the catalogue, a ``.toml`` file, or a model.
    name : str, optional
        Brian2's name of the group; by default the model's.
    dt : Quantity, optional
        The time step of this group; by default the session's.
    preset : str, optional
        One of the model's named sets of parameter values.
    values : mapping, optional
        Values of parameters, inputs and state variables: a quantity, or an array with one for each of the ``n``
        neurons; of inputs and state variables also an expression as text, evaluated in the generated code, such as
        ``"v_rest + rand()*mV"``. A parameter that gets an array becomes one of which each neuron has its own value.
        A function that the model calls is given here too, a ``TimedArray`` or a function with units, and what a linked
        variable is linked to, as ``linked_var(group, "v")``.

    Returns
    -------
    NeuronGroup
        With the attribute ``model``: the model with the parameter values that the group was built with. Parameters of
        which each neuron has its own are no parameters of that model, but inputs (`NeuronModel.with_own`).

    Raises
    ------
    ModelError
        If the model is unknown or not well formed, or a value has an unknown name or the wrong dimension.
    """
    found = neuron_model(model)
    if isinstance(n, bool) or int(n) != n or n < 1:
        raise ModelError(field_error(f"neurons({found.name!r}), n", "a whole number of at least 1", n))
    functions = given_functions(found, values or {}, int(n))
    links = checked_links(found, values or {})
    values = {name: value for name, value in (values or {}).items() if name not in {*functions, *links}}
    resolved, own = with_own_values(found, preset, values, int(n))
    # Not subexpressions: where an equation is integrated, what they stand for takes their place.
    words = {*resolved.parsed.names, *resolved.parameters, *resolved.inputs} - resolved.parsed.subexpr_names
    check_words(f"neurons({resolved.name!r})", words)
    slow = precision.in_double(resolved, dt, own)
    group = NeuronGroup(
        int(n),
        "\n".join([resolved.equations, *declarations(resolved, own)]),
        threshold=resolved.threshold or None,
        reset=resolved.reset or None,
        events={name: event.condition for name, event in resolved.events.items()},
        refractory=resolved.refractory or False,
        method=precision.method(resolved, slow),
        namespace=functions,
        dt=dt,
        dtype=slow,
        name=name or f"{resolved.name}*",
    )
    link(group, links)
    for event_name, event in resolved.events.items():
        if event.action:
            group.run_on_event(event_name, event.action)
    set_values(group, resolved, {**values, **own})
    return group


@without_leftovers()
def synapses(
    pre: Any,
    post: Any,
    model: str | Path | SynapseModel = "static",
    *,
    onto: str | None = None,
    gain: Quantity | str | None = None,
    connect: bool | str | tuple[Sequence[int], Sequence[int]] | Kind = True,
    p: float = 1.0,
    delay: Quantity | str | None = None,
    traces: str = "neuron",
    on_event: Mapping[str, str] | None = None,
    name: str | None = None,
    preset: str = "",
    values: Mapping[str, Value] | None = None,
) -> Synapses | Projection:
    """Connect two groups with a synapse model.

    A presynaptic spike first adds ``gain * transmits`` (usually ``gain * w``) to the variable ``onto`` of the
    postsynaptic neuron; then the model's own statements run. See `SynapseModel` for their order.

    Parameters
    ----------
    pre, post : NeuronGroup, PoissonGroup, SpikeGeneratorGroup or Subgroup
        Where spikes come from and where they go.
    model : str, Path or SynapseModel
        A name in the catalogue, a ``.toml`` file, or a model.
    onto : str, optional
        The variable of ``post`` that spikes add to. By default the only spike input of its model; ``""`` for none.
    gain : Quantity or str, optional
        What a weight of one adds to ``onto``, in its unit. Needed unless ``onto`` is dimensionless.
    connect : bool, str, pair of index sequences, or Kind
        True for all to all, a condition such as ``"i != j"``, or the indices (i, j) of each synapse. A `Kind` such as
        ``Dense()`` or ``FixedProbability(0.1)`` makes a `Projection`: faster, and smaller. The latter is drawn anew at
        each seed, pairs and ``p`` are not.
    p : float
        Probability of each connection; 1 with a kind.
    delay : Quantity or str, optional
        The same for all synapses, or an expression evaluated for each, such as ``"rand()*10*ms"``. With a kind that
        does not draw its synapses, an array in the natural shape of a weight instead of an expression.
    traces : {"neuron", "synapse"}
        Where one-sided traces live. On the neuron is exact and fast; traces go to the synapse by themselves when
        spikes are delayed, since each synapse then sees a spike at a time of its own. ``Synapses`` may be given their
        delays, ``syn.delay = 2*ms``, after they were made too, and between runs.
    on_event : mapping, optional
        Events of the neurons that a side follows instead of spikes, such as ``{"pre": "burst"}``. Traces of that side
        then live on the synapse.
    name, preset, values
        As in `neurons`.

    Returns
    -------
    Synapses or Projection
        With the attribute ``model``. Companion groups that hold traces go into a ``Network`` with it.

    Raises
    ------
    ModelError
        If the model is unknown or not well formed; if ``onto``, ``gain`` or a value does not fit.
    """
    resolved = with_values(synapse_model(model), preset, values)
    if traces not in ("neuron", "synapse"):
        raise ModelError(field_error(f"synapses({resolved.name!r}), traces", "'neuron' or 'synapse'", traces))
    words = {*resolved.parsed.names, *resolved.parameters, *resolved.inputs, *resolved.traces}
    check_words(f"synapses({resolved.name!r})", words)
    target, unit_gain = _transmission(resolved, post, onto, gain)
    where = f"synapses({resolved.name!r})"
    if not isinstance(p, str) and (isinstance(p, bool) or not isinstance(p, Real) or not 0 <= p <= 1):
        raise ModelError(field_error(f"{where}, p", "a probability from 0 to 1", p))
    delay = checked_delay(f"{where}, delay", delay)
    implied = isinstance(connect, Kind)
    if implied and resolved.summed:
        do = "Give True, a condition, or pairs of indices."
        expected = f"Synapses, as projections have no sums such as {resolved.summed[0]}"
        raise ModelError(field_error(f"{where}, connect", expected, connect, do))
    check_uses(where, resolved, pre, post)
    # A projection delays the spikes of a neuron, and so its trace, as a whole, or can look up what its trace was.
    each = isinstance(connect, RandomKind) or np.ndim(delay) > 0
    late = delay is not None and (not implied or (each and not can_be_late(resolved)))
    on_neuron = on_the_neuron(resolved, delayed=late) if traces == "neuron" else []
    followed = check_events(where, on_event, pre, post, implied)
    on_neuron = [name for name in on_neuron if resolved.traces[name].side not in followed]
    form = synaptic_form(resolved, on_neuron)
    lines = [form.equations, *declarations(resolved)]
    on_pre = form.on_pre
    if isinstance(connect, RandomKind):
        lines[0] = shared_where_constant(resolved, form, values or {})
    if target:
        lines.append(f"gain : {unit_text(unit_gain)} (shared, constant)")
        on_pre = f"{target}_post += gain*({resolved.transmits}){_carried(where, pre, delay)}\n{on_pre}"
    if delay is not None and not on_pre and all(resolved.traces[trace].side == "post" for trace in on_neuron):
        do = "Nothing happens when a presynaptic spike arrives: leave out the delay, or give onto or on_pre."
        raise ModelError(field_error(f"{where}, delay", "None for a model without presynaptic statements", delay, do))
    texts = {"model": "\n".join(lines), "method": method_named(resolved.method), "name": name or f"{resolved.name}*"}
    statements = {"pre": on_pre, "post": form.on_post}
    if isinstance(connect, Kind):
        expression = isinstance(delay, str) and not isinstance(connect, RandomKind)
        if p != 1.0 or expression:
            given = f"p={p}" if p != 1.0 else f"delay={delay!r}"
            do = "A kind that draws its synapses, such as FixedProbability(0.1), takes expressions."
            raise ModelError(field_error(where, "p=1 and numbers for delays with a kind", given, do))
        syn, holders = project(pre, post, connect, resolved, on_neuron, texts, statements, delay)
    else:
        own = Equations(texts["model"]).values()
        check_names(where, [each.varname for each in own if "summed" not in each.flags], pre, post)
        syn = Synapses(
            pre,
            post,
            on_pre=on_pre or None,
            on_post=form.on_post or None,
            on_event={"pre": "spike", "post": "spike", **followed},
            namespace={},
            **texts,
        )
        driven.solve_exactly(syn)
        holders = attach_traces(syn, resolved, on_neuron)
        arrays = {**(values or {}), "delay": delay}
        check_arrays(where, syn, connect, p, {name: value for name, value in arrays.items() if np.ndim(value) > 0})
        connect_synapses(syn, connect, p)
        if delay is not None:
            if np.ndim(delay) > 0:
                check_length(f"{where}, delay", syn, delay)
            syn.delay = delay
    if target:
        syn.gain = unit_gain
    set_values(syn, resolved, values or {})
    for trace_name, trace in resolved.traces.items():
        if trace.initial != "0":  # where a new variable starts
            setattr(holders[trace_name], trace_name, trace.initial)
    return syn


def _carried(where: str, pre: Any, delay: Any) -> str:
    """The factor of what a spike adds, where spikes of the source carry a value."""
    value = getattr(getattr(getattr(pre, "source", pre), "model", None), "spike_value", "")
    if value and delay is not None:
        do = f"When a spike arrives later, the neuron's {value} is that of another time: leave out the delay."
        raise ModelError(field_error(f"{where}, delay", "None for spikes that carry a value", delay, do))
    return f"*{value}_pre" if value else ""


def _transmission(
    model: SynapseModel, post: Any, onto: str | None, gain: Quantity | str | None
) -> tuple[str, Quantity | None]:
    """Which variable of the target a spike adds to (``""`` for none), and the gain with its unit."""
    where = f"synapses({model.name!r})"
    if onto is None and model.transmits:
        candidates = getattr(getattr(post, "model", None), "spike_inputs", [])
        if len(candidates) > 1:
            raise ModelError(field_error(f"{where}, onto", f"one of {', '.join(candidates)}", onto))
        onto = candidates[0] if candidates else ""
    if onto and not model.transmits:
        raise ModelError(field_error(f"{where}, onto", "nothing, since the model transmits nothing", onto))
    if not onto:
        if gain is not None:
            raise ModelError(f"{where}: a gain needs a variable to act on. Give onto=... as well.")
        return "", None
    if onto not in post.variables or post.variables[onto].read_only:
        valid = [name for name, var in post.variables.items() if not var.read_only and not name.startswith("_")]
        raise ModelError(f"{where}, onto: " + unknown("variable of the postsynaptic group", onto, valid))
    dimension = post.variables[onto].dim
    if gain is None:
        if not dimension.is_dimensionless:
            raise ModelError(field_error(f"{where}, gain", f"what a weight of one adds to {onto}, in its unit", gain))
        gain = Quantity(1.0)
    try:
        if isinstance(gain, str):
            return onto, parse_quantity(gain, dimension)
        check_dimension(f"gain {gain}", gain, dimension)
    except QuantityError as error:
        raise ModelError(f"{where}: {error}") from None
    return onto, gain
