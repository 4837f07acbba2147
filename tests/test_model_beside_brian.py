"""Models that use what Brian2 has for equations, each beside the same written by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import Network, NeuronGroup, SpikeGeneratorGroup, SpikeMonitor, StateMonitor, Synapses, ms, mV, nA, nS
from numpy.testing import assert_allclose, assert_array_equal

import biosnn
from biosnn.errors import ModelError
from biosnn.model import from_toml
from biosnn.projection import Dense

VALID = Path(__file__).parent / "valid"
TARGETS = ["numpy", pytest.param("cpp", marks=pytest.mark.cpp)]


def valid(name: str) -> Any:
    """The model of a file of the tests."""
    return from_toml((VALID / f"{name}.toml").read_text(encoding="utf-8"), name)


# ---- powers of units -------------------------------------------------------------------------------------------


def test_powers_of_units_that_are_not_whole_are_those_of_brian() -> None:
    def recorded(make: Any) -> Any:
        with biosnn.session("numpy", seed=2, dt=0.1 * ms) as sim:
            cells = make()
            trace = StateMonitor(cells, ["v", "g"], record=True)
            sim.run(Network(cells, trace), 30 * ms)
            return np.array(trace.v), np.array(trace.g)

    def by_hand() -> Any:
        cells = NeuronGroup(
            5,
            """dv/dt = (-70*mV - v)/tau + k*sqrt(g)*tau**-0.5*xi : volt
            dg/dt = (g_0**1.5*g**-0.5 - g)/tau : siemens""",
            method="heun",
            namespace={"tau": 10 * ms, "g_0": 10 * nS, "k": 2 * mV * nS**-0.5},
        )
        cells.g = [5, 10, 15, 20, 25] * nS
        return cells

    v, g = recorded(lambda: biosnn.neurons(5, valid("unit_powers"), values={"g": [5, 10, 15, 20, 25] * nS}))
    expected = recorded(by_hand)
    assert np.ptp(v) > 1e-3
    assert_allclose(v, expected[0], rtol=1e-12)
    assert_array_equal(g, expected[1])


# ---- sums over synapses ----------------------------------------------------------------------------------------

MANY = 1030
"""Of so many neurons, C++ passes over those at rest: a sum has to wake them."""
RING = (np.arange(MANY), (np.arange(MANY) + 1) % MANY)


@pytest.mark.parametrize("target", TARGETS)
def test_gap_junctions_are_those_of_brian(target: str) -> None:
    drive = np.where(np.arange(MANY) % 3 == 0, 0.3, 0.0) * nA

    def recorded(by_hand: bool) -> Any:
        with biosnn.session("numpy" if by_hand else target, dt=0.1 * ms) as sim:
            if by_hand:
                cells = NeuronGroup(
                    MANY,
                    """dv/dt = (50*Mohm*(I + I_gap) - v)/(10*ms) : volt (unless refractory)
                    I : amp
                    I_gap : amp""",
                    threshold="v > 10*mV",
                    reset="v = 0*mV",
                    refractory=1 * ms,
                    method="exact",
                    namespace={},
                )
                cells.I = drive
                equations = "w : siemens\nI_gap_post = w*(v_pre - v_post) : amp (summed)"
                joint = Synapses(cells, cells, equations, namespace={})
                joint.connect(i=RING[0], j=RING[1])
                joint.w = "(1 + i % 2)*4*nS"
            else:
                cells = biosnn.neurons(MANY, "lif_gap", values={"I": drive, "t_ref": 1 * ms})
                values = {"g_gap": 4 * nS, "w": "1 + i % 2"}
                joint = biosnn.synapses(cells, cells, "gap_junction", connect=RING, values=values)
            trace, spikes = StateMonitor(cells, ["v", "I_gap"], record=range(9)), SpikeMonitor(cells)
            sim.run(Network(cells, joint, trace, spikes), 60 * ms)
            return np.array(trace.v / mV), np.array(trace.I_gap / nA), np.array(spikes.t / ms), np.array(spikes.i)

    found, expected = recorded(by_hand=False), recorded(by_hand=True)
    assert len(expected[2]) > MANY / 3
    assert np.abs(expected[1][1]).max() > 0.01, "a neuron that only its junctions drive"
    for one, other in zip(found, expected, strict=True):
        assert_allclose(one, other, rtol=1e-9, atol=1e-12)


def test_two_cells_with_a_gap_junction_settle_at_the_closed_form() -> None:
    """At rest g_L v1 = I + g (v2 - v1) and g_L v2 = g (v1 - v2), with g_L = 20 nS."""
    with biosnn.session("numpy", dt=0.1 * ms) as sim:
        cells = biosnn.neurons(2, "lif_gap", values={"I": [0.1, 0] * nA})
        joint = biosnn.synapses(cells, cells, "gap_junction", values={"g_gap": 10 * nS})
        sim.run(Network(cells, joint), 400 * ms)
        assert_allclose(cells.v / mV, [3.75, 1.25], rtol=1e-9)


@pytest.mark.parametrize("target", TARGETS)
def test_nmda_synapses_with_gating_variables_of_their_own_are_those_of_brian(target: str) -> None:
    trains = {"indices": [0, 0, 1, 0, 1], "times": [1, 3, 4, 10, 30] * ms}
    delays = np.array([0, 3, 5, 0, 1, 2]) * ms

    def recorded(by_hand: bool) -> Any:
        with biosnn.session("numpy" if by_hand else target, dt=0.1 * ms) as sim:
            inputs = SpikeGeneratorGroup(2, **trains)
            cells = biosnn.neurons(3, "lif_nmda")
            if by_hand:
                equations = """ds_syn/dt = 0.5*x_syn*(1 - s_syn)/ms - s_syn/(100*ms) : 1 (clock-driven)
                dx_syn/dt = -x_syn/(2*ms) : 1 (clock-driven)
                w : 1
                s_nmda_post = w*s_syn : 1 (summed)"""
                joint = Synapses(
                    inputs, cells, equations, on_pre="x_syn += 1", method="exponential_euler", namespace={}
                )
                joint.connect()
                joint.w, joint.delay = "1 + j", delays
            else:
                joint = biosnn.synapses(inputs, cells, "nmda_gating", delay=delays, values={"w": "1 + j"})
            trace = StateMonitor(cells, ["s_nmda", "v"], record=True)
            sim.run(Network(inputs, cells, joint, trace), 60 * ms)
            return np.array(trace.s_nmda), np.array(trace.v / mV)

    found, expected = recorded(by_hand=False), recorded(by_hand=True)
    assert expected[0].max() > 1
    assert_allclose(found[0], expected[0], rtol=1e-9)
    assert_allclose(found[1], expected[1], rtol=1e-9)


def test_a_train_of_spikes_saturates_nmda_synapses_as_their_neuron_would() -> None:
    """`lif_nmda` holds the same gating variables once for each presynaptic neuron."""
    with biosnn.session("numpy", dt=0.02 * ms) as sim:
        inputs = SpikeGeneratorGroup(1, np.zeros(20, int), np.arange(1, 201, 10) * ms)
        cells = biosnn.neurons(2, "lif_nmda")
        each = biosnn.synapses(inputs, cells[:1], "nmda_gating")
        neuron = biosnn.synapses(inputs, cells[1:], "static", onto="x", connect=([0], [0]))
        sim.run(Network(inputs, cells, each, neuron), 200 * ms)
        assert 0.5 < cells.s[1] < 1
        assert_allclose(each.s_syn[0], cells.s[1], rtol=1e-9)
        assert_allclose(cells.s_nmda[0], cells.s[1], rtol=1e-2)


def test_a_sum_over_the_synapses_of_a_presynaptic_neuron() -> None:
    model = valid("synapse_summed")
    with biosnn.session("numpy", dt=0.1 * ms) as sim:
        first = NeuronGroup(2, "v : volt\ngiven : 1", namespace={}, name="first")
        second = NeuronGroup(3, "v : volt\nI_gap : amp", namespace={}, name="second")
        first.v = [1, 2] * mV
        joint = biosnn.synapses(first, second, model, values={"w": 1.0})
        sim.run(Network(first, second, joint), 0.1 * ms)
        assert_allclose(first.given, [3e-3, 6e-3])
        assert_allclose(second.I_gap / nA, [3e-3] * 3)


def one(equations: str, name: str = "one") -> NeuronGroup:
    return NeuronGroup(1, equations, namespace={}, name=name)


@pytest.mark.parametrize(
    ("equations", "message"),
    [
        ("v : volt", "SynapseModel 'gap_junction' sums onto I_gap_post, but the postsynaptic group has no 'I_gap'"),
        ("v : volt\nI_gap = v*nS : amp", "I_gap_post: expected a variable of the equations of one such as 'I_gap :"),
        ("v : volt\nI_gap : amp (shared)", "I_gap_post: expected a variable of the equations of one"),
        ("v : volt\nI_gap : volt", "I_gap_post: expected a quantity in amp, as the model uses it"),
        ("v : 1\nI_gap : amp", r"v_pre: expected a quantity in volt, as the model uses it \(got 'a dimens"),
        ("v : volt\nI_gap : amp\nw : 1", r"expected names that the neurons of one do not have \(got 'w'\)"),
    ],
)  # fmt: skip
def test_neurons_that_have_no_place_for_a_sum_are_refused(equations: str, message: str) -> None:
    with biosnn.session("numpy"):
        cells = one(equations)
        with pytest.raises(ModelError, match=message):
            biosnn.synapses(cells, cells, "gap_junction")


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"connect": Dense()}, "connect: expected Synapses, as projections have no sums such as I_gap_post"),
        ({"onto": "v", "gain": 1 * mV}, "onto: expected nothing, since the model transmits nothing"),
        ({"delay": 1 * ms}, "delay: expected None for a model without presynaptic statements"),
    ],
)
def test_what_sums_cannot_be_combined_with_is_refused(how: dict[str, Any], message: str) -> None:
    with biosnn.session("numpy"):
        cells = biosnn.neurons(2, "lif_gap")
        with pytest.raises(ModelError, match=message):
            biosnn.synapses(cells, cells, "gap_junction", **how)


def test_a_sum_that_reads_a_trace_keeps_it_on_the_neuron_or_is_refused() -> None:
    model = biosnn.SynapseModel(
        name="tracing",
        summary="s",
        source="s",
        equations="w : 1\ns_post = w*x : 1 (summed)",
        transmits="",
        uses={"s_post": "1"},
        traces={"x": biosnn.Trace("pre", "dx/dt = -x/tau : 1", "x += 1", "trace")},
        parameters={"tau": biosnn.Parameter("10 ms", "time constant")},
        initial={"w": "1"},
    )
    with biosnn.session("numpy", dt=0.1 * ms) as sim:
        inputs, cells = SpikeGeneratorGroup(2, [0, 1], [1, 2] * ms), one("s : 1")
        joint = biosnn.synapses(inputs, cells, model)
        sim.run(Network(inputs, cells, joint), 5 * ms)
        assert_allclose(cells.s, np.exp(-0.39) + np.exp(-0.29), rtol=0.02)
        with pytest.raises(ModelError, match="equation reads the trace x at every time step"):
            biosnn.synapses(inputs, cells, model, traces="synapse")


# ---- several targets of a spike --------------------------------------------------------------------------------

RECEPTORS = """
dv/dt = (-70*mV - v + 50*Mohm*(g_ampa + g_nmda)*(0*mV - v))/(10*ms) : volt (unless refractory)
dg_ampa/dt = -g_ampa/(2*ms) : siemens
dg_nmda/dt = -g_nmda/(50*ms) : siemens
"""


@pytest.mark.parametrize("connect", [True, Dense(), ([0, 1, 2, 3], [0, 0, 1, 1])], ids=["all", "dense", "pairs"])
@pytest.mark.parametrize("target", TARGETS)
def test_a_plastic_synapse_with_two_receptors_is_that_of_brian(target: str, connect: Any) -> None:
    pairs = connect if isinstance(connect, tuple) else (np.repeat(np.arange(4), 2), np.tile([0, 1], 4))

    def recorded(by_hand: bool) -> Any:
        with biosnn.session("numpy" if by_hand else target, dt=0.1 * ms, seed=1) as sim:
            times = np.sort(np.random.default_rng(5).uniform(0, 100, 60))
            trains = SpikeGeneratorGroup(4, np.arange(60) % 4, times * ms)
            inputs = NeuronGroup(4, "due : 1\nfelt : 1", threshold="due > 0", reset="due = 0", namespace={})
            relay = Synapses(trains, inputs, on_pre="due_post = 1", namespace={})
            relay.connect(j="i")
            cells = NeuronGroup(
                2,
                RECEPTORS,
                threshold="v > -66*mV",
                reset="v = -70*mV",
                refractory=2 * ms,
                method="euler",
                namespace={},
            )
            cells.v = -70 * mV
            if by_hand:
                joint = Synapses(
                    inputs,
                    cells,
                    """w : 1
                    dx/dt = -x/(20*ms) : 1 (event-driven)
                    dy/dt = -y/(20*ms) : 1 (event-driven)""",
                    on_pre="g_ampa += w*2*nS; g_nmda += w*0.25*2*nS; w = clip(w - 0.1*y, 0, 1); x += 1",
                    on_post="w = clip(w + 0.1*x, 0, 1); felt_pre += w; y += 1",
                    namespace={},
                )
                joint.connect(i=pairs[0], j=pairs[1])
                joint.w = 0.5
            else:
                joint = biosnn.synapses(inputs, cells, valid("synapse_two_targets"), connect=connect)
            trace, spikes = StateMonitor(cells, ["v", "g_ampa", "g_nmda"], record=True), SpikeMonitor(cells)
            sim.run(Network(trains, relay, inputs, cells, joint, trace, spikes), 100 * ms)
            states = [np.array(getattr(trace, name)) for name in ("v", "g_ampa", "g_nmda")]
            return [np.array(spikes.t / ms), np.ravel(joint.w[:]), np.array(inputs.felt), *states]

    found, expected = recorded(by_hand=False), recorded(by_hand=True)
    assert len(expected[0]) > 4
    assert np.ptp(expected[1]) > 0.1
    for one_of_them, other in zip(found, expected, strict=True):
        assert_allclose(one_of_them, other, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize(
    ("equations", "message"),
    [
        ("g_ampa : siemens", "SynapseModel 's' changes g_nmda_post, but the postsynaptic group has no 'g_nmda'"),
        (
            "g_ampa : siemens\ng_nmda = g_ampa : siemens",
            "g_nmda_post: expected a variable of each neuron of one that can be written to, since spikes change it",
        ),
        ("g_ampa : siemens\ng_nmda : siemens (shared)", "g_nmda_post: expected a variable of each neuron of one"),
        ("g_ampa : siemens\ng_nmda : siemens (constant)", "g_nmda_post: expected a variable of each neuron of one"),
        ("g_ampa : siemens\ng_nmda : 1", "g_nmda_post: expected a quantity in siemens, as the model uses it"),
    ],
)
def test_neurons_without_what_a_spike_changes_are_refused(equations: str, message: str) -> None:
    with biosnn.session("numpy"):
        inputs, cells = one("felt : 1", "inputs"), one(equations)
        with pytest.raises(ModelError, match=message):
            biosnn.synapses(inputs, cells, valid("synapse_two_targets"))
