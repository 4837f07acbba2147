"""The exact steps of linear equations, kept from one run of a script to the next: solving them takes seconds.

What is kept is text, the statements of a step, in the cache of compiled programs and under the same trust.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import brian2
import sympy
from brian2.core.functions import DEFAULT_FUNCTIONS, Function
from brian2.core.variables import ArrayVariable, Constant, Subexpression
from brian2.stateupdaters.exact import LinearStateUpdater

from biosnn.engine.compiler import cache
from biosnn.errors import EngineError

KIND, _FILE = "steps", "step.txt"


@contextlib.contextmanager
def remembered() -> Iterator[None]:
    """Within the block, equations that were solved before, by the same versions, are not solved again."""
    solve = LinearStateUpdater.__call__

    def solved(self: Any, equations: Any, variables: Any = None, method_options: Any = None) -> Any:
        def make(folder: Path) -> dict[str, object]:
            (folder / _FILE).write_text(solve(self, equations, variables, method_options), encoding="utf-8")
            return {}

        known = dict(variables or {})
        if any(isinstance(known.get(name), Function) and not _is_brians(name, known) for name in equations.identifiers):
            return solve(self, equations, variables, method_options)
        try:
            path, _ = cache.obtain(KIND, _key(equations, known, method_options), make)
            return (path / _FILE).read_text(encoding="utf-8")
        except (EngineError, OSError):  # a cache that cannot be used, of which the build will tell
            return solve(self, equations, variables, method_options)

    LinearStateUpdater.__call__ = solved
    try:
        yield
    finally:
        LinearStateUpdater.__call__ = solve


def _is_brians(name: str, variables: Any) -> bool:
    """Whether a function is one of Brian2's own, and not a script's, nor a `TimedArray`."""
    return variables[name] is DEFAULT_FUNCTIONS.get(name)


def _key(equations: Any, variables: Any, method_options: Any) -> str:
    """A hash of all that the solution depends on."""
    names = sorted({*equations.identifiers, *equations.names, "dt"} & set(variables))
    given = {
        "versions": [brian2.__version__, sympy.__version__],
        "equations": [[eq.varname, eq.type, str(eq.expr), repr(eq.dim), sorted(eq.flags)] for eq in equations.values()],
        "variables": {name: _described(variables[name]) for name in names},
        "options": repr(sorted((method_options or {}).items())),
    }
    return hashlib.sha256(json.dumps(given).encode()).hexdigest()


def _described(var: Any) -> list[str]:
    """A variable as the solution may look at it: a step of time or a constant by its value."""
    described = [type(var).__name__, repr(getattr(var, "dim", None)), str(getattr(var, "constant", ""))]
    described.append(str(getattr(var, "scalar", "")))
    if isinstance(var, Constant) or (isinstance(var, ArrayVariable) and var.name == "dt"):
        described.append(repr(var.get_value()))
    elif isinstance(var, Subexpression):
        described.append(str(var.expr))
    return described
