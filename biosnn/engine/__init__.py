"""Build, cache and run Brian2 simulations.

`session` opens a simulation on one of the targets ``cpp``, ``cython`` and ``numpy`` and leaves Brian2's global state as
it found it. A `Point` is what a prepared program runs with; `network_state` is the state of a network, for a point
that continues from there. The modules `toolchain` (compilers and targets) and `cache` (built programs) are public too.
"""

from biosnn.engine import recorded as _recorded  # noqa: F401 - it changes how Brian2 reads
from biosnn.engine.prepared import Point, Prepared, network_state
from biosnn.engine.session import session
from biosnn.engine.simulation import Simulation

__all__ = ["Point", "Prepared", "Simulation", "network_state", "session"]
