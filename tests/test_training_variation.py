"""Training examples that are a little different each time that they are seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import ms
from training_networks import order_task, small, trained

import biosnn
from biosnn import training
from biosnn.datasets import LabelledValues
from biosnn.errors import TrainingError
from biosnn.training import SpikeList

SHAPE = (2, 3, 4)


def images(examples: int, seed: int = 1) -> SpikeList:
    """Each of the inputs with two channels of three rows and four columns spikes once, or not at all."""
    random = np.random.default_rng(seed)
    fires = random.random((examples, 24)) < 0.5
    neuron = np.concatenate([random.permutation(np.flatnonzero(one)) for one in fires])
    indptr = np.concatenate([[0], np.cumsum(fires.sum(axis=1))])
    step = np.concatenate([np.sort(random.integers(1, 9, n)) for n in np.diff(indptr)])
    return SpikeList(indptr, neuron.astype(np.int32), step.astype(np.int32))


def as_images(spikes: SpikeList) -> np.ndarray:
    """The step of each input's spike, 0 where there is none."""
    found = np.zeros((len(spikes), *SHAPE), int)
    for k, one in enumerate(found):
        part = slice(spikes.indptr[k], spikes.indptr[k + 1])
        one.flat[spikes.neuron[part]] = spikes.step[part]
    return found


def shifted(image: np.ndarray, down: int, right: int) -> np.ndarray:
    padded = np.pad(image, ((0, 0), (1, 1), (1, 1)))
    return padded[:, 1 - down : 4 - down, 1 - right : 5 - right]


def test_images_move_by_a_pixel_to_all_sides_each_by_its_own() -> None:
    given = images(400)
    moved = training.Shifts(SHAPE)(given, np.random.default_rng(2))
    before, after = as_images(given), as_images(moved)
    by = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    found = []
    for was, one in zip(before, after, strict=True):
        fitting = [k for k, (down, right) in enumerate(by) if np.array_equal(shifted(was, down, right), one)]
        assert fitting, "an image became none of its shifts"
        found.append(fitting[0])
    assert np.bincount(found, minlength=9).min() > 20  # of 44
    for name in ("indptr", "neuron", "step"):
        same = training.Shifts(SHAPE, by=0)(given, np.random.default_rng(2))
        np.testing.assert_array_equal(getattr(same, name), getattr(given, name))


def test_a_part_of_the_spikes_is_lost_and_the_others_stay() -> None:
    given = images(400)
    left = training.LostSpikes(0.3)(given, np.random.default_rng(2))
    before, after = as_images(given), as_images(left)
    assert np.all((after == before) | (after == 0))
    assert len(left.step) / len(given.step) == pytest.approx(0.7, abs=0.03)


def test_what_varies_is_the_training_alone_and_an_interrupted_one_comes_to_the_same(tmp_path: Path) -> None:
    data, more = order_task(60, 1), {"epochs": 4, "validation": order_task(30, 2)}

    def run(epochs: int, folder: Path | None, **other: Any) -> training.TrainableNetwork:
        net = small()
        with biosnn.session("numpy", seed=4) as sim:
            sim.checkpoint_folder = folder
            settings = {"loss": training.MaxPotential(5), "variations": [training.LostSpikes(0.2)], **more, **other}
            training.train(sim, net, data, **{**settings, "epochs": epochs})
        return net

    whole, plain = run(4, None), run(4, None, variations=())
    assert np.any(whole.weights["input_to_hidden"] != plain.weights["input_to_hidden"])
    run(2, tmp_path)
    resumed = run(4, tmp_path)
    np.testing.assert_array_equal(resumed.weights["input_to_hidden"], whole.weights["input_to_hidden"])
    nothing = run(4, None, variations=[training.LostSpikes(0.0)])
    np.testing.assert_array_equal(nothing.weights["input_to_hidden"], plain.weights["input_to_hidden"])


def test_variations_that_do_not_fit_are_refused() -> None:
    for make, message in (
        (lambda: training.Shifts((28,)), "Shifts, shape: expected height and width"),
        (lambda: training.Shifts((28, 28), by=-1), "Shifts, by: expected a whole number"),
        (lambda: training.LostSpikes(1.0), "LostSpikes, fraction: expected a number of at least 0, below 1"),
        (lambda: trained(small(), order_task(8, 1), variations=[training.Shifts((2, 3))]), "the network's 4 inputs"),
    ):
        with pytest.raises(TrainingError, match=message):
            make()
    net = small()
    constant = training.TrainableNetwork(4, net.layers, net.connections, dt=0.5 * ms, duration=10 * ms, input="values")
    values = LabelledValues(np.ones((8, 4)), np.zeros(8, int))
    with pytest.raises(TrainingError, match="variations: expected a network whose inputs are spikes"):
        trained(constant, values, variations=[training.LostSpikes(0.1)])  # type: ignore[arg-type]
