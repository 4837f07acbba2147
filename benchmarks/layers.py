"""How long layers that learn without labels take for an image: biosnn beside C++ by hand, and beside BindsNET.

    python benchmarks/layers.py [--repeat 3] [--peer PYTHON]

Feature maps learn from images, and cells learn from the spikes of pooled maps; see sides/layers.py. The C++ program
does the same in the same time steps: that both come to the same weights in double precision is checked. Sides take
turns, one thread each; medians of the CPU time of the time steps are printed. PYTHON is an interpreter that has
BindsNET: layers_peer.py says which of its networks is measured, in the same run.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
from pathlib import Path

from sides import layers, mnist
from sides.programs import environment
from sides.tables import Rounds, Row, show

HERE = Path(__file__).parent
PEER = {"maps": "maps, BindsNET, 22 steps", "cells": "cells, BindsNET, 12 steps"}
WANTED = 2.0
"""At most so many times the time of C++ by hand."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=3, help="how often each runs (medians are printed)")
    parser.add_argument("--peer", metavar="PYTHON", default="", help="an interpreter that has BindsNET")
    given = parser.parse_args()
    rounds = Rounds("layers", given.repeat)
    images = {"maps": layers.IMAGES, "cells": layers.PRESENTATIONS}
    rows = []
    for work, count in images.items():
        hand, best = (rounds.seconds(f"{work}{side}") / count for side in ("_hand", "32"))
        for name in (work, f"{work}32", f"{work}_hand"):
            each = rounds.seconds(name) / count
            answers = f"{rounds.count(name, 'answers') / count:.1f}"
            target = (each / hand, "time / C++", WANTED, False) if name == f"{work}32" else ()
            cells = [f"{1 / each:,.0f}", f"{1000 * each:.2f}", f"{each / best:.2f}", answers]
            rows.append(Row(rounds.label(name), cells, *target))
        if given.peer:
            found = _peer(given.peer, work)
            each = found["seconds"] / found["images"]
            cells = [f"{1 / each:,.0f}", f"{1000 * each:.2f}", f"{each / best:.2f}", f"{found['spikes']:.1f}"]
            rows.append(Row(PEER[work], cells))
    totals = [[rounds.count(name, "total") for name in (work, f"{work}_hand")] for work in images]
    same = all(math.isclose(*pair, rel_tol=1e-6) for pair in totals)  # rounding grows as weights learn from weights
    _, source = mnist.images(1)
    title = f"Layers that learn, {layers.IMAGES} images ({source}) and {layers.PRESENTATIONS} presentations"
    heads = ["images/s", "ms an image", "time / ours", "spikes an image"]
    show(f"{title} (weights {'agree' if same else 'DIFFER'})", heads, rows)


def _peer(python: str, work: str) -> dict[str, float]:
    command = [python, str(HERE / "layers_peer.py"), work]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with exit code {done.returncode}:\n{done.stderr[-2000:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    main()
