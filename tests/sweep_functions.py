"""Functions that sweeps of the tests run: quick, and some that fail, are killed, or wait."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from brian2 import Network, NeuronGroup, Quantity, SpikeMonitor, ms

import biosnn
from biosnn.study import Result, setting

TARGET = "numpy"
MARKS = "BIOSNN_TEST_MARKS"
"""The variable that says where functions leave a mark of each time that they are run."""


RULES = ("good", "error", "killed", "killed once", "exit")


@dataclass(frozen=True)
class Settings:
    tau: Quantity = setting(10 * ms, "membrane time constant", minimum=1 * ms)
    n: int = setting(2, "number of neurons", minimum=1)
    gains: tuple[float, ...] = setting((1.0, 2.0), "gains")
    rule: str = setting("good", "what happens", choices=RULES)
    folder: str = setting("", "a file or folder")


def noise(settings: Settings, sim: biosnn.Simulation) -> Result:
    """What does noise become?

    Nothing is simulated.
    """
    numbers = np.random.default_rng(sim.seed).normal(size=settings.n) * sum(settings.gains)
    if settings.rule == "error":
        raise ValueError("this one fails by its own fault")
    if settings.rule == "exit":
        os._exit(3)
    if settings.rule.startswith("killed") and _is_to_be_killed(settings):
        os.kill(os.getpid(), signal.SIGKILL)
    return Result(values={"mean": numbers.mean(), "time": settings.tau / 2}, arrays={"numbers": numbers})


def _is_to_be_killed(settings: Settings) -> bool:
    mark = Path(os.environ[MARKS], f"killed {settings.n}")
    if settings.rule == "killed once" and mark.exists():
        return False
    mark.touch()
    return True


@dataclass(frozen=True)
class Slow:
    seconds: float = setting(0.1, "how long it waits")
    place: int = setting(0, "which point")


def waits(settings: Slow, sim: biosnn.Simulation) -> Result:
    """Is it run once, to its end?"""
    time.sleep(settings.seconds)
    # Not in a setting: the content of a folder that one names is part of what a result follows from.
    with open(Path(os.environ[MARKS], f"{settings.place}-{sim.seed}"), "a", encoding="utf-8") as file:
        file.write(f"{os.getpid()}\n")
    return Result(values={"place": settings.place}, arrays={"numbers": np.arange(settings.place + 3)})


@dataclass(frozen=True)
class Cells:
    drive: float = setting(1.5, "drive in units of the threshold")


def spikes(settings: Cells, sim: biosnn.Simulation) -> Result:
    """When do noisy neurons fire?"""
    equation = "dv/dt = (drive - v)/(10*ms) + 0.2*xi*(10*ms)**-0.5 : 1"
    cells = NeuronGroup(
        5, equation, threshold="v > 1", reset="v = 0", method="euler", namespace={"drive": settings.drive}
    )
    monitor = SpikeMonitor(cells)
    sim.run(Network(cells, monitor), 30 * ms)
    return Result(values={"spikes": int(monitor.num_spikes)}, arrays={"times": monitor.t[:]})


def without_types(settings, sim):
    """Its settings have no type."""
    return Result(values={"seed": sim.seed, "settings": len(settings)})
