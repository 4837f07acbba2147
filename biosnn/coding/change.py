"""A code for signals in time: spikes say by how much a signal has changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from biosnn.coding import check
from biosnn.coding.base import Coding
from biosnn.coding.check import Values
from biosnn.coding.spikes import Spikes
from biosnn.errors import CodingError, field_error


@dataclass(frozen=True, kw_only=True)
class Delta(Coding):
    """Delta modulation: a spike whenever a signal has moved by more than a threshold, up (ON) or down (OFF).

    Each spike moves the level that the decoder knows by one threshold towards the signal; after a jump there are as
    many in one step as it takes. The level begins at 0. The neurons have the shape of a sample and a last axis of two:
    ON, OFF.

    The estimate of a sample is the level after the spikes of its step, and its error at most the threshold, in every
    sample before ``until``. After that it is the last level seen, and nothing bounds its error.

    Parameters
    ----------
    threshold : float
        How far the signal may be from the level, above 0 and at most 1.
    duration, dt : Quantity
        As of `Coding`; the signal has a sample for each step.

    Notes
    -----
    |x - x_last| > threshold: the rule of each pixel in Lichtsteiner, Posch & Delbruck 2008, section II,
    doi:10.1109/JSSC.2007.914337, which watches the logarithm of light; give it that of an image to have the same.
    """

    threshold: float = 0.1

    of_signals: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        expected = "a number above 0 and at most 1"
        check.number(self.where("threshold"), self.threshold, expected, lambda threshold: 0 < threshold <= 1)

    def fire(self, values: Values, _rng: np.random.Generator | None) -> Spikes:
        """Follow the signal with the level."""
        if not values.ndim or len(values) != self.length:
            expected = f"a signal of {self.length} samples, the first axis"
            raise CodingError(field_error(self.where("encode, values"), expected, f"shape {values.shape}"))
        signals = values.reshape(self.length, -1) / self.threshold
        # The level is a whole number of thresholds, so that it does not collect rounding errors. The least move that
        # brings it within one threshold of the signal is to the nearer end of this range.
        lowest, highest = np.ceil(signals - 1), np.floor(signals + 1)
        levels = np.zeros((self.length + 1, signals.shape[1]), dtype=np.int64)
        for step in range(self.length):
            levels[step + 1] = np.clip(levels[step], lowest[step], highest[step])
        moves = np.diff(levels, axis=0)
        spikes = np.stack([np.maximum(moves, 0), np.maximum(-moves, 0)], axis=-1).reshape(self.length, -1)
        steps, neurons = np.nonzero(spikes)
        counts = spikes[steps, neurons]
        return self.spikes(np.repeat(steps, counts), np.repeat(neurons, counts), (*values.shape[1:], 2))

    def read(self, spikes: Spikes, _steps: int) -> Values:
        """Add up the moves."""
        check.last_axis(self.where("decode, spikes"), spikes.shape, 2)
        moves = np.cumsum(spikes.per_step(), axis=0)
        return np.clip((moves[..., 0] - moves[..., 1]) * self.threshold, 0, 1)

    def error(self, _steps: int) -> float:
        """The threshold, whatever the time."""
        return self.threshold
