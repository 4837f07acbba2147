"""The studies stdp-window and stdp-frequency: quick settings, a rule in a file, and claims that can fail."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from biosnn.errors import SettingsError
from biosnn.run import run_study
from biosnn.study import Result, load_study

ROOT = Path(__file__).parent.parent
NAMES = ["depression", "triplets match", "pairs miss", "pairs do not rise"]


@pytest.fixture(scope="module")
def window(tmp_path_factory):
    settings = {"farthest": "60 ms", "step": "4 ms"}
    return run_study("stdp-window", settings, target="numpy", out=tmp_path_factory.mktemp("window") / "out")


@pytest.mark.slow
def test_every_rule_has_its_closed_form(window):
    assert window.verdict == "pass"
    assert [claim.verdict for claim in window.claims] == ["pass"] * 5
    assert window.values["rules with a closed form"] == 11
    for rule in ("stdp_pair", "stdp_pair_nearest", "stdp_pair_reduced", "stdp_pair_multiplicative", "stdp_pair_power"):
        assert window.values[f"{rule}, relative error"] < 1e-12
    assert {path.name for path in (window.folder / "figures").glob("*.png")} == {
        "bi-poo.png",
        *(f"windows-{what}{page}.png" for what in ("single", "trains") for page in ("", "-2", "-3")),
    }


def test_a_rule_in_a_file_is_measured(tmp_path):
    file = tmp_path / "mine.toml"
    text = (ROOT / "models/synapses/stdp_pair.toml").read_text(encoding="utf-8")
    file.write_text(
        text.replace('name = "stdp_pair"', 'name = "mine"').replace("A_plus*x", "2*A_plus*x"), encoding="utf-8"
    )
    settings = {"rules": f"stdp_pair,{file}", "farthest": "20 ms"}
    result = run_study("stdp-window", settings, target="numpy", out=tmp_path / "out", draw=False)
    assert result.verdict == "pass"
    after = result.arrays["single"] > 0
    ratio = result.arrays["mine, single"][after] / result.arrays["stdp_pair, single"][after]
    np.testing.assert_allclose(ratio, 2)
    assert result.values["rules with a closed form"] == 1
    assert "pairing schemes" not in [claim.name for claim in result.claims]


@pytest.mark.parametrize(
    ("rules", "message"),
    [("static", "rules that change their weight"), ("stdp_pair,stdp_pair", "each rule once")],
)
def test_rules_that_make_no_window_are_refused(tmp_path, rules, message):
    with pytest.raises(SettingsError, match=message):
        run_study("stdp-window", {"rules": rules}, target="numpy", out=tmp_path / "out")


@pytest.mark.parametrize(
    ("change", "fails"),
    [
        ({"A_plus*x": "1.0001*A_plus*x"}, {"closed form", "same step", "pairing schemes"}),
        ({'on_spike = "x += 1"': 'on_spike = "x = 1"'}, {"closed form"}),
    ],
)
def test_a_wrong_rule_fails_the_claims(tmp_path, monkeypatch, change, fails):
    """The claims can fail: the same study, with a catalogue whose pair rule is a little wrong."""
    from biosnn import catalogue

    text = (ROOT / "models/synapses/stdp_pair.toml").read_text(encoding="utf-8")
    for old, new in change.items():
        assert old in text
        text = text.replace(old, new)
    wrong = tmp_path / "stdp_pair.toml"
    wrong.write_text(text, encoding="utf-8")
    files = catalogue._files
    monkeypatch.setattr(
        catalogue, "_files", lambda kind: files(kind) | ({"stdp_pair": wrong} if kind == "synapses" else {})
    )
    settings = {"rules": "stdp_pair,stdp_pair_nearest,stdp_pair_reduced", "farthest": "20 ms"}
    result = run_study("stdp-window", settings, target="numpy", out=tmp_path / "out", draw=False)
    assert {claim.name for claim in result.claims if claim.verdict == "fail"} == fails


@pytest.fixture(scope="module")
def frequency(tmp_path_factory):
    settings = {"frequencies": "10 Hz, 50 Hz"}
    return run_study("stdp-frequency", settings, target="numpy", out=tmp_path_factory.mktemp("frequency") / "out")


def test_triplet_models_at_two_frequencies(frequency):
    """The values of the published parameters, computed independently."""
    models = [str(name) for name in frequency.arrays["models"]]
    changes = dict(zip(models, frequency.arrays["change"], strict=True))
    np.testing.assert_allclose(changes["minimal"], [0.119, 0.763, -0.332, 0.749], atol=6e-4)
    np.testing.assert_allclose(changes["full nearest"], [0.104, 0.624, -0.411, 0.619], atol=6e-4)
    assert [claim.name for claim in frequency.claims] == ["depression"]
    assert frequency.verdict == "pass"
    assert [path.name for path in (frequency.folder / "figures").glob("*.png")] == ["frequency.png"]


def test_a_step_that_does_not_divide_the_intervals_is_refused(tmp_path):
    with pytest.raises(SettingsError, match=r"a time step that divides every interval between spikes.*30"):
        run_study("stdp-frequency", {"frequencies": "30 Hz"}, target="numpy", out=tmp_path / "out")


@pytest.mark.cpp
def test_the_whole_protocol(tmp_path):
    result = run_study("stdp-frequency", target="cpp", out=tmp_path / "out", draw=False)
    assert result.verdict == "pass"
    assert [claim.name for claim in result.claims] == NAMES
    assert result.values["normalised error, minimal"] == pytest.approx(0.356, abs=6e-4)
    assert result.values["normalised error, pair, best fit"] == pytest.approx(7.58, abs=0.01)
    assert sum(row.verdict == "pass" for row in result.rows) == 23

    # A negative control that does not fail must fail the study.
    claims = {claim.name: claim for claim in load_study("stdp-frequency").claims}
    models = [str(name) for name in result.arrays["models"]]
    change = np.array(result.arrays["change"])
    for pair in ("pair, best fit", "pair, Bi and Poo"):
        change[models.index(pair)] = change[models.index("minimal")]
    values = {**result.values, "normalised error, pair, best fit": 0.4}
    good_pairs = Result(values, {**result.arrays, "change": change})
    assert not claims["pairs miss"].holds(good_pairs)
    assert not claims["pairs do not rise"].holds(good_pairs)
    silent = replace(good_pairs, arrays={**result.arrays, "change": 0 * change})
    assert not any(claims[name].minimum_activity(silent) for name in NAMES[1:])
    assert not claims["depression"].holds(silent)


# ---- rules that read the membrane ------------------------------------------------------------------------------

READS = """
kind = "synapse"
name = "reads"
summary = "At a presynaptic spike, a weight changes with the membrane potential."
source = "A test"
equations = "w : 1"
on_pre = "w += eta*v_post"
[parameters]
eta = { value = "1 /volt", meaning = "learning rate" }
[uses]
v_post = "volt"
"""


def test_a_rule_that_reads_the_membrane_has_its_window_with_a_neuron(tmp_path):
    """From -5 mV after the spike, held for 5 ms, the potential returns with the time constant of 10 ms of `lif`."""
    rule, cell = tmp_path / "reads.toml", tmp_path / "cell.toml"
    rule.write_text(READS)
    text = (ROOT / "models/neurons/lif.toml").read_text(encoding="utf-8")
    cell.write_text(text.replace('v_reset = { value = "0 mV"', 'v_reset = { value = "-5 mV"'))
    settings = {"rules": f"stdp_pair,{rule}", "farthest": "30 ms", "step": "1 ms", "frequency": "10 Hz"}
    settings |= {"neuron": str(cell)}
    result = run_study("stdp-window", settings, target="numpy", out=tmp_path / "out", draw=False)
    assert result.verdict == "pass", "the pair rule still has its closed form: spikes come at the times given"
    lag = np.round(np.asarray(result.arrays["single"]) * 1e3)
    after = np.maximum(-lag - 4, 0)
    expected = np.where(lag < 0, -5e-3 * np.exp(-after / 10), 0)
    # Together with the postsynaptic spike, the rule sees the jump by which that was made, a time step later.
    expected[lag == 0] = 80e-3 * np.exp(-0.1)
    np.testing.assert_allclose(result.arrays["reads, single"], expected, rtol=1e-9, atol=1e-12)


def test_the_rule_of_clopath_depresses_after_a_postsynaptic_spike_and_needs_two_to_potentiate(tmp_path):
    """Clopath et al. 2010: pairs at a low frequency depress only."""
    settings = {"rules": "clopath", "neuron": "adex_clopath", "dt": "0.1 ms", "farthest": "20 ms", "step": "10 ms"}
    result = run_study("stdp-window", settings, target="numpy", out=tmp_path / "out", draw=False)
    window = result.arrays["clopath, single"]
    assert (window[:2] < -1e-3).all()
    assert np.abs(window[2:]).max() < 1e-5
    assert result.arrays["clopath, trains"].max() > 0.05, "40 Hz"
    assert "homes of traces" not in [claim.name for claim in result.claims], "its trace can only live on the neuron"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rules": "clopath"}, "neuron: expected a neuron, as clopath reads u_post, u_plus_post, u_minus_post"),
        ({"neuron": "encoder_ttfs"}, "neuron: expected a neuron that spikes when one of its differential equations"),
        (
            {"neuron": "lif", "jump": "5 mV"},
            r"spikes at the 1 times it is made to.*got 'lif with 0 spikes, at \[\] ms'",
        ),
        ({"neuron": "if_soft"}, "It is added to v of the neuron if_soft"),
    ],
)
def test_a_neuron_that_gives_no_window_is_refused(tmp_path, settings, message):
    settings = {"rules": "stdp_pair", "farthest": "10 ms", **settings}
    with pytest.raises(SettingsError, match=message):
        run_study("stdp-window", settings, target="numpy", out=tmp_path / "out")
