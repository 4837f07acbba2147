"""Where activity and accuracy begin to go in a converted network, and why: from what `converted` measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from biosnn.conversion import PARTS
from biosnn.conversion.membrane import leaks
from biosnn.measure import interval
from biosnn.model import NeuronModel

from .converted import AS_IT_IS, Converted

HALF = 0.5
"""Activity has vanished where rates tell less than this part of the mean activation; or is too much beyond 1/HALF."""
POINT = 0.01
OWN = PARTS[1:]


@dataclass(frozen=True)
class Diagnosis:
    """What is wrong with a converted network.

    Parameters
    ----------
    vanishes, overfires, loses : int or None
        The first layer, from 1, whose rates tell less than half the mean activation, that tells more than twice, and
        behind which the ordinary network is more than a point less accurate than it was.
    shares : mapping of str to float
        Which part of what is lost in single layers up to there, the last one if there is none, each cause has.
    dead : float
        Part of the neurons of that layer that are zero in the ordinary network too.
    """

    vanishes: int | None
    overfires: int | None
    loses: int | None
    shares: Mapping[str, float]
    dead: float


def diagnose(found: Converted) -> Diagnosis:
    """Find out, from the network as it is, on average over repetitions."""
    number = found.conversions.index(AS_IT_IS)
    kept = np.nanmean(found.measured["kept"][number], axis=0)
    rest = found.measured["rest"][number].mean(axis=0)
    vanishes, overfires = _first(kept < HALF), _first(kept > 1 / HALF)
    loses = _first(rest < found.ann.mean() - POINT)
    until = vanishes or overfires or len(found.layers)
    # Each layer's own loss adds to what later layers inherit; what one adds makes up for nothing that others lose.
    lost = np.maximum(-found.own[:, :until].mean(axis=0), 0).sum(axis=0)
    total = lost.sum()
    shares = {part: float(value / total) if total else 0.0 for part, value in zip(OWN, lost, strict=True)}
    return Diagnosis(vanishes, overfires, loses, shares, float(found.dead[:, until - 1].mean()))


def _first(where: NDArray[np.bool_]) -> int | None:
    return int(np.argmax(where)) + 1 if where.any() else None


def reasons(model: NeuronModel) -> dict[str, str]:
    """What each cause means for neurons of this model, in words."""
    hard, leaky = "-=" not in model.reset, leaks(model)
    forgets = [
        *(["the hard reset forgets what is above the threshold at a spike"] if hard else []),
        *(["the leak forgets what came long ago"] if leaky else []),
    ]
    return {
        "clipping": "thresholds too low: larger activations are clipped, as no neuron fires more than once a step",
        "quantisation": "thresholds too high for so few steps: what does not make a whole spike is not told",
        "reset and leak": " and ".join(forgets) or "neither reset nor leak",
        "unevenness": "spikes of both signs come unevenly: some arrive too late to count",
    }


def told(found: Converted, model: NeuronModel, images: int) -> list[list[str]]:
    """The diagnosis as questions and answers."""
    diagnosis = diagnose(found)
    words = reasons(model)
    rows = [["question", "answer"]]
    curve = found.curves[found.conversions.index(AS_IT_IS), :, -1].mean()
    low, high = interval(float(curve), images)
    rows.append(
        [
            "What is left?",
            f"{100 * curve:.1f} % of images are told right ({100 * low:.1f} to {100 * high:.1f}), "
            f"{100 * found.ann.mean():.1f} % by the ANN.",
        ]
    )
    rows.append(["Where is accuracy lost first?", _at(found, diagnosis.loses, "in no layer: it is within a point")])
    rows.append(["Where has half of the activity gone?", _at(found, diagnosis.vanishes, "in no layer")])
    if diagnosis.overfires:
        rows.append(["Where is it twice what it should be?", _at(found, diagnosis.overfires, "")])
    lost = sorted(diagnosis.shares.items(), key=lambda item: -item[1])
    why = "; ".join(f"{100 * share:.0f} %: {words[part]}" for part, share in lost if share >= 0.1)
    rows.append(["Why do layers up to there tell too little?", why or "They do not."])
    rows.append(
        [
            "Are units dead in the ANN itself?",
            f"{100 * diagnosis.dead:.1f} % of the neurons there are zero for all images in the ANN too.",
        ]
    )
    return rows


def _at(found: Converted, layer: int | None, nowhere: str) -> str:
    return nowhere if layer is None else f"in layer {layer} of {len(found.layers)}, {found.layers[layer - 1]!r}"
