"""Brian2's global state: noted when a session begins, put back when it ends."""

from __future__ import annotations

import copy
import ctypes
import importlib
import logging
import random
from dataclasses import dataclass
from typing import Any

import brian2
import numpy as np
from brian2.core.base import BrianObject
from brian2.core.names import Nameable
from brian2.core.network import Network

# The package's attribute `device` is a proxy, so the module has to be asked for by name.
brian_device: Any = importlib.import_module("brian2.devices.device")

_BUFFER = 20000 * ctypes.sizeof(ctypes.c_double)  # random numbers that Brian2's Cython code draws ahead
_FLAGS = ("build_on_run", "build_options", "_maximum_run_time")


@dataclass(frozen=True)
class BrianState:
    """All that a session may change outside itself."""

    active: Any
    stack: list[Any]
    flags: dict[str, dict[str, Any]]
    runtime_clock: Any
    prefs: dict[str, Any]
    unvalidated: dict[str, Any]
    numpy_random: Any
    python_random: Any
    buffers: dict[str, tuple[int, bytes]]
    log: tuple[int, list[Any], int, list[Any]]
    scope: int
    running: tuple[bool, bool]
    tracked: frozenset[Any]


def capture() -> BrianState:
    """Note the present state."""
    logger, console = logging.getLogger("brian2"), brian2.BrianLogger.console_handler
    return BrianState(
        active=brian_device.active_device,
        stack=list(brian_device.previous_devices),
        flags={
            name: {flag: copy.copy(getattr(device, flag)) for flag in _FLAGS if hasattr(device, flag)}
            for name, device in brian_device.all_devices.items()
        },
        runtime_clock=brian_device.runtime_device.defaultclock,
        prefs=copy.deepcopy(brian2.prefs.prefs),
        unvalidated=copy.deepcopy(brian2.prefs.prefs_unvalidated),
        numpy_random=np.random.get_state(),  # noqa: NPY002 - Brian2 draws from the global generator
        python_random=random.getstate(),
        buffers={kind: _read_buffer(kind) for kind in ("rand", "randn")},
        log=(
            logger.level,
            list(logger.filters),
            console.level if console else logging.NOTSET,
            list(console.filters) if console else [],
        ),
        scope=BrianObject._scope_current_key,
        running=(Network._globally_running, Network._globally_stopped),
        tracked=frozenset(Nameable.__instances__()),
    )


def restore(state: BrianState) -> None:
    """Put a state back."""
    brian_device.active_device = state.active
    brian_device.previous_devices[:] = state.stack
    for name, flags in state.flags.items():
        for flag, value in flags.items():
            setattr(brian_device.all_devices[name], flag, value)
    brian_device.runtime_device.defaultclock = state.runtime_clock
    for target, source in ((brian2.prefs.prefs, state.prefs), (brian2.prefs.prefs_unvalidated, state.unvalidated)):
        target.clear()
        target.update(source)
    np.random.set_state(state.numpy_random)  # noqa: NPY002
    random.setstate(state.python_random)
    for kind, kept in state.buffers.items():
        _write_buffer(kind, kept)
    logger, console = logging.getLogger("brian2"), brian2.BrianLogger.console_handler
    logger.level, logger.filters = state.log[0], list(state.log[1])
    if console:
        console.level, console.filters = state.log[2], list(state.log[3])
    BrianObject._scope_current_key = state.scope
    Network._globally_running, Network._globally_stopped = state.running
    show_names(state)


def hide_names() -> None:
    """Make Brian2 forget the names in use, so that automatic names begin anew.

    Brian2 numbers objects by what is alive in the process; the same network built twice would get other names, and so
    other sources, the second time.
    """
    Nameable.__instances__().clear()


def forgive_unused() -> None:
    """Keep Brian2 from warning of the objects that a failed session has made and not yet put into a network."""
    for reference in list(Nameable.__instances__()):
        made = reference()
        if isinstance(made, BrianObject) and getattr(made, "_network", "") is None:  # a half-made one has none yet
            made._network = "none: the session failed"


def show_names(state: BrianState) -> None:
    """Undo `hide_names`: the objects of before are known again, beside those made since."""
    known = Nameable.__instances__()
    for reference in state.tracked:
        if reference() is not None:
            set.add(known, reference)


def _read_buffer(kind: str) -> tuple[int, bytes]:
    """How many of the numbers drawn ahead are used up, and the numbers."""
    runtime = brian_device.runtime_device
    index, address = int(getattr(runtime, f"{kind}_buffer_index")[0]), int(getattr(runtime, f"{kind}_buffer")[0])
    return index, ctypes.string_at(address, _BUFFER) if index and address else b""


def _write_buffer(kind: str, kept: tuple[int, bytes]) -> None:
    runtime = brian_device.runtime_device
    index, content = kept
    address = int(getattr(runtime, f"{kind}_buffer")[0])
    if content and address:
        ctypes.memmove(address, content, _BUFFER)
    getattr(runtime, f"{kind}_buffer_index")[0] = index
