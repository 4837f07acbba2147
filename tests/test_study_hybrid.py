"""The study of hybrid networks: its shortcuts give what hybrids themselves do, and its values say what was measured."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from conversion_networks import pooled, residual

import biosnn
from biosnn.ann import reference
from biosnn.conversion import convert, decisions, to_hybrid
from biosnn.conversion.running import How
from biosnn.engine import session
from biosnn.errors import SettingsError
from biosnn.study.ann_data import Pictures
from biosnn.study.load import load_study

FEW = {"model": "digits_mlp", "images": "40", "calibration": "100", "steps": "12", "marks": "2"}
STUDY = load_study("hybrid")
CLAIMS = {claim.name: claim for claim in STUDY.claims}
CUTS, CLAMPED, OUTCOME = (
    importlib.import_module(f"{STUDY.run.__module__}.{name}") for name in ("cuts", "clamped", "outcome")
)


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return biosnn.run_study("hybrid", FEW, target="numpy", out=tmp_path_factory.mktemp("study") / "out")


@pytest.mark.parametrize("make", [residual, pooled])
def test_one_run_of_the_whole_and_clamped_layers_give_what_hybrids_do(make: Any) -> None:
    graph = make()
    images = np.random.default_rng(0).random((6, *graph.input.shape)).astype(np.float32)
    whole = convert(graph, images, method="max")
    labels = decisions(reference(graph).outputs(images))
    pictures = Pictures(graph, None, images, images, labels, "at random")
    layers = len(CUTS.relus(whole.graph))
    how = How(8, True, None, "float64", None, None, (1, 3, 8))
    first = [to_hybrid(whole, f"first {k}") for k in range(1, layers + 1)]
    last = [to_hybrid(whole, f"last {k}") for k in range(1, layers)]
    with session("numpy") as sim:
        begun = CUTS.first_layers(sim, whole, first, pictures, how)
        ended = CLAMPED.last_layers(sim, whole, last, images, CUTS.replace(how, each=False))
        tried = (first[layers // 2], last[-1])
        own = [net.run(images, 8, marks=(1, 3), sim=sim, precision="float64") for net in tried]
    outcomes = (begun.outcomes[layers // 2], CUTS.outcome_of(last[-1], *ended[-1], pictures, own[0].marks))
    for found, meant in zip(outcomes, own, strict=True):
        np.testing.assert_allclose(found.outputs, meant.outputs, rtol=1e-4, atol=1e-5)
        assert found.spikes_an_image == pytest.approx(meant.spikes_an_image)
        assert found.at(3).spikes_an_image == pytest.approx(meant.at(3).spikes_an_image)
        assert set(found.counts) == set(meant.counts)


def test_what_it_measures(result: Any) -> None:
    values, arrays = result.values, result.arrays
    assert all(claim.active(result) for claim in CLAIMS.values())
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


def test_steps_needed_begin_where_a_curve_stays_high_enough() -> None:
    marks = np.array([1, 2, 4, 8])
    curves = np.array([[0.9, 0.5, 0.9, 0.9], [0.9, 0.9, 0.9, 0.9], [0.9, 0.9, 0.9, 0.8], [0.1, 0.1, 0.1, 0.9]])
    assert list(OUTCOME.needed(curves, marks, 0.9)) == [4, 1, np.inf, 8]
    assert list(OUTCOME.needed(curves, marks, np.array([0.5, 0.95, 0.8, 0.1]))) == [1, np.inf, 1, 1]
    assert OUTCOME.part_of(4.0, np.inf, 8) == 0.5
    assert OUTCOME.part_of(np.inf, 8.0, 8) == np.inf


def test_marks_and_cuts() -> None:
    assert CUTS.marks_to(16, 1) == (1, 2, 4, 8, 16)
    assert CUTS.marks_to(12, 4) == (1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12)
    assert CUTS.thinned(5, 0) == CUTS.thinned(5, 9) == [1, 2, 3, 4]
    assert CUTS.thinned(20, 3) == [1, 10, 19]
    assert CUTS.thinned(20, 1) == [1]


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
    assert all(claim.active(found()) and claim.holds(found()) for claim in CLAIMS.values())
    half = CLAIMS["half the time"]
    assert not half.holds(found(resampled_part=np.append(np.full(8, 0.5), [0.6, 0.6])))
    worse = found()
    worse.values["best cut, part of the steps, other half"] = 0.6
    assert not half.holds(worse)
    assert not CLAIMS["each layer that spikes takes time"].holds(found(resampled_single_part=np.ones(10)))
    assert not CLAIMS["error grows with depth"].holds(found(layer_errors=np.array([[0.3, 0.1], [0.5, 0.1]])))
    for silent in ({"rate": np.zeros(1)}, {"lowest_rate": np.zeros(1)}, {"accuracy_of_the_ANN": 0.1}):
        assert not any(claim.active(found(**silent)) for claim in CLAIMS.values())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"data": "none.npz"}, "none.npz"),
        ({"marks": "0"}, "marks"),
        ({"start": "1.0"}, "start"),
        ({"cuts": "-1"}, "cuts"),
    ],
)
def test_settings_that_make_no_sense(tmp_path: Path, given: dict[str, str], message: str) -> None:
    with pytest.raises(biosnn.errors.BiosnnError, match=message):
        biosnn.run_study("hybrid", FEW | given, target="numpy", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_networks_that_cannot_be_cut(tmp_path: Path) -> None:
    images = np.random.default_rng(0).random((4, 1, 8, 8)).astype(np.float32)
    from biosnn.conversion import save

    save(convert("digits_mlp", images, input="poisson"), tmp_path / "net.npz")
    with pytest.raises(SettingsError, match="model: expected a network of the code 'rate', the input 'analog'"):
        biosnn.run_study("hybrid", FEW | {"model": str(tmp_path / "net.npz")}, target="numpy", out=tmp_path / "out")
