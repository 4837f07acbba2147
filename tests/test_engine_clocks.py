"""Clocks that follow a list of times, which Brian2 has since 2.10."""

from __future__ import annotations

import numpy as np
import pytest
from brian2 import Network, NeuronGroup, StateMonitor, ms
from brian2.core import clocks

from biosnn import session

pytestmark = pytest.mark.skipif(not hasattr(clocks, "EventClock"), reason="Brian2 2.9 has no such clocks")


@pytest.mark.parametrize("target", ["numpy", pytest.param("cpp", marks=pytest.mark.cpp)])
def test_a_monitor_records_at_the_times_of_its_clock_over_several_runs(target: str) -> None:
    times = [1.0, 2.5, 2.55, 12.0, 40.0]
    with session(target, seed=1) as sim:
        membrane = NeuronGroup(1, "dv/dt = (1 - v)/(10*ms) : 1", method="exact", namespace={})
        monitor = StateMonitor(membrane, "v", record=True, clock=clocks.EventClock(times * ms))
        network = Network(membrane, monitor)
        sim.run(network, 5 * ms)
        sim.run(network, 10 * ms)
        recorded, v = np.array(monitor.t / ms), np.array(monitor.v[0])
    np.testing.assert_allclose(recorded, times[:4])
    # A time between two steps finds the membrane as the step before it left it.
    steps = np.array([10, 25, 26, 120])
    np.testing.assert_allclose(v, 1 - np.exp(-steps / 100), rtol=1e-12)
