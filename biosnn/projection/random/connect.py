"""Draws the synapses of a projection when its first run begins, on any target."""

from __future__ import annotations

from typing import Any

import numpy as np
from brian2 import second
from brian2.codegen.codeobject import create_runner_codeobj
from brian2.core.base import BrianObject
from brian2.devices.device import get_device

from biosnn.codegen.code_objects import OWN, table
from biosnn.projection import code_objects
from biosnn.projection.delays import LONGEST
from biosnn.projection.kinds import AHEAD
from biosnn.projection.random.drawing import ATTEMPTS, draw
from biosnn.projection.random.drawn import Drawn
from biosnn.projection.random.expression import DELAY, Expression
from biosnn.projection.random.kinds import CHANCE, CONNECTIVITY, DELAYS, OUTDEGREES

_FIRST = -(10**6)
"""The order of what draws synapses, so that it comes before all that uses them."""

_KEY = "_first = rand()\n_second = rand()"
"""What draws the two numbers of which the key is made."""


class Connect(BrianObject):  # type: ignore[misc]
    """Draws when the first run begins, after the values and the seed of a point are set.

    In this process, a network that is put back to where it was (as at each point) is drawn again. A program draws once.
    """

    def __init__(self, drawn: Drawn) -> None:
        projection = drawn.projection
        BrianObject.__init__(
            self, clock=projection.clock, when="start", order=_FIRST, name=f"{projection.name}_connect"
        )
        self.drawn = drawn
        self._programs: list[Any] = []

    def before_run(self, run_namespace: Any) -> None:
        """Draw now, or let the program draw."""
        self.drawn.begun = True
        projection = self.drawn.projection
        code_object = code_objects.for_target(projection.kind.package)
        if code_objects.language(code_object) != "cpp":
            if not len(self.drawn.list_of("indptr")):
                self.drawn.check_memory()
                draw(self.drawn, run_namespace)
        elif not self._programs:
            self.drawn.check_memory()
            get_device().at_end.append(self.drawn.forget)
            self._queue_drawing(code_object, run_namespace)
            for name in self.drawn.initial if not self.drawn.computed else ():
                self._queue_initial(code_object, name, run_namespace)

    def _queue_drawing(self, code_object: Any, namespace: Any) -> None:
        drawn, projection = self.drawn, self.drawn.projection
        kind, endpoints, variables = projection.kind, projection.endpoints, projection.variables
        delay = Expression.of(drawn.delay)
        source_dt = endpoints.whole("pre").clock.variables["dt"]
        needed = {name: variables[name] for name in drawn.own_variables} | {"_source_dt": source_dt}
        members = table(projection, needed)
        for name in ("_first", "_second", *(name for name, _ in delay.names)):
            members.add_auxiliary_variable(name, dtype=np.float64)
        members.add_auxiliary_variable(CHANCE, dtype=np.float64)
        members.add_auxiliary_variable(DELAY, dimensions=second.dim, dtype=np.float64)
        kwds = {
            "n": endpoints.numbers("pre"),
            "kind": kind,
            "same": endpoints.same,
            "delayed": drawn.delayed,
            "random": delay.names,
            "attempts": ATTEMPTS,
            "incoming": drawn.incoming,
            "regular": drawn.regular,
            "lists": {name: variables[name] for name in drawn.own_variables},
            "synaptic": [] if drawn.computed else [variables[name] for name in projection.synaptic],
            "computed": drawn.computed,
            "streams": {"connectivity": CONNECTIVITY, "delays": DELAYS, "outdegrees": OUTDEGREES},
            "where": projection.where,
            "late": drawn.late,
            "ahead": AHEAD,
            "longest_delay": LONGEST,
            "source_dt": source_dt,
        }
        code_objects.complete_functions(projection, f"{kind.chance}\n{delay.text}", namespace)
        code = {"key": _KEY, "chance": kind.chance, "delay": delay.code}
        code = {name: text for name, text in code.items() if text}
        self._queue(code_object, "connect", code, members, list(needed), kwds, namespace)

    def _queue_initial(self, code_object: Any, name: str, namespace: Any) -> None:
        projection, code = self.drawn.projection, self.drawn.initial[name]
        expression = Expression.of(code)
        needed = {name: projection.variables[name] for name in ("_key", "_list_indptr", "_list_indices")}
        members = table(projection, needed)
        for number, _ in expression.names:
            members.add_auxiliary_variable(number, dtype=np.float64)
        kwds = {
            "n": projection.endpoints.numbers("pre"),
            "lists": needed,
            "random": expression.names,
            "stream": self.drawn.stream(name),
        }
        code_objects.complete_functions(projection, code, namespace)
        self._queue(code_object, "initial", expression.code, members, list(needed), kwds, namespace)

    def _queue(
        self, code_object: Any, template: str, code: Any, members: Any, needed: list[str], kwds: Any, namespace: Any
    ) -> None:
        projection = self.drawn.projection
        program = create_runner_codeobj(
            projection,
            code,
            template,
            namespace,
            name=f"{projection.name}_{template}*",
            additional_variables=members,
            needed_variables=needed,
            template_kwds={OWN: kwds},
            codeobj_class=code_object,
        )
        self._programs.append(program)
        program()
