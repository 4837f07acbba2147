"""How many bits decoded values tell, against channels of which that is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from biosnn.measure import information


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.05, 0.3]))
@settings(max_examples=15)
def test_information_of_noise_is_none_and_of_the_value_itself_all(seed: int, noise: float) -> None:
    rng = np.random.default_rng(seed)
    values = rng.random(1024)
    assert information(values, values) == pytest.approx(4, abs=0.05)
    assert information(values, rng.random(1024)) < 0.1
    assert 0 <= information(values, values + rng.normal(0, 1, 1024) * noise) <= 4
    assert information(values, np.full(1024, 0.5)) == 0


def test_information_through_a_channel_is_that_of_the_channel() -> None:
    rng = np.random.default_rng(1)
    values = rng.random(20_000)
    # One bit, turned round once in ten times: 1 - H(0.1) bits.
    seen = (values > 0.5) ^ (rng.random(len(values)) < 0.1)
    assert information(values, seen.astype(float)) == pytest.approx(0.531, abs=0.02)
