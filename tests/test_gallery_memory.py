"""The study mongillo_2008 at a small size, its neuron and synapse, and what its claims let pass."""

import runpy
from typing import Any

import numpy as np
import pytest
from brian2 import Hz, Network, StateMonitor, ms, mV, pA

import biosnn
from biosnn.catalogue import study_folder
from biosnn.run import run_study
from biosnn.study import Result, load_study

NAME = "mongillo_2008"


def verdicts(result: Any) -> dict[str, str]:
    return {claim.name: claim.verdict for claim in result.claims}


def test_a_spike_releases_what_facilitation_and_resources_allow():
    """Between spikes u returns to U in 1.5 s and x to 1 in 200 ms; a spike takes the share u, raised first, off x."""
    with biosnn.session("numpy", seed=1, dt=0.1 * ms) as sim:
        cells = biosnn.neurons(2, "lif_psc_stp", values={"sigma": "0 mV", "mu": 0 * mV})
        wire = biosnn.synapses(
            *(cells[:1], cells[1:], "stp_release"),
            onto="I_syn",
            gain=10 * pA,
            connect=biosnn.FixedProbability(1.0),
            delay=1 * ms,
        )
        seen = StateMonitor(cells, "I_syn", record=[1])
        network = Network(cells, wire, seen)
        for _ in range(2):
            cells.v[0] = 25 * mV
            sim.run(network, 100 * ms)
        first = 0.19 + 0.19 * (1 - 0.19)
        u = 0.19 + (first - 0.19) * np.exp(-0.1 / 1.5)
        u += 0.19 * (1 - u)
        x = 1 - first * np.exp(-0.1 / 0.2)
        current = np.asarray(seen.I_syn[0] / pA)
        jumps = np.sort(np.diff(current))[::-1][:2]
        assert sorted(jumps) == pytest.approx(sorted([10 * first, 10 * u * x]), rel=1e-2)
        assert np.argmax(np.diff(current[:900])) == 10, "after the delay of 1 ms"


def test_a_current_moves_the_membrane_potential_by_what_it_is_for():
    numbers = runpy.run_path(str(study_folder(NAME) / "numbers.py"))
    t = np.linspace(0, 60, 600_001)
    for j, tau in ((0.45, 15.0), (0.25, 10.0)):
        rises = numbers["current"](j, tau) / 250 * (np.exp(-t / tau) - np.exp(-t / 2)) / (1 / 2 - 1 / tau)
        assert rises.max() == pytest.approx(j, rel=1e-6)
    assert numbers["populations"](8000) == [800] * 5 + [4000]
    np.testing.assert_array_equal(numbers["synapses"]([800], [800, 4000]), [[128_000, 640_000]])


@pytest.mark.slow
@pytest.mark.cpp
def test_without_facilitation_nothing_is_kept(tmp_path):
    small = {"size": "0.1", "seeds": "1"}
    control = run_study(NAME, {**small, "facilitation": "0"}, target="cpp", seed=1, out=tmp_path / "none", draw=False)
    assert {verdicts(control)[name] for name in ("silent memory", "reactivation")} == {"fail"}
    assert "regimes found" in control.not_applicable


def test_the_claims_can_fail():
    claims = {claim.name: claim for claim in load_study(NAME).claims}
    good: dict[str, Any] = {f"{name} rate before": 0.5 * Hz for name in "ABC"}
    good |= {"A readout over that of others, least": 20.0, "A rate in the delay": 0.6 * Hz}
    good |= {"B population spikes": 3.0, "B population spikes of others": 0.0, "B variation in the end": 3.0}
    good |= {"C rate in the end": 6 * Hz, "C rate of others in the end": 1 * Hz, "C variation in the end": 0.8}
    good |= {"control A readout over that of others, least": 1.0, "control B population spikes": 0.0}
    wrong: dict[str, dict[str, Any]] = {
        "silent memory": {"A rate in the delay": 5 * Hz},
        "reactivation": {"B population spikes of others": 2.0},
        "going on": {"C variation in the end": 2.0},
        "control": {"control B population spikes": 2.0},
    }
    for name, change in wrong.items():
        assert claims[name].holds(Result(good, {}))
        assert claims[name].minimum_activity(Result(good, {}))
        assert not claims[name].holds(Result({**good, **change}, {}))
        assert not claims[name].minimum_activity(Result({**good, "B rate before": 0 * Hz}, {}))


@pytest.mark.cpp
@pytest.mark.slow
def test_a_memory_is_kept_without_spikes(tmp_path):
    result = run_study(NAME, target="cpp", out=tmp_path / "result")
    assert {name for name, verdict in verdicts(result).items() if verdict == "pass"} == {"silent memory", "control"}
    assert {path.stem for path in (result.folder / "figures").glob("*.png")} == {"rasters"}
