"""Part 1 of the study `vanishing`, random networks: what it reports, and what its claims let pass."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import biosnn
from biosnn.study.load import load_study

STUDY = load_study("vanishing")
CLAIMS = {claim.name: claim for claim in STUDY.claims}

FEW = {
    "parts": "random",
    "random.layers": "4",
    "random.width": "20",
    "random.steps": "8",
    "random.inputs": "12",
    "random.seeds": "2",
    "random.thresholds": "1,2",
}


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return biosnn.run_study("vanishing", FEW, target="numpy", out=tmp_path_factory.mktemp("study") / "out")


@pytest.mark.slow
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
    assert {"hard reset loses more", "spikes are not information"} <= set(result.not_applicable)
    figures = {path.name for path in (result.folder / "figures").iterdir()}
    assert {"random-rates.png", "random-map.png", "random-depth.png", "random-told.png"} <= figures


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
            assert claim.minimum_activity(made()), claim.name
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
    assert not any(CLAIMS[name].minimum_activity(silent) for name in MADE_FALSE)
    nothing_dies = altered("measured depth", slice(None), np.inf)
    assert not CLAIMS["hard reset loses more"].minimum_activity(nothing_dies)
    assert not CLAIMS["theory knows the depth"].minimum_activity(altered("predicted depth", slice(None), np.inf))
