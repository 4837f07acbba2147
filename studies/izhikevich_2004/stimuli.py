"""The twenty experiments of figure1.m: what each cell is driven with, from where it starts, and in which steps."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Drive = Callable[[Any], Any]
"""Times in ms in, drives in mV/ms out."""


@dataclass(frozen=True)
class Experiment:
    """One panel of the figure.

    Parameters
    ----------
    preset : str
        Of the model ``izhikevich``, and the name of the pattern.
    letter : str
        Of the panel.
    drive : callable
        The drive at a time.
    start : float
        The first membrane potential (mV).
    step, end : float
        The time step and the duration (ms).
    recovery : float, optional
        The first recovery variable (mV/ms); by default b times the potential.
    """

    preset: str
    letter: str
    drive: Drive
    start: float
    step: float
    end: float
    recovery: float | None = None


def step(start: float, level: float) -> Drive:
    """A constant drive from a time on."""
    return lambda t: np.where(t > start, level, 0.0)


def pulses(*given: tuple[float, float, float], rest: float = 0.0) -> Drive:
    """Drives of a level between two times each, and one at all others."""
    return lambda t: np.select([(t > a) & (t < b) for a, b, _ in given], [level for *_, level in given], rest)


def ramp(start: float, slope: float, rest: float = 0.0) -> Drive:
    """A drive that grows from a time on."""
    return lambda t: rest + slope * np.maximum(t - start, 0.0)


def _two_ramps(t: Any) -> Any:
    return np.select([t < 200, t < 300, t < 312.5], [t / 25, 0.0 * t, (t - 300) / 12.5 * 4], 0.0)


def _inhibition(t: Any) -> Any:
    return np.where((t < 50) | (t > 250), 80.0, 75.0)


_PAIRS = [(start, start + 4, 0.65) for start in (40, 60, 280, 320)]
_CLOSE = [(start, start + 2, 9.0) for start in (100 / 11, 100 / 11 + 5, 70, 80)]

EXPERIMENTS = (
    Experiment("tonic_spiking", "A", step(10, 14), -70, 0.25, 100),
    Experiment("phasic_spiking", "B", step(20, 0.5), -64, 0.25, 200),
    Experiment("tonic_bursting", "C", step(22, 15), -70, 0.25, 220),
    Experiment("phasic_bursting", "D", step(20, 0.6), -64, 0.2, 200),
    Experiment("mixed_mode", "E", step(16, 10), -70, 0.25, 160),
    Experiment("spike_frequency_adaptation", "F", step(8.5, 30), -70, 0.25, 85),
    Experiment("class_1", "G", ramp(30, 0.075), -60, 0.25, 300),
    Experiment("class_2", "H", ramp(30, 0.015, -0.5), -64, 0.25, 300),
    Experiment("spike_latency", "I", pulses((10, 13, 7.04)), -70, 0.2, 100),
    Experiment("subthreshold_oscillations", "J", pulses((20, 25, 2)), -62, 0.25, 200),
    Experiment("resonator", "K", pulses(*_PAIRS), -62, 0.25, 400),
    Experiment("integrator", "L", pulses(*_CLOSE), -60, 0.25, 100),
    Experiment("rebound_spike", "M", pulses((20, 25, -15)), -64, 0.2, 200),
    Experiment("rebound_burst", "N", pulses((20, 25, -15)), -64, 0.2, 200),
    Experiment("threshold_variability", "O", pulses((10, 15, 1), (70, 75, -6), (80, 85, 1)), -64, 0.25, 100),
    Experiment("bistability", "P", pulses((37.5, 42.5, 1.24), (216, 221, 1.24), rest=0.24), -61, 0.25, 300),
    Experiment("depolarising_afterpotential", "Q", pulses((9, 11, 20)), -70, 0.1, 50),
    Experiment("accommodation", "R", _two_ramps, -65, 0.5, 400, recovery=-16),
    Experiment("inhibition_induced_spiking", "S", _inhibition, -63.8, 0.5, 350),
    Experiment("inhibition_induced_bursting", "T", _inhibition, -63.8, 0.5, 350),
)
STEPS = sorted({one.step for one in EXPERIMENTS})
