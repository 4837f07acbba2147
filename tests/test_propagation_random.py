"""Random networks: against a dense simulation of the same equations."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import biosnn
from biosnn.errors import SettingsError
from biosnn.propagation import RandomNetworks, random_networks
from biosnn.propagation.random_networks import P0, SQUARED, Case, kinds, predict

SETTINGS = RandomNetworks(layers=4, width=20, steps=8, inputs=12, seeds=2, thresholds=(1.0, 2.0))


def test_networks_that_cannot_be_are_refused() -> None:
    with pytest.raises(SettingsError, match=r"RandomNetworks\.thresholds: expected at least 0\.01 \(got 0\.0\)"):
        RandomNetworks(thresholds=(1.0, 0.0))


@pytest.fixture(scope="module")
def answers() -> Any:
    """What networks answer, by their case."""
    known = kinds(5.0)
    cases = {Case(kind, 4.0, 0.9, 20, 1, 3) for kind in known} | {Case("hard", 4.0, 1.0, 9, 0, 3)}
    with biosnn.session("numpy", seed=3) as sim:
        return random_networks._simulate(SETTINGS, sim, known, cases)


def dense(case: Any) -> Any:
    """Spike counts and first steps of the same network, by the equations of biosnn.theory.mean_field's docstring."""
    bench = SimpleNamespace(wanted=SETTINGS, sim=SimpleNamespace(seed=3), steps=8, window=13, width=20, layers=4)
    bench.inputs = SimpleNamespace(spikes=lambda *_: {})
    bench._shown = lambda case: random_networks._Bench._shown(bench, case)
    point = random_networks._Bench._point(bench, case, kinds(5.0)).values
    (at, neuron), labels = bench._shown(case)
    kind, width = kinds(5.0)[case.kind], case.width
    x = np.zeros((case.inputs, 8, 20))
    x[at // 13, at % 13, neuron] = 1
    weights = [point["first.w"].reshape(20, 20), *np.moveaxis(point["later.w"].reshape(20, 3, 20), 1, 0)]
    counts, firsts = [], []
    for w in weights:
        v, y = np.zeros((case.inputs, 20)), np.zeros_like(x)
        for step in range(8):
            v = kind.decay * v + x[:, step] @ w
            y[:, step] = v >= case.theta
            v = v - case.theta * y[:, step] if kind.reset == "soft" else np.where(y[:, step], 0, v)
        counts.append(y.sum(axis=1)[:, :width])
        firsts.append(np.where(y.any(axis=1), y.argmax(axis=1), 8)[:, :width] + 1)
        assert not y[:, :, width:].any()
        x = y
    return np.stack(counts, axis=1), np.stack(firsts, axis=1), labels


def test_networks_are_those_of_a_dense_simulation(answers: Any) -> None:
    for case, answer in answers.items():
        counts, firsts, labels = dense(case)
        assert counts[:, -1].sum() > 0, case
        np.testing.assert_array_equal(answer.counts, counts, str(case))
        np.testing.assert_array_equal(answer.firsts, firsts, str(case))
        np.testing.assert_array_equal(answer.labels, labels)


def test_the_kinds_are_the_limits_of_a_leak() -> None:
    known = kinds(10.0)
    assert [kind.decay for kind in known.values()] == pytest.approx([0, 1, 1, np.exp(-0.1)])
    assert {kind.model for kind in known.values()} == {"if_hard", "lif_soft"}
    binary = predict(SETTINGS, known["binary"], 2.0, 1.0)
    assert binary[:2] == pytest.approx([0.1587, 0.0379], abs=1e-4)


def test_inputs_have_the_rates_that_theory_takes() -> None:
    bench = SimpleNamespace(wanted=SETTINGS, sim=SimpleNamespace(seed=3), steps=400, window=405)
    (_, neuron), labels = random_networks._Bench._shown(bench, Case("soft", 2.0, 1.0, 20, 0, 4))
    assert sorted(labels) == [0, 1, 2, 3]
    assert len(neuron) / (4 * 400 * 20) == pytest.approx(P0, abs=0.02)
    assert pytest.approx(0.3125) == SQUARED
