"""The study of exact gradients on points and images."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import biosnn
from biosnn.study import load_study

SMALL = {"training": 600, "test": 200, "hidden": 30, "epochs": 4, "control_epochs": 1, "dt": "0.5 ms"}


@pytest.mark.cpp
def test_points_are_learned_and_the_controls_are_not(tmp_path: Path) -> None:
    result = biosnn.run_study("eventprop", SMALL, target="cpp", out=tmp_path / "out")
    assert not result.figure_error
    assert result.verdict == "pass"
    assert {path.stem for path in (tmp_path / "out/figures").glob("*.png")} == {"training", "answers", "weights"}
    assert result.values["accuracy"] > 0.5 > result.values["accuracy, labels in random order"]
    # Each test point is counted once, at its class.
    assert result.arrays["confusion"].sum() == 200
    assert np.trace(result.arrays["confusion"]) / 200 == pytest.approx(result.values["accuracy"])
    assert set(result.not_applicable) == {"accuracy", "accuracy, hidden layer not trained"}


def judged(**changed: float) -> dict[str, bool]:
    """What each claim says of a result with these values."""
    values = {
        "spikes of hidden neurons per example": 20.0,
        "accuracy, hidden layer not trained": 0.85,
        "accuracy, labels in random order": 0.35,
    }
    result = SimpleNamespace(
        values=values | {name: value for name, value in changed.items() if name in values},
        arrays={"accuracies": np.array([changed.get("trained", 0.98)]), "chance": np.array(1 / 3)},
    )
    return {claim.name: claim.holds(result) for claim in load_study("eventprop").claims}


def test_claims_fail_where_training_adds_nothing_or_labels_do_not_matter() -> None:
    assert judged() == {"training": True, "labels": True}
    assert not judged(trained=0.9)["training"]
    assert not judged(**{"accuracy, labels in random order": 0.5})["labels"]
