"""Optimizers, losses, and what keeps neurons active: the rules of training by gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from brian2 import ms
from numpy.testing import assert_allclose
from training_networks import order_task, small, spikes, three_layers, trained

from biosnn import training
from biosnn.errors import TrainingError
from biosnn.projection import Sparse
from biosnn.training.engines.numpy_engine import NumpyEngine


def test_optimizers_take_the_steps_of_their_papers() -> None:
    gradient = np.array([0.5, -2.0])
    for optimizer, expected in (
        (training.SGD(rate=0.1), [-0.05, 0.2]),
        (training.Adam(rate=0.1, epsilon=1e-300), [-0.1, 0.1]),  # the first step is the rate, whatever the gradient
        (training.AdamW(rate=0.1, epsilon=1e-300, weight_decay=0.5), [-0.1, 0.1]),
    ):
        values = np.zeros(2)
        optimizer.step(values, gradient, optimizer.state_of(values), optimizer.rate)
        assert_allclose(values, expected, rtol=1e-9)
    momentum, values = training.SGD(rate=0.1, momentum=0.5), np.zeros(2)
    state = momentum.state_of(values)
    for _ in range(3):
        momentum.step(values, gradient, state, momentum.rate)
    assert_allclose(values, -0.1 * gradient * (1 + 1.5 + 1.75))
    adam, values = training.Adam(rate=0.1), np.zeros(1)
    state, mean, square, x = adam.state_of(values), 0.0, 0.0, 0.0
    for step, slope in enumerate([1.0, -0.5, 2.0], start=1):
        adam.step(values, np.array([slope]), state, 0.1)
        mean, square = 0.9 * mean + 0.1 * slope, 0.999 * square + 0.001 * slope**2
        x -= 0.1 * mean / (1 - 0.9**step) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
        assert values[0] == pytest.approx(x, rel=1e-12)
    decayed, values = training.AdamW(rate=0.1, weight_decay=0.5), np.ones(1)
    decayed.step(values, np.zeros(1), decayed.state_of(values), 0.1)
    assert values[0] == pytest.approx(0.95)
    assert training.Adam(rate=0.1, decay=0.5).rate_of(3) == pytest.approx(0.0125)


@pytest.mark.parametrize(
    "loss",
    [
        training.FirstSpike("2 ms", "5 ms", 0.1),
        training.MeanPotential(2),
        training.MaxPotential(),
        training.SpikeCount(0.5),
    ],
)
def test_losses_have_the_derivatives_that_they_say(loss: training.Loss) -> None:
    random = np.random.default_rng(1)
    in_time = loss.feature == "first_spike"
    features, labels = random.uniform(0, 0.01 if in_time else 3, (6, 3)), random.integers(0, 3, 6)
    step = 1e-7 if in_time else 1e-5
    losses, slopes = loss(features, labels, 0.02)
    for k in range(3):
        shifted = [loss(features + sign * step * np.eye(3)[k], labels, 0.02)[0] for sign in (1, -1)]
        assert_allclose(slopes[:, k], (shifted[0] - shifted[1]) / (2 * step), rtol=1e-5, atol=1e-6)
    right = features.argmin(axis=1) if in_time else features.argmax(axis=1)
    np.testing.assert_array_equal(loss.decide(features), right)
    assert np.all(losses > 0)


def test_a_class_without_a_spike_has_a_finite_loss_and_no_gradient_and_none_at_all_is_no_decision() -> None:
    loss = training.FirstSpike()
    losses, slopes = loss(np.array([[0.005, np.inf], [np.inf, np.inf]]), np.array([1, 0]), 0.02)
    assert np.all(np.isfinite(losses))
    assert slopes[0, 1] == 0
    assert np.all(slopes[1] == 0)
    np.testing.assert_array_equal(loss.decide(np.array([[0.005, np.inf], [np.inf, np.inf]])), [0, -1])


@pytest.mark.parametrize("method", [training.Exact(), training.Surrogate()])
@pytest.mark.parametrize(("lowest", "highest"), [(0.0, 1.0), (6.0, np.inf)])
def test_activity_moves_into_its_range(method: Any, lowest: float, highest: float) -> None:
    net, given = three_layers(trained={}, recurrent=None), spikes(6)
    engine = NumpyEngine(net, method, "mean_potential")
    rule = training.ActivityRange("hidden", lowest, highest, 0.5)
    means, prices = [], []
    for _ in range(12):
        counts = engine.forward(given).spikes["hidden"].counts(6).astype(float)
        price, each = rule(counts)
        means.append(counts.mean())
        prices.append(price)
        slopes = engine.backward(np.zeros((6, 3)), {"hidden": each}).weights["input_to_hidden"]
        net.weights["input_to_hidden"] -= 0.1 * np.sign(slopes)
    assert prices[-1] < prices[0]
    assert (means[-1] > means[0]) == (lowest > 0)


def test_weights_of_silent_neurons_grow_and_no_others() -> None:
    net = small()
    net.weights["input_to_hidden"][:, :3] = 0.0
    before = net.weights["input_to_hidden"].copy()
    silent = np.arange(12) < 3
    assert training.SilentBump("hidden", 0.1).apply(net, silent) == 3
    grown = net.weights["input_to_hidden"] - before
    assert np.all(grown[:, :3] == pytest.approx(0.1 * np.mean(np.abs(before))))
    assert np.all(grown[:, 3:] == 0)


def test_what_grows_keeps_its_sign_and_a_layer_without_dense_synapses_is_refused() -> None:
    weights = np.full((4, 12), -0.001)
    weights[0] = 1.0
    layers = small().layers
    joined = [training.Connection("input", "hidden", weights, keep_sign=True), small().connections[1]]
    net = training.TrainableNetwork(4, layers, joined, dt=0.5 * ms, duration=10 * ms)
    trained(net, order_task(20, 1), epochs=2, bumps=[training.SilentBump("hidden", 5.0)])
    assert np.all(net.weights["input_to_hidden"] * np.sign(weights) >= 0)
    assert np.any(net.weights["input_to_hidden"] > 1.5), "nothing grew"
    listed = training.Connection("input", "hidden", np.ones(4), Sparse.pairs(np.arange(4), np.arange(4), shape=(4, 12)))
    sparse = training.TrainableNetwork(4, layers, [listed, joined[1]], dt=0.5 * ms, duration=10 * ms)
    with pytest.raises(TrainingError, match="SilentBump, layer: expected a layer that a trained connection"):
        trained(sparse, order_task(10, 1), bumps=[training.SilentBump("hidden")])


@pytest.mark.cpp
@pytest.mark.parametrize("optimizer", [training.Adam(rate=0.02), training.AdamW(rate=0.02, weight_decay=0.5)])
def test_compiled_steps_of_an_optimizer_are_those_of_numpy(optimizer: training.Optimizer) -> None:
    found = []
    for target in ("numpy", "cpp"):
        net = small()
        trained(net, order_task(64, 1), target, optimizer=optimizer, epochs=2)
        found.append(net.weights)
    for name, weights in found[0].items():
        np.testing.assert_allclose(found[1][name], weights, rtol=1e-9, atol=1e-12, err_msg=name)
        assert np.any(weights != small().weights[name])
