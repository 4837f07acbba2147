"""Studies of learning by timing and reward, small: what they find, the controls that fail, and claims that can fail."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from brian2 import Hz

from biosnn.run import run_study
from biosnn.study import Result, load_study


def claims(name: str) -> dict[str, Any]:
    return {claim.name: claim for claim in load_study(name).claims}


def run(name: str, settings: dict[str, str], folder: Any, target: str = "numpy") -> Any:
    return run_study(name, settings, target=target, seed=1, out=folder / "out", draw=False)


# ---- Florian 2007 ------------------------------------------------------------------------------------------------

XOR = {"rules": "mstdpet", "networks": "1", "controls": "1", "after": "2"}


@pytest.mark.cpp
def test_a_network_learns_the_exclusive_or_from_reward_and_not_from_chance(tmp_path):
    result = run("florian_2007", {**XOR, "epochs": "100"}, tmp_path, "cpp")
    assert result.values["mstdpet: networks that learn"] == 1
    assert result.values["mstdpet: rate at 11"] < 0.7 * result.values["mstdpet: rate at 01"]
    assert result.values["mstdpet control: told apart without reward"] < 0.5
    first = result.arrays["mstdpet: rates"][0]
    assert first[0] == 0 * Hz
    assert np.all(first[1:] > 1 * Hz)


def test_without_reward_a_network_stays_as_it_is(tmp_path):
    result = run("florian_2007", {**XOR, "controls": "0", "epochs": "2", "after": "1", "reward": "0"}, tmp_path)
    assert "mstdpet: control, reward by chance" in result.not_applicable
    assert "mstdp: learns" in result.not_applicable
    assert result.values["mstdpet: rate at 11"] > result.values["mstdpet: rate at 01"]
    assert {claim.name: claim.verdict for claim in result.claims}["mstdpet: learns"] == "fail"


def test_the_claims_about_the_exclusive_or_can_fail():
    about = {name: claim for name, claim in claims("florian_2007").items() if name.startswith("mstdpet")}
    good = {
        "mstdpet: networks that learn": 0.95,
        "mstdpet: told apart without reward": 0.97,
        "mstdpet control: told apart without reward": 0.1,
    }
    fires = {"mstdpet: rates": np.array([[0, 50, 50, 80]]) * Hz}
    result = Result(good, fires)
    assert all(claim.holds(result) and claim.minimum_activity(result) for claim in about.values())
    wrong = Result(dict.fromkeys(good, 0.5), {"mstdpet: rates": np.zeros((1, 4)) * Hz})
    assert not any(claim.holds(wrong) or claim.minimum_activity(wrong) for claim in about.values())


@pytest.mark.cpp
@pytest.mark.slow
def test_all_networks_learn_but_without_a_trace_they_keep_nothing(tmp_path):
    result = run_study("florian_2007", target="cpp", out=tmp_path / "out")
    failed = [claim.name for claim in result.claims if claim.verdict != "pass"]
    assert failed == ["mstdp: keeps"]
    assert result.values["mstdpet: networks that learn"] >= 0.95
    assert result.values["mstdp: networks that learn"] >= 0.95
