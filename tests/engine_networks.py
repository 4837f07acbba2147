"""The one small network that the tests of the engine share, so that its program is built once."""

from __future__ import annotations

from typing import Any

from brian2 import Hz, Network, NeuronGroup, SpikeMonitor, StateMonitor, ms, mV

CELL = """
dv/dt = (drive - v)/tau : volt
drive : volt
tau : second (shared, constant)
offset : 1
"""


def small(drive: Any = 10 * mV, tau: Any = 10 * ms) -> Network:
    """Three leaky integrators that charge towards ``drive``, and twenty Poisson neurons at 100 Hz."""
    cell = NeuronGroup(3, CELL, method="exact", name="cell", namespace={})
    cell.drive, cell.tau = drive, tau
    cell.offset[1] = 0.25
    coin = NeuronGroup(20, "rate : Hz", threshold="rand() < rate*dt", name="coin", namespace={})
    coin.rate = 100 * Hz
    trace = StateMonitor(cell, "v", record=True, name="trace")
    spikes = SpikeMonitor(coin, name="spikes")
    return Network(cell, coin, trace, spikes)
