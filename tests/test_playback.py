"""Spikes that are known beforehand: played as they are, whatever the target, and by one program for all of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from brian2 import Network, NeuronGroup, SpikeMonitor, ms
from hypothesis import given
from hypothesis import strategies as st
from hypothesis_profile import examples

import biosnn
from biosnn import Dense
from biosnn.engine import Point
from biosnn.errors import ModelError
from biosnn.inputs import playback
from biosnn.model import Parameter, SynapseModel, Trace

DT = 0.5 * ms
TARGETS = ["numpy", pytest.param("cython", marks=pytest.mark.slow), pytest.param("cpp", marks=pytest.mark.cpp)]
WEIGHED = SynapseModel(
    name="weighed",
    summary="Hands on what a spike weighs, and remembers it.",
    source="A test",
    equations="w : 1\nseen : 1",
    on_post="seen = x",
    transmits="w*weight_pre",
    uses={"weight_pre": "1"},
    traces={"x": Trace("pre", "dx/dt = -x/tau_x : 1", "x += weight_pre", "what the spikes so far weigh")},
    parameters={"tau_x": Parameter("1e9 s", "decay")},
)


def played(monitor: SpikeMonitor) -> list[tuple[int, int]]:
    return list(zip(np.rint(np.asarray(monitor.t / DT)).astype(int).tolist(), monitor.i[:].tolist(), strict=True))


@given(st.lists(st.tuples(st.integers(0, 19), st.integers(0, 4)), max_size=30))
@examples(15)
def test_what_is_played_is_what_was_given_each_neuron_at_most_once_a_step(pairs: list[tuple[int, int]]) -> None:
    with biosnn.session("numpy", seed=1, dt=DT) as sim:
        inputs = playback(5, capacity=30)
        inputs.load(np.array([step for step, _ in pairs], dtype=int), np.array([n for _, n in pairs], dtype=int))
        monitor = SpikeMonitor(inputs)
        sim.run(Network(inputs, monitor), 20 * DT)
        assert played(monitor) == sorted(set(pairs))


@pytest.mark.parametrize("target", TARGETS)
def test_one_program_plays_what_its_points_bring_and_goes_on_in_a_later_one(target: str) -> None:
    with biosnn.session(target, seed=1, dt=DT) as sim:
        inputs = playback(3, capacity=4, name="inputs")
        monitor = SpikeMonitor(inputs)
        network = Network(inputs, monitor)
        one, other = inputs.spikes([0, 3, 3], [2, 1, 0]), inputs.spikes([1], [0])
        late = Point(inputs.spikes([0, 9], [1, 1], begin=10), start=10 * DT)
        prepared = sim.prepare(network, lambda: sim.run(network, 10 * DT), one, resumable=True)
        found = prepared.run([one, other, late], lambda _: played(monitor))
    assert found == [[(0, 2), (3, 0), (3, 1)], [(1, 0)], [(10, 1), (19, 1)]]


@pytest.mark.parametrize("target", [TARGETS[0], pytest.param("cython", marks=pytest.mark.slow), TARGETS[2]])
@pytest.mark.parametrize("kind", [Dense(), True], ids=["projection", "synapses"])
def test_synapses_and_their_traces_see_what_a_spike_weighs(target: str, kind: Any) -> None:
    with biosnn.session(target, seed=1, dt=DT) as sim:
        inputs = playback(2, capacity=9, cycle=3)
        inputs.weights = [1, 0.5, 0.25]
        inputs.load([0, 2, 4, 4], [0, 1, 0, 1])
        cells = NeuronGroup(1, "v : 1", threshold="t >= 4*ms", reset="v = v", namespace={}, dt=DT)
        syn = biosnn.synapses(inputs, cells, WEIGHED, onto="v", connect=kind, values={"w": 2})
        sim.run(Network(inputs, cells, syn), 10 * DT)
        assert float(cells.v[0]) == pytest.approx(2 * (1 + 0.25 + 0.5 + 0.5))
        np.testing.assert_allclose(np.asarray(syn.seen).ravel(), [1.5, 0.75])


def test_a_group_refuses_what_it_cannot_play() -> None:
    with biosnn.session("numpy", seed=1, dt=DT):
        inputs = playback(3, capacity=2, name="inputs")
        with pytest.raises(ModelError, match=r"inputs, spikes: expected at most 2 \(got 3\). Make the group"):
            inputs.load([0, 1, 2], [0, 0, 0])
        with pytest.raises(ModelError, match=r"inputs, neurons: expected from 0 to 2 \(got '0 to 3'\)"):
            inputs.load([0, 1], [0, 3])
        with pytest.raises(ModelError, match=r"inputs, neurons: expected one for each of 2 steps \(got 1\)"):
            inputs.load([0, 1], [0])
        with pytest.raises(ModelError, match=r"inputs, steps: expected an array of whole numbers \(got 'float64"):
            inputs.load([0.5], [0])
        with pytest.raises(ModelError, match=r"inputs, steps: expected from 0 to 2147483647 \(got '-1 to -1'\)"):
            inputs.load([-1], [0])
        with pytest.raises(ModelError, match="capacity, n: expected a whole number of at least 1"):
            playback(3, capacity=0)


def test_a_trace_may_read_the_neurons_of_its_own_side_only() -> None:
    with pytest.raises(ModelError, match="weight_post"):
        SynapseModel(
            name="wrong",
            summary="A presynaptic trace of a postsynaptic variable.",
            source="A test",
            equations="w : 1",
            on_post="w += x",
            uses={"weight_post": "1"},
            traces={"x": Trace("pre", "dx/dt = -x/(1*ms) : 1", "x += weight_post", "wrong")},
        )
