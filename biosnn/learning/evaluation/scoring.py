"""The classification accuracy of a network, during learning and in the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn.datasets import Dataset
from biosnn.display import Brief
from biosnn.learning.evaluation.readout import assign_labels, mean_response, vote, weigh
from biosnn.learning.history import TrainingHistory
from biosnn.learning.schedule import TrainingSchedule
from biosnn.measure import accuracy, linear
from biosnn.measure.decoding import Labels

RECENT = 2500
"""Training presentations on which the accuracy so far is found, and as many before them which label the neurons."""


@dataclass(frozen=True)
class Score(Brief):
    """The accuracy on held-out images.

    Parameters
    ----------
    neuron_labels : ndarray of int, shape (neurons,)
        The class of each neuron, from training images; -1 for none.
    mean : ndarray, shape (classes, neurons)
        The mean response of each neuron to the training images of each class.
    decided : ndarray of int, shape (test images,)
        The decision by vote; -1 for none.
    vote, weighted : float
        Accuracy of the vote, and of a decision by every neuron's whole answer.
    linear : float
        Accuracy of a linear classifier of the responses, which is supervised: labels teach it its weights.
    training : float
        Accuracy of the vote on the training images.
    """

    neuron_labels: Labels
    mean: NDArray[np.float64]
    decided: Labels
    vote: float
    weighted: float
    linear: float
    training: float


def score(history: TrainingHistory, schedule: TrainingSchedule, data: Dataset) -> Score:
    """Label the neurons on the training images, decide on the test images, both with the frozen network."""
    first, middle = schedule.n_training, schedule.n_training + len(schedule.labelling)
    known, new = history.responses[first:middle], history.responses[middle : middle + len(schedule.test)]
    labels, right = data.labels[schedule.labelling], data.labels[schedule.test]
    mean = mean_response(known, labels, data.classes)
    neuron_labels = assign_labels(known, labels, data.classes)
    decided = vote(new, neuron_labels, data.classes)
    return Score(
        neuron_labels,
        mean,
        decided,
        vote=accuracy(decided, right),
        weighted=accuracy(weigh(new, mean), right),
        linear=accuracy(linear(known, labels, new), right),
        training=accuracy(vote(known, neuron_labels, data.classes), labels),
    )


def learning_curve(
    history: TrainingHistory, schedule: TrainingSchedule, data: Dataset, window: int
) -> NDArray[np.float64]:
    """Accuracy while learning, on training images and before the network learns from them in this window.

    The neurons' labels come from one window of presentations and are put to the test in the next one.

    Parameters
    ----------
    history, schedule, data
        As in `score`.
    window : int
        Presentations a point.

    Returns
    -------
    ndarray, shape (2, points)
        Presentations so far (the middle of the tested window), and accuracy of the vote in it.
    """
    begins = range(window, schedule.n_training - window + 1, window)
    points = [(begin + window / 2, _accuracy_of(history, data, begin, window)) for begin in begins]
    return np.array(points, dtype=float).reshape(-1, 2).T


def accuracy_so_far(history: TrainingHistory, schedule: TrainingSchedule, data: Dataset) -> float | None:
    """Accuracy on the last training presentations, of labels from those before; None before there are some hundred."""
    trained = min(history.done, schedule.n_training)
    window = min(trained // 2, RECENT)
    return _accuracy_of(history, data, trained - window, window) if window >= 100 else None


def _accuracy_of(history: TrainingHistory, data: Dataset, begin: int, window: int) -> float:
    """Accuracy in a window of training presentations, with the labels of the window before."""
    before, now = slice(begin - window, begin), slice(begin, begin + window)
    labels = assign_labels(history.responses[before], _labels(history, data, before), data.classes)
    return accuracy(vote(history.responses[now], labels, data.classes), _labels(history, data, now))


def _labels(history: TrainingHistory, data: Dataset, rows: slice) -> Any:
    return data.labels[history.image[rows]]
