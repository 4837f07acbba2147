"""Inputs that are values, biases, and converted networks that are trained further."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from brian2 import ms
from conversion_networks import chain, pooled, residual
from numpy.testing import assert_allclose
from training_networks import LIF, READOUT, differences, refractory

import biosnn
from biosnn import conversion, training
from biosnn.datasets import LabelledValues
from biosnn.errors import BiosnnError, DataError, TrainingError
from biosnn.training import BIAS, INPUT, ConstantInputs, Exact, LastPotential, Surrogate
from biosnn.training.engines.cpp_engine import CppEngine
from biosnn.training.engines.numpy_engine import NumpyEngine
from biosnn.training.examples import take


def network(model: Any = LIF, *, duration: Any = 12 * ms) -> training.TrainableNetwork:
    """Eight values, six neurons, three readouts, and biases that come late."""
    random = np.random.default_rng(1)
    connections = [
        training.Connection(INPUT, "hidden", random.normal(0.15, 0.1, (8, 6))),
        training.Connection(BIAS, "hidden", random.normal(0.15, 0.1, (1, 6)), delay=3),
        training.Connection("hidden", "output", random.normal(1, 1, (6, 3))),
        training.Connection(BIAS, "output", random.normal(0.1, 0.1, (1, 3))),
    ]
    layers = [training.Layer("hidden", 6, model), training.Layer("output", 3, READOUT)]
    return training.TrainableNetwork(8, layers, connections, dt=0.5 * ms, duration=duration, input="values")


def values(examples: int = 3) -> ConstantInputs:
    given = np.random.default_rng(2).uniform(-0.2, 1, (examples, 8))
    given[0, 3] = 0
    return ConstantInputs(given)


def test_a_value_is_a_current_and_a_bias_one_of_its_own() -> None:
    """Without spikes the readout is linear: what arrives by the end is a sum of geometric series."""
    net = training.TrainableNetwork(
        1,
        [training.Layer("output", 1, "integrator")],
        [
            training.Connection(INPUT, "output", np.array([[2.0]])),
            training.Connection(BIAS, "output", np.array([[3.0]]), delay=2),
        ],
        dt=1 * ms,
        duration=10 * ms,
        input="values",
    )
    engine = NumpyEngine(net, Surrogate(), "last_potential")
    assert engine.forward(ConstantInputs(np.array([[0.5]]))).features[0, 0] == pytest.approx(10 * 2 * 0.5 + 8 * 3)
    found = engine.backward(np.ones((1, 1))).weights
    assert found["input_to_output"][0, 0] == pytest.approx(5)
    assert found["bias_to_output"][0, 0] == pytest.approx(8)


def test_a_surrogate_of_values_and_biases_is_the_gradient_of_the_smooth_program() -> None:
    kept = {name: LIF.parameters[name] for name in ("tau_m", "tau_s", "v_th")}
    net = network(replace(LIF, name="without_reset", reset="v = v", parameters=kept), duration=6 * ms)
    engine = NumpyEngine(net, Surrogate("arctan"), "last_potential", smooth=True)
    weigh = np.random.default_rng(3).normal(size=(3, 3))

    def loss() -> float:
        return float(np.sum(engine.forward(values()).features * weigh))

    loss()
    found, expected = engine.backward(weigh).weights, differences(net, loss)
    for name, slopes in found.items():
        scale, told = np.nanmax(np.abs(expected[name])), np.isfinite(expected[name])
        assert_allclose(np.where(told, slopes, np.nan), expected[name], atol=2e-7 * scale, rtol=2e-7, err_msg=name)


@pytest.mark.cpp
@pytest.mark.parametrize(
    ("model", "feature", "method"),
    [(LIF, "last_potential", Exact()), (refractory(), "max_potential", Surrogate("arctan", detach_reset=False))],
)
def test_the_compiled_engine_gives_what_numpy_gives_for_values(model: Any, feature: str, method: Any) -> None:
    net, weigh = network(model), np.random.default_rng(4).normal(size=(3, 3))
    found = []
    for kind in (NumpyEngine, CppEngine):
        engine = kind(net, method, feature)
        answer = engine.forward(values())
        assert len(answer.spikes["hidden"].neuron) > 10
        found.append((answer.features, answer.spikes["hidden"].step, dict(engine.backward(weigh).weights)))
    assert_allclose(found[1][0], found[0][0], rtol=1e-10)
    np.testing.assert_array_equal(found[1][1], found[0][1])
    for name, slopes in found[0][2].items():
        assert_allclose(found[1][2][name], slopes, rtol=1e-9, atol=1e-13, err_msg=name)


@pytest.mark.parametrize("target", ["numpy", pytest.param("cpp", marks=pytest.mark.cpp)])
def test_as_brian_repeats_the_spikes_of_values(target: str) -> None:
    net = network(refractory())
    expected = NumpyEngine(net, Exact(), "last_potential").forward(values()).spikes["hidden"]
    with biosnn.session(target, dt=0.5 * ms) as sim:
        built = training.as_brian(sim, net, values())
        sim.run(built.network, built.duration)
        found = built.spikes()["hidden"]
    assert len(expected.neuron) > 10
    for part in ("indptr", "neuron", "step"):
        np.testing.assert_array_equal(getattr(found, part), getattr(expected, part))


def test_a_network_of_values_is_saved_and_tells_what_it_takes(tmp_path: Any) -> None:
    net, file = network(), tmp_path / "net.npz"
    training.save_network(net, file)
    again = training.load_network(file)
    assert again.input == "values"
    engines = [NumpyEngine(one, Exact(), "last_potential") for one in (net, again)]
    np.testing.assert_array_equal(*(engine.forward(values()).features for engine in engines))
    with pytest.raises(TrainingError, match="to_nir, inputs: expected spikes"):
        training.to_nir(net, tmp_path / "net.nir")


# ---- converted networks ------------------------------------------------------------------------------------------


def converted(graph: Any, **options: Any) -> tuple[Any, np.ndarray]:
    images = np.random.default_rng(5).normal(size=(12, *graph.input.shape)).astype(np.float32)
    return conversion.convert(graph, images, **options), images


@pytest.mark.parametrize("graph", [chain(6, 8, 7, 3), residual()], ids=["chain", "residual"])
def test_before_training_it_answers_as_the_converted_network(graph: Any) -> None:
    snn, images = converted(graph)
    outcome = snn.run(images, T=5, target="numpy", precision="float64", each=True)
    net = training.trainable(snn, steps=5)
    with biosnn.session("numpy") as sim:
        data = training.labelled_images(snn, images, np.zeros(12, int))
        answer = training.evaluate(sim, net, data, loss=LastPotential())
    assert_allclose(answer.features, outcome.potentials[:, -1], atol=1e-5)
    # The last layer that spikes does so for as many steps as there.
    last = snn.network.hidden[-1].name
    assert answer.spikes[last].sum() * 12 == pytest.approx(outcome.spikes[last].sum())
    assert answer.spikes[last].sum() * 12 > 50


def test_fine_tuning_brings_answers_of_few_steps_nearer_to_the_labels() -> None:
    """A single step leaves little of what the ordinary network decides."""
    snn, _ = converted(chain(6, 16, 3))
    random = np.random.default_rng(6)
    images = random.normal(size=(150, 6)).astype(np.float32)
    labels = snn.run(images, T=40, target="numpy").decided()
    net = training.trainable(snn, steps=1)
    data = training.labelled_images(snn, images, labels)
    loss = LastPotential()
    with biosnn.session("numpy", seed=1) as sim:
        before = training.evaluate(sim, net, data, loss=loss)
        first = {name: weights.copy() for name, weights in net.weights.items()}
        thresholds = dict(net.parameters)
        training.train(
            sim, net, data, loss=loss, method=Surrogate(), optimizer=training.Adam(rate=0.02), batch=20, epochs=8
        )
        after = training.evaluate(sim, net, data, loss=loss)
    assert before.accuracy < 0.85
    assert after.accuracy > before.accuracy + 0.08
    assert all(np.any(net.weights[name] != weights) for name, weights in first.items())
    assert all(net.parameters[name] != value for name, value in thresholds.items())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: training.trainable(converted(pooled())[0], 4), "max pooling"),
        (lambda: training.trainable(converted(chain(6, 8, 3), neuron="lif_soft")[0], 4), "without a leak"),
        (lambda: training.trainable(converted(chain(6, 8, 3), input="poisson")[0], 4), "'analog'.*poisson"),
        (lambda: training.trainable(converted(chain(6, 8, 3), code="first spike")[0], 4), "'rate'.*first spike"),
        (lambda: training.trainable(converted(chain(6, 8, 3))[0], 0), "steps: expected a whole number"),
        (lambda: training.labelled_images(*converted(chain(6, 8, 3)), np.zeros(3, int)), "12 classes"),
        (lambda: LabelledValues(np.array([[np.nan, 1]]), np.array([0])), "finite"),
        (lambda: LabelledValues(np.ones((2, 3)), np.array([0, -1])), "whole numbers from 0"),
        (
            lambda: NumpyEngine(network(), Exact(), "last_potential").forward(take(values(), np.arange(0))),
            "one example",
        ),
        (
            lambda: training.inputs_of(network(), LabelledValues(np.ones((2, 5)), np.array([0, 1])), "data"),
            "values of 8 inputs.*of 5",
        ),
        (
            lambda: training.inputs_of(network(), LabelledValues(np.ones((2, 8)), np.array([0, 3])), "data"),
            "classes below the 3",
        ),
        (lambda: training.TrainableNetwork(8, [], [], input="currents"), "spikes or values"),
        (lambda: training.Layer("bias", 3, LIF), "a word other than input and bias"),
    ],
)
def test_what_does_not_fit_is_refused(make: Any, message: str) -> None:
    with pytest.raises(BiosnnError, match=message):
        make()


def test_spikes_are_refused_where_values_are_expected() -> None:
    spikes = training.SpikeList(np.array([0, 1]), np.zeros(1, np.int32), np.zeros(1, np.int32))
    with pytest.raises(TrainingError, match=r"expected values.*got 'spikes'"):
        NumpyEngine(network(), Exact(), "last_potential").forward(spikes)
    with pytest.raises(DataError):
        LabelledValues(np.ones(3), np.zeros(3, int))


def test_examples_are_taken_in_the_order_asked_for() -> None:
    np.testing.assert_array_equal(take(values(), np.array([2, 0])).values, values().values[[2, 0]])
