"""How decisions suffer from noise in the images, and from spikes that are lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn.datasets import Dataset
from biosnn.learning import assign_labels, vote
from biosnn.learning.layers import LayersTrained, Recording, record
from biosnn.measure import accuracy

from .baselines import OfPixels
from .images import Parts

NOISE = (0.0, 0.1, 0.2, 0.3, 0.4)
"""Standard deviations of the noise that is added to each pixel, in units of full intensity."""
LOST = (0.0, 0.1, 0.25, 0.5, 0.75)
"""With which probability a spike, or a pixel, is lost."""
MOST = 1000
"""How many of the judged images are disturbed, at most."""
NETWORK, K_MEANS, LOGISTIC = "vote of the cells", "k-means of pixels", "logistic regression of pixels"

Curves = dict[str, dict[str, list[float]]]


def robustness(
    sim: Any, parts: Parts, trained: LayersTrained, answers: Any, learned: OfPixels | None, seed: int
) -> Curves:
    """The accuracy of the first network's vote and of methods that see pixels, as a disturbance grows.

    All have learned from images as they are, and cells have the labels that these have given them. Of what is lost, the
    network loses spikes of its contrast cells, or spikes of its pooled maps; the other methods lose pixels, which are
    black then.

    Returns
    -------
    dict
        For "noise", "spikes of contrast cells lost" and "spikes of maps lost": the accuracies of each method.
    """
    judged = parts.judged[:MOST]
    labels = assign_labels(answers[: len(parts.labelling)], parts.data.labels[parts.labelling], parts.data.classes)
    right, classes, depth = parts.data.labels[judged], parts.data.classes, len(trained.layers.layers)
    rng, found = np.random.default_rng(seed), Curves()

    def voted(data: Dataset, images: NDArray[np.int64], given: Recording | None) -> NDArray[np.int64]:
        return vote(record(sim, trained, data, images, depth, given=given).counts(images), labels, classes)

    noisy = [_noisy(parts, judged, each, rng) for each in NOISE]
    shown = replace(parts.data, images=np.concatenate(noisy), labels=np.tile(right, len(NOISE)), for_training=0)
    decided = voted(shown, np.arange(len(shown.labels)), None).reshape(len(NOISE), -1)
    found["noise"] = {NETWORK: [accuracy(each, right) for each in decided], **_others(learned, parts, noisy, right)}

    contrast = record(sim, trained, parts.data, judged, 0)
    lost = [voted(parts.data, judged, contrast.without(each, seed)) for each in LOST]
    black = [parts.data.images[judged] * (rng.random(parts.data.images[judged].shape) >= each) for each in LOST]
    black = [each.astype(np.uint8) for each in black]
    found["spikes of contrast cells lost"] = {
        NETWORK: [accuracy(each, right) for each in lost],
        **_others(learned, parts, black, right),
    }
    if len(trained.layers.plastic) > 1:
        maps = record(sim, trained, parts.data, judged, depth - 1, given=contrast)
        lost = [voted(parts.data, judged, maps.without(each, seed)) for each in LOST]
        found["spikes of maps lost"] = {NETWORK: [accuracy(each, right) for each in lost]}
    return found


def _noisy(parts: Parts, images: NDArray[np.int64], sd: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Images with normally distributed noise, cut off at black and at full intensity."""
    seen, brightest = parts.data.images[images].astype(float), parts.data.brightest
    seen += rng.normal(0, 1, seen.shape) * sd * brightest
    return np.asarray(np.rint(np.clip(seen, 0, brightest)), np.uint8)


def _others(
    learned: OfPixels | None, parts: Parts, disturbed: list[NDArray[np.uint8]], right: NDArray[np.int64]
) -> dict[str, list[float]]:
    if learned is None:
        return {}
    rows = [each.reshape(len(each), -1).astype(np.float32) / np.float32(parts.data.brightest) for each in disturbed]
    return {
        K_MEANS: [accuracy(learned.centres.decide(each), right) for each in rows],
        LOGISTIC: [accuracy(learned.logistic(each), right) for each in rows],
    }
