"""Build, cache and run Brian2 simulations.

`session` opens a simulation on one of the targets ``cpp``, ``cython`` and ``numpy`` and leaves Brian2's global state as
it found it. A `Point` is what a prepared program runs with; `network_state` is the state of a network, for a point
that continues from there. The modules `toolchain` (compilers and targets) and `cache` (built programs) are public too.
They do without Brian2, so the names below are loaded when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from biosnn.engine.prepared import Point, Prepared, network_state
    from biosnn.engine.sessions import session
    from biosnn.engine.simulation import Simulation

_HOME_OF = {
    "Point": "prepared",
    "Prepared": "prepared",
    "Simulation": "simulation",
    "network_state": "prepared",
    "session": "sessions",
}

__all__ = ["Point", "Prepared", "Simulation", "network_state", "session"]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'biosnn.engine' has no attribute {name!r}")
    return getattr(import_module(f"biosnn.engine.{_HOME_OF[name]}"), name)
