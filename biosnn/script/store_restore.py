"""``store`` and ``restore`` of a network that is queued: what follows a mark in the queue is taken back.

Whatever is run afterwards begins where the mark was set, since the program simulates up to there first.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from brian2.codegen.codeobject import CodeObject
from brian2.core.names import Nameable

from biosnn.errors import EngineError


@dataclass(frozen=True, eq=False)
class Mark:
    """How far the queue of a program was, and what was known then."""

    entries: int
    runs: int
    arrays: frozenset[Any]
    cache: dict[Any, Any]
    code_objects: dict[str, Any]
    static_arrays: dict[str, Any]
    names: frozenset[Any]
    time: float
    arguments_read: bool


def mark(device: Any, net: Any) -> Mark:
    """The present state of what is queued."""
    return Mark(
        entries=len(device.main_queue),
        runs=len(device.durations),
        arrays=frozenset(device.arrays),
        cache={var: _copy(values) for var, values in device.array_cache.items()},
        code_objects=dict(device.code_objects),
        static_arrays=dict(device.static_arrays),
        names=frozenset(Nameable.__instances__()),
        time=float(net.t),
        arguments_read=device.run_args_applied,
    )


def go_back(device: Any, net: Any, to: Mark) -> None:
    """Take back what was queued since a mark.

    Raises
    ------
    EngineError
        If it is more than the runs of this network.
    """
    later = [arguments[0] for function, arguments in device.main_queue[to.entries :] if function == "run_network"]
    others = sorted({other.name for other in later if other is not net})
    made = sorted(_owners(device.arrays) - _owners(to.arrays))
    if others or made:
        what = f"{', '.join(others)} was run" if others else f"{', '.join(made)} was made"
        raise EngineError(
            f"{net.name}.restore: {what} since the state was stored. On the target cpp, a program goes back to where "
            "it was then as a whole. Store after all objects are made, and restore before another network is run; or "
            "use the target cython or numpy."
        )
    del device.main_queue[to.entries :], device.durations[to.runs :]
    device.array_cache = {var: _copy(values) for var, values in to.cache.items()}
    device.code_objects, device.static_arrays = dict(to.code_objects), dict(to.static_arrays)
    device.run_args_applied = to.arguments_read
    net.t_ = to.time
    known = Nameable.__instances__()
    for reference in [each for each in known if each not in to.names and isinstance(each(), CodeObject)]:
        known.discard(reference)
    device.program.take_back()


def _owners(arrays: Iterable[Any]) -> set[str]:
    names = set()
    for var in arrays:
        with contextlib.suppress(ReferenceError, AttributeError):  # of something temporary
            names.add(str(var.owner.name))
    return names


def _copy(values: Any) -> Any:
    return values.copy() if isinstance(values, np.ndarray) else values
