"""Which neurons answer: the best of a position and of a map, and of those that are told, until one is right."""

from __future__ import annotations

import numpy as np
import pytest
from brian2 import Network, SpikeMonitor, ms

import biosnn
from biosnn.inputs import images
from biosnn.learning.competition import MapWinners

TARGETS = ("numpy", pytest.param("cpp", marks=pytest.mark.cpp))


@pytest.mark.parametrize("target", TARGETS)
def test_of_a_position_and_of_a_map_the_best_are_left(target: str) -> None:
    """Two positions, three maps; neurons 0, 2 and 4 and 5 reach their thresholds in the same step."""
    with biosnn.session(target, seed=1, dt=1 * ms) as sim:
        pictures = images(np.ones((2, 1)), period=4 * ms, name="pictures")
        group = biosnn.neurons(6, "if_first_spike", name="maps", values={"v_th": 1})
        group.v = [1.5, 0.2, 1.9, 0.1, 1.2, 1.8]
        winners = MapWinners(group, 3, pictures, winners=1, winners_of_map=1)
        spikes = SpikeMonitor(group)
        sim.run(Network(pictures, group, winners, spikes), 3 * ms)
        order = list(zip(np.asarray(spikes.t / ms).round().astype(int), np.asarray(spikes.i), strict=True))
    # Neuron 2 (map 2) is best at position 0. At position 1, neuron 5 is of the same map, so that 4 is left.
    assert order == [(0, 2), (0, 4)]


@pytest.mark.parametrize("target", TARGETS)
def test_cells_that_are_told_answer_until_one_is_right(target: str) -> None:
    """The best four of six are 2, 5, 0 and 4; with a reward for 0, the fourth has no occasion, but in a test."""
    found = []
    with biosnn.session(target, seed=1, dt=1 * ms) as sim:
        for until_right in (1, 0):
            sim.reset()
            pictures = images(np.ones((2, 1)), period=4 * ms, name="pictures")
            group = biosnn.neurons(6, "if_first_spike", name="cells", values={"v_th": 1})
            group.variables.add_array("right", size=6)
            group.v, group.right = [1.5, 0.2, 1.9, 0.1, 1.2, 1.8], [1, 0, 0, 0, 0, 0]
            winners = MapWinners(group, 6, pictures, winners=4, right="right")
            group.until_right = until_right
            spikes = SpikeMonitor(group)
            sim.run(Network(pictures, group, winners, spikes), 3 * ms)
            found.append(list(np.asarray(spikes.i)))
    assert found == [[0, 2, 5], [0, 2, 4, 5]]
