"""What recording 20 million spikes takes: biosnn.record_spikes beside Brian2's SpikeMonitor.

    python benchmarks/recording.py [--repeat 3] [--target cpp]

In each step of 0.1 ms, a tenth of 10,000 neurons fire; nothing else happens. Every side runs in a process of its own,
and they take turns; medians are printed. Memory and processor time of the steps are those of the program, on the target
cpp, or of Python on the others; time is less that of the same neurons without recording. Then Python reads the spikes
as one train for each neuron: its processor time, and by how much its memory grew at most. That the sides record the
same is seen from a sum.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from brian2 import Network, NeuronGroup, SpikeMonitor, ms
from sides.tables import Row, show

import biosnn

CELLS, EACH = 10_000, 10
STEPS = 20_000
SIDES = {
    "none": "no recording",
    "ours": "biosnn.record_spikes",
    "tenth": "biosnn.record_spikes, a tenth of the time",
    "stock": "SpikeMonitor",
}
# At most so many seconds to trains, and so much more memory of the program for ten times the spikes (MB).
SECONDS, MEMORY = 2.0, 1.0


def side(name: str, target: str) -> dict[str, float]:
    """Run a side in this process."""
    steps = STEPS // 10 if name == "tenth" else STEPS
    with biosnn.session(target, seed=1, dt=0.1 * ms) as sim:
        fires = f"(i + 7*t_in_timesteps) % {EACH} == 0"
        cells = NeuronGroup(CELLS, "", threshold=fires, reset="", namespace={}, name="cells")
        network = Network(cells)
        spikes: Any = None
        if name != "none":
            spikes = (
                SpikeMonitor(cells, name="spikes") if name == "stock" else biosnn.record_spikes(cells, name="spikes")
            )
            network.add(spikes)
        before = _seconds()
        sim.run(network, steps * 0.1 * ms)
        sim.execute()
        told = {"steps": _seconds() - before, "program": sim.usage.memory or _peak(), "here": _peak()}
        if spikes is not None:
            before, clock = time.process_time(), time.perf_counter()
            trains = spikes.spike_trains() if name == "stock" else spikes.trains()
            told |= {"trains": time.process_time() - before, "clock": time.perf_counter() - clock}
            told["here"] = _peak() - told["here"]
            told["sum"] = sum((1 + cell % 7) * float(np.sum(np.asarray(trains[cell]))) for cell in range(CELLS))
            told["spikes"] = float(spikes.num_spikes)
    return told


def _seconds() -> float:
    """Processor time of this process and of those that it has started."""
    return sum(
        u.ru_utime + u.ru_stime for u in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def _peak() -> int:
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def measured(target: str, repeat: int) -> dict[str, dict[str, float]]:
    """Medians of what the sides told. Their first runs, which may build programs, are left out."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in SIDES}
    root = str(Path(__file__).parents[1])
    for number in range(repeat + 1):
        for name, told in found.items():
            command = [sys.executable, __file__, "--target", target, "--side", name]
            paths = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
            environment = {**os.environ, "BIOSNN_PROGRESS": "off", "PYTHONPATH": paths}
            done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
            told += [json.loads(done.stdout)] if number else []
    return {name: {key: statistics.median(run[key] for run in runs) for key in runs[0]} for name, runs in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=3, help="how often each runs (medians are printed)")
    parser.add_argument("--target", default="cpp", choices=["cpp", "cython", "numpy"])
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        print(json.dumps(side(given.side, given.target)))
        return
    told = measured(given.target, given.repeat)
    show_steps(told)
    show_trains(told)


def show_steps(told: dict[str, dict[str, float]]) -> None:
    none = told["none"]
    rows = []
    for name, label in SIDES.items():
        memory = (told[name]["program"] - none["program"]) / 1e6
        each = (told[name]["steps"] - none["steps"]) / told[name]["spikes"] * 1e9 if name in ("ours", "stock") else 0.0
        more = (told["ours"]["program"] - told["tenth"]["program"]) / 1e6
        target = (more, "MB for 10 x the spikes", MEMORY, False) if name == "ours" else ()
        cells = [f"{memory:.1f}", f"{each:.1f}" if each else "", f"{told[name]['steps']:.2f}"]
        rows.append(Row(label, cells, *target))
    show("The program", ["MB more", "ns a spike", "seconds in all"], rows)


def show_trains(told: dict[str, dict[str, float]]) -> None:
    ours, stock = told["ours"], told["stock"]
    same = "agree" if np.isclose(ours["sum"], stock["sum"], rtol=1e-12) else "DIFFER"
    rows = []
    for name in ("ours", "stock"):
        seconds = told[name]["trains"]
        cells = [f"{seconds:.2f}", f"{seconds / ours['trains']:.1f}", f"{told[name]['here'] / 1e6:.0f}"]
        rows.append(Row(SIDES[name], cells, *((seconds, "seconds", SECONDS, False) if name == "ours" else ())))
    title = f"{ours['spikes'] / 1e6:.0f} million spikes as trains of {CELLS} neurons, in Python (trains {same})"
    show(title, ["seconds", "time / ours", "MB"], rows)


if __name__ == "__main__":
    main()
