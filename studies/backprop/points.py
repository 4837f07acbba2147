"""The points of the yin-yang dataset as spikes: what all ways of training are given."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from brian2 import ms
from numpy.typing import NDArray

from biosnn.datasets import LabelledSpikeTrains, yin_yang

if TYPE_CHECKING:
    from .study import Settings

EARLY, LATE, SHOWN = 2 * ms, 22 * ms, 30 * ms
"""When values of 0 and of 1 spike, and how long an example lasts."""
ANSWER = 40 * ms
"""How long networks whose output neurons spike are given."""
CLASSES = 3
_SEEDS = (42, 41, 40)  # of the authors' training, validation and test points


@dataclass(frozen=True, eq=False)
class Points:
    """Some points, as values and as spikes.

    Parameters
    ----------
    values : array, shape (n, 4)
        x, y, 1 - x, 1 - y.
    labels : array of int, shape (n,)
        Their classes.
    """

    values: NDArray[np.float64]
    labels: NDArray[np.int64]

    @cached_property
    def spikes(self) -> LabelledSpikeTrains:
        """Four spikes whose times say the values, small ones first, and one that is always early."""
        return LabelledSpikeTrains.latency(
            self.values, self.labels, EARLY, LATE, duration=SHOWN, bias=EARLY, large_first=False
        )

    def first(self, n: int) -> Points:
        """The first ones of them."""
        return Points(self.values[:n], self.labels[:n])

    def shuffled(self, seed: int) -> Points:
        """The same points with labels in random order."""
        return Points(self.values, np.random.default_rng(seed).permutation(self.labels))


@dataclass(frozen=True, eq=False)
class Task:
    """Points to learn from, to choose by, and to test with."""

    training: Points
    validation: Points
    test: Points


def task_of(settings: Settings) -> Task:
    """The points of the dataset's authors, or the first ones of them."""
    sizes = (settings.training, settings.test, settings.test)
    return Task(*(Points(*yin_yang(n, seed)) for n, seed in zip(sizes, _SEEDS, strict=True)))
