"""What a simulation offers, whatever its target."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from brian2 import Network, ms, prefs, second
from brian2.core.base import BrianObjectException
from brian2.core.clocks import Clock
from brian2.units.fundamentalunits import DimensionMismatchError, fail_for_dimension_mismatch

from biosnn.display import bounded, card, note, table
from biosnn.engine import state
from biosnn.engine.prepared import (
    AnyPoint,
    Point,
    Prepared,
    Usage,
    check_alike,
    check_reader,
    checked_points,
    checked_seed,
    state_variables,
)
from biosnn.engine.state import brian_device
from biosnn.errors import BiosnnError, EngineError, RunError, field_error, unknown

T = TypeVar("T")
DEFAULT_DT = 0.1 * ms
MOST_STEPS = 2**53
"""The number of a later step could not be told from that of its neighbour."""
PRECISIONS = {"float64": np.float64, "float32": np.float32}


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
    threads : int
        How many threads simulate one network.
    note : str
        Why the target differs from the one asked for; "" if it does not.
    usage : Usage
        What the program took whose results can be read; nothing on targets other than ``cpp``.
    checkpoint_folder : Path or None
        A folder in which long work may keep what it needs to resume after it was stopped; `run_study` sets it.
    """

    def __init__(self, target: str, seed: int | None, dt: Any, note: str, threads: int = 1) -> None:
        self.target = target
        self.threads = threads
        self.note = note
        self.seed = checked_seed(seed)
        self.dt = _time_step(dt)
        self.models: list[Any] = []
        self.usage = Usage()
        self.checkpoint_folder: Path | None = None
        self._open = True
        self._begin()

    def __repr__(self) -> str:
        models = f"; models {', '.join(model.name for model in self.models)}" if self.models else ""
        return bounded(f"<Simulation on {self.target}, {self._stage()}: seed {self.seed}, dt {self.dt}{models}>")

    def _repr_html_(self) -> str:
        rows = [
            ("target", self.target),
            ("state", self._stage()),
            ("seed", str(self.seed)),
            ("time step", str(self.dt)),
        ]
        rows += [("threads", str(self.threads))] if self.threads > 1 else []
        rows += [("models", ", ".join(model.name for model in self.models))] if self.models else []
        return card("Simulation", "", table((), rows), note(self.note))

    def _stage(self) -> str:
        return "open" if self._open else "closed"

    # ---- for everybody ----------------------------------------------------------------------------------------

    def run(self, network: Any, duration: Any, what: str = "", *, namespace: Mapping[str, Any] | None = None) -> None:
        """Simulate a network for a while; may be called several times, and variables may be set in between.

        On ``cpp`` the run is queued: the first read of a result, `execute`, or the end of the session's block builds
        and runs the whole program.

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
        if seconds > MOST_STEPS * float(self.dt):
            expected = f"at most {MOST_STEPS} time steps of {self.dt}"
            raise EngineError(field_error("sim.run duration", expected, duration))
        for obj in network.sorted_objects:
            model = getattr(obj, "model", None)
            if getattr(model, "name", None) and model not in self.models:
                self.models.append(model)
        if brian_device.active_device is not self._device():
            raise EngineError(
                "sim.run: another session was opened inside this one, or set_device was called: run the network in the "
                "session in which it was made, when the inner one is closed."
            )
        with own_errors():
            self._run(network, seconds * second, what, dict(namespace or {}))

    def reset(self, *, dt: Any = None, seed: int | None = None, precision: str | None = None) -> None:
        """Forget all networks and results so far and begin a new program in this session.

        Parameters
        ----------
        dt : Quantity, optional
            New default time step; unchanged if not given.
        seed
            New seed; unchanged if not given.
        precision
            New precision, as `biosnn.session` takes it; unchanged if not given.
        """
        self._check_open()
        if precision is not None:
            set_precision(precision)
        self.dt = self.dt if dt is None else _time_step(dt)
        self.seed = self.seed if seed is None else checked_seed(seed)
        self._end("sim.reset() has begun a new program: keep what you need (x[:]) before the reset.")
        self._begin()

    def prepare(
        self, network: Any, program: Callable[[], object], example: AnyPoint, *, resumable: bool = False
    ) -> Prepared:
        """Get a network ready to run at many points: one build, and a run for each of them whenever it is wanted.

        Parameters
        ----------
        network : Network
            The network; its groups are what points name.
        program
            Sets variables that depend on chance, and calls `run` on the network once or more. On ``cpp`` it is called
            once for all points, so it must not depend on the point.
        example
            A point that brings all that any point will bring; a mapping is one that has values only.
        resumable
            Whether points may have the state of the network, as `network_state` gives it, and a time to start.

        Returns
        -------
        Prepared

        Raises
        ------
        EngineError
            When the point does not fit the network, or its state cannot be kept.
        """
        self._check_open()
        point = checked_points(network, [example])[0]
        if resumable:
            state = {key: np.zeros(var.size, var.dtype) for key, var in state_variables(network).items()}
            point = replace(point, values={**state, **point.values}, start=point.start or 0.0)
        return self._prepare(network, program, point)

    def sweep(
        self,
        network: Any,
        program: Callable[[], object],
        points: Sequence[AnyPoint],
        read: Callable[[int], T],
        *,
        jobs: int | None = None,
    ) -> list[T]:
        """Run one network at many points: `prepare` and `Prepared.run` at once.

        Parameters
        ----------
        network, program
            See `prepare`.
        points, read, jobs
            See `Prepared.run`. All points bring the same variables.

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
        if not points:
            return []
        check_reader(read)
        checked = checked_points(network, points)
        for number, point in enumerate(checked):
            check_alike(f"Point {number}", point, checked[0], all_of_it=True)
        return self.prepare(network, program, points[0]).run(points, read, jobs=jobs)

    @abstractmethod
    def execute(self) -> None:
        """Build and run what is queued, now (``cpp``; the other targets have no queue). A second call does nothing."""

    def close(self) -> None:
        """End the simulation; `session` calls this."""
        if self._open:
            self._close()
            self._open = False

    # ---- what a target does -----------------------------------------------------------------------------------

    @abstractmethod
    def _begin(self) -> None: ...

    @abstractmethod
    def _device(self) -> Any: ...

    @abstractmethod
    def _end(self, reason: str) -> None: ...

    @abstractmethod
    def _close(self) -> None: ...

    @abstractmethod
    def _run(self, network: Any, duration: Any, what: str, namespace: dict[str, Any]) -> None: ...

    @abstractmethod
    def _prepare(self, network: Any, program: Callable[[], object], point: Point) -> Prepared: ...

    def _check_open(self) -> None:
        if not self._open:
            raise EngineError("The session is closed: run inside the with block.")


def set_precision(precision: str) -> None:
    """Let new state variables have this precision.

    Raises
    ------
    EngineError
        If it is none; the message lists the valid ones.
    """
    if precision not in PRECISIONS:
        raise EngineError(unknown("precision", precision, PRECISIONS))
    prefs["core.default_float_dtype"] = PRECISIONS[precision]


def fresh_device(device: Any, dt: Any) -> None:
    """Make a device the active one, with automatic names and the default clock beginning anew."""
    state.hide_names()
    brian_device.active_device = device
    # Switching to the runtime device inside a session copies the time step to its clock: not to the one of before.
    brian_device.runtime_device.defaultclock = None
    device.defaultclock = Clock(dt=dt, name="defaultclock")
    device.activate(build_on_run=False)


def seed_numpy(seed: int) -> None:
    """Seed NumPy's global generator and Python's, from which Brian2's runtime targets and users' code draw."""
    np.random.seed(seed)  # noqa: NPY002
    random.seed(seed)


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
def own_errors(*, only_refused: bool = False) -> Iterator[None]:
    """Turn Brian2's wrapper of an error in an object into one of ours, with the cause in its message.

    Parameters
    ----------
    only_refused
        Whether an error is left as it is if Brian2 would raise it on its own targets too.
    """
    try:
        yield
    except BrianObjectException as error:
        cause = error.__cause__
        while cause is not None and cause.__cause__ is not None:
            cause = cause.__cause__
        if isinstance(cause, RunError):
            raise RunError(str(cause)) from error
        if isinstance(cause, BiosnnError):
            raise EngineError(f"{error._brian_objname}: {cause}") from error
        refused = _without_code(cause)
        if only_refused and not refused:
            raise
        said = refused or (f"{type(cause).__name__}: {cause}" if cause else str(error))
        raise EngineError(f"{error._brian_objname} cannot be turned into code. {said}") from error


def _without_code(error: BaseException | None) -> str:
    """What to do about a function of Python that a target has no code for; "" for another error."""
    if not isinstance(error, KeyError) or "No implementation available for target" not in str(error):
        return ""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    # Brian2 does not say which function it is.
    container = trace.tb_frame.f_locals.get("self") if trace is not None else None
    name = getattr(getattr(getattr(container, "_function", None), "pyfunc", None), "__name__", "a function")
    return (
        f"{name} is a function of Python, which this target has no code for. Give it some (brian2.implementation), "
        "write it as equations, or use the target numpy."
    )
