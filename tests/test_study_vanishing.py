"""The study `vanishing` as a whole, and its parts on converted networks and remedies."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import biosnn
from biosnn.conversion import read_network, save
from biosnn.datasets import examples
from biosnn.errors import BiosnnError, NotFoundError, SettingsError
from biosnn.study import load_study, setting_texts

STUDY = load_study("vanishing")
CLAIMS = {claim.name: claim for claim in STUDY.claims}

FEW = {
    "model": "digits_mlp",
    "images": "36",
    "calibration": "24",
    "repetitions": "2",
    "steps": "12",
    "scales": "0.5, 1, 2",
    "rounds": "3",
}


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return biosnn.run_study("vanishing", FEW, target="numpy", out=tmp_path_factory.mktemp("study") / "out")


@pytest.mark.slow
def test_of_a_network_of_ones_own_the_parts_on_networks_are_asked(result: Any) -> None:
    assert {name.split()[0] for name in result.arrays} == {"converted", "remedies"}
    assert {"theory knows the depth", "biology no noise, one neuron", "random chain of 8 with soft reset"} <= set(
        result.not_applicable
    )
    assert {"Diagnosis", "Conversions", "Threshold scales", "Remedies at equal cost", "Verdict"} <= set(result.tables)
    figures = {path.name for path in (result.folder / "figures").iterdir()}
    assert {"depth.png", "threshold-scale.png", "remedies.png", "energy.png", "homeostasis.png"} <= figures


@pytest.mark.slow
def test_what_it_measures_of_layers(result: Any) -> None:
    arrays = {name.removeprefix("converted "): found for name, found in result.arrays.items() if "converted" in name}
    assert list(arrays["layers"]) == ["relu1", "relu2"]
    names = [str(name) for name in arrays["conversions"]]
    for name in ("rate", "kept", "silent", "latency", "decoded", "information", "rest"):
        assert arrays[name].shape == (len(names), 2, 2)
    assert arrays["curves"].shape == (len(names), 2, 12)
    np.testing.assert_array_equal(arrays["rest"][:, :, -1], arrays["curves"][:, :, -1])
    hard, soft, every = (names.index(name) for name in ("as it is", "soft reset", "all"))
    assert (arrays["kept"][soft] > arrays["kept"][hard]).all()
    assert np.abs(arrays["kept"][every] - 1).max() < 0.2
    assert arrays["latency"][every].max() < arrays["latency"][hard].min()
    assert arrays["scale accuracy"].shape == (3, 2, len(arrays["marks"]))
    low, middle, high = arrays["scale rates"][:, :, -1].mean(axis=1)
    assert low > middle > high  # deep layers fire more with lower thresholds
    assert arrays["own"].shape == (2, 2, 4)


@pytest.mark.slow
def test_remedies_are_tried_at_equal_cost(result: Any) -> None:
    arrays = {name.removeprefix("remedies "): found for name, found in result.arrays.items() if "remedies" in name}
    names = [str(name) for name in arrays["names"]]
    assert names[:2] == ["as it is", "recommended"]
    assert names[2:] == setting_texts(STUDY.settings())["tried"].split(",")
    assert arrays["curve"].shape == (len(names), 2, 12)
    assert (np.diff(arrays["spikes"], axis=2) >= 0).all()
    hybrid = names.index("hybrid")
    assert np.isnan(arrays["kept"][hybrid, :, -1]).all()
    assert not np.isnan(arrays["kept"][hybrid, :, 0]).any()
    assert arrays["energies"].shape == (len(names), 2, len(arrays["conventions"]))
    assert arrays["course"].shape == (2, 4, 2)
    rows = {row[0]: row for row in result.tables["Verdict"].rows}
    assert set(rows) == {"remedy", *names}


def test_only_what_is_asked_for_is_tried(tmp_path: Path) -> None:
    given = FEW | {"parts": "remedies", "tried": "soft reset", "repetitions": "1", "images": "12", "calibration": "6"}
    told = biosnn.run_study("vanishing", given, target="numpy", out=tmp_path / "out", draw=False)
    assert [str(name) for name in told.arrays["remedies names"]] == ["as it is", "recommended", "soft reset"]
    assert {"homeostasis restores the rates", "thresholds and currents alone bring it back"} <= set(told.not_applicable)
    assert not any(name.startswith("converted") for name in told.values)


def test_a_converted_network_is_treated_as_it_was_converted(tmp_path: Path) -> None:
    data = examples("digits")
    images = data.inputs[:40].reshape(40, *read_network("digits_mlp").input.shape)
    save(biosnn.convert("digits_mlp", images, start=0.25, neuron="lif_soft"), tmp_path / "mine.npz")
    given = FEW | {"model": str(tmp_path / "mine.npz"), "parts": "remedies", "tried": "soft reset, percentile"}
    told = biosnn.run_study("vanishing", given, target="numpy", out=tmp_path / "out", draw=False)
    names = [str(name) for name in told.arrays["remedies names"]]
    kept = dict(zip(names, told.arrays["remedies kept"].mean(axis=(1, 2)), strict=True))
    assert kept["as it is"] < kept["soft reset"]  # which has no leak
    with pytest.raises(SettingsError, match=r"conversion.start: expected its default, as .* is converted already"):
        biosnn.run_study("vanishing", given | {"conversion.start": "0.5"}, target="numpy", out=tmp_path / "none")


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"parts": "randem"}, SettingsError, "parts: expected some of random, converted, biology, remedies"),
        ({"tried": "hope"}, SettingsError, "tried: expected remedies among threshold scales"),
        ({"model": "mine.onnx"}, BiosnnError, "mine.onnx"),
        ({"model": "digits_plane"}, NotFoundError, "Did you mean 'digits_plain'"),
        ({"repetitions": "8"}, SettingsError, "images: expected at least 48, 6 for each of 8 repetitions"),
        ({"scales": "0, 1"}, SettingsError, "scales"),
        ({"conversion.neuron": "hodgkin_huxley"}, BiosnnError, "Neuron 'hodgkin_huxley' inputs"),
        ({"steps": "1"}, SettingsError, "steps"),
    ],
)
def test_settings_that_make_no_sense(tmp_path: Path, given: dict[str, str], error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        biosnn.run_study("vanishing", FEW | {"parts": "remedies"} | given, target="numpy", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def said(**arrays: Any) -> Any:
    """A result in which every layer fires, spikes vanish, and a scale of 1 is best."""
    names = ["as it is", "soft reset"]
    known = {
        "converted conversions": np.array(names),
        "converted rate": np.full((2, 2, 3), 0.1),
        "converted kept": np.array([[[0.9, 0.6, 0.3]] * 2, [[1.0, 0.9, 0.9]] * 2]),
        "converted curves": np.array([[[0.3]] * 2, [[0.98]] * 2]),
        "converted ann": np.array([0.99, 0.98]),
        "converted scale accuracy": np.array([[[0.2]] * 2, [[0.98]] * 2, [[0.3]] * 2]),
        "converted scale rates": np.array([[[0.3]] * 2, [[0.1]] * 2, [[0.01]] * 2]),
    }
    values = {"converted accuracy of the ANN": 0.99, "converted points below the best scale": 0.4}
    return SimpleNamespace(values=values, arrays=known | arrays)


@pytest.mark.parametrize(
    ("claim", "arrays"),
    [
        ("spikes vanish", {"converted kept": np.array([[[0.9, 0.6, 0.3], [0.9, 0.8, 0.6]], [[1.0] * 3] * 2])}),
        ("spikes vanish", {"converted curves": np.array([[[0.3], [0.95]], [[0.98]] * 2])}),
        (
            "soft reset keeps more",
            {"converted kept": np.array([[[0.9, 0.6, 0.3]] * 2, [[1, 0.9, 0.9], [1, 0.9, 0.2]]])},
        ),
        (
            "too high vanishes, too low over-fires",
            {"converted scale accuracy": np.array([[[0.2]] * 2, [[0.98]] * 2] * 1 + [[[0.95]] * 2])},
        ),
        (
            "too high vanishes, too low over-fires",
            {"converted scale rates": np.array([[[0.1]] * 2, [[0.1]] * 2, [[0.01]] * 2])},
        ),
    ],
)
def test_claims_hold_and_fail_as_they_should(claim: str, arrays: dict[str, Any]) -> None:
    assert CLAIMS[claim].holds(said())
    assert CLAIMS[claim].minimum_activity(said())
    assert not CLAIMS[claim].holds(said(**arrays))
    assert not CLAIMS[claim].minimum_activity(said(**{"converted rate": np.zeros((2, 2, 3))}))


def treated(**arrays: Any) -> Any:
    """A result in which remedies bring back what was lost, in two repetitions."""
    names = ["as it is", "recommended", "threshold scales", "homeostasis", "bias currents"]
    last = np.array([[0.3, 0.2], [0.98, 0.97], [0.9, 0.9], [0.95, 0.9], [0.8, 0.7]])
    known = {
        "remedies names": np.array(names),
        "remedies rate": np.full((5, 2, 3), 0.1),
        "remedies ann": np.array([0.99, 0.98]),
        "remedies curve": np.repeat(last[:, :, None], 32, axis=2),
        "remedies course": np.full((2, 4, 3), 0.1),
        "remedies held": np.full((2, 3), 0.11),
    }
    return SimpleNamespace(values={"remedies points lost, recommended": 0.9}, arrays=known | arrays)


def test_claims_about_remedies_hold_and_fail_as_they_should() -> None:
    keeps, restores, settles = (
        CLAIMS[name]
        for name in (
            "the recommended conversion keeps the accuracy",
            "thresholds and currents alone bring it back",
            "homeostasis restores the rates",
        )
    )
    assert all(claim.holds(treated()) and claim.minimum_activity(treated()) for claim in (keeps, restores, settles))
    long = treated(**{"remedies curve": np.repeat(treated().arrays["remedies curve"][:, :, :1], 256, axis=2)})
    assert not keeps.holds(long)  # after 256 steps, 0.3 points
    one = treated().arrays["remedies curve"].copy()
    one[4, 1] = 0.5
    assert not restores.holds(treated(**{"remedies curve": one}))  # less than half, in one repetition
    assert not settles.holds(treated(**{"remedies held": np.array([[0.1] * 3, [0.1, 0.1, 0.2]])}))
    silent = np.full((5, 2, 3), 0.1)
    silent[3, 0, 2] = 0
    assert not settles.minimum_activity(treated(**{"remedies rate": silent}))
