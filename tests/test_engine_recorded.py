"""What was read of a network is still the same when more was recorded: Brian2 2.9 keeps it, since 2.10 biosnn does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from brian2 import (
    Network,
    NeuronGroup,
    PopulationRateMonitor,
    SpikeMonitor,
    StateMonitor,
    Synapses,
    ms,
)

from biosnn.engine import Point, session

READ: dict[str, Callable[[Network], Any]] = {
    "spikes.i[:]": lambda net: net["spikes"].i[:],
    "spikes.i[1:]": lambda net: net["spikes"].i[1:],
    "spikes.i[[0, 2]]": lambda net: net["spikes"].i[[0, 2]],
    "spikes.i of a condition": lambda net: net["spikes"].i["x >= 0"],
    "spikes.t[:]": lambda net: net["spikes"].t[:],
    "spikes.t_[:]": lambda net: net["spikes"].t_[:],
    "spikes.t[:, np.newaxis]": lambda net: net["spikes"].t[:, np.newaxis],
    "spikes.x[:]": lambda net: net["spikes"].x[:],
    "np.asarray(spikes.i)": lambda net: np.asarray(net["spikes"].i),
    "np.asarray(spikes.t)": lambda net: np.asarray(net["spikes"].t),
    "spikes.spike_trains()": lambda net: net["spikes"].spike_trains(),
    "spikes.values()": lambda net: net["spikes"].values("x"),
    "spikes.all_values()": lambda net: net["spikes"].all_values(),
    "spikes.get_states()": lambda net: net["spikes"].get_states(),
    "trace.v": lambda net: net["trace"].v,
    "trace.v_": lambda net: net["trace"].v_,
    "trace.v[0]": lambda net: net["trace"].v[0],
    "trace.v_[0]": lambda net: net["trace"].v_[0],
    "trace.x": lambda net: net["trace"].x,
    "trace.x_": lambda net: net["trace"].x_,
    "trace.t[:]": lambda net: net["trace"].t[:],
    "trace[2].v": lambda net: net["trace"][2].v,
    "trace[2].v_": lambda net: net["trace"][2].v_,
    "trace[2].t": lambda net: net["trace"][2].t,
    "trace[2].t_": lambda net: net["trace"][2].t_,
    "trace.get_states()": lambda net: net["trace"].get_states(),
    "rate.rate[:]": lambda net: net["rate"].rate[:],
    "rate.t[:]": lambda net: net["rate"].t[:],
    "rate.smooth_rate()": lambda net: net["rate"].smooth_rate("flat", width=0.3 * ms),
    "way.i[:]": lambda net: net["way"].i[:],
    "way.j[:]": lambda net: net["way"].j[:],
    "way.delay[:]": lambda net: net["way"].delay[:],
    "way.w[0, :]": lambda net: net["way"].w[0, :],
    "way.w of a condition": lambda net: net["way"].w["i < 2"],
    "way.vw[:]": lambda net: net["way"].vw[:],
    "way.vw of a condition": lambda net: net["way"].vw["j > 0"],
    "way.get_states()": lambda net: net["way"].get_states(),
    "weights.w": lambda net: net["weights"].w,
    "weights.w_": lambda net: net["weights"].w_,
    "cells.get_states()": lambda net: net["cells"].get_states(),
    "net.get_states()": lambda net: net.get_states(),
}


def recorded() -> Network:
    cells = NeuronGroup(3, "x : 1\nv : volt", threshold="True", reset="x += 1; v += mV", namespace={}, name="cells")
    way = Synapses(cells, cells, "w : 1\nvw = v_post*w : volt", on_pre="w += 1", namespace={}, name="way")
    way.connect(i=[0, 1, 2], j=[1, 2, 0])
    way.delay = [0.1, 0.2, 0.3] * ms
    return Network(
        cells,
        way,
        SpikeMonitor(cells, variables="x", name="spikes"),
        StateMonitor(cells, ["x", "v"], record=[0, 2], name="trace"),
        StateMonitor(way, "w", record=[0, 1, 2], name="weights"),
        PopulationRateMonitor(cells, name="rate"),
    )


def arrays(read: Any) -> list[Any]:
    """All arrays of what was read."""
    if isinstance(read, dict):
        return [array for value in read.values() for array in arrays(value)]
    return [read]


def all_read(net: Network) -> dict[str, tuple[list[Any], list[Any]]]:
    """What the table reads, and copies of it."""
    found = {name: arrays(read(net)) for name, read in READ.items()}
    return {name: (values, [np.array(value) for value in values]) for name, values in found.items()}


def changed(found: dict[str, tuple[list[Any], list[Any]]]) -> list[str]:
    return [
        name
        for name, (values, copies) in found.items()
        if not all(np.array_equal(value, copy) for value, copy in zip(values, copies, strict=True))
    ]


@pytest.mark.parametrize("target", ["numpy", pytest.param("cython", marks=pytest.mark.slow)])
def test_what_was_read_stays_when_more_is_recorded(target: str) -> None:
    with session(target, seed=1) as sim:
        net = recorded()
        sim.run(net, 1 * ms)
        found = all_read(net)
        assert all(values and any(np.size(value) for value in values) for values, _ in found.values())
        sim.run(net, 500 * ms)
        assert net["spikes"].num_spikes == 3 * 5010
        assert changed(found) == []
        sim.reset()
        assert changed(found) == []


@pytest.mark.cpp
def test_what_was_read_of_a_program_stays_when_it_runs_at_another_point() -> None:
    with session("cpp", seed=1) as sim:
        net = recorded()
        points = [Point(durations=[1] * ms), Point(durations=[50] * ms)]
        prepared = sim.prepare(net, lambda: sim.run(net, 1 * ms), points[0])
        first, second = prepared.run(points, lambda _: all_read(net))
        assert changed(first) == []
        assert len(first["spikes.i[:]"][0][0]) == 30
        assert len(second["spikes.i[:]"][0][0]) == 1500
