"""Where activity and accuracy begin to go in a converted network, and why: from measures of its layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from biosnn.conversion.analysis.error_analysis import PARTS
from biosnn.conversion.membrane import leaks
from biosnn.model import NeuronModel

HALF = 0.5
"""Activity has vanished where decoded rates are below this fraction of the mean activation; above 1/HALF, too much."""
POINT = 0.01
OWN = PARTS[1:]
"""The parts of the error that a layer adds by itself."""


@dataclass(frozen=True)
class Diagnosis:
    """What is wrong with a converted network.

    Parameters
    ----------
    vanishes, overfires, loses : int or None
        The first layer, from 1, whose decoded rates are below half the mean activation, the first above twice, and
        behind which the ordinary network is more than a point less accurate than it was.
    shares : mapping of str to float
        Each cause's fraction of what is lost in single layers up to there, the last one if there is none.
    dead : float
        Fraction of the neurons of that layer that are zero in the ordinary network too.
    """

    vanishes: int | None
    overfires: int | None
    loses: int | None
    shares: Mapping[str, float]
    dead: float


def diagnose(kept: ArrayLike, rest: ArrayLike, ann: float, own: ArrayLike, dead: ArrayLike) -> Diagnosis:
    """Find out where and why, on average over repetitions.

    Parameters
    ----------
    kept : array_like, shape (repetitions, layers)
        The decoded rates of each layer, over the mean activation (`biosnn.conversion.analysis.metrics`).
    rest : array_like, the same shape
        Accuracy if the ordinary network computes the rest from there (`biosnn.conversion.hybrid.going_on`).
    ann : float
        Accuracy of the ordinary network.
    own : array_like, shape (repetitions, layers, parts)
        What each layer itself adds to its decoded rates, in mean activations, by the parts `OWN`; below 0 it is lost.
    dead : array_like, shape (repetitions, layers)
        Fraction of the neurons that are zero for all images in the ordinary network.
    """
    told, after = np.nanmean(np.asarray(kept, dtype=float), axis=0), np.asarray(rest).mean(axis=0)
    vanishes, overfires = _first(told < HALF), _first(told > 1 / HALF)
    loses = _first(after < ann - POINT)
    until = vanishes or overfires or len(told)
    # Each layer's own loss adds to what later layers inherit; what one adds makes up for nothing that others lose.
    lost = np.maximum(-np.asarray(own)[:, :until].mean(axis=0), 0).sum(axis=0)
    total = lost.sum()
    shares = {part: float(value / total) if total else 0.0 for part, value in zip(OWN, lost, strict=True)}
    return Diagnosis(vanishes, overfires, loses, shares, float(np.asarray(dead)[:, until - 1].mean()))


def _first(where: NDArray[np.bool_]) -> int | None:
    return int(np.argmax(where)) + 1 if where.any() else None


def reasons(model: NeuronModel) -> dict[str, str]:
    """What each cause means for neurons of this model, in words."""
    hard, leaky = "-=" not in model.reset, leaks(model)
    losses = [
        *(["the hard reset discards what is above the threshold at a spike"] if hard else []),
        *(["the leak lets earlier input decay"] if leaky else []),
    ]
    return {
        "clipping": "thresholds too low: larger activations are clipped, as no neuron fires more than once per step",
        "quantisation": "thresholds too high for so few steps: what does not make a whole spike is lost",
        "reset and leak": " and ".join(losses) or "neither reset nor leak",
        "unevenness": "spikes of both signs come unevenly: some arrive too late to count",
    }
