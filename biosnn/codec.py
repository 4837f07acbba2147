"""Dataclasses as JSON has them, and back: what is written, and asked of a stranger's file, stands once, in the class.

Types of fields: texts, whole numbers, finite numbers, truth values, quantities (as texts with their unit), other
dataclasses, tuples, lists and mappings of these, any of them or None, and Any. Nothing of a file is executed.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import math
from collections.abc import Collection, Mapping, MutableMapping
from functools import cache, partial
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np
from brian2.units.fundamentalunits import Quantity

from biosnn import files
from biosnn.errors import BiosnnError, field_error, unknown
from biosnn.quantity import format_quantity, parse_quantity

_WORDS: dict[Any, tuple[type, ...]] = {str: (str,), int: (int,), float: (int, float), bool: (bool,), Quantity: (str,)}
_SILENT = (None, "", math.inf)  # a field with one of these by default is left out as long as it has it


def plain(
    value: Any, without: Collection[str] = (), *, apart: MutableMapping[str, Any] | None = None, place: str = ""
) -> Any:
    """What JSON has of a value.

    Parameters
    ----------
    value : Any
        A dataclass, or what its fields may be.
    without : collection of str
        Fields that are told elsewhere.
    apart : mutable mapping, optional
        Gets the arrays that are fields, under ``place`` and the field's name.
    """
    if isinstance(value, Quantity):
        return str(format_quantity(value))
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if not dataclasses.is_dataclass(value):
        return value
    found: dict[str, Any] = {}
    for field in dataclasses.fields(value):
        item = getattr(value, field.name)
        if field.name in without or (field.default in _SILENT and item == field.default):
            continue
        if apart is not None and type(item) is np.ndarray:
            apart[f"{place}/{field.name}"] = item
        else:
            found[field.name] = plain(item)
    return found


def made(
    kind: Any,
    value: Any,
    where: str,
    error: type[BiosnnError],
    *,
    given: Mapping[str, Any] | None = None,
    ignore_unknown: bool = False,
    renamed: Mapping[str, str] | None = None,
) -> Any:
    """What `plain` has written, by its type.

    Parameters
    ----------
    kind : type
        A dataclass, or the type of a field.
    value : Any
        Of a JSON text, which may be a stranger's.
    where : str
        What to call it in a message: the file, and the member of it.
    error : type
        Of the exception to raise.
    given : mapping, optional
        Fields of the dataclass that come from elsewhere, and are not read.
    ignore_unknown : bool
        Whether fields that the dataclass does not have are no error.
    renamed : mapping, optional
        How fields are called now, by the names under which earlier versions wrote them.

    Raises
    ------
    error
        If a field is missing, unknown, of another type, or refused by its dataclass. The message names it.
    """
    of, inner = get_origin(kind), get_args(kind)
    part = partial(made, error=error, ignore_unknown=ignore_unknown, renamed=renamed)
    if of in (Union, UnionType):
        return None if value is None and NoneType in inner else part(inner[0], value, where)
    if dataclasses.is_dataclass(kind):
        return _dataclass(kind, _required(where, value, error, dict), where, part, given or {})
    if of in (dict, collections.abc.Mapping):
        items = _required(where, value, error, dict).items()
        return {key: part(inner[1], item, f"{where}[{key!r}]") for key, item in items}
    if of in (tuple, list, collections.abc.Sequence):
        items = _required(where, value, error, list)
        kinds = inner if of is tuple and inner[-1] is not ... else inner[:1] * len(items)
        if len(kinds) != len(items):
            raise error(field_error(where, f"{len(kinds)} of them", value))
        found = [part(kinds[n], item, f"{where}[{n}]") for n, item in enumerate(items)]
        return found if of is list else tuple(found)
    return value if kind is Any else _word(kind, value, where, error)


@cache
def _types(kind: Any) -> dict[str, Any]:
    """The types of a dataclass's fields; of ten thousand entries it is asked ten thousand times."""
    return get_type_hints(kind)


def _dataclass(kind: Any, value: Mapping[str, Any], where: str, part: partial[Any], given: Mapping[str, Any]) -> Any:
    error, types = part.keywords["error"], _types(kind)
    read = {field.name: field for field in dataclasses.fields(kind) if field.init and field.name not in given}
    earlier = part.keywords["renamed"] or {}
    now = {earlier[name]: item for name, item in value.items() if earlier.get(name) in read}
    value = now | {name: item for name, item in value.items() if earlier.get(name) not in read}
    for name in () if part.keywords["ignore_unknown"] else value:
        if name not in read:
            raise error(f"{where}: {unknown('field', name, read)}")
    needed = [name for name, field in read.items() if field.default is field.default_factory is dataclasses.MISSING]
    missing = [repr(name) for name in needed if name not in value]
    if missing:
        said = f"field {missing[0]} is" if len(missing) == 1 else f"fields {', '.join(missing)} are"
        raise error(f"{where}: the {said} missing.")
    found = {name: part(types[name], value[name], f"{where} {name}") for name in read if name in value}
    with files.reading(where, error, kind.__name__):
        return kind(**given, **found)


def _word(kind: Any, value: Any, where: str, error: type[BiosnnError]) -> Any:
    if kind is Quantity and not isinstance(value, str):
        raise error(field_error(where, "a quantity in quotes, such as '20 ms'", value))
    if kind not in _WORDS:
        raise error(field_error(where, f"what no JSON text has ({kind})", value))
    with files.reading(where, error, "a number or a text"):  # a number may have too many digits to be one
        if not isinstance(_required(where, value, error, *_WORDS[kind]), str) and not math.isfinite(value):
            raise error(field_error(where, "a finite number", value))
        return Quantity(parse_quantity(value)) if kind is Quantity else value


def _required(where: str, value: Any, error: type[BiosnnError], *kinds: type) -> Any:
    # bool is an int to Python, but not to a reader of JSON.
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        raise error(field_error(where, " or ".join(kind.__name__ for kind in kinds), value))
    return value
