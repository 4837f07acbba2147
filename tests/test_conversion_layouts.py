"""A network with channels last is read, and spikes, as the same network with channels first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from conversion_layouts import networks, written
from conversion_models import saved

import biosnn
from biosnn.conversion import Graph, Select, explain, read_network
from biosnn.projection import Dense, Listed


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
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
        assert not any(isinstance(joint.kind, Dense | Listed) for joint in list(snn.joints.values())[:2])
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
