"""What a group of inputs is given: brought into one form, or refused by name."""

from __future__ import annotations

import re
import reprlib
from typing import Any

import numpy as np
from brian2 import DimensionMismatchError, Quantity, second

from biosnn.errors import ModelError, QuantityError, field_error
from biosnn.quantity import check_dimension, parse_quantity

# What Brian2 takes: the star asks it to find a name that is free.
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\*?")


def plain_name(where: str, name: Any) -> str:
    """Return a name without its star.

    Raises
    ------
    ModelError
        If it is none that Brian2 takes.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ModelError(field_error(f"{where}, name", "letters, digits and _, a digit not first", name))
    return name.rstrip("*")


def count(where: str, n: Any) -> int:
    """Return a number of neurons.

    Raises
    ------
    ModelError
        If it is no whole number of at least 1.
    """
    try:
        fits = not isinstance(n, bool | str) and int(n) == n and n >= 1
    except (TypeError, ValueError, OverflowError, DimensionMismatchError):
        fits = False
    if not fits:
        raise ModelError(field_error(f"{where}, n", "a whole number of at least 1", n))
    return int(n)


def numbers(where: str, given: Any, expected: str = "real numbers") -> Quantity:
    """Return one real number or an array of them, with a unit.

    Parameters
    ----------
    where, expected : str
        What to call it in a message, and what it should be.
    given : Quantity, array or nested lists
        What it is.

    Raises
    ------
    ModelError
        If it is anything else, has rows of unequal length, or is complex.
    QuantityError
        If its elements have different dimensions.
    """
    try:
        quantity_given = Quantity(given)
    except DimensionMismatchError as error:
        raise QuantityError(f"{where}: {error}") from None
    except (TypeError, ValueError):  # text, None, objects, and rows of unequal length
        got = given if given is None or isinstance(given, str) else reprlib.repr(given)
        raise ModelError(field_error(where, expected, got)) from None
    if quantity_given.dtype.kind not in "biuf":
        raise ModelError(field_error(where, expected, f"an array of {quantity_given.dtype}"))
    return quantity_given


def quantity(where: str, given: Any, expected: str = "real numbers") -> Quantity:
    """Return what `numbers` does; text, such as ``"10 ms"``, is one quantity.

    Raises
    ------
    ModelError, QuantityError
        As `numbers`, and if a text is no quantity.
    """
    if not isinstance(given, str):
        return numbers(where, given, expected)
    try:
        return Quantity(parse_quantity(given))
    except QuantityError as error:
        raise QuantityError(f"{where}: {error}") from None


def time(where: str, given: Any) -> Quantity:
    """Return one time, given as a quantity or as text.

    Raises
    ------
    ModelError, QuantityError
        If it is not one, or no time.
    """
    duration = quantity(where, given, "one time, such as 10*ms")
    check_dimension(where, duration, second)
    if duration.shape:
        raise ModelError(field_error(where, "one time, such as 10*ms", f"shape {duration.shape}"))
    return duration


def time_step(where: str, dt: Any) -> Quantity | None:
    """Return the time step of a group, or None for the session's.

    Raises
    ------
    ModelError, QuantityError
        If it is no time, or not above 0.
    """
    if dt is None:
        return None
    step = time(f"{where}, dt", dt)
    if not 0 < float(np.asarray(step)) < np.inf:  # also where it is NaN
        raise ModelError(field_error(f"{where}, dt", "a time above 0", step))
    return step
