"""What a coding must have: the class that each of them is a small subclass of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from brian2 import Quantity, ms, second
from numpy.typing import ArrayLike, NDArray

from biosnn.coding import check
from biosnn.coding.check import Values
from biosnn.coding.spikes import SLACK, Indices, Spikes, whole_steps
from biosnn.errors import CodingError, field_error


@dataclass(frozen=True, kw_only=True)
class Coding(ABC):
    """A way to say values from 0 to 1 in spikes.

    A coding of your own is a subclass with the three methods `fire`, `read` and `error`, and a docstring that says in
    its first line what it does. It need not check values, times or spikes: `encode`, `decode` and `bound` have.

    A decoder knows the coding and nothing of the values. Where spikes follow from a value without chance, it returns
    the middle of all values that give the spikes seen so far, unless its docstring says another; its error is then at
    most half the widest range of values with the same spikes, and more time can only split such ranges.

    Parameters
    ----------
    duration : Quantity
        How long a value is shown, a multiple of ``dt``.
    dt : Quantity
        Time step; a spike lies in one. It is what keeps a spike time from saying infinitely much.

    Attributes
    ----------
    stochastic : bool
        Whether spikes are drawn at random; then `encode` needs a generator, and `bound` is a standard error.
    of_signals : bool
        Whether values are signals in time, their first axis the steps, rather than constant.

    Raises
    ------
    CodingError
        If a parameter is out of its limits.
    QuantityError
        If one has the wrong dimension.
    """

    duration: Quantity = field(default_factory=lambda: 100 * ms)
    dt: Quantity = field(default_factory=lambda: 1 * ms)

    stochastic: ClassVar[bool] = False
    of_signals: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check.quantity(self.where("dt"), self.dt, second)
        whole_steps(self.where("duration"), self.duration, self.dt)

    @abstractmethod
    def fire(self, values: Values, rng: np.random.Generator | None) -> Spikes:
        """Turn checked values into spikes; `spikes` makes them from steps and neurons."""

    @abstractmethod
    def read(self, spikes: Spikes, steps: int) -> NDArray[Any]:
        """Turn the spikes of the first ``steps`` steps, in which all of them lie, into values."""

    @abstractmethod
    def error(self, steps: int) -> float:
        """Bound the error of what `read` returns after that many steps."""

    def encode(self, values: ArrayLike, rng: np.random.Generator | None = None) -> Spikes:
        """Turn values into spikes.

        Parameters
        ----------
        values : array_like
            From 0 to 1, of any shape; for a coding of signals, steps first.
        rng : Generator
            Where chance comes from; a coding without chance does not look at it. The same generator in the same state
            gives the same spikes.

        Returns
        -------
        Spikes
            A neuron for each value, in the same shape, unless the coding says otherwise.

        Raises
        ------
        CodingError
            If values are outside 0 to 1 or do not fit the coding, or a generator is needed and missing.
        QuantityError
            If values have a unit.
        """
        return self.fire(check.values(f"{type(self).__name__}.encode, values", values), rng)

    def decode(self, spikes: Spikes, until: Quantity | None = None) -> Values:
        """Turn spikes back into values.

        Parameters
        ----------
        spikes : Spikes
            On the grid of this coding.
        until : Quantity, optional
            How much of the time to look at, in whole steps; by default all.

        Returns
        -------
        ndarray
            Values from 0 to 1, in the shape of those that were encoded.

        Raises
        ------
        CodingError
            If the spikes have another grid, or ``until`` is outside the duration.
        QuantityError
            If ``until`` is no time.
        """
        where = f"{type(self).__name__}.decode"
        if spikes.length != self.length or not np.isclose(float(spikes.dt / self.dt), 1, rtol=1e-9, atol=0):
            got = f"{spikes.length} steps of {spikes.dt}"
            raise CodingError(field_error(f"{where}, spikes", f"{self.length} steps of {self.dt}", got))
        steps = self.steps_until(where, until)
        return np.asarray(self.read(spikes.before(steps), steps), dtype=np.float64)

    def bound(self, until: Quantity | None = None) -> float:
        """Say how wrong a decoded value can be, whatever the value was.

        Parameters
        ----------
        until : Quantity, optional
            How much of the time is looked at; by default all. More time never makes the bound larger.

        Returns
        -------
        float
            The largest error, apart from rounding of doubles. For a stochastic coding, the largest standard error: the
            root of the mean square of the error, at the value at which that is largest.

        Raises
        ------
        CodingError, QuantityError
            If ``until`` is no time, or outside the duration.
        """
        return self.error(self.steps_until(f"{type(self).__name__}.bound", until))

    @cached_property
    def length(self) -> int:
        """How many steps the duration has."""
        return whole_steps(self.where("duration"), self.duration, self.dt)

    def spike_weights(self) -> NDArray[np.float64]:
        """Say what a spike counts in each step for a reader that can only add, as synapses do.

        Returns
        -------
        ndarray, shape (steps,)
            Where a neuron spikes once, 1. Otherwise such that the spikes of the value 1 add up to about 1.
        """
        return np.ones(self.length)

    def spikes(self, steps: Indices, neurons: Indices, shape: tuple[int, ...]) -> Spikes:
        """Make spikes on the grid of this coding."""
        return Spikes(steps, neurons, shape=shape, length=self.length, dt=self.dt)

    def where(self, name: str) -> str:
        """What to call a parameter in a message."""
        return f"{type(self).__name__}.{name}"

    def steps_until(self, where: str, until: Quantity | None) -> int:
        """How many whole steps lie before a time."""
        if until is None:
            return self.length
        steps = int(np.floor(float(check.quantity(f"{where}, until", until, second, zero=True) / self.dt) + SLACK))
        if steps > self.length:
            raise CodingError(field_error(f"{where}, until", f"at most the duration of {self.duration}", until))
        return steps


def floor(values: Values) -> Indices:
    """Round down, but not what decimals lose: 0.29*100 is 28.999999999999996 in doubles, and is meant to be 29."""
    return np.floor(values + 1e-9).astype(np.int64)
