"""The study `unsupervised`: small on the NumPy target, and in full."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from biosnn.errors import BiosnnError, SettingsError
from biosnn.study.run import run_study

SMALL = {
    "classes": "3",
    "neurons": "10",
    "networks": "1",
    "lessons": "12",
    "training": "12",
    "held_out": "10",
    "shown": "100 ms",
    "rest": "0 ms",
}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return run_study("unsupervised", SMALL, target="numpy", out=tmp_path_factory.mktemp("small") / "out")


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


def test_a_small_network_is_not_held_to_what_the_large_one_learns(small: Any) -> None:
    assert small.left_out == ("accuracy", "chance", "learns")
    assert not [row for row in small.rows if row.verdict]


def test_learning_turns_noise_into_digits_and_no_learning_leaves_it(small: Any) -> None:
    # The border columns of these images are dark: plasticity takes their weights away, noise keeps them.
    def border(fields: Any) -> float:
        return float(fields[:, :, [0, -1]].sum() / fields.sum())

    assert border(small.arrays["control fields"]) == pytest.approx(0.25, abs=0.05)
    assert border(small.arrays["receptive fields"]) < border(small.arrays["control fields"]) - 0.02


def test_a_silent_network_does_not_pass(tmp_path: Path) -> None:
    settings = {**SMALL, "input_gain": "0", "fewest_spikes": "0", "control": "off", "lessons": "2", "shown": "5 ms"}
    result = run_study("unsupervised", settings, target="numpy", out=tmp_path / "out")
    assert result.values["spikes an image"] == 0
    assert {claim.verdict for claim in result.claims} == {"silent"}
    assert "plasticity matters" in result.left_out, "the control was switched off"


@pytest.mark.parametrize(("key", "value"), [("dataset", "digit"), ("neuron", "nobody"), ("rule", "static")])
def test_what_cannot_be_is_refused(tmp_path: Path, key: str, value: str) -> None:
    with pytest.raises(BiosnnError, match=value) as caught:
        run_study("unsupervised", {**SMALL, key: value}, target="numpy", out=tmp_path / "out")
    assert (key == "dataset") == isinstance(caught.value, SettingsError)


@pytest.mark.slow
@pytest.mark.cpp
def test_the_main_job_passes_its_own_check(tmp_path: Path) -> None:
    result = run_study("unsupervised", out=tmp_path / "out")
    assert result.verdict == "pass"
    assert result.values["accuracy"] > 0.86
