"""What is learned, as spikes: training, validation and test examples of each dataset."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
from brian2 import ms

from biosnn.datasets import LabelledSpikeTrains, load, yin_yang

VALIDATION = 5000
"""How many of the training images choose the best epoch."""


@dataclass(frozen=True, eq=False)
class Data:
    """Examples to learn from, to choose by, and to test with; how long one lasts."""

    training: LabelledSpikeTrains
    validation: LabelledSpikeTrains
    test: LabelledSpikeTrains

    def first(self, training: int, test: int) -> Data:
        """The first ones of each; 0 for all."""
        numbers = (training, test, test)
        parts = (self.training, self.validation, self.test)
        return Data(*(part.take(slice(0, n or None)) for part, n in zip(parts, numbers, strict=True)))


def _points(darkest: float) -> Data:
    """With the seeds of the dataset's authors; spikes from 10 to 40 ms, and one at 20 ms (Wunderlich & Pehle 2021)."""
    del darkest  # all values spike
    made = []
    for n, seed in ((5000, 42), (1000, 41), (1000, 40)):
        values, labels = yin_yang(n, seed)
        trains = LabelledSpikeTrains.latency(
            values, labels, 10 * ms, 40 * ms, duration=45 * ms, bias=20 * ms, large_first=False
        )
        made.append(trains)
    return Data(*made)


def _images(name: str, darkest: float) -> Data:
    """The dataset's own test images, and the last of its training images to choose by."""
    data = load(name)
    values = np.asarray(data.images, np.float32).reshape(len(data.images), 28, 28)
    values /= values.max()
    values = np.where(values > darkest, values, 0)
    tests = len(data.labels) - 60000
    ends = (0, 60000 - VALIDATION, 60000, 60000 + tests)
    parts = [
        LabelledSpikeTrains.latency(
            values[a:b], data.labels[a:b], 0 * ms, 16 * ms, duration=20 * ms, zeros=False, source=name
        )
        for a, b in pairwise(ends)
    ]
    return Data(*parts)


DATASETS: dict[str, Callable[[float], Data]] = {
    "yin-yang": _points,
    "mnist": partial(_images, "mnist"),
    "fashion-mnist": partial(_images, "fashion-mnist"),
}
