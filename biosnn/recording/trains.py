"""Recorded spikes as one train for each neuron, by counting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from brian2 import Quantity, second
from numpy.typing import NDArray
from scipy import sparse

from biosnn.errors import NotFoundError

_PART = 2**22  # spikes that are counted at once


@dataclass(frozen=True, eq=False, repr=False)
class SpikeTrains(Mapping[int, Quantity]):
    """The times of the spikes of each recorded neuron, in the order in which they fell.

    A mapping of neurons to times: ``trains[3]`` is a view of the times of neuron 3.

    Attributes
    ----------
    neurons : array of int
        The neurons that were recorded.
    indptr : array of int
        Neuron k of the group has the times from ``indptr[k]`` to ``indptr[k + 1]``.
    times : array of float
        Of all spikes (s), those of neuron 0 first.
    """

    neurons: NDArray[np.int64]
    indptr: NDArray[np.int64]
    times: NDArray[np.float64]

    def __getitem__(self, neuron: int) -> Quantity:
        if neuron not in self:
            raise NotFoundError(f"Neuron {neuron} was not recorded.")
        return Quantity(self.times[self.indptr[neuron] : self.indptr[neuron + 1]], dim=second.dim, copy=False)

    def __contains__(self, neuron: object) -> bool:
        return isinstance(neuron, int | np.integer) and bool(np.any(self.neurons == neuron))

    def __iter__(self) -> Iterator[int]:
        return iter(self.neurons.tolist())

    def __len__(self) -> int:
        return len(self.neurons)


def counts(spikes: NDArray[np.int32], size: int) -> NDArray[np.int64]:
    """How many spikes each of so many neurons has."""
    total = np.zeros(size, np.int64)
    for begin in range(0, len(spikes), _PART):
        total += np.bincount(spikes[begin : begin + _PART], minlength=size)
    return total


def trains(
    neurons: NDArray[np.int64],
    size: int,
    spikes: NDArray[np.int32],
    times: NDArray[np.float64],
    numbers: NDArray[np.int64],
) -> SpikeTrains:
    """Sort spikes by neuron.

    Parameters
    ----------
    neurons : array of int
        Those that were recorded.
    size : int
        How many neurons the group has.
    spikes : array of int
        The neuron of each spike, time step after time step.
    times, numbers : array
        Of each time step with spikes, its time and the number of them.
    """
    rows = np.zeros(len(numbers) + 1, np.int64 if len(spikes) > np.iinfo(np.int32).max else np.int32)
    np.cumsum(numbers, out=rows[1:])
    # To turn rows into columns, SciPy sorts by counting, and keeps the order of the rows within a column.
    by_step = sparse.csr_array((np.ones(len(spikes), bool), spikes, rows), shape=(len(numbers), size))
    by_neuron = by_step.tocsc()
    del by_step
    return SpikeTrains(neurons, by_neuron.indptr.astype(np.int64), times[by_neuron.indices])
