"""What projections save: biosnn's beside Brian2's ``Synapses``, and beside loops written by hand.

    python benchmarks/projections.py [--repeat 5] [--only dense convolution lateral learning]

Every side is a C++ program of its own, built with the same compiler and flags. The programs of a table take turns, one
thread each, and medians are printed. Time is CPU time of the time steps, as the programs themselves measure it: neither
building nor reading and writing count, nor what else the machine does. What goes into neurons is measured by the same
program without synapses and subtracted, but for the table of the whole network. Memory is the peak of the process's
resident memory less that of the program without synapses; "arrays" counts the bytes of a projection's own arrays.
Images are those of MNIST in the folder that ``BIOSNN_DATA`` names.
"""

from __future__ import annotations

import argparse
import importlib
import math
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sides import convolution, dense, lateral, learning, mnist, programs
from sides.programs import Run

TABLES = ("dense", "convolution", "lateral", "learning")


class Rounds:
    """All runs of a table's programs."""

    def __init__(self, table: str, folder: Path, repeat: int) -> None:
        self.sides = importlib.import_module(f"sides.{table}").SIDES
        for name in self.sides:
            _build(table, name, folder / name)
        self.runs: dict[str, list[Run]] = {name: [] for name in self.sides}
        for _ in range(repeat):
            for name, found in self.runs.items():
                found.append(programs.run(folder / name))

    def label(self, name: str) -> str:
        return str(self.sides[name].label)

    def seconds(self, name: str, without: str = "") -> float:
        """Median of a side's times, less those of another of the same round."""
        others = [run.seconds for run in self.runs[without]] if without else [0.0] * len(self.runs[name])
        return statistics.median(run.seconds - other for run, other in zip(self.runs[name], others, strict=True))

    def memory(self, name: str, without: str) -> float:
        """Median of the peaks of memory, less those of another."""
        return statistics.median(run.peak for run in self.runs[name]) - statistics.median(
            run.peak for run in self.runs[without]
        )

    def count(self, name: str, what: str) -> float:
        return self.runs[name][0].counts[what]


@dataclass(frozen=True)
class Row:
    """A line of a table: what was measured, and the target as (what is compared, limit, whether it is at least it)."""

    label: str
    cells: Sequence[str]
    value: float | None = None
    target: str = ""
    limit: float = 0.0
    least: bool = True

    def verdict(self) -> str:
        if self.value is None:
            return ""
        met = self.value >= self.limit if self.least else self.value <= self.limit
        sign = ">=" if self.least else "<="
        return f"{self.target} {self.value:.2f} (wanted {sign} {self.limit:g}): {'met' if met else 'MISSED'}"


def show(title: str, heads: Sequence[str], rows: Sequence[Row]) -> None:
    print(f"\n{title}\n{'':46}" + "".join(f"{head:>16}" for head in heads) + "   target")
    for row in rows:
        print(f"{row.label:46}" + "".join(f"{cell:>16}" for cell in row.cells) + f"   {row.verdict()}", flush=True)


def alike(totals: Sequence[float]) -> bool:
    """Whether sums that were added up in different orders are the same."""
    return max(totals) - min(totals) <= 1e-9 * max(map(abs, totals))


def show_dense(rounds: Rounds) -> None:
    without = {"stock": "stock_none", "neuron": "none", "ours": "none", "ours32": "none32"}
    synapses = dense.INPUTS * dense.CELLS
    each, memory = {}, {}
    for name, base in without.items():
        events = dense.events(rounds.count(name, "pre"), rounds.count(name, "post"))
        each[name] = rounds.seconds(name, base) / events * 1e9
        memory[name] = rounds.memory(name, base) / synapses
    arrays = {name: rounds.count(name, "arrays") / synapses for name in ("ours", "ours32")}
    wanted: dict[str, tuple[float, str, float, bool]] = {
        "stock": (each["stock"] / each["ours"], "time / ours", 8, True),
        "neuron": (each["neuron"] / each["ours"], "time / ours", 2.5, True),
        "ours": (arrays["ours"], "array bytes", 8, False),
        "ours32": (arrays["ours32"], "array bytes", 4, False),
    }
    rows = []
    for name in without:
        cells = [f"{each[name]:.2f}", f"{each[name] / each['ours']:.2f}", f"{memory[name]:.1f}"]
        rows.append(Row(rounds.label(name), [*cells, f"{arrays[name]:.1f}" if name in arrays else ""], *wanted[name]))
    _, source = mnist.images(1)
    title = f"Plastic all-to-all synapses, {dense.INPUTS} -> {dense.CELLS}, at mean rates of images ({source})"
    show(title, ["ns an event", "time / ours", "bytes a synapse", "arrays"], rows)


def show_convolution(rounds: Rounds) -> None:
    additions = convolution.additions() / convolution.PERIOD
    steps = {name: convolution.STEPS[side.how] for name, side in rounds.sides.items()}
    # What the neurons take is nothing beside unrolled synapses, and does not occur in the loops by hand.
    spent = {
        name: rounds.seconds(name, "none" if name == "ours" else "") for name in ("stock", "ours", "hand", "pixel")
    }
    each = {name: seconds / steps[name] / additions * 1e9 for name, seconds in spent.items()}
    totals = [rounds.count(name, "total") / steps[name] for name in each]
    same = alike(totals)
    kernel = convolution.kernel().nbytes
    memory = {"stock": rounds.memory("stock", "stock_none"), "ours": rounds.memory("ours", "none")}
    wanted: dict[str, tuple[float, str, float, bool]] = {
        "stock": (each["stock"] / each["ours"], "time / ours", 10, True),
        "ours": (rounds.count("ours", "arrays") / kernel, "arrays / kernel", 1, False),
        "hand": (each["hand"] / each["ours"], "share of what the machine can do", 0.7, True),
    }
    rows = []
    for name in each:
        cells = [f"{each[name]:.3f}", f"{each[name] / each['ours']:.2f}", f"{memory.get(name, kernel) / 1e6:.2f}"]
        rows.append(Row(rounds.label(name), cells, *wanted.get(name, ())))
    title = "Convolution 3x3, 64 -> 64 channels, 32x32 pixels, 10 % of the neurons spike in a step"
    show(f"{title} (sums {'equal' if same else 'DIFFER'})", ["ns an addition", "time / ours", "MB"], rows)


def show_lateral(rounds: Rounds) -> None:
    def micro(side: str, without: str, how: str) -> float:
        return rounds.seconds(side, without) / lateral.STEPS[how] * 1e6

    first, last = lateral.SIZES[0], lateral.SIZES[-1]
    ours = {size: micro(f"ours_{size}", f"none_{size}", "projection") for size in lateral.SIZES}
    hand = {size: micro(f"hand_{size}", "", "c++") for size in lateral.SIZES}
    rows, same = [], True
    for size, each in ours.items():
        both = {f"ours_{size}": "projection", f"stock_{size}": "synapses"}
        same &= alike([rounds.count(n, "total") / lateral.STEPS[how] for n, how in both.items() if n in rounds.sides])
        stock = micro(f"stock_{size}", "", "synapses") if f"stock_{size}" in rounds.sides else math.nan
        cells = [
            f"{each:.3f}",
            f"{each / size * 1e3:.3f}",
            f"{hand[size]:.3f}",
            f"{stock:.1f}" if stock == stock else "",
        ]
        target = (each / hand[size], "time / one addition a neuron by hand", 1.1, False) if size == last else ()
        rows.append(Row(rounds.label(f"ours_{size}"), cells, *target))
    powers = [math.log(spent[last] / spent[first]) / math.log(last / first) for spent in (ours, hand)]
    # A layer of 6400 no longer fits into the cache next to the processor, so that a plain loop grows faster too.
    growth = f"from {first} to {last} neurons time grows with the power {powers[0]:.2f}, by hand {powers[1]:.2f}"
    title = "All-but-self inhibition, 1 % of the neurons spike in a step"
    show(
        f"{title} (sums {'equal' if same else 'DIFFER'}); {growth}",
        ["us a step", "ns a neuron", "by hand, us", "Synapses, us"],
        rows,
    )


def show_learning(rounds: Rounds) -> None:
    each = {name: rounds.seconds(name) / learning.IMAGES * 1e3 for name in rounds.sides}
    ours = {name: "ours_delays" if name.endswith("delays") else "ours" for name in rounds.sides}
    spikes = {n: [rounds.count(n, what) / learning.IMAGES for what in ("inputs", "answers")] for n in rounds.sides}
    # Every side has random numbers of its own: from seed to seed, the answers differ by some 5 % in 200 images.
    same = all(math.isclose(*pair, rel_tol=0.2) for n in ours for pair in zip(spikes[n], spikes[ours[n]], strict=True))
    rows = []
    for name in rounds.sides:
        ratio = each[name] / each[ours[name]]
        peak = statistics.median(run.peak for run in rounds.runs[name]) / 1e6
        cells = [
            f"{each[name]:.2f}",
            f"{ratio:.2f}",
            *(f"{number:.1f}" for number in spikes[name]),
            f"{peak:.1f}" if peak else "",
        ]
        target = (ratio, "time / ours", 6.0, True) if name.startswith("stock") else ()
        rows.append(Row(rounds.label(name), cells, *target))
    _, source = mnist.images(1)
    title = f"The network of Diehl & Cook, 400 + 400 neurons, {learning.IMAGES} images ({source}) of 500 ms at 0.5 ms"
    heads = ["ms an image", "time / ours", "input spikes", "answers", "MB in all"]
    show(f"{title} (spikes {'agree' if same else 'DIFFER'})", heads, rows)


SHOW: dict[str, Callable[[Rounds], None]] = {
    "dense": show_dense,
    "convolution": show_convolution,
    "lateral": show_lateral,
    "learning": show_learning,
}


def _build(table: str, side: str, folder: Path) -> None:
    """Build in a fresh process, since Brian2's settings are global."""
    command = [sys.executable, __file__, "--only", table, "--build", side, "--folder", str(folder)]
    cache = {"BIOSNN_CACHE": str(folder.parent.parent / "cache"), "BIOSNN_PROGRESS": "off"}
    done = subprocess.run(command, env={**os.environ, **cache}, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{table}, {side} could not be built:\n{done.stderr}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=5, help="how often each runs (medians are printed)")
    parser.add_argument("--only", nargs="+", choices=TABLES, default=TABLES, help="which tables")
    parser.add_argument("--build", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.build:
        side = importlib.import_module(f"sides.{asked.only[0]}").SIDES[asked.build]
        programs.build(side, asked.folder)
        return
    for table in asked.only:
        with tempfile.TemporaryDirectory(prefix="biosnn-projections-") as name:
            SHOW[table](Rounds(table, Path(name, table), asked.repeat))


if __name__ == "__main__":
    main()
