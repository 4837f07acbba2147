"""How does a network of neurons decide?

A monkey sees dots of which some move together, and decides where to. Neurons of its cortex ramp up for a second and
stay up, though the membrane of a neuron forgets within 20 ms. Wang (2002) proposed that two populations compete
through inhibition, and excite themselves by slow NMDA receptors, which integrate the evidence and then keep the
decision. How often is the network right, at which coherence of the dots? And does it decide without NMDA receptors?
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from brian2 import Hz, Network, NeuronGroup, SpikeMonitor, ms, second
from scipy.optimize import minimize

from biosnn.engine import Point, Simulation
from biosnn.groups.build import neurons, synapses
from biosnn.inputs import background
from biosnn.measure import population_rate
from biosnn.projection import Dense, OneToOne, Projection, Sparse
from biosnn.seeds import derived_seed
from biosnn.study import Claim, Result, setting

from . import parameters as n

TARGET = "cpp"
ANSWER = (
    "The threshold of the fit to right decisions is a coherence of {threshold} %, and {correct at the highest "
    "coherence|%} are right at the highest; without NMDA receptors {control, decided|%} of the trials are decided."
)
METHOD = """\
1600 pyramidal cells and 400 interneurons (`lif_nmda`), joined all to all. Two populations of 240 pyramidal cells
stand for the two directions: weights within each are 1.7, those from other pyramidal cells 0.876, all others 1. Every
neuron gets 2400 spikes a second from outside.

The stimulus, from 0.5 to 1.5 s, is a Poisson train to each cell of the two populations, of rates that are drawn every
50 ms: 40 Hz times 1 + c and 1 - c on average, with a standard deviation of 4 Hz, where c is the coherence.

1. Each trial is one network with other random numbers. It has decided for the population that fires faster in the last
   quarter of a second, from 0.25 s after the stimulus, if at least twice as fast as the other; else for none, which
   counts as half right.
2. The share of correct decisions is fitted by 1 - 0.5 exp(-(c/threshold)^slope), by maximum likelihood.
3. The NMDA synapses of a neuron saturate, all together. The sum of them is worked out in each time step: that over each
   population, then what each neuron gets of it.

The control has no NMDA receptors (`nmda=0`). It is run beside the others at the highest coherence, and
must keep nothing."""

BEFORE, SHOWING, AFTER = 0.5, 1.0, 0.5  # seconds
LAST = 0.25
DECIDED = 2.0  # times as fast as the other
SHOWN_WINDOW, SHOWN_SMOOTHING = 0.005, 0.02
SHOWN = (3.2, 12.8, 51.2)


@dataclass(frozen=True)
class Settings:
    coherences: tuple[float, ...] = setting((3.2, 6.4, 12.8, 25.6, 51.2), "coherences (%)", minimum=0.0, maximum=90.0)
    trials: int = setting(24, "trials at each coherence", minimum=1)
    nmda: float = setting(1.0, "factor of the NMDA conductances; 0 is the control", minimum=0.0)
    size: float = setting(1.0, "share of the neurons; conductances grow as these get fewer", minimum=0.1, maximum=1.0)


def run(settings: Settings, sim: Simulation) -> Result:
    sim.reset(dt=n.DT * ms)
    runs = [(c, settings.nmda, trial) for c in settings.coherences for trial in range(settings.trials)]
    highest = max(settings.coherences)
    runs += [(highest, 0.0, settings.trials + trial) for trial in range(max(1, settings.trials // 4))]
    found = _simulate(sim, settings, runs)
    count = len(settings.coherences) * settings.trials
    decisions = np.array([one["decision"] for one in found[:count]]).reshape(-1, settings.trials)
    right = (decisions == 0) + 0.5 * (decisions < 0)
    coherences = np.array(settings.coherences)
    threshold, slope = fit(coherences, right.sum(axis=1), settings.trials)
    decided = [one for one in found[:count] if one["decision"] >= 0]
    control = found[count:]
    values: dict[str, Any] = {
        "threshold": threshold,
        "slope": slope,
        "decided": len(decided) / count,
        "correct at the highest coherence": right[np.argmax(coherences)].mean(),
        "rate of pyramidal cells before": np.mean([one["before"][:3] for one in found[:count]] @ _shares()) * Hz,
        "rate of interneurons before": np.mean([one["before"][3] for one in found[:count]]) * Hz,
        "winner at the end of the stimulus": np.mean([max(one["end"]) for one in decided] or [0.0]) * Hz,
        "loser at the end of the stimulus": np.mean([min(one["end"]) for one in decided] or [0.0]) * Hz,
        "winner": np.mean([max(one["late"]) for one in decided] or [0.0]) * Hz,
        "loser": np.mean([min(one["late"]) for one in decided] or [0.0]) * Hz,
        "control, rate in the stimulus": np.mean([one["during"] for one in control]) * Hz,
        "control, difference": np.mean([abs(one["late"][0] - one["late"][1]) for one in control]) * Hz,
        "control, decided": np.mean([one["decision"] >= 0 for one in control]),
    }
    arrays = {"coherence": coherences, "correct": right.mean(axis=1), "time": found[0]["time"] * second}
    for c in SHOWN:
        if c in settings.coherences:
            first = list(settings.coherences).index(c) * settings.trials
            arrays[f"shown rates, {c:g}"] = np.array([one["course"] for one in found[first : first + 10]]) * Hz
    arrays["shown rates, control"] = np.array([one["course"] for one in control]) * Hz
    return Result(values, arrays)


def _shares() -> np.ndarray:
    return np.array([n.SELECTIVE, n.SELECTIVE, 1 - 2 * n.SELECTIVE])


def fit(coherences: np.ndarray, right: np.ndarray, trials: int) -> tuple[float, float]:
    """Threshold (%) and slope at which these numbers of correct decisions are most likely."""

    def unlikely(logs: np.ndarray) -> float:
        share = np.clip(n.correct(coherences, *np.exp(logs)), 1e-6, 1 - 1e-6)
        return -float(np.sum(right * np.log(share) + (trials - right) * np.log(1 - share)))

    starts = [np.log([threshold, slope]) for threshold in (5, 10, 20) for slope in (1.0, 2.0)]
    best = min((minimize(unlikely, start, method="Nelder-Mead") for start in starts), key=lambda one: one.fun)
    threshold, slope = np.exp(best.x)
    return float(threshold), float(slope)


# ---- the network -------------------------------------------------------------------------------------------------


def _simulate(sim: Simulation, settings: Settings, runs: list[tuple[float, float, int]]) -> list[dict[str, Any]]:
    """What is measured in each trial."""
    exc, inh = (round(settings.size * size) for size in n.SIZES.values())
    cells = {"E": neurons(exc, "lif_nmda", name="pyramids")}
    cells["I"] = neurons(inh, "lif_nmda", preset="interneuron", name="interneurons")
    population = n.populations(exc)
    sums, objects = _nmda(cells, population)
    objects += _fast(cells, population)
    ends = np.concatenate([[0], np.cumsum(np.bincount(population))])
    stimuli = []
    for number in range(2):
        part = cells["E"][int(ends[number]) : int(ends[number + 1])]
        stimulus = background(part, "s_ext", n=1, rate=0 * Hz, weight=1, name=f"stimulus_{number}")
        during = f"int(t > {BEFORE - 1e-3}*second and t < {BEFORE + SHOWING - 1e-3}*second)"
        drawn = f"clip({n.STIMULUS} + {n.STIMULUS_SD}*randn()/n, 0, 1000)*Hz"
        stimulus.run_regularly(f"rate = {drawn}*{during}", dt=n.STIMULUS_STEP * ms, when="start")
        stimuli.append(stimulus)
    outside = [
        background(group, "s_ext", n=1, rate=n.OUTSIDE * Hz, weight=1, name=f"outside_{sign}")
        for sign, group in cells.items()
    ]
    monitors = [SpikeMonitor(group, name=f"spikes_{sign}") for sign, group in cells.items()]
    network = Network(*cells.values(), sums, *objects, *stimuli, *outside, *monitors)
    points = []
    for coherence, nmda, trial in runs:
        given = {f"stimulus_{number}.n": 1 + sign * coherence / 100 for number, sign in ((0, 1), (1, -1))}
        for group in cells.values():
            for name in ("g_nmda", "g_ampa", "g_gaba"):
                factor = nmda if name == "g_nmda" else 1.0
                given[f"{group.name}.{name}"] = factor / settings.size * group.model.parameters[name].quantity
        points.append(Point(given, seed=derived_seed(sim.seed, round(10 * coherence), trial)))
    end = BEFORE + SHOWING + AFTER

    def read(_: int) -> dict[str, Any]:
        exc_spikes, inh_spikes = ((np.asarray(seen.t / second), np.asarray(seen.i)) for seen in monitors)
        return measure(exc_spikes, inh_spikes, population, inh)

    return sim.sweep(network, lambda: sim.run(network, end * second, "decisions"), points, read)


def _nmda(cells: dict[str, NeuronGroup], population: np.ndarray) -> tuple[NeuronGroup, list[Any]]:
    """What sums the open NMDA channels: over pyramidal cells, as four kinds of neurons see them, then for each."""
    sums = NeuronGroup(4, "total : 1", threshold="total < 0", name="sums")  # never: a projection wants what can spike
    delayed = Projection(cells["E"], cells["E"], OneToOne(), on_pre="x_post += 1", delay=n.DELAY * ms, name="opens")
    gather = Projection(cells["E"], sums, Dense(), n.weights()[population], name="gather")
    sums.run_regularly("total = 0", when="start", order=0)
    gather.run_regularly("total_post += w*s_pre", when="start", order=1)
    objects = [delayed, gather]
    for sign, kind in (("E", population), ("I", np.full(len(cells["I"]), 3))):
        cells[sign].run_regularly("s_nmda = 0", when="start", order=1)
        spread = Projection(sums, cells[sign], Sparse.pairs(kind, np.arange(len(kind))), 1.0, name=f"spread_{sign}")
        spread.run_regularly("s_nmda_post += w*total_pre", when="start", order=2)
        objects.append(spread)
    return sums, objects


def _fast(cells: dict[str, NeuronGroup], population: np.ndarray) -> list[Any]:
    """AMPA and GABA synapses."""
    exc, table = len(population), n.weights()
    given = {"E": table[population][:, population], "I": np.ones((exc, len(cells["I"])))}
    wires = []
    for target, weight in given.items():
        shared: dict[str, Any] = {"connect": Dense(), "gain": 1.0, "delay": n.DELAY * ms}
        names = (f"ampa_{target}", f"gaba_{target}")
        values = {"w": weight}
        wires.append(synapses(cells["E"], cells[target], onto="s_ampa", values=values, name=names[0], **shared))
        wires.append(synapses(cells["I"], cells[target], onto="s_gaba", name=names[1], **shared))
    return wires


def measure(
    exc: tuple[np.ndarray, np.ndarray], inh: tuple[np.ndarray, np.ndarray], population: np.ndarray, interneurons: int
) -> dict[str, Any]:
    """Rates before and after the stimulus, and what the network has decided: 0, 1, or -1 for nothing."""
    end = BEFORE + SHOWING + AFTER
    sizes, kind = np.bincount(population), population[exc[1]]

    def rate(number: int, begin: float, end: float) -> float:
        inside = (kind == number) & (exc[0] >= begin) & (exc[0] < end)
        return float(inside.sum() / sizes[number] / (end - begin))

    late = [rate(number, end - LAST, end) for number in range(2)]
    given: dict[str, Any] = {"begin": 0.0, "end": end, "window": SHOWN_WINDOW, "smoothing": SHOWN_SMOOTHING}
    courses = [population_rate(exc[0][kind == number], neurons=sizes[number], **given) for number in range(2)]
    quiet = (inh[0] >= 0.2) & (inh[0] < BEFORE)
    before = [rate(number, 0.2, BEFORE) for number in range(3)]
    return {
        "late": late,
        "end": [rate(number, BEFORE + SHOWING - LAST, BEFORE + SHOWING) for number in range(2)],
        "during": [rate(number, BEFORE, BEFORE + SHOWING) for number in range(2)],
        "decision": int(np.argmax(late)) if max(late) > DECIDED * min(late) else -1,
        "before": np.array([*before, quiet.sum() / interneurons / (BEFORE - 0.2)]),
        "time": courses[0][0],
        "course": np.array([one for _, one in courses]),
    }


# ---- what is claimed ---------------------------------------------------------------------------------------------


def _active(result: Result) -> bool:
    """Cells fire before the stimulus, and without NMDA receptors they answer it."""
    return bool(
        result.values["rate of interneurons before"] > 1 * Hz
        and result.values["control, rate in the stimulus"] > 1 * Hz
    )


CLAIMS = [
    Claim(
        "decisions",
        "The network decides in at least nine of ten trials, and at the highest coherence is right in at least 95 %.",
        lambda result: bool(
            result.values["decided"] >= 0.9 and result.values["correct at the highest coherence"] >= 0.95
        ),
        _active,
    ),
    Claim(
        "one wins",
        "At the end of the stimulus one population fires above 15 Hz, on average, and afterwards it still fires 5 "
        "times as fast as the other.",
        lambda result: bool(
            result.values["winner at the end of the stimulus"] > 15 * Hz
            and result.values["winner"] > 5 * result.values["loser"]
        ),
        _active,
    ),
    Claim(
        "control",
        "Without NMDA receptors nothing is decided: afterwards both populations fire alike (within 3 Hz).",
        lambda result: bool(result.values["control, difference"] < 3 * Hz and result.values["control, decided"] == 0),
        _active,
    ),
]
