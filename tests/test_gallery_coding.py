"""Studies of codes, tempotron and rank order: each small, with controls that must fail and claims that can."""

import runpy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from biosnn.catalogue import study_folder
from biosnn.run import run_study
from biosnn.study import load_study


def verdicts(result: Any) -> dict[str, str]:
    return {claim.name: claim.verdict for claim in result.claims}


def claim_of(study: str, name: str) -> Any:
    return next(claim for claim in load_study(study).claims if claim.name == name)


# ---- Gutig & Sompolinsky 2006 ------------------------------------------------------------------------------------

TEMPOTRON = "gutig_sompolinsky_2006"


@pytest.fixture(scope="module")
def rule() -> dict[str, Any]:
    return runpy.run_path(str(study_folder(TEMPOTRON) / "learning.py"))


def test_the_largest_potential_is_that_of_a_fine_grid(rule: dict[str, Any]) -> None:
    """The sum of kernels at every 10 us, against the closed form."""
    random = np.random.default_rng(3)
    kernel = rule["Kernel"](15.0, 3.75)
    grid = np.linspace(0, 200, 20001)
    assert kernel(grid).max() == pytest.approx(1, abs=1e-6)
    tasks = rule["draw"](kernel, [6, 8], 20, 200.0, 0.1, random)
    weights = np.pad(random.normal(0, 0.5, (2, 20)), ((0, 0), (0, 1)))
    potential, time = tasks.highest(np.arange(14), weights)
    for row in range(14):
        own = weights[int(row >= 6)]
        trace = kernel(grid[:, None] - tasks.times[row]) @ own[tasks.afferents[row]]
        assert potential[row] == pytest.approx(trace.max(), abs=1e-4)
        if trace.max() > 0.01:
            assert time[row] == pytest.approx(grid[trace.argmax()], abs=0.02)


def test_few_patterns_are_learned_unless_weights_change_at_random_times(rule: dict[str, Any]) -> None:
    def learned(**options: Any) -> Any:
        random = np.random.default_rng(5)
        tasks = rule["draw"](rule["Kernel"](15.0, 3.75), [20, 20], 20, 500.0, 0.1, random)
        if options:
            options = {"when": lambda time: random.uniform(0, 500, len(time))}
        needed, weights, errors = rule["learn"](tasks, 2e-3, 0.99, 150, random, **options)
        potential, _ = tasks.highest(np.arange(40), weights)
        return needed, (potential >= 1) == tasks.fires, errors

    needed, right, errors = learned()
    assert np.all(np.isfinite(needed))
    assert right.all(), "weights are those of a cycle without an error"
    assert errors[0].mean() > 0.2 > errors[-1].max() == 0
    needed, right, errors = learned(random=True)
    assert np.all(np.isinf(needed))
    assert errors[-20:].mean() > 0.2


SMALL = {"afferents": "20", "loads": "1, 1.5", "draws": "2", "rate": "0.002", "cycles": "200", "control_cycles": "20"}


@pytest.fixture(scope="module")
def tempotron(tmp_path_factory: Any) -> Any:
    settings = {**SMALL, "control_draws": "2", "shown": "6", "dt": "0.5 ms"}
    return run_study(TEMPOTRON, settings, target="numpy", out=tmp_path_factory.mktemp("tempotron") / "out")


def test_a_learned_neuron_answers_in_brian2_as_it_was_taught(tempotron: Any) -> None:
    assert not tempotron.figure_error
    assert tempotron.values["answers alike in Brian2"] == 1
    assert 1 <= tempotron.values["patterns answered in Brian2"] <= 5
    assert verdicts(tempotron)["the neuron"] == verdicts(tempotron)["gradient"] == "pass"
    assert tempotron.values["learned beyond the capacity"] == tempotron.values["learned at a random time"] == 0
    assert {path.stem for path in (tempotron.folder / "figures").glob("*.png")} == {"capacity", "potentials"}


def test_the_claims_about_the_tempotron_can_fail(tempotron: Any) -> None:
    good = {"highest load": 2.25, "learned at the highest load": 1.0, "right with other times": 0.5}
    good |= {"errors at a random time": 0.45, "errors beyond the capacity": 0.2}
    for claim, wrong in {
        "more than a perceptron": {"learned at the highest load": 0.3},
        "the neuron": {"answers alike in Brian2": 0.9},
        "gradient": {"update and gradient apart": 0.5},
        "control: random time": {"learned at a random time": 0.5},
        "control: too many": {"learned beyond the capacity": 1.0},
        "control: other times": {"right with other times": 0.9},
    }.items():
        claimed = claim_of(TEMPOTRON, claim)
        assert claimed.holds(replace(tempotron, values={**tempotron.values, **good}))
        assert not claimed.holds(replace(tempotron, values={**tempotron.values, **good, **wrong}))
        silent = {name: value for name, value in tempotron.values.items() if "Brian2" not in name}
        assert not claimed.minimum_activity(replace(tempotron, values=silent))


@pytest.mark.cpp
@pytest.mark.slow
def test_about_three_patterns_are_learned_for_each_afferent(tmp_path: Any) -> None:
    result = run_study(TEMPOTRON, target="cpp", out=tmp_path / "out")
    assert result.verdict == "pass"
    assert [row.verdict for row in result.rows] == ["pass"] * 4


# ---- Thorpe & Gautrais 1998 --------------------------------------------------------------------------------------

RANKS = "thorpe_1998"


@pytest.fixture(scope="module")
def retina() -> dict[str, Any]:
    return runpy.run_path(str(study_folder(RANKS) / "retina.py"))


def test_a_picture_comes_back_from_all_contrasts(retina: dict[str, Any]) -> None:
    """Without gaps between cells nothing is lost but the mean; with them, little of a natural picture."""
    picture = retina["dead_leaves"](32, np.random.default_rng(1))
    assert abs(picture.mean()) < 1e-12
    dense = retina["Retina"](32, 1)
    np.testing.assert_allclose(dense.picture(dense.contrasts(picture)), picture, atol=1e-9)
    several = retina["Retina"](32, 4)
    assert several.sites == 32**2 + 16**2 + 8**2 + 4**2
    read = several.picture(several.contrasts(picture))
    assert np.corrcoef(read.ravel(), picture.ravel())[0, 1] > 0.95
    # A site's contrast is that of its own field: on-centre is positive.
    spot = np.zeros((32, 32))
    spot[8, 4] = 1
    assert several.contrasts(spot)[: 32**2].argmax() == 8 * 32 + 4


def test_leaves_have_edges_and_the_spectrum_of_natural_pictures(retina: dict[str, Any]) -> None:
    random = np.random.default_rng(2)
    power = np.mean([np.abs(np.fft.fft2(retina["dead_leaves"](64, random))) ** 2 for _ in range(8)], axis=0)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(64), np.fft.fftfreq(64)))
    used = (frequency > 0.03) & (frequency < 0.3)
    slope, _ = np.polyfit(np.log(frequency[used]), np.log(power[used]), 1)
    assert -3 < slope < -1.5  # about 1/f**2


@pytest.fixture(scope="module")
def ranks(tmp_path_factory: Any) -> Any:
    settings = {"size": "32", "scales": "4", "pictures": "2", "learned": "3", "trials": "1000", "dt": "0.05 ms"}
    settings |= {"duration": "15 ms"}
    return run_study(RANKS, settings, target="numpy", out=tmp_path_factory.mktemp("ranks") / "out")


def test_a_picture_is_read_from_the_order_of_spikes_and_not_from_a_random_one(ranks: Any) -> None:
    assert not ranks.figure_error
    assert set(verdicts(ranks).values()) == {"pass"}
    assert ranks.values["bits in the order of five spikes"] == pytest.approx(np.log2(120), abs=0.05)
    assert (
        ranks.values["correlation after 5 percent"]
        > 0.7
        > 0.35
        > abs(ranks.values["correlation after 5 percent, random order"])
    )
    assert {path.stem for path in (ranks.folder / "figures").glob("*.png")} == {"pictures", "quality"}


def test_the_claims_about_the_order_can_fail(ranks: Any) -> None:
    for claim, wrong in {
        "few spikes tell much": {"correlation after 5 percent": 0.6},
        "ranks suffice": {"correlation after 5 percent, contrasts": 0.99},
        "control: random order": {"correlation after 5 percent, random order": 0.6},
        "bits": {"bits in the order of five spikes": 5.0},
    }.items():
        claimed = claim_of(RANKS, claim)
        assert not claimed.holds(replace(ranks, values={**ranks.values, **wrong}))
        assert not claimed.minimum_activity(replace(ranks, values={**ranks.values, "cells that fire": 0.0}))


@pytest.mark.cpp
@pytest.mark.slow
def test_pictures_of_the_default_size_are_read(tmp_path: Any) -> None:
    result = run_study(RANKS, target="cpp", out=tmp_path / "out")
    assert result.verdict == "pass"
