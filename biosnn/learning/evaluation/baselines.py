"""What simpler methods reach on the same images and the same split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from biosnn.datasets import Dataset
from biosnn.display import Brief
from biosnn.learning.evaluation.readout import assign_labels
from biosnn.measure import accuracy

Rows = NDArray[np.floating]

# Images times pixels times outputs of a method, from where on it takes short cuts. The small digits stay below.
LARGE = 100_000_000
COMPONENTS = 50
FINE_STEPS = 3


def chance(train: Dataset, test: Dataset) -> float:
    """Accuracy of always naming the class that is most frequent in training."""
    most = int(np.bincount(train.labels).argmax())
    return accuracy(np.full(len(test.labels), most), test.labels)


@dataclass(frozen=True, eq=False)
class LabelledCentres(Brief):
    """Centres of k-means, learned without labels, and the class that each stands for.

    Parameters
    ----------
    centres : ndarray, shape (centres, pixels)
        Intensities from 0 to 1.
    labels : ndarray of int, shape (centres,)
        The class most frequent among the training images next to a centre, corrected for the size of the classes.
    """

    centres: Rows
    labels: NDArray[np.int64]

    def nearest(self, images: Rows) -> NDArray[np.int64]:
        """The centre next to each image, which is a row of intensities."""
        from sklearn.metrics import pairwise_distances_argmin  # slow to import, and only needed here

        return np.asarray(pairwise_distances_argmin(images.astype(self.centres.dtype), self.centres), np.int64)

    def decide(self, images: Rows) -> NDArray[np.int64]:
        """The class of the centre next to each image."""
        return self.labels[self.nearest(images)]


def labelled_centres(train: Dataset, centres: int, seed: int) -> LabelledCentres:
    """Learn centres by k-means, and label each by the training images next to it.

    Centres start as k-means++ says and move until they rest. For many images and centres they do so among the first
    principal components of the images, and take but a few steps among all pixels then, in single precision: on MNIST
    a sixth of the time, and no worse.

    Parameters
    ----------
    train : Dataset
    centres : int
        As many as a network has neurons; where there are fewer images, as many as images.
    seed : int
        Of the centres' first places.
    """
    large = _large(train, centres)
    images: Rows = train.flat.astype(np.float32) if large else train.flat
    centres = min(centres, len(train.labels))
    clusters = _coarse_to_fine(images, centres, seed) if large else _cluster(images, centres, random_state=seed)
    return LabelledCentres(clusters.cluster_centers_, _labels_of(clusters.labels_, train, centres))


def k_means(train: Dataset, test: Dataset, centres: int, seed: int) -> float:
    """Accuracy of k-means, learned without labels: see `labelled_centres`, which has the same parameters."""
    return accuracy(labelled_centres(train, centres, seed).decide(test.flat), test.labels)


def _cluster(images: Rows, centres: int, **more: Any) -> Any:
    from sklearn.cluster import KMeans  # slow to import, and only needed here

    return KMeans(centres, n_init=1, **more).fit(images)


def _coarse_to_fine(images: Rows, centres: int, seed: int) -> Any:
    from sklearn.decomposition import PCA

    axes = PCA(min(COMPONENTS, *images.shape), random_state=seed)
    coarse = _cluster(axes.fit_transform(images), centres, random_state=seed)
    start = axes.inverse_transform(coarse.cluster_centers_)
    return _cluster(images, centres, init=start, max_iter=FINE_STEPS)


def _labels_of(nearest: NDArray[np.integer], train: Dataset, centres: int) -> NDArray[np.int64]:
    """The label of each centre: the class most frequent among its images, corrected for the size of the classes."""
    n = len(nearest)
    answers = sparse.csr_array((np.ones(n, dtype=np.int64), nearest, np.arange(n + 1)), shape=(n, centres))
    return assign_labels(answers, train.labels, train.classes)


def logistic_regression(train: Dataset, test: Dataset) -> float:
    """Accuracy of logistic regression on the pixels: supervised, unlike the network.

    Of many images the mean one is subtracted, in single precision. The solution is the same, since intercepts are free,
    and is found in a third of the time.
    """
    from sklearn.linear_model import LogisticRegression

    large = _large(train, train.classes)
    images, others = _rows(train, test, large)
    mean = images.mean(axis=0) if large else np.zeros(1)
    fitted = LogisticRegression(max_iter=2000).fit(images - mean, train.labels)
    return accuracy(fitted.predict(others - mean), test.labels)


def _large(train: Dataset, outputs: int) -> bool:
    return train.images.size * outputs >= LARGE


def _rows(train: Dataset, test: Dataset, large: bool) -> tuple[Rows, Rows]:
    precision = np.float32 if large else np.float64
    return train.flat.astype(precision), test.flat.astype(precision)
