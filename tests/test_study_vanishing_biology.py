"""Part 3 of the study `vanishing`, biology: what it reports, and what its claims let pass."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from brian2 import ms

import biosnn
from biosnn.propagation import rates
from biosnn.study import Result, load_study

(PART,) = (part for part in load_study("vanishing").parts if part.name == "biology")
CLAIMS = {claim.name: claim for claim in PART.claims}
FEW = {
    "parts": "biology",
    "biology.groups": "3",
    "biology.seeds": "2",
    "biology.spikes": "30, 90",
    "biology.volleys": "1",
    "biology.sigmas": "1 ms, 3 ms",
    "biology.rates": "10 Hz, 80 Hz",
    "biology.kept": "50 Hz",
    "biology.noises": "1, 0",
    "biology.duration": "60 ms",
    "biology.dt": "0.2 ms",
}


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A few short runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rates, "AREAS", np.array([0.07, 0.14]))
        patch.setattr(rates, "SETTLE", 60 * ms)
        return biosnn.run_study("vanishing", FEW, target="numpy", out=tmp_path_factory.mktemp("study") / "out")


@pytest.mark.slow
def test_what_is_reported(result: Any) -> None:
    assert all(key.startswith("biology ") for key in (*result.values, *result.arrays))
    assert result.values["biology attractor"] == pytest.approx(100, abs=5)
    assert 30 < result.values["biology spikes to survive, sigma 1 ms"] < 90
    assert {claim.name for claim in CLAIMS.values() if claim.minimum_activity(result)} == {
        claim.name for claim in CLAIMS.values()
    }
    assert not set(CLAIMS) & set(result.not_applicable)
    figures = {path.name for path in (result.folder / "figures").iterdir()}
    assert {"synfire.png", "propagation.png"} <= figures


@pytest.mark.slow
def test_a_silent_network_claims_nothing(result: Any) -> None:
    empty = {"biology packets": 0, "biology response": 0, "biology survived": False}
    silent = Result(
        result.values, {**result.arrays, **{key: result.arrays[key] * value for key, value in empty.items()}}
    )
    assert not any(claim.minimum_activity(silent) for claim in CLAIMS.values())


@pytest.mark.slow
def test_rates_that_are_forgotten_fail(result: Any) -> None:
    arrays = result.arrays

    def holds(name: str, **given: Any) -> bool:
        changed = {f"biology {key.replace('_', ' ')}": value for key, value in given.items()}
        return CLAIMS[name].holds(Result(result.values, {**arrays, **changed}))

    assert holds("biology no noise, no fast rate", told_fast=arrays["biology told fast"] * [[[1]], [[0]], [[0]]])
    assert not holds("biology no noise, no fast rate", told_fast=arrays["biology told fast"] * [[[0]], [[1]], [[1]]])
    assert not holds("biology synfire chains forget rates", told_fast=1 + 0 * arrays["biology told fast"])
    assert not holds("biology noise carries rates", told=0 * arrays["biology told"])
    assert not holds("biology noise carries rates", response=-arrays["biology response"])
    assert not holds("biology no noise, one neuron", fano=1 + 0 * arrays["biology fano"])
    assert not holds("biology all or nothing", survived=~arrays["biology survived"])
    assert not holds("biology synchrony counts", midpoints=arrays["biology midpoints"][:, ::-1])
