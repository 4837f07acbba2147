"""What projections save: biosnn's beside Brian2's ``Synapses``, and beside loops written by hand.

    python benchmarks/projections.py [--repeat 5] [--only dense convolution lateral graded learning]

Every side is a C++ program of its own, built with the same compiler and flags. The programs of a table take turns, one
thread each, and medians are printed. Time is CPU time of the time steps, as the programs themselves measure it: neither
building nor reading and writing count, nor what else the machine does. What goes into neurons is measured by the same
program without synapses and subtracted. Memory is the peak of the process's resident memory less that of the program
without synapses; "arrays" counts the bytes of a projection's own arrays. The last table is that of `unsupervised.py`,
which tells how the whole network is measured. Images are those of MNIST in the folder that ``BIOSNN_DATA`` names.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable

import unsupervised
from sides import convolution, dense, graded, lateral, mnist
from sides.tables import Rounds, Row, alike, show


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


def show_graded(rounds: Rounds) -> None:
    rows, same = [], True
    for kind, label in graded.LABELS.items():
        plain, carrying = (rounds.seconds(f"{kind}_{each}", f"{kind}_{each}_none") for each in ("alike", "carrying"))
        same &= rounds.count(f"{kind}_alike", "total") == rounds.count(f"{kind}_carrying", "total")
        cells = [f"{each / graded.STEPS[kind] * 1e6:.2f}" for each in (plain, carrying)]
        rows.append(Row(label, cells, carrying / plain, "time / spikes that are alike", 1.3, False))
    title = "Spikes that carry a value, v_post += s_pre*w, beside v_post += w, 5 % of the neurons spike in a step"
    show(f"{title} (sums {'equal' if same else 'DIFFER'})", ["alike, us a step", "carrying, us"], rows)


SHOW: dict[str, Callable[[Rounds], None]] = {
    "dense": show_dense,
    "convolution": show_convolution,
    "lateral": show_lateral,
    "graded": show_graded,
    "learning": unsupervised.show_network,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=5, help="how often each runs (medians are printed)")
    parser.add_argument("--only", nargs="+", choices=SHOW, default=list(SHOW), help="which tables")
    asked = parser.parse_args()
    for table in asked.only:
        SHOW[table](Rounds(table, asked.repeat))


if __name__ == "__main__":
    main()
