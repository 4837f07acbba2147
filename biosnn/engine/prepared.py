"""Points, at which a prepared program runs: values for the variables of a network. And its state as such a point."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from brian2 import EventMonitor, Quantity, StateMonitor, second
from brian2.core.variables import ArrayVariable, DynamicArrayVariable
from brian2.synapses.synapses import SynapticPathway
from brian2.units.fundamentalunits import DimensionMismatchError, fail_for_dimension_mismatch

from biosnn.errors import EngineError, field_error, unknown

T = TypeVar("T")
Point = Mapping[str, Any]


@dataclass(frozen=True)
class Usage:
    """What a program of the ``cpp`` target took.

    Parameters
    ----------
    memory : int
        The most bytes that it held in memory.
    seconds : float
        How long a processor worked on it (s), reading and writing included.
    """

    memory: int = 0
    seconds: float = 0.0


Report = Callable[[float], None]

# Keys of a point that name no variable.
SEED, START, DURATIONS = "seed", "t", "durations"
RESERVED = (SEED, START, DURATIONS)
# What Brian2 lets nobody set, and what a network that goes on has to know.
_REFRACTORY = ("lastspike", "not_refractory")


class Prepared(ABC):
    """A network that is ready to run at points; made by `Simulation.prepare`."""

    def __init__(self, check_open: Callable[[], None], network: Any, example: Mapping[str, Any]) -> None:
        self._check_open, self.network, self.example = check_open, network, example

    def run(
        self,
        points: Sequence[Point],
        read: Callable[[], T],
        *,
        jobs: int | None = None,
        report: Report | None = None,
    ) -> list[T]:
        """Run the program at points, each from the state that the network had when it was prepared.

        Parameters
        ----------
        points
            For each point, "group.variable" to a quantity (or an array of one). Three keys are special: "seed" sets the
            point's seed, which is else the session's; "t" the time at which it begins, else 0 s; "durations" how long
            each call of `Simulation.run` in the program simulates, 0 s for not at all. A key of the example that a
            point leaves out has no effect on it.
        read
            Called after each point, with that point's results readable; they are not readable afterwards.
        jobs
            Processes at once on ``cpp``; all cores by default. The results do not depend on it.
        report
            Told now and then which fraction of the work is done. By default, a progress bar is.

        Returns
        -------
        list
            What `read` returned, in the order of the points.

        Raises
        ------
        EngineError
            When a point does not fit the network or the example.
        RunError
            When a point fails; the message says which.
        """
        self._check_open()
        if jobs is not None and jobs < 1:
            raise EngineError(field_error("jobs", "1 or more processes", jobs))
        values = point_values(self.network, points)
        for number, value in enumerate(values):
            check_keys(f"Point {number}", value, self.example, all_of_them=False)
        return self._run(values, read, jobs, report) if values else []

    @abstractmethod
    def _run(
        self, points: list[dict[str, Any]], read: Callable[[], T], jobs: int | None, report: Report | None
    ) -> list[T]: ...


def variable(network: Any, key: str) -> Any:
    """The variable of a network that "group.variable" names, one that can be set.

    Raises
    ------
    EngineError
        Listing the valid names when the group or variable is none.
    """
    return _variable(_groups(network), key)


def _groups(network: Any) -> dict[str, Any]:
    return {obj.name: obj for obj in network.sorted_objects if hasattr(obj, "variables")}


def _variable(groups: Mapping[str, Any], key: str) -> Any:
    group, _, name = key.partition(".")
    if group not in groups:
        raise EngineError(unknown("group in the network", group, groups))
    variables = groups[group].variables
    valid = {n: v for n, v in variables.items() if isinstance(v, ArrayVariable) and _can_be_set(v)}
    if name not in valid:
        raise EngineError(unknown(f"variable of {group} that can be set", name, valid))
    return valid[name]


def _can_be_set(var: ArrayVariable) -> bool:
    return not var.read_only or var.name in _REFRACTORY


def network_state(network: Any) -> dict[str, Any]:
    """All that changes while a network runs, for a point that goes on from there when its "t" is the time of now.

    Random numbers are not part of it: a point that goes on needs a seed of its own.

    Returns
    -------
    dict
        "group.variable" to a quantity, flat.

    Raises
    ------
    EngineError
        If the network has ``Synapses`` with variables or delays, whose state is not to be had.
    """
    variables = state_variables(network)
    for obj in network.sorted_objects:
        if isinstance(obj, SynapticPathway) and np.any(obj.variables["delay"].get_value()):
            raise _no_state(obj, "delays")
    return {key: Quantity(np.array(var.get_value()).ravel(), dim=var.dim) for key, var in variables.items()}


def state_variables(network: Any) -> dict[str, ArrayVariable]:
    """The variables that `network_state` has, by key."""
    found: dict[str, ArrayVariable] = {}
    for obj in network.sorted_objects:
        if not hasattr(obj, "variables") or isinstance(obj, SynapticPathway | EventMonitor | StateMonitor):
            continue
        for name, var in obj.variables.items():
            own = isinstance(var, ArrayVariable) and getattr(var.owner, "name", None) == obj.name
            if own and not var.constant and _can_be_set(var):
                if isinstance(var, DynamicArrayVariable):
                    raise _no_state(obj, f"the variable {name}")
                found[f"{obj.name}.{name}"] = var
    return found


def _no_state(obj: Any, what: str) -> EngineError:
    return EngineError(f"{obj.name}: the state of Synapses with {what} cannot be kept. Use a Projection instead.")


def point_values(network: Any, points: Sequence[Point]) -> list[dict[str, Any]]:
    """The points with their values in base units, checked against the network.

    Returns
    -------
    list of dict
        Key to float (or array of float); the key "seed" to int; "durations" to a list of float.
    """
    groups = _groups(network)  # once, as it takes long in a network of many objects
    return [
        {key: _point_value(groups, f"Point {number}", key, value) for key, value in point.items()}
        for number, point in enumerate(points)
    ]


def _point_value(groups: Mapping[str, Any], where: str, key: str, value: Any) -> Any:
    if key == SEED:
        return checked_seed(value)
    try:
        if key in (START, DURATIONS):
            fail_for_dimension_mismatch(value, second)
            if np.any(~np.isfinite(value)) or np.any(np.asarray(value) < 0):
                raise EngineError(field_error(f"{where}: {key}", "finite times, not negative", value))
            return float(value) if key == START else np.asarray(value, dtype=float).tolist()
        fail_for_dimension_mismatch(_variable(groups, key), value)
    except DimensionMismatchError as error:
        raise EngineError(f"{where}: {key}: {error}") from None
    array = np.asarray(value)
    return (array if array.dtype.kind in "biuf" else array.astype(float))[()]


def check_keys(where: str, values: Mapping[str, Any], example: Mapping[str, Any], *, all_of_them: bool) -> None:
    """Let the keys of a point, and the shapes of its values, be those of the example."""
    shapes = {key: np.shape(value) for key, value in values.items()}
    right = {key: np.shape(value) for key, value in example.items()}
    missing = all_of_them and shapes.keys() != right.keys()
    if missing or any(right.get(key) != shape for key, shape in shapes.items()):
        expected = f"the same variables and shapes as point 0 ({', '.join(sorted(right))})"
        raise EngineError(field_error(where, expected, ", ".join(sorted(shapes))))


def checked_seed(seed: int | None) -> int:
    if seed is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= int(seed) < 2**32:
        raise EngineError(field_error("seed", "a whole number from 0 to 4294967295", seed))
    return int(seed)
