"""The kind for what follows no rule: each source neuron has a list of its targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from biosnn.errors import ModelError, field_error
from biosnn.projection.kinds import Fit, Indices, Kind


@dataclass(frozen=True, eq=False)
class Listed(Kind):
    """Each source neuron connects to the targets of its list, as in a sparse matrix of SciPy. Weights: (synapse,).

    A synapse takes four bytes beside its weight, where ``Synapses`` takes some fifty. Only spikes of the source, and
    regular times, can run statements.

    Parameters
    ----------
    shape : pair of int
        How many source and target neurons there are.
    starts : array of int, shape (sources + 1,)
        Where the list of each source begins in ``targets``; that of the next one is where it ends (``indptr``).
    targets : array of int, shape (synapses,)
        The target of each synapse, in ascending order for each source (``indices``).

    Raises
    ------
    ModelError
        If lists do not follow one another, name neurons that do not exist, or are not in ascending order.
    """

    shape: tuple[int, int]
    starts: NDArray[Any]
    targets: NDArray[Any]
    template: ClassVar[str] = "listed"

    def __post_init__(self) -> None:
        n_source, n_target = self.shape
        starts, targets = (_whole(name, getattr(self, name)) for name in ("starts", "targets"))
        if len(starts) != n_source + 1 or starts[0] != 0 or starts[-1] != len(targets) or np.any(np.diff(starts) < 0):
            expected = f"{n_source + 1} numbers that ascend from 0 to the {len(targets)} synapses"
            raise ModelError(field_error("Listed, starts", expected, starts))
        if targets.size and (targets.min() < 0 or targets.max() >= n_target):
            wrong = targets[(targets < 0) | (targets >= n_target)][0]
            raise ModelError(field_error("Listed, targets", f"neurons from 0 to {n_target - 1}", int(wrong)))
        follows = np.ones(len(targets), dtype=bool)
        follows[starts[:-1][starts[:-1] < len(targets)]] = False  # where a list begins
        if np.any(np.diff(targets, prepend=-1)[follows] <= 0):
            expected = "in each list each neuron once, in ascending order"
            raise ModelError(field_error("Listed, targets", expected, targets, "SciPy: matrix.sum_duplicates()."))
        object.__setattr__(self, "starts", starts.astype(np.int64))
        object.__setattr__(self, "targets", targets.astype(np.int32))

    @property
    def sides(self) -> tuple[str, ...]:
        return ("pre", "")

    def fit(self, n_source: int, n_target: int) -> Fit:
        if (n_source, n_target) != tuple(self.shape):
            expected = f"{self.shape[0]} source and {self.shape[1]} target neurons"
            raise ModelError(field_error("Listed", expected, f"{n_source} and {n_target}"))

        def outgoing(i: int) -> tuple[Indices, Indices]:
            indices = np.arange(self.starts[i], self.starts[i + 1])
            return indices, self.targets[indices].astype(np.int64)

        def incoming(j: int) -> tuple[Indices, Indices]:
            indices = np.flatnonzero(self.targets == j)
            return indices, np.searchsorted(self.starts, indices, side="right") - 1

        arrays = {"starts": self.starts, "targets": self.targets}
        return Fit((len(self.targets),), outgoing, incoming, arrays=arrays)

    @property
    def sources(self) -> NDArray[np.int64]:
        """The source of each synapse, shape (synapses,)."""
        return np.repeat(np.arange(self.shape[0]), np.diff(self.starts))


def _whole(name: str, values: Any) -> NDArray[np.int64]:
    found = np.asarray(values)
    if found.ndim != 1 or (found.dtype.kind not in "iu" and found.size):
        given = f"{found.dtype} of shape {found.shape}"
        raise ModelError(field_error(f"Listed, {name}", "a list of whole numbers", given))
    return found.astype(np.int64)
