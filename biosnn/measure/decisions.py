"""The accuracy of decisions, and its confidence interval."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from biosnn.errors import DataError, field_error
from biosnn.measure.counts import Counts

SURE = 0.95
"""How often an interval holds the true value."""


def accuracy(decided: ArrayLike, labels: ArrayLike) -> float:
    """The fraction of correct decisions, from 0 to 1; a decision of -1 (none) is wrong.

    Raises
    ------
    DataError
        If there are no decisions, or not one for each label.
    """
    chosen, right = np.asarray(decided), np.asarray(labels)
    if chosen.shape != right.shape or not chosen.size:
        raise DataError(field_error("accuracy", f"a decision for each of {right.size} labels", chosen.size))
    return float(np.mean(chosen == right))


def confusion(decided: ArrayLike, labels: ArrayLike, classes: int) -> Counts:
    """Count decisions by true class.

    Returns
    -------
    ndarray of int64, shape (classes, classes + 1)
        Row: the true class. Column: the decision; the last column is for no decision (-1).

    Raises
    ------
    DataError
        If a label or a decision is none of the classes.
    """
    right, chosen = np.asarray(labels), np.asarray(decided)
    for what, classes_named, least in (("label", right, 0), ("decision", chosen, -1)):
        if classes_named.size and not least <= classes_named.min() <= classes_named.max() < classes:
            extremes = f"{classes_named.min()} to {classes_named.max()}"
            raise DataError(field_error(f"confusion, {what}s", f"from {least} to {classes - 1}", extremes))
    table = np.zeros((classes, classes + 1), dtype=np.int64)
    np.add.at(table, (right, chosen), 1)
    return table


def interval(accuracy: ArrayLike, decisions: int) -> tuple[Any, Any]:
    """Where the accuracy on all inputs of this kind lies, given the number of decisions.

    Parameters
    ----------
    accuracy : float or array_like
        The fraction of correct decisions, or of anything else that is or is not so.
    decisions : int
        Of how many.

    Returns
    -------
    (float, float) or (ndarray, ndarray)
        The ends of the interval that holds the true one in 95 % of cases (Wilson 1927, J Am Stat Assoc 22:209).

    Notes
    -----
    `scipy.stats.binomtest` has it too, of one whole number of correct decisions. A mean over repetitions is none.
    """
    share, z = np.asarray(accuracy, dtype=float), float(ndtri(0.5 + SURE / 2))
    middle = share + z**2 / (2 * decisions)
    half = z * np.sqrt(share * (1 - share) / decisions + z**2 / (4 * decisions**2))
    low, high = ((middle + sign * half) / (1 + z**2 / decisions) for sign in (-1, 1))
    # Rounding takes an end across a fraction of 0 or 1.
    return np.clip(low, 0, share), np.clip(high, share, 1)


def difference(right: NDArray[np.bool_], other: NDArray[np.bool_]) -> tuple[float, float]:
    """By how many points the first is more often correct on the same inputs, and half the width of the interval.

    Parameters
    ----------
    right, other : ndarray of bool, shape (inputs,)
        Which decisions of the one and of the other are correct.

    Returns
    -------
    (float, float)
        In percent; the interval holds the true difference in 95 % of cases (normal, of pairs).
    """
    better = right.astype(float) - other.astype(float)
    z = float(ndtri(0.5 + SURE / 2))
    return 100 * float(better.mean()), 100 * z * float(better.std()) / float(np.sqrt(len(better)))
