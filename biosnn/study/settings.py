"""Settings of a study: declared once in a frozen dataclass, given as ``key=value`` texts, written back exactly.

A field's default fixes its type: a `Quantity` keeps its dimension, and the others are ``int``, ``float``, ``bool``,
``str`` and tuples of one of these. A field may also be a dataclass of the library (`nested`). Nothing of what a user
writes is evaluated.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable, Mapping
from functools import reduce
from typing import Any, TypeVar

from biosnn.errors import BiosnnError, QuantityError, SettingsError, field_error
from biosnn.study.nested_settings import KEY, Nested
from biosnn.study.setting_values import SettingInfo, declared, parsed, write, write_safely

Made = TypeVar("Made")

# What a run takes beside its settings.
_OPTIONS = ("seed", "target", "out")


def setting(
    default: Any,
    help: str,
    *,
    choices: Iterable[Any] | None = None,
    minimum: Any = None,
    maximum: Any = None,
    like: Any = None,
) -> Any:
    """Declare a field of a study's ``Settings``.

    Parameters
    ----------
    default : Quantity, int, float, bool, str or a non-empty tuple of one of these
        The default, which fixes type and dimension. Or None, if that stands for something, and ``like`` is given.
    help : str
        What the setting does, in a sentence.
    choices : iterable, optional
        The only values allowed.
    minimum, maximum : optional
        Bounds, included, in the type (and dimension) of the default.
    like : optional
        A value of the type and dimension that all others have, where the default is None.

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
    info = SettingInfo(help, default, help, tuple(choices) if choices is not None else None, minimum, maximum, like)
    declared(f"setting({write_safely(default)}, {help!r})", info)
    # A Quantity is an array, which dataclasses take for a mutable default: hence the factory.
    return dataclasses.field(default_factory=lambda: default, metadata={KEY: info})


def describe_settings(cls: type) -> list[SettingInfo]:
    """List the settings that a ``Settings`` class declares, in their order.

    Those of a field made by `nested` are named with a dot, ``circuit.inhibition``.

    Raises
    ------
    SettingsError
        If the class is not a frozen dataclass, or a field was declared neither with `setting` nor with `nested`.
    """
    if not dataclasses.is_dataclass(cls) or not cls.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        raise SettingsError(field_error(cls.__name__, "a frozen dataclass", cls, "Write @dataclass(frozen=True)."))
    infos: list[SettingInfo] = []
    for field in dataclasses.fields(cls):
        declared_as = field.metadata.get(KEY)
        if isinstance(declared_as, Nested):
            infos += [dataclasses.replace(info, name=f"{field.name}.{info.name}") for info in declared_as.infos]
        elif isinstance(declared_as, SettingInfo):
            infos.append(dataclasses.replace(declared_as, name=field.name))
        else:
            do = "Write: name: type = setting(default, 'what it does')."
            raise SettingsError(
                field_error(f"{cls.__name__}.{field.name}", "a field made by setting() or nested()", field.default, do)
            )
    return infos


def make_settings(cls: type[Made], given: Mapping[str, Any] | None = None) -> Made:
    """Build a study's settings from texts or values. No file is opened for that.

    Parameters
    ----------
    cls : type
        The study's ``Settings``.
    given : mapping of str to str or value, optional
        What differs from the defaults. A text is parsed by the type of the default; any other value must have it.

    Returns
    -------
    Settings
        An instance of ``cls``, every value of which keeps its limits. Where the class has ``CONDITIONAL_DEFAULTS``,
        {setting: {value: {other setting: text}}}, that value of the setting replaces the defaults of the others.
        Instead of {value: ...} there may be a function of the value and of all settings as known so far. What is named
        first comes first.

    Raises
    ------
    SettingsError
        If a key is unknown, a value or unit does not fit, or a limit is not kept. The message lists what is right. For
        a name that ``RENAMED``, {old: new}, has in the class, it says how the setting is called now.
    """
    if hasattr(cls, "BASES"):
        raise SettingsError(f"{cls.__name__}: BASES is called CONDITIONAL_DEFAULTS now; name it so.")
    infos = {info.name: info for info in describe_settings(cls)}
    renamed = getattr(cls, "RENAMED", {})
    values = {key: _value(key, value, infos, renamed) for key, value in (given or {}).items()}
    for key, cases in getattr(cls, "CONDITIONAL_DEFAULTS", {}).items():
        value = values[key] if key in values else infos[key].default
        known = {info.name: info.default for info in infos.values()} | values
        case = cases(value, known) if callable(cases) else cases.get(value, {})
        values = {name: _value(name, text, infos, renamed) for name, text in case.items()} | values
    fields = {}
    for field in dataclasses.fields(cls):  # type: ignore[arg-type]
        if isinstance(field.metadata[KEY], Nested):
            fields[field.name] = _built(field.metadata[KEY].default, field.name, values)
        elif field.name in values:
            fields[field.name] = values[field.name]
    return cls(**fields)


def _built(default: Any, name: str, values: Mapping[str, Any]) -> Any:
    """A dataclass with those of its fields changed, and of the dataclasses in it, that have a value."""
    changes = {}
    for field in dataclasses.fields(default):
        key = f"{name}.{field.name}"
        if key in values:
            changes[field.name] = values[key]
        elif any(given.startswith(f"{key}.") for given in values):
            changes[field.name] = _built(getattr(default, field.name), key, values)
    try:
        return dataclasses.replace(default, **changes) if changes else default
    except (BiosnnError, TypeError, ValueError) as error:  # its own check, which may say so in words of its own
        raise SettingsError(f"Setting {name}: {error}") from None


def _value(key: str, value: Any, infos: Mapping[str, SettingInfo], renamed: Mapping[str, str]) -> Any:
    if key not in infos:
        raise SettingsError(_unknown_key(key, value, infos, renamed))
    try:
        return parsed(key, value, infos[key])
    except (QuantityError, SettingsError) as error:
        raise SettingsError(f"Setting {error} {_right_ones(infos)}") from None


def setting_texts(settings: Any) -> dict[str, str]:
    """Write settings as texts, from which `make_settings` builds equal ones."""
    names = [info.name for info in describe_settings(type(settings))]
    return {name: write(reduce(getattr, name.split("."), settings)) for name in names}


def changed_settings(settings: Any, brought: Mapping[str, str] | None = None) -> dict[str, str]:
    """Write those settings as texts that differ from their defaults, from which `make_settings` builds equal ones.

    Where the class has ``CONDITIONAL_DEFAULTS``, the defaults are those that the settings named there bring along; what
    is ``brought`` from elsewhere comes before both.
    """
    cls, texts = type(settings), setting_texts(settings)
    first = {**(brought or {})}
    defaults = {info.name: info.text for info in describe_settings(cls)}
    defaults |= setting_texts(make_settings(cls, first)) if first else {}
    chosen = {key: texts[key] for key in getattr(cls, "CONDITIONAL_DEFAULTS", {})}
    usual = {**setting_texts(make_settings(cls, first | chosen)), **{key: defaults[key] for key in chosen}}
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


def _unknown_key(key: str, value: Any, infos: Mapping[str, SettingInfo], renamed: Mapping[str, str]) -> str:
    if renamed.get(key) in infos:
        given = write_safely(value)
        return f"Setting {key}: it is called {renamed[key]} now. Write {renamed[key]}={given}."
    if not infos:
        return f"No setting named {key!r}: this study has no settings.{_option(key)}"
    # Of a nested setting, the last part of its name may be all that somebody remembers.
    likely = [name for name in infos if name.endswith(f".{key}")] or difflib.get_close_matches(key, infos, n=1)
    hint = f" Did you mean {likely[0]!r}?" if likely else _option(key)
    return f"No setting named {key!r}.{hint} {_right_ones(infos)}"


def _option(key: str) -> str:
    return f" Write --{key} instead: it is no setting." if key in _OPTIONS else ""


def _right_ones(infos: Mapping[str, SettingInfo]) -> str:
    lines = [f"  {name}={info.text}  {info.help}{_bracket(info.limits)}" for name, info in infos.items()]
    return "\n".join(["The settings of this study and their defaults:", *lines])


def _bracket(text: str) -> str:
    return f" ({text})" if text else ""
