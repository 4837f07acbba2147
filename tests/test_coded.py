"""Networks taught by images in any coding, and their answers."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from brian2 import Hz, ms

import biosnn
from biosnn.coding import TTFS, delete
from biosnn.datasets import load
from biosnn.errors import CodingError, ModelError
from biosnn.learning import (
    Circuit,
    CodedPupil,
    CodedRecord,
    Disturbance,
    Exam,
    Played,
    Protocol,
    Responses,
    build,
    fixed_linear,
    present,
    teach_coded,
    trained,
)

DT = 1 * ms
PROTOCOL = Protocol(shown=20 * ms, rest=40 * ms, rate=0 * Hz, fewest_spikes=0, brighter=0 * Hz, times=0)
CIRCUIT = Circuit(
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
    settle=("v", "g_exc", "urgency"),
    coding=Played(5000),
)


def taught(piece: int, *, target: str = "numpy", winners: int = 2) -> CodedRecord:
    """A small network after twelve lessons, examined on four images, undisturbed and without any spikes."""
    data = load("digits")
    rows = data.flat[:12]
    nothing = Disturbance("nothing", spikes=lambda spikes, rng: delete(spikes, 1.0, rng))
    exams = [Exam(rows[:4]), Exam(rows[:4], nothing)]
    with biosnn.session(target, seed=1, dt=DT) as sim:
        learner = build(data, PROTOCOL, CIRCUIT, 1)
        pupil = CodedPupil(TTFS(duration=20 * ms, dt=DT), rows, exams, seed=3, winners=winners)
        return teach_coded(sim, learner, [pupil], piece=piece)[0]


@pytest.mark.cpp
def test_a_network_is_taught_and_examined_whatever_the_piece() -> None:
    whole, pieces = taught(100, target="cpp"), taught(5, target="cpp")
    assert whole.lessons.presentations == pieces.lessons.presentations == 12
    # One winner a lesson, two in an exam, none twice.
    assert np.bincount(whole.lessons.row, minlength=12).tolist() == [1] * 12
    assert np.bincount(whole.exams[0].row, minlength=4).tolist() == [2] * 4
    assert whole.exams[0].counts().max() == 1
    # Every pixel that is not dark spikes once, and none where all are deleted; urgency makes the cells answer still.
    assert whole.inputs[0].sum() == np.count_nonzero(np.rint(20 * (1 - load("digits").flat[:4])) < 20)
    assert whole.inputs[1].sum() == 0
    # Weights are kept at their sum, and spikes of the inputs are the same however the course is cut.
    np.testing.assert_array_equal(whole.inputs, pieces.inputs)
    assert whole.weights.shape == (5, 64)
    assert whole.weights.min() >= 0


def test_what_does_not_fit_a_presentation_is_refused() -> None:
    rng = np.random.default_rng(1)
    with pytest.raises(CodingError, match="at most 10 time steps an image"):
        present(TTFS(duration=20 * ms, dt=DT), np.zeros(4), 10, rng)


def test_a_coding_of_another_time_step_is_refused() -> None:
    data = load("digits")
    with biosnn.session("numpy", seed=1, dt=DT) as sim:
        learner = build(data, PROTOCOL, CIRCUIT, 1)
        pupil = CodedPupil(TTFS(duration=20 * ms, dt=0.5 * ms), data.flat[:2], [], seed=3)
        with pytest.raises(CodingError, match=r"CodedPupil.coding: expected the network's time step of 1. ms"):
            teach_coded(sim, learner, [pupil], piece=5)


def test_a_network_with_played_inputs_is_not_saved() -> None:
    with biosnn.session("numpy", seed=1, dt=DT):
        learner = build(load("digits"), PROTOCOL, CIRCUIT, 1)
        with pytest.raises(ModelError, match="trained, inputs: expected a model or Poisson spike trains"):
            trained(learner, None, None, None)


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
    assert found.head(1).counts().toarray().tolist() == [[1, 1, 0]]


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
