"""Build a network as a program in a folder, run it, and read what it tells."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sides.networks import published

MARK = "benchmark"

# CPU time, so that what others do on the machine does not count.
_BEFORE_STEPS = f'std::cout << "{MARK} construction " << double(std::clock())/CLOCKS_PER_SEC << "\\n";'
_BEGIN = "const std::clock_t began = std::clock(); const auto at = std::chrono::steady_clock::now();"
_AFTER_STEPS = (
    f'std::cout << "{MARK} simulation " << double(std::clock() - began)/CLOCKS_PER_SEC << "\\n{MARK} clock " '
    '<< std::chrono::duration<double>(std::chrono::steady_clock::now() - at).count() << "\\n" << std::flush;'
)

_MEMORY = """
{
    std::ifstream status("/proc/self/status");
    std::string word;
    while (status >> word)
        if (word == "FIELD:")
        {
            status >> word;
            std::cout << "MARK NAME " << 1024*std::stod(word) << "\\n";
        }
}
"""

_SPIKES = """
{
    const auto &values = brian::ARRAY;
    std::ofstream("FILE", std::ios::binary).write((const char*)(values.data()), sizeof(values[0])*values.size());
}
"""

_MEAN = """
{
    double sum = 0;
    const size_t size = SIZE;
    for (size_t k = 0; k < size; k++) sum += brian::ARRAY[k];
    std::cout << "MARK weight " << sum/size << "\\n";
}
"""


@dataclass(frozen=True)
class Model:
    """A network, what sees the spikes of each population, and the variable of the weights that learn."""

    network: Any
    seen: Mapping[str, Any]
    learnt: Any = None


@dataclass(frozen=True)
class Run:
    """What a side told.

    Parameters
    ----------
    construction, simulation : float
        CPU seconds until the first time step, and of the time steps.
    clock : float
        Seconds by the clock of the time steps; NaN where it is not told.
    peak, begin : float
        The most bytes of resident memory, and those before there were synapses.
    spikes : mapping
        Neurons and times in seconds, of each population.
    weight : float
        Mean of the weights that learn.
    """

    construction: float
    simulation: float
    peak: float
    begin: float
    spikes: Mapping[str, tuple[NDArray[Any], NDArray[np.float64]]] = field(repr=False)
    weight: float = float("nan")
    clock: float = float("nan")


def read(told: str, folder: Path, network: str) -> Run:
    """Read a side's lines, and its spikes from its folder."""
    lines = [line.split()[1:] for line in told.splitlines() if line.startswith(MARK)]
    values = {name: float(value) for name, value in lines}
    spikes = {}
    for name in published.NETWORKS[network].sizes:
        neurons = np.fromfile(folder / f"spikes_{name}_i", dtype=np.int32)
        spikes[name] = neurons, np.fromfile(folder / f"spikes_{name}_t", dtype=np.float64)
    return Run(spikes=spikes, **values)


def build(side: str, network: str, scale: float, seconds: float, folder: Path) -> None:
    """Build a program in a folder. Brian2's settings are changed: use a process of its own."""
    folder.mkdir(parents=True)
    make = importlib.import_module(f"sides.networks.with_{side}").NETWORKS[network]
    if side == "brian2":
        _build_stock(make, scale, seconds, folder)
    else:
        _build_ours(make, scale, seconds, folder)


def _build_stock(make: Any, scale: float, seconds: float, folder: Path) -> None:
    import brian2

    brian2.set_device("cpp_standalone", build_on_run=False)
    brian2.defaultclock.dt = published.DT * brian2.ms
    brian2.seed(1)
    model = make(scale)
    _tell(brian2.device)
    model.network.run(seconds * brian2.second, namespace={})
    _tell_last(brian2.device, model)
    brian2.device.build(directory=str(folder), compile=True, run=False)


def _build_ours(make: Any, scale: float, seconds: float, folder: Path) -> None:
    import brian2

    from biosnn import session
    from biosnn.engine.program import runner

    with session("cpp", seed=1, dt=published.DT * brian2.ms) as sim:
        simulation: Any = sim
        model = make(scale)
        _tell(simulation.device)
        sim.run(model.network, seconds * brian2.second)
        _tell_last(simulation.device, model)
        simulation._build()  # and no run yet
        runner.prepare(folder, simulation._inputs, {})
        simulation.device.durations.clear()


def _tell(device: Any) -> None:
    memory = _MEMORY.replace("MARK", MARK)
    device.insert_code("before_start", memory.replace("FIELD", "VmRSS").replace("NAME", "begin"))
    device.insert_code("before_network_run", _BEFORE_STEPS + "\n" + _BEGIN)
    device.insert_code("after_network_run", _AFTER_STEPS)


def _tell_last(device: Any, model: Model) -> None:
    """What is told after the time steps, when arrays have their names; results are not written."""
    parts = [_MEMORY.replace("MARK", MARK).replace("FIELD", "VmHWM").replace("NAME", "peak")]
    for name, monitor in model.seen.items():
        for each in ("i", "t"):
            array = device.get_array_name(monitor.variables[each], access_data=False)
            parts.append(_SPIKES.replace("ARRAY", array).replace("FILE", f"spikes_{name}_{each}"))
    if model.learnt is not None:
        array = device.get_array_name(model.learnt, access_data=False)
        size = f"brian::{array}.size()" if hasattr(model.learnt, "resize") else f"brian::_num_{array}"
        parts.append(_MEAN.replace("ARRAY", array).replace("SIZE", size).replace("MARK", MARK))
    device.insert_code("before_end", "\n".join([*parts, "std::cout.flush();", "std::_Exit(0);"]))


def run(command: Sequence[str], folder: Path, network: str, environment: Mapping[str, str]) -> Run:
    """Run a side in its folder."""
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{folder.name} ended with exit code {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return read(done.stdout, folder, network)
