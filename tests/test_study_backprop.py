"""The study of three ways of training: what its parts report, and what its claims let pass."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import biosnn
from biosnn.study import load_study

CLAIMS = {claim.name: claim for claim in load_study("backprop").claims}
DEEP = {"parts": "depth", "depths": "2", "width": 6, "deep_epochs": 1, "deep_points": 60, "training": 100, "test": 50}
CHECKED = {"parts": "check", "check_networks": 2, "check_differences": 1, "check_steps": "0.5 ms,0.1 ms"}
WAYS = {
    "parts": "ways",
    "hidden": 20,
    "epochs": 2,
    "training": 400,
    "test": 100,
    "ann_epochs": 10,
    "ann_starts": 1,
    "cells": 20,
    "presentations": 200,
    "control_epochs": 1,
}


@pytest.mark.cpp
def test_a_gradient_is_checked_against_finer_steps_and_differences(tmp_path: Path) -> None:
    result = biosnn.run_study("backprop", CHECKED, target="cpp", out=tmp_path / "out")
    assert not result.figure_error
    cosines = result.arrays["check hidden cosines"]
    assert cosines.shape == (2, 2)
    assert np.median(cosines[:, 1]) > 0.98
    exact, differences = (result.arrays[f"check output {name}"] for name in ("exact", "differences"))
    assert exact.shape == (30,)
    np.testing.assert_allclose(exact, differences, atol=0.02 * np.abs(exact).max())
    assert result.values["check hidden spikes"] > 10
    assert "depth spikes vanish" in result.not_applicable


def test_deep_networks_are_followed_while_they_are_trained(tmp_path: Path) -> None:
    result = biosnn.run_study("backprop", DEEP, target="numpy", out=tmp_path / "out")
    assert not result.figure_error
    assert {path.name for path in (tmp_path / "out/figures").glob("*.png")} == {"depth.png"}
    rates = {name: result.arrays[f"depth rates 2, {name}"] for name in result.arrays["depth conditions"]}
    assert {x.shape for x in rates.values()} == {(3, 2)}
    before = [x[0] for x in rates.values()]
    np.testing.assert_array_equal(before[0], before[1])
    assert result.tables["Deep networks"].rows[2][1] == "activity range"


@pytest.mark.cpp
def test_a_converted_network_is_trained_further(tmp_path: Path) -> None:
    """With one time step, where hardly anything is left of it; on images that it has not learned from."""
    settings = {"parts": "tuning", "tuning_steps": "1", "tuning_epochs": 1}
    result = biosnn.run_study("backprop", settings, target="cpp", out=tmp_path / "out")
    assert not result.figure_error
    assert result.verdict == "pass"
    (alone,), (tuned,) = result.arrays["tuning accuracy"]
    assert tuned > alone + 0.1 > 0.7
    assert result.values["tuning accuracy, shuffled labels"] < 0.3


@pytest.mark.slow
@pytest.mark.cpp
def test_all_ways_do_the_same_task(tmp_path: Path) -> None:
    result = biosnn.run_study("backprop", WAYS, target="cpp", out=tmp_path / "out")
    assert not result.figure_error
    assert list(result.arrays["ways names"]) == ["exact", "surrogate", "conversion", "local"]
    for name, decided in zip(result.arrays["ways names"], result.arrays["ways decided"], strict=True):
        accuracy = result.values[f"ways accuracy of {name}"]
        assert accuracy == np.mean(decided == result.arrays["ways labels"])
        # The accuracy so far ends at that of the whole answer.
        assert result.arrays[f"ways accuracy by time of {name}"][-1] == pytest.approx(accuracy)
        assert result.values[f"ways energy per point of {name}"] > 0
    # Five input spikes reach every hidden neuron, and each of theirs three output neurons.
    spikes = result.values["ways spikes per point of surrogate"]
    assert result.values["ways operations per point of surrogate"] == pytest.approx(5 * 20 + 3 * spikes)


@pytest.mark.slow
@pytest.mark.cpp
def test_what_is_claimed_holds_with_the_default_settings(tmp_path: Path) -> None:
    result = biosnn.run_study("backprop", {}, target="cpp", out=tmp_path / "out")
    assert not result.figure_error
    assert result.verdict == "pass"


# ---- claims --------------------------------------------------------------------------------------------------------


def made(**changed: float) -> SimpleNamespace:
    """A result as it should be."""
    values: dict[str, Any] = {
        f"ways spikes per point of {x}": 10 for x in ("exact", "surrogate", "conversion", "local")
    }
    values |= {
        "ways accuracy of exact": 0.95,
        "ways accuracy of surrogate": 0.9,
        "ways accuracy of conversion": 0.96,
        "ways accuracy of the ordinary network": 0.97,
        "ways accuracy, frozen hidden layer": 0.8,
        "ways accuracy, shuffled labels": 0.33,
        "ways accuracy, sign turned": 0.33,
    }
    return SimpleNamespace(values=values | changed, arrays={})


WRONG = [
    ("gradients learn what no linear network can", "ways accuracy of surrogate", 0.78),
    ("the hidden layer has to be trained", "ways accuracy, frozen hidden layer", 0.89),
    ("the hidden layer has to be trained", "ways accuracy of exact", 0.79),
    ("nothing is learned of shuffled labels", "ways accuracy, shuffled labels", 0.5),
    ("the sign of the gradient matters", "ways accuracy, sign turned", 0.5),
    ("conversion keeps what was learned", "ways accuracy of conversion", 0.94),
]


@pytest.mark.parametrize(("claim", "name", "wrong"), WRONG)
def test_a_claim_holds_where_it_should_and_only_there(claim: str, name: str, wrong: float) -> None:
    assert CLAIMS[claim].holds(made())
    assert CLAIMS[claim].minimum_activity(made())
    assert not CLAIMS[claim].holds(made(**{name: wrong}))
    assert not CLAIMS[claim].minimum_activity(made(**{"ways spikes per point of local": 1}))


def test_claims_on_depth() -> None:
    def result(last_before: float, last_after: float) -> SimpleNamespace:
        rates = np.array([[1.0, last_before], [1.0, last_after]])
        silent = int(np.sum(rates[-1] < 0.01))
        values = {
            "depth 2, activity range, silent layers after": silent,
            "depth 2, activity range, last layer after": last_after,
        }
        return SimpleNamespace(values=values, arrays={"depth layers": [2], "depth rates 2, activity range": rates})

    vanish, back = CLAIMS["depth spikes vanish"], CLAIMS["depth a range of activity brings spikes back"]
    assert vanish.holds(result(0, 1))
    assert back.holds(result(0, 1))
    assert not vanish.holds(result(0.2, 1))
    assert not back.holds(result(0, 0.05))
