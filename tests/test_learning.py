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
from biosnn.learning import DiehlCookNetwork, NetworkSettings, Protocol, TrainingHistory, TrainingRun, TrainingSchedule
from biosnn.learning.history import empty_history
from biosnn.learning.schedule import TEST
from biosnn.measure import accuracy, confusion, sparse_spike_counts, spike_counts

PROTOCOL = Protocol(shown=20 * ms, rest=10 * ms, rate=500 * Hz, minimum_spikes=5, intensity_step=100 * Hz, times=3)
NETWORK = NetworkSettings(
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
    reset_state=("v", "g_exc", "g_inh"),
)
CELL = Path(__file__).parents[1] / "models" / "neurons" / "lif_adaptive.toml"
IMAGES = np.array([[[0, 4], [2, 0]], [[4, 0], [0, 1]], [[4, 4], [4, 4]]], dtype=np.uint8)
DATA = Dataset("three", IMAGES, np.arange(3), 4, "a test")


@pytest.fixture
def sim() -> Iterator[Any]:
    with biosnn.session("numpy", seed=3, dt=0.5 * ms) as opened:
        yield opened


@pytest.fixture
def compiled() -> Iterator[Any]:
    """Open a session whose program is built once for all trainings of the same network."""
    with biosnn.session("cpp", seed=3, dt=0.5 * ms) as opened:
        yield opened


# ---- showing images -----------------------------------------------------------------------------------------------


def test_inputs_fire_in_proportion_to_the_present_image_while_it_is_on(sim: Any) -> None:
    protocol = dataclasses.replace(PROTOCOL, shown=4 * second, rest=1 * second, minimum_spikes=0)
    presenter = learning.set_up(DATA, protocol, 3)
    presenter.play(np.array([1, 0, 2]))
    spikes = SpikeMonitor(presenter.inputs)
    sim.run(Network(*presenter.objects, spikes), 15 * second)
    assert presenter.log.image[0].tolist() == [1, 0, 2]
    counts = spike_counts(spikes.t / second, spikes.i[:], period=5.0, periods=3, neurons=4)
    expected = IMAGES[[1, 0, 2]].reshape(3, 4) / 4 * 500 * 4
    # A Bernoulli process: its variance is below the Poisson one. Five standard deviations.
    assert (abs(counts - expected) <= 5 * np.sqrt(expected)).all()
    assert (np.asarray(spikes.t) % 5.0).max() < 4.0
    assert (np.asarray(spikes.t) % 5.0).max() > 3.9


def test_images_in_colour_are_refused() -> None:
    colour = dataclasses.replace(DATA, images=np.repeat(DATA.images[..., None], 3, axis=3))
    with pytest.raises(DataError, match="expected grey levels, one neuron per pixel"):
        learning.set_up(colour, PROTOCOL, 2)


def test_an_image_without_answer_is_shown_again_brighter_and_then_given_up(sim: Any) -> None:
    presenter = learning.set_up(DATA, PROTOCOL, 2)
    presenter.play(np.array([2, 1]))
    sim.run(Network(*presenter.objects), 10 * PROTOCOL.period)
    assert presenter.log.image[0].tolist() == [2] * 4 + [1] * 6
    assert np.asarray(presenter.log.boost[0]).tolist() == [0, 100, 200, 300] * 2 + [0, 100]


def test_an_image_with_enough_answers_is_shown_once(sim: Any) -> None:
    presenter = learning.set_up(DATA, dataclasses.replace(PROTOCOL, shown=200 * ms), 3)
    presenter.play(np.array([0, 1, 2]))
    counter = learning.presenter.count_answers(presenter, presenter.inputs)
    sim.run(Network(*presenter.objects, counter), 3 * (210 * ms))
    assert presenter.log.image[0].tolist() == [0, 1, 2]


def test_after_its_last_place_the_last_image_is_shown_on(sim: Any) -> None:
    presenter = learning.set_up(DATA, dataclasses.replace(PROTOCOL, minimum_spikes=0), 5)
    presenter.play(np.array([2, 1, 2, 2, 0]))
    sim.run(Network(*presenter.objects), 12 * PROTOCOL.period)
    assert presenter.log.image[0].tolist() == [2, 1, 2, 2] + [0] * 8
    assert presenter.group.place[0] == 4
    with pytest.raises(SettingsError, match=r"expected 5 images \(got 4\)"):
        presenter.play(np.array([2, 1, 2, 2]))


@pytest.mark.slow
@pytest.mark.cpp
def test_schedules_of_other_lengths_need_no_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIOSNN_CACHE", str(tmp_path))
    for n_training in (5, 12):
        given = a_schedule(n_training=n_training)
        with biosnn.session("cpp", seed=3, dt=0.5 * ms) as sim:
            _, history = trained_on(sim, schedule=given)
        assert history.image[n_training:].tolist() == [0, 1, 2, 2]
    assert len([entry for entry in cache.entries() if entry.kind == "programs"]) == 1


@pytest.mark.parametrize(
    ("change", "message"), [({"rate": 3 * ms}, "rate"), ({"rest": -1 * ms}, "rest"), ({"shown": 0 * ms}, "shown")]
)
def test_a_protocol_that_makes_no_sense_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(BiosnnError, match=f"Protocol.{message}"):
        dataclasses.replace(PROTOCOL, **change)


# ---- a schedule ---------------------------------------------------------------------------------------------------


def a_schedule(**change: Any) -> TrainingSchedule:
    return dataclasses.replace(
        TrainingSchedule(np.array([0, 1]), np.array([2]), n_training=5, n_recorded=1, seed=4), **change
    )


def trained_on(
    sim: Any, network: NetworkSettings = NETWORK, schedule: TrainingSchedule | None = None
) -> tuple[DiehlCookNetwork, TrainingHistory]:
    given = schedule or a_schedule()
    built = learning.build(DATA, PROTOCOL, network, given.length)
    (history,) = learning.train(sim, built, [TrainingRun(given)], checkpoint=100)
    return built, history


def trained_here(sim: Any, network: NetworkSettings = NETWORK) -> DiehlCookNetwork:
    """A network that has learned in the session's own program, which goes on."""
    built = learning.build(DATA, PROTOCOL, network, a_schedule().length)
    built.presenter.play(a_schedule().order)
    sim.run(built.network, 5 * PROTOCOL.period)
    return built


def test_a_schedule_shows_every_training_image_as_often_then_all_images_once() -> None:
    order = a_schedule(n_training=4).order
    assert sorted(order[:4]) == [0, 0, 1, 1]
    assert sorted(order[:2]) == [0, 1]
    assert order[4:].tolist() == [0, 1, 2, 2]
    assert a_schedule(n_training=4).length == len(order)


@pytest.mark.parametrize("change", [{"n_training": -1}, {"n_recorded": 2}, {"n_recorded": -1}])
def test_an_impossible_schedule_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=f"TrainingSchedule.{next(iter(change))}"):
        a_schedule(**change)


@pytest.mark.cpp
def test_learning_changes_weights_and_keeps_their_sum(compiled: Any) -> None:
    _, history = trained_on(compiled)
    assert history.weights.shape == (6, 4)
    assert history.responses.shape == (a_schedule().length, 6)
    assert history.responses[:5].sum() > 5
    # The last scaling came before the last training presentation, which moves the sums a little.
    np.testing.assert_allclose(history.weights.sum(axis=1), 1.0, rtol=0.1)
    assert history.weights.std() > 0.05
    assert history.image[5:].tolist() == [0, 1, 2, 2]
    assert history.recorded_inputs.shape[1] > 0
    assert history.recorded_inputs[0].min() >= 0
    assert history.recorded_spikes.shape[1] == history.responses[-1].sum()


@pytest.mark.cpp
def test_the_test_shows_again_brighter_what_nothing_answers(compiled: Any) -> None:
    _, history = trained_on(compiled, dataclasses.replace(NETWORK, input_gain=0.0))
    assert history.image[5:].tolist() == [0, 1, 2, 2]
    assert history.boost[5:].tolist() == [300, 300, 300, 0]  # the last one is the recorded one, shown once
    assert history.responses[5:].sum() == 0
    # Three images at 500, 600, 700 and 800 Hz, for 20 ms each. A Bernoulli process; five standard deviations.
    expected = IMAGES.sum() / 4 * (500 + 600 + 700 + 800) * 20e-3
    assert abs(history.traffic(TEST)[0] - expected) <= 5 * np.sqrt(expected)


@pytest.mark.slow
@pytest.mark.cpp
def test_the_test_shows_again_also_where_nothing_is_recorded_after_it(compiled: Any) -> None:
    network = dataclasses.replace(NETWORK, input_gain=0.0)
    _, history = trained_on(compiled, network, a_schedule(n_recorded=0))
    assert history.boost[5:].tolist() == [300, 300, 300]


def test_the_test_takes_the_first_answer_that_is_strong_enough(sim: Any) -> None:
    _, history = trained_on(sim)
    spikes, boost = history.responses[5:8].sum(axis=1), history.boost[5:8]
    assert ((spikes >= PROTOCOL.minimum_spikes) | (boost == 300)).all()
    assert 0 < boost.min() < 300, "none answered enough at first, and one did later"
    assert history.traffic(TEST)[1] > spikes.sum(), "earlier, weaker answers cost spikes too"


def test_cells_that_cannot_be_frozen_are_shown_each_image_once(sim: Any, tmp_path: Path) -> None:
    path = tmp_path / "cell.toml"
    path.write_text("".join(line for line in CELL.read_text().splitlines(True) if not line.startswith("frozen")))
    _, history = trained_on(sim, dataclasses.replace(NETWORK, neuron=path, input_gain=0.0))
    assert history.boost[5:].tolist() == [0, 0, 0, 0]


def test_weights_add_up_to_their_total_after_each_scaling(sim: Any) -> None:
    built = learning.build(DATA, PROTOCOL, dataclasses.replace(NETWORK, weight_total=1.5), 2)
    before = np.asarray(built.plastic.w).reshape(4, 6)
    sim.run(built.network, 0.5 * ms)  # one step: scaled, and no excitatory cell has fired yet
    after = np.asarray(built.plastic.w).reshape(4, 6)
    np.testing.assert_allclose(after, 1.5 * before / before.sum(axis=0), rtol=1e-12)


@pytest.mark.slow
@pytest.mark.cpp
def test_the_test_scales_the_weights_that_training_has_left(compiled: Any) -> None:
    schedule = a_schedule(n_training=0)
    built = learning.build(DATA, PROTOCOL, NETWORK, schedule.length)
    w = (np.arange(24.0).reshape(4, 6) + 1) / 64
    gained = w * [8, 1, 1, 1, 1, 0.25]  # powers of two: the scaled weights are the same to the last bit
    answers = []
    for weights in (w, gained):
        state = {"plastic.w": weights.reshape(-1)}
        (history,) = learning.train(compiled, built, [TrainingRun(schedule)], checkpoint=100, state=state)
        answers.append(history.responses.toarray())
        compiled.reset()
        built = learning.build(DATA, PROTOCOL, NETWORK, schedule.length)
    assert answers[0].sum() > 5
    np.testing.assert_array_equal(*answers)


def test_nothing_learns_once_frozen(sim: Any) -> None:
    built = trained_here(sim)
    built.pause(learning=False, input_spikes=True)
    built.freeze()
    built.plastic.w = "0.3 + 0.2*rand()"  # a sum of about 1.6, which scaling would bring to 1
    kept = [np.array(built.plastic.w), np.asarray(built.excitatory.theta).copy()]
    fired = built.spikes.num_spikes
    sim.run(built.network, 4 * PROTOCOL.period)
    assert built.spikes.num_spikes > fired
    np.testing.assert_array_equal(built.plastic.w, kept[0])
    np.testing.assert_allclose(np.asarray(built.excitatory.theta), kept[1], rtol=1e-9)


@pytest.mark.slow
def test_without_learning_rates_weights_are_only_scaled(sim: Any) -> None:
    built = learning.build(DATA, PROTOCOL, NETWORK, a_schedule().length)
    begin = np.array(built.plastic.w).reshape(4, 6)
    (history,) = learning.train(sim, built, [TrainingRun(a_schedule(), learning=False)], checkpoint=100)
    assert history.responses.sum() > 5
    np.testing.assert_allclose(history.weights, (begin / begin.sum(axis=0)).T, rtol=1e-9)


def test_state_is_put_back_before_each_image(sim: Any) -> None:
    built = trained_here(sim, dataclasses.replace(NETWORK, reset_state=("v",)))
    sim.run(built.network, 0.5 * ms)
    # One step after -65 mV the membrane cannot have come far; without it, inhibition leaves some cells near -80 mV.
    assert np.ptp(np.asarray(built.excitatory.v)) < 5e-3
    with pytest.raises(ModelError, match="No state variable named 'u'"):
        learning.build(DATA, PROTOCOL, dataclasses.replace(NETWORK, reset_state=("u",)), 3)


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
    network = dataclasses.replace(NETWORK, rule=path, weight_total=0.0)
    with pytest.raises(ModelError, match="one named 'frozen'"):
        learning.build(DATA, PROTOCOL, network, 3)
    path.write_text(RULE + '[presets]\nfrozen = { eta = "0" }\n')
    _, history = trained_on(sim, network)
    steps = history.responses[:5].sum(axis=0)
    assert steps.sum() > 0
    np.testing.assert_allclose(history.weights, 0.5 + 0.5 * np.repeat(steps[:, None], 4, axis=1))


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
    schedule = a_schedule(n_training=6)
    with biosnn.session("numpy", seed=3):
        built = learning.build(DATA, PROTOCOL, dataclasses.replace(NETWORK, size=2), schedule.length)
        empty = empty_history(built, schedule, 0.0, {})
    history = dataclasses.replace(empty, image=images, boost=np.zeros(6), responses=sparse.csr_array(responses))
    curve = learning.learning_curve(history, schedule, DATA, window=2)
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


@pytest.mark.slow
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
    monkeypatch.setattr("biosnn.learning.evaluation.baselines.LARGE", 0)
    short = [learning.k_means(train, test, 100, seed=1), learning.logistic_regression(train, test)]
    np.testing.assert_allclose(short, exact, atol=0.015)


def test_neurons_are_labelled_by_as_many_training_images_as_asked() -> None:
    train, test = np.array([5, 3, 8, 1]), np.array([0, 2])
    schedule = TrainingSchedule(train, test, n_training=4, n_recorded=1, seed=1, n_labelling=2)
    assert list(schedule.order[4:]) == [5, 3, 0, 2, 0]
    assert (schedule.n_test, schedule.length) == (4, 9)
    assert list(TrainingSchedule(train, test, n_training=4, n_recorded=0, seed=1).labelling) == [5, 3, 8, 1]
    with pytest.raises(SettingsError, match="n_labelling: expected from 0 to 4 images"):
        TrainingSchedule(train, test, n_training=4, n_recorded=0, seed=1, n_labelling=5)
