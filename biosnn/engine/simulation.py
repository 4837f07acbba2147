"""What a simulation offers, whatever its target."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
from brian2 import Network, ms, second
from brian2.core.base import BrianObjectException
from brian2.core.clocks import Clock
from brian2.core.variables import ArrayVariable
from brian2.units.fundamentalunits import DimensionMismatchError, fail_for_dimension_mismatch

from biosnn.engine import state
from biosnn.engine.state import brian_device
from biosnn.errors import EngineError, RunError, field_error, unknown

T = TypeVar("T")
Point = Mapping[str, Any]
DEFAULT_DT = 0.1 * ms
SEED = "seed"


class Simulation(ABC):
    """One open simulation; made by `biosnn.session`.

    Attributes
    ----------
    target : str
        ``cpp``, ``cython`` or ``numpy``.
    seed : int
        Seed of every random number; drawn if none was given.
    dt : Quantity
        The default time step.
    models : list
        The model of every group that has a ``.model``, in all networks run in this session, each once.
    note : str
        Why the target differs from the one asked for; "" if it does not.
    """

    def __init__(self, target: str, seed: int | None, dt: Any, note: str) -> None:
        self.target = target
        self.note = note
        self.seed = _seed(seed)
        self.dt = _time_step(dt)
        self.models: list[Any] = []
        self._open = True
        self._begin()

    # ---- for everybody ----------------------------------------------------------------------------------------

    def run(self, network: Any, duration: Any, what: str = "", *, namespace: Mapping[str, Any] | None = None) -> None:
        """Simulate a network for a while; may be called several times, and variables may be set in between.

        On ``cpp`` the run is queued: the first read of a result, or `execute`, builds and runs the whole program.

        Parameters
        ----------
        network : Network
            An explicit Brian2 network.
        duration : Quantity
            How long (seconds).
        what
            What is being simulated, for the progress bar.
        namespace
            Names that equations may use beside their own; nothing is looked up in the caller's frame.

        Raises
        ------
        EngineError
            When a model cannot be turned into code, the program was executed already, or the session is closed.
        RunError
            When the simulation fails or leaves values that are not numbers.
        """
        self._check_open()
        if not isinstance(network, Network):
            raise EngineError(field_error("sim.run", "a brian2.Network", network, "Put the objects into one."))
        try:
            fail_for_dimension_mismatch(duration, second)
            seconds = float(duration)
        except (DimensionMismatchError, TypeError, ValueError):
            raise EngineError(field_error("sim.run duration", "a time such as 1*second", duration)) from None
        if not 0 <= seconds < float("inf"):
            raise EngineError(field_error("sim.run duration", "a finite time, not negative", duration))
        for obj in network.sorted_objects:
            model = getattr(obj, "model", None)
            if getattr(model, "name", None) and model not in self.models:
                self.models.append(model)
        with _own_errors():
            self._run(network, seconds * second, what, dict(namespace or {}))

    def reset(self, *, dt: Any = None, seed: int | None = None) -> None:
        """Forget all networks and results so far and begin a new program in this session.

        Parameters
        ----------
        dt : Quantity, optional
            New default time step; unchanged if not given.
        seed
            New seed; unchanged if not given.
        """
        self._check_open()
        self.dt = self.dt if dt is None else _time_step(dt)
        self.seed = self.seed if seed is None else _seed(seed)
        self._end("sim.reset() has begun a new program: keep what you need (x[:]) before the reset.")
        self._begin()

    def sweep(
        self,
        network: Any,
        program: Callable[[], object],
        points: Sequence[Point],
        read: Callable[[], T],
        *,
        jobs: int | None = None,
    ) -> list[T]:
        """Run one network at many points: one build, and a run for each point.

        Every point starts from the state that the network has when the sweep begins, gets its values and its seed, goes
        through `program`, and is read.

        Parameters
        ----------
        network : Network
            The network; its groups are what the points name.
        program
            Sets variables that depend on chance, and calls `run` on the network once or more. On ``cpp`` it is called
            once for all points, so it must not depend on the point.
        points
            For each point, "group.variable" to a quantity (or an array of one); the key "seed" sets the point's seed,
            which is else the session's. All points have the same keys.
        read
            Called after each point, with that point's results readable; results are not readable after the sweep.
        jobs
            Processes at once on ``cpp``; all cores by default. The results do not depend on it.

        Returns
        -------
        list
            What `read` returned, in the order of the points.

        Raises
        ------
        EngineError
            When the points do not fit the network or each other.
        RunError
            When a point fails; the message says which.
        """
        self._check_open()
        if jobs is not None and jobs < 1:
            raise EngineError(field_error("sim.sweep jobs", "1 or more processes", jobs))
        values = point_values(network, points)
        return self._sweep(network, program, values, read, jobs) if values else []

    @abstractmethod
    def execute(self) -> None:
        """Build and run what is queued, now (``cpp``; the other targets have no queue). A second call does nothing."""

    def close(self) -> None:
        """End the simulation; `session` calls this."""
        if self._open:
            self._end("the session is closed. Read results (x[:]) inside the with block.")
            self._open = False

    # ---- what a target does -----------------------------------------------------------------------------------

    @abstractmethod
    def _begin(self) -> None: ...

    @abstractmethod
    def _end(self, reason: str) -> None: ...

    @abstractmethod
    def _run(self, network: Any, duration: Any, what: str, namespace: dict[str, Any]) -> None: ...

    @abstractmethod
    def _sweep(
        self,
        network: Any,
        program: Callable[[], object],
        points: list[dict[str, Any]],
        read: Callable[[], T],
        jobs: int | None,
    ) -> list[T]: ...

    def _check_open(self) -> None:
        if not self._open:
            raise EngineError("The session is closed: run and read inside the with block.")


def fresh_device(device: Any, dt: Any) -> None:
    """Make a device the active one, with automatic names and the default clock beginning anew."""
    state.hide_names()
    brian_device.active_device = device
    # Switching to the runtime device inside a session copies the time step to its clock: not to the one of before.
    brian_device.runtime_device.defaultclock = None
    device.defaultclock = Clock(dt=dt, name="defaultclock")
    device.activate(build_on_run=False)


def seed_numpy(seed: int) -> None:
    """Seed NumPy's global generator, from which Brian2's runtime targets and users' set-up code draw."""
    np.random.seed(seed)  # noqa: NPY002


def variable(network: Any, key: str) -> Any:
    """The variable of a network that "group.variable" names, one that can be set.

    Raises
    ------
    EngineError
        Listing the valid names when the group or variable is none.
    """
    groups = {obj.name: obj for obj in network.sorted_objects if hasattr(obj, "variables")}
    group, _, name = key.partition(".")
    if group not in groups:
        raise EngineError(unknown("group in the network", group, groups))
    variables = groups[group].variables
    valid = {n: v for n, v in variables.items() if isinstance(v, ArrayVariable) and not v.read_only}
    if name not in valid:
        raise EngineError(unknown(f"variable of {group} that can be set", name, valid))
    return valid[name]


def point_values(network: Any, points: Sequence[Point]) -> list[dict[str, Any]]:
    """The points with their values in base units, checked against the network and each other.

    Returns
    -------
    list of dict
        Key to float (or array of float); the key "seed" to int.
    """
    found: list[dict[str, Any]] = []
    for number, point in enumerate(points):
        values: dict[str, Any] = {}
        for key, value in point.items():
            if key == SEED:
                values[key] = _seed(value)
                continue
            try:
                fail_for_dimension_mismatch(variable(network, key), value)
            except DimensionMismatchError as error:
                raise EngineError(f"Point {number}: {key}: {error}") from None
            values[key] = np.asarray(value, dtype=float)[()]
        if found and {k: np.shape(v) for k, v in found[0].items()} != {k: np.shape(v) for k, v in values.items()}:
            raise EngineError(
                field_error(
                    f"Point {number}",
                    f"the same variables and shapes as point 0 ({', '.join(sorted(found[0]))})",
                    ", ".join(sorted(values)),
                )
            )
        found.append(values)
    return found


def _seed(seed: int | None) -> int:
    if seed is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= int(seed) < 2**32:
        raise EngineError(field_error("seed", "a whole number from 0 to 4294967295", seed))
    return int(seed)


def _time_step(dt: Any) -> Any:
    try:
        fail_for_dimension_mismatch(dt, second)
        valid = 0 < float(dt) < float("inf")
    except (DimensionMismatchError, TypeError, ValueError):
        valid = False
    if not valid:
        raise EngineError(field_error("dt", "a positive time such as 0.1*ms", dt))
    return float(dt) * second


@contextmanager
def _own_errors() -> Iterator[None]:
    """Turn Brian2's wrapper of an error in an object into one of ours, with the cause in its message."""
    try:
        yield
    except BrianObjectException as error:
        cause = error.__cause__
        while cause is not None and cause.__cause__ is not None:
            cause = cause.__cause__
        if isinstance(cause, RunError):
            raise RunError(str(cause)) from error
        said = f"{type(cause).__name__}: {cause}" if cause else str(error)
        raise EngineError(f"{error._brian_objname} cannot be turned into code. {said}") from error
