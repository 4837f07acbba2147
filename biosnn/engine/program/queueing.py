"""A device whose runs are queued, however they are asked for, and what Brian2 can do that a program cannot.

Brian2's own stand-alone device passes over some of it in silence. Here it is refused, by name and before the run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import brian2
import numpy as np
from brian2 import NetworkOperation

from biosnn.codegen.divisible import written
from biosnn.engine.program.device import ProgramDevice
from biosnn.errors import EngineError

INSTEAD = "use the target numpy or cython"
_PYTHON = (
    "No Python runs while a program of the cpp target simulates. Write it as equations, run_regularly or custom "
    f"events; or set values between several runs; or {INSTEAD}."
)


class QueueingDevice(ProgramDevice):
    """The device of a program, to which `Network.run` and Brian2's ``run`` lead as well as `Simulation.run`.

    Attributes
    ----------
    before_queueing
        Called before a run is queued; raises if none may be.
    simulated
        All objects of the networks that are run, each once.
    written_by
        For each variable the names of the objects whose statements give it values.
    """

    def __init__(self) -> None:
        super().__init__()
        self.before_queueing: Callable[[], None] = lambda: None
        self.simulated: list[Any] = []
        self.written_by: dict[Any, set[str]] = {}
        self._timed: dict[Any, Any] = {}

    def network_run(
        self,
        net: Any,
        duration: Any,
        report: Any = None,
        report_period: Any = None,  # noqa: ARG002 - how often to report is BIOSNN_PROGRESS's affair
        namespace: Any = None,
        profile: Any = None,
        level: int = 0,
        **more: Any,
    ) -> None:
        self.before_queueing()
        objects = net.sorted_objects  # those of the magic network are forgotten after the run
        _check_preferences()
        _check_objects(objects)
        _check_report(report)
        if profile:
            _refuse("profile=True: the steps of a program", "are not timed one by one")
        super().network_run(net, duration, namespace=namespace, level=level + 1, **more)
        self.simulated += [obj for obj in objects if not any(obj is known for known in self.simulated)]
        self.check_timed_arrays()

    def code_object(self, **kwds: Any) -> Any:
        code = kwds["abstract_code"]
        for name in written("\n".join(code.values()) if isinstance(code, Mapping) else code or ""):
            if name in kwds["variables"]:
                self.written_by.setdefault(kwds["variables"][name], set()).add(kwds["owner"].name)
        return super().code_object(**kwds)

    def check_timed_arrays(self) -> None:
        """Refuse a `TimedArray` whose values have changed since a run was queued: a program has them once, for all."""
        for array in self.timed_arrays:
            if not np.array_equal(self._timed.setdefault(array, np.array(array.values)), array.values, equal_nan=True):
                raise EngineError(
                    f"The values of the TimedArray {array.name} were changed after a run with it: a program of the cpp "
                    "target has them once, for all its runs. Use another TimedArray, or a longer one, or call "
                    f"sim.reset() for a new program; or {INSTEAD}."
                )

    def network_store(self, net: Any, *_: Any, **__: Any) -> NoReturn:
        _refuse(f"{net.name}.store: the state of a network", "is not known before the program runs", _POINTS)

    def network_restore(self, net: Any, *_: Any, **__: Any) -> NoReturn:
        _refuse(f"{net.name}.restore: the state of a network", "is not known before the program runs", _POINTS)

    def network_get_profiling_info(self, net: Any) -> NoReturn:
        _refuse(f"The profile of {net.name}: the steps of a program", "are not timed one by one")

    def build(self, *_: Any, **__: Any) -> NoReturn:
        raise EngineError("device.build: a session builds its program itself. Read a result, or call sim.execute().")

    def run(self, *_: Any, **__: Any) -> NoReturn:
        raise EngineError(f"device.run: a session runs its program itself. {_POINTS}")

    def apply_run_args(self) -> NoReturn:
        raise EngineError(f"device.apply_run_args: a session's program takes no such arguments. {_POINTS}")


_POINTS = "To run a network again with other values or from where it was, use sim.prepare or sim.sweep."


def _refuse(what: str, why: str, do: str = "") -> NoReturn:
    raise EngineError(f"{what} {why} on the cpp target. {do or INSTEAD[0].upper() + INSTEAD[1:] + '.'}")


def _check_objects(objects: list[Any]) -> None:
    for obj in objects:
        if not obj.active:
            continue
        if isinstance(obj, NetworkOperation):
            raise EngineError(f"{_operation_name(obj)} is a network_operation. {_PYTHON}")
        for method in ("run", "after_run"):
            if method in vars(obj) or not _is_of_the_libraries(getattr(type(obj), method)):
                raise EngineError(f"{obj.name}, a {type(obj).__name__}, has a method {method}() of its own. {_PYTHON}")


def _operation_name(operation: Any) -> str:
    """The name of a network_operation; that of its function, if the user has given it none."""
    function = getattr(getattr(operation, "function", None), "__name__", operation.name)
    return str(function if operation.name.startswith("networkoperation") else operation.name)


def _is_of_the_libraries(method: Any) -> bool:
    return str(getattr(method, "__module__", "")).partition(".")[0] in ("brian2", "biosnn")


def _check_report(report: Any) -> None:
    # What is said of the progress is a session's own affair (BIOSNN_PROGRESS).
    if not (report is None or (isinstance(report, str) and report in ("text", "stdout", "stderr"))):
        kind = "C++ code" if isinstance(report, str) else getattr(report, "__name__", type(report).__name__)
        raise EngineError(f"report: {kind} would never be called. A session tells the progress itself. {_PYTHON}")


def _check_preferences() -> None:
    if brian2.prefs["devices.cpp_standalone.openmp_threads"] != 0:
        raise EngineError(
            "The preference devices.cpp_standalone.openmp_threads is not 0: what it would make does not link. "
            "Set it to 0, and let a session's programs have several threads: biosnn.session('cpp', threads=2)."
        )
