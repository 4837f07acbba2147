"""Networks as populations and paths, and paths as synapses: the same sums as the layers they come from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conversion_networks import chain, convolution, graphs, linear, pooled, residual
from hypothesis import given, settings
from numpy.typing import NDArray

from biosnn.ann import Add, AveragePool, Concat, Graph, Input, Linear, MaxPool, Relu, Scale, Select, affine, reference
from biosnn.ann.affine import matrix
from biosnn.ann.connections import connection, order, spread
from biosnn.conversion.populations import Population, PopulationNetwork, population_network
from biosnn.conversion.windows import aligned, windows
from biosnn.errors import ConversionError
from biosnn.projection import Conv2D, Dense, OneToOne, Sparse


def by_synapses(
    populated: PopulationNetwork, population: Population, told: dict[str, NDArray[Any]]
) -> NDArray[np.float64]:
    """What the synapses of the paths bring to a population, from values in the order of layers."""
    found = np.broadcast_to(population.bias.ravel().astype(float), (len(told["x"]), population.neurons)).copy()
    for path in population.paths:
        source = populated.graph[path.source].shape
        joint = connection(path.layers, source, population.shape)
        fit = joint.kind.fit(int(np.prod(source)), population.neurons)
        values = told[path.source].reshape(len(found), -1)[:, order(source)].astype(float)
        sums = np.zeros_like(found)
        for i in range(values.shape[1]):
            weights, targets = fit.outgoing(i)
            sums[:, targets] += values[:, i, None] * joint.weights.ravel()[weights]
        back = np.empty_like(sums)
        back[:, order(population.shape)] = sums
        found += back
    return found


@given(graph=graphs())
@settings(max_examples=60, deadline=None)
def test_the_synapses_of_any_network_give_the_sums_of_onnx_runtime(graph: Graph) -> None:
    images = np.random.default_rng(1).normal(size=(2, *graph.input.shape)).astype(np.float32)
    populated = population_network(graph)
    names = [population.name for population in populated.populations]
    told = reference(populated.graph, threads=1).activations(images, ["x", *names])
    for population in populated.populations:
        sums = by_synapses(populated, population, told)
        expected = told[population.name].reshape(len(images), -1)
        found = np.maximum(sums, 0) if population.kind == "relu" else sums
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=2e-5)


@given(graph=graphs())
@settings(max_examples=40, deadline=None)
def test_layers_in_numpy_are_those_of_onnx_runtime_and_of_their_matrices(graph: Graph) -> None:
    images = np.random.default_rng(2).normal(size=(2, *graph.input.shape)).astype(np.float32)
    told = reference(graph, threads=1).activations(images)
    for layer in graph.layers:
        if isinstance(layer, Input | Relu):
            continue
        inputs = [told[name] for name in layer.inputs]
        np.testing.assert_allclose(affine.forward(layer, inputs), told[layer.name], rtol=1e-4, atol=2e-5)
        if len(inputs) == 1 and not isinstance(layer, Concat):
            flat = inputs[0].reshape(len(images), -1)
            found = (matrix(layer, inputs[0].shape[1:]) @ flat.T).T
            linear_part = affine.forward(layer, inputs, bias=False).reshape(len(images), -1)
            np.testing.assert_allclose(found, linear_part, rtol=1e-4, atol=2e-5)


def kinds_of(graph: Graph) -> dict[str, list[type]]:
    populated = population_network(graph)
    return {
        population.name: [
            type(connection(path.layers, graph[path.source].shape, population.shape).kind) for path in population.paths
        ]
        for population in populated.populations
    }


def test_rules_stay_rules() -> None:
    assert kinds_of(residual()) == {"r1": [Conv2D], "r2": [Conv2D, OneToOne], "r3": [Conv2D, Sparse], "y": [Dense]}
    rng = np.random.default_rng(0)
    layers = (
        Input(name="x", shape=(2, 8, 8)),
        convolution(rng, "c1", "x", 2, 2),
        Relu(name="r1", inputs=("c1",)),
        AveragePool(name="p", inputs=("r1",), kernel=(2, 2), stride=(2, 2)),
        convolution(rng, "c2", "p", 2, 3),
        Relu(name="r2", inputs=("c2",)),
        linear(rng, "y", "r2", 48, 2),
    )
    graph = Graph(layers, output="y")
    assert kinds_of(graph) == {"r1": [Conv2D], "r2": [Conv2D], "y": [Dense]}
    path = population_network(graph)["r2"].paths[0]
    joint = connection(path.layers, (2, 8, 8), (3, 4, 4))
    assert joint.weights.shape == (6, 6, 2, 3)
    assert joint.kind.stride == (2, 2)  # type: ignore[attr-defined]


def test_what_lies_between_convolutions_leaves_the_rule() -> None:
    """Linear bottlenecks of single pixels, normalisations before a padded convolution, channels in another order."""
    rng, numbers = np.random.default_rng(0), np.arange(2 * 6 * 6).reshape(2, 6, 6)
    pixels = {"kernel": (1, 1), "padding": (0, 0, 0, 0)}
    between = {
        "pixels first": (convolution(rng, "d", "r", 2, 5, **pixels), convolution(rng, "e", "d", 5, 3, stride=(2, 1))),
        "pixels last": (
            convolution(rng, "d", "r", 2, 5, stride=(2, 1)),
            convolution(rng, "e", "d", 5, 3, **pixels, stride=(1, 2)),
        ),
        "norm": (
            Scale(name="d", inputs=("r",), weight=rng.normal(size=(2, 1, 1)), bias=rng.normal(size=(2, 1, 1))),
            convolution(rng, "e", "d", 2, 4, groups=2),
        ),
        "order": (Select(name="d", inputs=("r",), source=numbers[::-1]), convolution(rng, "e", "d", 2, 3)),
    }
    rows = Scale(name="e", inputs=("d",), weight=rng.normal(size=(1, 6, 1)), bias=np.zeros((1, 1, 1)))
    by_row = (convolution(rng, "d", "r", 2, 6), rows)  # as many rows as channels
    for name, layers in {**between, "rows": by_row}.items():
        start = (Input(name="x", shape=(1, 6, 6)), convolution(rng, "c", "x", 1, 2), Relu(name="r", inputs=("c",)))
        made = (*start, *layers, Relu(name="q", inputs=("e",)))
        size = Graph(made, output="q")["q"].neurons
        graph = Graph((*made, linear(rng, "y", "q", size, 2)), output="y")
        assert kinds_of(graph)["q"] == [Sparse if name == "rows" else Conv2D], name
        images = rng.normal(size=(2, 1, 6, 6)).astype(np.float32)
        told, populated = reference(graph, threads=1).activations(images), population_network(graph)
        expected = told["e"].reshape(2, -1)
        np.testing.assert_allclose(
            by_synapses(populated, populated["q"], told), expected, rtol=1e-4, atol=1e-5, err_msg=name
        )


def test_values_put_beside_others_are_no_layer_of_the_same_size() -> None:
    same, beside = np.arange(8), np.array([0, 1, 2, 3, -1, -1, -1, -1])
    for source, size, kind in ((same, 8, OneToOne), (beside, 4, Sparse)):
        part = Select(name="part", inputs=("x",), shape=(8,), source=source)
        found = connection([part], (size,), (8,))
        assert type(found.kind) is kind
        assert found.fan_out.tolist() == [1] * size


def test_a_fan_out_counts_the_synapses() -> None:
    for graph in (residual(), pooled()):
        populated = population_network(graph)
        for population in populated.populations:
            for path in population.paths:
                source = populated.graph[path.source].shape
                joint = connection(path.layers, source, population.shape)
                fit = joint.kind.fit(int(np.prod(source)), population.neurons)
                expected = [len(fit.outgoing(i)[0]) for i in range(int(np.prod(source)))]
                assert joint.fan_out.tolist() == expected


def test_thresholds_scale_weights_by_channels() -> None:
    graph = residual()
    theta = {"r1": np.array([2.0, 3.0]), "r2": np.array([5.0, 7.0])}
    convolved, direct = (
        connection(path.layers, (2, 6, 6), (2, 6, 6)) for path in population_network(graph)["r2"].paths
    )
    found = convolved.scaled(theta["r1"], theta["r2"])
    np.testing.assert_allclose(found[1, 2, 0, 1], convolved.weights[1, 2, 0, 1] * 2 / 7, rtol=1e-6)
    np.testing.assert_allclose(direct.scaled(theta["r1"], theta["r2"]), np.tile([2 / 5, 3 / 7], 36), rtol=1e-6)
    assert spread(np.array([1, 2]), (2, 2, 2)).tolist() == [1, 2] * 4
    assert spread(np.array([1, 2]), (2, 3)).tolist() == [1, 1, 1, 2, 2, 2]


def test_max_pooling_comes_after_its_relu() -> None:
    graph = pooled()
    populated = population_network(graph)
    assert [(p.name, p.kind) for p in populated.populations] == [
        ("m", "relu"),
        ("r1", "maximum"),
        ("r2", "relu"),
        ("y", "output"),
    ]
    images = np.random.default_rng(0).normal(size=(3, 1, 6, 6)).astype(np.float32)
    np.testing.assert_array_equal(reference(populated.graph).outputs(images), reference(graph).outputs(images))


def _refused(case: str) -> Graph:
    rng = np.random.default_rng(0)
    image = Input(name="x", shape=(1, 6, 6))
    if case == "no relu":
        return Graph((Input(name="x", shape=(4,)), linear(rng, "y", "x", 4, 2)), output="y")
    pool = MaxPool(name="m", inputs=("c",), kernel=(2, 2), stride=(2, 2))
    if case == "the output":
        layers = (image, convolution(rng, "c", "x", 1, 2), Relu(name="r", inputs=("c",)))
        return Graph((*layers, MaxPool(name="m", inputs=("r",), kernel=(2, 2))), output="m")
    layers = (
        image,
        convolution(rng, "c", "x", 1, 2),
        pool,
        linear(rng, "f", "m", 18, 4),
        Relu(name="r", inputs=("f",)),
    )
    return Graph((*layers, linear(rng, "y", "r", 4, 2)), output="y")


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("no relu", "expected one ReLU or more before its output"),
        ("the output", r"Layer 'm' \(MaxPool\): expected a layer before the output"),
        ("of sums", r"Layer 'm' \(MaxPool\): expected an input that is a ReLU .*put a ReLU before"),
    ],
)
def test_what_cannot_spike_is_refused_by_name(case: str, message: str) -> None:
    with pytest.raises(ConversionError, match=message):
        population_network(_refused(case))


def test_a_list_that_is_too_long_is_refused_before_memory_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    layers = (
        Input(name="x", shape=(2, 8, 8)),
        convolution(rng, "c", "x", 2, 2),
        convolution(rng, "d", "c", 2, 2),
        Relu(name="r", inputs=("d",)),
        linear(rng, "y", "r", 128, 2),
    )
    populated = population_network(Graph(layers, output="y"))
    monkeypatch.setattr(affine, "MOST_SYNAPSES", 10_000)
    with pytest.raises(ConversionError, match=r"Layer 'd'.*at most 10000 synapses .*Let a ReLU, or neurons, follow"):
        connection(populated["r"].paths[0].layers, (2, 8, 8), (2, 8, 8))


def test_windows_of_first_spikes() -> None:
    assert windows(population_network(chain(4, 3, 3, 2))) == {"x": 0, "relu1": 1, "relu2": 2, "sum3": 3}
    assert windows(population_network(pooled())) == {"x": 0, "m": 1, "r1": 1, "r2": 2, "y": 3}
    assert windows(population_network(residual())) == {
        "x": 0,
        "r1": 1,
        "r2": 2,
        "r3": 3,
        "y": 4,
    }  # shortcuts past one layer
    long = chain(4, 3, 3, 3, 2)
    layers = [layer for layer in long.layers if layer.name != "relu3"]
    joined = (Add(name="sum", inputs=("sum3", "relu1")), Relu(name="relu3", inputs=("sum",)))
    shortcut = aligned(population_network(Graph((*layers, *joined), output="sum4")))
    assert [path.source for path in shortcut["relu3"].paths] == ["relu2", "relu1, held in window 2"]
    assert windows(shortcut)["relu3"] == 3
    assert [population.kind for population in shortcut.populations] == ["relu", "relu", "hold", "relu", "output"]


def test_the_input_cannot_be_held() -> None:
    layers = [layer for layer in chain(4, 4, 4, 2).layers if layer.name != "relu2"]
    joined = (Add(name="sum", inputs=("sum2", "x")), Relu(name="relu2", inputs=("sum",)))
    with pytest.raises(ConversionError, match=r"Layer 'relu2': expected no input beside other layers.*use code='rate'"):
        aligned(population_network(Graph((*layers, *joined), output="sum3")))


def test_an_output_that_is_rectified_is_read_before() -> None:
    first = Linear(name="f", inputs=("x",), weight=np.eye(2), bias=np.zeros(2))
    second = Linear(name="g", inputs=("r",), weight=np.eye(2), bias=np.array([0.0, -1.0]))
    layers = (Input(name="x", shape=(2,)), first, Relu(name="r", inputs=("f",)), second, Relu(name="y", inputs=("g",)))
    populated = population_network(Graph(layers, output="y"))
    assert [path.layers[-1].name for path in populated["y"].paths] == ["g"]
    assert populated["y"].bias.tolist() == [0, -1]
