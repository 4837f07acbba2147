"""Teach a network without labels and test what it has learned: one program for all seeds, no Python between images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from brian2.units.fundamentalunits import Quantity
from numpy.typing import NDArray

from biosnn.datasets import Dataset
from biosnn.errors import SettingsError, field_error
from biosnn.learning.network import FROZEN, Learner
from biosnn.learning.readout import Labels, Responses, assign_labels, mean_response, vote, weigh
from biosnn.measure import accuracy, spike_counts
from biosnn.quantity import parse_quantity


@dataclass(frozen=True)
class Course:
    """Which images are shown when; the lengths are the same for every seed, the images need not be.

    Parameters
    ----------
    train, test : ndarray of int
        Images of the dataset to learn from, and held out.
    lessons : int
        Presentations while learning. The training images are shown in random order, again and again.
    exhibits : int
        How many test images are shown once more at the end, with the spikes of the inputs recorded.
    seed : int
        Of the order, and of the network's random numbers.
    labelled : int
        How many of the training images, the first ones, the frozen network is shown for its neurons' labels. 0: all.
    """

    train: NDArray[np.int64]
    test: NDArray[np.int64]
    lessons: int
    exhibits: int
    seed: int
    labelled: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.labelled <= len(self.train):
            raise SettingsError(field_error("Course.labelled", f"from 0 to {len(self.train)} images", self.labelled))
        if self.lessons < 1:
            raise SettingsError(field_error("Course.lessons", "at least 1 presentation", self.lessons))
        if not 0 <= self.exhibits <= len(self.test):
            raise SettingsError(field_error("Course.exhibits", f"from 0 to {len(self.test)} images", self.exhibits))

    @property
    def known(self) -> NDArray[np.int64]:
        """The training images that give the neurons their labels."""
        return self.train[: self.labelled] if self.labelled else self.train

    @property
    def examined(self) -> int:
        """How many presentations the test has: training images, for the neurons' labels, and those held out."""
        return len(self.known) + len(self.test)

    @property
    def playlist(self) -> NDArray[np.int64]:
        """The images in order: lessons, training images, test images, exhibits."""
        rng = np.random.default_rng(self.seed)
        passes = -(-self.lessons // len(self.train))
        lessons = np.concatenate([rng.permutation(self.train) for _ in range(passes)])[: self.lessons]
        return np.concatenate([lessons, self.known, self.test, self.test[: self.exhibits]])

    @property
    def length(self) -> int:
        """How many places the playlist has."""
        return self.lessons + self.examined + self.exhibits


@dataclass(frozen=True)
class Record:
    """What a network did.

    Parameters
    ----------
    image : ndarray of int, shape (presentations,)
        The image shown.
    boost : ndarray, shape (presentations,)
        By how many hertz it was brighter than usual.
    responses : ndarray of int, shape (presentations, neurons)
        Spikes of the excitatory cells.
    weights : ndarray, shape (neurons, inputs)
        At the end.
    theta : ndarray, shape (neurons,)
        Adaptive part of the thresholds at the end (V); empty if the cell's model has none.
    exhibit_spikes, exhibit_inputs : ndarray, shape (2, spikes)
        Time (s) since the first exhibit came, and number of the excitatory cell or input.
    """

    image: NDArray[np.int64]
    boost: NDArray[np.float64]
    responses: Responses
    weights: NDArray[np.float64]
    theta: NDArray[np.float64]
    exhibit_spikes: NDArray[np.float64]
    exhibit_inputs: NDArray[np.float64]


@dataclass(frozen=True)
class Score:
    """How well held-out images are told apart.

    Parameters
    ----------
    neuron_labels : ndarray of int, shape (neurons,)
        The class of each neuron, from training images; -1 for none.
    decided : ndarray of int, shape (test images,)
        The decision by vote; -1 for none.
    vote, weighted : float
        Accuracy of the vote, and of a decision by every neuron's whole answer.
    training : float
        Accuracy of the vote on the training images.
    """

    neuron_labels: Labels
    decided: Labels
    vote: float
    weighted: float
    training: float


def teach(sim: Any, learner: Learner, course: Course, period: Quantity) -> None:
    """Queue the whole course: learn, freeze, show all images once, show the exhibits."""
    learner.pause(keepers=False, input_spikes=True)
    sim.run(learner.network, course.lessons * period, "learning without labels")
    learner.freeze()
    # An image shown again takes one lesson more, so that the stage may not have come to the end of the lessons.
    learner.stage.stage.place = course.lessons - 1
    sim.run(learner.network, course.examined * period, "showing every image to the frozen network")
    learner.pause(keepers=True, input_spikes=False)
    sim.run(learner.network, course.exhibits * period, "showing a few again, inputs recorded")


def rates(learner: Learner, *, learning: bool) -> dict[str, Quantity]:
    """The learning rates of the rule as a point of a sweep: its own, or those of its preset "frozen".

    A network whose weights stay as random as they began, while its thresholds adapt, is the negative control.
    """
    model = learner.plastic.model
    frozen: Mapping[str, str] = model.presets[FROZEN]
    values = {name: model.parameters[name].value if learning else text for name, text in frozen.items()}
    return {f"{learner.plastic.name}.{name}": parse_quantity(text) for name, text in values.items()}


def read(learner: Learner, course: Course, period: Quantity) -> Record:
    """Read what a network did in a course that has run."""
    spikes, inputs = learner.spikes, learner.input_spikes
    times = np.asarray(spikes.t)
    length = float(period)
    start = (course.lessons + course.examined) * length
    shown = times > start - 1e-9
    cells = len(learner.excitatory)
    with_theta = "theta" in learner.excitatory.variables
    return Record(
        image=np.asarray(learner.stage.log.image[0], dtype=np.int64),
        boost=np.asarray(learner.stage.log.boost[0]),
        responses=spike_counts(times, spikes.i[:], period=length, periods=course.length, neurons=cells),
        weights=np.asarray(learner.plastic.w).reshape(-1, cells).T.copy(),
        theta=np.asarray(learner.excitatory.theta).copy() if with_theta else np.empty(0),
        exhibit_spikes=np.stack([times[shown] - start, np.asarray(spikes.i)[shown]]),
        exhibit_inputs=np.stack([np.asarray(inputs.t) - start, np.asarray(inputs.i)]),
    )


def score(record: Record, course: Course, data: Dataset) -> Score:
    """Label the neurons on the training images, decide on the test images, both with the frozen network."""
    first, middle = course.lessons, course.lessons + len(course.known)
    known, new = record.responses[first:middle], record.responses[middle : middle + len(course.test)]
    labels, right = data.labels[course.known], data.labels[course.test]
    neuron_labels = assign_labels(known, labels, data.classes)
    decided = vote(new, neuron_labels, data.classes)
    weighted = weigh(new, mean_response(known, labels, data.classes))
    training = vote(known, neuron_labels, data.classes)
    return Score(
        neuron_labels, decided, accuracy(decided, right), accuracy(weighted, right), accuracy(training, labels)
    )


def learning_curve(record: Record, course: Course, data: Dataset, window: int) -> NDArray[np.float64]:
    """Accuracy while learning, on training images and before the network learns from them in this window.

    The neurons' labels come from one window of lessons and are put to the test in the next one.

    Parameters
    ----------
    record, course, data
        As in `score`.
    window : int
        Lessons a point.

    Returns
    -------
    ndarray, shape (2, points)
        Lessons so far (the middle of the tested window), and accuracy of the vote in it.
    """
    points = []
    for begin in range(window, course.lessons - window + 1, window):
        before, now = slice(begin - window, begin), slice(begin, begin + window)
        labels = assign_labels(record.responses[before], data.labels[record.image[before]], data.classes)
        decided = vote(record.responses[now], labels, data.classes)
        points.append((begin + window / 2, accuracy(decided, data.labels[record.image[now]])))
    return np.array(points, dtype=float).reshape(-1, 2).T
