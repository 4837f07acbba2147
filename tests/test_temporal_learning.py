"""Learning from codes in which time tells the value: inputs made by a neuron model, and one spike that takes all."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from brian2 import Network, SpikeMonitor, ms, mV
from test_learning import DATA, NETWORK, PROTOCOL

import biosnn
from biosnn import learning
from biosnn.errors import ModelError
from biosnn.learning import NetworkSettings, TrainingRun, TrainingSchedule
from biosnn.learning.competition import FirstSpike
from biosnn.learning.presenter import count_answers
from biosnn.learning.schedule import TEST
from biosnn.model import Input, NeuronModel, Parameter

TARGETS = ["numpy", pytest.param("cpp", marks=pytest.mark.cpp)]
EARLY = NeuronModel(
    name="early",
    summary="The larger the value, the earlier its only spike.",
    source="A test",
    equations="since = t - onset : second",
    threshold="x > 0 and timestep(since, dt) == timestep((1 - x)*T, dt)",
    parameters={"T": Parameter("10 ms", "when the smallest value spikes")},
    inputs={"x": Input("value", "the value", "0"), "onset": Input("value", "when it came", "0 ms")},
)
CELL = NeuronModel(
    name="cell",
    summary="A leaky cell with an adaptive threshold, and no refractoriness.",
    source="A test",
    equations="""dv/dt = (g_exc*(70*mV - v) - v)/(10*ms) : volt
    dg_exc/dt = -g_exc/(2*ms) : 1
    dtheta/dt = -theta/tau_theta : volt""",
    threshold="v > theta",
    reset="v = 0*mV; theta += theta_plus",
    parameters={"tau_theta": Parameter("1000 s", "decay"), "theta_plus": Parameter("2 mV", "rise at a spike")},
    inputs={"g_exc": Input("spikes", "excitation")},
    initial={"theta": "5*mV"},
    presets={"frozen": {"theta_plus": "0 mV", "tau_theta": "1e12 s"}},
)
TEMPORAL: NetworkSettings = dataclasses.replace(
    NETWORK,
    neuron=CELL,
    neuron_preset="",
    rule="stdp_diehl_cook_power",
    rule_preset="",
    inhibitory="",
    coding=EARLY,
    input_gain=2.0,
    reset_state=("v", "g_exc"),
)


@pytest.mark.parametrize("target", TARGETS)
def test_inputs_of_a_model_spike_when_it_says_so(target: str) -> None:
    with biosnn.session(target, seed=1, dt=0.5 * ms) as sim:
        presenter = learning.set_up(DATA, dataclasses.replace(PROTOCOL, minimum_spikes=0), 2, EARLY)
        presenter.play(np.array([1, 0]))
        spikes = SpikeMonitor(presenter.inputs)
        sim.run(Network(*presenter.objects, spikes), 2 * PROTOCOL.period)
        times, pixels = spikes.t / ms, spikes.i[:]
    # Image 1 has grey levels 4, 0, 0, 1 of 4; image 0 has 0, 4, 2, 0, and comes after 30 ms.
    assert list(zip(times.round(6), pixels, strict=True)) == [(0.0, 0), (7.5, 3), (30.0, 1), (35.0, 2)]


def test_inputs_of_a_model_need_the_value_and_its_onset() -> None:
    with biosnn.session("numpy", seed=1), pytest.raises(ModelError, match=r"coding 'lif', inputs: expected the value"):
        learning.set_up(DATA, PROTOCOL, 2, "lif")


@pytest.mark.parametrize("target", TARGETS)
def test_the_first_spike_takes_all_and_of_several_the_highest_above_threshold(target: str) -> None:
    protocol = dataclasses.replace(PROTOCOL, minimum_spikes=0)
    with biosnn.session(target, seed=1, dt=0.5 * ms) as sim:
        presenter = learning.set_up(DATA, protocol, 3)
        cells = biosnn.neurons(4, CELL, name="cells")
        learning.homeostasis.reset_state(cells, ("v",), protocol.period)
        # 3 is over its threshold after 12 ms, 0, 1 and 2 after 10 ms: 2 by most.
        cells.run_regularly(
            """now = t % (30*ms)
            v = int(now > 9.9*ms)*int(i < 3)*(5 + i)*mV + int(now > 11.9*ms)*20*mV""",
            dt=0.5 * ms,
        )
        cells.theta = "4*mV + 1*mV*int(i == 1)"
        cells.theta_plus = 0 * mV
        spikes = SpikeMonitor(cells)
        first = FirstSpike(cells, presenter.group)
        sim.run(Network(*presenter.objects, cells, count_answers(presenter, cells), first, spikes), 3 * protocol.period)
        assert spikes.i[:].tolist() == [2, 2, 2]
        np.testing.assert_allclose(np.diff(spikes.t / ms), [30, 30], atol=1e-6)


def test_who_cannot_be_first_is_refused() -> None:
    with biosnn.session("numpy", seed=1):
        presenter = learning.set_up(DATA, PROTOCOL, 2).group
        with pytest.raises(ModelError, match=r"refractory: expected none \(got 't_ref'\)"):
            FirstSpike(biosnn.neurons(2, "lif_adaptive"), presenter)
        none: dict[str, Any] = {key: {} for key in ("parameters", "inputs", "initial", "presets")}
        flat = dataclasses.replace(CELL, equations="du/dt = -u/(1*ms) : 1", threshold="u > 1", reset="u = 0", **none)
        other = biosnn.neurons(2, flat)
        with pytest.raises(ModelError, match="state variables: expected a membrane potential v"):
            FirstSpike(other, presenter)


@pytest.mark.parametrize("target", [pytest.param("numpy", marks=pytest.mark.slow), *TARGETS[1:]])
def test_a_network_learns_from_first_spikes_and_goes_on_from_a_file(target: str, tmp_path: Any) -> None:
    schedule = TrainingSchedule(np.array([0, 1]), np.array([2]), n_training=12, n_recorded=1, seed=4)
    with biosnn.session(target, seed=3, dt=0.5 * ms) as sim:
        built = learning.build(DATA, PROTOCOL, TEMPORAL, schedule.length)
        (history,) = learning.train(sim, built, [TrainingRun(schedule)], checkpoint=5)
        network = learning.trained(built, schedule, history, learning.score(history, schedule, DATA))
        learning.save_network(network, tmp_path / "network.npz")
    answers = np.asarray(history.responses.sum(axis=1))
    assert answers.max() == 1
    assert answers.sum() >= 10
    assert history.traffic(TEST)[2] == 0, "no inhibitory cells"
    # The cells that won have learned what they saw; the others have only been scaled.
    trained_by = np.asarray(history.responses[:12].sum(axis=0))
    with biosnn.session(target, seed=3, dt=0.5 * ms) as sim:
        built = learning.build(DATA, PROTOCOL, TEMPORAL, schedule.length)
        (other,) = learning.train(sim, built, [TrainingRun(schedule, learning=False)], checkpoint=5)
    changed = abs(history.weights - other.weights).max(axis=1)
    assert (changed[trained_by > 0] > 1e-3).all()
    np.testing.assert_allclose(changed[trained_by == 0], 0, atol=1e-12)
    loaded = learning.load_network(tmp_path / "network.npz")
    assert (loaded.network_settings.coding, loaded.network_settings.inhibitory) == (EARLY, "")


def test_traces_begin_anew_with_each_image() -> None:
    with biosnn.session("numpy", seed=3, dt=0.5 * ms) as sim:
        built = learning.build(DATA, PROTOCOL, TEMPORAL, 3)
        built.presenter.play(np.array([0, 0, 0]))
        traces = next(obj for obj in built.plastic.contained_objects if obj.name == "plastic_pre_traces")
        sim.run(built.network, PROTOCOL.period)
        assert (np.asarray(traces.x)[[1, 2]] > 0.1).all()
        sim.run(built.network, 0.5 * ms)
        # Pixel 1 is fully on and has spiked at once; of pixel 2, which will, nothing is left.
        assert np.asarray(traces.x).tolist() == [0, 1, 0, 0]
