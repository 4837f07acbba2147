"""A window of time: which time steps are in it, and how it is given and shown."""

from __future__ import annotations

from typing import Any

import numpy as np
from brian2 import Quantity, second
from brian2.core.clocks import Clock

from biosnn.errors import ModelError, field_error
from biosnn.inputs import check

FOR_EVER = int(np.iinfo(np.int64).max)
"""The step after the last of a window without an end."""
_SAME_STEP = Clock.epsilon_dt
"""A time that is so near to that of a step, in steps, is its time: as Brian2 has it."""


def checked(where: str, start: Any, stop: Any) -> tuple[Quantity | None, Quantity | None]:
    """The ends of a window of time, None where it has none.

    Raises
    ------
    ModelError, QuantityError
        If one of them is no time, or before 0 s, or the end is not after the beginning.
    """
    given = {"start": start, "stop": stop}
    times = {end: None if time is None else check.time(f"{where}, {end}", time) for end, time in given.items()}
    for end, time in times.items():
        if time is not None and not 0 <= float(time) < np.inf:
            raise ModelError(field_error(f"{where}, {end}", "a finite time, not negative", time))
    if times["stop"] is not None and float(times["stop"]) <= float(times["start"] or 0.0):
        raise ModelError(field_error(f"{where}, stop", f"a time after {times['start'] or 0 * second}", times["stop"]))
    return times["start"], times["stop"]


def steps(where: str, start: Quantity | None, stop: Quantity | None, dt: float) -> tuple[int, int]:
    """The first step of a window and the one after its last.

    Raises
    ------
    ModelError
        If there are none between them.
    """

    def step(time: float) -> int:
        nearest = round(time / dt)
        return nearest if abs(nearest - time / dt) <= _SAME_STEP else int(np.ceil(time / dt))

    first, last = step(float(start or 0.0)), FOR_EVER if stop is None else step(float(stop))
    if first >= last:
        expected = f"a time step of {dt * second} between start and stop"
        raise ModelError(field_error(where, expected, shown(start, stop)))
    return first, last


def is_within(wanted: tuple[int, int], begin: int, end: int) -> bool:
    """Whether a window has steps, all of them from ``begin`` on and before ``end``, but for an end that it has not."""
    first, last = wanted
    return begin <= first < end and (last == FOR_EVER or last <= end)


def shown(start: Quantity | None, stop: Quantity | None) -> str:
    """A window in words."""
    return f"from {start or 0 * second}" + ("" if stop is None else f" until {stop}")
