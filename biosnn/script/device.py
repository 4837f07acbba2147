"""The device of one program of a script, and what it does about objects that belong to another.

Brian2 asks the device that is active. Within a script, programs follow each other, so that this need not be the one in
which an object was made: each question goes to the program of its object.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, NoReturn

import numpy as np
from brian2 import Network
from brian2.core import clocks
from brian2.core.variables import ArrayVariable, VariableView
from brian2.synapses.synapses import Synapses

from biosnn.engine.checks import describe
from biosnn.engine.program.evaluating import evaluating
from biosnn.engine.program.queueing import QueueingDevice
from biosnn.engine.simulation import own_errors
from biosnn.errors import EngineError
from biosnn.script import store_restore

_CLOCK = getattr(clocks, "BaseClock", clocks.Clock)
_CODE = ("run_code_object", "run_network", "insert_code")


class ScriptDevice(QueueingDevice):
    """The device of one program of a script.

    Attributes
    ----------
    program : ScriptProgram
        Whose device it is.
    executed_until : int
        How many entries of the queue the results are those of; 0 where there are none.
    given_up : bool
        Whether another program has taken over: what it has computed can be read, and nothing else.
    """

    def __init__(self, program: Any) -> None:
        super().__init__()
        self.program = program
        self.executed_until = 0
        self.given_up = False

    # ---- runs -------------------------------------------------------------------------------------------------

    def network_run(self, net: Any, duration: Any, *args: Any, level: int = 0, **kwds: Any) -> None:
        home = self.program.script.home_of(net, self)
        if home is not self:
            self.program.script.activate(home)
            home.network_run(net, duration, *args, level=level + 1, **kwds)
            return
        self._adopt_clocks(net)
        self.program.script.remember(net)
        with own_errors(only_refused=True):
            super().network_run(net, duration, *args, **{"level": level + 1, **kwds})

    def network_store(self, net: Any, name: str = "default", filename: Any = None) -> None:  # type: ignore[override]
        _refuse_file(net, filename)
        home = self.program.script.home_of(net, self)
        with self.program.script.for_a_moment(home):
            home._adopt_clocks(net)
            home.program.stored[net.id, name] = store_restore.mark(home, net)

    def network_restore(  # type: ignore[override]
        self, net: Any, name: str = "default", filename: Any = None, restore_random_state: bool = False
    ) -> None:
        _refuse_file(net, filename)
        home = self.program.script.home_of(net, self)
        if (net.id, name) not in home.program.stored:
            known = ", ".join(sorted(stored for of, stored in home.program.stored if of == net.id)) or "none"
            raise EngineError(f"{net.name}.restore: there is no state named {name!r}. Stored before: {known}.")
        with self.program.script.for_a_moment(home):
            store_restore.go_back(home, net, home.program.stored[net.id, name])
            if not restore_random_state:
                home.main_queue.append(("seed", self.program.script.seed_to_go_on()))

    def seed(self, seed: int | None = None) -> None:
        self.program.script.seeded(seed)

    # ---- clocks, which belong to no program -------------------------------------------------------------------

    def get_array_name(self, var: Any, access_data: bool = True) -> str:
        if var not in self.arrays and is_of_clock(var):
            self._adopt(var.owner)
        return str(super().get_array_name(var, access_data))

    def _adopt_clocks(self, net: Any) -> None:
        for clock in sorted({obj.clock for obj in net.sorted_objects}, key=lambda clock: str(clock.name)):
            self._adopt(clock)

    def _adopt(self, clock: Any) -> None:
        """Let a clock be one of this program, beginning with the values that it has."""
        for var in clock.variables.values():
            if isinstance(var, ArrayVariable) and is_of_clock(var) and var.device is not self:
                value = np.array(var.get_value())
                var.device = self
                if var not in self.arrays:
                    self.add_array(var)
                    self.init_with_zeros(var, var.dtype)
                self.fill_with_array(var, value)

    # ---- reading and writing ----------------------------------------------------------------------------------

    def get_value(self, var: Any, access_data: bool = True) -> Any:
        if self.array_cache.get(var, None) is None and self.has_been_run and self._changed(var):
            self.has_been_run = False
        return super().get_value(var, access_data)

    def _changed(self, var: Any) -> bool:
        """Whether something that was queued since the results were computed may have changed a variable."""
        if self._generating or len(self.main_queue) <= self.executed_until:
            return False
        name = self.get_array_name(var).removeprefix("_array")
        later = self.main_queue[self.executed_until :]
        return any(function in _CODE or name in str(arguments) for function, arguments in later)

    def _overtaken(self) -> bool:
        """Whether something was queued since that gives other values than those that are known without a run."""
        known = [var for var, values in self.array_cache.items() if values is not None]
        names = {self.get_array_name(var, access_data=False) for var in known}
        later = self.main_queue[self.executed_until :] if not self.given_up else []
        return any(function in _CODE or (function != "seed" and args[0] not in names) for function, args in later)

    def need(self, what: str) -> None:
        if self.closed or not self.has_been_run:
            self.program.need(what)

    def variableview_set_with_index_array(self, variableview: Any, item: Any, value: Any, check_units: bool) -> None:
        home = self._home(variableview)
        if home.given_up:
            raise EngineError(f"{_called(variableview)} {GIVEN_UP}")
        setting = super().variableview_set_with_index_array if home is self else home.variableview_set_with_index_array
        setting(variableview, item, value, check_units)

    def variableview_set_with_expression(self, view: Any, *args: Any, **kwds: Any) -> None:
        with self._at_home(view):
            VariableView.set_with_expression.original_function(view, *args, **kwds)

    def variableview_set_with_expression_conditional(self, view: Any, *args: Any, **kwds: Any) -> None:
        with self._at_home(view):
            VariableView.set_with_expression_conditional.original_function(view, *args, **kwds)

    def variableview_get_subexpression_with_index_array(self, view: Any, item: Any, run_namespace: Any = None) -> Any:
        with self._evaluating(view):
            return VariableView.get_subexpression_with_index_array(view, item, run_namespace=run_namespace)

    def variableview_get_with_expression(self, view: Any, code: str, run_namespace: Any = None) -> Any:
        with self._evaluating(view):
            return VariableView.get_with_expression(view, code, run_namespace=run_namespace)

    def synapses_connect(self, synapses: Any, *args: Any, level: int = 0, **kwds: Any) -> None:
        self.program.script.record.connects(synapses, args, kwds)
        with self._at_home(synapses):
            Synapses.connect.original_function(synapses, *args, level=level + 1, **kwds)

    def _home(self, of: Any) -> ScriptDevice:
        """The device to which a view of a variable, or synapses, belong."""
        variable = getattr(of, "variable", None)
        device = of.variables.device if variable is None else variable.device
        if is_of_clock(variable) or device is self:
            return self
        if not isinstance(device, ScriptDevice):
            raise EngineError(f"{_called(of)} {MADE_BEFORE}")
        return device

    @contextlib.contextmanager
    def _at_home(self, of: Any) -> Iterator[None]:
        home = self._home(of)
        if home.given_up:
            raise EngineError(f"{_called(of)} {GIVEN_UP}")
        with self.program.script.for_a_moment(home), own_errors(only_refused=True):
            yield

    @contextlib.contextmanager
    def _evaluating(self, view: Any) -> Iterator[None]:
        home = self._home(view)
        if home._overtaken():
            home.has_been_run = False
        home.need(_called(view))
        with evaluating():
            yield

    @contextlib.contextmanager
    def _generation(self) -> Iterator[None]:
        # What a run before has left behind is nothing that code may be made of.
        run, self.has_been_run = self.has_been_run, False
        try:
            with super()._generation():
                yield
        finally:
            self.has_been_run = run

    # ---- what scripts for Brian2's own stand-alone device say --------------------------------------------------

    def build(self, *_: Any, direct_call: bool = True, **options: Any) -> None:  # type: ignore[override]
        if not direct_call:
            return  # Brian2's own, at the end of a run
        for name in ("run", "compile"):
            if options.get(name) is False:
                raise EngineError(
                    f"device.build({name}=False): a program is built when it is run, and once for all values. Leave it "
                    f"out and call run() for each value, or use sim.sweep of biosnn.session."
                )
        self.program.script.execute("device.build()")

    def run(self, *_: Any, **__: Any) -> NoReturn:
        raise EngineError(
            "device.run: a program runs when a result is read. Set the values and call run() for each of them: another "
            "value needs no new build."
        )

    def apply_run_args(self) -> NoReturn:
        raise EngineError("device.apply_run_args: a script's program takes no such arguments. Call run() for each.")

    def run_function(self, name: str, include_in_parent: bool = True) -> NoReturn:  # noqa: ARG002
        raise EngineError(f"device.run_function({name!r}): programs of scripts have no such functions. Leave it out.")

    def reinit(self) -> None:
        self.program.script.begin_anew()

    def delete(self, *_: Any, **__: Any) -> None:
        """Nothing: results are removed when the script ends."""


MADE_BEFORE = (
    "was made before biosnn.activate(): put that line before the first object of Brian2, or run the script by biosnn "
    "exec."
)
GIVEN_UP = (
    "belongs to a network whose program is over, since another network was run after its results were read. On the "
    "target cpp, run a network to its end before the next one is read, or use the target cython or numpy."
)


def is_of_clock(var: Any) -> bool:
    """Whether a variable is one of a clock's own."""
    try:
        return isinstance(var, ArrayVariable) and isinstance(var.owner, _CLOCK)
    except ReferenceError:
        return False


def _called(of: Any) -> str:
    return f"{of.group_name}.{of.name}" if isinstance(of, VariableView) else describe(of)


def _refuse_file(net: Network, filename: Any) -> None:
    if filename is not None:
        raise EngineError(
            f"{net.name}: a state is kept in a file (filename={filename!r}) by the targets cython and numpy only. On "
            "cpp, leave filename out, or use another target."
        )
