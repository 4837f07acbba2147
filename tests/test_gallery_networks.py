"""The studies of random networks, small: what they find, the control that must fail, and claims that can fail."""

from typing import Any

import pytest
from brian2 import Hz

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
