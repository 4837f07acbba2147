"""Take the numbers out of the generated program, so that one binary serves all of them.

Brian2 writes each value that is set before or between runs, each seed and each duration as a literal into main.cpp.
Here every such literal becomes an element of one of two arrays that the program reads from files when it starts; the
text that remains, and so the binary, is the same whatever the numbers are. Sizes of arrays stay compiled in.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

FLOATS = "_static_array__biosnn_floats"
INTEGERS = "_static_array__biosnn_integers"


@dataclass(frozen=True)
class Run:
    """The place of ``network.run(duration)`` among the lines of main.cpp."""

    network: str
    duration: PointValue


def run_lines(network: str, duration: PointValue, lines: list[str]) -> list[str | Run]:
    """The lines of a run with its duration lifted out, and idle clocks in the order of their names."""
    idle = sorted(line for line in lines if line.startswith(f"{network}.add(") and line.endswith(", NULL);"))
    ordered: list[str | Run] = []
    for line in lines:
        if line.startswith(f"{network}.run("):
            ordered += [*idle, Run(network, duration)]
        elif line not in idle:
            ordered.append(line)
    return ordered


@dataclass(frozen=True)
class PointValue:
    """A number that points may bring along under this key, and what it is when one does not."""

    key: str
    integer: bool
    otherwise: float = 0


def duration(run: int) -> str:
    """The key of how long a run of the program takes, the first being number 0."""
    return f"duration of run {run}"


def given(key: str) -> str:
    """The key of whether a point brings along an array under a key."""
    return f"given: {key}"


Number = bool | int | float | PointValue


@dataclass
class Settings:
    """The numbers of one program.

    Attributes
    ----------
    floats, integers
        Their values, in the order of the places that read them.
    points
        Where the value of a key of a sweep goes: (name of the array, index in it), all places of the key.
    """

    floats: list[float] = field(default_factory=list)
    integers: list[int] = field(default_factory=list)
    points: dict[str, list[tuple[str, int]]] = field(default_factory=dict)

    def place(self, value: Number) -> str:
        """Put a number into the settings and return the C++ expression that reads it."""
        whole = value.integer if isinstance(value, PointValue) else isinstance(value, int)
        name = INTEGERS if whole else FLOATS
        index = len(self.integers if whole else self.floats)
        if isinstance(value, PointValue):
            self.points.setdefault(value.key, []).append((name, index))
            value = value.otherwise
        if whole:
            self.integers.append(int(value))
        else:
            self.floats.append(float(value))
        return f"{name}[{index}]"

    def arrays(self, point: Mapping[str, float] | None = None) -> dict[str, NDArray[Any]]:
        """The two arrays as the program reads them, with the scalar values of a point put in."""
        arrays: dict[str, NDArray[Any]] = {
            # One element more than needed: the program cannot have an empty array.
            FLOATS: np.array([*self.floats, 0.0], dtype=np.float64),
            INTEGERS: np.array([*self.integers, 0], dtype=np.int64),
        }
        for key, value in (point or {}).items():
            for name, index in self.points.get(key, ()):
                arrays[name][index] = value
        return arrays


def lift(queue: Sequence[tuple[str, Any]]) -> tuple[list[tuple[str, Any]], Settings]:
    """Brian2's main queue with its numbers taken out, and those numbers.

    Parameters
    ----------
    queue
        Entries (function, arguments) as a `CPPStandaloneDevice` collects them. Lines of a ``run_network`` entry may be
        `Run`; values of ``set_by_constant`` and ``seed`` may be `PointValue`.

    Returns
    -------
    tuple
        A queue that holds text only, and the settings.
    """
    settings = Settings()
    return [_lift_entry(function, arguments, settings) for function, arguments in queue], settings


def _lift_entry(function: str, arguments: Any, settings: Settings) -> tuple[str, Any]:
    if function == "run_network":
        network, lines = arguments
        return function, (network, [_run_line(line, settings) if isinstance(line, Run) else line for line in lines])
    if function == "set_by_constant":
        array, value, dynamic = arguments
        size = f"{array}.size()" if dynamic else f"_num_{array}"
        return "insert_code", f"for (size_t i = 0; i < {size}; i++) {array}[i] = {settings.place(value)};"
    if function == "set_by_single_value":
        array, index, text = arguments
        value = _number(text)
        right = text if value is None else settings.place(value)
        return "insert_code", f"{array}[{settings.place(int(index))}] = {right};"
    if function == "seed" and arguments is not None:
        place = settings.place(arguments if isinstance(arguments, PointValue) else int(arguments))
        return "insert_code", f"_random_generators[0].seed(static_cast<unsigned long>({place}));"
    if function == "start":
        network, value = arguments
        return "insert_code", f"{network}.t = {settings.place(value)};"
    if function == "set_if_given":
        array, key, name, dynamic = arguments
        size = f"{array}.size()" if dynamic else f"_num_{array}"
        loop = f"for (size_t i = 0; i < {size}; i++) {array}[i] = {name}[i];"
        return "insert_code", f"if ({settings.place(PointValue(given(key), integer=True))}) {loop}"
    return function, arguments


def _run_line(run: Run, settings: Settings) -> str:
    return f"{run.network}.run({settings.place(run.duration)});"


def _number(text: str) -> bool | int | float | None:
    """The number that a C++ literal written by Brian2 stands for, or None when it is something else."""
    words: dict[str, bool | float] = {"true": True, "false": False, "INFINITY": math.inf, "-INFINITY": -math.inf}
    words |= {"inf": math.inf, "-inf": -math.inf, "nan": math.nan, "NAN": math.nan}
    if text in words:
        return words[text]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return None
