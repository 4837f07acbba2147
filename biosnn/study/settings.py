"""Settings of a study: declared once in a frozen dataclass, given as ``key=value`` texts, written back exactly.

A field's default fixes its type: a `Quantity` keeps its dimension, and the others are ``int``, ``float``, ``bool``,
``str`` and tuples of one of these. Nothing of what a user writes is evaluated.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from brian2.units.fundamentalunits import Quantity, get_dimensions

from biosnn.errors import QuantityError, SettingsError, field_error
from biosnn.quantity import check_dimension, dimension_name, format_quantity, parse_quantity

_TRUE = frozenset({"on", "true", "yes", "1"})
_FALSE = frozenset({"off", "false", "no", "0"})
_KEY = "biosnn"
_LARGEST = 2**63
# What a run takes beside its settings.
_OPTIONS = ("seed", "target", "out")


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
    """

    name: str
    default: Any
    help: str
    choices: tuple[Any, ...] | None = None
    minimum: Any = None
    maximum: Any = None

    @property
    def text(self) -> str:
        """The default as text."""
        return _write(self.default)

    @property
    def limits(self) -> str:
        """The choices or bounds as text, empty where there are none."""
        if self.choices is not None:
            return "one of " + ", ".join(_write(choice) for choice in self.choices)
        if self.minimum is not None and self.maximum is not None:
            return f"from {_write(self.minimum)} to {_write(self.maximum)}"
        if self.minimum is not None:
            return f"at least {_write(self.minimum)}"
        return f"at most {_write(self.maximum)}" if self.maximum is not None else ""


def setting(
    default: Any, help: str, *, choices: Iterable[Any] | None = None, minimum: Any = None, maximum: Any = None
) -> Any:
    """Declare a field of a study's ``Settings``.

    Parameters
    ----------
    default : Quantity, int, float, bool, str or a non-empty tuple of one of these
        The default, which fixes type and dimension.
    help : str
        What the setting does, in a sentence.
    choices : iterable, optional
        The only values allowed.
    minimum, maximum : optional
        Bounds, included, in the type (and dimension) of the default.

    Returns
    -------
    dataclasses.Field
        To be assigned to an annotated name of a frozen dataclass.

    Raises
    ------
    SettingsError
        If the default has another type, or does not keep its own limits.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> from brian2 import Quantity, ms
    >>> @dataclass(frozen=True)
    ... class Settings:
    ...     tau: Quantity = setting(20 * ms, "membrane time constant", minimum=0 * ms)
    ...     rule: str = setting("pair", "plasticity rule", choices=("pair", "triplet"))
    """
    info = SettingInfo(help, default, help, tuple(choices) if choices is not None else None, minimum, maximum)
    what = f"setting({_write_safely(default)}, {help!r})"
    try:
        _check_kind(what, default)
        for limit in (minimum, maximum, *(info.choices or ())):
            if limit is not None:
                _fit(f"{what}, limit", limit, _items(default)[0])
        _check_limits(what, default, info)
    except QuantityError as error:
        raise SettingsError(str(error)) from None
    # A Quantity is an array, which dataclasses take for a mutable default: hence the factory.
    return dataclasses.field(default_factory=lambda: default, metadata={_KEY: info})


def describe_settings(cls: type) -> list[SettingInfo]:
    """List the settings that a ``Settings`` class declares, in their order.

    Raises
    ------
    SettingsError
        If the class is not a frozen dataclass, or a field was not declared with `setting`.
    """
    if not dataclasses.is_dataclass(cls) or not cls.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        raise SettingsError(field_error(cls.__name__, "a frozen dataclass", cls, "Write @dataclass(frozen=True)."))
    infos = []
    for field in dataclasses.fields(cls):
        if _KEY not in field.metadata:
            do = "Write: name: type = setting(default, 'what it does')."
            raise SettingsError(
                field_error(f"{cls.__name__}.{field.name}", "a field made by setting()", field.default, do)
            )
        infos.append(dataclasses.replace(field.metadata[_KEY], name=field.name))
    return infos


def make_settings(cls: type, given: Mapping[str, Any] | None = None) -> Any:
    """Build a study's settings from texts or values.

    Parameters
    ----------
    cls : type
        The study's ``Settings``.
    given : mapping of str to str or value, optional
        What differs from the defaults. A text is parsed by the type of the default; any other value must have it.

    Returns
    -------
    Settings
        An instance of ``cls``, every value of which keeps its limits. Where the class has ``BASES``, {setting: {value:
        {other setting: text}}}, that value of the setting replaces the defaults of the others. Instead of {value: ...}
        there may be a function of the value and of all settings as known so far. What is named first comes first.
        ``RENAMED``, {earlier name: name}, has the error for an earlier name say what the setting is called now.

    Raises
    ------
    SettingsError
        If a key is unknown, a value or unit does not fit, or a limit is not kept. The message lists what is right.
    """
    infos = {info.name: info for info in describe_settings(cls)}
    for key in getattr(cls, "RENAMED", {}).keys() & (given or {}).keys():
        new = cls.RENAMED[key]  # type: ignore[attr-defined]
        raise SettingsError(f"Setting {key}: it is called {new} now. Write {new}={_write_safely((given or {})[key])}.")
    values = {key: _value(key, value, infos) for key, value in (given or {}).items()}
    for key, cases in getattr(cls, "BASES", {}).items():
        value = values[key] if key in values else infos[key].default
        known = {info.name: info.default for info in infos.values()} | values
        case = cases(value, known) if callable(cases) else cases.get(value, {})
        values = {name: _value(name, text, infos) for name, text in case.items()} | values
    return cls(**values)


def _value(key: str, value: Any, infos: Mapping[str, SettingInfo]) -> Any:
    if key not in infos:
        raise SettingsError(_unknown_key(key, infos))
    info = infos[key]
    try:
        parsed = _read(key, value, info.default) if isinstance(value, str) else _fit(key, value, info.default)
        _check_limits(key, parsed, info)
    except (QuantityError, SettingsError) as error:
        raise SettingsError(f"Setting {error} {_right_ones(infos)}") from None
    return parsed


def setting_texts(settings: Any) -> dict[str, str]:
    """Write settings as texts, from which `make_settings` builds equal ones."""
    return {info.name: _write(getattr(settings, info.name)) for info in describe_settings(type(settings))}


def changed_settings(settings: Any) -> dict[str, str]:
    """Write those settings as texts that differ from their defaults, from which `make_settings` builds equal ones.

    Where the class has ``BASES``, the defaults are those that the settings named there bring along.
    """
    cls, texts = type(settings), setting_texts(settings)
    defaults = {info.name: info.text for info in describe_settings(cls)}
    chosen = {key: texts[key] for key in getattr(cls, "BASES", {})}
    usual = {**setting_texts(make_settings(cls, chosen)), **{key: defaults[key] for key in chosen}}
    return {name: text for name, text in texts.items() if text != usual[name]}


def split_assignments(texts: Iterable[str]) -> dict[str, str]:
    """Split ``key=value`` texts.

    Raises
    ------
    SettingsError
        If a text has no ``=``, or a key is given twice.
    """
    pairs: dict[str, str] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise SettingsError(field_error("Setting", "key=value", text, "Write for example: tau='20 ms'."))
        if key.strip() in pairs:
            raise SettingsError(f"Setting {key.strip()}: given twice ({text!r}). Give it once.")
        pairs[key.strip()] = value
    return pairs


def _unknown_key(key: str, infos: Mapping[str, SettingInfo]) -> str:
    if not infos:
        return f"No setting named {key!r}: this study has no settings.{_option(key)}"
    likely = difflib.get_close_matches(key, infos, n=1)
    hint = f" Did you mean {likely[0]!r}?" if likely else _option(key)
    return f"No setting named {key!r}.{hint} {_right_ones(infos)}"


def _option(key: str) -> str:
    return f" Write --{key} instead: it is no setting." if key in _OPTIONS else ""


def _right_ones(infos: Mapping[str, SettingInfo]) -> str:
    lines = [f"  {name}={info.text}  {info.help}{_bracket(info.limits)}" for name, info in infos.items()]
    return "\n".join(["The settings of this study and their defaults:", *lines])


def _bracket(text: str) -> str:
    return f" ({text})" if text else ""


def _write(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(_write(item) for item in value)
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, Quantity):
        return str(format_quantity(value))
    return repr(value) if isinstance(value, float) else str(value)


def _write_safely(value: Any) -> str:
    return _write(value) if isinstance(value, (tuple, bool, int, float, str)) else repr(value)


def _kind(value: Any) -> str:
    """Name the type of a value, as a message needs it."""
    if isinstance(value, Quantity):
        return dimension_name(get_dimensions(value))
    kinds = {bool: "on or off", int: "a whole number", float: "a number", str: "a text"}
    return kinds.get(type(value), type(value).__name__)


def _check_kind(what: str, value: Any) -> None:
    items = _items(value)
    do = "It is a scalar quantity, an int, a float, a bool, a str, or a non-empty tuple of one of these."
    if not items:
        raise SettingsError(field_error(what, "a default whose type can be seen", value, do))
    for item in items:
        if type(item) not in (bool, int, float, str) and not (isinstance(item, Quantity) and np.ndim(item) == 0):
            raise SettingsError(field_error(what, "a setting's type", item, do))
        _fit(what, item, items[0])
        _check_text(what, item, in_tuple=isinstance(value, tuple))


def _read(key: str, text: str, default: Any) -> Any:
    """Parse a text by the type of the default."""
    if isinstance(default, tuple):
        parts = text.split(",") if text.strip() else []
        items = tuple(_read(key, part.strip(), default[0]) for part in parts)
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


def _fit(key: str, value: Any, default: Any) -> Any:
    """Take a value that is not a text, if it has the type of the default."""
    if isinstance(default, tuple):
        if not isinstance(value, (tuple, list)):
            raise SettingsError(field_error(key, "a tuple", value))
        items = tuple(_fit(key, item, default[0]) for item in value)
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


def _check_limits(key: str, value: Any, info: SettingInfo) -> None:
    for item in _items(value):
        outside = (
            (info.choices is not None and not any(bool(item == choice) for choice in info.choices))
            or (info.minimum is not None and item < info.minimum)
            or (info.maximum is not None and item > info.maximum)
        )
        if outside:
            raise SettingsError(f"{key}: expected {info.limits} (got {_write(item)}).")


def _items(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)
