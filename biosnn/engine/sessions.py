"""Open a simulation and leave Brian2 as it was."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from brian2 import prefs

from biosnn.codegen import explicit_steps as _explicit_steps  # noqa: F401 - it changes how Brian2 derives steps
from biosnn.codegen import keys as _keys  # noqa: F401 - it changes how Brian2 looks up code
from biosnn.engine import recorded as _recorded  # noqa: F401 - it changes how Brian2 reads
from biosnn.engine import state
from biosnn.engine.compiler import toolchain
from biosnn.engine.program.simulation import ProgramSimulation
from biosnn.engine.runtime import RuntimeSimulation
from biosnn.engine.simulation import DEFAULT_DT, Simulation, set_precision
from biosnn.errors import EngineError, field_error
from biosnn.printable import printable

MOST_THREADS = 1024
AnySimulation = TypeVar("AnySimulation", bound=Simulation)
TARGETS: dict[str, type[Simulation]] = {
    "cpp": ProgramSimulation,
    "cython": RuntimeSimulation,
    "numpy": RuntimeSimulation,
}


@contextmanager
def session(
    target: str = "cpp",
    *,
    seed: int | None = None,
    dt: Any = DEFAULT_DT,
    precision: str = "float64",
    threads: int = 1,
) -> Iterator[Simulation]:
    """Open a simulation on a target; every global state of Brian2 and NumPy's global seed are restored at the end.

    Parameters
    ----------
    target
        ``cpp`` (one C++ program, cached), ``cython`` or ``numpy`` (in this process). Without a C++ compiler, the first
        two fall back to ``numpy`` and say so (`Simulation.note`).
    seed
        Seed of all random numbers, 0 to 4294967295; the same seed and target give the same arrays. Drawn if not given.
    dt : Quantity
        The default time step.
    precision
        Of the state variables: ``float64``, or ``float32``, which takes half the memory. Time is always ``float64``.
    threads
        How many threads simulate one network on ``cpp``. The results are the same to the last bit for any number. It
        pays where a time step has much to do, as in networks of thousands of neurons with sparse or dense connections.

    Yields
    ------
    Simulation
        Make groups and networks inside the block, and run them with `Simulation.run`.

    Notes
    -----
    Results can be read inside the block and behind it, as long as there is the group or monitor that has them: what a
    ``SpikeMonitor`` or ``StateMonitor`` has recorded, and the state in which the run has left neurons and synapses.
    On ``cpp`` the runs of the block are executed when something is read of them, at the latest at the block's end. What
    was computed then stays in files among the temporary ones (``TMPDIR``), not in memory, and is read when it is
    wanted. Sessions that are closed keep at most 1 GiB so, all together: what is larger has to be read (``x[:]``)
    inside the block. Results of points (`Simulation.sweep`) are readable inside ``read()`` only, those of before a
    `Simulation.reset` only before it. An exception ends the block without executing what is queued.

    Raises
    ------
    EngineError
        For an unknown target or precision (the message lists the valid ones), a seed, time step or number of threads
        out of range, or several threads on another target than ``cpp``.

    Examples
    --------
    >>> with session("numpy", seed=1) as sim:  # doctest: +SKIP
    ...     network = Network(neurons, monitor)
    ...     sim.run(network, 1 * second)
    >>> monitor.v[:]  # doctest: +SKIP
    """
    with opened(TARGETS, target, seed=seed, dt=dt, precision=precision, threads=threads) as simulation:
        yield simulation
        if isinstance(simulation, ProgramSimulation) and simulation.queued and not simulation.refused:
            simulation.execute()


@contextmanager
def opened(
    targets: Mapping[str, type[AnySimulation]],
    target: str,
    *,
    seed: int | None,
    dt: Any,
    precision: str = "float64",
    threads: int = 1,
) -> Iterator[AnySimulation]:
    """Open a simulation of one of these classes, by target; see `session`."""
    check_threads(target, threads)
    chosen, note = toolchain.choose_target(target)
    if note:
        print(f"biosnn: {printable(note)}", file=sys.stderr, flush=True)
    before = state.capture()
    simulation: AnySimulation | None = None
    # Brian2 looks for garbage before each run, to tell of objects that were made and not used. Of what was there before
    # the session nothing is to be told, and going through it takes a second a run in a large process.
    spared = gc.get_freeze_count() == 0
    if spared:
        gc.freeze()
    try:
        # Brian2 would end the run early, and what is computed of it would be taken for the whole.
        prefs["core.stop_on_keyboard_interrupt"] = False
        set_precision(precision)
        simulation = targets[chosen](chosen, seed, dt, note, threads)
        yield simulation
    except BaseException:
        state.forgive_unused()
        raise
    finally:
        try:
            if spared:
                gc.unfreeze()
            if simulation is not None:
                simulation.close()
        finally:
            state.restore(before)


def check_threads(target: str, threads: int) -> None:
    """Refuse a number of threads that a target cannot use, with an `EngineError`."""
    if isinstance(threads, bool) or not isinstance(threads, int) or not 1 <= threads <= MOST_THREADS:
        raise EngineError(field_error("threads", f"a whole number from 1 to {MOST_THREADS}", threads))
    if threads > 1 and target != "cpp":
        do = "Only programs of the target cpp simulate one network with several threads."
        raise EngineError(field_error("threads", f"1 on the target {target}", threads, do))
