"""Part 1 of the study `vanishing`, random networks: against a dense simulation, and what its claims let pass."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import biosnn
from biosnn.study.load import load_study

STUDY = load_study("vanishing")
CLAIMS = {claim.name: claim for claim in STUDY.claims}
HERE = next(claim for claim in STUDY.claims if claim.name == "theory knows the depth").holds.__module__
part = sys.modules[f"{HERE.rpartition('.')[0]}.random"]

FEW = {"random_layers": 4, "random_width": 20, "random_steps": 8, "random_inputs": 12, "random_seeds": 2}
SETTINGS = part.RandomSettings(**FEW, random_thresholds=(1.0, 2.0))


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Any:
    given = {**{name: str(value) for name, value in FEW.items()}, "random_thresholds": "1,2", "parts": "random"}
    return biosnn.run_study("vanishing", given, target="numpy", out=tmp_path_factory.mktemp("study") / "out")


def test_what_it_measures(result: Any) -> None:
    arrays = {name.removeprefix("random "): found for name, found in result.arrays.items() if "random" in name}
    assert list(arrays["kinds"]) == ["binary", "hard", "soft", "leak"]
    assert list(arrays["gains"]) == ["He", "critical"]
    for name in ("rate", "silent", "reached", "survival", "latency"):
        assert arrays[name].shape == (4, 2, 2, 4)
    for name in ("rate", "silent", "reached", "decoded"):
        assert ((arrays[name] >= 0) & (arrays[name] <= 1)).all()
    assert arrays["decoded"].shape == arrays["information"].shape == (4, 2, 2, len(arrays["decoded at"]))
    assert arrays["information"].max() <= 2
    assert arrays["scan"].shape == (4, 2, 2, 4)
    # A threshold of 1 at the weights of He is the same network in every part, with fewer inputs.
    np.testing.assert_array_equal(arrays["scan"][:2, 0], arrays["narrow"][:, -1])
    assert np.abs(arrays["scan"][:, 0] - arrays["rate"][:, 0]).max() < 0.1
    assert (arrays["rate"][:, :, :, 0] > 0.02).all()
    assert result.values["random threshold and weights"] == 0
    assert {"hard reset loses more", "spikes are not information"} <= set(result.left_out)
    figures = {path.name for path in (result.folder / "figures").iterdir()}
    assert {"random-rates.png", "random-map.png", "random-depth.png", "random-told.png"} <= figures


@pytest.fixture(scope="module")
def answers() -> Any:
    """What networks answer, by their case."""
    known = part.kinds(5.0)
    cases = {part.Case(kind, 4.0, 0.9, 20, 1, 3) for kind in known} | {part.Case("hard", 4.0, 1.0, 9, 0, 3)}
    with biosnn.session("numpy", seed=3) as sim:
        return part._simulate(SETTINGS, sim, known, cases)


def dense(case: Any) -> Any:
    """Spike counts and first steps of the same network, by the equations of biosnn.theory.mean_field's docstring."""
    bench = SimpleNamespace(settings=SETTINGS, sim=SimpleNamespace(seed=3), steps=8, window=13, width=20, layers=4)
    bench.inputs = SimpleNamespace(spikes=lambda *_: {})
    bench._shown = lambda case: part._Bench._shown(bench, case)
    point = part._Bench._point(bench, case, part.kinds(5.0))
    (at, neuron), labels = bench._shown(case)
    kind, width = part.kinds(5.0)[case.kind], case.width
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
    known = part.kinds(10.0)
    assert [kind.decay for kind in known.values()] == pytest.approx([0, 1, 1, np.exp(-0.1)])
    assert {kind.model for kind in known.values()} == {"if_hard", "lif_soft"}
    binary = part.predict(SETTINGS, known["binary"], 2.0, 1.0)
    assert binary[:2] == pytest.approx([0.1587, 0.0379], abs=1e-4)


def test_inputs_have_the_rates_that_theory_takes() -> None:
    bench = SimpleNamespace(settings=SETTINGS, sim=SimpleNamespace(seed=3), steps=400, window=405)
    (_, neuron), labels = part._Bench._shown(bench, part.Case("soft", 2.0, 1.0, 20, 0, 4))
    assert sorted(labels) == [0, 1, 2, 3]
    assert len(neuron) / (4 * 400 * 20) == pytest.approx(part.P0, abs=0.02)
    assert pytest.approx(0.3125) == part.SQUARED


# ---- claims --------------------------------------------------------------------------------------------------------


def made(**changed: Any) -> SimpleNamespace:
    """A result as it should be; fractions of the rates of theory."""
    layers = np.arange(1, 51)
    theory = np.full((4, 2, 50), 0.3)
    theory[:, 0] = 0.3 * 0.7 ** (layers - 1)
    arrays = {
        "rate": np.repeat(theory[:, :, None], 3, axis=2),
        "theory": theory,
        "decoded at": np.array([1, 20, 50]),
        "decoded": np.array([[[[1, 0.9, 0.2]] * 3, [[1, 0.3, 0.2]] * 3]] * 4),
        "measured depth": np.array(
            [[[3.0] * 3, [1.0] * 3], [[8.0] * 3, [4.0] * 3], [[20.0] * 3, [4.0] * 3], [[9.0] * 3, [3.0] * 3]]
        ),
        "predicted depth": np.array([[3.0, 1.0], [9.0, 4.0], [22.0, 4.0], [9.0, 3.0]]),
    }
    arrays["rate"][0, 0, :, 3:] = arrays["theory"][0, 0, 3:] = 0
    arrays["rate"][2, 0, :, 19] = 0.1
    values = {
        "random median error of depth": 0.05,
        "random largest error of depth": 0.3,
        "random threshold and weights": 0.0,
    }
    values |= {name: value for name, value in changed.items() if name in values}
    arrays |= {name: value for name, value in changed.items() if name in arrays}
    return SimpleNamespace(values=values, arrays={f"random {name}": array for name, array in arrays.items()})


def altered(name: str, place: Any, value: Any) -> SimpleNamespace:
    found = made()
    found.arrays[f"random {name}"][place] = value
    return found


def test_claims_hold_where_they_should() -> None:
    for claim in CLAIMS.values():
        if claim.name in MADE_FALSE:
            assert claim.active(made()), claim.name
            assert claim.holds(made()), claim.name


MADE_FALSE: dict[str, list[Any]] = {
    "binary neurons follow the recursion": [
        lambda: altered("rate", (0, 1, slice(None), 2), 0.4),
        lambda: altered("rate", (0, 0, 0, 4), 0.02),
    ],
    "a threshold is a scale": [lambda: made(**{"random threshold and weights": 1e-3})],
    "hard reset loses more": [
        lambda: altered("measured depth", (1, 0, 2), 21.0),
        lambda: altered("measured depth", 1, made().arrays["random measured depth"][2]),
    ],
    "the critical gain keeps rates": [lambda: altered("rate", (3, 1, 1, slice(-10, None)), 0.14)],
    "theory knows the depth": [
        lambda: made(**{"random median error of depth": 0.2}),
        lambda: made(**{"random largest error of depth": 0.6}),
    ],
    "spikes are not information": [
        lambda: altered("decoded", (2, 0, slice(None), 1), 0.35),
        lambda: altered("rate", (2, 0, slice(None), 19), 0.4),
    ],
}


@pytest.mark.parametrize(("name", "number"), [(name, n) for name, all_ in MADE_FALSE.items() for n in range(len(all_))])
def test_claims_fail_where_they_should(name: str, number: int) -> None:
    assert not CLAIMS[name].holds(MADE_FALSE[name][number]())


def test_silence_passes_nothing() -> None:
    silent = made()
    silent.arrays["random rate"][:] = 0
    assert not any(CLAIMS[name].active(silent) for name in MADE_FALSE)
    nothing_dies = altered("measured depth", slice(None), np.inf)
    assert not CLAIMS["hard reset loses more"].active(nothing_dies)
    assert not CLAIMS["theory knows the depth"].active(altered("predicted depth", slice(None), np.inf))
