"""What the answers say of the classes: decoders with and without labels, few labels, and simpler methods."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from brian2 import ms
from numpy.typing import NDArray

from biosnn.learning import assign_labels, linear, mean_response, vote, weigh
from biosnn.learning.layers import LayersTrained, fields, save_layers
from biosnn.measure import accuracy, confusion
from biosnn.study import Result, Table

from .images import Parts
from .networks import LEARNS, NO_PLASTICITY, PATCHES, RANDOM, Kind

if TYPE_CHECKING:
    from .study import Settings

FEW = (10, 30, 100, 300, 1000)
"""How many labelled images there are, where there are few."""
DRAWS = 5
"""How often they are drawn."""
NEEDED = {
    "better than k-means": ["k-means of pixels"],
    "plasticity matters": ["accuracy without plasticity"],
    "few labels are enough": ["weighted vote, 10 labels"],
    "kernels are worth learning": ["accuracy, linear readout of maps, random kernels"],
    "a reward teaches": ["accuracy, decision by reward"],
}
"""The values that claims need, which some settings leave out."""
LARGE = 60000
"""Up to how many images a supervised readout learns from; it gains little from more."""


@dataclass(frozen=True)
class Answers:
    """Spikes of each network in answer to images that label, and then to those that decisions are judged on.

    Those of the cells that vote, those of more cells, for readouts that find their own weights, and those of the pooled
    maps; those of cells that learned by reward, to the judged images only.
    """

    votes: list[Any]
    code: list[Any]
    maps: list[Any] | None
    rewarded: Any


def result_of(
    settings: Settings,
    parts: Parts,
    kinds: list[Kind],
    trained: list[LayersTrained],
    found: Answers,
) -> Result:
    """Values, arrays and tables."""
    n, data = len(parts.labelling), parts.data
    known, right = data.labels[parts.labelling], data.labels[parts.judged]
    judged: dict[str, list[dict[str, float]]] = {}
    for kind, answers, code in zip(kinds, found.votes, found.code, strict=True):
        decoded = _voted(answers, n, known, right, data.classes)
        decoded["linear"] = accuracy(linear(code[:n][:LARGE], known[:LARGE], code[n:]), right)
        judged.setdefault(kind.name, []).append(decoded)
    means = {
        name: {key: float(np.mean([one[key] for one in each])) for key in each[0]} for name, each in judged.items()
    }
    votes = np.array([one["vote"] for one in judged[LEARNS]])
    test, pooled = found.votes[0][n:], found.maps
    values: dict[str, Any] = {
        "accuracy": means[LEARNS]["vote"],
        "accuracy of the first network": float(votes[0]),
        "accuracy sd": float(votes.std(ddof=1)) if len(votes) > 1 else 0.0,
        "accuracy, weighted vote": means[LEARNS]["weighted"],
        "accuracy, linear readout of cells": means[LEARNS]["linear"],
    }
    if pooled is not None:
        values |= _of_maps(pooled, kinds, known, right, n)
    for name in (NO_PLASTICITY, RANDOM, PATCHES):
        if name in means:
            values[f"accuracy {'with ' if name != NO_PLASTICITY else ''}{name}"] = means[name]["vote"]
    few = few_labels(parts, found.code[0], n) if settings.baselines else {}
    values |= _baselines(settings, parts, pooled, n) if settings.baselines else {}
    values |= {f"{name}, {labels} labels": float(found.mean()) for (name, labels), found in few.items()}
    values |= {
        "chance": accuracy(np.full(len(right), np.bincount(known).argmax()), right),
        "answers per image": float(test.sum(axis=1).mean()),
        "images without answer": float((test.sum(axis=1) == 0).mean()),
        "silent cells": float((test.sum(axis=0) == 0).mean()),
        "test images looked at": int(settings.judged == "test") * len(parts.judged),
        "processor time per network": sum(one.seconds for one in trained) / len(trained) * 1000 * ms,
    }
    values |= (
        {}
        if found.rewarded is None
        else {"accuracy, decision by reward": _rewarded(found.rewarded, right, data.classes)}
    )
    left = [claim for claim, needed in NEEDED.items() if not set(needed) <= set(values)]
    arrays = _arrays(parts, trained, found.votes, few, n)
    files = {f"seed-{one.seed}.npz": partial(save_layers, one) for one in trained[: settings.networks]}
    return Result(values, arrays, files=files, tables={"Accuracy": _table(values)}, not_applicable=left)


def _voted(answers: Any, n: int, labels: NDArray[np.int64], right: NDArray[np.int64], classes: int) -> dict[str, float]:
    known, new = answers[:n], answers[n:]
    return {
        "vote": accuracy(vote(new, assign_labels(known, labels, classes), classes), right),
        "weighted": accuracy(weigh(new, mean_response(known, labels, classes)), right),
    }


def _rewarded(answers: Any, right: NDArray[np.int64], classes: int) -> float:
    """How often the class of the cell that spiked is right."""
    spiked = np.asarray(answers.sum(axis=1)).ravel() > 0
    decided = np.asarray(answers.argmax(axis=1)).ravel() % classes
    return accuracy(np.where(spiked, decided, -1), right)


def _of_maps(
    pooled: list[Any], kinds: list[Kind], known: NDArray[np.int64], right: NDArray[np.int64], n: int
) -> dict[str, Any]:
    """A linear readout, which is supervised, of the pooled maps of the first network and of the controls."""
    values: dict[str, Any] = {}
    for kind, responses in zip(kinds, pooled, strict=True):
        if kind.name in (LEARNS, RANDOM, PATCHES) and kind.seed == kinds[0].seed:
            name = "" if kind.name == LEARNS else f", {kind.name}"
            decided = linear(responses[:n][:LARGE], known[:LARGE], responses[n:])
            values[f"accuracy, linear readout of maps{name}"] = accuracy(decided, right)
    values["spikes per image, pooled maps"] = float(pooled[0].sum() / pooled[0].shape[0])
    return values


def few_labels(parts: Parts, responses: Any, n: int) -> dict[tuple[str, int], NDArray[np.float64]]:
    """The accuracy with few labelled images, each drawn several times with as many of each class as can be."""
    from sklearn.linear_model import LogisticRegression

    data, rng = parts.data, np.random.default_rng(0)
    known, right = data.labels[parts.labelling], data.labels[parts.judged]
    pixels, tested = parts.pixels(parts.labelling), parts.pixels(parts.judged)
    found: dict[tuple[str, int], list[float]] = {}
    for labels in [few for few in FEW if few <= n]:
        for _ in range(DRAWS):
            some = _balanced(rng, known, labels)
            mean = mean_response(responses[:n][some], known[some], data.classes)
            decided = weigh(responses[n:], mean)
            found.setdefault(("weighted vote", labels), []).append(accuracy(decided, right))
            fitted = LogisticRegression(max_iter=300).fit(pixels[some], known[some])
            found.setdefault(("logistic regression", labels), []).append(accuracy(fitted.predict(tested), right))
    return {key: np.array(each) for key, each in found.items()}


def _balanced(rng: np.random.Generator, labels: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """So many images, with as many of each class as can be."""
    order = rng.permutation(len(labels))
    rank = np.empty(len(labels), np.int64)
    for each in np.unique(labels):
        own = order[labels[order] == each]
        rank[own] = np.arange(len(own))
    return np.asarray(order[np.argsort(rank[order], kind="stable")][:count])


def _baselines(settings: Settings, parts: Parts, pooled: list[Any] | None, n: int) -> dict[str, float]:
    """k-means with as many centres as there are cells, on pixels and on the pooled maps, and logistic regression."""
    pixels, tested = parts.pixels(parts.labelling), parts.pixels(parts.judged)
    known, right = parts.data.labels[parts.labelling], parts.data.labels[parts.judged]
    found = {"k-means of pixels": _k_means(pixels, tested, known, right, settings.cells)}
    if pooled is not None:
        dense = pooled[0].toarray().astype(np.float32)
        dense /= np.maximum(np.linalg.norm(dense, axis=1, keepdims=True), 1e-12)
        found["k-means of maps"] = _k_means(dense[:n], dense[n:], known, right, settings.cells)
    found["logistic regression of pixels"] = accuracy(linear(pixels[:LARGE], known[:LARGE], tested), right)
    return found


def _k_means(images: Any, new: Any, labels: NDArray[np.int64], right: NDArray[np.int64], centres: int) -> float:
    from scipy import sparse
    from sklearn.cluster import MiniBatchKMeans

    most = min(centres, len(images))
    clusters = MiniBatchKMeans(most, n_init=1, batch_size=4096, max_iter=50, random_state=0).fit(images)
    nearest = clusters.predict(images)
    answers = sparse.csr_array((np.ones(len(images)), (np.arange(len(images)), nearest)), shape=(len(images), most))
    named = assign_labels(answers, labels, int(labels.max()) + 1)
    return accuracy(named[clusters.predict(new)], right)


def _arrays(parts: Parts, trained: list[LayersTrained], answers: list[Any], few: Any, n: int) -> dict[str, Any]:
    first, responses = trained[0], answers[0]
    labels = assign_labels(responses[:n], parts.data.labels[parts.labelling], parts.data.classes)
    decided = vote(responses[n:], labels, parts.data.classes)
    arrays = {
        "cell labels": labels,
        "cell fields": fields(first, len(first.layers.layers) - 1),
        "confusion": confusion(decided, parts.data.labels[parts.judged], parts.data.classes),
        "thresholds": np.asarray(first.state.get("cells_thresholds.theta", np.zeros(1))),
        "answers per cell": np.asarray(responses[n:].sum(axis=0)),
    }
    if len(first.layers.plastic) > 1:
        arrays["kernels"] = np.moveaxis(first.weights(0), -1, 0)
    for name in sorted({name for name, _ in few}):
        arrays[f"few labels, {name}"] = np.array([each for (own, _), each in few.items() if own == name])
    if few:
        arrays["few labels"] = np.array(sorted({labels for _, labels in few}))
    return arrays


def _table(values: dict[str, Any]) -> Table:
    rows = [["network or method", "correctly classified"]]
    rows += [
        [name, f"{100 * value:.1f} %"]
        for name, value in values.items()
        if isinstance(value, float) and (name.startswith(("accuracy", "k-means", "logistic")) and "sd" not in name)
    ]
    return Table("Fraction of the judged images that is correctly classified.", rows)
