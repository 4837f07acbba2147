"""Points, at which a prepared program runs: values for the variables of a network. And its state as such values."""

from __future__ import annotations

import inspect
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from brian2 import EventMonitor, Quantity, StateMonitor, second
from brian2.core.variables import ArrayVariable, DynamicArrayVariable
from brian2.synapses.synapses import SynapticPathway
from brian2.units.fundamentalunits import DimensionMismatchError, fail_for_dimension_mismatch
from numpy.typing import NDArray

from biosnn.display import Brief, bounded, brief, card, table
from biosnn.errors import EngineError, field_error, unknown

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Point(Brief):
    """What a prepared program runs with.

    Parameters
    ----------
    values : mapping of str to Quantity
        "group.variable" to its value, or an array of values.
    seed : int, optional
        Of the random numbers; the session's if it is not given.
    start : Quantity, optional
        The network's time when it begins; 0 s if it is not given.
    durations : Quantity, optional
        How long each call of `Simulation.run` in the program simulates, 0 s for not at all; as long as the program
        says if they are not given.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    seed: int | None = None
    start: Any = None
    durations: Any = None


AnyPoint = Point | Mapping[str, Any]
"""A mapping is a point that has values only."""


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

# Names that mappings once gave to what are fields of a point now.
_FIELDS = {"seed": "seed", "t": "start", "durations": "durations"}
# What Brian2 lets nobody set, and what a network that continues needs.
_REFRACTORY = ("lastspike", "not_refractory")


class Prepared(ABC):
    """A network that is ready to run at points; made by `Simulation.prepare`."""

    def __init__(self, check_open: Callable[[], None], network: Any, example: Point) -> None:
        self._check_open, self.network, self.example = check_open, network, example

    def __repr__(self) -> str:
        names = ", ".join(obj.name for obj in self.network.objects)
        brings = ", ".join(self.example.values) or "nothing but a seed"
        return bounded(f"<Prepared network of {names}; a point brings {brings}>")

    def _repr_html_(self) -> str:
        objects = [(obj.name, type(obj).__name__) for obj in self.network.objects]
        brings = [(key, brief(np.asarray(value))) for key, value in self.example.values.items()]
        head = ("a point brings", "")
        return card("Prepared network", "", table(("object", "kind"), objects), table(head, brings))

    def run(
        self,
        points: Sequence[AnyPoint],
        read: Callable[[int], T],
        *,
        jobs: int | None = None,
        report: Report | None = None,
    ) -> list[T]:
        """Run the program at points, each from the state that the network had when it was prepared.

        Parameters
        ----------
        points
            The points; a mapping is one that has values only. A value of the example that a point leaves out has no
            effect on it.
        read
            Called after each point with its number, from 0, when its results are readable; they are not readable
            afterwards.
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
        check_reader(read)
        checked = checked_points(self.network, points)
        for number, point in enumerate(checked):
            check_alike(f"Point {number}", point, self.example, all_of_it=False)
        if len({point.seed for point in checked}) > 1:
            _warn_of_drawn_once(self.network)
        return self._run(checked, read, jobs, report) if checked else []

    @abstractmethod
    def _run(
        self, points: list[Point], read: Callable[[int], T], jobs: int | None, report: Report | None
    ) -> list[T]: ...


def _warn_of_drawn_once(network: Any) -> None:
    """Say which synapses chance has made once, before any point: they are the same at all of them."""
    names = [obj.name for obj in network.sorted_objects if getattr(obj, "drawn_once", False)]
    if names:
        do = "To draw others at each seed, connect with a kind such as biosnn.FixedProbability(0.1)."
        text = f"The synapses of {', '.join(names)} are the same at all seeds: they were drawn before. {do}"
        warnings.warn(text, stacklevel=4)


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
    if not isinstance(key, str):
        raise EngineError(field_error("A variable of a point", 'its name, such as "cells.rate"', type(key).__name__))
    group, _, name = key.partition(".")
    if group not in groups:
        users = [name for name, obj in groups.items() if any(not each.startswith("_") for each in _settable(obj))]
        raise EngineError(unknown("group in the network", group, users))
    valid = _settable(groups[group])
    if name not in valid:
        users = [each for each in valid if not each.startswith("_")]
        raise EngineError(unknown(f"variable of {group} that can be set", name, users))
    if name in getattr(groups[group], "drawn_variables", ()):
        do = "Let it begin with an expression of a (shared) variable, and set that."
        raise EngineError(field_error(key, "a variable that is there before synapses are drawn", name, do))
    return valid[name]


def _settable(group: Any) -> dict[str, ArrayVariable]:
    return {n: v for n, v in group.variables.items() if isinstance(v, ArrayVariable) and _can_be_set(v)}


def _can_be_set(var: ArrayVariable) -> bool:
    return not var.read_only or var.name in _REFRACTORY


def network_state(network: Any) -> dict[str, Any]:
    """All that changes while a network runs: the values of a point that continues from there, if it starts then.

    Random numbers are not part of it: a point that continues needs a seed of its own.

    Returns
    -------
    dict
        "group.variable" to a quantity, flat.

    Raises
    ------
    EngineError
        If the network has ``Synapses`` with variables or delays, or drawn synapses with such, whose state is not to be
        had.
    """
    variables = state_variables(network)
    for obj in network.sorted_objects:
        if isinstance(obj, SynapticPathway) and np.any(obj.variables["delay"].get_value()):
            raise _no_state(obj, "delays")
    groups = _groups(network)
    return {key: Quantity(_natural(groups, key, var.get_value()), dim=var.dim) for key, var in variables.items()}


def _natural(groups: Mapping[str, Any], key: str, values: Any) -> NDArray[Any]:
    group, _, name = key.partition(".")
    flat = np.array(values).ravel()
    return groups[group].natural_values(name, flat) if hasattr(groups[group], "natural_values") else flat


def state_variables(network: Any) -> dict[str, ArrayVariable]:
    """The variables that `network_state` has, by key."""
    variables: dict[str, ArrayVariable] = {}
    for obj in network.sorted_objects:
        if not hasattr(obj, "variables") or isinstance(obj, SynapticPathway | EventMonitor | StateMonitor):
            continue
        if drawn := getattr(obj, "drawn_variables", ()):
            do = "Give the synapses: connect=Sparse.pairs(i, j)."
            raise EngineError(f"{obj.name}: the state of drawn synapses with {', '.join(drawn)} cannot be kept. {do}")
        for name, var in obj.variables.items():
            of_this_object = isinstance(var, ArrayVariable) and getattr(var.owner, "name", None) == obj.name
            if of_this_object and not var.constant and _can_be_set(var):
                if isinstance(var, DynamicArrayVariable):
                    raise _no_state(obj, f"the variable {name}")
                variables[f"{obj.name}.{name}"] = var
    return variables


def _no_state(obj: Any, what: str) -> EngineError:
    return EngineError(f"{obj.name}: the state of Synapses with {what} cannot be kept. Use a Projection instead.")


def checked_points(network: Any, points: Sequence[AnyPoint]) -> list[Point]:
    """The points with their values, start and durations (a list) in base units, checked against the network."""
    groups = _groups(network)  # once, as it takes long in a network of many objects
    return [_checked(groups, f"Point {number}", point) for number, point in enumerate(points)]


def _checked(groups: Mapping[str, Any], where: str, point: AnyPoint) -> Point:
    if not isinstance(point, Point):
        for key in _FIELDS.keys() & point.keys():
            do = f"Write Point({{...}}, {_FIELDS[key]}=...), from biosnn.engine."
            raise EngineError(field_error(where, 'variables as "group.variable"', key, do))
        point = Point(point)
    values = {key: _value(groups, f"{where}: {key}", key, value) for key, value in point.values.items()}
    seed = None if point.seed is None else checked_seed(point.seed)
    start = None if point.start is None else float(_times(f"{where}: start", point.start))
    durations = None if point.durations is None else _times(f"{where}: durations", point.durations).tolist()
    return Point(values, seed, start, durations)


def _value(groups: Mapping[str, Any], where: str, key: str, value: Any) -> Any:
    _check_dimension(where, _variable(groups, key), value)
    array = np.asarray(value)
    if np.issubdtype(_variable(groups, key).dtype, np.integer) and np.any(array != np.floor(array)):
        raise EngineError(field_error(where, "whole numbers", value))
    group, _, name = key.partition(".")
    if array.ndim and hasattr(groups[group], "stored_values"):
        array = groups[group].stored_values(name, array)
    return (array if array.dtype.kind in "biuf" else array.astype(float))[()]


def _times(where: str, value: Any) -> NDArray[np.float64]:
    _check_dimension(where, second, value)
    if np.any(~np.isfinite(value)) or np.any(np.asarray(value) < 0):
        raise EngineError(field_error(where, "finite times, not negative", value))
    return np.asarray(value, dtype=float)


def _check_dimension(where: str, like: Any, value: Any) -> None:
    try:
        fail_for_dimension_mismatch(like, value)
    except DimensionMismatchError as error:
        raise EngineError(f"{where}: {error}") from None


def check_alike(where: str, point: Point, example: Point, *, all_of_it: bool) -> None:
    """Let a point bring what the example does, in the same shapes."""
    shapes, right = _shapes(point), _shapes(example)
    missing = all_of_it and shapes.keys() != right.keys()
    if missing or any(right.get(key) != shape for key, shape in shapes.items()):
        expected = f"the same variables and shapes as point 0 ({', '.join(sorted(right))})"
        raise EngineError(field_error(where, expected, ", ".join(sorted(shapes))))


def _shapes(point: Point) -> dict[str, tuple[int, ...]]:
    times = {"start": point.start, "durations": point.durations}
    given = {**point.values, **{name: value for name, value in times.items() if value is not None}}
    return {key: np.shape(value) for key, value in given.items()}


def check_reader(read: Callable[..., Any]) -> None:
    """See that a function can be called with the number of a point, before anything long begins."""
    try:
        inspect.signature(read).bind(0)
    except TypeError:
        expected = "a function of the point's number, such as lambda number: ..."
        raise EngineError(field_error("read", expected, read)) from None
    except ValueError:  # a function of C may not tell
        return


def checked_seed(seed: int | None) -> int:
    if seed is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= int(seed) < 2**32:
        raise EngineError(field_error("seed", "a whole number from 0 to 4294967295", seed))
    return int(seed)
