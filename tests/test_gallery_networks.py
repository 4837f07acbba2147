"""The studies of random networks, small: what they find, the control that must fail, and claims that can fail."""

import runpy
from typing import Any

import numpy as np
import pytest
from brian2 import Hz

from biosnn.catalogue import study_folder
from biosnn.run import run_study
from biosnn.study import Result, load_study


def verdicts(result: Any) -> dict[str, str]:
    return {claim.name: claim.verdict for claim in result.claims}


def run(name: str, folder: Any, target: str = "numpy", **settings: str) -> Any:
    return run_study(name, settings, target=target, out=folder / "result", draw=False)


def changed(result: Any, values: dict[str, Any], arrays: dict[str, Any] | None = None) -> Result:
    return Result({**result.values, **values}, {**result.arrays, **(arrays or {})})


def claim_of(name: str, claim: str) -> Any:
    return next(one for one in load_study(name).claims if one.name == claim)


def holds(name: str, claim: str, result: Any) -> bool:
    return bool(claim_of(name, claim).holds(result))


# ---- Vogels & Abbott 2005 ----------------------------------------------------------------------------------------

SMALL = {"size": "0.25", "seeds": "1", "duration": "0.5 s", "parts": "cuba"}


@pytest.fixture(scope="module")
def cuba(tmp_path_factory):
    return run("vogels_abbott_2005", tmp_path_factory.mktemp("cuba"), **SMALL)


def test_a_quarter_of_cuba_fires_irregularly_and_goes_on(cuba):
    assert verdicts(cuba) == {"cuba goes on": "pass", "cuba irregular": "pass", "cuba control": "pass"}
    assert 3 * Hz < cuba.values["cuba rate"] < 9 * Hz
    assert "coba rate" in cuba.not_applicable


@pytest.mark.slow
def test_cuba_without_inhibition_is_regular_and_fast(tmp_path):
    control = run("vogels_abbott_2005", tmp_path, **SMALL, inhibition="0")
    assert verdicts(control)["cuba irregular"] == verdicts(control)["cuba control"] == "fail"
    assert control.values["cuba rate"] > 50 * Hz
    assert control.values["cuba CV"] < 0.3


def test_the_claims_about_cuba_can_fail(cuba):
    name = "vogels_abbott_2005"
    assert holds(name, "cuba control", cuba)
    assert not holds(name, "cuba goes on", changed(cuba, {"cuba slowest at the end": 0 * Hz}))
    assert not holds(name, "cuba irregular", changed(cuba, {"cuba correlation": 0.2}))
    assert not holds(name, "cuba control", changed(cuba, {"cuba CV without inhibition": 1.0}))
    assert not holds(name, "cuba control", changed(cuba, {"cuba rate without inhibition": 9 * Hz}))
    assert not claim_of(name, "cuba control").minimum_activity(changed(cuba, {"cuba rate": 0 * Hz}))


@pytest.mark.cpp
@pytest.mark.slow
def test_coba_and_cuba_have_the_rates_of_other_simulators(tmp_path):
    result = run_study("vogels_abbott_2005", target="cpp", out=tmp_path / "result")
    assert result.verdict == "pass"
    assert {path.stem for path in (result.folder / "figures").glob("*.png")} == {"rasters", "distributions"}


# ---- Brunel 2000 -------------------------------------------------------------------------------------------------

# Of a run with the defaults, rounded.
RATES = {"A": 312.0, "B": 59.0, "C": 37.1, "D": 5.6}
IRREGULAR = {"A": 0.001, "B": 0.82, "C": 0.42, "D": 0.6}
PEAKS = {"A": 4e5, "B": 2e4, "C": 1e3, "D": 5e3}
SYNCHRONY = {"A": 0.45, "B": 0.27, "C": 0.12, "D": 0.19}


def four_states(**changes: Any) -> Result:
    values = {f"{name} rate": rate * Hz for name, rate in RATES.items()}
    values |= {f"{name} CV": value for name, value in IRREGULAR.items()}
    values |= {f"{name} peak of the spectrum": value for name, value in PEAKS.items()}
    values |= {f"{name} synchrony": value for name, value in SYNCHRONY.items()}
    values |= {"B global frequency": 170 * Hz, "D global frequency": 20 * Hz}
    return Result({**values, **changes})


def test_state_c_without_strong_inhibition_is_regular(tmp_path):
    """An example of the control: g = 3, for the state whose g is 5."""
    small = {"size": "0.02", "seeds": "1", "duration": "0.05 s"}
    control = run("brunel_2000", tmp_path, **small, inhibition="3")
    failed = {name for name, verdict in verdicts(control).items() if verdict == "fail"}
    assert {"irregular", "less regular than the control", "asynchronous"} <= failed
    assert verdicts(control)["control"] == "pass"
    assert control.values["C CV"] < 0.2
    assert {"C rate", "C CV", "C rate by that in mean field"} <= set(control.not_applicable)
    # Equation 21 as it stands, exp(u**2)*(1 + erf(u)) by scipy.integrate.quad, iterated in plain Python.
    assert control.values["B rate in mean field"] / Hz == pytest.approx(55.841, rel=1e-4)
    assert control.values["D rate in mean field"] / Hz == pytest.approx(6.5167, rel=1e-4)


def test_the_claims_about_four_states_can_fail():
    name = "brunel_2000"
    for claim, wrong in {
        "irregular": {"C CV": 0.69},
        "less regular than the control": {"A CV": 0.08},
        "asynchronous": {"C peak of the spectrum": 5e3},
        "oscillations": {"B global frequency": 60 * Hz},
        "control": {"A CV": 0.3},
    }.items():
        assert holds(name, claim, four_states(**{"C CV": 0.75}))
        assert not holds(name, claim, four_states(**{"C CV": 0.75, **wrong}))
        assert not claim_of(name, claim).minimum_activity(four_states(**{"D rate": 0 * Hz}))


@pytest.mark.cpp
@pytest.mark.slow
def test_the_four_states_have_the_rates_of_the_paper(tmp_path):
    result = run_study("brunel_2000", target="cpp", out=tmp_path / "result")
    assert {name for name, verdict in verdicts(result).items() if verdict != "pass"} == {"irregular"}
    rates = {row.name: row.verdict for row in result.rows if row.name.endswith("rate")}
    assert {rates[f"{name} rate"] for name in "BCD"} == {"pass"}
    assert {path.stem for path in (result.folder / "figures").glob("*.png")} == {"states", "spectra", "mean-field"}


# ---- Potjans & Diesmann 2014 -------------------------------------------------------------------------------------


def numbers_of(name: str) -> dict[str, Any]:
    return runpy.run_path(str(study_folder(name) / "numbers.py"))


def test_numbers_of_synapses_are_those_with_which_pairs_are_joined_as_often_as_measured():
    """1 - (1 - 1/pairs)**n is the probability that n draws hit a pair. The paper has 0.3 billion synapses."""
    numbers = numbers_of("potjans_diesmann_2014")
    full = np.array(list(numbers["SIZES"].values()), dtype=float)
    drawn = numbers["synapse_numbers"]()
    joined = -np.expm1(drawn * np.log1p(-1 / np.outer(full, full)))
    np.testing.assert_allclose(joined, numbers["PROBABILITIES"], rtol=1e-3)
    assert drawn.sum() == 298_880_970
    # Each neuron keeps its inputs where there are fewer.
    tenth = numbers["synapse_numbers"](0.1) / np.array(list(numbers["scaled"](0.1).values()))[:, None]
    np.testing.assert_allclose(tenth, drawn / full[:, None], atol=0.02)


def test_the_claims_about_the_microcircuit_can_fail():
    name = "potjans_diesmann_2014"
    rates = np.array(list(numbers_of(name)["RATES"].values()))
    values = {"rate of all": 3.5 * Hz, "rate of all, inhibition halved": 27 * Hz}
    arrays = {"rate": rates * Hz, "published": rates * Hz, "rate, inhibition halved": 2 * rates * Hz}
    good = Result(values, {**arrays, "CV2": np.full(8, 0.8)})
    for claim, wrong in {
        "order": changed(good, {}, {"rate": rates[::-1] * Hz}),
        "irregular": changed(good, {}, {"CV2": np.linspace(0.4, 1, 8)}),
        "control": changed(good, {}, {"rate, inhibition halved": 1.4 * rates * Hz}),
    }.items():
        assert holds(name, claim, good)
        assert not holds(name, claim, wrong)
        assert not claim_of(name, claim).minimum_activity(changed(good, {}, {"rate": 0 * rates * Hz}))


@pytest.mark.slow
@pytest.mark.cpp
def test_a_hundredth_of_the_microcircuit_runs_wild_without_half_of_its_inhibition(tmp_path):
    small = {"scale": "0.01", "seeds": "1", "duration": "0.3 s"}
    result = run("potjans_diesmann_2014", tmp_path, target="cpp", **small)
    assert 1 * Hz < result.values["rate of all"] < 20 * Hz
    assert result.values["rate of all, inhibition halved"] > 1.5 * result.values["rate of all"]
    assert {"L23E rate", "synapses"} <= set(result.not_applicable)


@pytest.mark.cpp
@pytest.mark.slow
def test_the_whole_microcircuit_has_its_rates(tmp_path):
    result = run_study("potjans_diesmann_2014", target="cpp", out=tmp_path / "result")
    assert result.verdict == "pass"
    assert {path.stem for path in (result.folder / "figures").glob("*.png")} == {"activity", "rates"}
