"""The classic random networks, whole: biosnn beside stock Brian2 as a C++ program, and beside NEST.

    python benchmarks/networks.py [--only cuba coba brunel plastic microcircuit] [--scale 0.2] [--seconds 1]
                                  [--peers brian2 nest] [--nest PYTHON] [--repeat 1] [--threads 2]

cuba, coba: 4000 cells of Vogels & Abbott (2005), as benchmarks 2 and 1 of Brette et al. (2007). brunel: 12,500 cells
and 15.6 million synapses of Brunel (2000), g = 5, eta = 2. plastic: 10,000 cells, each joined with a tenth of the
others, synapses between excitatory cells learn, random delays. microcircuit: Potjans & Diesmann (2014), 77,169 cells
and 298.9 million synapses at scale 1; without --scale, a fifth of it.

With fewer neurons every one of them keeps as many synapses, of the same weights, and as much background.

Every side runs one thread; with --threads, biosnn also runs with so many, which must give the same spikes. "construct"
is the CPU time of a program until its first time step, in which connections are drawn; building is not in it.
"simulate" is the CPU time of all time steps, "clock" what they take by the clock, which tells something on an idle
machine only. An event is a synapse that a spike reaches; one that learns is reached from both sides.
Bytes per synapse are the peak of resident memory less what there was before, by
synapses. "limit" is the time that a loop in C++ by hand takes for the same events and nothing else, no neurons, no
background, as a share of "simulate". Rates leave out the first moments; all sides must have the same, within what one
run of a network varies.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from sides.networks import activity, limit, programs, published
from sides.networks.programs import Run

LABELS = {"biosnn": "biosnn", "threads": "biosnn, threads", "brian2": "Brian2, C++", "nest": "NEST"}
# How far rates of two runs may lie apart. Below scale 1 twice that: at a tenth of the microcircuit, seven seeds have a
# standard deviation of 12 % in layer 2/3 and of 10 % in layer 5.
ALIKE = {"cuba": 0.05, "coba": 0.2, "brunel": 0.05, "plastic": 0.1, "microcircuit": 0.25}
BENCHMARKS = Path(__file__).parent


@dataclass(frozen=True)
class Asked:
    """A network, how much of it, how long, and who simulates it."""

    network: str
    scale: float
    seconds: float
    sides: Sequence[str]
    nest: str
    repeat: int
    threads: int


def measure(asked: Asked, made: Path) -> dict[str, list[Run]]:
    """Build all sides, then let them take turns."""
    folders = {side: made / f"{side}_{asked.network}" for side in asked.sides}
    numbers = [asked.network, str(asked.scale), str(asked.seconds)]
    for side, folder in folders.items():
        if side == "nest":
            folder.mkdir()
        elif side == "threads":
            folders[side] = folders["biosnn"]  # the same program
        else:
            command = [sys.executable, "-m", "sides.networks", side, *numbers, str(folder)]
            done = subprocess.run(command, env=environment(made), capture_output=True, text=True)
            if done.returncode:
                sys.exit(f"{asked.network} could not be built for {side}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    runs: dict[str, list[Run]] = {side: [] for side in asked.sides}
    for _ in range(asked.repeat):
        for side, folder in folders.items():
            command = ["./main", "--results_dir", "results/"]
            if side == "nest":
                command = [asked.nest, "-m", "sides.networks.with_nest", *numbers]
            threads = asked.threads if side == "threads" else 1
            runs[side].append(programs.run(command, folder, asked.network, environment(made, threads)))
            last = runs[side][-1]
            print(f"{asked.network}, {LABELS[side]}: {last.construction:.2f} + {last.simulation:.2f} s", flush=True)
    return runs


def check_threads(runs: dict[str, list[Run]]) -> None:
    """End unless several threads have given the spikes that one gives."""
    for one, several in zip(runs["biosnn"], runs.get("threads", []), strict=False):
        for name, spikes in one.spikes.items():
            if any(not np.array_equal(a, b) for a, b in zip(spikes, several.spikes[name], strict=True)):
                sys.exit(f"{name}: several threads give other spikes than one.")


def environment(made: Path, threads: int = 1) -> dict[str, str]:
    """One thread each, but where biosnn has more; packages are found from any folder, and programs are built anew."""
    places = [str(BENCHMARKS), str(BENCHMARKS.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    ours = {"BIOSNN_CACHE": str(made / "cache"), "BIOSNN_PROGRESS": "off", "OMP_NUM_THREADS": "1"}
    ours["BIOSNN_THREADS"] = str(threads)
    return {**os.environ, **ours, "PYTHONPATH": os.pathsep.join(places)}


def cost_table(asked: Asked, runs: dict[str, list[Run]], least: float) -> Table:
    """Time and memory of each side.

    Parameters
    ----------
    least : float
        Nanoseconds that an event takes at least.
    """
    plan = published.NETWORKS[asked.network]
    cells = sum(plan.scaled(asked.scale).values())
    synapses = published.synapses(asked.network, asked.scale)
    title = f"{plan.label}: {cells:,} cells, {synapses:,} synapses, {asked.seconds:g} s"
    table = Table(title=f"{title}; by hand {least:.2f} ns an event", title_justify="left")
    table.add_column()
    heads = ("construct, s", "simulate, s", "clock, s", "of biosnn", "events", "events/s", "ns an event", "peak, MB")
    for head in (*heads, "bytes/synapse", "limit"):
        table.add_column(head, justify="right")
    ours = statistics.median(run.simulation for run in runs["biosnn"])
    for side, of_side in runs.items():
        construction = statistics.median(run.construction for run in of_side)
        simulation = statistics.median(run.simulation for run in of_side)
        events = activity.events(asked.network, asked.scale, of_side[0].spikes)
        table.add_row(
            LABELS[side],
            f"{construction:.2f}",
            f"{simulation:.2f}",
            f"{statistics.median(run.clock for run in of_side):.2f}",
            f"{simulation / ours:.2f}",
            f"{events:.3g}",
            f"{events / simulation:.3g}",
            f"{simulation / events * 1e9:.2f}",
            f"{of_side[0].peak / 1e6:.0f}",
            f"{(of_side[0].peak - of_side[0].begin) / synapses:.1f}",
            f"{events * least * 1e-9 / simulation:.0%}",
        )
    return table


def rate_table(asked: Asked, runs: dict[str, list[Run]]) -> Table:
    """Firing rates of each population, whether the sides agree, and what is published."""
    plan = published.NETWORKS[asked.network]
    table = Table(title=f"{plan.label}: mean firing rates, Hz (published: {plan.source})", title_justify="left")
    table.add_column()
    for side in runs:
        table.add_column(LABELS[side], justify="right")
    for head in ("alike", "published"):
        table.add_column(head, justify="right")
    found = {
        side: activity.rates(asked.network, asked.scale, asked.seconds, of_side[0].spikes)
        for side, of_side in runs.items()
    }
    for name in plan.sizes:
        each = [rates[name] for rates in found.values()]
        apart = (max(each) - min(each)) / statistics.mean(each) if max(each) > 0 else float("nan")
        same = "yes" if apart <= ALIKE[asked.network] * (1 if asked.scale == 1 else 2) else f"NO, {apart:.0%} apart"
        low, high = plan.rates.get(name, (float("nan"), float("nan")))
        known = f"{low:.2f} to {high:.2f}" if name in plan.rates else ""
        table.add_row(name, *(f"{rate:.3f}" for rate in each), same if len(each) > 1 else "", known)
    irregular = [activity.irregularity(asked.network, asked.seconds, of_side[0].spikes) for of_side in runs.values()]
    table.add_row("CV", *(f"{value:.2f}" for value in irregular), "", "")
    if published.learning(asked.network):
        table.add_row("mean weight", *(f"{of_side[0].weight:.4f}" for of_side in runs.values()), "", "")
    return table


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=published.NETWORKS, default=list(published.NETWORKS))
    parser.add_argument("--scale", type=float, help="share of the neurons; by default 1, of the microcircuit 0.2")
    parser.add_argument("--seconds", type=float, help="biological time, by default what each network is known by")
    parser.add_argument("--peers", nargs="*", choices=("brian2", "nest"), help="by default all there are")
    parser.add_argument("--nest", metavar="PYTHON", default="", help="an interpreter that can import nest")
    parser.add_argument("--repeat", type=int, default=1, help="how often each runs (medians are printed)")
    parser.add_argument("--threads", type=int, default=1, help="let biosnn run with so many threads too")
    given = parser.parse_args()
    if given.peers is None:
        given.peers = ["brian2", "nest"] if given.nest else ["brian2"]
    if "nest" in given.peers and not given.nest:
        parser.error("--peers nest needs --nest PYTHON, an interpreter that can import nest")
    if given.scale is not None and not 0 < given.scale <= 1:
        parser.error(f"--scale must be above 0 and at most 1, not {given.scale:g}")
    return given


def main() -> None:
    given = parse()
    console = Console(width=None if sys.stdout.isatty() else 160)
    with tempfile.TemporaryDirectory(prefix="biosnn-benchmark-") as made:
        for network in given.only:
            scale = given.scale or (0.2 if network == "microcircuit" else 1.0)
            seconds = given.seconds or published.NETWORKS[network].seconds
            ours = ["biosnn", "threads"] if given.threads > 1 else ["biosnn"]
            asked = Asked(network, scale, seconds, [*ours, *given.peers], given.nest, given.repeat, given.threads)
            runs = measure(asked, Path(made))
            check_threads(runs)
            spikes = sum(len(t) for _, t in runs["biosnn"][0].spikes.values())
            least = limit.nanoseconds(network, scale, spikes, seconds, Path(made))
            console.print(cost_table(asked, runs, least), rate_table(asked, runs))


if __name__ == "__main__":
    main()
