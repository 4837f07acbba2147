"""Run a side with Brian2's runtime target, and tell what a C++ program tells."""

from __future__ import annotations

import time
from pathlib import Path

import brian2
from brian2 import second

from sides.programs import DT, MARK, Side, Work


def run(side: Side) -> None:
    """Run a side in this process, whose Brian2 settings are changed."""
    brian2.prefs["codegen.target"] = "cython"
    brian2.defaultclock.dt = DT
    brian2.seed(1)
    work = side.make()
    told = {"seconds": _presentations(work) if work.presentations else _one_run(work), "peak": _peak()}
    for name, value in {
        **told,
        **{name: variable.get_value().item() for name, variable in work.counts.items()},
    }.items():
        print(MARK, name, value)


def _one_run(work: Work) -> float:
    """CPU time of the time steps."""
    times: list[float] = []
    # Brian2 reports before the first time step, when all code is compiled, and after the last one.
    never = 1e9 * second
    work.network.run(
        work.duration, namespace={}, report=lambda *_: times.append(time.process_time()), report_period=never
    )
    began, ended = times
    return ended - began


def _presentations(work: Work) -> float:
    """CPU time of all that happens, once the code is compiled."""
    work.network.run(0 * second, namespace={})
    began = time.process_time()
    for presentation in work.presentations:
        presentation()
    return time.process_time() - began


def _peak() -> int:
    """The most bytes that this process held in memory."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return 1024 * int(status["VmHWM"].split()[0])
