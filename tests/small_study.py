"""A study small enough for a test, written to a folder; parts of it can be replaced."""

from __future__ import annotations

from pathlib import Path

STUDY = '''"""Does a neuron charge like an RC circuit?

The membrane potential after one time constant, against `1 - exp(-1)`.
"""
from dataclasses import dataclass

import numpy as np
from brian2 import Network, Quantity, StateMonitor, ms, mV

from biosnn.groups.build import neurons
from biosnn.study import Claim, Result, setting

TARGET = "numpy"
METHOD = "One neuron under a <constant> current."


@dataclass(frozen=True)
class Settings:
    duration: Quantity = setting(10 * ms, "how long to simulate", minimum=1 * ms)
    points: int = setting(3, "how many random numbers to draw", maximum=10)


def run(settings, sim):
    cell = neurons(1, "lif", values={"I": "0.1 nA"})
    trace = StateMonitor(cell, "v", record=True)
    sim.run(Network(cell, trace), settings.duration)
    v = trace.v[0]
    return Result(
        {"charge": v[-1] / (5 * mV), "peak": v.max(), "count": settings.points},
        {"t": trace.t[:], "v": v, "noise": np.random.rand(settings.points)},
    )


CLAIMS = [
    Claim("rises", "The potential only rises.", lambda r: bool((np.diff(r.arrays["v"]) >= 0).all()), lambda r: True),
]
'''

PLOT = """from brian2 import ms, mV

from biosnn.report import Figure, new_figure


def plot(result):
    figure, axes = new_figure()
    axes.plot(result.arrays["t"] / ms, result.arrays["v"] / mV)
    axes.set_axis_off()  # a test has nothing to read off them, and they take most of the time
    return [Figure("charge", figure, "The potential rises <b>smoothly</b>.")]
"""

EXPECTED = """[values.charge]
expected = 0.6321
tolerance = 0.01
kind = "published"
source = "closed form, 1 - exp(-1)"
"""


def write_study(
    folder: Path, study: str = STUDY, plot: str = PLOT, expected: str = EXPECTED, readme: str = "What it is."
) -> Path:
    """Write a study's four files into a new folder and return it."""
    folder.mkdir(parents=True)
    files = {"study.py": study, "plot.py": plot, "expected.toml": expected, "README.md": readme}
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder
