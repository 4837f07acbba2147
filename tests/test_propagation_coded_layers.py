"""Images in several codes on their way through layers of LIF neurons."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from brian2 import ms

import biosnn
from biosnn.coding import TTFS, Coding, Function, Phase
from biosnn.datasets import load
from biosnn.errors import CodingError
from biosnn.propagation import CodedLayers, coded_bench, run_depth

SMALL = CodedLayers(layers=2, width=10, images=10, duration=10 * ms)
DT = 1 * ms


def deep(codings: dict[str, Coding], **more: Any) -> Any:
    with biosnn.session("numpy", seed=1) as sim:
        return run_depth(codings, load("digits"), SMALL, sim, dt=DT, **more)


@pytest.fixture(scope="module")
def through() -> Any:
    same = {"duration": 10 * ms, "dt": 1 * ms}
    return deep({"ttfs": TTFS(**same), "phase": Phase(**same)}, seeds=2, gains=(0.1, 3.0))


def test_every_coding_makes_the_first_layer_spike_about_as_often(through: Any) -> None:
    assert through.spikes.shape == (2, 2, 3)
    assert through.spikes[:, :, 1].mean(axis=1) == pytest.approx([1, 1], rel=0.4)
    assert through.scale[1] < through.scale[0]  # more spikes, so less weight for each


def test_what_is_too_weak_does_not_pass_and_survival_is_counted_from_the_first_layer(through: Any) -> None:
    np.testing.assert_array_equal(through.ratio[:, 0], 0)
    assert (through.ratio[:, 1] > 0.5).all()
    np.testing.assert_allclose(through.survival, through.spikes / through.spikes[:, :, 1:2])


def test_layers_are_measured_within_their_limits(through: Any) -> None:
    for name in ("silent", "reached", "counts", "firsts"):
        found = getattr(through, name)
        assert ((found >= 0) & (found <= 1)).all()
    assert (through.reached[:, :, 0] == 1).all()
    assert np.nanmax(through.latency) < 0.02


def test_one_layer_is_enough_and_no_spikes_are_no_failure() -> None:
    def silence(values: Any, steps: int, _rng: Any) -> Any:
        return np.zeros((steps, *values.shape), dtype=bool)

    found = deep({"silence": Function(function=silence, duration=10 * ms, dt=1 * ms)}, seeds=1, gains=(1.0,))
    assert not found.spikes.any()
    assert (found.silent == 1).all()
    assert not found.reached.any()
    np.testing.assert_allclose(found.counts, found.chance)
    assert np.isnan(found.survival).all()
    assert np.isnan(found.latency).all()


def test_an_image_does_not_depend_on_those_before_it() -> None:
    with biosnn.session("numpy", seed=1, dt=DT) as sim:
        bench = coded_bench.Bench({"ttfs": TTFS(duration=10 * ms, dt=1 * ms)}, load("digits"), SMALL, sim, 1, DT)
        shown, weights = bench.shown[0][0], bench.weights(0, 4, 3)
        image, step = np.divmod(shown.steps, bench.window)
        backwards = (len(shown.labels) - 1 - image) * bench.window + step
        turned = coded_bench.Shown(shown.labels[::-1], backwards, shown.neurons)
        one, other = bench.run([(shown, weights), (turned, weights)])
    assert one.layers[2][0].sum() > 10
    for (counts, first), (other_counts, other_first) in zip(one.layers, other.layers, strict=True):
        np.testing.assert_array_equal(counts, other_counts[::-1])
        np.testing.assert_array_equal(first, other_first[::-1])


def test_the_least_gain_within_a_standard_error_of_the_best_is_taken() -> None:
    tried = np.array([[0.2, 0.49, 0.5], [0.1, 0.2, 0.9]])
    np.testing.assert_array_equal(coded_bench.least(tried, 100), [1, 2])


def test_a_coding_that_takes_too_long_is_refused_by_name() -> None:
    with pytest.raises(CodingError, match=r"run_depth, slow: expected a duration of at most 10. ms"):
        deep({"slow": TTFS(duration=20 * ms, dt=1 * ms)})


@pytest.mark.cpp
def test_targets_agree() -> None:
    found = []
    for target in ("numpy", "cpp"):
        with biosnn.session(target, seed=1) as sim:
            same = {"ttfs": TTFS(duration=10 * ms, dt=1 * ms)}
            found.append(run_depth(same, load("digits"), SMALL, sim, dt=DT, seeds=1, gains=(2.0,)))
    np.testing.assert_allclose(found[0].spikes, found[1].spikes)
    np.testing.assert_allclose(found[0].latency, found[1].latency)
