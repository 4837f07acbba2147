"""What a sweep costs beside its points: the overhead of a short point, a plain loop of `biosnn run`, a large store.

    python benchmarks/sweep.py [--points 1000] [--stored 10000]

The study takes about 20 ms a point on the NumPy target. The loop is what somebody would write in a shell; its time per
point is printed beside that of the sweep, in the same run, on one core.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from brian2 import Network, NeuronGroup, SpikeMonitor, ms

import biosnn
from biosnn.study import Result, setting
from biosnn.sweep import Local, Store, Sweep

TARGET = "numpy"
COMMAND = [sys.executable, "-c", "from biosnn.cli import main; main()"]


@dataclass(frozen=True)
class Settings:
    drive: float = setting(1.5, "drive in units of the threshold")


def short(settings: Settings, sim: biosnn.Simulation) -> Result:
    """How many spikes do ten noisy neurons fire?"""
    equation = "dv/dt = (drive - v)/(10*ms) + 0.2*xi*(10*ms)**-0.5 : 1"
    names = {"drive": settings.drive}
    cells = NeuronGroup(10, equation, threshold="v > 1", reset="v = 0", method="euler", namespace=names)
    monitor = SpikeMonitor(cells)
    sim.run(Network(cells, monitor), 8 * ms)
    return Result(values={"spikes": int(monitor.num_spikes)}, arrays={"times": monitor.t[:]})


def chunked(folder: Path, many: int) -> tuple[float, float]:
    """Seconds per point of a sweep on one core, and those of them that are the study's own."""
    begin = time.perf_counter()
    store = Sweep(short, seeds=range(many)).run(Local(1), folder / "store")
    seconds = time.perf_counter() - begin
    assert store.status()["done"] == many
    return seconds / many, sum(row.seconds for row in store.rows()) / many


def looped(folder: Path, many: int) -> float:
    """Seconds per point of a loop of commands."""
    begin = time.perf_counter()
    for seed in range(many):
        words = ["run", f"{Path(__file__).resolve()}:short", "--seed", str(seed), "--out", str(folder / f"loop-{seed}")]
        subprocess.run([*COMMAND, *words], check=True, capture_output=True)
    return (time.perf_counter() - begin) / many


def large_store(folder: Path, many: int) -> tuple[float, float, float]:
    """Seconds to plan so many points, and of the commands `status` and `table` when all are done."""
    begin = time.perf_counter()
    sweep = Sweep(short, seeds=range(many))
    planned = time.perf_counter() - begin
    store = Store(folder / "large")
    store.begin(sweep.plan)
    one = next((folder / "store" / "points").glob("*/*"))
    for point in sweep.plan.points:
        shutil.copytree(one, store.point(point.key))
    return planned, _command("status", store), _command("table", store)


def _command(what: str, store: Store) -> float:
    begin = time.perf_counter()
    subprocess.run([*COMMAND, "sweep", what, str(store.folder)], check=True, capture_output=True)
    return time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--loop", type=int, default=10)
    parser.add_argument("--stored", type=int, default=10_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        loop = looped(folder, asked.loop)
        sweep, own = chunked(folder, asked.points)
        print(f"{asked.points} points of {1e3 * own:.1f} ms on one core: {1e3 * sweep:.1f} ms per point,")
        print(f"  so {1e3 * (sweep - own):.1f} ms of overhead (wanted: at most 10 ms), all processes included")
        print(f"a loop of {asked.loop} commands: {1e3 * loop:.0f} ms per point, {loop / sweep:.0f} times as long")
        planned, status, table = large_store(folder, asked.stored)
        print(
            f"{asked.stored} points: planned in {planned:.1f} s, status {status:.1f} s, table {table:.1f} s (wanted: 5)"
        )


if __name__ == "__main__":
    main()
