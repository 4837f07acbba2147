"""Rate codes: the value is the rate of the spikes, and they are counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import sqrt
from typing import ClassVar

import numpy as np
from brian2 import Hz, Quantity
from numpy.typing import NDArray

from biosnn.coding import check
from biosnn.coding.base import Coding, floor
from biosnn.coding.check import Values
from biosnn.coding.spikes import Spikes
from biosnn.errors import CodingError, field_error


@dataclass(frozen=True, kw_only=True)
class Rate(Coding):
    """What rate codes have in common: a neuron's rate is its value times a peak rate, its estimate count over peak.

    Parameters
    ----------
    rate : Quantity
        The peak rate, that of the value 1.
    duration, dt : Quantity
        As of `Coding`.
    """

    rate: Quantity = field(default_factory=lambda: 100 * Hz)

    # Whether a neuron spikes at most once per step, so that the peak rate is at most 1/dt.
    _single: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        check.quantity(self.where("rate"), self.rate, Hz)
        if self._single and self.peak > 1 + 1e-9:
            do = "Take a shorter time step, or a lower rate."
            raise CodingError(
                field_error(self.where("rate"), f"at most one spike per time step of {self.dt}", self.rate, do)
            )

    @property
    def peak(self) -> float:
        """Spikes per step at the value 1."""
        return float(self.rate * self.dt)

    def spike_weights(self) -> NDArray[np.float64]:
        """The same in each step."""
        return np.full(self.length, 1 / max(self.peak * self.length, 1.0))

    def read(self, spikes: Spikes, steps: int) -> Values:
        """Count; more than the peak, or nothing seen yet, is no value, hence the limits."""
        return np.clip(spikes.counts() / (self.peak * max(steps, 1)), 0, 1)


@dataclass(frozen=True, kw_only=True)
class Bernoulli(Rate):
    """In each step, a spike with the probability value times peak rate times dt.

    The estimate is the count over its mean at the value 1, limited to 1. Its standard error is at most
    sqrt(p(1 - p)/n)/(r dt) after n steps, where p = x r dt is the probability of a spike: it is largest at p = 1/2, or
    at the value 1 where no p is so large.

    Parameters
    ----------
    rate : Quantity
        The peak rate, at most 1/dt.
    duration, dt : Quantity
        As of `Coding`.

    Notes
    -----
    P = r dt: Dayan & Abbott 2001, Theoretical Neuroscience, section 1.4. It is the Poisson process of simulators with a
    time step, `biosnn.poisson` among them; its Fano factor is 1 - P.
    """

    stochastic: ClassVar[bool] = True

    def fire(self, values: Values, rng: np.random.Generator | None) -> Spikes:
        """Draw once for each neuron and step."""
        drawn = check.generator(self.where("encode"), rng).random((self.length, values.size))
        steps, neurons = np.nonzero(drawn < self.peak * values.ravel())
        return self.spikes(steps, neurons, values.shape)

    def error(self, steps: int) -> float:
        """The largest standard error; 1 where that is larger, since no error is."""
        p = min(self.peak, 0.5)
        return min(1.0, sqrt(p * (1 - p) / steps) / self.peak) if steps else 1.0


@dataclass(frozen=True, kw_only=True)
class Poisson(Rate):
    """A Poisson process with the rate value times peak rate, so irregular that CV and Fano factor are 1.

    The estimate is the count over its mean at the value 1, limited to 1. Its standard error is sqrt(x/(r t)) after the
    time t, largest at the value x = 1. A neuron may spike several times in a step.

    Parameters
    ----------
    rate : Quantity
        The peak rate.
    duration, dt : Quantity
        As of `Coding`.

    Notes
    -----
    Dayan & Abbott 2001, Theoretical Neuroscience, section 1.4: the count is drawn from the Poisson distribution, and
    given the count, spike times are uniform and independent.
    """

    stochastic: ClassVar[bool] = True
    _single: ClassVar[bool] = False

    def fire(self, values: Values, rng: np.random.Generator | None) -> Spikes:
        """Draw the counts, then where the spikes lie."""
        source = check.generator(self.where("encode"), rng)
        counts = source.poisson(self.peak * self.length * values.ravel())
        neurons = np.repeat(np.arange(values.size), counts)
        return self.spikes(source.integers(0, self.length, len(neurons)), neurons, values.shape)

    def error(self, steps: int) -> float:
        """The largest standard error; 1 where that is larger, since no error is."""
        return min(1.0, 1 / sqrt(self.peak * steps)) if steps else 1.0


@dataclass(frozen=True, kw_only=True)
class Regular(Rate):
    """Evenly spread spikes: a phase grows by value times peak rate times dt per step, and each whole turn is a spike.

    From phase 0 on, there are exactly floor(x r n dt) spikes after n steps. With c of them counted, the value lies
    between c/(r n dt) and (c + 1)/(r n dt), and the estimate is the middle: half a spike more than were counted. Its
    error is at most 1/(2 r n dt). From a random phase on, the count is larger by one as often as it takes for its mean
    to be x r n dt, which is the estimate, and the standard error is at most 1/(2 r n dt).

    Parameters
    ----------
    random_start : bool
        Whether each neuron begins with a random phase. Otherwise all begin with 0, and neurons with the same value
        spike at the same times.
    rate : Quantity
        The peak rate, at most 1/dt.
    duration, dt : Quantity
        As of `Coding`.

    Notes
    -----
    The phase is the membrane potential of an integrate-and-fire neuron that is reset by subtraction of its threshold:
    Rueckauer et al. 2017, section 2.2, doi:10.3389/fnins.2017.00682.
    """

    random_start: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.random_start, bool):
            raise CodingError(field_error(self.where("random_start"), "True or False", self.random_start))
        # Each object knows by itself whether there is chance in it.
        object.__setattr__(self, "stochastic", self.random_start)

    def fire(self, values: Values, rng: np.random.Generator | None) -> Spikes:
        """Put the j-th spike into the first step at whose end the phase has made j turns."""
        growth, start = self.peak * values.ravel(), np.zeros(values.size)
        if self.random_start:
            start = check.generator(self.where("encode"), rng).random(values.size)
        counts = floor(growth * self.length + start)
        neurons = np.repeat(np.arange(values.size), counts)
        turn = np.arange(len(neurons)) - np.repeat(np.cumsum(counts) - counts, counts) + 1
        # Rounded up, with the slack of `floor`.
        steps = -floor(-(turn - start[neurons]) / growth[neurons]) - 1
        return self.spikes(np.clip(steps, 0, self.length - 1), neurons, values.shape)

    def read(self, spikes: Spikes, steps: int) -> Values:
        """The middle of the values that give this count; from a random phase on, the value with this mean."""
        if self.random_start:
            return super().read(spikes, steps)
        full, counts = self.peak * steps, spikes.counts()
        if not steps:
            return np.full(spikes.shape, 0.5)
        return np.asarray(np.minimum(counts / full, 1) + np.minimum((counts + 1) / full, 1)) / 2

    def error(self, steps: int) -> float:
        """Half the range of values with the same count; 1 where nothing is known, since no error is larger."""
        if not steps:
            return 1.0 if self.random_start else 0.5
        return min(1.0, 1 / (self.peak * steps)) / 2
