"""How many steps an accuracy needs, and what other images would have given."""

from __future__ import annotations

import numpy as np
import pytest

from biosnn.measure import drawn_again, interval, resampled_accuracy, share_of_steps, steps_needed


def test_steps_needed_begin_where_a_curve_stays_high_enough() -> None:
    marks = np.array([1, 2, 4, 8])
    curves = np.array([[0.9, 0.5, 0.9, 0.9], [0.9, 0.9, 0.9, 0.9], [0.9, 0.9, 0.9, 0.8], [0.1, 0.1, 0.1, 0.9]])
    assert list(steps_needed(curves, marks, 0.9)) == [4, 1, np.inf, 8]
    assert list(steps_needed(curves, marks, np.array([0.5, 0.95, 0.8, 0.1]))) == [1, np.inf, 1, 1]
    assert share_of_steps(4.0, np.inf, 8) == 0.5
    assert share_of_steps(np.inf, 8.0, 8) == np.inf


def test_images_drawn_again_spread_as_the_interval_says() -> None:
    """The binomial standard deviation of an accuracy, sqrt(p (1 - p)/n); all networks see the same images."""
    right = np.array([np.arange(400) < 300, np.arange(400) < 300, np.arange(400) >= 300])
    drawn = drawn_again(400, 4000, seed=1)
    assert (drawn.sum(axis=1) == 400).all()
    found = resampled_accuracy(right, drawn)
    assert found.shape == (4000, 3)
    assert found[:, 0].mean() == pytest.approx(0.75, abs=0.002)
    assert found[:, 0].std() == pytest.approx(np.sqrt(0.75 * 0.25 / 400), rel=0.05)
    np.testing.assert_array_equal(found[:, 0], found[:, 1])
    np.testing.assert_allclose(found[:, 0] + found[:, 2], 1)
    low, high = np.quantile(found[:, 0], (0.025, 0.975))
    assert (low, high) == pytest.approx(interval(0.75, 400), abs=0.01)
    np.testing.assert_array_equal(drawn, drawn_again(400, 4000, seed=1))
