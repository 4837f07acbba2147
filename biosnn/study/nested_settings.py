"""Settings of a study that are a dataclass of the library: declared there once, given as ``cell.size=7``."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from biosnn.errors import SettingsError, field_error, unknown
from biosnn.study.setting_values import SettingInfo, declared

KEY = "biosnn"
"""Under which a field's metadata say what is known of its setting."""


@dataclasses.dataclass(frozen=True)
class About:
    """What a study says of a field of a library's dataclass, beside what the dataclass says itself.

    Parameters
    ----------
    help : str
        What it does; by default the first sentence that the docstring has on the field.
    choices : tuple, optional
        The only values allowed.
    minimum, maximum : optional
        Bounds, included.
    like : optional
        A value whose type all have, where the default is None (which ``none`` stands for) or an empty tuple.
    """

    help: str = ""
    choices: tuple[Any, ...] | None = None
    minimum: Any = None
    maximum: Any = None
    like: Any = None


@dataclasses.dataclass(frozen=True)
class Nested:
    """A field that is a dataclass: its default, and the settings in it."""

    default: Any
    infos: tuple[SettingInfo, ...]


def nested(default: Any, about: Mapping[str, About] | None = None, *, leave_out: Collection[str] = ()) -> Any:
    """Declare a field of a study's ``Settings`` that is a dataclass of the library.

    Each of its fields is a setting, ``field.name``, and each of those of a dataclass in it, ``field.inner.name``.
    Defaults are those of the instance, help is that of its numpydoc docstring.

    Parameters
    ----------
    default : dataclass instance
        The default. It is frozen.
    about : mapping of str to About, optional
        Limits, and other help, by the name of the field within ``default``.
    leave_out : collection of str
        Names of fields that are no settings, and stay as they are in ``default``.

    Returns
    -------
    dataclasses.Field
        To be assigned to an annotated name of a frozen dataclass.

    Raises
    ------
    SettingsError
        If ``default`` is no frozen dataclass, a field cannot be a setting or is documented nowhere, a name is unknown,
        or a default does not keep its limits.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> from biosnn.conversion import Options
    >>> @dataclass(frozen=True)
    ... class Settings:
    ...     conversion: Options = nested(Options(), {"start": About(minimum=-1.0)}, leave_out=("balance",))
    """
    kind = type(default)
    if not dataclasses.is_dataclass(kind) or not kind.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        raise SettingsError(field_error("nested()", "an instance of a frozen dataclass", default))
    known, names = about or {}, set(_names(default))
    for name in (*known, *leave_out):
        if name not in names:
            raise SettingsError(f"nested({kind.__name__}): {unknown('field', name, names)}")
    infos = tuple(_infos(default, "", known, leave_out))
    return dataclasses.field(default_factory=lambda: default, metadata={KEY: Nested(default, infos)})


def _names(value: Any, prefix: str = "") -> Iterator[str]:
    for field in dataclasses.fields(value):
        yield prefix + field.name
        inner = getattr(value, field.name)
        if dataclasses.is_dataclass(inner):
            yield from _names(inner, f"{prefix}{field.name}.")


def _infos(value: Any, prefix: str, known: Mapping[str, About], leave_out: Collection[str]) -> Iterator[SettingInfo]:
    said = documented(type(value))
    for field in dataclasses.fields(value):
        name, inner = prefix + field.name, getattr(value, field.name)
        if name in leave_out or not field.init:
            continue
        if dataclasses.is_dataclass(inner):
            yield from _infos(inner, f"{name}.", known, leave_out)
            continue
        about = known.get(name, About())
        text = about.help or said.get(field.name, "")
        what = f"nested({type(value).__name__}).{field.name}"
        if not text:
            raise SettingsError(f"{what}: is documented nowhere. Give it an About with help, or leave it out.")
        if inner is None and about.like is None:
            do = "Give it an About with a value that it is like, or leave it out."
            raise SettingsError(field_error(what, "a default whose type can be seen", inner, do))
        limits = (about.choices, about.minimum, about.maximum, about.like)
        yield declared(what, SettingInfo(name, inner, text, *limits))


_ENTRY = re.compile(r"^(\w[\w, ]*?) ?:.*\n((?: {4}.*\n|\n)+)", re.MULTILINE)


def documented(cls: type) -> dict[str, str]:
    """The first sentence that the numpydoc docstrings of a class, and of those that it extends, have on each field."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        text = inspect.cleandoc(base.__dict__.get("__doc__") or "") + "\n"
        section = re.search(r"^Parameters\n-+\n(.*?)(?=^\w[^\n]*\n-+\n|\Z)", text, re.MULTILINE | re.DOTALL)
        for names, body in _ENTRY.findall(section[1] if section else ""):
            found |= dict.fromkeys(names.split(", "), _sentence(body))
    return found


def _sentence(text: str) -> str:
    """The first sentence as a setting's help is written: without capital, full stop and marks of code."""
    first = re.split(r"(?<=\.)\s+(?=[A-Z])", " ".join(text.split()).replace("`", ""))[0].removesuffix(".")
    return first[:1].lower() + first[1:] if first[1:2].islower() or first[1:2] == " " else first
