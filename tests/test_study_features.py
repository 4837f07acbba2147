"""The study `features`: small, and which images it looks at."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from brian2 import ms
from sklearn.linear_model import LogisticRegression

import biosnn
from biosnn.datasets import idx, registry
from biosnn.errors import BiosnnError
from biosnn.learning import assign_labels
from biosnn.learning.layers import load_layers, respond
from biosnn.run import run_study
from biosnn.study import load_study, make_settings

SMALL = {
    "networks": "1",
    "maps": "4",
    "cells": "12",
    "winners": "2",
    "map_presentations": "40",
    "presentations": "60",
    "n_labelling": "100",
}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return run_study("features", SMALL, target="cpp", out=tmp_path_factory.mktemp("features") / "out")


@pytest.mark.cpp
def test_a_small_network_gives_all_that_the_report_needs(small: Any) -> None:
    assert small.arrays["cell fields"].shape == (12, 8, 8)
    assert small.arrays["kernels"].shape == (4, 3, 3, 2)
    assert small.arrays["confusion"].sum() == 299
    assert small.values["answers per image"] == 2
    assert small.values["test images looked at"] == 0
    for name in ("without plasticity", "with random kernels", "with kernels of k-means"):
        assert small.values[f"accuracy {name}"] > 0
    assert small.values["accuracy, decision by reward"] > 0
    noise = small.arrays["robustness, noise"]
    assert noise.shape == (3, 5)
    assert noise[1, 0] == small.values["k-means of pixels"]  # without noise nothing changes
    assert noise[0, 0] == small.values["accuracy of the first network"]
    assert small.arrays["robustness, spikes of contrast cells lost"][0, 0] == noise[0, 0]
    assert small.arrays["robustness, spikes of maps lost"][0, 0] == noise[0, 0]
    assert small.values["k-means, 10 labels"] > 0.3
    figures = {path.stem for path in (small.folder / "figures").glob("*.png")}
    assert figures == {"accuracy", "few-labels", "robustness", "kernels", "cell-fields", "activity"}


@pytest.mark.cpp
def test_a_cell_stands_for_the_class_that_it_answers_best(small: Any) -> None:
    study = load_study("features")
    parts = sys.modules[study.settings.__module__].parts_of(make_settings(study.settings, SMALL), 1)
    trained = load_layers(small.folder / "files" / "seed-1.npz")
    *before, cells = trained.layers.layers
    alone = replace(trained, layers=replace(trained.layers, layers=(*before, replace(cells, winners=1))))
    with biosnn.session("cpp", seed=1, dt=1 * ms, precision="float32") as sim:
        (one,) = respond(sim, [alone], parts.data, parts.labelling)
        (two,) = respond(sim, [trained], parts.data, parts.labelling)
    labels = [assign_labels(answers, parts.data.labels[parts.labelling], 10).tolist() for answers in (one, two)]
    assert labels[0] == small.arrays["cell labels"].tolist() != labels[1]


def test_settings_reach_the_layers() -> None:
    study = load_study("features")
    given = {"maps_2": "6", "threshold_2": "0.7", "learners": "3", "map_learners": "2", "pool_2": "2"}
    first, _, second, _, cells = (
        sys.modules[study.settings.__module__].layers_of(make_settings(study.settings, {**SMALL, **given})).layers
    )
    assert (first.maps, first.threshold, first.learners) == (4, 2.0, 2)
    assert (second.maps, second.threshold, second.learners) == (6, 0.7, 2)
    assert (cells.size, cells.winners, cells.learners) == (12, 2, 3)


def test_the_penalty_of_supervised_readouts_is_chosen_on_labelled_images() -> None:
    study = load_study("features")
    decoders = sys.modules[f"{study.settings.__module__}.decoders"]
    labels = (np.random.default_rng(1).random(500) < 0.2).astype(int)
    # One weak sign of a rare class: with a strong penalty the class that is frequent would always be named.
    sign = 0.3 * labels[:, None] + np.random.default_rng(2).normal(0, 0.01, (500, 1))
    strong, chosen = decoders.CHOICES[0], decoders.best_C(LogisticRegression(), sign, labels)
    assert chosen > strong
    assert LogisticRegression(C=chosen).fit(sign, labels).score(sign, labels) > 0.95
    assert LogisticRegression(C=strong).fit(sign, labels).score(sign, labels) < 0.85
    # Where all are as good, the simplest classifier is taken.
    assert decoders.best_C(LogisticRegression(), 100 * sign, labels) == strong
    for readout in (decoders.linear_readout, decoders.support_vectors):
        assert (readout(sign[:400], labels[:400], sign[400:]) == labels[400:]).mean() > 0.95


@pytest.mark.cpp
def test_silent_maps_tell_nothing_of_the_cells(tmp_path: Any) -> None:
    # Cells answer all the same, as the urgency grows, and a pooled map that never spikes would go unnoticed.
    off = dict.fromkeys(("controls", "baselines", "robustness", "reward"), "off")
    silent = run_study("features", {**SMALL, **off, "threshold": "1000"}, target="cpp", out=tmp_path / "out")
    assert silent.values["spikes per image, pooled maps"] == 0
    assert silent.values["answers per image"] == 2
    assert {claim.verdict for claim in silent.claims} == {"silent"}


def test_test_images_are_not_even_read_while_anything_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []

    class Files(idx.IdxSet):
        def _bytes(self, name: str) -> bytes:
            opened.append(name)
            images, count = "images" in name, 60 if "train" in name else 10
            axes = (count, 8, 8) if images else (count,)
            content = np.arange(count)[:, None, None] * np.ones((1, 8, 8)) if images else np.arange(count) % 5
            return b"\0\0\x08" + bytes([len(axes)]) + np.array(axes, ">i4").tobytes() + content.astype("u1").tobytes()

    files = Files("small", "a test", (), {})
    monkeypatch.setitem(registry._LOADERS, "mnist", partial(registry._idx, "mnist", files))
    study = load_study("features")
    parts_of = sys.modules[study.settings.__module__].parts_of
    settings = make_settings(study.settings, {"dataset": "mnist", "judged": "validation"})
    parts = parts_of(settings, 1)
    assert opened == list(idx.PARTS[:2])
    assert len(parts.data.images) == 60
    assert len(parts.judged) == 10
    assert set(parts.judged) | set(parts.learned) == set(range(60))
    assert not set(parts.judged) & set(parts.learned)
    parts = parts_of(replace(settings, judged="test"), 1)
    np.testing.assert_array_equal(parts.judged, np.arange(60, 70))
    assert set(parts.labelling) <= set(parts.learned) == set(range(60))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"judged": "test"}, "digits has no test images of its own"),
        ({"n_labelling": "5000"}, "n_labelling: expected 0, or from 50 to 1498 images"),
        ({"n_labelling": "5"}, "n_labelling: expected 0, or from 50 to 1498 images"),
        ({"reward_cells": "5"}, "Cells.classes: expected at most 5"),
        ({"kernel": "9"}, "Convolution.kernel: expected at most 8"),
        ({"maps": "0", "maps_2": "4"}, "maps_2: expected 0, as there are no maps"),
        ({"pool": "7"}, "Pool.size: expected at most 6"),
        ({"centre": "2"}, "smaller than the surround"),
        ({"rule": "stdp_pairs"}, "stdp_pair"),
        ({"rule": "stdp_order", "counts": "on"}, "the rule 'stdp_order' has no parameter x_keep"),
    ],
)
def test_settings_that_make_no_sense_are_refused_before_anything_is_learned(
    change: dict[str, str], message: str, tmp_path: Any
) -> None:
    with pytest.raises(BiosnnError) as caught:
        run_study("features", {**SMALL, **change}, target="numpy", out=tmp_path / "out")
    assert message in str(caught.value)
    assert not (tmp_path / "out").exists()
