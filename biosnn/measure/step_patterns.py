"""How a neuron answers a constant current, recognised by rules: spike times in, one of eight patterns out.

The eight patterns are those of Naud, Marcille, Clopath & Gerstner 2008, figure 4, doi:10.1007/s00422-008-0264-7, which
divides an answer into how it begins and how it goes on. The rules are ours. They compare intervals with intervals.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from biosnn.display import Brief
from biosnn.errors import DataError, field_error

Floats = NDArray[np.float64]
SAME = 1.1
"""Intervals within this factor are the same."""
OTHER = 1.5
"""From this factor on they differ."""
LONG = 2.0
"""From this factor on one is long beside another."""
JUMP = 4.0
"""By this factor or more an interval grows from one to the next where a burst ends."""
LONGEST_PERIOD = 8
"""Intervals that repeat do so after as many at most; what does not is irregular."""


@dataclass(frozen=True)
class Answer(Brief):
    """The spikes of one neuron under a constant current.

    Parameters
    ----------
    spikes : ndarray
        Their times since the current was switched on, in any unit.
    duration : float
        How long it was on, in the same unit.

    Raises
    ------
    DataError
        If there is a spike outside of that time.
    """

    spikes: Floats
    duration: float

    def __post_init__(self) -> None:
        if len(self.spikes) and not 0 <= self.spikes.min() <= self.spikes.max() <= self.duration:
            extremes = f"{self.spikes.min():g} to {self.spikes.max():g}"
            raise DataError(field_error("Answer.spikes", f"times from 0 to {self.duration:g}", extremes))

    @cached_property
    def intervals(self) -> Floats:
        """All of them."""
        return np.diff(self.spikes)

    @cached_property
    def late(self) -> Floats:
        """Intervals in the second half."""
        return np.diff(self.spikes[self.spikes > self.duration / 2])

    @property
    def lasting(self) -> bool:
        """Whether it fires to the end."""
        return len(self.late) > 2 and self.duration - self.spikes[-1] < LONG * self.late.max()

    @property
    def settled(self) -> bool:
        """Whether all late intervals are the same."""
        return self.lasting and bool(self.late.max() < SAME * self.late.min())

    @cached_property
    def period(self) -> int:
        """After how many intervals the late ones repeat; 0 if they do not."""
        for period in range(1, LONGEST_PERIOD + 1):
            ratio = self.late[period:] / self.late[:-period] if len(self.late) > period else np.zeros(0)
            if len(ratio) >= 2 * period and max(ratio.max(), 1 / ratio.min()) < SAME:
                return period
        return 0

    @property
    def bursting(self) -> bool:
        """Whether late intervals repeat, one of them long."""
        return self.lasting and self.period > 1 and bool(self.late.max() > LONG * self.late.min())

    @property
    def growth(self) -> Floats:
        """Each interval as a multiple of the one before."""
        return self.intervals[1:] / self.intervals[:-1]


def tonic(answer: Answer) -> bool:
    """The same interval from the beginning on."""
    return answer.settled and bool(answer.intervals.max() < OTHER * answer.intervals.min())


def adapting(answer: Answer) -> bool:
    """Intervals that grow, by no jump, and settle."""
    if not answer.settled or not answer.intervals[-1] > OTHER * answer.intervals[0]:
        return False
    return bool(answer.growth.min() > 1 / SAME and answer.growth.max() < JUMP)


def initial_burst(answer: Answer) -> bool:
    """Short intervals first, then a jump to the interval that stays."""
    if not answer.settled:
        return False
    jumps = np.flatnonzero(answer.growth >= JUMP)
    if len(jumps) != 1:
        return False
    after = answer.intervals[jumps[0] + 1 :]
    return bool(after.max() < OTHER * after.min())


def regular_bursting(answer: Answer) -> bool:
    """Bursts that repeat, the first of them at once."""
    return answer.bursting and bool(answer.spikes[0] < answer.late.max() / LONG)


def delayed_bursting(answer: Answer) -> bool:
    """Bursts that repeat, the first of them after a delay."""
    return answer.bursting and bool(answer.spikes[0] >= answer.late.max() / LONG)


def delayed_accelerating(answer: Answer) -> bool:
    """A delay, and intervals that shrink."""
    if not answer.lasting or not answer.spikes[0] > answer.intervals[0] > OTHER * answer.intervals[-1]:
        return False
    return bool(answer.growth.max() < SAME)


def transient(answer: Answer) -> bool:
    """Spikes, and silence in the second half."""
    return len(answer.spikes) > 0 and bool(answer.spikes[-1] < answer.duration / 2)


def irregular(answer: Answer) -> bool:
    """Intervals that differ and do not repeat."""
    return answer.lasting and answer.period == 0 and bool(answer.late.max() > OTHER * answer.late.min())


STEP_RULES: Mapping[str, Callable[[Answer], bool]] = MappingProxyType(
    {
        rule.__name__: rule
        for rule in (
            *(tonic, adapting, initial_burst, regular_bursting, delayed_accelerating, delayed_bursting),
            *(transient, irregular),
        )
    }
)
"""By the names of the presets of the model ``adex``, in the order of the paper's figure."""


def recognised_step(answer: Answer) -> tuple[str, ...]:
    """The names of the patterns that an answer shows, in the order of `STEP_RULES`."""
    return tuple(name for name, rule in STEP_RULES.items() if rule(answer))
