"""How long a draw of background input takes: biosnn beside Brian2's PoissonInput.

    python benchmarks/background.py [--repeat 5]

Every neuron gets the spikes of 1600 sources of 2 Hz: 1.6 in each step of 0.5 ms. Every side is a C++ program of its
own, built with the same compiler and flags. They take turns, one thread each, and medians are printed, less the time of
the same neurons without input. That the sides do the same is seen from the mean of what arrives.
"""

from __future__ import annotations

import argparse

from sides import background
from sides.tables import Rounds, Row, show

# At least so many times the time of biosnn.
WANTED = 4.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=5, help="how often each runs (medians are printed)")
    rounds = Rounds("background", parser.parse_args().repeat)
    draws = background.CELLS * background.STEPS
    each = {name: rounds.seconds(name, "none") / draws * 1e9 for name in rounds.sides if name != "none"}
    weights = sum(neuron % 7 + 1 for neuron in range(background.CELLS))  # by which a program adds up what it has
    means = {name: rounds.count(name, "total") / weights / background.STEPS for name in each}
    rows = [
        Row(
            rounds.label(name),
            [f"{each[name]:.2f}", f"{each[name] / each['ours']:.2f}", f"{means[name]:.4f}"],
            *((each[name] / each["ours"], "time / ours", WANTED) if name == "stock" else ()),
        )
        for name in each
    ]
    title = (
        f"{background.CELLS} neurons, {background.SOURCES} sources of {background.RATE} each, {background.STEPS} steps"
    )
    show(title, ["ns per draw", "time / ours", "mean"], rows)


if __name__ == "__main__":
    main()
