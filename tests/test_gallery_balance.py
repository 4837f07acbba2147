"""Studies of networks whose excitation and inhibition balance, small: what they find, and controls that must fail."""

import runpy
from typing import Any

import numpy as np
import pytest
from brian2 import Hz, Network, SpikeMonitor, StateMonitor, ms, mV

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


def check_claims(
    name: str,
    good: dict[str, Any],
    wrong: dict[str, dict[str, Any]],
    silent: dict[str, Any],
    arrays: dict[str, Any] | None = None,
) -> None:
    """Each claim holds of the good values, fails with the wrong ones, and says nothing of a silent network."""
    for claim, change in wrong.items():
        assert claim_of(name, claim).holds(Result(good, arrays or {}))
        assert claim_of(name, claim).minimum_activity(Result(good, arrays or {}))
        assert not claim_of(name, claim).holds(Result({**good, **change}, arrays or {}))
        assert not claim_of(name, claim).minimum_activity(Result({**good, **silent}, arrays or {}))


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


# ---- van Vreeswijk & Sompolinsky 1996 ----------------------------------------------------------------------------

SMALL_BALANCE = {"inputs": "100, 400", "neurons": "2000", "duration": "1 second", "seeds": "1"}


def test_inputs_of_a_binary_neuron_are_the_sums_of_the_weights_of_active_ones():
    with biosnn.session("numpy", seed=2, dt=0.5 * ms) as sim:
        cells = biosnn.neurons(60, "binary", values={"drive": 1.1})
        given = {"gain": 0.3, "connect": biosnn.FixedProbability(0.2)}
        wires = [
            biosnn.synapses(cells[:30], cells, "binary_change", onto="exc", **given),
            biosnn.synapses(cells[30:], cells, "binary_change", onto="inh", **given),
        ]
        changes = SpikeMonitor(cells)
        sim.run(Network(cells, *wires, changes), 100 * ms)
        active = np.array(cells.sigma[:])
        for wire, arrived, first in zip(wires, (cells.exc[:], cells.inh[:]), (0, 30), strict=True):
            i, j = wire.pairs()
            np.testing.assert_allclose(arrived, np.bincount(j, 0.3 * active[i + first], 60), atol=1e-12)
        # Every change is one of the state: odd numbers of them leave a neuron active.
        np.testing.assert_array_equal(np.bincount(changes.i, minlength=60) % 2, active)
        assert 0 < active.sum() < 60 < changes.num_spikes


def test_matched_thresholds_have_no_correction_at_finite_k():
    theory = runpy.run_path(str(study_folder("van_vreeswijk_sompolinsky_1996") / "mean_field.py"))
    # By hand: (1.8*1 - 2*0.8)/0.2 = 1 and (1 - 0.8)/0.2 = 1, times the activity outside.
    assert theory["limit"]() == {"E": pytest.approx(0.1), "I": pytest.approx(0.1)}
    for k in (100, 2000):
        matched = theory["activities"](k, theory["matched_thresholds"]())
        assert list(matched.values()) == pytest.approx([0.1, 0.1], rel=1e-3)
    # The roots of equations 4.3 and 4.4 by scipy.optimize.fsolve.
    papers = theory["activities"](1000, theory["THRESHOLDS"])
    assert list(papers.values()) == pytest.approx([0.05866711, 0.07865045], rel=1e-3)


@pytest.mark.slow
@pytest.mark.cpp
def test_weights_that_fall_as_1_over_k_leave_no_fluctuations(tmp_path):
    name, worst = "van_vreeswijk_sompolinsky_1996", "matched, fluctuations at the largest K over the smallest"
    balanced = run(name, tmp_path / "balanced", target="cpp", **SMALL_BALANCE)
    assert 0.75 < balanced.values[worst] < 1.25
    assert balanced.values["control, fluctuations at the largest K over the smallest"] < 0.6
    assert verdicts(balanced)["irregular"] == "pass"
    control = run(name, tmp_path / "control", target="cpp", **SMALL_BALANCE, scaling="linear")
    assert verdicts(control)["balance"] == "fail"
    assert control.values[worst] < 0.6


def test_the_claims_about_balance_can_fail():
    good = {"matched, spread of activity": 0.05, "matched, lowest CV": 0.8, "matched, highest CV": 0.9}
    good |= {"matched, fluctuations at the largest K over the smallest": 0.95, "control, spread of activity": 0.3}
    good |= {"matched, excitation over threshold at the largest K": 9.0}
    good |= {"control, fluctuations at the largest K over the smallest": 0.2}
    wrong: dict[str, dict[str, Any]] = {
        "independent of K": {"matched, spread of activity": 0.2},
        "irregular": {"matched, lowest CV": 0.5},
        "balance": {"matched, fluctuations at the largest K over the smallest": 0.5},
        "control": {"control, fluctuations at the largest K over the smallest": 0.9},
    }
    arrays = {"matched, activity E": np.array([0.08, 0.1])}
    check_claims("van_vreeswijk_sompolinsky_1996", good, wrong, {"matched, lowest CV": np.nan}, arrays)


@pytest.mark.cpp
@pytest.mark.slow
def test_the_balanced_network_is_where_the_theory_says(tmp_path):
    result = run_study("van_vreeswijk_sompolinsky_1996", target="cpp", out=tmp_path / "result")
    assert {name for name, verdict in verdicts(result).items() if verdict != "pass"} == {"independent of K"}
    assert {row.name for row in result.rows if row.verdict == "fail"} == {
        "matched, spread of activity",
        "paper, spread of activity",
    }
    assert {path.stem for path in (result.folder / "figures").glob("*.png")} == {"balance", "scaling"}
