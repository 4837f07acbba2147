"""Rules that recognise firing patterns: responses drawn by hand, each of which one change takes the pattern from."""

import numpy as np
import pytest

from biosnn.errors import DataError
from biosnn.measure.patterns import Response, recognised

TIME = np.arange(0, 200, 0.5)


def drive(*stretches, rest=0.0):
    """Stretches of (start, end, level)."""
    found = np.full(len(TIME), rest)
    for start, end, level in stretches:
        found[(start <= TIME) & (end > TIME)] = level
    return found


def response(given, spikes, trace=None):
    return Response(TIME, np.full(len(TIME), -65.0) if trace is None else trace, given, np.asarray(spikes, dtype=float))


def bursts(*starts, count=4, apart=3.0):
    return np.concatenate([start + apart * np.arange(count) for start in starts])


STEP = drive((20, 200, 5.0))
FOUR = [drive((a, a + 3, 2.0), (b, b + 3, 2.0), (100, 103, 2.0), (140, 143, 2.0)) for a, b in ((20, 40), (20, 80))]
PULSE, INHIBITION, LONG = drive((20, 23, 5.0)), drive((20, 25, -5.0)), drive((40, 140, -5.0))
RAMP = np.maximum(TIME - 20, 0.0) / 20
WAVES = -65 + 3 * np.exp(-np.maximum(TIME - 26, 0) / 60) * np.cos((TIME - 26) / 5) * (TIME > 26)
HUMP = -65 + 8 * np.exp(-(((TIME - 35) / 5) ** 2))
VARIED = drive((20, 25, 1.0), (70, 75, -6.0), (100, 105, 1.0))
TWO = drive((20, 25, 1.0), (150, 155, 1.0))
RAMPS = np.where(TIME < 100, TIME / 20, np.where((TIME > 150) & (TIME < 160), (TIME - 150) / 3, 0.0))

CASES = {
    "tonic_spiking": (response(STEP, np.arange(30, 200, 25)), response(STEP, np.arange(30, 140, 25))),
    "phasic_spiking": (response(STEP, [30]), response(STEP, [150])),
    "tonic_bursting": (response(STEP, bursts(30, 80, 130, 180)), response(STEP, bursts(30, 80, 130, 180, count=2))),
    "phasic_bursting": (response(STEP, bursts(30)), response(STEP, bursts(30, count=2))),
    "mixed_mode": (response(STEP, [25, 28, 31, 75, 110, 145, 180]), response(STEP, [25, 28, 31, 66, 110, 154, 198])),
    "spike_frequency_adaptation": (response(STEP, [25, 30, 40, 60, 100, 150]), response(STEP, [25, 30, 40, 60, 79])),
    "class_1": (response(RAMP, [80, 120, 145, 165, 182]), response(STEP, [80, 120, 145, 165, 182])),
    "class_2": (response(RAMP, [80, 100, 119, 137, 154]), response(RAMP, [80, 100, 120, 140, 160])),
    "spike_latency": (response(PULSE, [40]), response(PULSE, [24])),
    "subthreshold_oscillations": (response(PULSE, [25], WAVES), response(PULSE, [25])),
    "resonator": (response(FOUR[0], [160]), response(FOUR[0], [60])),
    "integrator": (response(FOUR[0], [60]), response(FOUR[0], [30])),
    "rebound_spike": (response(INHIBITION, [50]), response(INHIBITION, [22])),
    "rebound_burst": (response(INHIBITION, bursts(50)), response(INHIBITION, bursts(50, count=2))),
    "threshold_variability": (response(VARIED, [110]), response(VARIED, [30, 110])),
    "bistability": (response(TWO, np.arange(25, 150, 20)), response(TWO, np.arange(25, 200, 20))),
    "depolarising_afterpotential": (response(PULSE, [24], HUMP), response(PULSE, [24], 2 * (-65) - HUMP)),
    "accommodation": (response(RAMPS, [158]), response(RAMPS, [90])),
    "inhibition_induced_spiking": (response(LONG, [60, 90, 120]), response(LONG, [30, 60, 90, 120])),
    "inhibition_induced_bursting": (response(LONG, bursts(60, 100)), response(LONG, bursts(60, 150))),
}


@pytest.mark.parametrize("pattern", CASES)
def test_a_pattern_is_recognised_and_one_change_takes_it_away(pattern):
    shown, changed = CASES[pattern]
    assert recognised(shown) == (pattern,)
    assert pattern not in recognised(changed)


def test_a_silent_neuron_shows_no_pattern():
    for shown, _ in CASES.values():
        assert recognised(response(shown.drive, [])) == ()


def test_a_response_has_one_value_of_each_for_every_step():
    with pytest.raises(DataError, match="all of one length"):
        Response(TIME, TIME[1:], TIME, np.zeros(0))
