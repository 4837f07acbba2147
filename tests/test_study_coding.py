"""The study of codings as a whole, small; its parts have tests of their own."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from brian2 import ms

import biosnn
from biosnn.coding import TTFS
from biosnn.errors import CodingError, EnergyError, NotFoundError, SettingsError
from biosnn.inputs import encoder
from biosnn.model import to_toml
from biosnn.study import load_study

SMALL = {
    "parts": "recognition",
    "networks": 1,
    "neurons": 12,
    "n_training": 200,
    "n_labelling": 300,
    "held_out": 60,
    "noise": "0.3",
    "deletion": "0.5",
    "jitter": "5 ms",
}
CLAIMS = {claim.name: claim for claim in load_study("coding").claims}


@pytest.mark.slow
@pytest.mark.cpp
def test_every_coding_does_the_same_work_and_one_of_a_file_too(tmp_path: Path) -> None:
    model = tmp_path / "mine.toml"
    model.write_text(to_toml(encoder(TTFS(duration=20 * ms, dt=0.5 * ms))).replace("encoder_ttfs", "mine"))
    given = {**SMALL, "codings": f"poisson,ttfs,{model}"}
    result = biosnn.run_study("coding", given, target="cpp", out=tmp_path / "out")
    assert not result.figure_error
    assert list(result.arrays["codings"]) == ["poisson", "ttfs", "mine"]
    for coding in ("poisson", "ttfs", "mine"):
        assert result.values[f"accuracy of {coding}"] > 0.35, "chance is 0.1"
    # The model is the coding, looked up at 256 levels: as many spikes, some of them a step earlier or later.
    assert result.values["input spikes of mine"] == result.values["input spikes of ttfs"]
    assert {path.stem for path in (tmp_path / "out/figures").glob("*.png")} == {
        "latency-and-energy",
        "rasters",
        "robustness",
    }
    head, *rows = result.tables["Coding by measure"].rows
    assert (head[0], [row[0] for row in rows]) == ("coding", ["poisson", "ttfs", "mine"])
    # Its own rate is below every break-even by which it is the cheaper one.
    cheaper = {row[0]: row[2] for row in result.tables["Cheaper network by convention"].rows}
    even = {row[0]: row[2] for row in result.tables["Break-even by convention (spikes a synapse)"].rows}
    own = float(even.pop("these networks"))
    for convention in list(even)[1:]:
        assert cheaper[convention].startswith("SNN") == (even[convention] != "none" and own < float(even[convention]))
    assert result.tables["Energy by convention (nJ)"].rows[-1][0] == "the ordinary network"
    # An input spike arrives at every cell, and an answer is told to all others.
    spikes, answers = result.values["input spikes of ttfs"], result.arrays["spikes in answer"][1, 0]
    assert result.values["operations of ttfs"] == pytest.approx(12 * spikes + 11 * answers)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"codings": "tfts"}, NotFoundError, "Did you mean 'ttfs'"),
        ({"codings": "delta"}, SettingsError, r"expected codings with one neuron for each value \(got 'delta"),
        ({"rate_codings": "mine"}, SettingsError, "rate_codings: expected names of codings that are compared"),
        ({"codings": "burst", "shown": "2 ms"}, CodingError, "Coding 'burst', for the 2. ms that an image is shown"),
        ({"prices": "none.toml"}, EnergyError, "none.toml: no such file"),
        ({"codings": "ttfs,ttfs"}, SettingsError, "two codings are named 'ttfs'"),
    ],
)
def test_codings_that_cannot_be_compared(tmp_path: Path, given: dict[str, str], error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        biosnn.run_study("coding", given, target="numpy", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def outcome(rate: list[float], latency: list[float], *, silent: float = 0.0) -> SimpleNamespace:
    """A result in which these accuracies were found undisturbed, and with a quarter and a half of the spikes lost."""
    codings = {"poisson": rate, "ttfs": latency}
    values = {f"accuracy of {name}": found[0] for name, found in codings.items()}
    values |= {"decision of poisson": 100 * ms, "decision of ttfs": 20 * ms}
    values |= {"input spikes of poisson": 900.0, "input spikes of ttfs": 100.0}
    values |= {"operations of poisson": 900.0, "operations of ttfs": 100.0}
    arrays = {
        "codings": np.array(list(codings)),
        "disturbances": np.array(["none", "deletion 0.5", "deletion 0.25"]),
        "accuracy disturbed": np.array([[[value] for value in found] for found in codings.values()]),
        "without answer": np.zeros((2, 1)),
        "silent cells": np.full((2, 1), silent),
    }
    return SimpleNamespace(values=values, arrays=arrays)


def test_claims_hold_where_they_should_and_are_silent_where_nothing_happens() -> None:
    good = outcome([0.9, 0.85, 0.89], [0.88, 0.6, 0.7])
    assert all(claim.minimum_activity(good) and claim.holds(good) for claim in CLAIMS.values())
    assert not any(claim.minimum_activity(outcome([0.9] * 3, [0.9] * 3, silent=0.6)) for claim in CLAIMS.values())
    assert not any(claim.minimum_activity(outcome([0.5] * 3, [0.5] * 3)) for claim in CLAIMS.values())


def test_claims_fail_where_they_should() -> None:
    assert not CLAIMS["as accurate"].holds(outcome([0.9] * 3, [0.86] * 3))
    # Rates lose most by the first of the two deletions, whatever their order.
    assert not CLAIMS["rates survive deletion"].holds(outcome([0.9, 0.5, 0.89], [0.9, 0.6, 0.7]))
    bad = outcome([0.9] * 3, [0.9] * 3)
    bad.values |= {"input spikes of ttfs": 301.0, "operations of ttfs": 260.0, "decision of ttfs": 100 * ms}
    assert not any(CLAIMS[name].holds(bad) for name in ("fewer spikes", "fewer operations", "decides earlier"))
