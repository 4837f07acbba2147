"""The order of things within a time step: whether a spike takes a step for each layer, or passes all of them in one.

Brian2 goes through its slots once per step: all groups are integrated, then all thresholds are tested, then all
synapses deliver, then all resets are done. What arrives at a neuron acts when it is integrated in the next step, so a
spike takes one step per layer. `within_step` has one layer after another go through these slots instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from weakref import WeakSet

from brian2 import NeuronGroup, Subgroup, Synapses
from brian2.core.base import BrianObject
from brian2.core.spikesource import SpikeSource
from brian2.synapses.synapses import SummedVariableUpdater, SynapticPathway

from biosnn.errors import ModelError, field_error
from biosnn.projection import Projection
from biosnn.projection.delayed_traces import Recorder
from biosnn.projection.delays import SpikeRecorder
from biosnn.projection.pathway import Pathway

# All layers go into one slot. Monitors of spikes run in it too, at order 1 or more: what is ordered here comes before.
SLOT = "thresholds"
STRIDE = 10
"""From one object's order to the next's, so that a monitor made later (Brian2 adds 1) stands between them."""

_SLOTS = ("groups", "thresholds", "synapses", "resets")
_RANK = {
    name: rank for rank, name in enumerate(f"{side}{slot}" for slot in _SLOTS for side in ("before_", "", "after_"))
}
_ordered: WeakSet[Any] = WeakSet()


def within_step(*parts: Any) -> None:
    """Let spikes pass through all layers within the time step in which they arise.

    In each step, the first layer is integrated and thresholded, its spikes are delivered, and it is reset; then the
    second layer, which has received these spikes, is; and so on. With a delay, spikes arrive so much later, and not one
    step more.

    Synapses within a layer, and those back to an earlier one, act in the next step, as Brian2 has it. The order of
    on_pre, presynaptic traces, on_post, postsynaptic traces at a synapse stays. What is not given here, what runs in
    the slots "start" and "end", such as images, and what a projection runs at regular times keeps its place: synapses
    of other groups come after all layers.

    Parameters
    ----------
    *parts : NeuronGroup, other groups that spike, Synapses and Projection
        All that takes part. Groups in the order of the layers; synapses anywhere.

    Raises
    ------
    ModelError
        If something is given twice or is part of another such order, is no group or synapses, if synapses have an end
        that is not given, or if groups have different time steps.
    """
    connections = [part for part in parts if isinstance(part, Synapses | Projection)]
    layers = [part for part in parts if not isinstance(part, Synapses | Projection)]
    _check(layers, connections)
    place = {layer.name: number for number, layer in enumerate(layers)}
    placed = [(place[layer.name], obj) for layer in layers for obj in _objects(layer) if obj.when in _RANK]
    for connection in connections:
        source, target = (place[_whole(end).name] for end in (connection.source, connection.target))
        # Where synapses lead back, on_post waits for on_pre.
        stage = {"pre": source, "post": max(source, target), "sum": target}
        placed += [(stage[side], obj) for side, obj in _parts_of(connection) if obj.when in _RANK]
    placed.sort(key=lambda entry: (entry[0], _RANK[entry[1].when], entry[1].order, entry[1].name))
    for number, (_, obj) in enumerate(placed):
        obj.when, obj.order = SLOT, STRIDE * (number - len(placed))
    _ordered.update(parts)


def _check(layers: Sequence[Any], connections: Sequence[Any]) -> None:
    where = "within_step"
    seen: list[Any] = []
    for part in [*layers, *connections]:
        name = getattr(part, "name", part)
        neurons = isinstance(part, NeuronGroup | SpikeSource) and not isinstance(part, Subgroup)
        if not neurons and part not in connections:
            raise ModelError(field_error(where, "groups, Synapses and projections", name, "Give a subgroup's group."))
        if any(part is other for other in seen):
            raise ModelError(field_error(where, "each part once", name))
        if part in _ordered:
            do = "Give all layers in one call, once."
            raise ModelError(field_error(where, "parts that have no order of this kind yet", name, do))
        seen.append(part)
    if not layers:
        raise ModelError(field_error(where, "groups, in the order of the layers", "none"))
    steps = {layer.name: layer.clock.dt for layer in layers}
    if len({float(dt) for dt in steps.values()}) > 1:
        raise ModelError(field_error(where, "groups with the same time step", steps))
    for connection in connections:
        for end in (connection.source, connection.target):
            if _whole(end).name not in steps:
                do = f"Give {_whole(end).name!r} too, at its place among the layers."
                raise ModelError(
                    field_error(f"{where}, {connection.name}", f"a group among {sorted(steps)}", end.name, do)
                )


def _whole(group: Any) -> Any:
    return group.source if isinstance(group, Subgroup) else group


def _objects(part: Any) -> Iterator[Any]:
    """A group and all that it contains, but for the projections by which images drive others."""
    yield part
    for obj in part.contained_objects:
        if not isinstance(obj, Projection):
            yield from _objects(obj)


def _parts_of(connection: Any) -> Iterator[tuple[str, BrianObject]]:
    """What runs at the spikes of one side of synapses ("pre", "post"), and what sums onto the target.

    Equations of synapses and of their traces stay in the slot "groups", before all layers: every layer then meets
    traces of the same time.
    """
    sides = dict(_sides(connection))
    for obj in connection.contained_objects:
        if isinstance(obj, SummedVariableUpdater):
            yield "sum", obj
        elif isinstance(obj, SynapticPathway):
            yield obj.prepost, obj
        elif isinstance(obj, Pathway) and obj.side in ("pre", "post"):  # the others run at regular times
            yield obj.side, obj
        elif isinstance(obj, SpikeRecorder):
            yield sides[obj.spike_history.spikes], obj
        elif isinstance(obj, Recorder):
            yield "pre", obj
        elif "_arriving" in getattr(obj, "variables", ()):  # a companion with traces: `traces` names it so
            follower = next(inner for inner in obj.contained_objects if inner.when == "synapses")
            yield sides[obj.variables["_arriving"]], follower


def _sides(connection: Any) -> Iterator[tuple[Any, str]]:
    """Lists of spikes, late ones too, and the side that they are of. A group that is both sides is one layer."""
    for side, end in (("post", connection.target), ("pre", connection.source)):
        spikes = _whole(end).variables.get("_spikespace")
        yield spikes, side
        for obj in connection.contained_objects:
            if isinstance(obj, SpikeRecorder) and obj.spike_history.spikes is spikes:
                yield obj.spike_history.delayed, side
