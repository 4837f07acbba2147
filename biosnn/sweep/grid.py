"""Points of a grid: which values each setting takes, from texts of the command line or from Python's values."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from brian2.units.fundamentalunits import Quantity

from biosnn.errors import BiosnnError, SettingsError, field_error
from biosnn.study.setting_values import SettingInfo, parsed, write
from biosnn.study.settings import describe_settings, make_settings

MOST = 10**6
"""So many points one sweep may have."""


def axes_of_texts(settings: type, texts: Mapping[str, str]) -> dict[str, list[Any]]:
    """Read what each setting of a grid is to be.

    Parameters
    ----------
    settings : type
        The ``Settings`` of the study.
    texts : mapping of str to str
        ``"50,100,200"``, or ``"10:30:5"`` for 10, 15, ... 30 (first, last and step; the last one is reached if a step
        falls on it). Of a setting that is a tuple itself, values are separated by ``;``.

    Raises
    ------
    SettingsError
        If a setting is unknown or a value does not fit; the message lists what is right.
    """
    infos = {info.name: info for info in describe_settings(settings)}
    for key, text in texts.items():
        if key not in infos:
            make_settings(settings, {key: text})  # which says what is right
    return {key: _axis(key, text, infos[key]) for key, text in texts.items()} if texts else {}


def _axis(key: str, text: str, info: SettingInfo) -> list[Any]:
    tuples = isinstance(info.example, tuple)
    parts = text.split(";") if ";" in text else [text] if tuples else text.split(",")
    values = [value for part in parts for value in _part(key, part.strip(), info)]
    written = [write(value) for value in values]
    twice = next((one for one, many in Counter(written).items() if many > 1), None)
    if twice is not None:
        raise SettingsError(f"Setting {key}: {twice} is given twice ({text!r}). Give each value once.")
    return values


def _part(key: str, text: str, info: SettingInfo) -> Iterator[Any]:
    """One value, or those of a range."""
    words = text.split(":")
    ranges = isinstance(info.example, (int, float, Quantity)) and not isinstance(info.example, bool)
    if len(words) == 1 or not ranges:
        yield parsed(key, text, info)
        return
    if len(words) != 3:
        raise SettingsError(field_error(f"Setting {key}", "FIRST:LAST:STEP, such as 10:30:5", text))
    # The limits hold for the values, not for a step.
    free = SettingInfo(info.name, info.example, info.help)
    first, last, step = (parsed(key, word.strip(), free) for word in words)
    if not all(math.isfinite(float(one)) for one in (first, last, step)):
        raise SettingsError(field_error(f"Setting {key}", "finite numbers", text))
    if not float(step) or float(last - first) / float(step) < 0:
        raise SettingsError(field_error(f"Setting {key}", "a step that leads from the first to the last", text))
    many = int(np.floor(float(last - first) / float(step) * (1 + 1e-9) + 1e-9)) + 1
    if many > MOST:
        raise SettingsError(field_error(f"Setting {key}", f"at most {MOST:,} values", text))
    for number in range(many):
        value = first + number * step
        yield parsed(key, _short(value), info)


def _short(value: Any) -> Any:
    """0.30000000000000004 is 0.3 to whoever has asked for steps of 0.1."""
    if isinstance(value, Quantity):
        return Quantity(float(f"{float(value):.12g}"), dim=value.dim)
    return float(f"{value:.12g}") if isinstance(value, float) else value


def product(axes: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Every combination, the last setting changing fastest.

    Raises
    ------
    SettingsError
        If a setting has no values, or there are too many combinations.
    """
    if not isinstance(axes, Mapping):
        raise SettingsError(field_error("grid", "values by the names of settings", axes, 'Write {"n": [1, 2]}.'))
    axes = {key: list(values) if isinstance(values, Iterator) else values for key, values in axes.items()}
    for key, values in axes.items():
        if isinstance(values, str) or not isinstance(values, Iterable):
            raise SettingsError(field_error(f"grid[{key!r}]", "a list of values", values, f"Write [{values!r}]."))
        if not len(values):
            raise SettingsError(field_error(f"grid[{key!r}]", "at least one value", values))
    many = int(np.prod([float(len(values)) for values in axes.values()]))
    if many > MOST:
        raise SettingsError(field_error("grid", f"at most {MOST:,} points", many))
    return [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]


def parse_seeds(text: str) -> list[int]:
    """Read seeds: ``"1-5"``, ``"1,2,7"`` or both.

    Raises
    ------
    SettingsError
        If the text is something else.
    """
    seeds: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or not (last.isdecimal() if dash else True) or not part.isascii():
            raise SettingsError(field_error("--seeds", "whole numbers such as 1-5 or 1,2,7", text))
        begin, end = int(first), int(last or first)
        if end < begin or end - begin >= MOST:
            raise SettingsError(field_error("--seeds", f"from the lower to the higher, at most {MOST:,}", text))
        seeds += range(begin, end + 1)
    return checked_seeds(seeds)


def checked_seeds(seeds: Iterable[int]) -> list[int]:
    """Seeds, each once and within 32 bits.

    Raises
    ------
    SettingsError
        If they are not.
    """
    if not isinstance(seeds, Iterable) or isinstance(seeds, str):
        raise SettingsError(field_error("seeds", "a list of whole numbers", seeds, "Write range(1, 6)."))
    found = list(seeds)
    for seed in found:
        if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**32:
            raise SettingsError(field_error("seeds", "whole numbers from 0 to 4294967295", seed))
    if not found:
        raise SettingsError(field_error("seeds", "at least one", found))
    if len(set(found)) < len(found):
        raise SettingsError(field_error("seeds", "each seed once", found))
    return [int(seed) for seed in found]


def checked_point(study: Any, point: Mapping[str, Any]) -> Any:
    """The settings of a point.

    Raises
    ------
    SettingsError
        If they do not fit; the message says of which point.
    """
    try:
        return study.make_settings(point)
    except BiosnnError as error:
        shown = ", ".join(f"{key}={value if isinstance(value, str) else write(value)}" for key, value in point.items())
        raise SettingsError(f"Point {shown}: {error}") from None
