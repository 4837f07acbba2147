"""Spikes of a network as one train for each neuron, out of whatever has recorded them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from brian2 import second
from brian2.units.fundamentalunits import Quantity
from numpy.typing import NDArray

from biosnn.errors import DataError, NotFoundError, field_error

SPIKE_TIMES, SPIKE_NEURONS, NEURONS = "spike times", "spike neurons", "neurons"
"""How the names of the arrays of a result end in which spikes are kept: the last has how many neurons there are."""


@dataclass(frozen=True, eq=False, repr=False)
class Spikes(Mapping[int, Quantity]):
    """The spikes of some neurons: ``spikes[3]`` are the times of those of neuron 3, in their order.

    Parameters
    ----------
    times : Quantity, shape (spikes,)
        When each spike came.
    indices : ndarray of int, shape (spikes,)
        Which neuron it came from.
    neurons : int
        How many neurons there are, from 0 on; they have trains, be they empty.

    Raises
    ------
    DataError
        If the times are no times, there is not one neuron for each of them, or a neuron is not among those there are.
    """

    times: Quantity
    indices: NDArray[np.int64]
    neurons: int

    def __post_init__(self) -> None:
        if not isinstance(self.times, Quantity) or self.times.dim is not second.dim or self.times.ndim != 1:
            raise DataError(field_error("Spikes.times", "a list of times with a unit, such as s or ms", self.times))
        indices = np.asarray(self.indices)
        if indices.shape != self.times.shape or (indices.size and indices.dtype.kind not in "iu"):
            got = f"{indices.shape} of {indices.dtype}"
            raise DataError(field_error("Spikes.indices", f"a whole number for each of {len(self.times)} spikes", got))
        last = int(indices.max()) if indices.size else -1
        if last >= self.neurons or (indices.size and indices.min() < 0):
            raise DataError(field_error("Spikes.indices", f"neurons from 0 to {self.neurons - 1}", last))
        object.__setattr__(self, "indices", indices.astype(np.int64))
        order = np.lexsort((np.asarray(self.times), self.indices))
        begins = np.searchsorted(self.indices[order], np.arange(self.neurons + 1))
        object.__setattr__(self, "_sorted", (np.asarray(self.times)[order], begins))

    def __getitem__(self, neuron: int) -> Quantity:
        if neuron not in self:
            raise NotFoundError(f"There is no neuron {neuron!r}: expected one from 0 to {self.neurons - 1}.")
        times, begins = self._sorted  # type: ignore[attr-defined]
        return Quantity(times[begins[neuron] : begins[neuron + 1]], dim=second.dim)

    def __contains__(self, neuron: object) -> bool:
        return isinstance(neuron, int | np.integer) and bool(0 <= neuron < self.neurons)

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.neurons))

    def __len__(self) -> int:
        return self.neurons

    def arrays(self, name: str = "") -> dict[str, Any]:
        """The spikes as arrays of a study's `Result`, which `biosnn.export` knows as spikes again.

        Parameters
        ----------
        name : str
            What to call them, such as ``"excitatory"``; the names of the arrays begin with it.
        """
        begin = f"{name} " if name else ""
        kept = {SPIKE_TIMES: self.times, SPIKE_NEURONS: self.indices, NEURONS: np.array(self.neurons)}
        return {f"{begin}{name}": array for name, array in kept.items()}


def spikes(monitor: Any) -> Spikes:
    """Take the spikes out of a monitor, once the network has run.

    Parameters
    ----------
    monitor : SpikeMonitor or SpikeRecording
        Brian2's monitor, or what `biosnn.record_spikes` returns.

    Returns
    -------
    Spikes
        The neurons of a subgroup are counted from its first one. Neurons that were not recorded have empty trains.

    Raises
    ------
    DataError
        If it is something else, or a monitor that keeps numbers of spikes only (``record=False``).
    """
    kept = all(hasattr(monitor, name) for name in ("t", "i", "source", "num_spikes"))
    if not kept:
        do = "Give it record=True." if hasattr(monitor, "num_spikes") else ""
        what = getattr(monitor, "name", monitor)
        raise DataError(field_error("spikes", "a SpikeMonitor or what record_spikes returns", what, do))
    return Spikes(Quantity(monitor.t[:], copy=True), np.array(monitor.i[:], np.int64), len(monitor.source))
