"""Variables of neurons that are another group's: a model declares them, and they are linked when neurons are built."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from brian2 import DimensionMismatchError, NeuronGroup, linked_var
from brian2.core.variables import LinkedVariable

from biosnn.errors import ModelError, field_error
from biosnn.model import NeuronModel
from biosnn.quantity import dimension_name, unit_text


def checked_links(model: NeuronModel, values: Mapping[str, Any]) -> dict[str, LinkedVariable]:
    """What the linked variables of a model are linked to, among the values that are given.

    Raises
    ------
    ModelError
        If a variable is linked to nothing, or to one with another unit; if one is linked that is not declared so.
    """
    found = {}
    for name in model.linked:
        where, given = f"neurons({model.name!r}), values.{name}", values.get(name)
        if not isinstance(given, LinkedVariable):
            do = f'Give values={{{name!r}: linked_var(group, "variable")}}, with Brian2\'s linked_var.'
            raise ModelError(field_error(where, "a variable of another group", given, do))
        dimension = model.parsed[name].dim
        if given.variable.dim is not dimension:
            raise ModelError(field_error(where, dimension_name(dimension), dimension_name(given.variable.dim)))
        found[name] = given
    for name, value in values.items():
        if isinstance(value, LinkedVariable) and name not in found:
            do = f"Declare it in the equations, such as '{name} : {unit_text(value.variable.dim)} (linked)'."
            raise ModelError(field_error(f"neurons({model.name!r}), values.{name}", "no link", "a linked variable", do))
    return found


def link(group: NeuronGroup, links: Mapping[str, LinkedVariable]) -> None:
    """Link variables of a group.

    Raises
    ------
    ModelError
        If the other group has another number of neurons, and no index says which is whose.
    """
    if links:
        group.add_attribute("linked_to")
        group.linked_to = [given.group for given in links.values()]  # Brian2 itself does not keep them
    for name, given in links.items():
        try:
            setattr(group, name, given)
        except (ValueError, TypeError, IndexError, DimensionMismatchError) as error:
            raise ModelError(
                f"{group.name}.{name}: cannot be linked to {given.group.name}.{given.name}. {error}"
            ) from None


def linked_to_nothing(model: NeuronModel) -> dict[str, LinkedVariable]:
    """Links to variables that are zero, to try a model without the other groups."""
    found = {}
    for name in model.linked:
        other = NeuronGroup(1, f"{name} : {unit_text(model.parsed[name].dim)} (shared)", namespace={})
        found[name] = linked_var(other, name)
    return found
