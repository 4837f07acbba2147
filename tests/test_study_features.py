"""The study `features`: small, and which images it looks at."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from biosnn.datasets import idx, registry
from biosnn.errors import BiosnnError
from biosnn.run import run_study
from biosnn.study import load_study, make_settings

SMALL = {
    "networks": "1",
    "maps": "4",
    "cells": "12",
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
    assert small.values["answers per image"] == 1
    assert small.values["test images looked at"] == 0
    for name in ("without plasticity", "with random kernels", "with kernels of k-means"):
        assert 0 <= small.values[f"accuracy {name}"] <= 1
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
def test_silent_maps_tell_nothing_of_the_cells(tmp_path: Any) -> None:
    # Cells answer all the same, as the urgency grows, and a pooled map that never spikes would go unnoticed.
    off = dict.fromkeys(("controls", "baselines", "robustness", "reward"), "off")
    silent = run_study("features", {**SMALL, **off, "threshold": "1000"}, target="cpp", out=tmp_path / "out")
    assert silent.values["spikes per image, pooled maps"] == 0
    assert silent.values["answers per image"] == 1
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
        ({"n_labelling": "5000"}, "n_labelling: expected at most 1498 images"),
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
