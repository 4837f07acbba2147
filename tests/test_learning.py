"""Learning from images: what is shown when, what is kept in balance, what is frozen, how answers are read."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import Hz, Network, SpikeMonitor, ms, second
from scipy import sparse

import biosnn
from biosnn import learning
from biosnn.datasets import Dataset, load
from biosnn.engine.compiler import cache
from biosnn.errors import BiosnnError, DataError, ModelError, SettingsError
from biosnn.learning import Circuit, Course, Learner, Protocol, Pupil, Record
from biosnn.measure import accuracy, confusion, sparse_spike_counts, spike_counts

PROTOCOL = Protocol(shown=20 * ms, rest=10 * ms, rate=500 * Hz, fewest_spikes=5, brighter=100 * Hz, times=3)
CIRCUIT = Circuit(
    size=6,
    neuron="lif_adaptive",
    neuron_preset="short_training",
    rule="stdp_diehl_cook",
    rule_preset="sixteen_fibres",
    inhibitory="lif_inhibitory",
    input_gain=12.0,
    weight_total=1.0,
    excitation=10.4,
    inhibition=17.0,
    delays=0 * ms,
    settle=("v", "g_exc", "g_inh"),
)
CELL = Path(__file__).parents[1] / "models" / "neurons" / "lif_adaptive.toml"
IMAGES = np.array([[[0, 4], [2, 0]], [[4, 0], [0, 1]], [[4, 4], [4, 4]]], dtype=np.uint8)
DATA = Dataset("three", IMAGES, np.arange(3), 4, "a test")


@pytest.fixture
def sim() -> Iterator[Any]:
    with biosnn.session("numpy", seed=3, dt=0.5 * ms) as opened:
        yield opened


# ---- showing images -----------------------------------------------------------------------------------------------


def test_inputs_fire_in_proportion_to_the_present_image_while_it_is_on(sim: Any) -> None:
    protocol = dataclasses.replace(PROTOCOL, shown=4 * second, rest=1 * second, fewest_spikes=0)
    stage = learning.set_up(DATA, protocol, 3)
    stage.play(np.array([1, 0, 2]))
    spikes = SpikeMonitor(stage.inputs)
    sim.run(Network(*stage.objects, spikes), 15 * second)
    assert stage.log.image[0].tolist() == [1, 0, 2]
    counts = spike_counts(spikes.t / second, spikes.i[:], period=5.0, periods=3, neurons=4)
    expected = IMAGES[[1, 0, 2]].reshape(3, 4) / 4 * 500 * 4
    # A Bernoulli process: its variance is below the Poisson one. Five standard deviations.
    assert (abs(counts - expected) <= 5 * np.sqrt(expected)).all()
    assert (np.asarray(spikes.t) % 5.0).max() < 4.0
    assert (np.asarray(spikes.t) % 5.0).max() > 3.9


def test_images_in_colour_are_refused() -> None:
    colour = dataclasses.replace(DATA, images=np.repeat(DATA.images[..., None], 3, axis=3))
    with pytest.raises(DataError, match="expected grey levels, one neuron a pixel"):
        learning.set_up(colour, PROTOCOL, 2)


def test_an_image_without_answer_is_shown_again_brighter_and_then_given_up(sim: Any) -> None:
    stage = learning.set_up(DATA, PROTOCOL, 2)
    stage.play(np.array([2, 1]))
    sim.run(Network(*stage.objects), 10 * PROTOCOL.period)
    assert stage.log.image[0].tolist() == [2] * 4 + [1] * 6
    assert np.asarray(stage.log.boost[0]).tolist() == [0, 100, 200, 300] * 2 + [0, 100]


def test_an_image_with_enough_answers_is_shown_once(sim: Any) -> None:
    stage = learning.set_up(DATA, dataclasses.replace(PROTOCOL, shown=200 * ms), 3)
    stage.play(np.array([0, 1, 2]))
    counter = learning.stage.count_answers(stage, stage.inputs)
    sim.run(Network(*stage.objects, counter), 3 * (210 * ms))
    assert stage.log.image[0].tolist() == [0, 1, 2]


def test_after_its_last_place_the_last_image_is_shown_on(sim: Any) -> None:
    stage = learning.set_up(DATA, dataclasses.replace(PROTOCOL, fewest_spikes=0), 5)
    stage.play(np.array([2, 1, 2, 2, 0]))
    sim.run(Network(*stage.objects), 12 * PROTOCOL.period)
    assert stage.log.image[0].tolist() == [2, 1, 2, 2] + [0] * 8
    assert stage.stage.place[0] == 4
    with pytest.raises(SettingsError, match=r"expected 5 images \(got 4\)"):
        stage.play(np.array([2, 1, 2, 2]))


@pytest.mark.cpp
def test_courses_of_other_lengths_need_no_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIOSNN_CACHE", str(tmp_path))
    for lessons in (5, 12):
        given = a_course(lessons=lessons)
        with biosnn.session("cpp", seed=3, dt=0.5 * ms) as sim:
            _, record = taught(sim, course=given)
        assert record.image[lessons:].tolist() == [0, 1, 2, 2]
    assert len([entry for entry in cache.entries() if entry.kind == "programs"]) == 1


@pytest.mark.parametrize(
    ("change", "message"), [({"rate": 3 * ms}, "rate"), ({"rest": -1 * ms}, "rest"), ({"shown": 0 * ms}, "shown")]
)
def test_a_protocol_that_makes_no_sense_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(BiosnnError, match=f"Protocol.{message}"):
        dataclasses.replace(PROTOCOL, **change)


# ---- a course -----------------------------------------------------------------------------------------------------


def a_course(**change: Any) -> Course:
    return dataclasses.replace(Course(np.array([0, 1]), np.array([2]), lessons=5, exhibits=1, seed=4), **change)


def taught(sim: Any, circuit: Circuit = CIRCUIT, course: Course | None = None) -> tuple[Learner, Record]:
    given = course or a_course()
    learner = learning.build(DATA, PROTOCOL, circuit, given.length)
    (record,) = learning.teach(sim, learner, [Pupil(given)], checkpoint=100)
    return learner, record


def trained_here(sim: Any, circuit: Circuit = CIRCUIT) -> Learner:
    """A network that has learned in the session's own program, which goes on."""
    learner = learning.build(DATA, PROTOCOL, circuit, a_course().length)
    learner.stage.play(a_course().playlist)
    sim.run(learner.network, 5 * PROTOCOL.period)
    return learner


def test_a_course_shows_every_training_image_as_often_then_all_images_once() -> None:
    playlist = a_course(lessons=4).playlist
    assert sorted(playlist[:4]) == [0, 0, 1, 1]
    assert sorted(playlist[:2]) == [0, 1]
    assert playlist[4:].tolist() == [0, 1, 2, 2]
    assert a_course(lessons=4).length == len(playlist)


@pytest.mark.parametrize("change", [{"lessons": -1}, {"exhibits": 2}, {"exhibits": -1}])
def test_an_impossible_course_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=f"Course.{next(iter(change))}"):
        a_course(**change)


def test_learning_changes_weights_and_keeps_their_sum(sim: Any) -> None:
    _, record = taught(sim)
    assert record.weights.shape == (6, 4)
    assert record.responses.shape == (a_course().length, 6)
    assert record.responses[:5].sum() > 5
    # The last scaling came before the last lesson, which moves the sums a little.
    np.testing.assert_allclose(record.weights.sum(axis=1), 1.0, rtol=0.1)
    assert record.weights.std() > 0.05
    assert record.image[5:].tolist() == [0, 1, 2, 2]
    assert record.exhibit_inputs.shape[1] > 0
    assert record.exhibit_inputs[0].min() >= 0
    assert record.exhibit_spikes.shape[1] == record.responses[-1].sum()


def test_the_exam_shows_again_brighter_what_nothing_answers(sim: Any) -> None:
    _, record = taught(sim, dataclasses.replace(CIRCUIT, input_gain=0.0))
    assert record.image[5:].tolist() == [0, 1, 2, 2]
    assert record.boost[5:].tolist() == [300, 300, 300, 0]  # the last one is the exhibit, shown once
    assert record.responses[5:].sum() == 0
    # Three images at 500, 600, 700 and 800 Hz, for 20 ms each. A Bernoulli process; five standard deviations.
    expected = IMAGES.sum() / 4 * (500 + 600 + 700 + 800) * 20e-3
    assert abs(record.traffic[0] - expected) <= 5 * np.sqrt(expected)


def test_the_exam_takes_the_first_answer_that_is_strong_enough(sim: Any) -> None:
    _, record = taught(sim)
    spikes, boost = record.responses[5:8].sum(axis=1), record.boost[5:8]
    assert ((spikes >= PROTOCOL.fewest_spikes) | (boost == 300)).all()
    assert 0 < boost.min() < 300, "none answered enough at first, and one did later"
    assert record.traffic[1] > spikes.sum(), "earlier, weaker answers cost spikes too"


def test_cells_that_cannot_be_frozen_are_shown_each_image_once(sim: Any, tmp_path: Path) -> None:
    path = tmp_path / "cell.toml"
    path.write_text("".join(line for line in CELL.read_text().splitlines(True) if not line.startswith("frozen")))
    _, record = taught(sim, dataclasses.replace(CIRCUIT, neuron=path, input_gain=0.0))
    assert record.boost[5:].tolist() == [0, 0, 0, 0]


def test_weights_add_up_to_their_total_after_each_scaling(sim: Any) -> None:
    learner = learning.build(DATA, PROTOCOL, dataclasses.replace(CIRCUIT, weight_total=1.5), 2)
    before = np.asarray(learner.plastic.w).reshape(4, 6)
    sim.run(learner.network, 0.5 * ms)  # one step: scaled, and no excitatory cell has fired yet
    after = np.asarray(learner.plastic.w).reshape(4, 6)
    np.testing.assert_allclose(after, 1.5 * before / before.sum(axis=0), rtol=1e-12)


def test_the_exam_scales_the_weights_that_the_last_lesson_has_left(sim: Any) -> None:
    course = a_course(lessons=0)
    learner = learning.build(DATA, PROTOCOL, CIRCUIT, course.length)
    w = (np.arange(24.0).reshape(4, 6) + 1) / 64
    gained = w * [8, 1, 1, 1, 1, 0.25]  # powers of two: the scaled weights are the same to the last bit
    answers = []
    for weights in (w, gained):
        state = {"plastic.w": weights.reshape(-1)}
        (record,) = learning.teach(sim, learner, [Pupil(course)], checkpoint=100, state=state)
        answers.append(record.responses.toarray())
        sim.reset()
        learner = learning.build(DATA, PROTOCOL, CIRCUIT, course.length)
    assert answers[0].sum() > 5
    np.testing.assert_array_equal(*answers)


def test_nothing_learns_once_frozen(sim: Any) -> None:
    learner = trained_here(sim)
    learner.pause(keepers=False, input_spikes=True)
    learner.freeze()
    learner.plastic.w = "0.3 + 0.2*rand()"  # a sum of about 1.6, which scaling would bring to 1
    kept = [np.array(learner.plastic.w), np.asarray(learner.excitatory.theta).copy()]
    fired = learner.spikes.num_spikes
    sim.run(learner.network, 4 * PROTOCOL.period)
    assert learner.spikes.num_spikes > fired
    np.testing.assert_array_equal(learner.plastic.w, kept[0])
    np.testing.assert_allclose(np.asarray(learner.excitatory.theta), kept[1], rtol=1e-9)


def test_without_learning_rates_weights_are_only_scaled(sim: Any) -> None:
    learner = learning.build(DATA, PROTOCOL, CIRCUIT, a_course().length)
    begin = np.array(learner.plastic.w).reshape(4, 6)
    (record,) = learning.teach(sim, learner, [Pupil(a_course(), learning=False)], checkpoint=100)
    assert record.responses.sum() > 5
    np.testing.assert_allclose(record.weights, (begin / begin.sum(axis=0)).T, rtol=1e-9)


def test_state_is_put_back_before_each_image(sim: Any) -> None:
    learner = trained_here(sim, dataclasses.replace(CIRCUIT, settle=("v",)))
    sim.run(learner.network, 0.5 * ms)
    # One step after -65 mV the membrane cannot have come far; without it, inhibition leaves some cells near -80 mV.
    assert np.ptp(np.asarray(learner.excitatory.v)) < 5e-3
    with pytest.raises(ModelError, match="No state variable named 'u'"):
        learning.build(DATA, PROTOCOL, dataclasses.replace(CIRCUIT, settle=("u",)), 3)


RULE = """
kind = "synapse"
name = "mine"
summary = "Weights grow at each postsynaptic spike."
source = "A test"
equations = "w : 1"
on_post = "w = w + eta"
[parameters]
eta = { value = "0.5", meaning = "step" }
[initial]
w = "0.5"
"""


def test_a_rule_of_ones_own_learns_and_must_say_how_to_stop(sim: Any, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(RULE)
    circuit = dataclasses.replace(CIRCUIT, rule=path, weight_total=0.0)
    with pytest.raises(ModelError, match="one named 'frozen'"):
        learning.build(DATA, PROTOCOL, circuit, 3)
    path.write_text(RULE + '[presets]\nfrozen = { eta = "0" }\n')
    _, record = taught(sim, circuit)
    steps = record.responses[:5].sum(axis=0)
    assert steps.sum() > 0
    np.testing.assert_allclose(record.weights, 0.5 + 0.5 * np.repeat(steps[:, None], 4, axis=1))


# ---- reading answers ----------------------------------------------------------------------------------------------

RESPONSES = np.array([[4, 0, 1, 0], [6, 2, 1, 0], [0, 6, 1, 0], [2, 0, 3, 0]])
LABELS = np.array([0, 0, 1, 2])


def test_a_neuron_gets_the_class_that_it_answers_most_on_average() -> None:
    np.testing.assert_array_equal(learning.mean_response(RESPONSES, LABELS, 3)[0], [5, 1, 1, 0])
    assert learning.assign_labels(RESPONSES, LABELS, 3).tolist() == [0, 1, 2, -1]
    with pytest.raises(DataError, match="labels"):
        learning.mean_response(RESPONSES, LABELS[:2], 3)


def test_the_vote_is_by_mean_over_the_neurons_of_a_class() -> None:
    # Two neurons of class 0 with 3 spikes together lose against one neuron of class 1 with 2.
    answers = np.array([[2, 1, 2], [3, 2, 2], [0, 0, 0]])
    assert learning.vote(answers, np.array([0, 0, 1]), 2).tolist() == [1, 0, -1]


def test_weighing_uses_every_neurons_share_of_each_class() -> None:
    mean = np.array([[3.0, 4.0], [1.0, 6.0]])
    # Shares of class 0: 3/4 and 4/10. Two spikes of the first neuron and four of the second: 3.1 against 2.9.
    assert learning.weigh(np.array([[2, 4], [1, 4], [0, 0]]), mean).tolist() == [0, 1, -1]


def test_the_learning_curve_tests_each_window_with_labels_of_the_one_before() -> None:
    images = np.array([0, 1, 0, 1, 1, 0])
    right = np.array([[1, 0], [0, 1]])
    responses = np.vstack([right, right, right])  # in the last window the neurons have changed roles
    none = np.empty((2, 0))
    record = Record(0, 0, 0, {}, images, np.zeros(6), sparse.csr_array(responses), np.zeros(3, int), none, none)
    curve = learning.learning_curve(record, a_course(lessons=6), DATA, window=2)
    np.testing.assert_allclose(curve, [[3, 5], [1, 0]])


def test_measures() -> None:
    counts = spike_counts([0.0, 0.9, 1.0, 2.9999999999], [0, 1, 1, 0], period=1.0, periods=4, neurons=2)
    assert counts.tolist() == [[1, 1], [0, 1], [0, 0], [1, 0]]
    with pytest.raises(DataError, match="time"):
        spike_counts([5.0], [0], period=1.0, periods=4, neurons=2)
    with pytest.raises(DataError, match="neuron"):
        spike_counts([0.0], [2], period=1.0, periods=4, neurons=2)
    assert accuracy([1, -1, 0, 0], [1, 1, 0, 1]) == 0.5
    with pytest.raises(DataError, match="a decision for each"):
        accuracy([], [])
    assert confusion([1, -1, 0], [1, 1, 0], 2).tolist() == [[1, 0, 0], [0, 1, 1]]
    for decided, labels in (([0], [-1]), ([0], [2]), ([2], [0]), ([-2], [0])):
        with pytest.raises(DataError, match=r"confusion, (label|decision)s: expected from"):
            confusion(decided, labels, 2)


def test_a_linear_readout_learns_what_the_vote_cannot() -> None:
    # Both neurons answer both classes most: only the difference of their answers tells them apart.
    responses = np.array([[5, 4], [4, 5], [6, 5], [5, 6], [3, 2], [2, 3]])
    labels = np.array([0, 1, 0, 1, 0, 1])
    new = sparse.csr_array(np.array([[9, 7], [7, 9]]))
    assert learning.linear(sparse.csr_array(responses), labels, new).tolist() == [0, 1]
    assert learning.linear(responses, labels * 0, new).tolist() == [-1, -1], "one class only"
    assert learning.linear(0 * responses, labels, new).tolist() == [-1, -1], "silence"


def test_sparse_counts_are_the_counts() -> None:
    times, numbers = [0.1, 0.15, 0.9, 1.2, 2.7], [0, 0, 1, 1, 2]
    dense = spike_counts(times, numbers, period=1.0, periods=3, neurons=4)
    np.testing.assert_array_equal(
        sparse_spike_counts(times, numbers, period=1.0, periods=3, neurons=4).toarray(), dense
    )
    with pytest.raises(DataError, match="neuron"):
        sparse_spike_counts(times, numbers, period=1.0, periods=3, neurons=2)


def test_simpler_methods_on_digits() -> None:
    digits = load("digits")
    train, test = digits.take(np.arange(0, 1797, 2)), digits.take(np.arange(1, 1797, 2))
    assert learning.chance(train, test) == pytest.approx(0.1, abs=0.02)
    assert learning.k_means(train, test, 100, seed=1) > 0.9
    assert learning.logistic_regression(train, test) > 0.9


def test_simpler_methods_take_short_cuts_on_large_sets_to_the_same_end(monkeypatch: pytest.MonkeyPatch) -> None:
    digits = load("digits")
    train, test = digits.take(np.arange(0, 1797, 2)), digits.take(np.arange(1, 1797, 2))
    exact = [learning.k_means(train, test, 100, seed=1), learning.logistic_regression(train, test)]
    monkeypatch.setattr("biosnn.learning.baselines.LARGE", 0)
    short = [learning.k_means(train, test, 100, seed=1), learning.logistic_regression(train, test)]
    np.testing.assert_allclose(short, exact, atol=0.015)


def test_neurons_are_labelled_by_as_many_training_images_as_asked() -> None:
    train, test = np.array([5, 3, 8, 1]), np.array([0, 2])
    course = Course(train, test, lessons=4, exhibits=1, seed=1, labelled=2)
    assert list(course.playlist[4:]) == [5, 3, 0, 2, 0]
    assert (course.examined, course.length) == (4, 9)
    assert list(Course(train, test, lessons=4, exhibits=0, seed=1).known) == [5, 3, 8, 1]
    with pytest.raises(SettingsError, match="labelled: expected from 0 to 4 images"):
        Course(train, test, lessons=4, exhibits=0, seed=1, labelled=5)
