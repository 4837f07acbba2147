"""Physical quantities as text: ``"20 ms"`` <-> ``20*ms``.

A quantity that comes from a file or the command line is parsed by the small grammar below. Nothing is evaluated.

    quantity = number [unit]  |  number ("*" | "/") unit
    unit     = name [power] (("*" | "/") name [power])…
    power    = ("**" | "^") decimal
"""

from __future__ import annotations

import itertools
import math
import re
from functools import cache

import numpy as np
from brian2.core.namespace import DEFAULT_UNITS
from brian2.units.fundamentalunits import (
    DIMENSIONLESS,
    Dimension,
    Quantity,
    Unit,
    get_dimensions,
)

from biosnn.errors import QuantityError, unknown

_NUMBER = re.compile(
    r"\s*([+-]?(?:(?:inf|nan)(?![A-Za-z0-9_])|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?))(?![0-9.])\s*", re.ASCII
)
_POWER = r"[+-]?(?:\d{1,2}(?:\.\d{0,17})?|\.\d{1,17})(?![\d.])"
_FACTOR = re.compile(rf"\s*([A-Za-z][A-Za-z0-9_]*|1)\s*(?:(?:\*\*|\^)\s*({_POWER}))?\s*", re.ASCII)
_NUMBER_AND_UNIT = re.compile(r"(?<![\w.])(\d+\.?\d*(?:[eE][+-]?\d+)?) +([A-Za-z]\w*)")
_LONGEST = 500

# The spellings of the literature that Brian2 has no name for.
_SPELLINGS: dict[str, Unit] = {
    short: DEFAULT_UNITS[long]
    for short, long in {
        "s": "second",
        "V": "volt",
        "A": "amp",
        "S": "siemens",
        "mS": "msiemens",
        "F": "farad",
        "Ohm": "ohm",
        "MOhm": "Mohm",
        **{f"{prefix}J": f"{prefix}joule" for prefix in ("", "m", "u", "n", "p", "f")},
    }.items()
}
_UNITS: dict[str, Unit] = {**DEFAULT_UNITS, **_SPELLINGS}

# Tried in this order when a quantity is written: the unit that the literature uses for it.
_USUAL = (
    *("mV", "ms", "nA", "pA", "uA", "nS", "uS", "mS", "Mohm", "pF", "nF", "uF", "Hz", "kHz"),
    *("fJ", "pJ", "nJ", "uJ", "mJ"),
    *("volt", "second", "amp", "siemens", "ohm", "farad", "hertz", "joule", "coulomb", "watt", "mM"),
    *("mV/ms", "mV**2", "mV**2/ms", "nA/ms", "nS/ms", "uA/cm**2", "mS/cm**2", "uF/cm**2"),
)
# What other units are written with; of two that say the same, the one that begins with a former and ends with a latter.
_FACTORS = ("volt", "amp", "siemens", "ohm", "farad", "mole", "kilogram", "kelvin", "metre", "second")


def parse_unit(text: str) -> Quantity:
    """Parse a unit such as ``"mV"``, ``"nS/ms"``, ``"metre**2"`` or ``"1"`` (dimensionless).

    Parameters
    ----------
    text : str
        Unit names of Brian2 joined by ``*`` and ``/``, each with an optional power, such as ``**2`` or ``**-0.5``.

    Returns
    -------
    Quantity
        One of that unit; a plain float if dimensionless.

    Raises
    ------
    QuantityError
        If the text does not follow the grammar, or names an unknown unit.
    """
    _check_text("Unit", text)
    rest, sign, scale, dimension = text.strip(), 1, 1.0, DIMENSIONLESS
    while True:
        factor = _FACTOR.match(rest)
        if factor is None:
            raise QuantityError(
                f"Unit {text!r}: expected a unit name at {rest!r}. Write it like 'mV', 'nS/ms', 'mV**2', 'volt**0.5'."
            )
        name, power = factor[1], sign * _power(factor[2] or "1")
        if name != "1":
            if name not in _UNITS:
                raise QuantityError(_unknown_unit(text, name))
            try:
                scale *= float(_UNITS[name]) ** power
            except OverflowError:
                raise QuantityError(f"Unit {text!r}: {name}**{power} is too large for a double.") from None
            dimension = dimension * _UNITS[name].dim ** power
        rest = rest[factor.end() :]
        if not rest:
            return Quantity(scale, dim=dimension)
        if rest[0] not in "*/":
            raise QuantityError(f"Unit {text!r}: expected '*' or '/' at {rest!r}.")
        sign, rest = (1 if rest[0] == "*" else -1), rest[1:]


def _check_text(what: str, text: object) -> None:
    if not isinstance(text, str):
        raise QuantityError(f"{what}: expected a text (got {text!r}).")
    if len(text) > _LONGEST:
        raise QuantityError(f"{what} {text[:40]!r}...: expected at most {_LONGEST} characters (got {len(text)}).")


def _power(text: str) -> int | float:
    number = float(text)
    return int(number) if number.is_integer() else number


def _unknown_unit(text: str, name: str) -> str:
    common = "ms, second, Hz, mV, volt, pA, nA, nS, siemens, Mohm, pF, nF, umetre, mM"
    near = unknown("unit", name, _UNITS).split(" Valid names")[0]
    return f"Unit {text!r}: {near} Common ones: {common}."


def parse_quantity(text: str, like: Quantity | Dimension | None = None) -> Quantity:
    """Parse a quantity such as ``"20 ms"``, ``"0.5*nS"``, ``"1e-3 /ms"`` or ``"3"``.

    Parameters
    ----------
    text : str
        A decimal number (``inf`` is one) and, unless dimensionless, a unit.
    like : Quantity or Dimension, optional
        If given, the result must have the same physical dimension.

    Returns
    -------
    Quantity
        The value with its dimension; a plain float if dimensionless, as everywhere in Brian2.

    Raises
    ------
    QuantityError
        If the text is not a quantity, names an unknown unit, or has another dimension than ``like``.
    """
    _check_text("Quantity", text)
    number = _NUMBER.match(text)
    if number is None:
        raise QuantityError(f"Quantity {text!r}: expected a number and a unit, such as '20 ms' or '0.5*nS'.")
    value, unit = float(number[1]), text[number.end() :].strip()
    if math.isinf(value) and "inf" not in number[1]:
        raise QuantityError(f"Quantity {text!r}: the number is too large for a double. Write 'inf' if you mean that.")
    if unit.startswith("/"):
        unit = "1" + unit
    elif unit.startswith("*"):
        unit = unit[1:]
    quantity = value * parse_unit(unit) if unit else value
    if like is not None:
        check_dimension(text, quantity, like)
    return quantity


def product_hint(expression: str) -> str:
    """What to do where a unit stands in an expression as in a text, without a product sign; "" where none does."""
    found = _NUMBER_AND_UNIT.search(expression)
    return f" Write a unit with a product sign: {found[1]}*{found[2]}." if found else ""


def check_dimension(what: str, given: Quantity, like: Quantity | Dimension) -> None:
    """Raise `QuantityError` unless ``given`` has the dimension of ``like``; ``what`` names it in the message."""
    dimension = like if isinstance(like, Dimension) else get_dimensions(like)
    if get_dimensions(given) != dimension:
        got = dimension_name(get_dimensions(given))
        raise QuantityError(f"{what}: expected {dimension_name(dimension)}, got {got}. {_example(dimension)}")


def dimension_name(dimension: Dimension) -> str:
    """Name a physical dimension by its unit: ``"volt"``, ``"siemens / second"``, ``"a dimensionless number"``."""
    if dimension is DIMENSIONLESS or dimension.is_dimensionless:
        return "a dimensionless number"
    return f"a quantity in {_unit_text(dimension)}"


def _example(dimension: Dimension) -> str:
    if dimension.is_dimensionless:
        return "Write a plain number, such as '0.5'."
    usual = _usual(dimension)
    return f"Write a number and a unit, such as '1 {usual[0] if usual else _unit_text(dimension)}'."


@cache
def _usual(dimension: Dimension) -> tuple[str, ...]:
    """The units of a dimension that the literature uses."""
    return tuple(name for name in _USUAL if get_dimensions(parse_unit(name)) is dimension)


def unit_text(quantity: Quantity | Dimension) -> str:
    """Return the SI unit of a quantity as text that `parse_unit` reads, e.g. ``"volt"`` or ``"1"``."""
    dimension = quantity if isinstance(quantity, Dimension) else get_dimensions(quantity)
    return "1" if dimension.is_dimensionless else _unit_text(dimension)


@cache
def _unit_text(dimension: Dimension) -> str:
    named = next((name for name in _usual(dimension) if float(parse_unit(name)) == 1.0 and name in _UNITS), None)
    if named:
        return named
    if dimension in _compound_units():
        return _compound_units()[dimension]
    bases = ("metre", "kilogram", "second", "amp", "kelvin", "mole", "candle")
    return "*".join(
        _with_power(name, float(power)) for name, power in zip(bases, dimension._dims, strict=True) if power != 0
    )


@cache
def _compound_units() -> dict[Dimension, str]:
    """Units of two factors at most, the simplest of each dimension: volt/second, not metre**2*kilogram*second**-4..."""
    whole = itertools.product((1, 2, 0), (0, -1, 1, -2, 2, -3))
    halves = itertools.product((0.5, 1), (0, -0.5, 0.5))
    units: dict[Dimension, str] = {}
    for power, other_power in (*sorted(whole, key=lambda two: abs(two[0]) + abs(two[1])), *halves):
        for name, other in itertools.product(_FACTORS, reversed(_FACTORS)):
            dimension = _UNITS[name].dim ** power * _UNITS[other].dim ** other_power
            first = _with_power(name, power) if power else "1"
            over = "*" if other_power > 0 else "/"
            units.setdefault(
                dimension, f"{first}{over}{_with_power(other, abs(other_power))}" if other_power else first
            )
    return units


def _with_power(name: str, power: float) -> str:
    return name if power == 1 else f"{name}**{_number_text(float(power))}"


def format_quantity(quantity: Quantity | float) -> str:
    """Write a scalar quantity as text, so that `parse_quantity` gives back exactly the same value.

    The unit is the one the literature would use (mV, ms, nS, …) as long as the number survives the round trip;
    otherwise the SI unit.
    """
    dimension, value = get_dimensions(quantity), float(np.asarray(quantity))
    if dimension.is_dimensionless:
        return _number_text(value)
    scales = {name: float(parse_unit(name)) for name in _usual(dimension)}
    for name in sorted(scales, key=lambda name: _distance_from_plain(value / scales[name])):
        number = value / scales[name]
        # 0.123*ms / ms is 0.12300000000000001. Fifteen digits say what was meant, where they are the same value.
        for text in (f"{_number_text(float(f'{number:.15g}'))} {name}", f"{_number_text(number)} {name}"):
            if float(np.asarray(parse_quantity(text))) == value or math.isnan(value):
                return text
    return f"{_number_text(value)} {_unit_text(dimension)}"


def _number_text(value: float) -> str:
    return repr(int(value)) if math.isfinite(value) and value == int(value) and abs(value) < 1e15 else repr(value)


def _distance_from_plain(number: float) -> float:
    """How far a number is from the range 1 to 1000, in which people like to read it."""
    if number == 0 or not math.isfinite(number):
        return 0.0
    exponent = math.log10(abs(number))
    return max(0.0, -exponent, exponent - 3) + len(repr(number)) / 100
