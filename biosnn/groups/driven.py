"""Synapses whose equations are solved as those of neurons are: without a pole at equal time constants."""

from __future__ import annotations

import re
from typing import Any

from brian2 import Synapses
from brian2.stateupdaters.base import UnsupportedEquationsException
from brian2.synapses.synapses import SynapticPathway

from biosnn.codegen.exact import exact


class DrivenPathway(SynapticPathway):  # type: ignore[misc]
    """A pathway of ``Synapses`` that brings event-driven variables up to date by `exact`."""

    def update_abstract_code(self, run_namespace: Any = None, level: int = 0) -> None:
        """Compute what variables have become since the last spike, then what this one does."""
        if self.synapses.event_driven is None:
            super().update_abstract_code(run_namespace, level)
            return
        self.abstract_code = f"{up_to_date(self.synapses, 't - lastupdate')}\n{self.code}\nlastupdate = t\n"


def solve_exactly(syn: Synapses) -> None:
    """Let synapses take `exact` in place of Brian2's solution, which they have taken when they were made."""
    for pathway in syn._pathways:
        object.__setattr__(pathway, "__class__", DrivenPathway)


def up_to_date(syn: Any, since: str, equations: Any = None) -> str:
    """Statements that advance the event-driven variables of synapses, or those of some equations, by a time."""
    try:
        code = exact(equations or syn.event_driven, syn.variables)
    except UnsupportedEquationsException as error:
        told = f"Cannot solve the differential equations as event-driven ({error}). Use (clock-driven) instead."
        raise UnsupportedEquationsException(told) from None
    return re.sub(r"\bdt\b", f"({since})", code)
