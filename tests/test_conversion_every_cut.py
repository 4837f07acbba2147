"""Every cut of a network from two programs: the shortcuts give what hybrids themselves do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from conversion_networks import chain, pooled, residual

from biosnn.ann import reference
from biosnn.conversion import convert, decisions, to_hybrid
from biosnn.conversion.hybrid.clamped import last_layers
from biosnn.conversion.hybrid.cutting import relus
from biosnn.conversion.hybrid.every_cut import first_layers, outcome_of, thinned, try_cuts
from biosnn.conversion.hybrid.network import marks_to
from biosnn.conversion.running import RunSettings
from biosnn.engine import session
from biosnn.errors import ConversionError


@pytest.mark.parametrize("make", [residual, pooled])
def test_one_run_of_the_whole_and_clamped_layers_give_what_hybrids_do(make: Any) -> None:
    graph = make()
    images = np.random.default_rng(0).random((6, *graph.input.shape)).astype(np.float32)
    whole = convert(graph, images, method="max")
    labels = decisions(reference(graph).outputs(images))
    layers = len(relus(whole.graph))
    how = RunSettings(8, True, None, "float64", None, None, (1, 3, 8))
    first = [to_hybrid(whole, f"first {k}") for k in range(1, layers + 1)]
    last = [to_hybrid(whole, f"last {k}") for k in range(1, layers)]
    with session("numpy") as sim:
        begun = first_layers(sim, whole, first, images, labels, how)
        ended = last_layers(sim, whole, last, images, replace(how, each=False))
        tried = (first[layers // 2], last[-1])
        own = [net.run(images, 8, marks=(1, 3), sim=sim, precision="float64") for net in tried]
    outcomes = (begun.outcomes[layers // 2], outcome_of(last[-1], *ended[-1], labels, own[0].marks))
    for found, meant in zip(outcomes, own, strict=True):
        np.testing.assert_allclose(found.outputs, meant.outputs, rtol=1e-4, atol=1e-5)
        assert found.spikes_an_image == pytest.approx(meant.spikes_an_image)
        assert found.at(3).spikes_an_image == pytest.approx(meant.at(3).spikes_an_image)
        assert set(found.counts) == set(meant.counts)


def test_all_cuts_are_tried_with_the_first_and_with_the_last_layers_spiking() -> None:
    graph = residual()
    images = np.random.default_rng(0).random((6, *graph.input.shape)).astype(np.float32)
    whole, layers = convert(graph, images, method="max"), len(relus(graph))
    labels = decisions(reference(graph).outputs(images))
    with session("numpy") as sim:
        found = try_cuts(whole, images, labels, 4, sim=sim, marks=(2, 4))
        own = to_hybrid(whole, "last 1").run(images, 4, marks=(2, 4), labels=labels, sim=sim)
    names = [f"{side} {k}" for side in ("first", "last") for k in range(1, layers)]
    assert [cut.name for cut in found.cuts] == [*names, "all"]
    np.testing.assert_allclose(found.cuts[layers - 1].outcome.outputs, own.outputs, rtol=1e-4, atol=1e-5)
    assert found.errors.shape == (layers, 2)
    assert (found.rates > 0).all()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"code": "first spike"}, "the code 'rate', the input 'analog' and the output 'potential'"),
        ({"input": "poisson"}, "the input 'analog'"),
        ({}, "a network of two ReLU layers or more"),
    ],
)
def test_networks_that_cannot_be_cut_are_refused(given: dict[str, Any], message: str) -> None:
    graph = chain(4, 5, 3)
    images = np.random.default_rng(0).random((3, 4)).astype(np.float32)
    whole = convert(graph, images, **given)
    with session("numpy") as sim, pytest.raises(ConversionError, match=message):
        try_cuts(whole, images, [0, 1, 2], 4, sim=sim)


def test_marks_and_cuts() -> None:
    assert marks_to(16, 1) == (1, 2, 4, 8, 16)
    assert marks_to(12, 4) == (1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12)
    assert thinned(5, 0) == thinned(5, 9) == [1, 2, 3, 4]
    assert thinned(20, 3) == [1, 10, 19]
    assert thinned(20, 1) == [1]
