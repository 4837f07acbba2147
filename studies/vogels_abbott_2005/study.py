"""Can a network of neurons keep itself firing irregularly, by nothing but its own spikes?

Vogels & Abbott (2005) found that it can, with sparse random connections and strong inhibition, whether synapses are
currents or conductances. As benchmarks 1 (COBA) and 2 (CUBA) of Brette et al. (2007) the two networks became every
simulator's first. Do they fire at the rates that other simulators find, irregularly, without end? And does it take
inhibition?
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from brian2 import Hz, Network, NeuronGroup, Quantity, SpikeMonitor, nS, pA, second
from brian2 import ms as msecond

from biosnn.engine import Point, Simulation
from biosnn.groups.build import neurons, synapses
from biosnn.measure import cv, mean_correlation, population_rate, window_counts
from biosnn.projection import FixedProbability
from biosnn.seeds import derived_seed
from biosnn.study import Claim, Part, Result, run_parts, setting

from . import numbers as n

TARGET = "cpp"
ANSWER = (
    "The network of conductances fires at {coba rate} with a CV of {coba CV}, that of currents at {cuba rate}"
    " with {cuba CV}; without inhibition at {coba rate without inhibition} and {cuba rate without "
    "inhibition}."
)
METHOD = """\
4000 leaky integrate-and-fire neurons, four fifths excitatory; any two are joined with a probability of 2 %. Nothing
comes from outside.

- CUBA (`lif_exp`): a spike adds to a current that decays. The resting potential of -49 mV is above the threshold of
  -50 mV, and membrane potentials begin evenly between reset and threshold.
- COBA (`lif_cond`): a spike opens a conductance. The resting potential is below the threshold, so that the network
  has to be started: its first conductances are drawn as if many spikes had come before.

Rates and the CV of intervals are means over neurons and networks, after half a second. The correlation is that of
counts in windows of 50 ms, over all pairs.

The control is the same network without inhibition, for a third of a second: it must fire regularly and very fast.
`inhibition=0` makes the network itself such a one, and then its claims must fail."""

WARM, CONTROL = 0.5, 0.35  # seconds
CONTROL_WARM = 0.1
SHOWN_CELLS, SHOWN = 200, 0.5
NAMES = ("coba", "cuba")


@dataclass(frozen=True)
class Settings:
    parts: tuple[str, ...] = setting(NAMES, "which networks", choices=NAMES)
    duration: Quantity = setting(5.0 * second, "time over which each is measured", minimum=0.5 * second)
    seeds: int = setting(3, "networks of each kind", minimum=1)
    size: float = setting(1.0, "share of the neurons; each keeps its number of synapses", minimum=0.05, maximum=1.0)
    inhibition: float = setting(1.0, "factor of all inhibitory weights; 0 is the control", minimum=0.0)


def run(settings: Settings, sim: Simulation) -> Result:
    return run_parts(PARTS, settings.parts, settings, sim)


def _sizes(settings: Settings) -> tuple[int, int]:
    exc, inh = (max(1, round(settings.size * size)) for size in n.SIZES.values())
    return exc, inh


def _coba(settings: Settings, sim: Simulation) -> Result:
    sim.reset(dt=n.DT * msecond)
    units = {"v": "mV", "g_exc": "nS", "g_inh": "nS"}
    start = {name: f"({mean} + {sd}*randn())*{units[name]}" for name, (mean, sd) in n.COBA_START.items()}
    cells = neurons(sum(_sizes(settings)), "lif_cond", values=start, name="coba")
    return _network(settings, sim, "coba", cells, "g", n.COBA_WEIGHTS, nS)


def _cuba(settings: Settings, sim: Simulation) -> Result:
    sim.reset(dt=n.DT * msecond)
    start = {"v": "v_reset + rand()*(v_th - v_reset)"}
    cells = neurons(sum(_sizes(settings)), "lif_exp", values=start, name="cuba")
    return _network(settings, sim, "cuba", cells, "I", n.CUBA_WEIGHTS, pA)


def _network(
    settings: Settings, sim: Simulation, name: str, cells: NeuronGroup, onto: str, weights: dict[str, float], unit: Any
) -> Result:
    """A network at several seeds, and once without inhibition."""
    exc, total = _sizes(settings)[0], len(cells)
    kind = FixedProbability(n.CHANCE / settings.size)
    wires = [
        synapses(
            *(part, cells, "static"),
            onto=f"{onto}_{suffix}",
            gain=weights[sign] * unit,
            connect=kind,
            name=f"{name}_{suffix}",
        )
        for sign, suffix, part in (("E", "exc", cells[:exc]), ("I", "inh", cells[exc:]))
    ]
    spikes = SpikeMonitor(cells, name=f"{name}_spikes")
    network = Network(cells, *wires, spikes)
    end = WARM + float(settings.duration / second)
    points = []
    for number in range(settings.seeds + 1):
        without = number == settings.seeds
        gain = 0.0 if without else settings.inhibition * weights["I"]
        seed = derived_seed(sim.seed, NAMES.index(name), number)
        durations = [CONTROL if without else end] * second
        points.append(Point({f"{name}_inh.gain": gain * unit}, seed=seed, durations=durations))

    def read(number: int) -> dict[str, Any]:
        at, of = np.asarray(spikes.t / second), np.asarray(spikes.i)
        return measure(at, of, total, *((CONTROL_WARM, CONTROL) if number == settings.seeds else (WARM, end)))

    *found, control = sim.sweep(network, lambda: sim.run(network, end * second, name), points, read)
    values = {
        f"{name} rate": np.mean([one["rate"] for one in found]) * Hz,
        f"{name} CV": float(np.mean([one["CV"] for one in found])),
        f"{name} correlation": float(np.mean([one["correlation"] for one in found])),
        f"{name} slowest at the end": min(one["last"] for one in found) * Hz,
        f"{name} rate without inhibition": control["rate"] * Hz,
        f"{name} CV without inhibition": control["CV"],
    }
    arrays = {f"{name} {key}": value for key, value in found[0].items() if key.startswith("each")}
    arrays |= {f"{name} {key}": value for key, value in found[0].items() if key.startswith("shown")}
    arrays |= {f"{name} control {key}": value for key, value in control.items() if key.startswith("shown")}
    return Result(values, arrays)


def measure(at: np.ndarray, of: np.ndarray, cells: int, begin: float, end: float) -> dict[str, Any]:
    """Rate and regularity of a network, and what is drawn of it."""
    late = at >= begin
    at, of = at[late], of[late]
    irregularity = cv(at, of, neurons=cells)
    _, rates = population_rate(at, neurons=cells, begin=begin, end=end, window=(end - begin) / 5)
    shown = (of < SHOWN_CELLS) & (at < begin + SHOWN)
    return {
        "rate": len(at) / cells / (end - begin),
        "CV": float(np.nanmean(irregularity)) if np.isfinite(irregularity).any() else np.nan,
        "correlation": mean_correlation(window_counts(at, of, window=0.05, begin=begin, end=end, neurons=cells)),
        "last": rates[-1],
        "each rate": np.bincount(of, minlength=cells) / (end - begin) * Hz,
        "each CV": irregularity,
        "shown time": (at[shown] - begin) * second,
        "shown cell": of[shown],
    }


# ---- what is claimed ---------------------------------------------------------------------------------------------


def _claims(name: str, irregular: float) -> list[Claim]:
    label = name.upper()

    def active(result: Result) -> bool:
        """The network fires above 1 Hz."""
        return bool(result.values[f"{name} rate"] > 1 * Hz)

    return [
        Claim(
            f"{name} goes on",
            f"{label} still fires at the end, in each network at more than half of the mean rate.",
            lambda result: bool(result.values[f"{name} slowest at the end"] > result.values[f"{name} rate"] / 2),
            active,
        ),
        Claim(
            f"{name} irregular",
            f"{label} fires irregularly and asynchronously: mean CV above {irregular:g}, mean correlation under 0.05.",
            lambda result: bool(
                result.values[f"{name} CV"] > irregular and result.values[f"{name} correlation"] < 0.05
            ),
            active,
        ),
        Claim(
            f"{name} control",
            f"Without inhibition {label} fires at least five times as fast, regularly: CV under 0.3.",
            lambda result: bool(
                result.values[f"{name} rate without inhibition"] > 5 * result.values[f"{name} rate"]
                and result.values[f"{name} CV without inhibition"] < 0.3
            ),
            active,
        ),
    ]


PARTS = [Part("coba", _coba, _claims("coba", 1.0)), Part("cuba", _cuba, _claims("cuba", 0.4))]
CLAIMS = [claim for part in PARTS for claim in part.claims]
