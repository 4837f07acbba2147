"""Objects in a few words: what of a value fits into a line."""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from biosnn.printable import printable

MOST = 900
"""Characters of a representation."""
_LONGEST, _ENTRIES = 60, 6


def bounded(text: str, most: int = MOST) -> str:
    """A text that is not too long, of characters that a terminal shows."""
    text = printable(text)
    return text if len(text) <= most else f"{text[: most - 3]}..."


def brief(value: object, depth: int = 2) -> str:
    """A value in a few words: arrays by type and shape, mappings and sequences by what they have, long texts cut."""
    if isinstance(value, str):
        return repr(value) if len(value) <= _LONGEST else f"{value[: _LONGEST - 3]!r}..."
    if value is None or isinstance(value, bool | int | float):
        return repr(value)
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    if isinstance(shape, tuple) and dtype is not None and shape:
        unit = f" in {unit}" if (unit := _unit(value)) else ""
        return f"<{' x '.join(map(str, shape))} {dtype}{unit}>"
    if isinstance(value, Mapping):
        return _entries("{", [str(key) for key in list(value)[:_ENTRIES]], len(value), "}")
    if isinstance(value, list | tuple | set | frozenset):
        if depth == 0:
            return f"<{len(value)} entries>"
        return _entries("(", [brief(entry, depth - 1) for entry in list(value)[:_ENTRIES]], len(value), ")")
    if isinstance(value, Path):
        return bounded(repr(str(value)), 200)
    if isinstance(value, type) or callable(value):
        return bounded(getattr(value, "__name__", type(value).__name__), _LONGEST)
    return bounded(repr(value), 4 * _LONGEST if depth > 1 else 2 * _LONGEST)


def _unit(value: Any) -> str:
    dimensions = getattr(value, "dim", None)
    return "" if dimensions is None or getattr(dimensions, "is_dimensionless", True) else str(dimensions)


def _entries(begin: str, shown: list[str], number: int, end: str) -> str:
    more = f", ... {number} in all" if number > len(shown) else ""
    return bounded(f"{begin}{', '.join(shown)}{more}{end}", 200)


def number_text(value: float, digits: int) -> str:
    """A number with so many digits; one below ten million without an exponent."""
    if isinstance(value, int):
        return str(value)
    text = f"{value:.{digits}g}"
    return f"{float(text):.0f}" if "e+" in text and abs(value) < 1e7 else text


def number(value: float) -> str:
    """A number as people read it."""
    return f"{int(value):,}" if isinstance(value, numbers.Integral) else number_text(float(value), 4)
