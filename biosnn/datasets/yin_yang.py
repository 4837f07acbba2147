"""The yin-yang dataset: points of a disc in three classes, which a network without a hidden layer cannot tell apart.

Kriener, Göltz & Petrovici 2022, The Yin-Yang dataset, doi:10.1145/3517343.3517380.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from biosnn.datasets.own import Examples
from biosnn.errors import DataError, field_error

RADIUS, DOT = 0.5, 0.1
"""Of the disc about (0.5, 0.5), and of the two dots in it."""
YIN_NOT, YIN, DOTS = 0, 1, 2
"""The classes."""
TRAINING, VALIDATION, TEST = (5000, 42), (1000, 41), (1000, 40)
"""How many points the authors take for what, and the seeds that give the same ones."""
_MOST = 1_000_000


def yin_yang(n: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Draw points of the yin-yang dataset, the same ones as the authors' program for the same seed.

    Parameters
    ----------
    n : int
        How many. A smaller number gives the first ones of a larger one.
    seed : int
        From 0 to 2**32 - 1. The authors take 42 for 5000 training, 41 for 1000 validation and 40 for 1000 test points.

    Returns
    -------
    features : ndarray of float64, shape (n, 4)
        x, y, 1 - x, 1 - y, from 0 to 1.
    labels : ndarray of int64, shape (n,)
        0 and 1: the two halves; 2: the dots. Each class is as likely.

    Raises
    ------
    DataError
        If either is no whole number within its limits.
    """
    for name, given, least, most in (("n", n, 1, _MOST), ("seed", seed, 0, 2**32 - 1)):
        if isinstance(given, bool) or not isinstance(given, int | np.integer) or not least <= given <= most:
            raise DataError(field_error(f"yin_yang {name}", f"a whole number from {least} to {most}", given))
    # The generator that NumPy keeps as it was, so that old seeds give old numbers.
    rng = np.random.RandomState(seed)
    points, labels = np.empty((n, 2)), np.empty(n, np.int64)
    for k in range(n):
        labels[k] = rng.randint(3)
        points[k] = _point(rng, labels[k])
    return np.hstack((points, 1 - points)), labels


def _point(rng: np.random.RandomState, wanted: int) -> NDArray[np.float64]:
    while True:
        point = rng.rand(2) * 2 * RADIUS
        if class_of(*point) == wanted:
            return point


def class_of(x: float, y: float) -> int | None:
    """The class of a point, or None outside the disc."""
    if math.sqrt((x - RADIUS) ** 2 + (y - RADIUS) ** 2) > RADIUS:
        return None
    right = math.sqrt((x - 1.5 * RADIUS) ** 2 + (y - RADIUS) ** 2)
    left = math.sqrt((x - 0.5 * RADIUS) ** 2 + (y - RADIUS) ** 2)
    if right < DOT or left < DOT:
        return DOTS
    yin = right <= DOT or DOT < left <= RADIUS / 2 or (y > RADIUS and right > RADIUS / 2)
    return YIN if yin else YIN_NOT


def examples() -> Examples:
    """The authors' training points, then the validation and the test points, for ordinary networks: in float32."""
    parts = [yin_yang(*part) for part in (TRAINING, VALIDATION, TEST)]
    features = np.concatenate([of_part for of_part, _ in parts]).astype(np.float32)
    labels = np.concatenate([of_part for _, of_part in parts])
    source = "Kriener, Göltz & Petrovici 2022, doi:10.1145/3517343.3517380, drawn anew"
    return Examples("yin-yang", features, labels, source, TRAINING[0])
