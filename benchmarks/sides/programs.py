"""Build a network as a program in a folder, and run it: how long its time steps took, and its memory."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import brian2
import numpy as np
from brian2 import Network, Quantity, ms
from brian2.core.variables import ArrayVariable

from biosnn import session
from biosnn.engine.compiler import toolchain

MARK = "benchmark"
DT = 0.5 * ms
ALONE = (sys.executable, "-m", "sides")  # with a table, a side and a folder: builds it, in a process of its own
_COMMAND = "command"  # the file in a side's folder that says what to run there, a word a line
_PROGRAM = "./main"

# CPU time of the time steps: what others do on the machine meanwhile does not count.
_BEGIN = "const std::clock_t began = std::clock();"
_END = 'std::cout << "MARK seconds " << double(std::clock() - began)/CLOCKS_PER_SEC << "\\n";'

# What a program tells before it writes its results.
_REPORT = """
{
    using namespace brian;
    std::cout.precision(17);
    std::ifstream status("/proc/self/status");
    std::string word;
    while (status >> word)
        if (word == "VmHWM:")
        {
            status >> word;
            std::cout << "MARK peak " << 1024*std::stod(word) << "\\n";
        }
    LINES
    std::cout.flush();
    if (std::getenv("BIOSNN_BENCHMARK")) std::_Exit(0);
}
"""


@dataclass(frozen=True)
class Work:
    """A network, how long it runs, and what to tell of it.

    Parameters
    ----------
    network : Network
        What runs.
    duration : Quantity
        How long.
    counts : mapping
        Variables with one whole number each.
    total : variable, optional
        An array to add up, with the weights 1 to 7 in turn, so that two sides can be seen to do the same.
    joined : Projection, optional
        The projection whose arrays are counted.
    presentations : sequence of callable
        What to do, one after the other, in place of one run; with Brian2's runtime target only.
    """

    network: Network
    duration: Quantity
    counts: Mapping[str, Any] = field(default_factory=dict)
    total: Any = None
    joined: Any = None
    presentations: Sequence[Callable[[], None]] = ()


@dataclass(frozen=True)
class Side:
    """One way to do the work.

    Parameters
    ----------
    label : str
        What the table calls it.
    how : {"stock", "runtime", "biosnn", "c++"}
        Brian2's own device for C++; its runtime device with Cython, where Python goes through the time steps; biosnn's
        device; or a program written by hand.
    make : callable
        Returns the `Work`; for "c++" writes what the program reads into the folder that it is given, and returns the
        program's source file and arguments.
    precision : str
        Of biosnn's session.
    """

    label: str
    how: str
    make: Callable[..., Any]
    precision: str = "float64"


@dataclass(frozen=True)
class Run:
    """What a program told: CPU seconds that its time steps took, the most bytes it held in memory, and its counts."""

    seconds: float
    peak: float
    counts: Mapping[str, float]


def side_of(table: str, name: str) -> Side:
    """The side of that name, from the module that lists a table's sides."""
    found = importlib.import_module(f"sides.{table}").SIDES[name]
    assert isinstance(found, Side)
    return found


def build(table: str, name: str, folder: Path) -> None:
    """Build a side in a folder. Brian2's settings are changed: use a process of its own."""
    side = side_of(table, name)
    folder.mkdir(parents=True)
    command = [_PROGRAM, "--results_dir", "results/"]
    if side.how == "c++":
        command = [_PROGRAM, *_by_hand(folder, *side.make(folder))]
    elif side.how == "runtime":
        command = [*ALONE, table, name]
    elif side.how == "stock":
        _stock(side, folder)
    else:
        _biosnn(side, folder)
    (folder / _COMMAND).write_text("\n".join(command))


def run(folder: Path) -> Run:
    """Run what was built in a folder."""
    command = (folder / _COMMAND).read_text().split("\n")
    done = subprocess.run(command, cwd=folder, env=environment(), check=True, capture_output=True, text=True)
    told = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith(MARK)]
    values = {name: float(value) for name, value in told}
    return Run(values.pop("seconds"), values.pop("peak", 0.0), values)


def environment() -> dict[str, str]:
    """Of the processes: one thread each, and this package is found from any folder."""
    places = [str(Path(__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "BIOSNN_BENCHMARK": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(places)}


def _report(device: Any, work: Work) -> None:
    lines = [
        f'std::cout << "{MARK} {k} " << {device.get_array_name(var)}[0] << "\\n";' for k, var in work.counts.items()
    ]
    if work.total is not None:
        array = device.get_array_name(work.total)
        lines.append(f"double sum = 0; for (long k = 0; k < {work.total.size}; k++) sum += (1 + k % 7)*{array}[k];")
        lines.append(f'std::cout << "{MARK} total " << sum << "\\n";')
    if work.joined is not None:
        held = {
            v.name: v.size * np.dtype(v.dtype).itemsize for v in work.joined.variables.values() if _own(v, work.joined)
        }
        lines.append(f'std::cout << "{MARK} arrays {sum(held.values())}\\n";')
    device.insert_code("before_end", _REPORT.replace("MARK", MARK).replace("LINES", "\n    ".join(lines)))


def _time_steps(device: Any) -> None:
    device.insert_code("before_network_run", _BEGIN)
    device.insert_code("after_network_run", _END.replace("MARK", MARK))


def _own(var: Any, group: Any) -> bool:
    return isinstance(var, ArrayVariable) and not var.scalar and getattr(var.owner, "name", "") == group.name


def _stock(side: Side, folder: Path) -> None:
    brian2.set_device("cpp_standalone", build_on_run=False)
    brian2.defaultclock.dt = DT
    brian2.seed(1)
    work = side.make()
    _time_steps(brian2.device)
    work.network.run(work.duration, namespace={})
    _report(brian2.device, work)
    brian2.device.build(directory=str(folder), compile=True, run=False)


def _biosnn(side: Side, folder: Path) -> None:
    with session("cpp", seed=1, dt=DT, precision=side.precision) as sim:
        work = side.make()
        _time_steps(sim.device)  # type: ignore[attr-defined]
        sim.run(work.network, work.duration)
        _report(sim.device, work)  # type: ignore[attr-defined]
        sim.execute()
        shutil.copytree(Path(sim.device.results_dir).parent, folder, dirs_exist_ok=True)  # type: ignore[attr-defined]
        shutil.copytree(sim._root / "sources", folder / "sources")  # type: ignore[attr-defined]


def _by_hand(folder: Path, source: Path, arguments: list[str]) -> list[str]:
    compiler = toolchain.find_compiler()
    assert compiler is not None, toolchain.target_problems()["cpp"]
    flags = brian2.prefs["codegen.cpp.extra_compile_args_gcc"]  # those of the generated programs
    subprocess.run([*compiler.command, *flags, str(source), "-o", str(folder / "main")], check=True)
    return arguments
