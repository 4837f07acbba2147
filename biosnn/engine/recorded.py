"""What was read of a monitor, or of synapses, stays as it was, whatever is recorded later; and when it may be read.

Since Brian2 2.10 a growing array hands out its own memory, which it gives away when it grows: values read before were
others afterwards. The readers of Brian2 that pass such memory on return a copy instead, from when this is imported on.

Results stay readable when their session is closed. Expressions of them are computed here, whatever device is active
then, which Brian2 would ask. Nothing can be set, or run, in a network whose program is over.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from brian2.core.network import Network
from brian2.core.variables import ArrayVariable, VariableView
from brian2.monitors.statemonitor import StateMonitor, StateMonitorView

from biosnn.engine.program import versions
from biosnn.engine.program.device import ProgramDevice
from biosnn.engine.program.evaluating import evaluating, is_evaluating
from biosnn.engine.state import brian_device
from biosnn.errors import EngineError


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


def _is_over(var: Any) -> bool:
    """Whether a variable is one of a program whose session is closed, or was begun anew."""
    device = getattr(var, "device", None)
    return isinstance(device, ProgramDevice) and device.over


def _evaluated_here(read: Any) -> Any:
    """A reader that needs an expression to be computed, whose result another device may have."""

    @functools.wraps(read)
    def values(view: Any, *args: Any, **kwds: Any) -> Any:
        if is_evaluating() or view.variable.device is brian_device.active_device:
            return read(view, *args, **kwds)
        with evaluating():
            return read(view, *args, **kwds)

    return values


def _check_settable(var: Any) -> None:
    if _is_over(var):
        raise EngineError(
            f"Cannot set {var.name}: its session is closed, or sim.reset() has begun a new program. Set values, and "
            "run, inside the with block."
        )


def _refused_when_over(set_value: Any) -> Any:
    @functools.wraps(set_value)
    def checked(var: Any, value: Any) -> None:
        _check_settable(var)
        set_value(var, value)

    return checked


def _item_refused_when_over(set_item: Any) -> Any:
    @functools.wraps(set_item)
    def checked(view: Any, item: Any, value: Any, level: int = 0, namespace: Any = None) -> None:
        _check_settable(view.variable)
        set_item(view, item, value, level=level + 1, namespace=namespace)  # names are looked up a frame further up

    return checked


def _run_refused_when_over(run: Any) -> Any:
    @functools.wraps(run)
    def checked(network: Any, *args: Any, level: int = 0, **kwds: Any) -> Any:
        for obj in network.sorted_objects:
            variables = getattr(obj, "variables", None)
            if variables is not None and any(_is_over(var) for var in variables.values()):
                raise EngineError(
                    f"{obj.name} cannot be run: its session is closed, or sim.reset() has begun a new program. Make "
                    "its network anew, in the session that is to run it."
                )
        return run(network, *args, level=level + 1, **kwds)

    return checked


VariableView.get_with_expression = _evaluated_here(VariableView.get_with_expression)
VariableView.get_subexpression_with_index_array = _evaluated_here(VariableView.get_subexpression_with_index_array)
VariableView.set_item = _item_refused_when_over(VariableView.set_item)
ArrayVariable.set_value = _refused_when_over(ArrayVariable.set_value)
Network.run = _run_refused_when_over(Network.run)

if versions.ARRAYS_MOVE:
    VariableView.get_with_index_array = _copied(VariableView.get_with_index_array)
    StateMonitor.__getattr__ = _copied(StateMonitor.__getattr__)
    StateMonitorView.__getattr__ = _copied(StateMonitorView.__getattr__)
