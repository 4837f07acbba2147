"""Hits, false alarms and latency of a neuron that is to tell a pattern, against cases that are counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
from brian2 import ms, second

from biosnn.errors import DataError
from biosnn.measure import detection


def test_hits_false_alarms_and_latency_are_those_counted_by_hand():
    found = detection([0.35, 0.05, 0.11, 0.13, 0.149, 0.15, 0.302], onsets=[0.1, 0.2, 0.3], length=0.05)
    assert found.hit_rate == pytest.approx(2 / 3), "of three presentations, the second one has no spike"
    assert found.false_alarms == 3, "at 50 ms before all, at 150 ms where the first one ends, at 350 ms"
    assert found.latency == pytest.approx(np.mean([0.01, 0.03, 0.049, 0.002]))
    expected = [np.nan, 0.01, 0.03, 0.049, np.nan, 0.002, np.nan]
    assert np.allclose(found.latencies, expected, equal_nan=True), "in the order of time"


def test_times_with_units_are_in_seconds_and_silence_is_no_false_alarm():
    assert detection([120] * ms, [0.1] * second, 0.05).latency == pytest.approx(0.02)
    silent = detection([], [0.1, 0.2], 0.05)
    assert (silent.hit_rate, silent.false_alarms) == (0.0, 0)
    assert np.isnan(silent.latency)


@pytest.mark.parametrize(
    ("onsets", "message"),
    [([], "at least one presentation"), ([0.1, 0.14], "at least 0.05 apart"), ([0.3, 0.1], "apart")],
)
def test_presentations_that_overlap_or_are_missing_are_refused(onsets, message):
    with pytest.raises(DataError, match=message):
        detection([0.1], onsets, 0.05)
