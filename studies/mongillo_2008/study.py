"""Can a memory be kept for seconds without spikes?

Neurons that code what is kept in mind are often all but silent while it is kept. Mongillo, Barak and Tsodyks (2008)
proposed where it is then: in the facilitation of their synapses, which lasts for a second after some spikes. Do the
neurons of a cued item answer an unspecific signal, and only they, though they were silent before? And does more
excitation make their activity come back by itself, in bursts, or go on?
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from brian2 import Hz, Network, Quantity, SpikeMonitor, StateMonitor, ms, mV, pA, second

from biosnn.engine import Point, Simulation
from biosnn.groups.build import neurons, synapses
from biosnn.measure import population_rate
from biosnn.projection import FixedTotal
from biosnn.seeds import derived_seed
from biosnn.study import Claim, Result, setting

from . import numbers as n

TARGET = "cpp"
ANSWER = (
    "{regimes found} of 3 regimes are found: with the weakest input the readout is at least {A readout over "
    "that of others, least} times that of other items, and neurons fire at {A rate in the delay} in the "
    "delay."
)
METHOD = """\
8000 excitatory and 2000 inhibitory integrate-and-fire neurons with noise (`lif_psc_stp`). Any two are joined with a
chance of 0.2, and each synapse between excitatory neurons facilitates and depresses (`stp_release`: U = 0.19, 1.5 s
and 200 ms). Five items are five populations of 800 neurons. Within each, synapses are potentiated (0.45 mV), and so
is a tenth of those from neurons of no item; all others are at the baseline (0.1 mV). The drive decides what comes of
a cue, in three regimes: 22.7 mV (A), 23.7 (B), 24.1 (C).

1. After 1 s the drive of one item is raised by 15 % for 350 ms (the cue), and in A 600 ms later that of all excitatory
   neurons by 5 % for 250 ms (the readout).
2. The delay is the time between them without its first 100 ms, the end the last half a second, up to 1 s (A) or 2.5 s
   (B, C) after the cue. Rates are those of the cued item, and the mean of the four others. Peaks are those of
   bins of 10 ms, of the cued item and of the highest of the others, and the variation is the standard deviation over
   the mean of bins of 10 ms, in the last second.
3. A population spike is a run of bins of 5 ms in which an item's rate is above 50 Hz.

The control has no facilitation (`facilitation=0`: u returns to U within 1 ms). It is run in A and in B beside the
others, and must keep nothing."""

SETTLE, DELAY = 1.0, 0.6  # seconds
EARLY = 0.1
END = {"A": 1.0, "B": 2.5, "C": 2.5}  # after the cue
LAST = 1.0  # of B and C, over which variation is measured
PEAK, NARROW = 0.01, 0.005
BURST = 50.0  # Hz
SHOWN_CELLS = 80  # of an item


@dataclass(frozen=True)
class Settings:
    seeds: int = setting(3, "networks in each regime", minimum=1)
    size: float = setting(1.0, "share of the neurons; each keeps its number of synapses", minimum=0.05, maximum=1.0)
    facilitation: float = setting(1.0, "factor of the time constant of facilitation; 0 is the control", minimum=0.0)
    highest: Quantity = setting(n.REGIMES["C"] * mV, "drive of excitatory neurons in C", minimum=20 * mV)
    settling: Quantity = setting(SETTLE * second, "time before the cue", minimum=0.3 * second)


def run(settings: Settings, sim: Simulation) -> Result:
    sim.reset(dt=n.DT * ms)
    runs = [(name, settings.facilitation, seed) for name in n.REGIMES for seed in range(settings.seeds)]
    runs += [(name, 0.0, settings.seeds) for name in "AB"]
    found = _simulate(sim, settings, runs)
    values: dict[str, Any] = {}
    arrays: dict[str, Any] = {}
    for place, name in enumerate(n.REGIMES):
        each = found[place * settings.seeds : (place + 1) * settings.seeds]
        values |= _summary(name, each)
        arrays |= {f"{name} {key}": value for key, value in each[0].items() if key.startswith("shown")}
    for name, one in zip("AB", found[-2:], strict=True):
        values |= _summary(f"control {name}", [one])
        arrays |= {f"control {name} {key}": value for key, value in one.items() if key.startswith("shown")}
    values["regimes found"] = sum(kept(values) for kept in (_silent, _comes_back, _goes_on))
    return Result(values, arrays)


def _summary(name: str, each: list[dict[str, Any]]) -> dict[str, Any]:
    """Means over networks, and the worst of what must hold in each."""
    rates = ["rate before", "rate in the delay", "rate of others in the delay", "peak of readout", "peak of others"]
    rates += ["rate in the end", "rate of others in the end"]
    values = {f"{name} {key}": np.mean([one[key] for one in each]) * Hz for key in rates}
    least = min(one["peak of readout"] / max(one["peak of others"], 1.0) for one in each)
    kept = ("population spikes", "population spikes of others")
    return (
        values
        | {f"{name} {key}": float(np.mean([one[key] for one in each])) for key in (*kept, "variation in the end")}
        | {f"{name} readout over that of others, least": least}
    )


def _simulate(sim: Simulation, settings: Settings, runs: list[tuple[str, float, int]]) -> list[dict[str, Any]]:
    """What is measured in each network."""
    exc, inh = (max(50, round(settings.size * size)) for size in n.SIZES.values())
    sizes = n.populations(exc)
    begins = np.concatenate([[0], np.cumsum(sizes)])
    excites = neurons(exc, "lif_psc_stp", name="excites")
    inhibits = neurons(inh, "lif_psc_stp", preset="inhibitory", values={"mu": n.DRIVE_I * mV}, name="inhibits")
    wires = _wires(settings, excites, inhibits, sizes, inh)
    spikes = SpikeMonitor(excites, name="spikes")
    first = range(0, sizes[0], max(1, sizes[0] // 40))
    plastic = StateMonitor(excites, ("u", "x"), record=list(first), dt=5 * ms, name="plastic")
    network = Network(excites, inhibits, *wires, spikes, plastic)
    settle = float(settings.settling / second)
    cued = settle + n.CUE_TIME / 1000

    def program() -> None:
        sim.run(network, settle * second, "before the cue")
        excites.cue = f"{n.CUE}*int(i < {sizes[0]})"
        sim.run(network, n.CUE_TIME * ms, "cue")
        excites.cue = 0
        sim.run(network, DELAY * second, "delay")
        excites.cue = n.READOUT
        sim.run(network, n.READOUT_TIME * ms, "readout")
        excites.cue = 0
        sim.run(network, 1 * second, "after it")

    points = []
    drives = {**n.REGIMES, "C": float(settings.highest / mV)}
    for name, facilitation, seed in runs:
        tau = max(1500.0 * facilitation, 1.0)
        given = {"excites.mu": np.full(exc, drives[name]) * mV, "excites.tau_f": tau * ms}
        readout = n.READOUT_TIME / 1000 if name == "A" else 0.0
        times = [settle, n.CUE_TIME / 1000, DELAY, readout, END[name] - DELAY - readout] * second
        points.append(Point(given, seed=derived_seed(sim.seed, "ABC".index(name), seed), durations=times))

    def read(number: int) -> dict[str, Any]:
        at, of = np.asarray(spikes.t / second), np.asarray(spikes.i)
        found = measure(at, of, begins, cued, cued + END[runs[number][0]])
        found["shown time of plasticity"] = (np.asarray(plastic.t / second) - cued) * second
        found |= {f"shown {key}": np.asarray(getattr(plastic, key)).mean(axis=0) for key in "ux"}
        return found

    return sim.sweep(network, program, points, read)


def _wires(settings: Settings, excites: Any, inhibits: Any, sizes: list[int], inh: int) -> list[Any]:
    """All synapses: those between excitatory neurons are plastic."""
    base, strong = (n.current(j, n.TAU_E) for j in (n.J_BASE, n.J_STRONG))
    rest = len(sizes) - 1
    mixed = f"int(source_population == {rest} and rand() < {n.MIXED})"
    same = f"int(source_population == target_population and source_population < {rest})"
    delay = f"({n.DELAY[0]} + {n.DELAY[1] - n.DELAY[0]}*rand())*ms"
    # As in the program: a current is worked out with the membrane of inhibitory neurons, but for those from the rest
    # onto them.
    onto_inh = f"{n.current(n.J_IE, n.TAU_I)} + {n.current(n.J_IE, n.TAU_E) - n.current(n.J_IE, n.TAU_I)}"
    given = (
        ("EE", excites, excites, "stp_release", f"{base} + {strong - base}*({same} + {mixed})", sizes, sizes),
        ("IE", excites, inhibits, "static", f"{onto_inh}*int(source_population == {rest})", sizes, [inh]),
        ("EI", inhibits, excites, "static", f"{-n.current(n.J_EI, n.TAU_I)}", [inh], [sum(sizes)]),
        ("II", inhibits, inhibits, "static", f"{-n.current(n.J_II, n.TAU_I)}", [inh], [inh]),
    )
    wires = []
    for name, source, target, model, weight, sources, targets in given:
        kind = FixedTotal(n.synapses(sources, targets, settings.size), sources, targets)
        wires.append(
            synapses(
                source,
                target,
                model,
                onto="I_syn",
                gain=1 * pA,
                connect=kind,
                delay=delay,
                values={"w": weight},
                name=f"synapses_{name}",
            )
        )
    return wires


def measure(at: np.ndarray, of: np.ndarray, begins: np.ndarray, cued: float, end: float) -> dict[str, Any]:
    """Rates of the items in the course of time; the first is the cued one."""
    item = np.searchsorted(begins, of, side="right") - 1
    sizes = np.diff(begins)

    def rate(number: int, begin: float, end: float) -> float:
        return float(np.sum((item == number) & (at >= begin) & (at < end)) / sizes[number] / (end - begin))

    def course(number: int, window: float, begin: float, end: float) -> np.ndarray:
        return population_rate(at[item == number], neurons=sizes[number], begin=begin, end=end, window=window)[1]

    def bursts(number: int, begin: float, end: float) -> int:
        high = np.concatenate([[False], course(number, NARROW, begin, end) > BURST])
        return int(np.sum(high[1:] & ~high[:-1]))

    others = range(1, n.ITEMS)
    quiet = (cued + EARLY, cued + DELAY)
    readout = (cued + DELAY, cued + DELAY + n.READOUT_TIME / 1000)
    late = (cued + EARLY, end)
    cued_course = course(0, PEAK, max(cued + EARLY, end - LAST), end)
    shown = (of - begins[np.clip(item, 0, n.ITEMS)] < SHOWN_CELLS) & (item < n.ITEMS) & (at >= cued - 1.0)
    found: dict[str, Any] = {
        "rate before": rate(0, max(0.1, cued - n.CUE_TIME / 1000 - 0.5), cued - n.CUE_TIME / 1000),
        "rate in the delay": rate(0, *quiet),
        "rate of others in the delay": np.mean([rate(number, *quiet) for number in others]),
        "peak of readout": course(0, PEAK, *readout).max(),
        "peak of others": max(course(number, PEAK, *readout).max() for number in others),
        "population spikes": bursts(0, *late),
        "population spikes of others": max(bursts(number, *late) for number in others),
        "rate in the end": rate(0, end - LAST / 2, end),
        "rate of others in the end": np.mean([rate(number, end - LAST / 2, end) for number in others]),
        "variation in the end": float(cued_course.std() / cued_course.mean()) if cued_course.any() else 0.0,
        "shown time": (at[shown] - cued) * second,
        "shown item": item[shown],
        "shown cell": (of - begins[np.clip(item, 0, n.ITEMS)])[shown],
    }
    return found


# ---- what is claimed ---------------------------------------------------------------------------------------------


def _active(result: Result) -> bool:
    """The network is not silent where nothing is kept, and answers the cue."""
    return all(result.values[f"{name} rate before"] > 0.05 * Hz for name in n.REGIMES)


def _silent(values: Any) -> bool:
    return bool(
        values["A readout over that of others, least"] > 5
        and values["A rate in the delay"] < 2 * values["A rate before"] + 1 * Hz
    )


def _comes_back(values: Any) -> bool:
    return bool(values["B population spikes"] >= 3 and values["B population spikes of others"] < 1)


def _goes_on(values: Any) -> bool:
    return bool(
        values["C rate in the end"] > 3 * values["C rate of others in the end"]
        and values["C variation in the end"] < values["B variation in the end"] / 2
    )


CLAIMS = [
    Claim(
        "silent memory",
        "In A the cued item answers the readout, in each network, with a peak 5 times that of any other, though "
        "between it fires at most twice as often as before the cue.",
        lambda result: _silent(result.values),
        _active,
    ),
    Claim(
        "reactivation",
        "In B the cued item comes back by itself in at least 3 population spikes, the others in none to speak of "
        "(under 1).",
        lambda result: _comes_back(result.values),
        _active,
    ),
    Claim(
        "going on",
        "In C the cued item goes on firing, at least 3 times as fast as the others, and more evenly than in B.",
        lambda result: _goes_on(result.values),
        _active,
    ),
    Claim(
        "control",
        "Without facilitation nothing is kept: no answer to the readout twice that of others in A, no population "
        "spike in B.",
        lambda result: bool(
            result.values["control A readout over that of others, least"] < 2
            and result.values["control B population spikes"] < 1
        ),
        _active,
    ),
]
