"""The study `unsupervised`: small on the NumPy target, and in full."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import ms, second

from biosnn.errors import BiosnnError, SettingsError
from biosnn.learning import Checkpoints, TrainingHistory, load_network
from biosnn.run import run_study
from biosnn.study import load_study, make_settings
from biosnn.study.settings import describe_settings

SMALL = {
    "classes": "3",
    "neurons": "10",
    "networks": "1",
    "n_training": "12",
    "training_images": "12",
    "held_out": "10",
    "shown": "100 ms",
    "rest": "0 ms",
    "intensity_step": "4000 Hz",  # every showing in the test is a run of its own
}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return run_study("unsupervised", SMALL, target="cpp", out=tmp_path_factory.mktemp("small") / "out")


@pytest.mark.cpp
def test_a_small_network_gives_all_that_the_report_needs(small: Any) -> None:
    assert small.arrays["receptive fields"].shape == (10, 8, 8)
    assert small.arrays["confusion"].sum() == 10
    assert small.values["accuracy"] == pytest.approx(np.trace(small.arrays["confusion"][:, :3]) / 10)
    assert small.values["spikes an image"] > 1
    assert 0 <= small.values["accuracy without learning"] <= 1
    assert {path.stem for path in (small.folder / "figures").glob("*.png")} == {
        "receptive-fields",
        "confusion",
        "learning-curve",
        "raster",
        "activity",
    }
    models = {model["name"] for model in small.provenance["models"]}
    assert {"lif_adaptive", "lif_inhibitory", "stdp_diehl_cook"} <= models


@pytest.mark.cpp
def test_a_small_network_is_not_held_to_what_the_large_one_learns(small: Any) -> None:
    assert small.not_applicable == ("accuracy", "chance", "learns")
    assert not [row for row in small.rows if row.verdict]


@pytest.mark.cpp
def test_learning_turns_noise_into_digits_and_no_learning_leaves_it(small: Any) -> None:
    # The border columns of these images are dark: plasticity takes their weights away, noise keeps them.
    def border(fields: Any) -> float:
        return float(fields[:, :, [0, -1]].sum() / fields.sum())

    assert border(small.arrays["control fields"]) == pytest.approx(0.25, abs=0.05)
    assert border(small.arrays["receptive fields"]) < border(small.arrays["control fields"]) - 0.02


@pytest.mark.slow
def test_a_silent_network_does_not_pass(tmp_path: Path) -> None:
    settings = {**SMALL, "input_gain": "0", "minimum_spikes": "0", "control": "off", "n_training": "2", "shown": "5 ms"}
    result = run_study("unsupervised", settings, target="numpy", out=tmp_path / "out", draw=False)
    assert result.values["spikes an image"] == 0
    assert {claim.verdict for claim in result.claims} == {"silent"}
    assert "plasticity matters" in result.not_applicable, "the control was switched off"
    assert result.values["images shown again"] == 0


@pytest.mark.cpp
def test_images_that_nothing_answers_are_shown_again_and_cost_their_time(tmp_path: Path) -> None:
    settings = {**SMALL, "input_gain": "0", "control": "off", "n_training": "2", "shown": "5 ms"}
    result = run_study("unsupervised", settings, target="cpp", out=tmp_path / "out", draw=False)
    assert result.values["images shown again"] == 1
    assert result.values["simulated time an image"] / ms == pytest.approx(5 * (1 + 20))


@pytest.mark.parametrize(("key", "value"), [("dataset", "digit"), ("neuron", "nobody"), ("rule", "static")])
def test_what_cannot_be_is_refused(tmp_path: Path, key: str, value: str) -> None:
    with pytest.raises(BiosnnError, match=value) as caught:
        run_study("unsupervised", {**SMALL, key: value}, target="numpy", out=tmp_path / "out")
    assert (key == "dataset") == isinstance(caught.value, SettingsError)


@pytest.mark.cpp
def test_a_trained_network_is_tested_anew_and_trained_on(small: Any, tmp_path: Path) -> None:
    network = {"network": str(small.files["seed-1.npz"])}
    tested = run_study("unsupervised", network, target="cpp", out=tmp_path / "tested", draw=False)
    assert tested.settings["neurons"] == "10", "it brings the settings that it was trained with"
    assert (tested.settings["n_training"], tested.settings["control"]) == ("0", "off")
    np.testing.assert_array_equal(tested.arrays["receptive fields"], small.arrays["receptive fields"])
    assert tested.arrays["confusion"].sum() == 10
    assert "training images shown again" not in tested.values
    learned_on = run_study(
        "unsupervised", {**network, "n_training": "6"}, target="cpp", out=tmp_path / "on", draw=False
    )
    assert not np.array_equal(learned_on.arrays["receptive fields"], small.arrays["receptive fields"])
    assert np.asarray(learned_on.arrays["thresholds"]).max() > np.asarray(small.arrays["thresholds"]).max()
    assert load_network(learned_on.files["seed-1.npz"]).n_training == 18
    assert (
        load_network(learned_on.files["seed-1.npz"]).held_out.tolist()
        == load_network(network["network"]).held_out.tolist()
    )


@pytest.mark.slow
@pytest.mark.cpp
def test_a_network_takes_another_rule_but_no_other_size(small: Any, tmp_path: Path) -> None:
    network = {"network": str(small.files["seed-1.npz"])}
    for change, message in (
        ({"neurons": "11"}, r"neurons: expected 10, as the network has \(got 11\)"),
        ({"network": str(tmp_path / "no.npz")}, "no.npz' does not exist"),
        ({"network": "nobody"}, "No network named 'nobody'"),
    ):
        with pytest.raises(BiosnnError, match=message):
            run_study("unsupervised", {**network, **change}, target="numpy", out=tmp_path / "out")
    other = run_study(
        "unsupervised",
        {**network, "rule": "stdp_diehl_cook_power", "rule_preset": "", "n_training": "3"},
        target="cpp",
        out=tmp_path / "out",
        draw=False,
    )
    assert "stdp_diehl_cook_power" in {model["name"] for model in other.provenance["models"]}


def test_without_training_there_is_nothing_to_test(tmp_path: Path) -> None:
    with pytest.raises(
        SettingsError, match=r"n_training: expected at least 1 \(got 0\). Without training, give network="
    ):
        run_study("unsupervised", {**SMALL, "n_training": "0"}, target="numpy", out=tmp_path / "out")


@pytest.mark.slow
@pytest.mark.cpp
def test_a_run_that_was_stopped_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = {**SMALL, "checkpoint": "6", "control": "off"}
    whole = run_study("unsupervised", settings, target="cpp", out=tmp_path / "whole", draw=False)
    keep = Checkpoints.keep

    def keep_and_die(self: Checkpoints, number: int, history: TrainingHistory) -> None:
        keep(self, number, history)
        raise KeyboardInterrupt

    monkeypatch.setattr(Checkpoints, "keep", keep_and_die)
    with pytest.raises(KeyboardInterrupt):
        run_study("unsupervised", settings, target="cpp", out=tmp_path / "out", draw=False)
    monkeypatch.undo()
    assert [path.name for path in tmp_path.iterdir() if "out" in path.name] == [".out.checkpoint"]
    resumed = run_study("unsupervised", settings, target="cpp", out=tmp_path / "out", draw=False)
    assert "network 1 goes on after 6 presentations" in capsys.readouterr().err
    np.testing.assert_array_equal(resumed.arrays["receptive fields"], whole.arrays["receptive fields"])
    np.testing.assert_array_equal(resumed.arrays["confusion"], whole.arrays["confusion"])
    assert not (tmp_path / ".out.checkpoint").exists()


@pytest.mark.parametrize(
    ("neurons", "decay", "inhibition"), [(100, 2500, 30), (200, 5000, 30), (400, 0, 30), (6400, 0, 17)]
)
def test_thresholds_of_networks_for_large_images_adapt_by_their_size(
    neurons: int, decay: float, inhibition: float
) -> None:
    settings = make_settings(load_study("unsupervised").settings, {"dataset": "mnist", "neurons": str(neurons)})
    assert (settings.tau_theta / second, settings.inhibition) == (decay, inhibition)


def test_a_cell_with_other_ways_to_adapt_keeps_its_own() -> None:
    make = load_study("unsupervised").settings
    for change in ({"neuron": "./mine.toml"}, {"neuron_preset": "published_code"}, {"dataset": "digits"}):
        assert make_settings(make, {"dataset": "mnist", **change}).tau_theta == 0 * second


@pytest.mark.parametrize(
    ("study", "old", "new"),
    [
        ("unsupervised", "lessons", "n_training"),
        ("unsupervised", "training", "training_images"),
        ("unsupervised", "labelled", "n_labelling"),
        ("unsupervised", "settle", "reset_state"),
        ("unsupervised", "fewest_spikes", "minimum_spikes"),
        ("unsupervised", "brighter", "intensity_step"),
        ("coding", "lessons", "n_training"),
        ("coding", "labelled", "n_labelling"),
    ],
)
def test_a_setting_of_an_earlier_name_is_answered_with_that_of_now(study: str, old: str, new: str) -> None:
    made = load_study(study).settings
    assert new in {info.name for info in describe_settings(made)}
    with pytest.raises(SettingsError, match=rf"Setting {old}: it is called {new} now. Write {new}=12\."):
        make_settings(made, {old: "12"})


@pytest.mark.slow
@pytest.mark.cpp
def test_the_network_of_the_catalogue_is_tested_at_once(tmp_path: Path) -> None:
    result = run_study("unsupervised", {"network": "digits_100"}, out=tmp_path / "out", draw=False)
    assert result.values["accuracy"] > 0.8
    assert result.verdict == "pass"


@pytest.mark.slow
@pytest.mark.cpp
def test_the_main_job_passes_its_own_check(tmp_path: Path) -> None:
    result = run_study("unsupervised", out=tmp_path / "out")
    assert result.verdict == "pass"
    assert result.values["accuracy"] > 0.86
