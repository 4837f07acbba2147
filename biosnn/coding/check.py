"""What a coding is given: brought into one form, or refused by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from brian2 import DimensionMismatchError, Quantity
from brian2.units.fundamentalunits import get_dimensions
from numpy.typing import NDArray

from biosnn.errors import CodingError, QuantityError, field_error
from biosnn.quantity import check_dimension

Values = NDArray[np.float64]


def values(where: str, given: Any) -> Values:
    """Return values to encode as an array of doubles.

    Raises
    ------
    CodingError
        If they are no real numbers, none at all, or outside 0 to 1.
    QuantityError
        If they have a unit.
    """
    array = np.asarray(real(where, "values from 0 to 1, without a unit", given, 1), dtype=np.float64)
    if not array.size:
        raise CodingError(field_error(where, "at least one value", f"shape {array.shape}"))
    wrong = ~((array >= 0) & (array <= 1))  # also where one is NaN
    if wrong.any():
        do = "Divide by the largest value possible, such as 255 for grey levels."
        raise CodingError(field_error(where, "values from 0 to 1", float(array[wrong][0]), do))
    return array


def quantity(where: str, given: Any, like: Quantity, *, zero: bool = False) -> Quantity:
    """Return one finite quantity above 0, or with ``zero`` from 0 on, in the dimension of ``like``.

    Raises
    ------
    CodingError
        If it is anything else.
    QuantityError
        If it has another dimension, or none.
    """
    expected = f"one finite quantity {'not below' if zero else 'above'} 0"
    checked = real(where, expected, given, like)
    plain = np.asarray(checked)
    if checked.shape or not (0 <= plain < np.inf) or (plain == 0 and not zero):  # also where it is NaN
        raise CodingError(field_error(where, expected, given))
    return checked


def number(where: str, given: Any, expected: str, fits: Callable[[float], bool]) -> float:
    """Return one plain number.

    Parameters
    ----------
    where, expected : str
        What to call it in a message, and what it should be.
    given : float
        What it is.
    fits : callable
        Whether it is within its limits; False for NaN.

    Raises
    ------
    CodingError
        If it is no number, or does not fit.
    QuantityError
        If it has a unit.
    """
    checked = real(where, expected, given, 1)
    if checked.shape or isinstance(given, bool) or not fits(float(checked)):
        raise CodingError(field_error(where, expected, given))
    return float(checked)


def whole(where: str, given: Any, least: int, most: int) -> int:
    """Return one whole number within limits, both included.

    Raises
    ------
    CodingError
        If it is anything else.
    """
    if not isinstance(given, int | np.integer) or isinstance(given, bool) or not least <= given <= most:
        raise CodingError(field_error(where, f"a whole number from {least} to {most}", given))
    return int(given)


def last_axis(where: str, shape: tuple[int, ...], size: int) -> None:
    """Check the shape of a population that has several neurons for each value.

    Raises
    ------
    CodingError
        If its last axis is another.
    """
    if shape[-1:] != (size,):
        raise CodingError(field_error(where, f"neurons with a last axis of {size}", f"shape {shape}"))


def generator(where: str, given: Any) -> np.random.Generator:
    """Return a generator of random numbers.

    Raises
    ------
    CodingError
        If it is none.
    """
    if not isinstance(given, np.random.Generator):
        do = "Write for example: rng = np.random.default_rng(seed)."
        raise CodingError(field_error(f"{where}, rng", "a generator of random numbers", given, do))
    return given


def real(where: str, expected: str, given: Any, like: Any) -> Quantity:
    """Return one real number or an array of them, in the dimension of ``like``.

    Parameters
    ----------
    where, expected : str
        What to call it in a message, and what it should be.
    given : Quantity, array or nested lists
        What it is.
    like : Quantity or float
        Any value of the dimension.

    Raises
    ------
    CodingError
        If it is anything else, has rows of unequal length, or is complex.
    QuantityError
        If it has another dimension, or none.
    """
    try:
        checked = Quantity(given)
    except DimensionMismatchError as error:
        raise QuantityError(f"{where}: {error}") from None
    except (TypeError, ValueError):  # text, None, and rows of unequal length
        raise CodingError(field_error(where, expected, given)) from None
    if checked.dtype.kind not in "biuf":
        raise CodingError(field_error(where, expected, f"an array of {checked.dtype}"))
    check_dimension(where, checked, get_dimensions(like))
    return checked
