"""How long the whole network of Diehl & Cook takes for an image: biosnn beside stock Brian2, and beside C++ by hand.

    python benchmarks/unsupervised.py [--repeat 5]

Stock Brian2 is measured as a C++ program, and with its runtime target (Cython), where Python goes through the time
steps: once as Brian2's example of this network does it, two runs an image, each of which Brian2 prepares anew, and once
in one run. All sides take turns, one thread each, and medians are printed. Time is CPU time of the time steps, as each
process measures it, and with two runs an image also of what happens between them: neither building and compiling nor
reading and writing count, nor what else the machine does. Memory is the peak of the process's resident memory. Every
side has random numbers of its own; that all do the same work is seen from the spikes an image, which have to agree
within a fifth. Images are those of MNIST in the folder that ``BIOSNN_DATA`` names.
"""

from __future__ import annotations

import argparse
import math

from sides import learning, mnist
from sides.tables import Rounds, Row, show

# At least so many times the time of biosnn.
WANTED = {"example_few": 100.0, "stock": 6.0, "stock_delays": 6.0}


def show_network(rounds: Rounds) -> None:
    """Print the table; `projections.py` has it too."""
    images = {name: learning.FEW if name.endswith("few") else learning.IMAGES for name in rounds.sides}
    each = {name: rounds.seconds(name) / images[name] * 1e3 for name in rounds.sides}
    ours = {name: _ours(name) for name in rounds.sides}
    spikes = {n: [rounds.count(n, what) / images[n] for what in ("inputs", "answers")] for n in rounds.sides}
    # From seed to seed, the answers differ by some 5 % in 200 images.
    same = all(math.isclose(*pair, rel_tol=0.2) for n in ours for pair in zip(spikes[n], spikes[ours[n]], strict=True))
    rows = []
    for name in rounds.sides:
        ratio = each[name] / each[ours[name]]
        peak = rounds.peak(name) / 1e6
        cells = [
            f"{each[name]:.2f}",
            f"{ratio:.2f}",
            *(f"{number:.1f}" for number in spikes[name]),
            f"{peak:.1f}" if peak else "",
        ]
        target = (ratio, "time / ours", WANTED[name]) if name in WANTED else ()
        rows.append(Row(rounds.label(name), cells, *target))
    _, source = mnist.images(1)
    counted = f"{learning.IMAGES} images ({source}) or the first {learning.FEW}"
    title = f"The network of Diehl & Cook, 400 + 400 neurons, {counted}, of 500 ms at 0.5 ms"
    heads = ["ms an image", "time / ours", "input spikes", "answers", "MB in all"]
    show(f"{title} (spikes {'agree' if same else 'DIFFER'})", heads, rows)


def _ours(name: str) -> str:
    """The side of biosnn that does the same work as another side."""
    return next((f"ours_{what}" for what in ("few", "delays") if name.endswith(what)), "ours")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=5, help="how often each runs (medians are printed)")
    show_network(Rounds("learning", parser.parse_args().repeat))


if __name__ == "__main__":
    main()
