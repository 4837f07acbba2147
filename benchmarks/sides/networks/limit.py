"""How fast this machine could deliver a network's spikes: `limit.cpp` with the network's numbers."""

from __future__ import annotations

import subprocess
from pathlib import Path

import brian2

from biosnn.engine.compiler import toolchain
from sides.networks import published

SOURCE = Path(__file__).with_suffix(".cpp")
KINDS = {"cuba": "one", "coba": "one", "brunel": "one", "plastic": "plastic", "microcircuit": "each"}
DELAYS = {"plastic": 20, "microcircuit": 30}  # steps over which delays are spread
MOST_EVENTS = 2e8


def nanoseconds(network: str, scale: float, spikes: float, seconds: float, folder: Path) -> float:
    """CPU time of a synapse that a spike reaches, with as many spikes in a step as the network has."""
    program = folder / "limit"
    if not program.exists():
        compiler = toolchain.find_compiler()
        assert compiler is not None, toolchain.target_problems()["cpp"]
        # Those of the generated programs, and unrolled: twice as fast where targets are scattered.
        flags = [*brian2.prefs["codegen.cpp.extra_compile_args_gcc"], "-funroll-loops"]
        subprocess.run([*compiler.command, *flags, str(SOURCE), "-o", str(program)], check=True)
    neurons = sum(published.NETWORKS[network].scaled(scale).values())
    leaving = published.synapses(network, scale) / neurons
    in_step = max(1, round(spikes / (seconds * 1000 / published.DT)))
    steps = int(max(100, MOST_EVENTS / (in_step * leaving)))
    numbers = [neurons, round(leaving), DELAYS.get(network, 1), in_step, steps]
    command = [str(program), KINDS[network], *map(str, numbers)]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    values = {line.split()[1]: float(line.split()[2]) for line in told.splitlines()}
    return values["seconds"] / values["events"] * 1e9
