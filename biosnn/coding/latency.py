"""Latency codes: each neuron spikes at most once, the sooner the larger its value."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from brian2 import Quantity, ms, second

from biosnn.coding import check
from biosnn.coding.base import Coding
from biosnn.coding.check import Values
from biosnn.coding.spikes import Indices, Spikes
from biosnn.errors import CodingError, field_error


@dataclass(frozen=True, kw_only=True)
class TTFS(Coding):
    """Time to first spike: one spike, which comes the later the smaller the value; none at 0.

    It lies in the step nearest to T(1 - x), where T is the duration. The estimate is 1 - t/T. Who has not spiked yet is
    taken to spike in the middle of the time that is left, and after the whole duration to have the value 0. After n of
    N steps, the error is at most (N - n + 1)/(2N), and never more than 1/2.

    Parameters
    ----------
    duration, dt : Quantity
        As of `Coding`.

    Notes
    -----
    t = T(1 - x): Guo, Fouda, Eltawil & Salama 2021, doi:10.3389/fnins.2021.638474.
    """

    def latency(self, values: Values) -> Quantity:
        """Say when values spike, before that is rounded to steps; never (infinity) at 0."""
        return np.where(values > 0, 1 - values, np.inf) * self.duration

    def fire(self, values: Values, _rng: np.random.Generator | None) -> Spikes:
        """Spike in the nearest step; the step after the last is that of 0, in which no neuron spikes."""
        steps = np.rint(self.length * (1 - values.ravel())).astype(np.int64)
        (neurons,) = np.nonzero(steps < self.length)
        return self.spikes(steps[neurons], neurons, values.shape)

    def read(self, spikes: Spikes, steps: int) -> Values:
        """Read the first spike of each neuron."""
        first = spikes.first_steps()
        return np.where(first < self.length, 1 - first / self.length, (1 - steps / self.length) / 2)

    def error(self, steps: int) -> float:
        """Half of the time left, and half a step."""
        return min(0.5, (self.length - steps + 1) / (2 * self.length))


@dataclass(frozen=True, kw_only=True)
class MembraneTTFS(Coding):
    """Time to first spike of a membrane: an RC circuit is charged until it reaches the threshold, a LIF neuron once.

    The value x drives it with I = ``drive`` x, in thresholds, and it spikes at t = tau ln(I/(I - 1)), in the step in
    which the threshold is crossed. Values up to 1/``drive`` never spike. The estimate is the middle of the values that
    spike in the same step or, without a spike, of those that have not spiked yet; the bound is half of the widest such
    range.

    Parameters
    ----------
    tau : Quantity
        Membrane time constant.
    drive : float
        Where the value 1 would drive the potential to without a threshold, in thresholds above rest; more than 1.
    duration, dt : Quantity
        As of `Coding`.

    Notes
    -----
    Gerstner et al. 2014, Neuronal Dynamics, section 1.3, doi:10.1017/CBO9781107447615. I = 2 thresholds: 0.693 tau.
    """

    tau: Quantity = field(default_factory=lambda: 10 * ms)
    drive: float = 5.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check.quantity(self.where("tau"), self.tau, second)
        check.number(self.where("drive"), self.drive, "a finite number above 1", lambda drive: 1 < drive < np.inf)

    def latency(self, values: Values) -> Quantity:
        """Say when values reach the threshold; infinity where they never do."""
        driven = self.drive * np.asarray(values)
        crosses = driven > 1
        # Any value above the threshold keeps the logarithm quiet where it is not crossed.
        times = -np.log1p(-1 / np.where(crosses, driven, 2))
        return np.where(crosses, times, np.inf) * self.tau

    def fire(self, values: Values, _rng: np.random.Generator | None) -> Spikes:
        """Spike in the step in which the threshold is crossed, if that is one of the duration."""
        steps = np.floor(np.asarray(self.latency(values.ravel()) / self.dt))
        (neurons,) = np.nonzero(steps < self.length)
        return self.spikes(steps[neurons].astype(np.int64), neurons, values.shape)

    def read(self, spikes: Spikes, steps: int) -> Values:
        """The middle of the values that cross in this step; of those that have not yet."""
        first = spikes.first_steps()
        spiked = (self._crossing(first) + self._crossing(first + 1)) / 2
        return np.where(first < self.length, spiked, self._crossing(np.asarray(steps)) / 2)

    def error(self, steps: int) -> float:
        """Half of the widest range of values that cannot be distinguished."""
        edges = self._crossing(np.arange(steps + 1))
        return float(max(edges[-1], np.max(-np.diff(edges), initial=0))) / 2

    def _crossing(self, steps: Indices) -> Values:
        """The value that crosses the threshold as a step begins: the closed form, solved for it; at most 1."""
        share = -np.expm1(-steps * float(self.dt / self.tau))
        return np.asarray(1 / np.maximum(self.drive * share, 1))


@dataclass(frozen=True, kw_only=True)
class RankOrder(Coding):
    """The neurons spike once, one or a few per step, in the order of their values: only the order is said.

    The estimate of the neuron that spikes as number r, from 0, is mod**r; of one that does not, 0. Equal values spike
    in the order of their indices, values of 0 never. The order of different values is kept without an error, unless
    they share a step. How large they are it does not say: all may be small, or all large, hence the bound of 1.

    Parameters
    ----------
    mod : float
        By which factor each spike makes the next one count less, between 0 and 1.
    together : int
        How many neurons spike in a step, so that many values fit in a short time. Those who share a step have the same
        estimate, that of their mean number.
    duration, dt : Quantity
        As of `Coding`; at least a step for each value, or for each ``together`` values.

    Notes
    -----
    Thorpe & Gautrais 1998, Rank order coding, in: Computational Neuroscience: Trends in Research, pp. 113-118.
    """

    mod: float = 0.9
    together: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        check.number(self.where("mod"), self.mod, "a number between 0 and 1", lambda mod: 0 < mod < 1)
        check.whole(self.where("together"), self.together, 1, 1_000_000)

    def fire(self, values: Values, _rng: np.random.Generator | None) -> Spikes:
        """Let the largest value spike first."""
        if values.size > self.length * self.together:
            do = "Take a longer duration or a shorter time step, or let more neurons spike together."
            each = "one" if self.together == 1 else self.together
            expected = f"at most {self.length * self.together} values, {each} for each step"
            raise CodingError(field_error(self.where("encode, values"), expected, values.size, do))
        order = np.argsort(-values.ravel(), kind="stable")
        order = order[: np.count_nonzero(values)]
        return self.spikes(np.arange(len(order)) // self.together, order, values.shape)

    def read(self, spikes: Spikes, _steps: int) -> Values:
        """Count who came before."""
        neurons, place = np.unique(spikes.neurons, return_index=True)
        estimates = np.zeros(spikes.size)
        ranks = np.argsort(np.argsort(place))
        estimates[neurons] = self.mod ** (ranks - ranks % self.together + (self.together - 1) / 2)
        return estimates.reshape(spikes.shape)

    def error(self, _steps: int) -> float:
        """The order alone gives no better one."""
        return 1.0
