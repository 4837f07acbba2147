"""How long a neuron takes for a time step in a large layer: biosnn beside stock Brian2.

    python benchmarks/neurons.py [--repeat 5]

The cells are those of Diehl & Cook's network, with the equations of the catalogue on both sides, and as many of them
get a spike as there are answers to an image. Every side is a C++ program of its own, built with the same compiler and
flags. They take turns, one thread each, and medians are printed. Time is CPU time of the time steps, as the programs
measure it; it has in it what brings the spikes. That the sides do the same is seen from their spikes and potentials.
"""

from __future__ import annotations

import argparse
import math

from sides import neurons
from sides.tables import Rounds, Row, show

# At least so many times the time of biosnn in double precision.
WANTED = {"lif_inhibitory": 6.0, "lif_adaptive": 2.5}


def show_neurons(rounds: Rounds) -> None:
    for model, what in neurons.MODELS.items():
        sides = [name for name in rounds.sides if name.endswith(f"_{model}")]
        each = {name: rounds.seconds(name) / neurons.STEPS / neurons.CELLS * 1e9 for name in sides}
        spikes = [rounds.count(name, "spikes") for name in sides]
        totals = [rounds.count(name, "total") for name in sides]
        same = max(spikes) - min(spikes) <= 0.02 * max(spikes) and math.isclose(max(totals), min(totals), rel_tol=1e-4)
        ours = each[f"ours_{model}"]
        rows = [
            Row(
                rounds.label(name),
                [f"{each[name]:.2f}", f"{each[name] / ours:.2f}", f"{rounds.count(name, 'spikes'):.0f}"],
                *((each[name] / ours, "time / ours", WANTED[model]) if name.startswith("stock") else ()),
            )
            for name in sides
        ]
        heads = ["ns a step", "time / ours", "spikes"]
        title = f"{neurons.CELLS} {what} ({model}), {neurons.REACHED} spikes to them in {neurons.PERIOD}"
        show(f"{title} (spikes and potentials {'agree' if same else 'DIFFER'})", heads, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=5, help="how often each runs (medians are printed)")
    show_neurons(Rounds("neurons", parser.parse_args().repeat))


if __name__ == "__main__":
    main()
