"""Tables of what rules recognise: each answer by its rule only, and patterns that a drive does not make by itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def each_its_own(table: ArrayLike) -> bool:
    """Whether each answer is recognised by its own rule and by no other.

    Parameters
    ----------
    table : array_like of bool, shape (answers, rules)
        Whether a rule accepts an answer; both in the same order.
    """
    accepted = np.asarray(table, dtype=bool)
    return bool(np.array_equal(accepted, np.eye(len(accepted), dtype=bool)))


def cells_matter(shown: ArrayLike, few: float) -> bool:
    """Whether each cell shows its own pattern, and few other cells do, given the same drive.

    Parameters
    ----------
    shown : array_like of bool, shape (patterns, cells)
        Whether a cell shows a pattern when it gets the drive of it; both in the same order.
    few : float
        The mean share of other cells that show a pattern is to be below it. No pattern may be shown by all others.
    """
    there = np.asarray(shown, dtype=bool)
    others = (there.sum(axis=1) - np.diag(there)) / (len(there) - 1)
    return bool(np.all(np.diag(there)) and others.mean() < few and others.max() < 1)
