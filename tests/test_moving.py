"""A delay that is set after synapses were made acts as one that they were made with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from brian2 import Network, SpikeGeneratorGroup, StateMonitor, Synapses, ms
from hypothesis import given
from hypothesis import strategies as st
from hypothesis_profile import examples
from numpy.testing import assert_allclose

import biosnn
from biosnn import catalogue

PLASTIC = [
    name
    for name in catalogue.synapse_names()
    if biosnn.synapse_model(name).traces and biosnn.synapse_model(name).on_pre and not biosnn.synapse_model(name).uses
]

WAYS: dict[str, Callable[[Any], Any]] = {
    "attribute": lambda s: setattr(s, "delay", 3 * ms),
    "without unit": lambda s: setattr(s, "delay_", 0.003),
    "pathway": lambda s: setattr(s.pre, "delay", 3 * ms),
    "slice": lambda s: s.delay.__setitem__(slice(None), 3 * ms),
    "one by one": lambda s: [s.pre.delay.__setitem__(k, 3 * ms) for k in (0, 1)],
    "array": lambda s: setattr(s, "delay", np.array([3.0, 3.0]) * ms),
    "expression": lambda s: setattr(s, "delay", "3*ms + 0*i*ms"),
    "condition": lambda s: s.delay.__setitem__("i >= 0", 3 * ms),
    "condition and expression": lambda s: s.delay.__setitem__("i >= 0", "3*ms"),
}


def trains(pre: list[float], post: list[float], n: int = 2) -> tuple[SpikeGeneratorGroup, SpikeGeneratorGroup]:
    """Two groups whose neurons fire at these times (ms), each half a millisecond after the one before it."""
    found = []
    for name, times in (("before", pre), ("after", post)):
        indices = np.repeat(np.arange(n), len(times))
        found.append(SpikeGeneratorGroup(n, indices, (np.tile(times, n) + 0.5 * indices) * ms, name=name))
    return found[0], found[1]


def test_a_pair_has_the_sign_and_size_of_the_closed_form_however_the_delay_is_set() -> None:
    # The presynaptic spike arrives 2 ms after the postsynaptic one: depression.
    model = biosnn.synapse_model("stdp_pair").parameters
    expected = 0.5 - float(model["A_minus"].value) * np.exp(-2 / 33.7)
    with biosnn.session("numpy", dt=0.1 * ms) as sim:
        ends = trains([10.0], [11.0])
        made = {way: biosnn.synapses(*ends, "stdp_pair", onto="", connect=([0, 1], [0, 1])) for way in WAYS}
        for way, syn in made.items():
            WAYS[way](syn)
        sim.run(Network(*ends, *made.values()), 30 * ms)
        for way, syn in made.items():
            assert_allclose(syn.w, [expected] * 2, rtol=1e-12, err_msg=way)


def weights(
    model: str, pre: list[float], post: list[float], first: float, second: float, back: float, *, traces: str
) -> np.ndarray:
    """After two runs; delays (ms) in the first and in the second, and of postsynaptic spikes."""
    with biosnn.session("numpy", dt=0.5 * ms) as sim:
        ends = trains(pre, post)
        syn = biosnn.synapses(*ends, model, onto="", traces=traces, values={"w": 0.5})
        net = Network(*ends, syn)
        syn.delay = f"(1 + i)*{first}*ms"
        if back:
            syn.post.delay = back * ms
        sim.run(net, 40 * ms)
        syn.delay = f"(1 + j)*{second}*ms"
        sim.run(net, 60 * ms)
        return np.array(syn.w[:])


SPIKES = st.lists(st.integers(1, 45).map(lambda k: 2.0 * k), max_size=8, unique=True)


@examples(6)
@given(
    pre=SPIKES,
    post=SPIKES,
    model=st.sampled_from(PLASTIC),
    first=st.sampled_from([0.0, 0.5, 3.0]),
    second=st.sampled_from([0.0, 1.5, 7.0]),
    back=st.sampled_from([0.0, 2.0]),
)
def test_synapses_agree_with_those_that_have_traces_of_their_own_from_the_start(
    pre: list[float], post: list[float], model: str, first: float, second: float, back: float
) -> None:
    moved, own = (weights(model, pre, post, first, second, back, traces=home) for home in ("neuron", "synapse"))
    assert_allclose(moved, own, rtol=1e-10)


@examples(4)
@given(pre=SPIKES, post=SPIKES, delay=st.integers(0, 20).map(lambda k: 0.5 * k))
def test_synapses_agree_with_plain_ones_of_brian(pre: list[float], post: list[float], delay: float) -> None:
    with biosnn.session("numpy", dt=0.5 * ms) as sim:
        ends = trains(pre, post)
        ours, made = (biosnn.synapses(*ends, "stdp_pair", onto="", delay=d) for d in (None, delay * ms))
        ours.delay = delay * ms
        plain = Synapses(
            *ends,
            "w : 1\ndx/dt = -x/(16.8*ms) : 1 (event-driven)\ndy/dt = -y/(33.7*ms) : 1 (event-driven)",
            on_pre="w = clip(w - 0.00455*y, 0, 1)\nx += 1",
            on_post="w = clip(w + 0.01295*x, 0, 1)\ny += 1",
        )
        plain.connect()
        plain.w, plain.delay = 0.5, delay * ms
        sim.run(Network(*ends, ours, made, plain), 110 * ms)
        assert_allclose(ours.w, plain.w, rtol=1e-12)
        assert_allclose(made.w, plain.w, rtol=1e-12)


def test_traces_stay_on_the_neuron_where_no_delay_is_set() -> None:
    with biosnn.session("numpy", dt=0.1 * ms) as sim:
        ends = trains([1.0], [2.0])
        syn, zero = (biosnn.synapses(*ends, "stdp_pair", onto="") for _ in range(2))
        zero.delay = 0 * ms
        sim.run(Network(*ends, syn, zero), 5 * ms)
        assert "lastupdate" not in syn.variables
        assert "lastupdate" not in zero.variables


def at_points(target: str) -> np.ndarray:
    """Weights at points that bring a delay, (point, home of the traces, synapse)."""
    points = [{"moved_pre.delay": d * ms, "own_pre.delay": d * ms} for d in (0.0, 3.0, 0.0, 2.0)]
    with biosnn.session(target, dt=0.1 * ms) as sim:
        ends = trains([10.0, 30.0], [11.0, 33.0])
        made = [
            biosnn.synapses(*ends, "stdp_triplet_full", onto="", traces=home, name=name, connect=([0, 1], [0, 1]))
            for home, name in (("neuron", "moved"), ("synapse", "own"))
        ]
        net = Network(*ends, *made)
        program, read = lambda: sim.run(net, 50 * ms), lambda _: [np.array(syn.w[:]) for syn in made]
        return np.array(sim.sweep(net, program, points, read))


@pytest.mark.parametrize(
    "target", [pytest.param("numpy", marks=pytest.mark.slow), pytest.param("cpp", marks=pytest.mark.cpp)]
)
def test_a_sweep_may_bring_delays(target: str) -> None:
    weights = at_points(target)
    assert_allclose(weights[:, 0], weights[:, 1], rtol=1e-10)
    assert_allclose(weights[0], weights[2], rtol=1e-12)
    assert np.abs(weights[0] - weights[1]).min() > 1e-4


def test_a_monitor_made_before_the_delay_shows_the_trace_of_the_synapse() -> None:
    with biosnn.session("numpy", dt=0.1 * ms) as sim:
        ends = trains([1.0], [20.0])
        moved, own = (biosnn.synapses(*ends, "stdp_pair", onto="", traces=home) for home in ("neuron", "synapse"))
        monitors = [StateMonitor(syn, "x", record=True) for syn in (moved, own)]
        moved.delay = own.delay = 3 * ms
        sim.run(Network(*ends, moved, own, *monitors), 10 * ms)
        assert_allclose(monitors[0].x, monitors[1].x)
        assert monitors[0].x[0, -1] == 1


@pytest.mark.slow
@pytest.mark.cpp
def test_a_program_knows_of_delays_that_are_set_by_numbers_or_worked_out() -> None:
    with biosnn.session("cpp", dt=0.1 * ms) as sim:
        ends = trains([10.0, 30.0, 50.0], [11.0, 33.0, 60.0])
        ways = [*WAYS, "none", "later"]
        homes = {home: {way: synapses(*ends, home) for way in ways} for home in ("neuron", "synapse")}
        for made in homes.values():
            for way, syn in made.items():
                WAYS.get(way, lambda _: None)(syn)
        net = Network(*ends, *(syn for made in homes.values() for syn in made.values()))
        sim.run(net, 20 * ms)
        for made in homes.values():
            made["later"].delay = "4*ms"
        sim.run(net, 60 * ms)
        for way, syn in homes["neuron"].items():
            assert_allclose(syn.w, homes["synapse"][way].w, rtol=1e-12, err_msg=way)
        assert "lastupdate" not in homes["neuron"]["none"].variables


def synapses(before: Any, after: Any, traces: str) -> Any:
    """Two synapses of a rule with traces of both sides."""
    return biosnn.synapses(before, after, "stdp_pair", onto="", traces=traces, connect=([0, 1], [0, 1]))
