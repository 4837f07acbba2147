"""The parts that neuron and synapse models share: parameters, inputs, and how a table of them is checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields
from types import MappingProxyType
from typing import Any, TypeVar

from brian2.core.functions import DEFAULT_CONSTANTS, DEFAULT_FUNCTIONS, Function
from brian2.core.namespace import DEFAULT_UNITS
from brian2.units.fundamentalunits import DIMENSIONLESS, Dimension, Quantity, get_dimensions, get_unit

from biosnn.errors import ModelError, QuantityError, field_error, unknown
from biosnn.model import plain
from biosnn.model.plain import check_code, check_name, check_prose, check_table, check_title, short
from biosnn.quantity import parse_quantity, parse_unit

_REQUIRED = ("name", "summary", "source")
_MAY_BE_EMPTY = ("default", "on_spike", "action")
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


@dataclass(frozen=True)
class Event:
    """What happens to a neuron beside spikes, such as the begin of a burst.

    Parameters
    ----------
    condition : str
        When it happens, such as ``"ca > theta_ca"``; it happens in every time step in which that is true.
    meaning : str
        What it is, in words.
    action : str
        Statements for each neuron to which it happens, after the resets of the time step. Empty for none.
    """

    condition: str
    meaning: str
    action: str = ""


@dataclass(frozen=True)
class Given:
    """A function of the equations that is given when neurons are built, such as a ``TimedArray``.

    Parameters
    ----------
    arguments : str
        The units of its arguments, such as ``"second"`` for one of time, or ``"second, 1"`` for time and neuron.
    unit : str
        The unit of its value.
    meaning : str
        What it is, in words.
    """

    arguments: str
    unit: str
    meaning: str

    def __str__(self) -> str:
        return f"({self.arguments}) : {self.unit}, {self.meaning}"

    def stub(self, where: str) -> Function:
        """Stand for the function in a text that is checked, with its units."""
        units = [parsed_unit(f"{where}.arguments", text.strip()) for text in self.arguments.split(",")]
        names = [f"x{k}" for k in range(len(units))]
        value = parsed_unit(f"{where}.unit", self.unit)
        result = get_unit(get_dimensions(value)) if get_dimensions(value) is not DIMENSIONLESS else 1
        return Function(_not_given, arg_units=units, arg_names=names, return_unit=result)


def _not_given(*_: object) -> float:
    raise ModelError("A function of a model was called that has not been given.")


def parsed_unit(where: str, text: str) -> Quantity:
    """One of a unit; `ModelError` names the field if it is none."""
    try:
        return parse_unit(text)
    except QuantityError as error:
        raise ModelError(f"{where}: {error}") from None


def check_new_name(where: str, name: str) -> None:
    """Raise `ModelError` unless ``name``, which is one, can be a variable of a model."""
    taken = name in DEFAULT_FUNCTIONS or name in DEFAULT_CONSTANTS or name in DEFAULT_UNITS or name in _RESERVED
    if name.endswith(("_pre", "_post")) or taken:
        do = "Names of Brian2, units and _pre/_post are taken."
        raise ModelError(field_error(f"{where}.{name}", "a new name of letters, digits and _", name, do))


def check_fields(where: str, model: Any, entries: Mapping[str, type]) -> None:
    """Raise `ModelError` unless each field of a model is a text or a table of what it should hold.

    Parameters
    ----------
    where : str
        What to call the model in a message.
    model : NeuronModel or SynapseModel
        As it was given.
    entries : mapping
        The tables whose values are no texts, and what they are.
    """
    for field in fields(model):
        here, value = f"{where}.{field.name}", getattr(model, field.name)
        if field.name in ("notes", *_REQUIRED):
            check_prose(here, value, empty=field.name == "notes")
        elif field.default_factory is MISSING:
            check_code(here, value, empty=field.name != "equations")
        elif field.name == "presets":
            for name, values in check_table(here, value).items():
                check_title(here, name)
                _check_texts(f"{here}.{name}", values)
        elif field.name in entries:
            for name, entry in check_table(here, value).items():
                check_name(here, name)
                _check_entry(f"{here}.{name}", entry, entries[field.name])
        else:
            _check_texts(here, value)


def _check_texts(where: str, table: object) -> None:
    for name, text in check_table(where, table).items():
        check_name(where, name)
        check_code(f"{where}.{name}", text, empty=False)


def _check_entry(where: str, entry: object, kind: type) -> None:
    if not isinstance(entry, kind):
        raise ModelError(field_error(where, f"a {kind.__name__}", short(entry)))
    for field in fields(entry):  # type: ignore[arg-type]
        value = getattr(entry, field.name)
        if field.name == "meaning":
            check_prose(f"{where}.meaning", value)
        else:
            check_code(f"{where}.{field.name}", value, empty=field.name in _MAY_BE_EMPTY)


def tidy_fields(where: str, model: Any, lines: Iterable[str], expressions: Iterable[str]) -> None:
    """Keep of the texts of a model that become code what is checked and handed on, and nothing else."""
    for field in lines:
        object.__setattr__(model, field, plain.lines(f"{where}.{field}", getattr(model, field)))
    for field in expressions:
        object.__setattr__(model, field, plain.expression(f"{where}.{field}", getattr(model, field)))
    initial = {name: plain.expression(f"{where}.initial.{name}", text) for name, text in model.initial.items()}
    object.__setattr__(model, "initial", freeze(initial))


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
