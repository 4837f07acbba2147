"""Output neurons without a spike, whose potential a loss of first spikes reads instead."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from brian2 import ms
from numpy.testing import assert_allclose
from training_networks import ALL, LIF, differences, order_task, refractory, spikes, three_layers

import biosnn
from biosnn import training
from biosnn.errors import TrainingError
from biosnn.training import INPUT, Connection, Exact, Layer, TrainableNetwork
from biosnn.training.engines.cpp_engine import CppEngine
from biosnn.training.engines.numpy_engine import NumpyEngine

APPROACH = "first_spike_or_approach"


def silent_cells() -> TrainableNetwork:
    """Inputs drive the output itself, too little for a spike."""
    weights = np.random.default_rng(1).normal(0.5, 0.2, (5, 3))
    return TrainableNetwork(5, [Layer("output", 3, LIF, ALL)], [Connection(INPUT, "output", weights)], dt=0.5 * ms)


@pytest.mark.parametrize("engine", [NumpyEngine, pytest.param(CppEngine, marks=pytest.mark.cpp)])
def test_the_approach_of_silent_neurons_has_the_gradient_that_differences_tell(engine: Any) -> None:
    net, given = silent_cells(), spikes(4)
    running, weigh = engine(net, Exact(), APPROACH), np.random.default_rng(3).normal(size=(4, 3))

    def loss() -> float:
        return float(np.sum(running.forward(given).features * weigh))

    loss()
    found = running.backward(weigh)
    expected = differences(net, loss)
    moved = {"input_to_output", "output.tau_m", "output.tau_s", "output.v_th"}
    for name, slopes in {**found.weights, **found.parameters}.items():
        scale, told = np.nanmax(np.abs(expected[name])), np.isfinite(expected[name])
        assert (scale > 0) == (name in moved)
        assert_allclose(np.where(told, slopes, np.nan), expected[name], atol=2e-7 * scale, rtol=2e-7, err_msg=name)


@pytest.mark.parametrize("engine", [NumpyEngine, pytest.param(CppEngine, marks=pytest.mark.cpp)])
def test_a_neuron_that_never_leaves_its_start_is_late_by_as_long_as_a_trial(engine: Any) -> None:
    net = silent_cells()
    net.weights["input_to_output"][:, 0] = 0
    times = engine(net, Exact(), APPROACH).forward(spikes(4)).features
    assert_allclose(times[:, 0], 2 * net.duration)
    assert np.all((times[:, 1:] > net.duration) & (times[:, 1:] < 2 * net.duration))


@pytest.mark.cpp
@pytest.mark.parametrize("model", [LIF, refractory()])
def test_the_compiled_engine_reads_spikes_and_approaches_as_numpy_does(model: Any) -> None:
    net, given, random = three_layers(model, model), spikes(5), np.random.default_rng(4)
    net.weights["hidden_to_output"] *= [0.5, 0.15, 0.05]
    slow, fast = NumpyEngine(net, Exact(), APPROACH), CppEngine(net, Exact(), APPROACH, threads=2)
    expected, found = slow.forward(given).features, fast.forward(given).features
    assert 0 < np.sum(expected > net.duration) < expected.size, "all spike, or none"
    assert_allclose(found, expected, rtol=1e-12)
    weigh = random.normal(size=(5, 3))
    by_numpy, by_cpp = slow.backward(weigh), fast.backward(weigh)
    for name, slopes in by_numpy.weights.items():
        assert_allclose(by_cpp.weights[name], slopes, rtol=1e-9, atol=1e-12 * np.max(np.abs(slopes)), err_msg=name)
    for name, slope in by_numpy.parameters.items():
        assert by_cpp.parameters[name] == pytest.approx(slope, rel=1e-9), name


def test_the_loss_of_late_neurons_has_the_derivative_that_differences_tell() -> None:
    loss, labels = training.FirstSpikeOrApproach("5 ms", "5 ms", 0.1), np.array([0, 1, 1])
    times = np.array([[0.005, 0.03], [0.004, 0.022], [0.031, 0.024]])  # the end is at 0.02
    losses, slopes = loss(times, labels, 0.02)
    for k in range(2):
        shifted = [loss(times + sign * 1e-7 * np.eye(2)[k], labels, 0.02)[0] for sign in (1, -1)]
        assert_allclose(slopes[:, k], (shifted[0] - shifted[1]) / 2e-7, rtol=1e-5, atol=1e-6)
    assert slopes[1, 1] > 0, "a silent neuron of the class is not pulled towards its threshold"
    np.testing.assert_array_equal(loss.decide(times), [0, 0, 1])
    assert losses[1] > losses[0]


@pytest.mark.parametrize(
    ("loss", "woken"), [(training.FirstSpike("2 ms"), False), (training.FirstSpikeOrApproach("2 ms"), True)]
)
def test_a_lost_output_neuron_comes_back_by_its_potential_and_not_by_spike_times(loss: Any, woken: bool) -> None:
    weights = [(2.5, 1.0), (1.5, 0.5)]
    net = training.feedforward([4, 12, 2], readout=LIF, weights=weights, dt=0.5 * ms, duration=20 * ms, seed=1)
    net.weights["hidden_to_output"][:, 1] *= 0.05
    data = order_task(100, 1)
    with biosnn.session("numpy", seed=4) as sim:
        assert training.evaluate(sim, net, data, loss=loss).spikes["output"][1] == 0
        training.train(sim, net, data, loss=loss, epochs=6, optimizer=training.Adam(rate=0.02))
        after = training.evaluate(sim, net, data, loss=loss)
    assert (after.spikes["output"][1] > 0.3) == woken


def test_a_threshold_that_is_no_sum_of_states_is_refused() -> None:
    squared = replace(LIF, name="squared", threshold="v*v > v_th", reset="v = v_reset")
    with pytest.raises(TrainingError, match=r"Layer 'output': its threshold is no sum.*FirstSpike"):
        NumpyEngine(three_layers(LIF, squared, trained={}), Exact(), APPROACH)
