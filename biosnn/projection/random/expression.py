"""Statements about drawn synapses, in which chance is a function of a place; and what they come to, in NumPy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from brian2 import second
from brian2.codegen.codeobject import create_runner_codeobj
from brian2.codegen.runtime.numpy_rt import NumpyCodeObject
from brian2.units.fundamentalunits import DIMENSIONLESS
from numpy.typing import NDArray

from biosnn.codegen.code_objects import OWN, complete_functions, table, with_templates
from biosnn.projection.kinds import Indices
from biosnn.projection.numpy_code import ProjectionNumpyGenerator
from biosnn.projection.random import counter
from biosnn.projection.random.kinds import CHANCE

DELAY = "_delay"
"""The name that the expression of a delay gives a value to."""
_RANDOM = re.compile(r"\b(rand|randn)\s*\(\s*\)")


@dataclass(frozen=True)
class Expression:
    """Statements whose random numbers are functions of a place.

    Parameters
    ----------
    text : str
        The statements, as they were given.
    code : str
        The statements, with a name in place of each call of ``rand`` and ``randn``.
    names : tuple of (str, str)
        Each such name, and "uniform" or "normal".
    """

    text: str
    code: str
    names: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, code: str) -> Expression:
        """Take the random numbers out of a statement ``name = ...``."""
        variable = code.partition("=")[0].strip()
        names: list[tuple[str, str]] = []

        def name(call: re.Match[str]) -> str:
            kind = "uniform" if call[1] == "rand" else "normal"
            names.append((f"_{kind}_{variable}_{len(names)}", kind))
            return names[-1][0]

        with_names = _RANDOM.sub(name, code)
        return cls(code, with_names, tuple(names))

    def random(
        self, key: int, stream: int, neurons: Indices, place: Indices, attempt: int = 0
    ) -> dict[str, NDArray[np.float64]]:
        """The random numbers of synapses: their source neurons, and which synapses of these they are."""
        start, each = counter.starts(key, stream, neurons, attempt), len(self.names)
        return {
            name: getattr(counter, kind)(counter.bits(start, place * each + number))
            for number, (name, kind) in enumerate(self.names)
        }


@dataclass(frozen=True)
class Synapses:
    """Some of the synapses that are drawn.

    Parameters
    ----------
    index, source, target : array of int
        Their numbers, and the indices of the neurons that they join.
    """

    index: Indices
    source: Indices
    target: Indices


def evaluate(
    projection: Any,
    expression: Expression,
    synapses: Synapses,
    random: Mapping[str, NDArray[np.float64]],
    namespace: Mapping[str, Any],
) -> Any:
    """Run statements for synapses, in this process.

    Returns
    -------
    array or None
        The delays (s) or probabilities that they came to, if that is what they are about.
    """
    taken: list[Any] = []
    members = table(projection, {})
    for name, _ in expression.names:
        members.add_auxiliary_variable(name)
    last = expression.code.rpartition("\n")[2].partition("=")[0].strip()
    result = last if last in (DELAY, CHANCE) else ""
    if result:
        members.add_auxiliary_variable(result, dimensions=second.dim if result == DELAY else DIMENSIONLESS)
    members.add_object("_rows", lambda: iter([(synapses.index, synapses.source, synapses.target, random)]))
    members.add_object("_take", taken.append)
    names = [name for name, _ in expression.names]
    kwds = {"n": projection.endpoints.numbers("pre"), "given": names, "result": result}
    complete_functions(projection, expression.text, namespace)
    program = create_runner_codeobj(
        projection,
        expression.code,
        "evaluate",
        namespace,
        name=f"{projection.name}_evaluate*",
        additional_variables=members,
        needed_variables=["_rows", "_take"],
        template_kwds={OWN: kwds},
        codeobj_class=with_templates(
            NumpyCodeObject,
            "biosnn.projection",
            generator_class=ProjectionNumpyGenerator,
        ),
    )
    program()
    return taken[0] if taken else None
