"""What differs between the versions of Brian2: 2.9, the newest on Python 3.11, and 2.10 or later elsewhere.

Found out by what a version has, not by its number.
"""

from __future__ import annotations

from pathlib import Path

from brian2.core import clocks
from brian2.core.variables import DynamicArrayVariable
from brian2.devices.cpp_standalone import CPPStandaloneCodeObject
from brian2.devices.cpp_standalone.GSLcodeobject import GSLCPPStandaloneCodeObject
from brian2.synapses import synapses

LIBRARY_SOURCES = tuple(
    f"brianlib/{name}" for name in ("spikequeue.cpp",) if (Path(synapses.__file__).parent / name).exists()
)
"""Files of Brian2's C++ library that have to be compiled with a program. Until 2.9 it had headers only; since 2.10 a
program writes the state of its spike queues to disk, which a file of its own does."""

BASE_CLOCK = '#include "brianlib/clocks.h"\n' + ("" if hasattr(clocks, "BaseClock") else "typedef Clock BaseClock;\n")
"""C++ that declares ``BaseClock``, what all clocks of a network are. Until 2.9 they had a regular time step; since 2.10
a clock may also follow a list of times (``EventClock``)."""

GSL = issubclass(GSLCPPStandaloneCodeObject, CPPStandaloneCodeObject)
"""Whether programs may integrate by the GNU Scientific Library. Until 2.9, what Brian2 writes does not compile."""

ARRAYS_MOVE = hasattr(DynamicArrayVariable, "get_capsule")
"""Whether what is read of a growing array is a view of memory that is given away when the array grows: since 2.10."""
