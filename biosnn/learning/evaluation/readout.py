"""Say which class a population of neurons means, from its responses to images.

A response is a row of spike counts, one of each neuron, to one image. Labels are used here for the first time: the
network has learned without them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from biosnn.errors import DataError, field_error
from biosnn.measure.decoding import NONE, Labels, Responses


def mean_response(responses: Responses, labels: Labels, classes: int) -> NDArray[np.float64]:
    """The mean response of each neuron to each class, shape (classes, neurons); 0 for a class without images.

    Raises
    ------
    DataError
        If there is not one label for each response.
    """
    if responses.shape[0] != len(labels):
        raise DataError(field_error("labels", f"one for each of {responses.shape[0]} responses", len(labels)))
    member = np.arange(classes)[:, None] == labels[None, :]
    sums: NDArray[np.float64] = member.astype(float) @ responses
    images: NDArray[np.int64] = np.maximum(member.sum(axis=1, keepdims=True), 1)
    return np.asarray(sums / images)


def assign_labels(responses: Responses, labels: Labels, classes: int) -> Labels:
    """Give each neuron the class that it answers most, on average over the images of the class.

    Parameters
    ----------
    responses : ndarray of int, shape (images, neurons)
        Of training images only: labels found on test images would leak them.
    labels : ndarray of int, shape (images,)
    classes : int

    Returns
    -------
    ndarray of int64, shape (neurons,)
        -1 for a neuron that never answered.
    """
    mean = mean_response(responses, labels, classes)
    return np.where(mean.max(axis=0) > 0, mean.argmax(axis=0), NONE)


def vote(responses: Responses, neuron_labels: Labels, classes: int) -> Labels:
    """Decide for the class whose neurons answer most, on average over the neurons with that label.

    This is the decision of Diehl & Cook 2015, section 2.6.

    Returns
    -------
    ndarray of int64, shape (images,)
        -1 where no labelled neuron answered.
    """
    member = neuron_labels[:, None] == np.arange(classes)[None, :]
    score = responses @ member.astype(float) / np.maximum(member.sum(axis=0), 1)
    return np.where(score.max(axis=1) > 0, score.argmax(axis=1), NONE)


def weigh(responses: Responses, mean: NDArray[np.float64]) -> Labels:
    """Decide by every neuron's whole answer: each spike counts for each class as often as the neuron answers it.

    Parameters
    ----------
    responses : ndarray of int, shape (images, neurons)
    mean : ndarray, shape (classes, neurons)
        From `mean_response` on training images.

    Returns
    -------
    ndarray of int64, shape (images,)
        -1 where no neuron answered.
    """
    share = mean / np.maximum(mean.sum(axis=0, keepdims=True), np.finfo(float).tiny)
    score = responses @ share.T
    return np.where(score.max(axis=1) > 0, score.argmax(axis=1), NONE)


def fixed_linear(responses: Responses, labels: Labels) -> Callable[[Responses], Labels]:
    """Fit a linear classifier to the share that each neuron has in an answer, to decide on partial answers too.

    What an answer that has just begun says is in whose spikes it consists of, not in how many these are yet. So one
    readout, fitted to whole answers, decides at every time since an image came. It is supervised, as
    `biosnn.measure.linear` is.

    Parameters
    ----------
    responses : array, shape (images, neurons)
        Of training images: spike counts, or weights of spikes.
    labels : ndarray of int, shape (images,)

    Returns
    -------
    callable
        Takes responses, shape (other images, neurons), and returns decisions, shape (other images,); -1 for an image
        without an answer, and for all where there was nothing to learn.
    """
    from sklearn.linear_model import LogisticRegression

    shares = _shares(responses)
    largest, fitted = shares.max(), None
    if len(np.unique(labels)) > 1 and largest:
        fitted = LogisticRegression(max_iter=1000).fit(shares / largest, labels)

    def decide(new: Responses) -> Labels:
        if fitted is None:
            return np.full(new.shape[0], NONE)
        answered = np.asarray(new.sum(axis=1)).ravel() > 0
        return np.where(answered, fitted.predict(_shares(new) / largest), NONE)

    return decide


def _shares(responses: Responses) -> Responses:
    """Rows that add up to one, or to zero where there was no answer."""
    sums = np.maximum(np.asarray(responses.sum(axis=1), dtype=float).ravel(), np.finfo(float).tiny)
    return sparse.diags_array(1 / sums) @ responses if sparse.issparse(responses) else responses / sums[:, None]
