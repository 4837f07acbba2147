"""The kind for what follows no rule: each source neuron has a list of its targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from biosnn.errors import ModelError, field_error
from biosnn.projection.kinds import Fit, Indices, Kind


@dataclass(frozen=True, eq=False)
class Sparse(Kind):
    """Each source neuron connects to the targets of its list, as in a sparse matrix of SciPy. Weights: (synapse,).

    A synapse takes four bytes beside its weight, where ``Synapses`` takes some fifty. Only spikes of the source, and
    regular times, can run statements.

    Parameters
    ----------
    shape : pair of int
        How many source and target neurons there are.
    indptr : array of int, shape (sources + 1,)
        Where the list of each source begins in ``indices``; that of the next one is where it ends.
    indices : array of int, shape (synapses,)
        The target of each synapse, in ascending order for each source.

    Raises
    ------
    ModelError
        If lists do not follow one another, name neurons that do not exist, or are not in ascending order.
    """

    shape: tuple[int, int]
    indptr: NDArray[Any]
    indices: NDArray[Any]
    template: ClassVar[str] = "sparse"

    def __post_init__(self) -> None:
        n_source, n_target = self.shape
        indptr, indices = (_whole(name, getattr(self, name)) for name in ("indptr", "indices"))
        if len(indptr) != n_source + 1 or indptr[0] != 0 or indptr[-1] != len(indices) or np.any(np.diff(indptr) < 0):
            expected = f"{n_source + 1} numbers that ascend from 0 to the {len(indices)} synapses"
            raise ModelError(field_error("Sparse, indptr", expected, indptr))
        if indices.size and (indices.min() < 0 or indices.max() >= n_target):
            wrong = indices[(indices < 0) | (indices >= n_target)][0]
            raise ModelError(field_error("Sparse, indices", f"neurons from 0 to {n_target - 1}", int(wrong)))
        follows = np.ones(len(indices), dtype=bool)
        follows[indptr[:-1][indptr[:-1] < len(indices)]] = False  # where a list begins
        if np.any(np.diff(indices, prepend=-1)[follows] <= 0):
            expected = "in each list each neuron once, in ascending order"
            raise ModelError(field_error("Sparse, indices", expected, indices, "SciPy: matrix.sum_duplicates()."))
        object.__setattr__(self, "indptr", indptr.astype(np.int64))
        object.__setattr__(self, "indices", indices.astype(np.int32))

    @property
    def sides(self) -> tuple[str, ...]:
        return ("pre", "")

    def fit(self, n_source: int, n_target: int) -> Fit:
        if (n_source, n_target) != tuple(self.shape):
            expected = f"{self.shape[0]} source and {self.shape[1]} target neurons"
            raise ModelError(field_error("Sparse", expected, f"{n_source} and {n_target}"))

        def outgoing(i: int) -> tuple[Indices, Indices]:
            synapses = np.arange(self.indptr[i], self.indptr[i + 1])
            return synapses, self.indices[synapses].astype(np.int64)

        def incoming(j: int) -> tuple[Indices, Indices]:
            synapses = np.flatnonzero(self.indices == j)
            return synapses, np.searchsorted(self.indptr, synapses, side="right") - 1

        arrays = {"indptr": self.indptr, "indices": self.indices}
        return Fit((len(self.indices),), outgoing, incoming, arrays=arrays)

    @property
    def sources(self) -> NDArray[np.int64]:
        """The source of each synapse, shape (synapses,)."""
        return np.repeat(np.arange(self.shape[0]), np.diff(self.indptr))


def _whole(name: str, values: Any) -> NDArray[np.int64]:
    array = np.asarray(values)
    if array.ndim != 1 or (array.dtype.kind not in "iu" and array.size):
        given = f"{array.dtype} of shape {array.shape}"
        raise ModelError(field_error(f"Sparse, {name}", "a list of whole numbers", given))
    return array.astype(np.int64)
