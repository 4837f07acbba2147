"""Networks that learn from images in any coding, and their answers."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from brian2 import Hz, ms

import biosnn
from biosnn.coding import TTFS, delete
from biosnn.datasets import load
from biosnn.errors import CodingError, ModelError
from biosnn.learning import (
    CLEAN,
    Checkpoints,
    Disturbance,
    EncodedImages,
    NetworkSettings,
    Played,
    PresentedImages,
    Protocol,
    Responses,
    TrainingHistory,
    TrainingRun,
    TrainingSchedule,
    build,
    fixed_linear,
    present,
    train,
    trained,
)

DT = 1 * ms
PROTOCOL = Protocol(shown=20 * ms, rest=40 * ms, rate=0 * Hz, minimum_spikes=0, intensity_step=0 * Hz, times=0)
NETWORK = NetworkSettings(
    size=5,
    neuron="lif_first_spike",
    neuron_preset="",
    rule="stdp_potential",
    rule_preset="",
    inhibitory="",
    input_gain=28.0,
    weight_total=8.0,
    excitation=0.0,
    inhibition=0.0,
    delays=0 * ms,
    reset_state=("v", "g_exc", "urgency"),
    coding=Played(5000),
)
SOURCE = EncodedImages(TTFS(duration=20 * ms, dt=DT))
NOTHING = Disturbance("nothing", spikes=lambda spikes, rng: delete(spikes, 1.0, rng))
# Twelve training presentations; four images to name cells by, four of the test, and these without any spikes.
SCHEDULE = TrainingSchedule(
    np.arange(12),
    np.arange(4),
    n_training=12,
    n_recorded=0,
    seed=3,
    n_labelling=4,
    shuffled=False,
    disturbances=(CLEAN, NOTHING),
)
TRAINING, TEST, SILENT = 0, 2, 3


def trained_in(piece: int, *, target: str = "numpy", winners: int = 2) -> TrainingHistory:
    """A small network, trained and tested in pieces of so many presentations."""
    with biosnn.session(target, seed=1, dt=DT) as sim:
        built = build(load("digits"), PROTOCOL, NETWORK, 1)
        return train(sim, built, [TrainingRun(SCHEDULE, SOURCE, winners=winners)], checkpoint=piece)[0]


@pytest.mark.cpp
def test_a_network_is_trained_and_tested_whatever_the_piece() -> None:
    whole, pieces = trained_in(100, target="cpp"), trained_in(5, target="cpp")
    assert whole.done == pieces.done == whole.timed.presentations == SCHEDULE.length == 24
    training, test = (whole.timed.section(*SCHEDULE.bounds(part)) for part in (TRAINING, TEST))
    # One winner an image in training, two in a test, none twice.
    assert np.bincount(training.row, minlength=12).tolist() == [1] * 12
    assert np.bincount(test.row, minlength=4).tolist() == [2] * 4
    assert test.counts().max() == 1
    np.testing.assert_array_equal(whole.timed.counts().toarray(), whole.responses.toarray())
    # Every pixel that is not dark spikes once, and none where all are deleted; urgency makes the cells answer still.
    dots = np.count_nonzero(np.rint(20 * (1 - load("digits").flat[:4])) < 20)
    assert whole.traffic(TEST).tolist() == [dots, 8, 0]
    assert whole.traffic(SILENT)[0] == 0
    # Weights are kept at their sum, and spikes of the inputs are the same however the schedule is cut.
    np.testing.assert_array_equal(whole.input_spikes, pieces.input_spikes)
    assert whole.weights.shape == (5, 64)
    assert whole.weights.min() >= 0
    assert whole.image.tolist() == [*range(12), *range(4), *range(4), *range(4)]


@pytest.mark.cpp
def test_a_stopped_training_on_encoded_images_goes_on_to_the_same_result(tmp_path: Path) -> None:
    class Stopped(Exception):
        pass

    class Failing(Checkpoints):
        def keep(self, number: int, history: TrainingHistory) -> None:
            super().keep(number, history)
            if history.done == 15:
                raise Stopped

    found = []
    for kind in (None, Failing, Checkpoints):
        with biosnn.session("cpp", seed=1, dt=DT) as sim:
            built = build(load("digits"), PROTOCOL, NETWORK, 1)
            kept = kind and kind(tmp_path, ["same"])
            try:
                found += train(sim, built, [TrainingRun(SCHEDULE, SOURCE)], checkpoint=3, checkpoints=kept)
            except Stopped:
                continue
    whole, resumed = (history.arrays() for history in found)
    assert whole.keys() == resumed.keys()
    for name in whole.keys() - {"seconds", "memory"}:
        np.testing.assert_array_equal(resumed[name], whole[name], err_msg=name)


def test_what_does_not_fit_a_presentation_is_refused() -> None:
    rng = np.random.default_rng(1)
    with pytest.raises(CodingError, match="at most 10 time steps per image"):
        present(TTFS(duration=20 * ms, dt=DT), np.zeros(4), 10, rng)


def test_a_coding_of_another_time_step_is_refused() -> None:
    with biosnn.session("numpy", seed=1, dt=DT) as sim:
        built = build(load("digits"), PROTOCOL, NETWORK, 1)
        run = TrainingRun(SCHEDULE, EncodedImages(TTFS(duration=20 * ms, dt=0.5 * ms)))
        with pytest.raises(CodingError, match=r"EncodedImages.coding: expected the network's time step of 1. ms"):
            train(sim, built, [run], checkpoint=5)


def test_a_source_that_the_network_is_not_made_for_is_refused() -> None:
    presented = replace(NETWORK, coding="", rule="stdp_diehl_cook_power")
    for network, source, error, message in (
        (NETWORK, PresentedImages(), ModelError, "PresentedImages, inputs: expected inputs that make spikes"),
        (presented, SOURCE, ModelError, r"EncodedImages, inputs: expected Played \(got 'Poisson'\)"),
        (presented, PresentedImages(), CodingError, "disturbances: expected none.*none, nothing.*Use EncodedImages"),
    ):
        with biosnn.session("numpy", seed=1, dt=DT) as sim:
            built = build(load("digits"), PROTOCOL, network, SCHEDULE.length)
            with pytest.raises(error, match=message):
                train(sim, built, [TrainingRun(SCHEDULE, source)], checkpoint=5)


def test_a_network_with_played_inputs_is_not_saved() -> None:
    with biosnn.session("numpy", seed=1, dt=DT):
        built = build(load("digits"), PROTOCOL, NETWORK, 1)
        with pytest.raises(ModelError, match="trained, inputs: expected a model or Poisson spike trains"):
            trained(built, None, None, None)


def answers() -> Responses:
    """Three presentations of ten steps: cell 1 and then cell 0, nothing, and cell 2 twice."""
    steps, neurons = np.array([23, 3, 5, 29]), np.array([2, 1, 0, 2])
    return Responses.of(steps, neurons, presentations=3, neurons=3, length=10)


def test_responses_are_counted_ranked_and_cut_off() -> None:
    found = answers()
    assert found.counts().toarray().tolist() == [[1, 1, 0], [0, 0, 0], [0, 0, 2]]
    assert found.counts(4).toarray().tolist() == [[0, 1, 0], [0, 0, 0], [0, 0, 1]]
    assert found.ranked(0.5).toarray().tolist() == [[0.5, 1, 0], [0, 0, 0], [0, 0, 1.5]]
    assert found.first().tolist() == [3, 10, 3]
    assert (found + found).first().tolist() == [3, 10, 3] * 2
    assert found.section(0, 1).counts().toarray().tolist() == [[1, 1, 0]]
    assert found.section(2, 9).counts().toarray().tolist() == [[0, 0, 2]]


def test_a_fixed_readout_decides_by_shares_and_not_by_numbers() -> None:
    rng = np.random.default_rng(1)
    labels = np.repeat([0, 1], 50)
    counts = rng.poisson(np.where(labels[:, None] == np.arange(2), 20, 5)).astype(float)
    decide = fixed_linear(counts, labels)
    assert np.mean(decide(counts) == labels) > 0.95
    assert decide(np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])).tolist() == [0, 1, -1]
    assert fixed_linear(counts, np.zeros(100, dtype=int))(counts[:2]).tolist() == [-1, -1]


def test_a_disturbance_changes_the_spikes() -> None:
    rng = np.random.default_rng(1)
    lost = Disturbance("lost", spikes=partial(lambda p, spikes, rng: delete(spikes, p, rng), 1.0))
    code = TTFS(duration=20 * ms, dt=DT)
    assert len(present(code, np.ones(4), 60, rng)) == 4
    assert len(present(code, np.ones(4), 60, rng, lost)) == 0
    assert len(present(code, np.zeros(400), 60, rng, Disturbance("noise", values=0.5))) > 0
