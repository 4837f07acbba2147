"""What is read of a converted network: counts, a single output, outputs that are images."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conversion_networks import chain, convolution

from biosnn.ann import Graph, Input, Linear, Relu, reference
from biosnn.conversion import convert, decisions
from biosnn.errors import ConversionError

NUMPY: dict[str, Any] = {"target": "numpy", "precision": "float64"}


def images_of(graph: Graph, n: int) -> np.ndarray:
    return np.random.default_rng(0).random((n, *graph.input.shape)).astype(np.float32)


def test_counts_of_all_classes_can_be_compared() -> None:
    graph = chain(6, 20, 4)
    images = images_of(graph, 40)
    snn = convert(graph, images, output="counts")
    assert len(set(snn.thresholds["sum2"].tolist())) == 1
    meant = reference(graph).outputs(images)
    ordered = np.sort(meant, axis=1)
    clear = (ordered[:, -1] - ordered[:, -2] > 0.1 * np.ptp(meant)) & (ordered[:, -1] > 0)
    assert clear.sum() > 10
    outcome = snn.run(images, 200, **NUMPY)
    np.testing.assert_array_equal(outcome.decided()[clear], decisions(meant)[clear])


def test_a_single_output_decides_by_its_sign() -> None:
    graph = chain(6, 10, 1)
    images = images_of(graph, 20)
    middle = float(np.median(reference(graph).outputs(images))) - float(graph["sum2"].bias[0])
    last = Linear(name="sum2", inputs=("relu1",), weight=graph["sum2"].weight, bias=np.array([-middle]))
    graph = Graph((*graph.layers[:-1], last), output="sum2")
    labels = decisions(reference(graph).outputs(images))
    assert labels.mean() == 0.5
    snn = convert(graph, images, method="max")
    outcome = snn.run(images, 200, labels=labels, **NUMPY)
    assert outcome.accuracy >= 0.9
    with pytest.raises(ConversionError, match="expected two outputs or more"):
        outcome.margin()
    with pytest.raises(ConversionError, match="a network of two outputs or more"):
        snn.run(images, 20, margin=1.0, **NUMPY)


def test_outputs_that_are_images_are_channels_first() -> None:
    rng = np.random.default_rng(0)
    layers = (
        Input(name="x", shape=(1, 4, 4)),
        convolution(rng, "c1", "x", 1, 3),
        Relu(name="r1", inputs=("c1",)),
        convolution(rng, "c2", "r1", 3, 2),
    )
    graph = Graph(layers, output="c2")
    images = images_of(graph, 3)
    told = convert(graph, images, method="max").run(images, 200, **NUMPY).potentials[:, -1] / 200
    meant = reference(graph).outputs(images).reshape(3, -1)
    assert np.abs(told - meant).max() < 0.05 * np.ptp(meant)
