"""Values of settings: read from texts by the type of the default, written back exactly, held to their limits."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from brian2.units.fundamentalunits import Quantity, get_dimensions

from biosnn.errors import QuantityError, SettingsError, field_error
from biosnn.quantity import check_dimension, dimension_name, format_quantity, parse_quantity

NONE = "none"
"""How the value None is written, of a setting that may be left to somebody else."""
_TRUE = frozenset({"on", "true", "yes", "1"})
_FALSE = frozenset({"off", "false", "no", "0"})
_LARGEST = 2**63


@dataclasses.dataclass(frozen=True)
class SettingInfo:
    """One setting of a study, as a reader needs it.

    Parameters
    ----------
    name : str
        The key of ``key=value``.
    default : Any
        Its default; the type of every other value follows from it.
    help : str
        What it does, in a sentence.
    choices : tuple, optional
        The only values allowed (for a tuple, of its elements).
    minimum, maximum : optional
        Bounds, included, in the type of the default (for a tuple, of its elements).
    like : optional
        A value whose type all have, where the default is None or an empty tuple. If it is None, so may others be.
    """

    name: str
    default: Any
    help: str
    choices: tuple[Any, ...] | None = None
    minimum: Any = None
    maximum: Any = None
    like: Any = None

    @property
    def example(self) -> Any:
        """A value whose type all have."""
        return self.default if self.like is None else self.like

    @property
    def text(self) -> str:
        """The default as text."""
        return write(self.default)

    @property
    def limits(self) -> str:
        """The choices or bounds as text, empty where there are none."""
        if self.choices is not None:
            return "one of " + ", ".join(write(choice) for choice in self.choices)
        if self.minimum is not None and self.maximum is not None:
            return f"from {write(self.minimum)} to {write(self.maximum)}"
        if self.minimum is not None:
            return f"at least {write(self.minimum)}"
        return f"at most {write(self.maximum)}" if self.maximum is not None else ""


def declared(what: str, info: SettingInfo) -> SettingInfo:
    """Check a setting where it is declared: the types of its default and its limits, and that it keeps these.

    Raises
    ------
    SettingsError
        If they do not fit; the message begins with ``what``.
    """
    try:
        check_kind(what, info.example)
        for limit in (info.minimum, info.maximum, *(info.choices or ())):
            if limit is not None:
                fit(f"{what}, limit", limit, elements(info.example)[0])
        if info.default is not None:
            fit(what, info.default, info.example)
        check_limits(what, info.default, info)
    except QuantityError as error:
        raise SettingsError(str(error)) from None
    return info


def parsed(key: str, value: Any, info: SettingInfo) -> Any:
    """Take a value, or read it from a text, by the type of the default.

    Raises
    ------
    SettingsError, QuantityError
        If it is of another type, or beyond the limits.
    """
    if info.default is None and (value is None or (isinstance(value, str) and value.strip().lower() == NONE)):
        return None
    found = read(key, value, info.example) if isinstance(value, str) else fit(key, value, info.example)
    check_limits(key, found, info)
    return found


def write(value: Any) -> str:
    """Write a value as a text, from which `read` makes an equal one."""
    if value is None:
        return NONE
    if isinstance(value, tuple):
        return ",".join(write(item) for item in value)
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, Quantity):
        return str(format_quantity(value))
    return repr(value) if isinstance(value, float) else str(value)


def write_safely(value: Any) -> str:
    """Write whatever somebody took for a value."""
    return write(value) if isinstance(value, (tuple, bool, int, float, str)) else repr(value)


def _kind(value: Any) -> str:
    """Name the type of a value, as a message needs it."""
    if isinstance(value, Quantity):
        return dimension_name(get_dimensions(value))
    kinds = {bool: "on or off", int: "a whole number", float: "a number", str: "a text"}
    return kinds.get(type(value), type(value).__name__)


def check_kind(what: str, value: Any) -> None:
    """Refuse a default that is of no type a setting can have."""
    items = elements(value)
    do = "It is a scalar quantity, an int, a float, a bool, a str, or a non-empty tuple of one of these."
    if not items:
        raise SettingsError(field_error(what, "a default whose type can be seen", value, do))
    for item in items:
        if type(item) not in (bool, int, float, str) and not (isinstance(item, Quantity) and np.ndim(item) == 0):
            raise SettingsError(field_error(what, "a setting's type", item, do))
        fit(what, item, items[0])
        _check_text(what, item, in_tuple=isinstance(value, tuple))


def read(key: str, text: str, default: Any) -> Any:
    """Parse a text by the type of the default."""
    if isinstance(default, tuple):
        parts = text.split(",") if text.strip() else []
        items = tuple(read(key, part.strip(), default[0]) for part in parts)
        for item in items:
            _check_text(key, item, in_tuple=True)
        return items
    if isinstance(default, Quantity):
        try:
            value = parse_quantity(text, default)
        except QuantityError as error:
            raise QuantityError(f"{key}: {error}") from None
        return _not_nan(key, value)
    if isinstance(default, str):
        return text
    word = text.strip().lower()
    if isinstance(default, bool):
        if word not in _TRUE | _FALSE:
            raise SettingsError(field_error(key, "on or off", text))
        return word in _TRUE
    return _number(key, text, int if isinstance(default, int) else float)


def _number(key: str, text: str, kind: Callable[[str], float]) -> Any:
    expected = "a whole number" if kind is int else "a number"
    try:
        number = kind(text)
    except ValueError:
        raise SettingsError(field_error(key, expected, text)) from None
    # Digits of other alphabets are numbers to Python, and so is what is too large for it: infinity.
    if not text.isascii():
        raise SettingsError(field_error(key, f"{expected}, in the digits 0 to 9", text))
    if kind is int and not -_LARGEST <= number < _LARGEST:
        raise SettingsError(field_error(key, f"{expected} of 64 bits", text))
    if math.isinf(number) and "inf" not in text.lower():
        raise SettingsError(field_error(key, f"{expected} below 1.8e308", text, "Write 'inf' if you mean that."))
    return _not_nan(key, number)


def _not_nan(key: str, value: Any) -> Any:
    if math.isnan(float(value)):
        raise SettingsError(field_error(key, "a number", "nan"))
    return value


def fit(key: str, value: Any, default: Any) -> Any:
    """Take a value that is not a text, if it has the type of the default."""
    if isinstance(default, tuple):
        if not isinstance(value, (tuple, list)):
            raise SettingsError(field_error(key, "a tuple", value))
        items = tuple(fit(key, item, default[0]) for item in value)
        for item in items:
            _check_text(key, item, in_tuple=True)
        return items
    if isinstance(default, Quantity):
        if np.ndim(value) != 0 or not isinstance(value, (Quantity, int, float, np.number)):
            raise SettingsError(field_error(key, _kind(default), value))
        quantity = Quantity(value)
        check_dimension(key, quantity, default)
        return _not_nan(key, quantity)
    plain = value.item() if isinstance(value, (np.generic, np.ndarray)) and np.ndim(value) == 0 else value
    if isinstance(value, Quantity) and not get_dimensions(value).is_dimensionless:
        raise SettingsError(field_error(key, _kind(default), value))
    if type(default) is float and type(plain) is int:
        plain = float(plain)
    if type(plain) is not type(default):
        raise SettingsError(field_error(key, _kind(default), value))
    if type(plain) is int and not -_LARGEST <= plain < _LARGEST:
        raise SettingsError(field_error(key, "a whole number of 64 bits", value))
    return _not_nan(key, plain) if isinstance(plain, float) else plain


def _check_text(key: str, item: Any, *, in_tuple: bool) -> None:
    """A comma separates the elements of a tuple, and blanks around it do not count: neither can be part of one."""
    if in_tuple and isinstance(item, str) and ("," in item or item != item.strip() or not item):
        raise SettingsError(field_error(key, "texts without commas, outer blanks or nothing in them", item))


def check_limits(key: str, value: Any, info: SettingInfo) -> None:
    """Refuse a value that is none of the choices, or beyond the bounds."""
    for item in () if value is None else elements(value):
        outside = (
            (info.choices is not None and not any(bool(item == choice) for choice in info.choices))
            or (info.minimum is not None and item < info.minimum)
            or (info.maximum is not None and item > info.maximum)
        )
        if outside:
            raise SettingsError(f"{key}: expected {info.limits} (got {write(item)}).")


def elements(value: Any) -> tuple[Any, ...]:
    """The elements of a tuple; of any other value itself."""
    return value if isinstance(value, tuple) else (value,)
