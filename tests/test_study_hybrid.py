"""The study of hybrid networks: its values say what was measured, and its claims what they should."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import biosnn
from biosnn.conversion import convert, save
from biosnn.errors import SettingsError
from biosnn.study.load import load_study

FEW = {"model": "digits_mlp", "images": "40", "calibration": "100", "steps": "12", "marks": "2"}
STUDY = load_study("hybrid")
CLAIMS = {claim.name: claim for claim in STUDY.claims}


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return biosnn.run_study("hybrid", FEW, target="numpy", out=tmp_path_factory.mktemp("study") / "out")


def test_what_it_measures(result: Any) -> None:
    values, arrays = result.values, result.arrays
    assert all(claim.minimum_activity(result) for claim in CLAIMS.values())
    assert CLAIMS["error grows with depth"].holds(result)
    assert list(arrays["cuts"]) == ["first 1", "last 1", "all"]
    assert list(arrays["marks"]) == [1, 2, 3, 4, 6, 8, 11, 12]
    assert arrays["curves"].shape == arrays["spikes"].shape == (3, 8)
    assert arrays["energy"].shape == (3, 8, 9)
    assert (np.diff(arrays["spikes"], axis=1) > 0).all()
    np.testing.assert_allclose(arrays["spikes"][0] + arrays["spikes"][1], arrays["spikes"][2], rtol=0.2)
    needs = arrays["steps needed"]
    assert values["best cut, part of the steps"] == pytest.approx(needs[:2].min() / min(needs[2], 12))
    assert values["accuracy, all layers spike"] == arrays["curves"][-1, -1]
    assert values["energy of the ANN"] > 0
    names = {"needed.png", "accuracy.png", "energy.png", "errors.png"}
    assert names <= {path.name for path in (result.folder / "figures").iterdir()}
    rows = result.tables["What each cut needs"].rows
    assert [row[0] for row in rows] == ["layers that spike", "first 1", "last 1", "all", "none (ANN)"]
    assert len(result.tables["Energy by convention"].rows) == 10


def found(**changed: Any) -> SimpleNamespace:
    values = {"best cut, part of the steps, other half": 0.3, "accuracy of the ANN": 0.9}
    arrays = {
        "resampled part": np.full(10, 0.4),
        "resampled single part": np.full(10, 0.4),
        "layer errors": np.array([[0.3, 0.1], [0.5, 0.2]]),
        "rate": np.array([0.1]),
        "lowest rate": np.array([0.1]),
    }
    given = {name.replace("_", " "): value for name, value in changed.items()}
    return SimpleNamespace(
        values=values | {name: value for name, value in given.items() if name not in arrays},
        arrays=arrays | {name: value for name, value in given.items() if name in arrays},
    )


def test_claims_hold_where_they_should_and_nowhere_else() -> None:
    assert all(claim.minimum_activity(found()) and claim.holds(found()) for claim in CLAIMS.values())
    half = CLAIMS["half the time"]
    assert not half.holds(found(resampled_part=np.append(np.full(8, 0.5), [0.6, 0.6])))
    worse = found()
    worse.values["best cut, part of the steps, other half"] = 0.6
    assert not half.holds(worse)
    assert not CLAIMS["each layer that spikes takes time"].holds(found(resampled_single_part=np.ones(10)))
    assert not CLAIMS["error grows with depth"].holds(found(layer_errors=np.array([[0.3, 0.1], [0.5, 0.1]])))
    for silent in ({"rate": np.zeros(1)}, {"lowest_rate": np.zeros(1)}, {"accuracy_of_the_ANN": 0.1}):
        assert not any(claim.minimum_activity(found(**silent)) for claim in CLAIMS.values())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"data": "none.npz"}, "none.npz"),
        ({"marks": "0"}, "marks"),
        ({"conversion.start": "1.0"}, "conversion.start"),
        ({"conversion.code": "rate"}, "No setting named 'conversion.code'"),
        ({"neuron": "if_hard"}, "Write conversion.neuron=if_hard"),
        ({"cuts": "-1"}, "cuts"),
    ],
)
def test_settings_that_make_no_sense(tmp_path: Path, given: dict[str, str], message: str) -> None:
    with pytest.raises(biosnn.errors.BiosnnError, match=message):
        biosnn.run_study("hybrid", FEW | given, target="numpy", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_networks_that_cannot_be_cut(tmp_path: Path) -> None:
    images = np.random.default_rng(0).random((4, 1, 8, 8)).astype(np.float32)
    save(convert("digits_mlp", images, input="poisson"), tmp_path / "net.npz")
    with pytest.raises(SettingsError, match=r"model=.*: expected .* the code 'rate', the input 'analog'"):
        biosnn.run_study("hybrid", FEW | {"model": str(tmp_path / "net.npz")}, target="numpy", out=tmp_path / "out")
