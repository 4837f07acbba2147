"""Which four states does a network of excitatory and inhibitory neurons with random sparse connections have?

Brunel (2000) showed in theory and simulation that the strength of inhibition and the rate of external spikes decide
whether the neurons of such a network are in step or not, and whether each of them fires regularly or like a Poisson
process. His figure 8 has one example of each of four states. Do they come out, at his rates, and where the mean-field
theory says?
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from brian2 import Hz, Network, Quantity, SpikeMonitor, mV, second
from brian2 import ms as msecond

from biosnn.engine import Point, Simulation
from biosnn.groups.build import neurons, synapses
from biosnn.inputs import background
from biosnn.measure import cv, population_rate, power_spectrum, synchrony, window_counts
from biosnn.projection import FixedIndegree
from biosnn.seeds import derived_seed
from biosnn.study import Claim, Result, setting

from . import numbers as n
from .mean_field import fixed_point

TARGET = "cpp"
ANSWER = (
    "Networks A to D fire at {A rate}, {B rate}, {C rate} and {D rate}; mean-field theory gives {A rate in "
    "mean field}, {B rate in mean field}, {C rate in mean field} and {D rate in mean field}."
)
METHOD = """\
12,500 leaky integrate-and-fire neurons (`lif_psc_delta`), four fifths excitatory. Each has 1000 excitatory and 250
inhibitory synapses from neurons that are drawn, and 1000 Poisson sources of its own from outside. A spike arrives
after 1.5 ms and moves the membrane potential by J = 0.1 mV, one of an inhibitory neuron by -g J. The four states
differ in g and in the external rate, given as a multiple of the rate whose mean input reaches the threshold.

1. Rates and CV of the intervals between spikes are means over neurons, after the network has settled.
2. The power spectrum is that of the population's rate in bins of 0.1 ms (Welch), a mean over networks; the global
   frequency is where it is highest, above 10 Hz.
3. The synchrony chi is that of counts in windows of 2 ms, of the population.
4. The mean-field rate is the one that Siegert's formula returns for the input that neurons of this rate give each
   other.

The network of state A, where inhibition is weak (g = 3), is the control: it must be regular. With `inhibition=3`,
state C becomes such a network too, and its claims must fail."""

WARM = 0.2  # seconds
BIN = 0.1e-3
LOWEST = 10.0  # Hz, of a global frequency
LENGTH = {"A": 1 / 3, "B": 1, "C": 1, "D": 4}  # A has fifty times as many spikes as D
OSCILLATING = ("B", "D")
SHOWN_CELLS = 50


@dataclass(frozen=True)
class Settings:
    duration: Quantity = setting(
        1.0 * second,
        "time over which each network is measured; a third in state A, four times it in D",
        minimum=0.05 * second,
    )
    seeds: int = setting(3, "networks per state", minimum=1)
    size: float = setting(1.0, "share of the neurons; each keeps its number of synapses", minimum=0.01, maximum=1.0)
    inhibition: float = setting(5.0, "g in state C; the control is 3, where excitation prevails", minimum=0.0)


def run(settings: Settings, sim: Simulation) -> Result:
    sim.reset(dt=n.DT * msecond)
    states = {**n.REGIMES, "C": (settings.inhibition, n.REGIMES["C"][1])}
    runs = [(name, number) for name in states for number in range(settings.seeds)]
    found = dict(zip(runs, _simulate(sim, settings, states, runs), strict=True))
    values: dict[str, Any] = {}
    arrays: dict[str, Any] = {}
    for name, (g, eta) in states.items():
        each = [found[name, number] for number in range(settings.seeds)]
        arrays |= {f"{name} {key}": value for key, value in each[0].items() if key.startswith("shown")}
        values |= {f"{name} {key}": np.mean([one[key] for one in each]) for key in ("CV", "synchrony")}
        rate = float(np.mean([one["rate"] for one in each]))
        frequencies, power = each[0]["frequencies"], np.mean([one["power"] for one in each], axis=0)
        arrays |= {f"{name} frequency": frequencies * Hz, f"{name} power": power * Hz}
        high = frequencies >= LOWEST
        theory = fixed_point(g, eta)
        values |= {
            f"{name} rate": rate * Hz,
            # A population of independent Poisson neurons has the power r/N at every frequency.
            f"{name} peak of the spectrum": power[high].max() / (rate / _cells(settings)) if rate else 0.0,
            f"{name} rate in mean field": theory * Hz,
            f"{name} rate by that in mean field": rate / theory,
        }
        if name in OSCILLATING:
            values[f"{name} global frequency"] = frequencies[high][np.argmax(power[high])] * Hz
    asked = settings.inhibition == n.REGIMES["C"][0]
    return Result(values, arrays, not_applicable=() if asked else [name for name in EXPECTED if name.startswith("C ")])


def _cells(settings: Settings) -> int:
    return sum(_sizes(settings))


def _sizes(settings: Settings) -> tuple[int, int]:
    exc, inh = (max(1, round(settings.size * size)) for size in n.SIZES.values())
    return exc, inh


def _simulate(
    sim: Simulation, settings: Settings, states: dict[str, tuple[float, float]], runs: Sequence[tuple[str, int]]
) -> list[dict[str, Any]]:
    """What is measured in each network."""
    exc, _ = _sizes(settings)
    cells = neurons(_cells(settings), "lif_psc_delta", name="cells")
    given: Any = {"onto": "v", "delay": n.DELAY * msecond}
    few, many = FixedIndegree(n.INDEGREES["I"]), FixedIndegree(n.INDEGREES["E"])
    excite = synapses(cells[:exc], cells, "static", gain=n.J * mV, connect=many, name="excite", **given)
    inhibit = synapses(cells[exc:], cells, "static", gain=-n.J * mV, connect=few, name="inhibit", **given)
    outside = background(cells, "v", n=n.INDEGREES["E"], rate=1 * Hz, weight=n.J * mV, name="outside")
    spikes = SpikeMonitor(cells, name="spikes")
    network = Network(cells, excite, inhibit, outside, spikes)
    warm = min(WARM, float(settings.duration / second))
    points, times = [], []
    for name, number in runs:
        g, eta = states[name]
        times.append(LENGTH[name] * float(settings.duration / second))
        given = {"inhibit.gain": -g * n.J * mV, "outside.rate": n.external_rate(eta) * Hz}
        seed = derived_seed(sim.seed, number, "ABCD".index(name))
        points.append(Point(given, seed=seed, durations=[warm + times[-1]] * second))

    def read(number: int) -> dict[str, Any]:
        at, of = np.asarray(spikes.t / second), np.asarray(spikes.i)
        return measure(at, of, _cells(settings), warm, warm + times[number])

    return sim.sweep(network, lambda: sim.run(network, 1 * second, "four states"), points, read)


def measure(at: np.ndarray, of: np.ndarray, cells: int, begin: float, end: float) -> dict[str, Any]:
    """Rate, regularity and synchrony of a network, and what figure 8 shows of it."""
    late = at >= begin
    at, of = at[late], of[late]
    irregularity = cv(at, of, neurons=cells)
    middles, rates = population_rate(at, neurons=cells, begin=begin, end=end, window=BIN)
    frequencies, power = power_spectrum(rates, BIN, segment=min(0.5, (end - begin) / 2))
    some = of < SHOWN_CELLS
    return {
        "rate": len(at) / cells / (end - begin),
        "CV": float(np.nanmean(irregularity)) if np.isfinite(irregularity).any() else np.nan,
        "synchrony": synchrony(window_counts(at, of, window=0.002, begin=begin, end=end, neurons=cells)),
        "frequencies": frequencies[frequencies <= 1000],
        "power": power[frequencies <= 1000],
        "shown time": at[some] * second,
        "shown cell": of[some],
        "shown middle": middles * second,
        "shown rate": rates * Hz,
    }


# ---- what is claimed ---------------------------------------------------------------------------------------------

EXPECTED = ["C rate", "C CV", "C rate by that in mean field"]


def _active(result: Result) -> bool:
    """Every network fires, neurons of the slowest often enough for intervals."""
    return all(result.values[f"{name} rate"] > 1 * Hz for name in n.REGIMES)


CLAIMS = [
    Claim(
        "irregular",
        "Where inhibition prevails (C), neurons fire irregularly: their mean CV is above 0.7.",
        lambda result: bool(result.values["C CV"] > 0.7),
        _active,
    ),
    Claim(
        "less regular than the control",
        "Where inhibition prevails (B, C, D), the mean CV is above 0.3, and ten times that of the control (A).",
        lambda result: all(result.values[f"{name} CV"] > max(0.3, 10 * result.values["A CV"]) for name in "BCD"),
        _active,
    ),
    Claim(
        "asynchronous",
        "In C the spectrum has no peak a fifth as high as in B, relative to independent neurons.",
        lambda result: bool(
            result.values["C peak of the spectrum"] < 0.2 * result.values["B peak of the spectrum"]
            and result.values["C synchrony"] < 0.5 * result.values["B synchrony"]
        ),
        _active,
    ),
    Claim(
        "oscillations",
        "In B and D the population oscillates at least twice as fast as its neurons fire, irregularly.",
        lambda result: all(
            result.values[f"{name} global frequency"] > 2 * result.values[f"{name} rate"]
            and result.values[f"{name} peak of the spectrum"] > 10
            and result.values[f"{name} CV"] > 0.5
            for name in OSCILLATING
        ),
        _active,
    ),
    Claim(
        "control",
        "Where excitation prevails (A), neurons fire fast and regularly: above 200 Hz, with a CV under 0.2.",
        lambda result: bool(result.values["A rate"] > 200 * Hz and result.values["A CV"] < 0.2),
        _active,
    ),
]
