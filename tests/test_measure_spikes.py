"""Spikes out of whatever has recorded them, as one train for each neuron."""

from __future__ import annotations

import numpy as np
import pytest
from brian2 import Network, NeuronGroup, PopulationRateMonitor, SpikeMonitor, have_same_dimensions, ms, mV, second

import biosnn
from biosnn.errors import DataError, NotFoundError
from biosnn.measure import Spikes, spikes
from biosnn.study import Result


@pytest.mark.parametrize("target", ["numpy", pytest.param("cpp", marks=pytest.mark.cpp)])
def test_what_a_monitor_and_a_recording_have_are_the_same_trains(target: str) -> None:
    # Neuron k fires every (k + 1) ms, which is its closed form.
    with biosnn.session(target, dt=0.1 * ms) as sim:
        model = "dv/dt = 1/wait : 1\nwait : second"
        cells = NeuronGroup(4, model, threshold="v > 1 - 1e-6", reset="v = 0", method="euler", namespace={})
        cells.wait = "(i + 1)*ms"
        monitor, recording = SpikeMonitor(cells), biosnn.record_spikes(cells)
        part, some = SpikeMonitor(cells[2:]), biosnn.record_spikes(cells, record=[1, 3])
        sim.run(Network(cells, monitor, recording, part, some), 12.1 * ms)
        found, recorded, of_part, of_some = map(spikes, (monitor, recording, part, some))
    for neuron in range(4):
        expected = np.arange(neuron + 1, 12.01, neuron + 1) - 0.1  # at the begin of the step
        for trains in (found, recorded):
            np.testing.assert_allclose(trains[neuron] / ms, expected, rtol=1e-12)
        np.testing.assert_allclose(of_some[neuron] / ms, expected if neuron in (1, 3) else [], rtol=1e-12)
    assert (len(found), list(found), of_part.neurons) == (4, [0, 1, 2, 3], 2)
    np.testing.assert_array_equal(of_part[1], found[3])
    assert have_same_dimensions(found[0], second)


def test_trains_are_in_order_whatever_the_order_of_the_spikes() -> None:
    given = Spikes([3, 1, 2, 1] * ms, np.array([1, 1, 1, 0]), 3)
    assert [list(train / ms) for train in given.values()] == [[1], pytest.approx([1, 2, 3]), []]
    assert Result(arrays=given.arrays("E")).arrays.keys() == {"E spike times", "E spike neurons", "E neurons"}
    assert given.arrays().keys() == {"spike times", "spike neurons", "neurons"}
    with pytest.raises(NotFoundError, match="There is no neuron 3: expected one from 0 to 2"):
        given[3]
    assert list(Spikes([] * second, np.array([]), 2)[1]) == []


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (([1.0, 2.0], [0, 0], 1), "Spikes.times: expected a list of times with a unit"),
        (([1, 2] * mV, [0, 0], 1), "Spikes.times: expected a list of times with a unit"),
        (([1, 2] * ms, [0], 1), "Spikes.indices: expected a whole number for each of 2 spikes"),
        (([1, 2] * ms, [0.0, 0.5], 1), "Spikes.indices: expected a whole number for each of 2 spikes"),
        (([1, 2] * ms, [0, 1], 1), r"Spikes.indices: expected neurons from 0 to 0 \(got 1\)"),
        (([1, 2] * ms, [0, -1], 2), "Spikes.indices: expected neurons from 0 to 1"),
    ],
)
def test_what_are_no_spikes_is_told(fields: tuple[object, object, int], message: str) -> None:
    with pytest.raises(DataError, match=message):
        Spikes(*fields)  # type: ignore[arg-type]


def test_what_has_no_spikes_is_told() -> None:
    cells = NeuronGroup(1, "v : 1", threshold="v > 1", namespace={})
    with pytest.raises(DataError, match="expected a SpikeMonitor or what record_spikes returns"):
        spikes(PopulationRateMonitor(cells))
    with pytest.raises(DataError, match=r"Give it record=True\."):
        spikes(SpikeMonitor(cells, record=False))
