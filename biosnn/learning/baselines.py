"""What simpler methods reach on the same images and the same split."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from biosnn.datasets import Dataset
from biosnn.learning.readout import assign_labels
from biosnn.measure import accuracy


def chance(train: Dataset, test: Dataset) -> float:
    """Accuracy of always naming the class that is most frequent in training."""
    most = int(np.bincount(train.labels).argmax())
    return accuracy(np.full(len(test.labels), most), test.labels)


def k_means(train: Dataset, test: Dataset, centres: int, seed: int) -> float:
    """Accuracy of k-means, learned without labels; each centre is labelled by the training images next to it.

    Parameters
    ----------
    train, test : Dataset
    centres : int
        As many as the network has neurons.
    seed : int
        Of the centres' first places.
    """
    from sklearn.cluster import KMeans

    found = KMeans(centres, n_init=1, random_state=seed).fit(train.flat)
    return accuracy(_labels_of(found.labels_, train, centres)[found.predict(test.flat)], test.labels)


def _labels_of(nearest: NDArray[np.integer], train: Dataset, centres: int) -> NDArray[np.int64]:
    """The label of each centre: the class most frequent among its images, corrected for the size of the classes."""
    answers = np.eye(centres, dtype=np.int64)[nearest]
    return assign_labels(answers, train.labels, train.classes)


def logistic_regression(train: Dataset, test: Dataset) -> float:
    """Accuracy of logistic regression on the pixels: supervised, unlike the network."""
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(max_iter=2000).fit(train.flat, train.labels)
    return accuracy(fitted.predict(test.flat), test.labels)
