"""Studies of learning by timing and reward, small: what they find, the controls that fail, and claims that can fail."""

from __future__ import annotations

import runpy
from typing import Any

import numpy as np
import pytest
from brian2 import Hz, mV, second

from biosnn.catalogue import study_folder
from biosnn.run import run_study
from biosnn.study import Result, load_study


def claims(name: str) -> dict[str, Any]:
    return {claim.name: claim for claim in load_study(name).claims}


def run(name: str, settings: dict[str, str], folder: Any, target: str = "numpy") -> Any:
    return run_study(name, settings, target=target, seed=1, out=folder / "out", draw=False)


# ---- Florian 2007 ------------------------------------------------------------------------------------------------

XOR = {"rules": "mstdpet", "networks": "1", "controls": "1", "after": "2"}


@pytest.mark.slow
@pytest.mark.cpp
def test_a_network_learns_the_exclusive_or_from_reward_and_not_from_chance(tmp_path):
    result = run("florian_2007", {**XOR, "epochs": "60"}, tmp_path, "cpp")
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


# ---- Masquelier 2008 ---------------------------------------------------------------------------------------------


def test_the_pattern_repeats_in_its_inputs_and_rates_say_nothing():
    make_inputs = runpy.run_path(str(study_folder("masquelier_2008") / "inputs.py"))["make_inputs"]
    one = make_inputs([1], 200, 10.0, 0.25, 0.0)
    assert len(one.onsets) == 50
    assert np.diff(one.onsets).min() > 0.099, "never two on end"
    rates = np.bincount(one.neurons, minlength=200) / 10
    assert rates[:100].mean() == pytest.approx(rates[100:].mean(), rel=0.05)
    assert 55 < rates.mean() < 75

    def spikes(onset: float, input_number: int) -> set[int]:
        begin = round(onset * 10000)
        here = (one.neurons == input_number) & (one.steps >= begin) & (one.steps < begin + 500)
        return set((one.steps[here] - begin).tolist())

    for number in (0, 50, 99):
        first, second_one, last = (spikes(onset, number) for onset in one.onsets[[0, 1, -1]])
        common = first & second_one & last
        assert len(common) >= 0.5 * len(first), "but for the noise"
    assert not spikes(one.onsets[0], 150) & spikes(one.onsets[1], 150) & spikes(one.onsets[-1], 150)


def test_the_claims_about_the_pattern_can_fail():
    about = claims("masquelier_2008")
    good = {"reduced: successful seeds": 1.0, "nearest: successful seeds": 0.0, "all: successful seeds": 0.0}
    arrays = {
        "reduced: weights": np.array([1, 0, 0.9, 0.1, 0, 0]),
        "pattern inputs": np.array([3]),
        "first spikes": np.array([0.01]) * second,
    }
    result = Result(good, arrays)
    assert all(claim.holds(result) and claim.minimum_activity(result) for claim in about.values())
    wrong = {"reduced: successful seeds": 0.8, "nearest: successful seeds": 0.2, "all: successful seeds": 0.0}
    strong_elsewhere = {
        **arrays,
        "reduced: weights": np.array([1, 0, 0, 1, 1, 0]),
        "first spikes": np.array([]) * second,
    }
    bad = Result(wrong, strong_elsewhere)
    assert not any(claim.holds(bad) or claim.minimum_activity(bad) for claim in about.values())


@pytest.mark.cpp
@pytest.mark.slow
def test_a_neuron_finds_the_pattern_where_neighbours_pair_and_falls_silent_where_all_spikes_do(tmp_path):
    result = run_study("masquelier_2008", {"seeds": "2"}, target="cpp", seed=1, out=tmp_path / "out")
    assert result.verdict == "pass"
    assert result.values["reduced: latency, mean"] < 0.010 * second
    assert result.values["all: hit rate, mean"] == result.values["nearest: hit rate, mean"] == 0


# ---- Izhikevich 2007 ---------------------------------------------------------------------------------------------


@pytest.mark.cpp
@pytest.mark.slow
def test_a_reward_follows_the_chosen_pair_within_three_seconds_and_strengthens_it(tmp_path):
    settings = {"duration": "120 s", "seeds": "1", "dopamine": "20", "chance": "0.2 Hz"}
    result = run("izhikevich_2007", settings, tmp_path, "cpp")
    rewards = np.asarray(result.arrays["reward times"] / second)
    assert len(rewards) >= 2
    assert rewards.min() > 1, "none comes earlier than a second after the first pair"
    assert result.values["control: rewards"] == pytest.approx(24, abs=15)
    assert 0.5 * Hz < result.values["excitatory rate"] < 10 * Hz
    assert result.arrays["chosen"][0, 0] == 0 * mV
    assert np.ptp(result.arrays["chosen"]) > 0.01 * mV


def test_the_claims_about_the_distal_reward_can_fail():
    about = claims("izhikevich_2007")
    good = {
        "highest chosen weight, least": 4.0 * mV,
        "chosen weight in the last third, least": 3.5 * mV,
        "chosen weight at the end, least": 3.9 * mV,
        "share of weaker synapses, least": 0.999,
        "mean weight of the others": 0.4 * mV,
        "control: highest chosen weight": 1.4 * mV,
        "control: rewards": 180,
        "rewards, fewest": 200,
        "excitatory rate": 1.4 * Hz,
    }
    assert all(claim.holds(Result(good, {})) and claim.minimum_activity(Result(good, {})) for claim in about.values())
    wrong = {
        **good,
        "highest chosen weight, least": 3.0 * mV,
        "chosen weight at the end, least": 3.0 * mV,
        "mean weight of the others": 1.5 * mV,
        "control: highest chosen weight": 3.9 * mV,
        "rewards, fewest": 1,
    }
    silent = Result(wrong, {})
    assert not any(claim.holds(silent) or claim.minimum_activity(silent) for claim in about.values())
    assert not about["chosen synapses win"].holds(Result({**good, "share of weaker synapses, least": 0.9}, {}))


@pytest.mark.cpp
@pytest.mark.slow
def test_chosen_synapses_rise_to_the_bound_and_rewards_at_random_raise_none(tmp_path):
    result = run_study("izhikevich_2007", target="cpp", out=tmp_path / "out")
    assert [claim.name for claim in result.claims if claim.verdict != "pass"] == ["chosen synapses win"]
    assert result.values["highest chosen weight, least"] > 3.6 * mV
