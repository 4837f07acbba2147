"""Which rhythms does a network of a thousand simple model neurons have?

Izhikevich (2003) gave a neuron model of two equations, and twenty lines of program that simulate a thousand of them,
each different, all joined with random weights. He saw what cortex does: neurons fire like Poisson processes, about
eight times a second, and now and then the whole network falls into the alpha rhythm (10 Hz) or the gamma rhythm
(40 Hz). Does it, by numbers? And is it the network, or the neurons?
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from brian2 import Hz, Network, Quantity, SpikeMonitor, StateMonitor, ms, mV, second

from biosnn.engine import Point, Simulation
from biosnn.groups.build import neurons, synapses
from biosnn.measure import cv, population_rate, power_spectrum
from biosnn.projection import FixedProbability
from biosnn.seeds import derived_seed
from biosnn.study import Claim, Result, setting

from .published_program import simulate

TARGET = "cpp"
ANSWER = (
    "A thousand neurons fire at {rate}, with rhythms of {alpha frequency} and {gamma frequency} that are "
    "{alpha power} and {gamma power} times as strong as in independent neurons; without synapses none is "
    "above {control, highest power} times."
)
METHOD = """\
1000 neurons (`izhikevich_varied`), four fifths excitatory. Excitatory ones lie between regular spiking and chattering
(c = -65 mV + 15 mV r^2, d = 8 - 6 r^2, with r drawn evenly between 0 and 1), inhibitory ones between low-threshold
and fast spiking (a = 0.02 + 0.08 r, b = 0.25 - 0.05 r). Every neuron has a synapse onto every neuron, itself too, of a
weight drawn evenly from 0 to 0.5 where it excites and from -1 to 0 where it inhibits, and input from the thalamus,
normally distributed with a standard deviation of 5 and 2. A time step is 1 ms.

1. The rate and the CV of intervals are means over all neurons and networks, after the first half a second.
2. The power spectrum is that of the population's rate in bins of 1 ms (Welch, segments of 1 s). It is divided by what
   as many independent Poisson neurons of that rate would have, so that 1 means no rhythm. The alpha rhythm is where it
   is highest from 7 to 14 Hz, the gamma rhythm where it is highest from 25 to 70 Hz.
3. The published program, as it is said in the paper, once more in plain NumPy (`published_program.py`), with other
   random numbers: its rate must be the same.

The control has no synapses (`coupling=0`): the same neurons with the same input must have no rhythm. It is run beside
the others."""

SIZES = {"E": 800, "I": 200}
STEP = 1e-3  # seconds
WARM = 0.5
BANDS = {"alpha": (7.0, 14.0), "gamma": (25.0, 70.0)}
SHOWN = 1.0
UNIT = mV / ms


@dataclass(frozen=True)
class Settings:
    duration: Quantity = setting(20.0 * second, "time over which each network is measured", minimum=2 * second)
    seeds: int = setting(3, "networks", minimum=1)
    coupling: float = setting(1.0, "factor of all weights; 0 is the control", minimum=0.0)


def run(settings: Settings, sim: Simulation) -> Result:
    sim.reset(dt=STEP * second)
    end = WARM + float(settings.duration / second)
    *found, control = _simulate(sim, settings, end)
    frequencies, relative = found[0]["frequencies"], np.mean([one["relative"] for one in found], axis=0)
    programs = [
        simulate(end, STEP, SIZES, derived_seed(sim.seed, 1, number), settings.coupling)
        for number in range(settings.seeds)
    ]
    theirs = [measure(at, of, end) for at, of in programs]
    rate = float(np.mean([one["rate"] for one in found]))
    values: dict[str, Any] = {
        "rate": rate * Hz,
        "rate of excitatory neurons": np.mean([one["rate E"] for one in found]) * Hz,
        "rate of inhibitory neurons": np.mean([one["rate I"] for one in found]) * Hz,
        "CV": np.mean([one["CV"] for one in found]),
        "rate by that of the published program": rate / np.mean([one["rate"] for one in theirs]),
        "CV of the published program": np.mean([one["CV"] for one in theirs]),
        "control, rate": control["rate"] * Hz,
        "control, highest power": control["relative"][_rhythms(frequencies)].max(),
    }
    theirs_relative = np.mean([one["relative"] for one in theirs], axis=0)
    for name, (low, high) in BANDS.items():
        inside = (frequencies >= low) & (frequencies <= high)
        values[f"{name} frequency"] = frequencies[inside][np.argmax(relative[inside])] * Hz
        values[f"{name} power"] = relative[inside].max()
    arrays = {
        "frequency": frequencies * Hz,
        "power": relative,
        "power, published program": theirs_relative,
        "power, control": control["relative"],
        **{name: value for name, value in found[0].items() if name.startswith("shown")},
    }
    return Result(values, arrays)


def _rhythms(frequencies: np.ndarray) -> np.ndarray:
    inside = [(frequencies >= low) & (frequencies <= high) for low, high in BANDS.values()]
    return np.asarray(np.any(inside, axis=0))


def _simulate(sim: Simulation, settings: Settings, end: float) -> list[dict[str, Any]]:
    """What is measured in each network, and in one without synapses."""
    excites, first = f"int(i < {SIZES['E']})", SIZES["E"]
    each = {
        "a": f"(0.02 + 0.08*(1 - {excites})*rand())/ms",
        "b": f"0.2/ms + (1 - {excites})*(0.05/ms - 0.05/ms*(a - 0.02/ms)/(0.08/ms))",
        "c": f"-65*mV + 15*mV*{excites}*rand()**2",
        "d": f"(8*{excites} + 2*(1 - {excites}))*mV/ms - 6*mV/ms*(c + 65*mV)/(15*mV)",
        "sigma": f"(2 + 3*{excites})*mV/ms",
    }
    cells = neurons(sum(SIZES.values()), "izhikevich_varied", values=each, name="cells")
    all_to_all = FixedProbability(1.0)
    wires = [
        synapses(part, cells, "static", onto="I_syn", gain=UNIT, connect=all_to_all, values={"w": "rand()"}, name=name)
        for name, part in (("excite", cells[:first]), ("inhibit", cells[first:]))
    ]
    spikes, trace = SpikeMonitor(cells, name="spikes"), StateMonitor(cells, "v", record=[0], name="trace")
    network = Network(cells, *wires, spikes, trace)
    points = []
    for number in range(settings.seeds + 1):
        coupling = 0.0 if number == settings.seeds else settings.coupling
        given = {"excite.gain": 0.5 * coupling * UNIT, "inhibit.gain": -coupling * UNIT}
        points.append(Point(given, seed=derived_seed(sim.seed, 0, number)))

    def read(_: int) -> dict[str, Any]:
        at, of = np.asarray(spikes.t / second), np.asarray(spikes.i)
        late = np.asarray(trace.t / second) >= WARM
        shown = trace.v[0][late][: round(SHOWN / STEP)]
        return {**measure(at, of, end), "shown potential": shown}

    return sim.sweep(network, lambda: sim.run(network, end * second, "thousand neurons"), points, read)


def measure(at: np.ndarray, of: np.ndarray, end: float) -> dict[str, Any]:
    """Rates, regularity and rhythms of a network, and one second of its spikes."""
    at, of = at[at >= WARM], of[at >= WARM]
    total, first = sum(SIZES.values()), SIZES["E"]
    irregularity = cv(at, of, neurons=total)
    _, rates = population_rate(at, neurons=total, begin=WARM, end=end, window=STEP)
    frequencies, power = power_spectrum(rates, STEP, segment=1.0)
    rate, low = len(at) / total / (end - WARM), frequencies <= 150
    shown = at < WARM + SHOWN
    return {
        "rate": rate,
        "rate E": np.sum(of < first) / first / (end - WARM),
        "rate I": np.sum(of >= first) / SIZES["I"] / (end - WARM),
        "CV": float(np.nanmean(irregularity)) if np.isfinite(irregularity).any() else np.nan,
        "frequencies": frequencies[low],
        "relative": power[low] / (rate / total) if rate else np.zeros(low.sum()),
        "shown time": (at[shown] - WARM) * second,
        "shown cell": of[shown],
    }


# ---- what is claimed ---------------------------------------------------------------------------------------------

RHYTHM = 5.0


def _active(result: Result) -> bool:
    """The network fires, and neurons without synapses too."""
    return bool(result.values["rate"] > 1 * Hz and result.values["control, rate"] > 0.5 * Hz)


CLAIMS = [
    Claim(
        "rhythms",
        "The network has an alpha and a gamma rhythm: in both bands power is 5 times that of independent neurons.",
        lambda result: all(result.values[f"{name} power"] > RHYTHM for name in BANDS),
        _active,
    ),
    Claim(
        "irregular",
        "The neurons fire irregularly all the same: their mean CV is above 0.7.",
        lambda result: bool(result.values["CV"] > 0.7),
        _active,
    ),
    Claim(
        "control",
        "Without synapses there is no rhythm: power stays under 3 times that of independent neurons in both bands.",
        lambda result: bool(result.values["control, highest power"] < 3),
        _active,
    ),
]
