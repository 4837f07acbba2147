"""Converted networks as networks of NIR: the same potentials, step by step, from files that were written and read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import second
from conversion_networks import chain, pooled, residual

import biosnn
from biosnn.ann import Graph
from biosnn.conversion import convert
from biosnn.conversion.to_nir import export, to_nir
from biosnn.errors import ConversionError
from biosnn.nir import read_nir, run_nir


def images_of(graph: Graph, n: int = 3) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(n, *graph.input.shape)).astype(np.float32)


@pytest.mark.parametrize("neuron", ["if_soft", "if_hard"])
@pytest.mark.parametrize("make", [residual, lambda: chain(5, 6, 4, 3)])
def test_a_converted_network_is_the_same_in_nir(tmp_path: Path, make: Any, neuron: str) -> None:
    graph, steps = make(), 12
    images = images_of(graph)
    snn = convert(graph, images, neuron=neuron)
    expected = snn.run(images, steps, target="numpy", precision="float64").potentials
    export(snn, tmp_path / "network.nir")
    shown = np.repeat(images[:, None], steps, axis=1)
    with biosnn.session("numpy", dt=1 * second) as sim:
        found = run_nir(sim, read_nir(tmp_path / "network.nir"), shown)
    np.testing.assert_allclose(found.output, expected, atol=1e-4)
    assert np.ptp(expected) > 1


@pytest.mark.parametrize(
    ("make", "options", "message"),
    [
        (pooled, {}, r"Layer 'r1': expected no max pooling"),
        (residual, {"neuron": "lif_soft"}, "neuron: expected 'if_soft' or 'if_hard' .*'lif_soft'"),
        (residual, {"input": "poisson"}, r"input: expected 'analog' \(got 'poisson'\)"),
        (residual, {"output": "counts"}, r"output: expected 'potential'"),
        (lambda: chain(4, 5, 3), {"code": "first spike"}, r"code: expected 'rate'"),
    ],
)
def test_what_nir_cannot_say_is_refused(make: Any, options: dict[str, Any], message: str) -> None:
    graph = make()
    with pytest.raises(ConversionError, match=message):
        to_nir(convert(graph, images_of(graph), **options))
