"""How well a class is told with few labelled images, when all images were learned from without labels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn.learning import LabelledCentres, mean_response, weigh
from biosnn.measure import accuracy

from .images import Parts

FEW = (10, 30, 100, 300, 1000)
"""How many labelled images there are."""
DRAWS = 5
"""How often they are drawn."""
METHODS = ("weighted vote", "k-means", "logistic regression")


def few_labels(
    parts: Parts, responses: Any, centres: LabelledCentres, n: int
) -> dict[tuple[str, int], NDArray[np.float64]]:
    """The accuracy of each method with so many labelled images, as many of each class as can be; of each draw."""
    from sklearn.linear_model import LogisticRegression

    data, rng = parts.data, np.random.default_rng(0)
    known, right = data.labels[parts.labelling], data.labels[parts.judged]
    pixels, tested = parts.pixels(parts.labelling), parts.pixels(parts.judged)
    nearest, asked = centres.nearest(pixels), centres.nearest(tested)
    found: dict[tuple[str, int], list[float]] = {}
    for labels in [few for few in FEW if few <= n]:
        for _ in range(DRAWS):
            some = _balanced(rng, known, labels)
            decided = {
                "weighted vote": weigh(responses[n:], mean_response(responses[:n][some], known[some], data.classes)),
                "k-means": named_by_few(centres.centres, nearest[some], known[some], data.classes)[asked],
                "logistic regression": LogisticRegression(max_iter=300).fit(pixels[some], known[some]).predict(tested),
            }
            for method, decisions in decided.items():
                found.setdefault((method, labels), []).append(accuracy(decisions, right))
    return {key: np.array(each) for key, each in found.items()}


def named_by_few(
    centres: NDArray[np.floating], nearest: NDArray[np.int64], labels: NDArray[np.int64], classes: int
) -> NDArray[np.int64]:
    """The class of each centre: of most labelled images next to it, or else of the nearest centre that has one."""
    from sklearn.metrics import pairwise_distances_argmin

    counts = np.zeros((len(centres), classes))
    np.add.at(counts, (nearest, labels), 1)
    named = np.flatnonzero(counts.sum(axis=1))
    found: NDArray[np.int64] = counts[named].argmax(axis=1)[pairwise_distances_argmin(centres, centres[named])]
    return found


def _balanced(rng: np.random.Generator, labels: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """So many images, with as many of each class as can be."""
    order = rng.permutation(len(labels))
    rank = np.empty(len(labels), np.int64)
    for each in np.unique(labels):
        own = order[labels[order] == each]
        rank[own] = np.arange(len(own))
    return np.asarray(order[np.argsort(rank[order], kind="stable")][:count])
