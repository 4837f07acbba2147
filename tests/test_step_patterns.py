"""Rules that recognise answers to a constant current: trains made by hand, and one change to each."""

import numpy as np
import pytest

from biosnn.errors import DataError
from biosnn.measure.step_patterns import Answer, recognised_step

DURATION = 1000.0


def answer(first, intervals, then=None):
    """A train of these intervals, and of others again and again to the end."""
    times, last = [first], first
    for interval in intervals:
        last += interval
        times.append(last)
    while then and last + then[0] < DURATION:
        for interval in then:
            last += interval
            times.append(last)
    spikes = np.array(times)
    return Answer(spikes[spikes <= DURATION], DURATION)


SHRINKING = list(10 + 20 * np.exp(-np.arange(200) / 20))
CASES = {
    "tonic": (answer(10, [10], [10.0]), answer(10, [6], [10.0])),
    "adapting": (answer(10, [10, 14, 20, 30, 45], [60.0]), answer(10, [10, 14, 60, 59], [60.0])),
    "initial_burst": (answer(5, [4, 5], [50.0]), answer(5, [4, 5, 30], [60.0])),
    "regular_bursting": (answer(10, [], [5.0, 5.0, 80.0]), answer(10, [], [5.0, 5.0, 9.0])),
    "delayed_bursting": (answer(70, [], [5.0, 5.0, 80.0]), answer(10, [], [5.0, 5.0, 80.0])),
    "delayed_accelerating": (answer(40, SHRINKING), answer(20, SHRINKING)),
    "transient": (answer(10, [8, 9]), answer(10, [8, 600])),
    "irregular": (
        answer(10, 10 + 30 * np.random.default_rng(1).random(200)),
        answer(10, [], list(10 + 30 * np.random.default_rng(1).random(4))),
    ),
}


@pytest.mark.parametrize("pattern", CASES)
def test_a_pattern_is_recognised_and_one_change_takes_it_away(pattern):
    shown, changed = CASES[pattern]
    assert recognised_step(shown) == (pattern,)
    assert pattern not in recognised_step(changed)


def test_silence_is_no_pattern():
    assert recognised_step(Answer(np.zeros(0), DURATION)) == ()
    assert recognised_step(Answer(np.array([900.0]), DURATION)) == ()


def test_spikes_outside_of_the_current_are_refused():
    with pytest.raises(DataError, match="times from 0 to 1000"):
        Answer(np.array([5.0, 1200.0]), DURATION)
