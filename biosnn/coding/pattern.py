"""Codes in the pattern of a neuron's spikes: their phase in a cycle, and the number and intervals of a burst."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from brian2 import Quantity, ms, second
from numpy.typing import NDArray

from biosnn.coding import check
from biosnn.coding.base import Coding, floor
from biosnn.coding.check import Values
from biosnn.coding.spikes import Indices, Spikes
from biosnn.errors import CodingError, field_error


@dataclass(frozen=True, kw_only=True)
class Phase(Coding):
    """Weighted spikes: a value's binary digits, the largest first, one per step, again in each cycle.

    A spike in step t of the duration, counted from 1, weighs 2**-(1 + mod(t - 1, bits)). The estimate is the sum of the
    weights, of each phase the mean over cycles, and half of the last weight seen for the digits that follow. Its error
    is at most 2**-(n + 1) after n steps of the first cycle, 2**-(bits + 1) from then on.

    Parameters
    ----------
    bits : int
        Steps of a cycle, from 1 to 32.
    duration, dt : Quantity
        As of `Coding`; a duration may end within a cycle.

    Notes
    -----
    Kim, Kim, Huh, Lee & Choi 2018, doi:10.1016/j.neucom.2018.05.087, with cycles of 8. Values are rounded down to so
    many digits; for the value 1 all of them are 1.
    """

    bits: int = 8

    def __post_init__(self) -> None:
        super().__post_init__()
        check.whole(self.where("bits"), self.bits, 1, 32)

    def fire(self, values: Values, _rng: np.random.Generator | None) -> Spikes:
        """Spike where the digit is 1."""
        number = np.minimum(floor(values.ravel() * 2**self.bits), 2**self.bits - 1)
        phase = np.arange(self.length) % self.bits
        steps, neurons = np.nonzero(number >> (self.bits - 1 - phase)[:, np.newaxis] & 1)
        return self.spikes(steps, neurons, values.shape)

    def read(self, spikes: Spikes, steps: int) -> Values:
        """Sum the weights."""
        weights = self._weights(steps)[spikes.steps]
        sums = np.bincount(spikes.neurons, weights, minlength=spikes.size).reshape(spikes.shape)
        return np.asarray(np.minimum(sums + self.error(steps), 1))

    def error(self, steps: int) -> float:
        """Half of the last weight seen."""
        return float(0.5 ** (1 + min(steps, self.bits)))

    def spike_weights(self) -> NDArray[np.float64]:
        """The digit's, divided by how often it is said."""
        return self._weights(self.length)

    def _weights(self, steps: int) -> NDArray[np.float64]:
        phase = np.arange(steps) % self.bits
        cycles = np.bincount(phase, minlength=self.bits)
        return np.asarray(0.5 ** (1 + phase) / cycles[phase])


@dataclass(frozen=True, kw_only=True)
class Burst(Coding):
    """Bursts: the larger the value, the more spikes at once and the shorter their intervals.

    N = ceil(N_max x) spikes with the interval ISI = T_min + (1 - x)(T_max - T_min), the first one in the first step,
    the others in the steps nearest to their times. The estimate is the middle of the values that fit the number of
    spikes, each of their times since the first, and that the next has not come. The bound is half of the widest such
    range.

    Parameters
    ----------
    N_max : int
        Spikes of the value 1.
    T_min, T_max : Quantity
        The interval between spikes of the value 1, at least a step, and its limit for small values, which is longer.
    duration, dt : Quantity
        As of `Coding`; no burst may last longer.

    Notes
    -----
    Guo, Fouda, Eltawil & Salama 2021, doi:10.3389/fnins.2021.638474, after Park, Kim, Na & Yoon 2019, arXiv:1809.03142.
    """

    N_max: int = 5
    T_min: Quantity = field(default_factory=lambda: 2 * ms)
    T_max: Quantity = field(default_factory=lambda: 20 * ms)

    def __post_init__(self) -> None:
        super().__post_init__()
        check.whole(self.where("N_max"), self.N_max, 1, 10_000)
        shortest, longest = (check.quantity(self.where(n), getattr(self, n), second) for n in ("T_min", "T_max"))
        if shortest < self.dt * (1 - 1e-9):
            raise CodingError(field_error(self.where("T_min"), f"at least the time step of {self.dt}", shortest))
        if not longest > shortest:
            raise CodingError(field_error(self.where("T_max"), f"more than T_min of {shortest}", longest))
        # The last spike of N comes latest for the smallest values that have N.
        last = np.arange(self.N_max)
        longest_burst = np.rint(last * self._interval(last / self.N_max)).max() + 1
        if longest_burst > self.length:
            do = "Take a longer duration, fewer spikes or shorter intervals."
            needed = f"at least the longest burst of {longest_burst * self.dt}"
            raise CodingError(field_error(self.where("duration"), needed, self.duration, do))

    def fire(self, values: Values, _rng: np.random.Generator | None) -> Spikes:
        """Place each neuron's spikes one interval apart."""
        flat = values.ravel()
        counts = -floor(-self.N_max * flat)  # rounded up, with the slack of `floor`
        neurons = np.repeat(np.arange(flat.size), counts)
        nth = np.arange(len(neurons)) - np.repeat(np.cumsum(counts) - counts, counts)
        steps = np.rint(nth * self._interval(flat[neurons])).astype(np.int64)
        return self.spikes(steps, neurons, values.shape)

    def read(self, spikes: Spikes, steps: int) -> Values:
        """Narrow the range of values by each spike, and by the one that has not come."""
        nth, counts, first = spikes.ordinals(), spikes.counts().ravel(), spikes.first_steps().ravel()
        # Nothing seen is the value 0, unless nothing has been looked at.
        low, high = np.zeros(spikes.size), np.where((counts > 0) | (steps == 0), 1.0, 0.0)
        later = nth > 0
        neurons, nth = spikes.neurons[later], nth[later]
        since = spikes.steps[later] - first[neurons]
        np.maximum.at(low, neurons, np.maximum(self._value(nth, since + 1), nth / self.N_max))
        np.minimum.at(high, neurons, self._value(nth, since))
        some = counts > 0
        still = np.maximum(self._value(counts[some], steps - first[some]), counts[some] / self.N_max)
        high[some] = np.minimum(high[some], still)
        return np.asarray(np.clip((low + high) / 2, 0, 1)).reshape(spikes.shape)

    def error(self, steps: int) -> float:
        """Half of the widest range between values at which a spike is added or moves by a step."""
        nth = np.arange(1, self.N_max)[:, np.newaxis]
        edges = np.clip(self._value(nth, np.arange(steps + 1)), nth / self.N_max, 1)
        return float(np.max(np.diff(np.unique(np.append(edges, [0, 1]))))) / 2

    def spike_weights(self) -> NDArray[np.float64]:
        """Each spike is one of N_max."""
        return np.full(self.length, 1 / self.N_max)

    def _interval(self, values: Values) -> Values:
        """The interval between spikes, in steps."""
        shortest, longest = self._limits
        return np.asarray(shortest + (1 - values) * (longest - shortest))

    def _value(self, nth: Indices, step: Indices) -> Values:
        """The value above which spike ``nth`` (from 0) lies in an earlier step than this one."""
        shortest, longest = self._limits
        return np.asarray(1 - ((step - 0.5) / nth - shortest) / (longest - shortest))

    @property
    def _limits(self) -> tuple[float, float]:
        """T_min and T_max in steps."""
        return float(self.T_min / self.dt), float(self.T_max / self.dt)
