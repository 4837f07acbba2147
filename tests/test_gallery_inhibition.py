"""The study vogels_2011, small: a cell and a network slow down by learning, not without, and claims can fail."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from brian2 import Hz

from biosnn.run import run_study
from biosnn.study import Result, load_study

CLAIMS = {claim.name: claim for claim in load_study("vogels_2011").claims}
NETWORK = {"parts": "network", "size": "0.05", "network_duration": "0.3 s", "seeds": "1"}
CELL = {"parts": "cell", "targets": "5 Hz", "cell_duration": "0.5 s", "seeds": "1"}


def run(settings: dict[str, str], folder: Any) -> Any:
    return run_study("vogels_2011", settings, target="numpy", seed=1, out=folder / "out", draw=False)


def test_a_small_network_slows_down_by_learning_alone(tmp_path):
    result = run({**NETWORK, "learning": "10"}, tmp_path)
    rates = np.asarray(result.arrays["network rates"] / Hz)
    assert rates[0] > 50 > 30 > rates[-1] > 0
    assert result.values["network rate without learning"] > 100 * Hz, "the control"
    assert CLAIMS["network control: no learning"].holds(result)


def test_without_learning_the_claims_about_the_network_fail(tmp_path):
    result = run({**NETWORK, "network_duration": "0.1 s", "learning": "0"}, tmp_path)
    verdicts = {claim.name: claim.verdict for claim in result.claims}
    assert verdicts["network slow"] == verdicts["network irregular"] == "fail"
    assert verdicts["network control: no learning"] == "pass"


def test_a_cell_comes_down_to_its_target_and_its_control_does_not(tmp_path):
    result = run({**CELL, "learning": "100"}, tmp_path)
    assert 1 * Hz < result.values["cell rate, target 5 Hz"] < 15 * Hz
    assert result.values["cell rate, without learning"] > 40 * Hz
    assert result.values["cell tuning correlation, without learning"] == 0
    assert "cell rate, target 3 Hz" in result.not_applicable
    assert CLAIMS["cell control: no learning"].holds(result)


def test_the_claims_can_fail():
    values = {
        "cell rate, target 3 Hz": 3.2 * Hz,
        "cell rate, without learning": 56 * Hz,
        "cell tuning correlation, fluctuating inputs": 0.99,
        "cell tuning correlation, without learning": 0.0,
        "network rate at first": 140 * Hz,
        "network rate, last 3 s": 7.5 * Hz,
        "network CV, last 3 s": 0.9,
        "network correlation, last 3 s": 0.003,
        "network rate without learning": 160 * Hz,
    }
    good = Result(values, {"cell targets": np.array([3.0]) * Hz})
    assert all(claim.holds(good) and claim.minimum_activity(good) for claim in CLAIMS.values())
    wrong = {
        "cell rate, target 3 Hz": 3.4 * Hz,
        "cell rate, without learning": 9 * Hz,
        "cell tuning correlation, fluctuating inputs": 0.5,
        "network rate, last 3 s": 0.5 * Hz,
        "network CV, last 3 s": 0.2,
        "network rate without learning": 20 * Hz,
        "network rate at first": 4 * Hz,
    }
    bad = Result({**values, **wrong}, good.arrays)
    assert not any(claim.holds(bad) or claim.minimum_activity(bad) for claim in CLAIMS.values())


@pytest.mark.cpp
@pytest.mark.slow
def test_the_whole_study_holds(tmp_path):
    result = run_study("vogels_2011", target="cpp", out=tmp_path / "out")
    assert result.verdict == "pass"
    assert {path.stem for path in (result.folder / "figures").glob("*.png")} == {"cell", "network"}
