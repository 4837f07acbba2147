"""A network with channels last is read, and spikes, as the same network with channels first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis_profile import examples

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from conversion_layouts import networks, written
from conversion_models import floats, model, node, saved

import biosnn
from biosnn.ann import Graph, Select
from biosnn.conversion import explain, load, read_network, save, to_hybrid
from biosnn.projection import Dense, Sparse


def layers_of(graph: Graph) -> list[tuple[Any, ...]]:
    """The layers in the order of computation, but for a transposition of the input, with what is in them."""
    entrance = graph.input.name
    numbers = {layer.name: n for n, layer in enumerate(graph.layers) if not _turns(graph, layer)}
    turned = {layer.name for layer in graph.layers if _turns(graph, layer)}
    ranks = {name: rank for rank, name in enumerate(numbers)}
    ranks |= dict.fromkeys(turned, ranks[entrance])
    found = []
    for layer in graph.layers[1:]:
        if layer.name not in turned:
            own = {k: v for k, v in vars(layer).items() if k not in ("name", "inputs")}
            found.append((type(layer), [ranks[name] for name in layer.inputs], own))
    return found


def _turns(graph: Graph, layer: Any) -> bool:
    return isinstance(layer, Select) and layer.inputs == (graph.input.name,) and layer.shape == (3, 8, 8)


@given(made=networks())
@examples(15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_both_layouts_are_read_as_the_same_layers(tmp_path: Path, made: Any) -> None:
    blocks, seed = made
    expected = layers_of(read_network(saved(tmp_path, written(blocks, "first", seed))))
    for layout in ("front", "everywhere"):
        found = layers_of(read_network(saved(tmp_path, written(blocks, layout, seed))))
        assert [entry[:2] for entry in found] == [entry[:2] for entry in expected], layout
        for (_, _, own), (_, _, others) in zip(found, expected, strict=True):
            for name, value in own.items():
                np.testing.assert_allclose(value, others[name], rtol=1e-5, atol=1e-6)


BLOCKS = [
    {"kind": "conv", "bias": "added", "relu": "clip", "pool": "MaxPool", "whole": False},
    {"kind": "pool", "bias": "added", "relu": "relu", "pool": "MaxPool", "whole": False},
    {"kind": "residual", "bias": "normalised", "relu": "relu", "pool": "MaxPool", "whole": False},
]


@pytest.mark.parametrize("settings", [{}, {"input": "regular"}, {"code": "first spike"}], ids=str)
def test_both_layouts_spike_alike(tmp_path: Path, settings: dict[str, str]) -> None:
    images = np.random.default_rng(1).random((8, 3, 8, 8)).astype(np.float32)
    told = []
    for layout in ("first", "everywhere"):
        shown = images if layout == "first" else images.transpose(0, 2, 3, 1)
        snn = biosnn.convert(saved(tmp_path, written(BLOCKS, layout, 3)), shown, **settings)
        assert not any(isinstance(joint.kind, Dense | Sparse) for joint in list(snn.connections.values())[:2])
        outcome = snn.run(shown[:2], T=6, target="numpy", each=True)
        told.append((snn, shown[:2], outcome))
    (first, _, one), (last, shown, other) = told
    for mine, theirs in zip(first.thresholds.values(), last.thresholds.values(), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5)
    np.testing.assert_allclose(one.potentials, other.potentials, rtol=1e-4, atol=1e-5)
    for mine, theirs in zip(one.spikes.values(), other.spikes.values(), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    if "code" not in settings:
        errors = ([layer.errors["error"] for layer in explain(*they)] for they in ((first, images[:2], one), told[1]))
        np.testing.assert_allclose(*errors, rtol=1e-3)


def test_signals_with_channels_last(tmp_path: Path) -> None:
    arrays = {"w": floats(4, 3, 3), "b": floats(4), "w2": floats(4, 4, 3), "b2": floats(4), "w3": floats(5, 8)}
    told = []
    for last in (False, True):

        def window(nodes: list[Any], operator: str, value: str, output: str, last: bool = last, **more: Any) -> None:
            source, *weights = value.split()
            names = [f"{output}in", f"{output}out"] if last else [source, output]
            inner = node(operator, " ".join([names[0], *weights]), names[1], **more)
            turned = [node("Transpose", a, b, perm=[0, 2, 1]) for a, b in ((source, names[0]), (names[1], output))]
            nodes += [turned[0], inner, turned[1]] if last else [inner]

        nodes: list[Any] = []
        window(nodes, "Conv", "x w", "c", pads=[1, 1])
        nodes += [node("Add", "c b", "a"), node("Relu", "a", "r")]
        window(nodes, "MaxPool", "r", "p", kernel_shape=[2], strides=[2])
        window(nodes, "Conv", "p w2", "d", pads=[1, 1])
        nodes += [node("Add", "d b2", "e"), node("Add", "e p", "s"), node("Relu", "s", "q")]
        nodes += [node("Concat", "q p", "j", axis=2 if last else 1)]
        nodes += [
            node("ReduceMean", "j", "m", axes=[1 if last else 2], keepdims=0),
            node("Gemm", "m w3", "y", transB=1),
        ]
        biases = {name: arrays[name] if last else arrays[name].reshape(4, 1) for name in ("b", "b2")}
        graph = read_network(saved(tmp_path, model(nodes, arrays | biases, ("n", 16, 3) if last else ("n", 3, 16))))
        told.append([(type(layer), layer.shape) for layer in graph.layers[1:]])
    assert told[0] == told[1]


def test_a_hybrid_of_images_with_channels_last_and_one_that_was_saved(tmp_path: Path) -> None:
    images = np.random.default_rng(1).random((8, 3, 8, 8)).astype(np.float32)
    answers = []
    for layout, shown in (("first", images), ("front", images.transpose(0, 2, 3, 1))):
        snn = biosnn.convert(saved(tmp_path, written(BLOCKS[:1], layout, 3)), shown)
        save(snn, tmp_path / "snn.npz")
        again = load(tmp_path / "snn.npz")
        some = to_hybrid(again, "first 1")
        answers.append([again.run(shown[:2], T=4, target="numpy").potentials])
        answers[-1].append(some.run(shown[:2], T=4, target="numpy").outputs)
    for first, last in zip(*answers, strict=True):
        np.testing.assert_allclose(first, last, rtol=1e-4, atol=1e-5)
