"""The study litwin_kumar_doiron_2012 at a small size, its neuron, and what its claims let pass."""

import runpy
from typing import Any

import numpy as np
import pytest
from brian2 import Hz, Network, StateMonitor, ms

import biosnn
from biosnn.catalogue import study_folder
from biosnn.run import run_study
from biosnn.study import Result, load_study

NAME = "litwin_kumar_doiron_2012"
SMALL = {"size": "0.2", "duration": "2 second", "seeds": "1"}


def verdicts(result: Any) -> dict[str, str]:
    return {claim.name: claim.verdict for claim in result.claims}


def test_a_spike_makes_a_current_that_is_a_difference_of_exponentials():
    """J*(exp(-t/3 ms) - exp(-t/1 ms))/(3 ms - 1 ms), whose integral is J; Euler's method comes within 2 % of it."""
    with biosnn.session("numpy", seed=1, dt=0.01 * ms) as sim:
        cell = biosnn.neurons(1, "lif_psc_difference", values={"mu": 0, "y_exc": 0.5, "v_th": 2})
        seen = StateMonitor(cell, ("I_exc", "v"), record=True)
        sim.run(Network(cell, seen), 20 * ms)
        t = np.asarray(seen.t / ms)
        kernel = 0.5 * (np.exp(-t / 3) - np.exp(-t)) / 2
        np.testing.assert_allclose(seen.I_exc[0] * ms, kernel, atol=0.02 * kernel.max())
        assert np.sum(seen.I_exc[0] * 0.01 * ms) == pytest.approx(0.5, rel=0.01)
        # The same integral after the leak of 15 ms, at its end: three exponentials.
        end = (
            0.5
            / 2
            * sum(sign / (1 / 15 - 1 / tau) * (np.exp(-20 / tau) - np.exp(-20 / 15)) for sign, tau in ((1, 3), (-1, 1)))
        )
        assert seen.v[0, -1] == pytest.approx(end, rel=0.02)


def test_the_mean_chance_of_a_synapse_does_not_depend_on_the_ratio():
    numbers = runpy.run_path(str(study_folder(NAME) / "parameters.py"))
    for ratio in (1.0, 2.5):
        within, between = numbers["chances"](ratio, 4000)
        assert within == pytest.approx(ratio * between)
        assert (80 * within + 3920 * between) / 4000 == pytest.approx(0.2)


@pytest.mark.slow
@pytest.mark.cpp
def test_without_clusters_nothing_varies_slowly(tmp_path):
    clustered = run_study(NAME, SMALL, target="cpp", seed=1, out=tmp_path / "clustered", draw=False)
    assert verdicts(clustered)["clusters"] == "pass"
    control = run_study(NAME, {**SMALL, "ratio": "1"}, target="cpp", seed=1, out=tmp_path / "control", draw=False)
    assert verdicts(control)["slow variability"] == verdicts(control)["clusters"] == "fail"
    assert {"clustered, Fano factor", "clustered, rate of E"} <= set(control.not_applicable)


def test_the_claims_can_fail():
    claims = {claim.name: claim for claim in load_study(NAME).claims}
    among = "Fano factor of the clusters to be stimulated"
    good = {f"{name}, rate of E": 4 * Hz for name in ("clustered", "stimulated", "uniform")}
    good |= {"clustered, Fano factor": 1.3, "clustered, Fano factor in windows of 1 s": 2.0, f"clustered, {among}": 1.3}
    good |= {"clustered, correlation within clusters": 0.3, "clustered, correlation between clusters": 0.001}
    good |= {f"stimulated, {among}": 0.8, "uniform, Fano factor": 0.8, "uniform, Fano factor in windows of 1 s": 0.7}
    good |= {"uniform, correlation within clusters": 0.001}
    wrong: dict[str, dict[str, Any]] = {
        "slow variability": {"clustered, Fano factor in windows of 1 s": 1.1},
        "clusters": {"clustered, correlation between clusters": 0.2},
        "stimulus": {f"stimulated, {among}": 1.2},
        "control": {"uniform, Fano factor": 1.1},
    }
    for name, change in wrong.items():
        assert claims[name].holds(Result(good, {}))
        assert claims[name].minimum_activity(Result(good, {}))
        assert not claims[name].holds(Result({**good, **change}, {}))
        assert not claims[name].minimum_activity(Result({**good, "uniform, rate of E": 0 * Hz}, {}))


@pytest.mark.cpp
@pytest.mark.slow
def test_clusters_make_counts_vary_and_a_stimulus_stops_it(tmp_path):
    result = run_study(NAME, target="cpp", out=tmp_path / "result")
    assert result.verdict == "pass"
    assert {path.stem for path in (result.folder / "figures").glob("*.png")} == {"rasters", "fano"}
