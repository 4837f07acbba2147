"""Studies of single neurons after the classics: each small, with the control that must fail."""

from dataclasses import replace

import numpy as np
import pytest
from brian2 import Hz, ms, mV

from biosnn.run import run_study
from biosnn.study import load_study


def verdicts(result):
    return {claim.name: claim.verdict for claim in result.claims}


def claim_of(study, name):
    return next(claim for claim in load_study(study).claims if claim.name == name)


# ---- Hodgkin & Huxley 1952 ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def axon(tmp_path_factory):
    settings = {"dt": "0.05 ms", "duration": "0.4 s", "points": "9", "finest": "0.02 uA/cm**2"}
    folder = tmp_path_factory.mktemp("axon") / "out"
    return run_study("hodgkin_huxley_1952", settings, target="cpp", out=folder)


@pytest.mark.cpp
def test_the_axon_has_its_threshold_its_hopf_points_and_two_states(axon):
    assert verdicts(axon) == dict.fromkeys(
        ("threshold", "class 2", "two states", "linear frequency", "control"), "pass"
    )
    assert [row.name for row in axon.rows if row.verdict == "fail"] == []
    assert axon.values["first Hopf point, later papers"] / axon.values["first Hopf point"] == pytest.approx(1.00043)
    assert {path.stem for path in (axon.folder / "figures").glob("*.png")} == {"threshold", "steps", "f-i", "stability"}


@pytest.mark.cpp
def test_without_potassium_activation_the_axon_does_not_go_on_firing(axon):
    assert axon.values["Hopf points without potassium activation"] == 0
    assert axon.values["spikes without potassium activation"] <= 1
    firing = replace(axon, arrays={**axon.arrays, "control rate": np.array([50.0, 0.0]) * Hz})
    assert not claim_of("hodgkin_huxley_1952", "control").holds(firing)


@pytest.mark.cpp
def test_an_axon_whose_rest_is_left_too_early_has_no_two_states(axon):
    claim = claim_of("hodgkin_huxley_1952", "two states")
    assert claim.holds(axon)
    left = replace(axon, arrays={**axon.arrays, "quiet rate": axon.arrays["quiet rate"] + 1 * Hz})
    assert not claim.holds(left)
    shifted = {**axon.arrays, "displacement fires": np.ones(len(axon.arrays["displacement"] / mV), dtype=bool)}
    assert not claim_of("hodgkin_huxley_1952", "threshold").holds(replace(axon, arrays=shifted))


# ---- Izhikevich 2004 ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def patterns(tmp_path_factory):
    folder = tmp_path_factory.mktemp("patterns") / "out"
    return run_study("izhikevich_2004", {"crossed": "false"}, target="numpy", out=folder)


def test_twenty_patterns_are_recognised_and_three_are_lost_by_euler(patterns):
    assert verdicts(patterns) == {"twenty patterns": "pass", "steps matter": "pass"}
    assert patterns.values["patterns recognised"] == 20
    assert patterns.values["wrong recognitions"] == 0
    assert patterns.values["patterns recognised by the method of Euler"] == 17
    assert [row.name for row in patterns.rows if row.verdict == "fail"] == []
    assert {path.stem for path in (patterns.folder / "figures").glob("*.png")} == {"patterns", "recognition"}


def test_a_rule_that_accepts_another_pattern_fails_the_claim(patterns):
    table = np.array(patterns.arrays["table"])
    table[0, 1] = True
    wrong = replace(patterns, arrays={**patterns.arrays, "table": table})
    assert not claim_of("izhikevich_2004", "twenty patterns").holds(wrong)


@pytest.mark.slow
def test_a_stimulus_alone_makes_no_pattern(tmp_path):
    result = run_study("izhikevich_2004", target="numpy", out=tmp_path / "out", draw=False)
    assert verdicts(result)["cells matter"] == "pass"
    assert result.values["other cells that show a pattern"] == 51
    everywhere = np.ones_like(result.arrays["shown by cell"])
    anyone = replace(result, arrays={**result.arrays, "shown by cell": everywhere})
    assert not claim_of("izhikevich_2004", "cells matter").holds(anyone)


# ---- Naud et al. 2008 --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    settings = {"dt": "0.1 ms", "duration": "1.2 s"}
    return run_study("naud_2008", settings, target="numpy", out=tmp_path_factory.mktemp("answers") / "out")


def test_eight_patterns_are_recognised_and_belong_to_their_cells(answers):
    assert verdicts(answers) == {"eight patterns": "pass", "cells matter": "pass"}
    assert answers.values["patterns recognised"] == 8
    assert answers.values["wrong recognitions"] == 0
    assert {path.stem for path in (answers.folder / "figures").glob("*.png")} == {"patterns", "recognition"}


def test_cells_that_all_show_a_pattern_fail_the_claims(answers):
    everywhere = np.ones_like(answers.arrays["table"])
    anyone = replace(answers, arrays={**answers.arrays, "table": everywhere, "shown by cell": everywhere})
    assert not claim_of("naud_2008", "eight patterns").holds(anyone)
    assert not claim_of("naud_2008", "cells matter").holds(anyone)


# ---- Brette & Gerstner 2005 --------------------------------------------------------------------------------------


def errors_names(suffix=""):
    pairs = [(one, other) for one in ("potential", "adaptation") for other in ("NEST", "DOP853")]
    return [f"mean relative error of the {one} against {other}{suffix}" for one, other in pairs]


def errors_of(result, suffix=""):
    return [result.values[name] for name in errors_names(suffix)]


@pytest.mark.cpp
def test_the_trace_is_that_of_nest_and_of_scipy(tmp_path):
    result = run_study("brette_gerstner_2005", {"dt": "0.0005 ms"}, target="cpp", out=tmp_path / "out")
    assert verdicts(result) == {"trace": "pass", "control": "pass", "rheobase": "pass"}
    potentials, adaptations = np.split(np.array(errors_of(result)), 2)
    assert potentials.max() < 5e-4
    assert adaptations.max() < 1e-4
    assert result.values["first spike"] / ms == pytest.approx(18.7153, abs=0.003)
    assert {path.stem for path in (result.folder / "figures").glob("*.png")} == {"trace", "errors"}


@pytest.mark.slow
def test_a_usual_time_step_does_not_meet_the_tolerance_and_a_wrong_parameter_is_noticed(tmp_path):
    result = run_study("brette_gerstner_2005", {"dt": "0.01 ms"}, target="numpy", out=tmp_path / "out", draw=False)
    assert verdicts(result) == {"trace": "fail", "control": "pass", "rheobase": "pass"}
    assert np.all(np.array(errors_of(result, ", wrong a")) > 5 * np.array(errors_of(result)))
    # A control that is no other neuron must fail.
    same = dict(zip(errors_names(", wrong a"), errors_of(result), strict=True))
    assert not claim_of("brette_gerstner_2005", "control").holds(replace(result, values={**result.values, **same}))


# ---- Rieke et al. 1997 -------------------------------------------------------------------------------------------


def test_a_stimulus_is_read_from_its_own_spikes_only(tmp_path):
    settings = {"neurons": "200", "duration": "4.2 s", "dt": "1 ms"}
    result = run_study("rieke_1997", settings, target="numpy", out=tmp_path / "out")
    assert verdicts(result)["control"] == "pass"
    for kind in ("LIF", "Poisson"):
        assert result.values[f"{kind}, coding fraction"] > 0.1
        low = result.values[f"{kind}, coherence at low frequencies"]
        assert low == pytest.approx(result.values[f"{kind}, coherence at low frequencies in theory"], rel=0.25)
    assert {path.stem for path in (result.folder / "figures").glob("*.png")} == {"reconstruction", "coherence"}
    own = result.values["LIF, information rate"]
    wrong = replace(result, values={**result.values, "LIF, information rate, spikes of another": own})
    assert not claim_of("rieke_1997", "control").holds(wrong)
