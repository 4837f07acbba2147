"""The study fi-curve: quick settings, any model by name or file, and claims that can fail."""

from pathlib import Path

import numpy as np
import pytest
from brian2 import Hz, Mohm, mV, second

from biosnn.errors import SettingsError
from biosnn.run import run_study
from biosnn.study import Result, load_study

QUICK = {"points": "13", "steps": "1 ms, 0.5 ms, 0.2 ms", "noise_steps": "0.8 ms, 0.1 ms", "neurons": "500"}
ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return run_study("fi-curve", QUICK, target="numpy", out=tmp_path_factory.mktemp("fi-curve") / "result")


def test_charging_and_f_i_agree_with_their_closed_forms(tmp_path):
    brief = {"points": "7", "duration": "0.5 s", "dt": "0.2 ms", "noise_steps": "0.8 ms, 0.2 ms", "neurons": "100"}
    result = run_study("fi-curve", QUICK | brief, target="numpy", out=tmp_path / "result", draw=False)
    verdicts = {claim.name: claim.verdict for claim in result.claims}
    assert {name: verdicts[name] for name in ("fires", "charging", "f-I")} == dict.fromkeys(
        ("fires", "charging", "f-I"), "pass"
    )
    assert result.values["charging curve, largest error"] < 1e-12
    assert [row.name for row in result.rows if row.verdict == "fail"] == []


@pytest.mark.slow
def test_rates_in_noise_agree_too(result):
    assert {claim.name: claim.verdict for claim in result.claims if claim.name != "convergence"} == {
        "fires": "pass",
        "charging": "pass",
        "f-I": "pass",
        "noise": "pass",
    }
    assert result.values["charging curve, largest error"] < 1e-12
    assert [row.name for row in result.rows if row.verdict == "fail"] == []
    # Fewer neurons than usual have larger errors than the tolerance allows for.
    assert len([name for name in result.not_applicable if name.startswith("rate in noise")]) == 5


@pytest.mark.slow
def test_its_figures_are_drawn(result):
    assert {path.name for path in (result.folder / "figures").glob("*.png")} == {
        "charging.png",
        "f-i.png",
        "noise.png",
        "convergence.png",
    }


@pytest.mark.parametrize("model", ["adex", "izhikevich", "if_soft", "lif_cond"])
def test_any_model_gets_its_f_i_curve_only(tmp_path, model):
    settings = {"model": model, "points": "7", "duration": "400 ms"}
    result = run_study("fi-curve", settings, target="numpy", out=tmp_path / "out")
    assert result.verdict == "pass"
    assert [claim.name for claim in result.claims] == ["fires"]
    assert result.values["highest rate"] > 5 * Hz
    assert result.arrays["rate"].shape == (7,)
    assert [path.name for path in (tmp_path / "out/figures").glob("*.png")] == ["f-i.png"]


def test_a_model_in_a_file_of_the_users_has_the_same_rights(tmp_path):
    file = tmp_path / "mine.toml"
    text = (ROOT / "models/neurons/lif.toml").read_text(encoding="utf-8")
    file.write_text(text.replace('name = "lif"', 'name = "mine"').replace("5 ms", "50 ms"), encoding="utf-8")
    settings = {"model": str(file), "points": "7", "drive_to": "2 nA", "duration": "1 second"}
    result = run_study("fi-curve", settings, target="numpy", out=tmp_path / "out")
    assert 15 * Hz < result.values["highest rate"] < 20 * Hz
    assert [model["name"] for model in result.provenance["models"]] == ["mine"]


def test_the_range_of_drives_is_found_by_trying(tmp_path):
    """A LIF fires from (v_th - E_L)/R on; from there to three times as much, in steps of a twelfth."""
    file = tmp_path / "strong.toml"
    text = (ROOT / "models/neurons/lif.toml").read_text(encoding="utf-8")
    file.write_text(text.replace('name = "lif"', 'name = "strong"').replace('"10 mV"', '"1000 mV"'), encoding="utf-8")
    settings = {"model": str(file), "points": "7", "duration": "400 ms"}
    result = run_study("fi-curve", settings, target="numpy", out=tmp_path / "out", draw=False)
    weakest = 1000 * mV / (50 * Mohm)
    assert 3 * weakest < result.arrays["drive"][-1] < 3 * weakest * 1.25
    assert "The neuron fires at a drive of" in result.answer


def test_the_old_name_of_the_study_is_understood():
    with pytest.warns(FutureWarning, match="The study lif is called fi-curve now"):
        assert load_study("lif").name == "fi-curve"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": "lif_adaptive"}, "expected a neuron model with an input of kind value"),
        ({"model": "adex", "drive": "J"}, "drive: No input of kind value named 'J'"),
    ],
)
def test_what_cannot_be_driven_is_refused(tmp_path, settings, message):
    with pytest.raises(SettingsError, match=message):
        run_study("fi-curve", settings, target="numpy", out=tmp_path / "out")


def test_a_silent_neuron_passes_no_claim():
    silent = Result(
        {
            "charging curve, largest error": 0.0,
            "f-I, largest error of an interval in steps": 0.0,
            "drives that fire below threshold, t_ref 0 ms": 0,
            "drives that fire below threshold, t_ref 5 ms": 0,
            "drives compared, t_ref 0 ms": 0,
            "drives compared, t_ref 5 ms": 0,
            "noise, largest deviation in standard errors": 0.0,
            "noise, fewest spikes": 0,
            "order of the error, f-I": 1.0,
        },
        {
            "charge": np.zeros(5),
            "rate": np.zeros(5) * Hz,
            "drive": np.zeros(5),
            "mu": np.zeros(5),
            "step": np.ones(5) * second,
        },
    )
    assert not any(claim.minimum_activity(silent) for claim in load_study("fi-curve").claims)
