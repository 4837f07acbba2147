"""Spikes of a population, on the grid of a time step: what every coding makes and reads."""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass, replace
from typing import Any

import numpy as np
from brian2 import Quantity, second
from numpy.typing import ArrayLike, NDArray

from biosnn.coding import check
from biosnn.errors import CodingError, field_error

Indices = NDArray[np.int64]
# Quotients of decimals and sums of steps are rounded, by much less than a millionth of a step.
SLACK = 1e-6


@dataclass(frozen=True, eq=False, repr=False)
class Spikes:
    """Which neuron spikes in which time step.

    A spike in step k lies at the time k dt, as a monitor of Brian2 would note it. Several spikes of a neuron in one
    step are allowed: a Poisson process has them, and so has an event camera after a large change.

    Parameters
    ----------
    steps, neurons : array of int, shape (spikes,)
        The step of each spike, from 0, and the index of its neuron. Any order; kept sorted by step, then by neuron.
    shape : tuple of int
        Of the population, such as that of the values that were encoded. Indices run through it row by row.
    length : int
        How many steps there are.
    dt : Quantity
        How long a step is.

    Raises
    ------
    CodingError
        If there is not a neuron for each step, one of either is out of range, or the grid is none.
    QuantityError
        If ``dt`` is no time.

    Examples
    --------
    >>> spikes = TTFS(duration=100 * ms, dt=1 * ms).encode(image)
    >>> inputs = SpikeGeneratorGroup(spikes.size, spikes.neurons, spikes.times, dt=spikes.dt)
    """

    steps: Indices
    neurons: Indices
    _: KW_ONLY
    shape: tuple[int, ...]
    length: int
    dt: Quantity

    def __post_init__(self) -> None:
        check.quantity("Spikes.dt", self.dt, second)
        check.whole("Spikes.length", self.length, 1, 2**40)
        steps = _indices("Spikes.steps", self.steps, self.length)
        neurons = _indices("Spikes.neurons", self.neurons, self.size)
        if len(steps) != len(neurons):
            raise CodingError(field_error("Spikes.neurons", f"one for each of {len(steps)} steps", len(neurons)))
        order = np.lexsort((neurons, steps))
        for name, array in (("steps", steps[order]), ("neurons", neurons[order])):
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    @classmethod
    def from_times(
        cls, times: Quantity, neurons: ArrayLike, *, shape: tuple[int, ...], duration: Quantity, dt: Quantity
    ) -> Spikes:
        """Put spikes at given times, such as those of a monitor, on the grid.

        Parameters
        ----------
        times : Quantity, shape (spikes,)
            From the beginning on. A spike lies in the step in which its time falls.
        neurons, shape, dt
            As of `Spikes`.
        duration : Quantity
            A multiple of ``dt``.

        Raises
        ------
        CodingError, QuantityError
            As `Spikes`, and if times or the duration are no times, or not finite.
        """
        length = whole_steps("Spikes.from_times, duration", duration, dt)
        steps_of_times = np.asarray(check.real("Spikes.from_times, times", "times", times, second) / dt, dtype=float)
        if not np.all(np.isfinite(steps_of_times)):
            raise CodingError(field_error("Spikes.from_times, times", "finite times", times))
        return cls(np.floor(steps_of_times + SLACK).astype(np.int64), neurons, shape=shape, length=length, dt=dt)  # type: ignore[arg-type]

    @classmethod
    def from_raster(cls, raster: ArrayLike, dt: Quantity) -> Spikes:
        """Take the spikes out of a raster.

        Parameters
        ----------
        raster : array of bool, shape (steps, ...)
            Whether each neuron spikes in each step.
        dt : Quantity
            How long a step is.

        Raises
        ------
        CodingError, QuantityError
            As `Spikes`, and if the raster is no array of bool with one axis or more.
        """
        array = np.asarray(raster)
        if array.dtype != np.bool_ or not array.ndim:
            got = f"{array.dtype} of shape {array.shape}"
            raise CodingError(field_error("Spikes.from_raster", "an array of bool, steps first", got))
        steps, neurons = np.nonzero(array.reshape(len(array), -1))
        return cls(steps, neurons, shape=array.shape[1:], length=len(array), dt=dt)

    def __len__(self) -> int:
        """How many spikes there are."""
        return len(self.steps)

    def __repr__(self) -> str:
        return f"Spikes({len(self)} of neurons of shape {self.shape} in {self.length} steps of {self.dt})"

    @property
    def size(self) -> int:
        """How many neurons there are."""
        return math.prod(self.shape)

    @property
    def duration(self) -> Quantity:
        """From the beginning to the end of the last step."""
        return self.length * self.dt

    @property
    def times(self) -> Quantity:
        """When each spike comes, sorted."""
        return self.steps * self.dt

    def before(self, step: int) -> Spikes:
        """Keep the spikes of the steps before one; shape and length stay."""
        kept = slice(int(np.searchsorted(self.steps, step)))
        return replace(self, steps=self.steps[kept], neurons=self.neurons[kept])

    def counts(self) -> Indices:
        """Count the spikes of each neuron: an array of the population's shape."""
        return np.bincount(self.neurons, minlength=self.size).reshape(self.shape)

    def per_step(self) -> Indices:
        """Count the spikes of each neuron in each step: an array of shape (steps, ...)."""
        cells = np.bincount(self.steps * self.size + self.neurons, minlength=self.length * self.size)
        return cells.reshape(self.length, *self.shape)

    def raster(self) -> NDArray[np.bool_]:
        """Say whether each neuron spikes in each step: an array of shape (steps, ...).

        Raises
        ------
        CodingError
            If a neuron spikes more than once in a step, which a raster cannot say.
        """
        counts = self.per_step()
        if counts.max() > 1:
            do = "Take a shorter time step, or per_step()."
            raise CodingError(
                field_error("Spikes.raster", "at most one spike per neuron and step", int(counts.max()), do)
            )
        return counts > 0

    def first_steps(self) -> Indices:
        """Find the step of each neuron's first spike, or the number of steps where there is none."""
        first = np.full(self.size, self.length)
        np.minimum.at(first, self.neurons, self.steps)
        return first.reshape(self.shape)

    def first_times(self) -> Quantity:
        """Find when each neuron spikes first, infinity where it does not: the latency of its value."""
        first = self.first_steps()
        return np.where(first < self.length, first, np.inf) * self.dt

    def ordinals(self) -> Indices:
        """Number each neuron's spikes from 0 on: an array of shape (spikes,)."""
        by_neuron = np.argsort(self.neurons, kind="stable")
        counts = np.bincount(self.neurons, minlength=self.size)
        ordinals = np.empty(len(self), dtype=np.int64)
        ordinals[by_neuron] = np.arange(len(self)) - np.repeat(np.cumsum(counts) - counts, counts)
        return ordinals


def whole_steps(where: str, duration: Any, dt: Any) -> int:
    """How many steps of ``dt`` a duration has.

    Raises
    ------
    CodingError, QuantityError
        If either is no time above 0, or the duration is no multiple of the step.
    """
    exact = float(check.quantity(where, duration, second) / check.quantity(f"{where}, dt", dt, second))
    steps = round(exact)
    if steps < 1 or abs(exact - steps) > SLACK:
        raise CodingError(field_error(where, f"a multiple of the time step of {dt}", duration))
    return steps


def _indices(where: str, given: Any, size: int) -> Indices:
    indices = np.asarray(given)
    if indices.ndim != 1 or (indices.size and indices.dtype.kind not in "iu"):
        raise CodingError(field_error(where, "an array of whole numbers", f"{indices.dtype} of shape {indices.shape}"))
    if indices.size and (indices.min() < 0 or indices.max() >= size):
        raise CodingError(field_error(where, f"from 0 to {size - 1}", f"{indices.min()} to {indices.max()}"))
    return indices.astype(np.int64)
