"""Layers that have learned: what their neurons look for in an image, and recordings that have lost spikes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from brian2 import ms

import biosnn
from biosnn.catalogue import synapse_model
from biosnn.datasets import Dataset
from biosnn.errors import BiosnnError
from biosnn.learning.layers import (
    Cells,
    Contrast,
    Convolution,
    LayerSettings,
    LayersTrained,
    Pool,
    Recording,
    Recordings,
    build_layers,
    fields,
    train_layers,
)
from biosnn.learning.network import only_learning
from biosnn.learning.responses import Responses


def test_a_cells_field_is_its_weights_projected_through_pooling_and_kernels() -> None:
    layers = LayerSettings((Convolution(2, 3), Pool(2), Cells(2)), Contrast())
    kernel, weights = np.zeros((3, 3, 2, 2)), np.zeros((3, 3, 2, 2))
    kernel[0, 0, 0, 1], kernel[2, 2, 1, 1] = 1.0, 0.5  # on-centre up left, off-centre down right, of map 1
    weights[1, 2, 1, 0] = 4.0  # cell 0 looks at the pooled map 1 in row 1, column 2: rows 2, 3 and columns 4, 5
    state = {"maps_1_synapses.w": kernel.ravel(), "cells_synapses.w": weights.ravel()}
    trained = LayersTrained(layers, state, 1, (8, 8))
    found = fields(trained, 2)
    expected = np.zeros((8, 8))
    expected[2:4, 4:6] += 1.0
    expected[4:6, 6:8] -= 0.5
    np.testing.assert_allclose(found[0], expected)
    np.testing.assert_array_equal(found[1], 0)
    maps = fields(trained, 0)
    assert maps.shape == (2, 3, 3)
    assert (maps[1, 0, 0], maps[1, 2, 2]) == (1.0, -0.5)
    with pytest.raises(BiosnnError, match="fields, layer: expected one that learns: 0, 2"):
        fields(trained, 1)


def test_fields_reach_through_strides_and_padding() -> None:
    layers = LayerSettings((Convolution(1, 3, stride=2, padding=1), Cells(2)), Contrast("intensity"))
    kernel, weights = np.zeros((3, 3, 1, 1)), np.zeros((2, 2, 1, 2))
    kernel[1, 2, 0, 0] = 1.0
    weights[0, 1, 0, 0] = 2.0  # at row 0, column 1: rows -1 to 1, columns 1 to 3 of the image
    state = {"maps_1_synapses.w": kernel.ravel(), "cells_synapses.w": weights.ravel()}
    expected = np.zeros((4, 4))
    expected[0, 3] = 2.0
    np.testing.assert_array_equal(fields(LayersTrained(layers, state, 1, (4, 4)), 1)[0], expected)


def test_maps_of_maps_learn_from_what_the_first_maps_have_answered() -> None:
    rng = np.random.default_rng(0)
    data = Dataset("noise", rng.integers(0, 255, (12, 8, 8)).astype(np.uint8), np.zeros(12, np.int64), 255, "a test")
    first, second = (Convolution(maps, 3, threshold=0.5, presentations=6) for maps in (3, 4))
    layers = LayerSettings((first, Pool(2), second, Cells(2, presentations=6)), first=6 * ms, later=4 * ms)
    recordings = Recordings()
    prints: list[str] = []

    def kept_nowhere(stage: str, fingerprints: Sequence[str]) -> None:
        prints.append(f"{stage} {fingerprints}")

    with biosnn.session("numpy", seed=1, dt=1 * ms) as sim:
        (trained,) = train_layers(sim, layers, data, [np.arange(12)], recordings=recordings, checkpoints=kept_nowhere)
        train_layers(sim, layers, data, [np.arange(12)], checkpoints=kept_nowhere)
        kept, seconds = recordings.of(sim, trained, data, trained.histories[1].image, 2)
    assert seconds == 0.0  # what the second maps have learned from is there
    assert kept.counts(trained.histories[1].image).sum() > 0
    assert trained.histories[1].responses.sum() > 0
    assert len(set(prints[:3])) == 3
    assert prints[:3] == prints[3:]  # so that a training that was stopped finds its checkpoints
    assert fields(trained, 2).shape == (4, 8, 8)  # a window of 3x3 of pooled maps sees six rows and two more
    assert fields(trained, 3).shape == (2, 8, 8)


@pytest.mark.parametrize(
    ("on_post", "pauses"),
    [
        ("w = clip(w + eta*x, 0, w_max)", True),
        ("change = eta*x; w = clip(w + change, 0, w_max)", True),
        ("w = clip(w + eta*x, 0, w_max); v_post += 1", False),
    ],
)
def test_what_only_learns_pauses_in_a_test(on_post: str, pauses: bool) -> None:
    uses = {"v_post": "1"} if "v_post" in on_post else {}
    cells = Cells(2, rule=replace(synapse_model("stdp_oja"), on_post=on_post, uses=uses))
    data = Dataset("one", np.ones((1, 2, 2), np.uint8), np.zeros(1, np.int64), 1, "a test")
    with biosnn.session("numpy", seed=1, dt=1 * ms):
        built = build_layers(data, LayerSettings((cells,)), places=1)
        pre, post = (built.plastic.pathways[side] for side in ("pre", "post"))
        assert only_learning(built.plastic) == ([post] if pauses else [])
        built.freeze()
        assert (pre.active, post.active) == (True, not pauses)
        built.pause(learning=False, input_spikes=True)
        assert (pre.active, post.active) == (True, True)


def test_a_recording_can_lose_spikes() -> None:
    row = np.repeat(np.arange(100), 50)
    spikes = Responses(100, 50, 10, row, np.zeros(5000, int), np.tile(np.arange(50), 100))
    recording = Recording(2, np.arange(100), spikes, "key")
    left = recording.without(0.3, 1)
    assert abs(len(left.spikes.row) / 5000 - 0.7) < 0.03  # three standard deviations are 0.02
    assert left.key != recording.key
    # A training that goes on compares texts of what it was given: how long that took is not in them.
    assert repr(replace(recording, seconds=5.0)) == repr(recording)
    assert len(recording.without(0.0, 1).spikes.row) == 5000
    assert len(recording.without(1.0, 1).spikes.row) == 0
    with pytest.raises(BiosnnError, match="fraction: expected from 0 to 1"):
        recording.without(1.5, 1)
