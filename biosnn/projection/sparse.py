"""The kind for what follows no rule: each source neuron has a list of its targets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from biosnn.display import Brief
from biosnn.errors import ModelError, field_error
from biosnn.projection.kinds import AHEAD, Fit, Indices, Kind


@dataclass(frozen=True, eq=False)
class Sparse(Brief, Kind):
    """Each source neuron connects to the targets of its list, as in a sparse matrix of SciPy. Weights: (synapse,).

    `Sparse.of` takes such a matrix, `Sparse.pairs` the two neurons of each synapse. A synapse takes two or four bytes
    beside its weight, and eight more where spikes of the target run statements; ``Synapses`` takes some fifty.

    Parameters
    ----------
    shape : pair of int
        How many source and target neurons there are.
    indptr : array of int, shape (sources + 1,)
        Where the list of each source begins in ``indices``; that of the next one is where it ends.
    indices : array of int, shape (synapses,)
        The target of each synapse. A source may have several synapses at a target.
    order : array of int, shape (synapses,), optional
        The number of each of these synapses among the weights that are given and read; by default they are in order.
    larger : bool
        Whether it also fits groups that have more neurons, which then have no synapses.

    Raises
    ------
    ModelError
        If lists do not follow one another, or name neurons that do not exist.
    """

    shape: tuple[int, int]
    indptr: NDArray[Any]
    indices: NDArray[Any]
    order: NDArray[Any] | None = None
    larger: bool = False
    template: ClassVar[str] = "sparse"
    scattered: ClassVar[bool] = True
    divisible: ClassVar[bool] = True

    def __post_init__(self) -> None:
        n_source, n_target = self.shape
        indptr, indices = (_whole(name, getattr(self, name)) for name in ("indptr", "indices"))
        if len(indptr) != n_source + 1 or indptr[0] != 0 or indptr[-1] != len(indices) or np.any(np.diff(indptr) < 0):
            expected = f"{n_source + 1} numbers that ascend from 0 to the {len(indices)} synapses"
            raise ModelError(field_error("Sparse, indptr", expected, indptr))
        if indices.size and (indices.min() < 0 or indices.max() >= n_target):
            wrong = indices[(indices < 0) | (indices >= n_target)][0]
            raise ModelError(field_error("Sparse, indices", f"neurons from 0 to {n_target - 1}", int(wrong)))
        if self.order is not None:
            order = _whole("order", self.order)
            if len(order) != len(indices) or np.any(np.sort(order) != np.arange(len(indices))):
                expected = f"each number from 0 to {len(indices) - 1} once"
                raise ModelError(field_error("Sparse, order", expected, order))
            object.__setattr__(self, "order", order)
        object.__setattr__(self, "indptr", indptr.astype(np.int64))
        object.__setattr__(self, "indices", indices.astype(np.uint16 if n_target <= 2**16 else np.int32))

    @classmethod
    def of(cls, matrix: Any) -> Sparse:
        """The kind that has a synapse for each stored element of a matrix, in the order of ``matrix.data``.

        Parameters
        ----------
        matrix : sparse matrix or array of SciPy, shape (sources, targets)
            Zeros that it stores are synapses too.
        """
        if not hasattr(matrix, "tocoo"):
            do = "For a full matrix, use Dense() or scipy.sparse.csr_array(matrix)."
            raise ModelError(field_error("Sparse.of", "a sparse matrix of SciPy", type(matrix).__name__, do))
        pairs = matrix.tocoo()
        return cls.pairs(pairs.row, pairs.col, shape=pairs.shape)

    @classmethod
    def pairs(cls, i: Any, j: Any, *, shape: tuple[int, int] | None = None) -> Sparse:
        """The kind that has a synapse from each neuron of ``i`` to the neuron at the same place of ``j``.

        Parameters
        ----------
        i, j : array of int, shape (synapses,)
            Source and target neurons in any order; a pair may come several times. Weights are in the same order.
        shape : pair of int, optional
            How many source and target neurons there are; by default as many as the groups have.

        Raises
        ------
        ModelError
            If ``i`` and ``j`` are no whole numbers, of different lengths, or name neurons that do not exist.
        """
        i, j = _whole("i", i), _whole("j", j)
        if len(i) != len(j):
            raise ModelError(field_error("Sparse.pairs", "as many sources as targets", f"{len(i)} and {len(j)}"))
        sizes = shape or (int(i.max(initial=-1)) + 1, int(j.max(initial=-1)) + 1)
        if i.size and (i.min() < 0 or i.max() >= sizes[0]):
            wrong = int(i[(i < 0) | (i >= sizes[0])][0])
            raise ModelError(field_error("Sparse.pairs, i", f"neurons from 0 to {sizes[0] - 1}", wrong))
        order = np.lexsort((j, i))
        indptr = np.concatenate([[0], np.cumsum(np.bincount(i, minlength=sizes[0]))])
        in_order = bool(np.all(order == np.arange(len(order))))
        return cls(sizes, indptr, j[order], None if in_order else order, larger=shape is None)

    def by_delay(self, in_steps: NDArray[Any]) -> Sparse:
        """The same, the synapses of each source in the order of these delays, and those of a delay of their targets."""
        stored = in_steps if self.order is None else in_steps[self.order]
        by = np.lexsort((np.arange(len(stored)), self.indices, stored, self.sources))
        if np.all(by == np.arange(len(by))):
            return self
        return replace(self, indices=self.indices[by], order=by if self.order is None else self.order[by])

    @cached_property
    def ascending(self) -> bool:
        """Whether the targets of each source are in order."""
        falling = np.flatnonzero(np.diff(self.indices.astype(np.int64)) < 0) + 1
        return bool(np.all(np.isin(falling, self.indptr)))

    @cached_property
    def may_repeat(self) -> bool:
        by = np.lexsort((self.indices, self.sources))
        same = (np.diff(self.sources[by]) == 0) & (np.diff(self.indices[by].astype(np.int64)) == 0)
        return bool(np.any(same))

    def fit(self, n_source: int, n_target: int) -> Fit:
        sizes = tuple(self.shape)
        if (n_source, n_target) != sizes and not (self.larger and n_source >= sizes[0] and n_target >= sizes[1]):
            expected = f"{self.shape[0]} source and {self.shape[1]} target neurons"
            given = f"groups of {n_source} and {n_target}"
            raise ModelError(field_error("Sparse", f"groups of {expected}", given))
        indptr = np.append(self.indptr, np.full(n_source - self.shape[0], self.indptr[-1]))

        def outgoing(i: int) -> tuple[Indices, Indices]:
            synapses = np.arange(indptr[i], indptr[i + 1])
            return synapses, self.indices[synapses].astype(np.int64)

        @cache
        def incoming_arrays() -> dict[str, NDArray[Any]]:
            by = np.argsort(self.indices, kind="stable")
            begin = np.concatenate([[0], np.cumsum(np.bincount(self.indices, minlength=n_target))])
            ahead = np.append(by, np.zeros(AHEAD, dtype=np.int64))
            sources = self.sources[by]
            return {"in_indptr": begin, "in_synapses": ahead.astype(np.int32), "in_sources": sources.astype(np.int32)}

        def incoming(j: int) -> tuple[Indices, Indices]:
            begin, synapses, sources = incoming_arrays().values()
            here = slice(begin[j], begin[j + 1])
            return synapses[here].astype(np.int64), sources[here].astype(np.int64)

        arrays = {"indptr": indptr, "indices": self.indices}
        return Fit(
            (len(self.indices),),
            outgoing,
            incoming,
            arrays=arrays,
            incoming_arrays=incoming_arrays,
            order=self.order,
        )

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
