"""What is in a result, as other programs sort it: spike trains, signals, all else, and where it comes from.

Arrays are known by their names: ``E spike times`` and ``E spike neurons`` are the spikes of ``E``, and ``E neurons``
says how many neurons there are (`Spikes.arrays` calls them so); ``E t`` or ``E time`` is the time of every array whose
name begins with ``E`` and that has as many numbers along its last axis, or its first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from brian2 import second
from brian2.units.fundamentalunits import Quantity, get_dimensions
from numpy.typing import NDArray

from biosnn.display import Brief
from biosnn.measure.spikes import NEURONS, SPIKE_NEURONS, SPIKE_TIMES, Spikes
from biosnn.quantity import unit_text
from biosnn.study.saved import SavedResult

_TIME = re.compile(r"(?:(.*) )?(?:t|time)")
_REGULAR = 1e-6  # of a step: by how much steps of a regular time may differ


@dataclass(frozen=True, eq=False)
class Signal(Brief):
    """What was recorded at regular times.

    Parameters
    ----------
    values : ndarray, shape (times, ...)
        Numbers in ``unit``.
    unit : str
        Of the SI, "1" for plain numbers.
    start, step : float
        When the first number was recorded, and how long after each other they were (s).
    """

    values: NDArray[Any]
    unit: str
    start: float
    step: float

    @property
    def stop(self) -> float:
        """The end of the last step (s)."""
        return self.start + self.step * len(self.values)


@dataclass(frozen=True, eq=False)
class Contents(Brief):
    """The arrays of a result, sorted, and what is to be known of where they come from."""

    spikes: Mapping[str, Spikes]
    signals: Mapping[str, Signal]
    others: Mapping[str, NDArray[Any] | Quantity]
    about: Mapping[str, str]

    @property
    def stop(self) -> float:
        """The time (s) up to which something is known of: of the last spike, or the end of the last signal."""
        ends = [float(train.times.max() / second) for train in self.spikes.values() if len(train.times)]
        return max([*ends, *(signal.stop for signal in self.signals.values())], default=0.0)


def contents(result: SavedResult) -> Contents:
    """Sort the arrays of a result."""
    arrays = dict(result.arrays)
    spikes = _take_spikes(arrays)
    times = {name: axis for name, array in arrays.items() if (axis := _regular(name, array)) is not None}
    signals: dict[str, Signal] = {}
    for name, array in arrays.items():
        of = [time for time in times if name.startswith(_begin(time)) and name not in times]
        for time in sorted(of, key=lambda time: -len(_begin(time))):
            signal = _signal(array, *times[time])
            if signal is not None:
                signals[name] = signal
                break
    # The time of signals is said with each of them.
    used = {time for time in times if any(name.startswith(_begin(time)) for name in signals)}
    others = {name: array for name, array in arrays.items() if name not in signals and name not in used}
    return Contents(spikes, signals, others, _about(result))


def _take_spikes(arrays: dict[str, Any]) -> dict[str, Spikes]:
    found = {}
    for times_name in [name for name in arrays if name == SPIKE_TIMES or name.endswith(f" {SPIKE_TIMES}")]:
        begin = times_name.removesuffix(SPIKE_TIMES)
        times, neurons = arrays[times_name], arrays.get(f"{begin}{SPIKE_NEURONS}")
        if neurons is None or get_dimensions(times) is not second.dim or np.ndim(times) != 1:
            continue
        whole = np.asarray(neurons).dtype.kind in "iu" and np.shape(neurons) == np.shape(times)
        if whole and (not len(neurons) or np.min(neurons) >= 0):
            fewest = int(np.max(neurons, initial=-1)) + 1
            found[begin.strip() or "spikes"] = Spikes(times, neurons, _number(arrays, f"{begin}{NEURONS}", fewest))
            del arrays[times_name], arrays[f"{begin}{SPIKE_NEURONS}"]
    return found


def _number(arrays: dict[str, Any], name: str, fewest: int) -> int:
    """How many neurons an array says that there are, if it does; the last ones may be silent."""
    given = np.asarray(arrays.get(name))
    if given.ndim or given.dtype.kind not in "iu" or given < fewest:
        return fewest
    del arrays[name]
    return int(given)


def _begin(time: str) -> str:
    """What the names of those signals begin with that a time is the time of."""
    found = _TIME.fullmatch(time)
    return (found[1] or "") if found else ""


def _regular(name: str, array: Any) -> tuple[float, float, int] | None:
    """Start, step and number of the times in an array, if it is one of regular times."""
    if not _TIME.fullmatch(name) or get_dimensions(array) is not second.dim or np.ndim(array) != 1 or len(array) < 2:
        return None
    steps = np.diff(np.asarray(array, np.float64))
    step = float(np.mean(steps))
    if not step > 0 or not np.allclose(steps, step, rtol=0, atol=_REGULAR * step):
        return None
    return float(np.asarray(array)[0]), step, len(array)


def _signal(array: Any, start: float, step: float, many: int) -> Signal | None:
    values, unit = np.asarray(array), unit_text(get_dimensions(array))
    if values.dtype.kind not in "iuf" or not values.ndim:
        return None
    if values.shape[-1] == many:
        return Signal(np.moveaxis(values, -1, 0), unit, start, step)
    return Signal(values, unit, start, step) if len(values) == many else None


def _about(result: SavedResult) -> dict[str, str]:
    source = result.provenance
    versions = source.get("versions", {})
    return {
        "study": result.study,
        "title": str(source.get("study", {}).get("title", "")),
        "settings": json.dumps(dict(result.settings), ensure_ascii=False),
        "seed": str(result.seed),
        "target": result.target,
        "verdict": result.verdict,
        "finished": str(source.get("finished", "")),
        "command": str(source.get("command", "")),
        "commit": str(source.get("code", {}).get("commit", "")),
        **{f"version of {name}": str(versions.get(name, "unknown")) for name in ("biosnn", "brian2", "numpy")},
        "models": json.dumps([entry.get("text", "") for entry in source.get("models", [])], ensure_ascii=False),
    }


VALUES = ("name", "value", "unit", "expected", "tolerance", "kind", "verdict", "source")
"""The columns of a table of a result's values."""


def values_table(result: SavedResult) -> list[tuple[str, ...]]:
    """The values of a result as rows of texts, the columns being `VALUES`; numbers are written in full."""
    return [
        tuple("" if (item := getattr(row, column)) is None else str(item) for column in VALUES) for row in result.rows
    ]
