"""What was read of a monitor, or of synapses, stays as it was, whatever is recorded later.

Since Brian2 2.10 a growing array hands out its own memory, which it gives away when it grows: values read before were
others afterwards. The readers of Brian2 that pass such memory on return a copy instead, from when this is imported on.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from brian2.core.variables import VariableView
from brian2.monitors.statemonitor import StateMonitor, StateMonitorView

from biosnn.engine.program import versions


def _copied(read: Any) -> Any:
    """A reader whose arrays own their memory."""

    @functools.wraps(read)
    def values(owner: Any, *args: Any, **kwds: Any) -> Any:
        recorded = read(owner, *args, **kwds)
        return recorded.copy() if isinstance(recorded, np.ndarray) and _lent(recorded) else recorded

    return values


def _lent(values: np.ndarray[Any, Any]) -> bool:
    """Whether the memory of an array is no array's of NumPy: one that has allocated it would keep it alive."""
    while isinstance(values.base, np.ndarray):
        values = values.base
    return not values.flags.owndata


if versions.ARRAYS_MOVE:
    VariableView.get_with_index_array = _copied(VariableView.get_with_index_array)
    StateMonitor.__getattr__ = _copied(StateMonitor.__getattr__)
    StateMonitorView.__getattr__ = _copied(StateMonitorView.__getattr__)
