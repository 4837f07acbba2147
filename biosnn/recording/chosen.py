"""Which neurons of a group are recorded."""

from __future__ import annotations

from typing import Any

import numpy as np
from brian2 import Subgroup
from numpy.typing import NDArray

from biosnn.errors import ModelError, field_error

_EXPECTED = "True, a slice, whole numbers that count neurons of the group from 0, or a subgroup of it"


def neurons(where: str, group: Any, record: Any) -> NDArray[np.int64]:
    """The neurons of a group that are to be recorded, in the order in which they are named.

    Parameters
    ----------
    where : str
        What to call the place in a message.
    group : group
        Whose neurons.
    record : True, slice, int, array of int, or Subgroup
        Which of them.

    Raises
    ------
    ModelError
        If there is no such neuron, none at all, or one is named twice.
    """
    size = len(group)
    if isinstance(record, bool | np.bool_):
        if not record:
            do = "Leave the recording out; SpikeMonitor(group, record=False) counts spikes only."
            raise ModelError(field_error(where, _EXPECTED, record, do))
        return np.arange(size)
    if isinstance(record, slice):
        return _of_slice(where, record, size)
    if isinstance(record, Subgroup):
        return _of_subgroup(where, record, group)
    return _of_numbers(where, record, size)


def _of_slice(where: str, record: slice, size: int) -> NDArray[np.int64]:
    try:
        found = np.arange(*record.indices(size))
    except (TypeError, ValueError):
        raise ModelError(field_error(where, _EXPECTED, record)) from None
    ends = [end for end in (record.start, record.stop) if end is not None]
    if not len(found) or any(not -size <= end <= size for end in ends):
        raise ModelError(field_error(where, f"some of neurons 0 to {size - 1}", record))
    return found


def _of_subgroup(where: str, record: Subgroup, group: Any) -> NDArray[np.int64]:
    whole, begin = getattr(group, "source", group), getattr(group, "start", 0)
    first, last = record.start - begin, record.stop - begin
    if record.source.name != whole.name or first < 0 or last > len(group):
        expected = f"a subgroup of {group.name}"
        raise ModelError(field_error(where, expected, f"{record.name} of {record.source.name}"))
    return np.arange(first, last)


def _of_numbers(where: str, record: Any, size: int) -> NDArray[np.int64]:
    try:
        given = np.atleast_1d(np.asarray(record))
    except ValueError:  # rows of several lengths
        raise ModelError(field_error(where, _EXPECTED, record)) from None
    if given.dtype == bool:
        raise ModelError(field_error(where, _EXPECTED, "an array of bool", "np.flatnonzero makes numbers of it."))
    if given.ndim != 1 or not given.size or given.dtype.kind not in "iu" or isinstance(record, str):
        raise ModelError(field_error(where, _EXPECTED, record))
    outside = given[(given < 0) | (given >= size)]
    if outside.size:
        raise ModelError(field_error(where, f"neurons 0 to {size - 1}", int(outside[0])))
    different, times = np.unique(given, return_counts=True)
    if different.size < given.size:
        raise ModelError(field_error(where, "each neuron once", f"{different[times > 1][0]} several times"))
    return given.astype(np.int64)
