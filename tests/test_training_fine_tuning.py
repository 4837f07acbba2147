"""A converted network fine-tuned with labels, and given back as a converted network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conversion_networks import chain, pooled, residual

import biosnn
from biosnn import training
from biosnn.ann import Graph, reference
from biosnn.ann.onnx.writer import write_onnx
from biosnn.conversion import ConvertedNetwork, convert, load, run, save
from biosnn.datasets import examples, stratified_split
from biosnn.errors import ConversionError, TrainingError

NUMPY: dict[str, Any] = {"target": "numpy", "precision": "float64"}


def images_of(graph: Graph, n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((n, *graph.input.shape)).astype(np.float32)


def converted(graph: Graph, images: np.ndarray, **settings: Any) -> ConvertedNetwork:
    """With channels that are more excitable than others, and biases."""
    snn = convert(graph, images, **settings)
    rng = np.random.default_rng(3)
    for name, theta in list(snn.thresholds.items())[:-1]:
        snn = snn.with_adjustment(
            name, excitability=rng.uniform(0.8, 1.2, theta.shape), bias=rng.normal(size=theta.shape) * 0.05, start=0.4
        )
    return snn


@pytest.mark.parametrize("changed", [False, True])
@pytest.mark.parametrize("name", ["residual", "chain"])
def test_what_is_given_back_answers_as_what_was_trained(name: str, changed: bool, tmp_path: Path) -> None:
    graph, T = {"residual": residual(1), "chain": chain(6, 12, 9, 4)}[name], 5
    images = images_of(graph, 20)
    snn = converted(graph, images)
    network = training.trainable(snn, T, thresholds=False, lists=False)
    if changed:
        rng = np.random.default_rng(1)
        for connection in network.connections:
            if connection.trained:
                weights = network.weights[connection.name]
                network.weights[connection.name] = weights + rng.normal(size=weights.shape) * weights.std() * 0.3
    back = training.with_weights(snn, network)
    labels = np.arange(20) % 3
    data = training.labelled_images(snn, images, labels)
    with biosnn.session("numpy", seed=1) as sim:
        answer = training.evaluate(sim, network, data, loss=training.LastPotential(1 / T))
    outcome, before = (run(one, images, T, labels=labels, **NUMPY) for one in (back, snn))
    assert (back.recipe, outcome.accuracy) == ("fine-tuned", answer.accuracy)
    told = outcome.potentials[:, -1] / T
    assert answer.loss == pytest.approx(
        np.mean(np.log(np.exp(told).sum(axis=1)) - told[np.arange(20), labels]), rel=1e-5
    )
    same = np.allclose(outcome.potentials, before.potentials, atol=1e-4)
    assert same != changed
    # Its graph is what the ordinary network would be with these weights; what was in its way stays.
    assert back.graph.input.shape == graph.input.shape
    ann = reference(back.graph).outputs(images)
    assert ann.shape == reference(graph).outputs(images).shape
    save(back, tmp_path / "snn.npz")
    again = load(tmp_path / "snn.npz")
    np.testing.assert_array_equal(run(again, images, T, **NUMPY).potentials, outcome.potentials)


def test_untouched_weights_of_lists_and_of_shortcuts_are_where_they_were() -> None:
    graph = residual(1)
    images = images_of(graph, 20)
    snn = convert(graph, images)
    network = training.trainable(snn, 4, thresholds=False, lists=False)
    fixed = [connection.name for connection in network.connections if not connection.trained]
    assert fixed == ["r2_to_r3_2"]  # the shortcut of option A; the other is one to one, and trained
    np.testing.assert_allclose(
        reference(training.with_weights(snn, network).graph).outputs(images),
        reference(graph).outputs(images),
        atol=1e-5,
    )
    for options in ({"thresholds": True, "lists": False}, {"thresholds": False, "lists": True}):
        with pytest.raises(TrainingError, match=r"with_weights, network: expected .* thresholds=False and lists=False"):
            training.with_weights(snn, training.trainable(snn, 4, **options))


def test_fine_tuning_adds_accuracy_and_wants_labels() -> None:
    digits = examples("digits")
    learned, test = stratified_split(digits.labels, 500, seed=1)
    images, labels = digits.inputs[learned][:400], digits.labels[learned][:400]
    others, classes = digits.inputs[test], digits.labels[test]
    plain = convert("digits_mlp", images, steps=1, recipe="plain")
    before = run(plain, others, 1, labels=classes, **NUMPY).accuracy
    tuned = training.fine_tune("digits_mlp", images, labels, steps=1, epochs=2, target="numpy")
    after = tuned.run(others, 1, labels=classes, **NUMPY).accuracy
    assert after > before + 0.05
    wrong = training.fine_tune(plain, images, labels[::-1].copy(), steps=1, epochs=2, target="numpy")
    assert wrong.run(others, 1, labels=classes, **NUMPY).accuracy < before


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (None, r"fine_tune, labels: expected the class of each image \(got None\).*biosnn\.convert"),
        (np.zeros(3, int), "labels: expected 10 whole numbers"),
        (np.full(10, 7), r"labels\[0\]: expected classes from 0 to 2"),
    ],
)
def test_labels_that_are_none_are_refused(labels: Any, message: str) -> None:
    graph = chain(4, 6, 3)
    with pytest.raises((TrainingError, ConversionError), match=message):
        training.fine_tune(graph, images_of(graph, 10), labels, steps=2, target="numpy")


def test_what_cannot_be_trained_says_so_before_it_is() -> None:
    graph = pooled(2)
    images = images_of(graph, 10)
    with pytest.raises(TrainingError, match=r"layer '.*': expected sums \(got .max pooling.\)"):
        training.fine_tune(graph, images, np.zeros(10, int), steps=2, target="numpy")
    signed = convert(chain(4, 6, 3), images_of(chain(4, 6, 3), 10), neuron="if_signed")
    with pytest.raises(TrainingError, match="spikes are all alike"):
        training.fine_tune(signed, images_of(signed.graph, 10), np.zeros(10, int), steps=2, target="numpy")
    with pytest.raises(ConversionError, match=r"convert, recipe: expected .* no training.*biosnn\.training\.fine_tune"):
        convert(graph, images, steps=4, recipe="fine-tuned")


def test_the_study_of_conversion_shows_it_as_training(tmp_path: Path) -> None:
    settings: dict[str, Any] = {
        "model": "digits_mlp",
        "steps": 2,
        "images": 10,
        "explained": 10,
        "calibration": 20,
        "recipes": "on",
    }
    settings |= {"recipe": "plain", "controls": "off", "remedies": "off", "early": "off"}
    result = biosnn.run_study("conversion", settings, target="numpy", out=tmp_path / "out")
    rows = result.tables["Recipes"].rows
    assert tuple(rows[0][:3]) == ("recipe", "T = 1", "T = 2")
    assert rows[-1][0] == "fine-tuned (training, with labels)"
    assert all(rows[-1])
    assert len(result.arrays["recipes"]) == len(rows) - 1


def test_where_it_cannot_be_trained_the_study_says_why(tmp_path: Path) -> None:
    graph = pooled(2)
    images = images_of(graph, 40)
    (tmp_path / "pooled.onnx").write_bytes(write_onnx(graph))
    labels = reference(graph).outputs(images).argmax(axis=1)
    np.savez(tmp_path / "images.npz", x=images[:30], y=labels[:30], x_test=images[30:], y_test=labels[30:])
    settings: dict[str, Any] = {
        "model": str(tmp_path / "pooled.onnx"),
        "data": str(tmp_path / "images.npz"),
        "steps": 1,
        "recipes": "on",
    }
    settings |= {"explained": 10, "recipe": "plain", "controls": "off", "remedies": "off", "early": "off"}
    result = biosnn.run_study("conversion", settings, target="numpy", out=tmp_path / "out")
    told = result.tables["Recipes"].rows[-1]
    assert told[0].startswith("fine-tuned (training, with labels): none. trainable, network, layer")
    assert "max pooling" in told[0]
    assert not any(told[1:])
