"""Labelled spike trains: which input fires when in each of many examples, in arrays that follow each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from brian2 import DimensionMismatchError, Quantity, second
from numpy.typing import ArrayLike, NDArray

from biosnn import archive
from biosnn.coding import TTFS, check
from biosnn.errors import DataError, QuantityError, field_error
from biosnn.quantity import check_dimension

_MOST_INPUTS = 2**31 - 1


@dataclass(frozen=True, eq=False, repr=False)
class LabelledSpikeTrains:
    """The spikes that each of many examples sends into a network, and its class.

    Example k has the spikes from ``indptr[k]`` to ``indptr[k + 1]``. Several spikes of an input at the same time are
    allowed.

    Parameters
    ----------
    neurons : array of int, shape (spikes,)
        Which input fires, from 0; kept as int32. Any order within an example; kept sorted by time, then by input.
    times : Quantity, shape (spikes,)
        When, from 0 on and before ``duration``; in float32 if given so, else in float64.
    indptr : array of int, shape (n + 1,)
        Where the spikes of each example begin, and the last one's end.
    labels : array of int, shape (n,)
        The class of each example, from 0.
    shape : tuple of int
        Of the inputs, such as (700,) for channels, or (2, height, width). Indices run through it row by row.
    duration : Quantity
        How long an example takes.
    source : str
        Where they come from.

    Raises
    ------
    DataError
        If the arrays do not fit each other, or a value is out of range.
    QuantityError
        If times or the duration are no times.
    """

    neurons: NDArray[np.integer]
    times: Quantity
    indptr: NDArray[np.int64]
    labels: NDArray[np.int64]
    shape: tuple[int, ...]
    duration: Quantity
    source: str = ""

    def __post_init__(self) -> None:
        shape = _shape(self.shape)
        duration = _one_time("LabelledSpikeTrains.duration", self.duration)
        indptr = _whole("LabelledSpikeTrains.indptr", self.indptr)
        if len(indptr) < 2 or indptr[0] != 0 or np.any(np.diff(indptr) < 0):
            raise DataError(
                field_error("LabelledSpikeTrains.indptr", "numbers that grow from 0, one more than examples", indptr)
            )
        labels = _whole("LabelledSpikeTrains.labels", self.labels, len(indptr) - 1)
        if labels.min() < 0:
            raise DataError(field_error("LabelledSpikeTrains.labels", "classes from 0", int(labels.min())))
        neurons = _whole("LabelledSpikeTrains.neurons", self.neurons, int(indptr[-1]))
        if neurons.size and not 0 <= neurons.min() <= neurons.max() < math.prod(shape):
            expected = f"inputs from 0 to {math.prod(shape) - 1}, as the shape {shape} has them"
            raise DataError(field_error("LabelledSpikeTrains.neurons", expected, f"{neurons.min()} to {neurons.max()}"))
        times = _plain_times("LabelledSpikeTrains.times", self.times)
        if times.shape != neurons.shape:
            raise DataError(
                field_error("LabelledSpikeTrains.times", f"one for each of {len(neurons)} spikes", times.shape)
            )
        wrong = ~((times >= 0) & (times < float(duration)))  # also where one is NaN
        if wrong.any():
            do = "Shift them, or give a longer duration."
            expected = f"from 0 on and before the duration of {duration}"
            raise DataError(field_error("LabelledSpikeTrains.times", expected, times[wrong][0] * second, do))
        kept = _sorted(neurons.astype(np.int32), times, indptr)
        for name, array in zip(("neurons", "times", "indptr", "labels"), (*kept, indptr, labels), strict=True):
            array.flags.writeable = False
            given = Quantity(array, dim=second.dim, copy=False) if name == "times" else array
            object.__setattr__(self, name, given)
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "duration", duration)

    @classmethod
    def latency(
        cls,
        features: ArrayLike,
        labels: ArrayLike,
        t_early: Quantity,
        t_late: Quantity,
        *,
        duration: Quantity,
        bias: Quantity | None = None,
        large_first: bool = True,
        zeros: bool = True,
        source: str = "",
    ) -> LabelledSpikeTrains:
        """Turn every value into one spike, as `biosnn.coding.TTFS` does, but not on a grid.

        Parameters
        ----------
        features : array_like, shape (n, ...)
            From 0 to 1: intensities of images, or points.
        labels : array of int, shape (n,)
            The class of each.
        t_early, t_late : Quantity
            When the values at either end spike, in between in proportion.
        duration : Quantity
            How long an example takes; more than ``t_late``.
        bias : Quantity, optional
            When one more input spikes in every example, the last one.
        large_first : bool
            Whether 1 spikes at ``t_early``, as of a bright pixel; else 0 does.
        zeros : bool
            Whether a value of 0 spikes. False for images whose background is to be silent.
        source : str
            Where the features come from.

        Raises
        ------
        CodingError
            If features are outside 0 to 1.
        DataError, QuantityError
            As `LabelledSpikeTrains`, and if ``t_early`` is not before ``t_late``.
        """
        values = check.values("LabelledSpikeTrains.latency, features", features)
        if values.ndim < 2:
            raise DataError(
                field_error("LabelledSpikeTrains.latency, features", "shape (n, ...)", f"shape {values.shape}")
            )
        early = float(_one_time("LabelledSpikeTrains.latency, t_early", t_early, zero=True))
        late = float(_one_time("LabelledSpikeTrains.latency, t_late", t_late))
        if not early < late:
            raise DataError(
                field_error("LabelledSpikeTrains.latency, t_late", f"a time after t_early, {t_early}", t_late)
            )
        shape, flat = values.shape[1:], values.reshape(len(values), -1)
        span = Quantity(late - early, dim=second.dim)
        times = early + np.asarray(TTFS(duration=span, dt=span).latency(flat if large_first else 1 - flat))
        times = np.where(np.isinf(times), late, times)  # what TTFS leaves out
        fires = (flat > 0) | zeros
        if bias is not None:
            when = float(_one_time("LabelledSpikeTrains.latency, bias", bias, zero=True))
            times = np.column_stack((times, np.full(len(times), when)))
            fires = np.column_stack((fires, np.ones(len(times), bool)))
            shape = (flat.shape[1] + 1,)
        _, neurons = np.nonzero(fires)
        indptr = np.concatenate(([0], np.cumsum(fires.sum(axis=1))))
        in_time = Quantity(times[fires], dim=second.dim)
        return cls(neurons, in_time, indptr, np.asarray(labels), shape, duration, source)

    @classmethod
    def joined(cls, parts: Sequence[LabelledSpikeTrains]) -> LabelledSpikeTrains:
        """The examples of several, one after the other.

        Raises
        ------
        DataError
            If there are none, or they differ in their inputs or duration.
        """
        if not parts:
            raise DataError(field_error("LabelledSpikeTrains.joined", "at least one part", "none"))
        first = parts[0]
        for number, part in enumerate(parts):
            if part.shape != first.shape or float(part.duration) != float(first.duration):
                expected = f"inputs of shape {first.shape} for {first.duration}, as of the first"
                got = f"{part.shape} for {part.duration}"
                raise DataError(field_error(f"LabelledSpikeTrains.joined, part {number}", expected, got))
        starts = np.cumsum([0, *(len(part.neurons) for part in parts)])
        indptr = [part.indptr[:-1] + start for part, start in zip(parts, starts, strict=False)]
        times = np.concatenate([np.asarray(part.times) for part in parts])
        return replace(
            first,
            neurons=np.concatenate([part.neurons for part in parts]),
            times=Quantity(times, dim=second.dim, copy=False),
            indptr=np.concatenate([*indptr, starts[-1:]]),
            labels=np.concatenate([part.labels for part in parts]),
        )

    def __len__(self) -> int:
        """How many examples there are."""
        return len(self.labels)

    def __repr__(self) -> str:
        spikes = f"{len(self.neurons)} spikes of inputs of shape {self.shape} in {self.duration}"
        return f"LabelledSpikeTrains({len(self)} examples, {spikes})"

    @property
    def size(self) -> int:
        """How many inputs there are."""
        return math.prod(self.shape)

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return int(self.labels.max()) + 1

    @property
    def counts(self) -> NDArray[np.int64]:
        """How many spikes each example has."""
        return np.diff(self.indptr)

    def example(self, k: int) -> tuple[NDArray[np.integer], Quantity]:
        """The inputs that fire in an example, and when: views, sorted by time."""
        if not 0 <= k < len(self):
            raise DataError(field_error("LabelledSpikeTrains.example", f"from 0 to {len(self) - 1}", k))
        part = slice(self.indptr[k], self.indptr[k + 1])
        return self.neurons[part], self.times[part]

    def take(self, indices: NDArray[np.integer] | slice) -> LabelledSpikeTrains:
        """The examples with these indices, in this order, such as those of a batch."""
        chosen = np.arange(len(self))[indices]
        counts = self.counts[chosen]
        indptr = np.concatenate(([0], np.cumsum(counts)))
        spikes = np.repeat(self.indptr[chosen] - indptr[:-1], counts) + np.arange(indptr[-1])
        return replace(
            self, neurons=self.neurons[spikes], times=self.times[spikes], indptr=indptr, labels=self.labels[chosen]
        )

    def side_by_side(self) -> tuple[NDArray[np.integer], Quantity]:
        """The spikes of all examples as if they were shown at once, each to inputs of its own, sorted by time.

        Returns
        -------
        neurons : ndarray of int64
            Input i of example k is number k*size + i.
        times : Quantity
            When they fire.
        """
        copies = np.repeat(np.arange(len(self)) * self.size, self.counts) + self.neurons
        order = np.argsort(np.asarray(self.times), kind="stable")
        return copies[order], self.times[order]

    def write(self, path: str | Path) -> None:
        """Write them to a ``.npz`` file, whole or not at all, that `read_spike_trains` reads.

        The arrays are ``neurons``, ``times`` (s), ``indptr``, ``labels``, ``shape`` and ``duration`` (s).
        """
        arrays = {"neurons": self.neurons, "times": np.asarray(self.times), "indptr": self.indptr}
        arrays |= {"labels": self.labels, "shape": np.array(self.shape), "duration": np.asarray(self.duration)}
        archive.write(Path(path).expanduser(), arrays)


def _shape(given: Any) -> tuple[int, ...]:
    sizes = given if isinstance(given, tuple) else ()
    whole = all(isinstance(size, int | np.integer) and not isinstance(size, bool) and size > 0 for size in sizes)
    if not sizes or not whole or math.prod(int(size) for size in sizes) > _MOST_INPUTS:
        expected = f"a tuple of whole numbers, of at most {_MOST_INPUTS} inputs in all"
        raise DataError(field_error("LabelledSpikeTrains.shape", expected, given))
    return tuple(int(size) for size in sizes)


def _whole(where: str, given: Any, count: int | None = None) -> NDArray[np.int64]:
    array = np.asarray(given)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu") or (count not in (None, len(array))):
        expected = "whole numbers, shape (n,)" if count is None else f"{count} whole numbers, shape ({count},)"
        raise DataError(field_error(where, expected, f"{array.dtype} {array.shape}"))
    if array.dtype == np.uint64 and array.size and array.max() > np.iinfo(np.int64).max:
        raise DataError(field_error(where, "whole numbers of at most 63 bits", int(array.max())))
    return array.astype(np.int64)


def _plain_times(where: str, given: Any) -> NDArray[np.floating]:
    """Times in seconds: a copy."""
    try:
        times = Quantity(given)
    except DimensionMismatchError as error:
        raise QuantityError(f"{where}: {error}") from None
    except (TypeError, ValueError):
        raise DataError(field_error(where, "times", given)) from None
    if times.dtype.kind not in "iuf":
        raise DataError(field_error(where, "times", f"an array of {times.dtype}"))
    check_dimension(where, times, second)
    single = times.dtype in (np.float16, np.float32)
    return np.array(times, np.float32 if single else np.float64)


def _one_time(where: str, given: Any, zero: bool = False) -> Quantity:
    time = _plain_times(where, given)
    if time.shape or not (0 <= time < np.inf) or (time == 0 and not zero):
        raise DataError(field_error(where, f"one time {'from' if zero else 'above'} 0", given))
    return Quantity(float(time), dim=second.dim)


def _sorted(
    neurons: NDArray[np.integer], times: NDArray[np.floating], indptr: NDArray[np.int64]
) -> tuple[NDArray[np.integer], NDArray[np.floating]]:
    """Spikes sorted by example, time and input; those that are already need no second copy."""
    number = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    later = np.diff(times)
    earlier = (later < 0) | ((later == 0) & (np.diff(neurons) < 0))
    if not np.any(earlier & (np.diff(number) == 0)):
        return neurons, times
    order = np.lexsort((neurons, times, number))
    return neurons[order], times[order]
