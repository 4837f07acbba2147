"""Studies of networks whose excitation and inhibition balance, small: what they find, and controls that must fail."""

import runpy
from typing import Any

import numpy as np
import pytest
from brian2 import Hz, Network, StateMonitor, ms, mV

import biosnn
from biosnn.catalogue import study_folder
from biosnn.run import run_study
from biosnn.study import Result, load_study


def verdicts(result: Any) -> dict[str, str]:
    return {claim.name: claim.verdict for claim in result.claims}


def run(name: str, folder: Any, target: str = "numpy", **settings: str) -> Any:
    return run_study(name, settings, target=target, seed=1, out=folder / "result", draw=False)


def claim_of(name: str, claim: str) -> Any:
    return next(one for one in load_study(name).claims if one.name == claim)


def check_claims(name: str, good: dict[str, Any], wrong: dict[str, dict[str, Any]], silent: dict[str, Any]) -> None:
    """Each claim holds of the good values, fails with the wrong ones, and says nothing of a silent network."""
    for claim, change in wrong.items():
        assert claim_of(name, claim).holds(Result(good, {}))
        assert claim_of(name, claim).minimum_activity(Result(good, {}))
        assert not claim_of(name, claim).holds(Result({**good, **change}, {}))
        assert not claim_of(name, claim).minimum_activity(Result({**good, **silent}, {}))


# ---- Izhikevich 2003 ---------------------------------------------------------------------------------------------


def test_the_varied_neuron_takes_the_steps_of_the_published_program():
    program = runpy.run_path(str(study_folder("izhikevich_2003") / "published_program.py"))
    a, b = np.array([0.02, 0.1]), np.array([0.2, 0.25])
    v, u = np.full(2, -65.0), b * -65.0
    expected = [v]
    for _ in range(4):
        v, u = program["advance"](v, u, np.array([7.0, 4.0]), a, b)
        expected.append(v)
    with biosnn.session("numpy", seed=1, dt=1 * ms) as sim:
        # The drive is a constant here: k_0 has it.
        values = {"a": a / ms, "b": b / ms, "sigma": 0 * mV / ms, "I_syn": np.array([7.0, 4.0]) * mV / ms}
        cells = biosnn.neurons(2, "izhikevich_varied", values=values)
        cells.run_regularly("I_syn = (7 - 3*i)*mV/ms", when="start")
        seen = StateMonitor(cells, "v", record=True)
        sim.run(Network(cells, seen), 5 * ms)
        np.testing.assert_allclose(seen.v.T / mV, expected, rtol=1e-12)
        assert np.ptp(seen.v[0] / mV) > 5


def test_a_thousand_neurons_without_synapses_have_no_rhythm(tmp_path):
    small = {"duration": "2 second", "seeds": "1"}
    result = run("izhikevich_2003", tmp_path / "with", **small)
    assert verdicts(result)["rhythms"] == verdicts(result)["control"] == "pass"
    assert 5 * Hz < result.values["rate"] < 10 * Hz
    control = run("izhikevich_2003", tmp_path / "without", **small, coupling="0")
    assert verdicts(control)["rhythms"] == "fail"
    assert {"rate", "CV", "alpha frequency", "gamma frequency"} <= set(control.not_applicable)


def test_the_claims_about_rhythms_can_fail():
    good = {"rate": 7 * Hz, "CV": 0.8, "alpha power": 60.0, "gamma power": 30.0}
    good |= {"control, rate": 4 * Hz, "control, highest power": 1.5}
    wrong = {"rhythms": {"gamma power": 4.0}, "irregular": {"CV": 0.5}, "control": {"control, highest power": 4.0}}
    check_claims("izhikevich_2003", good, wrong, {"control, rate": 0 * Hz})


@pytest.mark.cpp
@pytest.mark.slow
def test_a_thousand_neurons_have_two_rhythms(tmp_path):
    result = run_study("izhikevich_2003", target="cpp", out=tmp_path / "result")
    assert {name for name, verdict in verdicts(result).items() if verdict != "pass"} == {"irregular"}
    assert {row.name for row in result.rows if row.verdict == "fail"} == {"CV"}
    assert {path.stem for path in (result.folder / "figures").glob("*.png")} == {"raster", "spectrum"}
