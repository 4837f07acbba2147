"""The parts that neuron and synapse models share: parameters, inputs, and how a table of them is checked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar

from brian2.core.functions import DEFAULT_CONSTANTS, DEFAULT_FUNCTIONS
from brian2.core.namespace import DEFAULT_UNITS
from brian2.units.fundamentalunits import Dimension, Quantity, get_dimensions

from biosnn.errors import ModelError, QuantityError, field_error, unknown
from biosnn.quantity import parse_quantity

_NAME = re.compile(r"^[A-Za-z]\w*$")
_RESERVED = {"t", "dt", "i", "j", "N", "xi", "lastspike", "lastupdate", "not_refractory", "refractory", "delay", "gain"}

T = TypeVar("T")


@dataclass(frozen=True)
class Parameter:
    """A constant of a model, the same for all neurons or synapses of a group.

    Parameters
    ----------
    value : str
        The default as a quantity, such as ``"20 ms"``.
    meaning : str
        What it is, in words.
    """

    value: str
    meaning: str

    @property
    def quantity(self) -> Quantity:
        """The default as a Brian2 quantity."""
        return parse_quantity(self.value)

    @property
    def dimension(self) -> Dimension:
        """The physical dimension."""
        return get_dimensions(self.quantity)


@dataclass(frozen=True)
class Input:
    """Where the world enters a model.

    Parameters
    ----------
    kind : {"value", "spikes"}
        ``"value"``: a quantity that you set, one for each neuron (or one for all synapses), such as an injected
        current. ``"spikes"``: a variable of the equations that arriving spikes add to.
    meaning : str
        What it is, in words.
    default : str
        For ``"value"``: the quantity that holds as long as you set nothing. Empty for ``"spikes"``.
    """

    kind: str
    meaning: str
    default: str = ""


def check_name(where: str, name: str) -> None:
    """Raise `ModelError` unless ``name`` can be a variable of a model."""
    taken = name in DEFAULT_FUNCTIONS or name in DEFAULT_CONSTANTS or name in DEFAULT_UNITS or name in _RESERVED
    if not _NAME.match(name) or name.endswith(("_pre", "_post")) or taken:
        raise ModelError(
            field_error(
                f"{where}.{name}",
                "a new name of letters, digits and _",
                name,
                "Names of Brian2, units and _pre/_post are taken.",
            )
        )


def check_texts(where: str, texts: Mapping[str, object]) -> None:
    """Raise `ModelError` unless each value is a text that says something."""
    for field, text in texts.items():
        if not isinstance(text, str) or not text.strip():
            raise ModelError(field_error(f"{where}.{field}", "a text", text))


def quantity_dimension(where: str, text: str) -> Dimension:
    """The dimension of a field's quantity; `ModelError` names the field if it is none."""
    try:
        return get_dimensions(parse_quantity(text))
    except (QuantityError, TypeError) as error:
        raise ModelError(f"{where}: {error}") from None


def check_presets(where: str, presets: Mapping[str, Mapping[str, str]], parameters: Mapping[str, Parameter]) -> None:
    """Check that each preset names parameters, with values of their dimension."""
    for preset, values in presets.items():
        check_values(f"{where}.presets.{preset}", values, parameters)


def check_values(where: str, values: Mapping[str, str], parameters: Mapping[str, Parameter]) -> None:
    """Check that ``values`` (name -> quantity as text) names parameters, with values of their dimension."""
    for name, text in values.items():
        if name not in parameters:
            raise ModelError(f"{where}: " + unknown("parameter", name, parameters))
        try:
            parse_quantity(text, parameters[name].dimension)
        except QuantityError as error:
            raise ModelError(f"{where}.{name}: {error}") from None


def check_used(where: str, names: Iterable[str], used: set[str]) -> None:
    """Raise `ModelError` if a declared name occurs nowhere in the model."""
    unused = [name for name in names if name not in used]
    if unused:
        raise ModelError(f"{where}: {', '.join(unused)} is declared but used nowhere. Use it or delete it.")


def freeze(table: Mapping[str, T] | None) -> Mapping[str, T]:
    """A read-only copy of a table, so that a frozen model is frozen all through."""
    return MappingProxyType(dict(table or {}))


def freeze_fields(model: Any, *fields: str) -> None:
    """Make the named fields of a frozen dataclass read-only tables."""
    for field in fields:
        object.__setattr__(model, field, freeze(getattr(model, field)))
