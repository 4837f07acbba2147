"""The study of conversion, and the commands around converted networks."""

from __future__ import annotations

import json
import shutil
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import biosnn
from biosnn.catalogue import ann_file
from biosnn.cli import main
from biosnn.conversion import load
from biosnn.datasets import examples
from biosnn.errors import BiosnnError, NotFoundError, SettingsError
from biosnn.nir import read_nir
from biosnn.study.ann_data import AnnData, AnnDataSettings, load_ann_data
from biosnn.study.load import load_study

FEW = {"model": "digits_mlp", "images": "40", "explained": "10", "calibration": "100", "steps": "16"}
CLAIMS = {claim.name: claim for claim in load_study("conversion").claims}


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return biosnn.run_study("conversion", FEW, target="numpy", out=tmp_path_factory.mktemp("study") / "out")


def test_what_it_measures(result: Any) -> None:
    values, arrays = result.values, result.arrays
    assert result.verdict == "pass", [
        one.name for one in (*result.rows, *result.claims) if one.verdict not in ("", "pass")
    ]
    assert values["accuracy of the ANN"] > 0.9
    assert abs(values["accuracy of the ANN"] - values["accuracy"]) * 100 == pytest.approx(abs(values["points lost"]))
    assert len(arrays["latency curve"]) == 16
    assert arrays["latency curve"][-1] == values["accuracy"]
    assert values["output error"] == arrays["output errors"][-1]
    assert list(arrays["layers"]) == ["relu1", "relu2"]
    assert arrays["correlation"].min() > 0.98
    assert arrays["errors"].shape == (2, 6)
    low, high = arrays["accuracy interval"]
    assert low < values["accuracy"] <= high
    assert values["output error with hard reset"] > values["output error"]
    assert list(arrays["control names"]) == ["hard reset", "largest activation of a layer"]
    names = {"latency.png", "errors.png", "layers.png", "rates.png"}
    assert names <= {path.name for path in (result.folder / "figures").iterdir()}


def test_what_would_help_is_tried_and_shown(result: Any) -> None:
    rows = {row[0]: row for row in result.tables["What would help"].rows}
    assert {"as it is", "twice the steps", "half the steps", "percentile 99.99", "percentile 99"} <= set(rows)
    error = {name: float(row[3]) for name, row in rows.items() if name != "changed"}
    assert error["twice the steps"] < error["as it is"] < error["half the steps"]
    assert list(error.values()) == sorted(error.values())


def test_the_converted_network_is_kept(result: Any) -> None:
    snn = load(result.files["network.npz"])
    assert snn.thresholds["relu1"].shape == (100,)


def test_first_spikes_and_a_converted_network_as_the_model(tmp_path: Path) -> None:
    few = FEW | {"conversion.code": "first spike", "images": "20", "controls": "off", "remedies": "off"}
    told = biosnn.run_study("conversion", few, target="numpy", out=tmp_path / "first", draw=False)
    assert told.values["spikes an image"] < 64 + 100 + 50
    assert told.values["accuracy"] > 0.9
    assert {"more steps tell more", "the residual potential matters"} <= set(told.not_applicable)
    assert "keeps the accuracy" not in told.not_applicable
    again = few | {"model": str(told.files["network.npz"]), "conversion.code": "rate"}
    same = biosnn.run_study("conversion", again, target="numpy", out=tmp_path / "again", draw=False)
    assert same.values["accuracy"] == told.values["accuracy"]
    assert "more steps tell more" in same.not_applicable
    with pytest.raises(
        SettingsError, match=r"conversion.balance.percentile: expected its default, as .* is converted already"
    ):
        biosnn.run_study(
            "conversion", again | {"conversion.balance.percentile": "99"}, target="numpy", out=tmp_path / "none"
        )


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"model": "digits_ccn"}, NotFoundError, "Did you mean 'digits_cnn'"),
        ({"model": "none.onnx"}, BiosnnError, "none.onnx"),
        ({"data": "imagenet"}, NotFoundError, "imagenet"),
        ({"data": "none.npz"}, BiosnnError, "none.npz: no such file"),
        ({"explained": "100", "images": "60"}, SettingsError, "explained: expected at most the 60 images shown"),
        ({"held_out": "0"}, SettingsError, "held_out: expected at least 1, as digits has no test images"),
        ({"test": "none.npz"}, BiosnnError, "none.npz: no such file"),
        ({"mean": "0.1,0.2"}, SettingsError, "mean: expected a number for each of 1 channels"),
        ({"conversion.neuron": "hodgkin_huxley"}, BiosnnError, "Neuron 'hodgkin_huxley' inputs"),
        ({"conversion.balance.percentile": "10"}, SettingsError, "percentile: expected from 50.0 to 100.0"),
        (
            {"alpha": "2"},
            SettingsError,
            "alpha: it is called conversion.balance.alpha now. Write conversion.balance.alpha=2",
        ),
        ({"conversion.input": "analogue"}, SettingsError, "analog"),
    ],
)
def test_settings_that_make_no_sense(tmp_path: Path, given: dict[str, str], error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        biosnn.run_study("conversion", FEW | given, target="numpy", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_images_that_do_not_fit(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "mine.npz", x=rng.random((30, 1, 5, 5)), y=np.arange(30) % 3)
    given = FEW | {"model": "digits_cnn", "data": str(tmp_path / "mine.npz"), "held_out": "10", "explained": "5"}
    with pytest.raises(SettingsError, match="its images do not fit digits_cnn"):
        biosnn.run_study("conversion", given, target="numpy", out=tmp_path / "out")


def test_test_images_are_those_of_the_user_and_doubtful_ones_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    digits = examples("digits")
    x, y = digits.inputs[:60], digits.labels[:60]
    np.savez("one.npz", x=x, y=y)
    np.savez("both.npz", x=x[:40], y=y[:40], x_test=x[40:], y_test=y[40:])
    np.savez("training.npz", x=x[:40], y=y[:40])
    np.savez("test.npz", x=x[40:], y=y[40:])
    shutil.copy(ann_file("digits_mlp"), "net.onnx")

    def loaded(**given: Any) -> AnnData:
        return load_ann_data(AnnDataSettings(**{"model": "net.onnx", "images": 0, "calibration": 0} | given))

    drawn = loaded(data="one.npz", held_out=20)
    assert "drawn from one.npz, and net.onnx may have learned from some" in drawn.warnings[0]
    assert "test=FILE with the arrays x and y, or x_test and y_test in data=FILE" in drawn.warnings[0]
    for given in ({"data": "both.npz"}, {"data": "training.npz", "test": "test.npz"}):
        own = loaded(**given)
        assert own.warnings == ()
        assert sorted(own.labels) == sorted(y[40:])
        assert {image.tobytes() for image in own.test} == {image.tobytes() for image in x[40:].reshape(20, -1)}
        assert len(own.calibration) == 40
    # Networks of the catalogue have learned from all digits but 500, and from no file of a user.
    assert loaded(model="digits_mlp").warnings == ()
    assert loaded(model="digits_mlp", data="one.npz", held_out=20).warnings == ()
    assert "Leave out held_out=400" in loaded(model="digits_mlp", held_out=400).warnings[0]
    for given, message in [
        ({"data": "both.npz", "held_out": 5}, "held_out: expected none, as both.npz has 20 test images"),
        ({"data": "both.npz", "test": "test.npz"}, "test: expected none, as both.npz has test images"),
        (
            {"data": "one.npz"},
            "held_out: expected from 1 to 59, as one.npz has 60 images.* such as held_out=30",
        ),
    ]:
        with pytest.raises(SettingsError, match=message):
            loaded(**given)


def test_a_doubt_is_printed_and_stands_in_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    few = [f"{name}={value}" for name, value in FEW.items() if name != "model"]
    few += ["held_out=400", "controls=off", "early=off", "remedies=off", "--target", "numpy"]
    words = ("convert", "digits_mlp", *few, "--out", str(tmp_path / "out"))
    for how in ((), ("--quiet",)):
        told = " ".join(_said(capsys, *words, *how).split())
        assert "Warning: The test images were drawn from digits" in told
    assert "<strong>Warning:</strong> The test images" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert json.loads(_said(capsys, *words, "--json"))["warnings"][0].startswith("The test images were drawn")


def found(**changed: Any) -> SimpleNamespace:
    values = {"accuracy of the ANN": 0.9, "points lost": 0.5, "output error": 0.1, "output error after a quarter": 0.4}
    values |= {
        "output error with hard reset": 0.3,
        **{name.replace("_", " "): value for name, value in changed.items()},
    }
    return SimpleNamespace(values=values, arrays={"rate": np.array([0.1, values.get("rate", 0.1)])})


def test_claims_hold_where_they_should_and_nowhere_else() -> None:
    assert all(claim.minimum_activity(found()) and claim.holds(found()) for claim in CLAIMS.values())
    assert not CLAIMS["keeps the accuracy"].holds(found(points_lost=1.1))
    assert not CLAIMS["more steps tell more"].holds(found(output_error_after_a_quarter=0.1))
    assert not CLAIMS["the residual potential matters"].holds(found(output_error_with_hard_reset=0.1))
    assert not any(claim.minimum_activity(found(rate=0.0)) for claim in CLAIMS.values())
    assert not any(claim.minimum_activity(found(accuracy_of_the_ANN=0.1)) for claim in CLAIMS.values())


def _said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    assert ended.value.code == 0
    return capsys.readouterr().out


@pytest.mark.slow
def test_the_command_converts_saves_and_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    few = [f"{key}={value}" for key, value in FEW.items() if key != "model"]
    quick = ["controls=off", "remedies=off", "--target", "numpy", "--out", "out"]
    say = partial(_said, capsys)
    said = say("convert", "digits_mlp", *few, *quick, "--save", "snn.npz")
    assert "Converted network: ./snn.npz" in said
    assert "Layer by layer" in said
    say("convert", "digits_mlp", *few, *quick, "--save", "snn.nir")
    assert read_nir("snn.nir").shapes["gemm3, cells"] == (10,)
    said = say("show", "snn.npz")
    assert "converted network" in said
    assert "relu2" in said
    assert "integrates" in said
    assert "99.80 % of the held-out images correctly classified." in " ".join(say("list").split())
    said = say("show", "digits_cnn")
    assert "averagepool1" in said
    assert "221,184" in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["convert", "digits_mlp", "--save", "snn.pkl"], "--save: expected a file that ends in .npz or .nir"),
        (["convert", "digits_mlp", "--save", "nowhere/snn.npz"], "--save: expected a file in a folder that exists"),
        (["convert", "digits_mlq"], "Did you mean 'digits_mlp'"),
        (["show", "digits_cnn", "--figure"], "only a model or a trained network has a figure"),
    ],
)
def test_commands_that_cannot_be_done(
    words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.rglob("*.*"))
