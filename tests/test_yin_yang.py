"""The yin-yang dataset is that of its authors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from biosnn.datasets import examples, yin_yang
from biosnn.datasets.yin_yang import class_of
from biosnn.errors import DataError, NotFoundError


def test_the_training_points_are_those_of_the_authors() -> None:
    # Golden: the procedure of Kriener et al. 2022, run with NumPy's RandomState(42).
    features, labels = yin_yang(5000, 42)
    np.testing.assert_allclose(features[0], [0.68030754, 0.45049925, 1 - 0.68030754, 1 - 0.45049925], atol=5e-9)
    assert labels[0] == 2
    assert np.bincount(labels).tolist() == [1681, 1702, 1617]
    assert (features.shape, features.dtype, labels.dtype) == ((5000, 4), np.float64, np.int64)
    few, their_labels = yin_yang(10, 42)
    np.testing.assert_array_equal(few, features[:10])
    np.testing.assert_array_equal(their_labels, labels[:10])


@given(st.integers(0, 2**32 - 1))
def test_points_lie_in_the_disc_and_have_the_class_of_their_place(seed: int) -> None:
    features, labels = yin_yang(20, seed)
    assert np.all(np.hypot(features[:, 0] - 0.5, features[:, 1] - 0.5) <= 0.5)
    np.testing.assert_array_equal(features[:, 2:], 1 - features[:, :2])
    assert [class_of(x, y) for x, y in features[:, :2]] == labels.tolist()


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [
        (0.25, 0.5, 2),
        (0.75, 0.5, 2),
        (0.25, 0.7, 1),  # around the left dot
        (0.25, 0.3, 1),
        (0.75, 0.7, 0),  # around the right one
        (0.5, 0.9, 1),  # above
        (0.5, 0.1, 0),  # below
        (0.05, 0.05, None),
    ],
)
def test_the_classes_of_the_picture(x: float, y: float, expected: int | None) -> None:
    assert class_of(x, y) == expected


def test_by_name_for_ordinary_networks() -> None:
    points = examples("yin-yang")
    assert (points.inputs.shape, points.for_training) == ((7000, 4), 5000)
    for begin, seed in ((0, 42), (5000, 41), (6000, 40)):
        features, labels = yin_yang(1000, seed)
        np.testing.assert_array_equal(points.inputs[begin : begin + 1000], features.astype(np.float32))
        np.testing.assert_array_equal(points.labels[begin : begin + 1000], labels)
    with pytest.raises(NotFoundError, match=r"Did you mean 'yin-yang'\? Valid names: cifar10, .*mnist, yin-yang"):
        examples("yin_yang")


@pytest.mark.parametrize(
    ("n", "seed", "message"),
    [
        (0, 1, r"yin_yang n: expected a whole number from 1 to 1000000 \(got 0\)"),
        (2.0, 1, "yin_yang n: expected a whole number"),
        (True, 1, "yin_yang n: expected a whole number"),
        (5, -1, "yin_yang seed: expected a whole number from 0"),
        (5, 2**32, "yin_yang seed: expected"),
    ],
)
def test_what_is_no_number_or_seed_is_refused(n: Any, seed: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        yin_yang(n, seed)
