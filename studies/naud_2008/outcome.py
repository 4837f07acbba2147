"""What is claimed of the eight patterns."""

import numpy as np

from biosnn.study import Claim, Result


def _fires(result: Result) -> bool:
    return bool(result.values["spikes"] >= 50)


def _each_its_own(result: Result) -> bool:
    table = np.asarray(result.arrays["table"])
    return bool(np.array_equal(table, np.eye(len(table), dtype=bool)))


def _cells_matter(result: Result) -> bool:
    shown = np.asarray(result.arrays["shown by cell"])
    others = (shown.sum(axis=1) - np.diag(shown)) / (len(shown) - 1)
    return bool(np.all(np.diag(shown)) and others.mean() < 1 / 4 and others.max() < 1)


CLAIMS = [
    Claim(
        "eight patterns", "Each of the eight answers is recognised by its rule and by no other.", _each_its_own, _fires
    ),
    Claim(
        "cells matter",
        "A current does not make a pattern by itself: of the other seven cells, less than a quarter show it.",
        _cells_matter,
        _fires,
    ),
]
