"""Steps of Brian2's explicit methods (Euler, Runge-Kutta and others), derived once in a process for the same equations.

Brian2 derives them anew for each group and for each run; a step of "rk4" of the equations of Hodgkin and Huxley takes
half a second. It follows from the method and the text of the equations alone.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from brian2.stateupdaters.explicit import ExplicitStateUpdater

_brians = ExplicitStateUpdater.__call__
_DERIVED: WeakKeyDictionary[Any, dict[tuple[Any, ...], str]] = WeakKeyDictionary()
"""By method, and by equations: the statements of a step."""


def step(self: Any, eqs: Any, variables: Any = None, method_options: Any = None) -> str:
    """What Brian2's method returns for the same parameters."""
    if method_options or self.custom_check or (eqs.is_stochastic and eqs.stochastic_type == "multiplicative"):
        # It looks at more than the text.
        return str(_brians(self, eqs, variables, method_options))
    lines = tuple((name, expression.code) for name, expression in eqs.get_substituted_expressions(variables))
    key = (lines, frozenset(eqs.eq_names), frozenset(eqs.stochastic_variables))
    derived = _DERIVED.setdefault(self, {})
    if key not in derived:
        derived[key] = _brians(self, eqs, variables, method_options)
    return derived[key]


ExplicitStateUpdater.__call__ = step
