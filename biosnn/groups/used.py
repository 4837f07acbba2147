"""What a synapse model and the neurons that it connects have to do with each other: variables that it uses, names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from brian2.core.variables import ArrayVariable
from brian2.equations.equations import PARAMETER
from brian2.units.fundamentalunits import get_dimensions

from biosnn.codegen.divisible import written
from biosnn.errors import ModelError, field_error, unknown
from biosnn.model import SynapseModel
from biosnn.quantity import dimension_name, parse_unit


def check_uses(where: str, model: SynapseModel, pre: Any, post: Any) -> None:
    """Check that the groups have what a model reads, changes and sums onto, in its unit.

    Raises
    ------
    ModelError
        If one of them lacks a variable, has it in another unit, or lets nobody write to it.
    """
    changed = written(f"{model.on_pre}\n{model.on_post}")
    for name, unit in model.uses.items():
        variable, _, side = name.rpartition("_")
        group, which = {"pre": (pre, "presynaptic"), "post": (post, "postsynaptic")}[side]
        does = "changes" if name in changed else "sums onto" if name in model.summed else "reads"
        if variable not in group.variables:
            raise ModelError(f"SynapseModel {model.name!r} {does} {name}, but the {which} group has no {variable!r}.")
        here, found = f"{where}, {name}", group.variables[variable]
        if found.dim != get_dimensions(parse_unit(unit)):
            expected = f"{dimension_name(get_dimensions(parse_unit(unit)))}, as the model uses it"
            raise ModelError(field_error(here, expected, f"{dimension_name(found.dim)} in {group.name}"))
        if name in changed and (
            not isinstance(found, ArrayVariable) or found.read_only or found.constant or found.scalar
        ):
            expected = f"a variable of each neuron of {group.name} that can be written to, since spikes change it"
            raise ModelError(field_error(here, expected, variable))
        if name in model.summed and not _can_be_summed(group, variable):
            expected = f"a variable of the equations of {group.name} such as '{variable} : {unit}', for the sum"
            do = "An equation, or one value for all, leaves no place for it."
            raise ModelError(field_error(here, expected, variable, do))


def _can_be_summed(group: Any, variable: str) -> bool:
    equations = getattr(getattr(group, "source", group), "equations", {})
    equation = equations.get(variable)
    return equation is not None and equation.type == PARAMETER and not equation.flags


def check_names(where: str, names: Iterable[str], pre: Any, post: Any) -> None:
    """Refuse names of ``Synapses`` that a group has too, of which Brian2 could not tell which one is meant.

    Raises
    ------
    ModelError
        If there is one.
    """
    for name in sorted(names):
        for group in (pre, post):
            if name in group.variables:
                do = (
                    f"Rename {name} in one of the models, or give a kind such as connect=Dense(): a projection takes "
                    "its own."
                )
                expected = f"names that the neurons of {group.name} do not have"
                raise ModelError(field_error(where, expected, name, do))


def check_events(where: str, on_event: Mapping[str, str] | None, pre: Any, post: Any, implied: bool) -> dict[str, str]:
    """The events that the sides of synapses follow, where they are not spikes.

    Raises
    ------
    ModelError
        If a side or an event is unknown, or a projection is to follow one.
    """
    groups = {"pre": pre, "post": post}
    followed = {}
    if on_event is not None and not isinstance(on_event, Mapping):
        do = 'Such as {"pre": "burst"}.'
        raise ModelError(field_error(f"{where}, on_event", "a side, and the event that it follows", on_event, do))
    for side, event in (on_event or {}).items():
        if side not in groups:
            raise ModelError(f"{where}, on_event: " + unknown("side", str(side), groups))
        known = getattr(getattr(groups[side], "source", groups[side]), "events", {"spike": ""})
        if event not in known:
            raise ModelError(f"{where}, on_event: " + unknown(f"event of {groups[side].name}", str(event), known))
        if event != "spike":
            followed[side] = event
    if followed and implied:
        do = "Give True, a condition, or pairs of indices."
        expected = "Synapses, as projections follow spikes only"
        raise ModelError(field_error(f"{where}, on_event", expected, dict(followed), do))
    return followed
