"""What the answers say of the classes: decoders with and without labels, few labels, and simpler methods."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from brian2 import second
from numpy.typing import NDArray

from biosnn.learning import assign_labels, mean_response, vote, weigh
from biosnn.learning.layers import LayersTrained, fields, save_layers
from biosnn.measure import accuracy, confusion
from biosnn.study import Result, Table

from .baselines import OTHERS, OfPixels, baselines
from .decoders import LABELS, linear_readout, support_vectors
from .few_labels import few_labels
from .images import Parts
from .networks import LEARNS, NO_PLASTICITY, PATCHES, RANDOM, Kind
from .robustness import LOST, NETWORK, NOISE, Curves

if TYPE_CHECKING:
    from .study import Settings

NEEDED = {
    "better than k-means": ["k-means of pixels"],
    "plasticity matters": ["accuracy without plasticity"],
    "few labels are enough": ["weighted vote, 10 labels"],
    "kernels are worth learning": ["accuracy, linear readout of maps, random kernels"],
    "a reward teaches": ["accuracy, decision by reward"],
}
"""The values that claims need, which some settings leave out."""


@dataclass(frozen=True)
class Answers:
    """Spikes of each network in answer to images that label, and then to those that decisions are judged on.

    Those of the cells that vote, those of more cells, for readouts that find their own weights, and those of the pooled
    maps; those of cells that learned by reward, to the judged images only; and how the vote suffers from disturbances.
    """

    votes: list[Any]
    code: list[Any]
    maps: list[Any] | None
    rewarded: Any
    learned: OfPixels | None
    curves: Curves


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
    test = found.votes[0][n:]
    values = _of_cells(kinds, found, n, known, right, data.classes)
    if found.maps is not None:
        values |= _of_maps(found.maps, kinds, known, right, n)
    few: Any = {}
    if found.learned is not None:
        few = few_labels(parts, found.code[0], found.learned.centres, n)
        pooled = None if found.maps is None else found.maps[0]
        values |= baselines(settings, trained[0].layers, parts, found.learned, pooled, trained[0].seed)
        values |= {f"{name}, {labels} labels": float(each.mean()) for (name, labels), each in few.items()}
    values |= {
        "chance": accuracy(np.full(len(right), np.bincount(known).argmax()), right),
        "answers per image": float(test.sum(axis=1).mean()),
        "images without answer": float((test.sum(axis=1) == 0).mean()),
        "silent cells": float((found.votes[0].sum(axis=0) == 0).mean()),  # to all images that are shown
        "test images looked at": int(settings.judged == "test") * len(parts.judged),
        "processor time per network": sum(one.seconds for one in trained) / len(trained) * second,
    }
    if found.rewarded is not None:
        values["accuracy, decision by reward"] = _rewarded(found.rewarded, right, data.classes)
    for what, curves in found.curves.items():
        strength = f"{what} of {NOISE[2]:g}" if what == "noise" else f"{LOST[2]:g} of {what}"
        values[f"vote, {strength}"] = curves[NETWORK][2]
    left = [claim for claim, needed in NEEDED.items() if not set(needed) <= set(values)]
    arrays = {**_arrays(parts, trained, found.votes, few, n), **_of_curves(found.curves)}
    files = {f"seed-{one.seed}.npz": partial(save_layers, one) for one in trained[: settings.networks]}
    tables = {"Accuracy": _table(values), **({"Robustness": _table_of_curves(found.curves)} if found.curves else {})}
    return Result(values, arrays, files=files, tables=tables, not_applicable=left)


def _of_cells(
    kinds: list[Kind], found: Answers, n: int, known: NDArray[np.int64], right: NDArray[np.int64], classes: int
) -> dict[str, Any]:
    """What decoders make of the answers of the cells: the mean of the networks that learn, and of each control."""
    judged: dict[str, list[dict[str, float]]] = {}
    for kind, answers in zip(kinds, found.votes, strict=True):
        judged.setdefault(kind.name, []).append(_voted(answers, n, known, right, classes))
    for decoded, code in zip(judged[LEARNS], found.code, strict=True):
        decoded["linear"] = accuracy(linear_readout(code[:n][:LABELS], known[:LABELS], code[n:]), right)
    means = {
        name: {key: float(np.mean([one[key] for one in each])) for key in each[0]} for name, each in judged.items()
    }
    votes = np.array([one["vote"] for one in judged[LEARNS]])
    values: dict[str, Any] = {
        "accuracy": means[LEARNS]["vote"],
        "accuracy of the first network": float(votes[0]),
        "accuracy sd": float(votes.std(ddof=1)) if len(votes) > 1 else 0.0,
        "accuracy, weighted vote": means[LEARNS]["weighted"],
        "accuracy, linear readout of cells": means[LEARNS]["linear"],
    }
    for name in (NO_PLASTICITY, RANDOM, PATCHES):
        if name in means:
            values[f"accuracy {'with ' if name != NO_PLASTICITY else ''}{name}"] = means[name]["vote"]
    return values


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
            decided = linear_readout(responses[:n][:LABELS], known[:LABELS], responses[n:])
            values[f"accuracy, linear readout of maps{name}"] = accuracy(decided, right)
    if n > LABELS:
        decided = linear_readout(pooled[0][:n], known, pooled[0][n:])
        values["accuracy, linear readout of maps, all labels"] = accuracy(decided, right)
    values["accuracy, linear SVM of maps"] = accuracy(support_vectors(pooled[0][:n], known, pooled[0][n:]), right)
    values["spikes per image, pooled maps"] = float(pooled[0].sum() / pooled[0].shape[0])
    return values


def _of_curves(curves: Curves) -> dict[str, Any]:
    """How strong disturbances are, and the accuracies: an array for each kind of them, methods in their order."""
    found: dict[str, Any] = {}
    if curves:
        found = {"robustness, strengths of noise": np.array(NOISE), "robustness, strengths of loss": np.array(LOST)}
    return found | {f"robustness, {what}": np.array(list(each.values())) for what, each in curves.items()}


def _table_of_curves(curves: Curves) -> Table:
    rows = [["disturbance", "method", *("none", "weak", "", "", "strong")]]
    for what, methods in curves.items():
        strengths = NOISE if what == "noise" else LOST
        rows.append([what, "strength", *(f"{each:g}" for each in strengths)])
        rows += [["", name, *(f"{100 * each:.1f} %" for each in found)] for name, found in methods.items()]
    note = "Fraction of the disturbed images that is correctly classified."
    return Table(note, rows)


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
        if isinstance(value, float) and name.startswith(("accuracy", *OTHERS)) and "sd" not in name
    ]
    return Table("Fraction of the judged images that is correctly classified.", rows)
