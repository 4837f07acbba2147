"""What is changed of training examples each time that they are seen, so that a network does not learn them by heart."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from biosnn.errors import TrainingError, field_error
from biosnn.training.batch import Inputs, SpikeList
from biosnn.training.network import TrainableNetwork


class Variation(ABC):
    """A change of input spikes."""

    @abstractmethod
    def __call__(self, spikes: SpikeList, random: np.random.Generator) -> SpikeList:
        """The spikes of a batch as they are seen this time."""


@dataclass(frozen=True)
class Shifts(Variation):
    """Images are moved by whole pixels to all sides, each by a distance of its own; what leaves the image is lost.

    Parameters
    ----------
    shape : tuple of int
        Of the inputs: height and width, after channels if there are several.
    by : int
        By how many pixels at most.
    """

    shape: tuple[int, ...]
    by: int = 1

    def __post_init__(self) -> None:
        if len(self.shape) < 2 or any(size < 1 for size in self.shape):
            raise TrainingError(field_error("Shifts, shape", "height and width, after channels", self.shape))
        if isinstance(self.by, bool) or not isinstance(self.by, int) or self.by < 0:
            raise TrainingError(field_error("Shifts, by", "a whole number of at least 0", self.by))

    def __call__(self, spikes: SpikeList, random: np.random.Generator) -> SpikeList:
        *_, height, width = self.shape
        example = _examples(spikes)
        down, right = random.integers(-self.by, self.by + 1, (2, len(spikes)))
        row = spikes.neuron // width % height + down[example]
        column = spikes.neuron % width + right[example]
        inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        moved = spikes.neuron + down[example] * width + right[example]
        return _some(SpikeList(spikes.indptr, moved.astype(np.int32), spikes.step), inside)


@dataclass(frozen=True)
class LostSpikes(Variation):
    """Input spikes are left out at random.

    Parameters
    ----------
    fraction : float
        How many of them.
    """

    fraction: float

    def __post_init__(self) -> None:
        if not 0 <= self.fraction < 1:
            raise TrainingError(field_error("LostSpikes, fraction", "a number of at least 0, below 1", self.fraction))

    def __call__(self, spikes: SpikeList, random: np.random.Generator) -> SpikeList:
        return _some(spikes, random.random(len(spikes.neuron)) >= self.fraction)


def check_variations(network: TrainableNetwork, variations: Sequence[Variation]) -> None:
    """Refuse variations of other inputs than the network's."""
    if variations and network.input != "spikes":
        raise TrainingError(field_error("variations", "a network whose inputs are spikes", network.input))
    for one in variations:
        if isinstance(one, Shifts) and math.prod(one.shape) != network.inputs:
            raise TrainingError(field_error("Shifts, shape", f"the network's {network.inputs} inputs", one.shape))


def varied(inputs: Inputs, variations: Sequence[Variation], random: np.random.Generator) -> Inputs:
    """A batch as it is seen this time."""
    for one in variations:
        assert isinstance(inputs, SpikeList)
        inputs = one(inputs, random)
    return inputs


def _examples(spikes: SpikeList) -> NDArray[np.int64]:
    """Of which example each spike is."""
    return np.repeat(np.arange(len(spikes)), np.diff(spikes.indptr))


def _some(spikes: SpikeList, kept: NDArray[np.bool_]) -> SpikeList:
    before = np.concatenate([[0], np.cumsum(kept)])
    return SpikeList(before[spikes.indptr], spikes.neuron[kept], spikes.step[kept])
