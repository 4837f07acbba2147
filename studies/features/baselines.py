"""What simpler methods make of the same images: k-means, principal components, windows, linear classifiers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from biosnn.learning import LabelledCentres, assign_labels, labelled_centres
from biosnn.learning.layers import Convolution, LayerSettings, Pool
from biosnn.measure import accuracy

from .decoders import LABELS, best_C, linear_readout
from .images import Parts
from .networks import contrast_of, kernel_of_windows

if TYPE_CHECKING:
    from .study import Settings

OTHERS = ("k-means of", "logistic regression of", "principal components")
"""How the names of these accuracies begin."""
Rows = NDArray[np.float32]
COMPONENTS = 100
"""How many principal components a linear readout gets."""
AT_ONCE = 500
"""Of how many images windows are compared with centres at once."""


@dataclass(frozen=True, eq=False)
class OfPixels:
    """Methods that have learned from pixels, and decide on rows of intensities."""

    centres: LabelledCentres
    logistic: Callable[[Rows], NDArray[np.int64]]


def of_pixels(settings: Settings, parts: Parts, seed: int) -> OfPixels:
    """Let k-means, with as many centres as there are cells, and logistic regression learn."""
    from sklearn.linear_model import LogisticRegression

    pixels, known = parts.pixels(parts.labelling), parts.data.labels[parts.labelling]
    centres = labelled_centres(parts.data.take(parts.labelling), settings.cells, seed)
    mean = pixels.mean(axis=0)
    classifier = LogisticRegression(max_iter=1000)
    fitted = classifier.set_params(C=best_C(classifier, pixels - mean, known)).fit(pixels - mean, known)
    return OfPixels(centres, lambda rows: np.asarray(fitted.predict(rows - mean), np.int64))


def baselines(
    settings: Settings, layers: LayerSettings, parts: Parts, learned: OfPixels, pooled: Any, seed: int
) -> dict[str, float]:
    """How often simpler methods are right.

    The pooled maps of the first network are asked too: what k-means makes of them is what the cells could have.
    """
    n, pixels, tested = len(parts.labelling), parts.pixels(parts.labelling), parts.pixels(parts.judged)
    known, right = parts.data.labels[parts.labelling], parts.data.labels[parts.judged]
    found = {
        "k-means of pixels": accuracy(learned.centres.decide(tested), right),
        "logistic regression of pixels": accuracy(learned.logistic(tested), right),
        "principal components, linear readout": accuracy(_components(pixels, known, tested), right),
    }
    if pooled is not None:
        found["k-means of maps"] = _k_means_of_maps(pooled, n, known, right, settings.cells, seed)
        windows = windows_pooled(layers, parts, seed)
        decided = linear_readout(windows[:n][:LABELS], known[:LABELS], windows[n:])
        found["k-means of windows, linear readout"] = accuracy(decided, right)
    return found


def _components(pixels: Rows, labels: NDArray[np.int64], new: Rows) -> NDArray[np.int64]:
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression

    axes = PCA(min(COMPONENTS, *pixels.shape), whiten=True, random_state=0).fit(pixels)
    fitted = LogisticRegression(max_iter=1000).fit(axes.transform(pixels), labels)
    return np.asarray(fitted.predict(axes.transform(new)), np.int64)


def windows_pooled(layers: LayerSettings, parts: Parts, seed: int) -> Rows:
    """How near each window of the contrast is to centres of k-means, summed over the windows that are pooled.

    With as many centres as there are maps, and the windows of the first layers. The nearness is the "triangle" of
    Coates & Ng 2011 (Proc AISTATS 15:215, eq. 3): by how much a centre is nearer than all are on average, or 0.

    Returns
    -------
    ndarray of float32, shape (shown images, centres and places)
    """
    first, pool = layers.layers[0], layers.layers[1]
    assert isinstance(first, Convolution)
    size, pool_size = first.kernel, pool.size if isinstance(pool, Pool) else 1
    centres = kernel_of_windows(layers, parts, seed).reshape(-1, first.maps)
    rows, columns = (each // pool_size for each in layers.shapes(parts.data.shape)[1][:2])
    found = np.empty((len(parts.shown), rows * columns * first.maps), np.float32)
    for begin in range(0, len(parts.shown), AT_ONCE):
        some = parts.shown[begin : begin + AT_ONCE]
        seen = contrast_of(layers.contrast, parts.pixels(some).reshape(-1, *parts.data.shape))
        views: Rows = np.lib.stride_tricks.sliding_window_view(seen, (size, size), axis=(1, 2))  # type: ignore[call-overload]
        windows = views[:, : rows * pool_size, : columns * pool_size].transpose(0, 1, 2, 4, 5, 3)
        flat = windows.reshape(-1, len(centres))
        lengths = np.linalg.norm(flat, axis=1, keepdims=True)
        cosine = flat @ centres / np.maximum(lengths, 1e-6)
        distance = np.sqrt(np.maximum(2 - 2 * cosine, 0))
        near = np.maximum(distance.mean(axis=1, keepdims=True) - distance, 0) * (lengths > 1e-3)
        places = near.reshape(len(some), rows, pool_size, columns, pool_size, first.maps)
        found[begin : begin + len(some)] = places.sum(axis=(2, 4)).reshape(len(some), -1)
    return found


def _k_means_of_maps(
    pooled: Any, n: int, labels: NDArray[np.int64], right: NDArray[np.int64], centres: int, seed: int
) -> float:
    from sklearn.cluster import MiniBatchKMeans

    dense = pooled.toarray().astype(np.float32)
    dense /= np.maximum(np.linalg.norm(dense, axis=1, keepdims=True), 1e-12)
    most = min(centres, n)
    clusters = MiniBatchKMeans(most, init="random", n_init=1, batch_size=4096, max_iter=50, random_state=seed)
    clusters.fit(dense[:n])
    answers = sparse.csr_array((np.ones(n), (np.arange(n), clusters.predict(dense[:n]))), shape=(n, most))
    named = assign_labels(answers, labels, int(labels.max()) + 1)
    return accuracy(named[clusters.predict(dense[n:])], right)
