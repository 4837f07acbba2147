"""Does a square millimetre of cortex, wired as it is measured, have the activity of cortex?

Potjans & Diesmann (2014) put what is known of the connections in early sensory cortex into one model: four layers,
each with an excitatory and an inhibitory population, 77,169 neurons and 0.3 billion synapses. All neurons are alike;
that the eight populations fire at rates of their own comes from the connections alone. Do these rates come out,
asynchronous and irregular?
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from brian2 import Hz, Quantity, second
from brian2 import ms as msecond

from biosnn.engine import Point, Simulation
from biosnn.measure import cv, cv2, window_counts
from biosnn.seeds import derived_seed
from biosnn.study import Claim, Result, setting

from . import numbers as n
from .circuit import Circuit, build

TARGET = "cpp"
ANSWER = (
    "With {synapses} synapses, excitatory neurons of layers 2/3, 4, 5 and 6 fire at {L23E rate}, {L4E rate}, "
    "{L5E rate} and {L6E rate}, inhibitory ones at {L23I rate}, {L4I rate}, {L5I rate} and {L6I rate}."
)
METHOD = """\
Leaky integrate-and-fire neurons with synaptic currents (`lif_psc_exp`). Given is the probability that two neurons of
two populations are joined; the number of synapses that are drawn with replacement follows from it exactly. Weights
and delays are normally distributed. Each neuron gets the spikes of 1500 to 2900 Poisson sources of 8 Hz of its own;
there is no thalamus.

- Rates are spikes by neurons and time, after 0.2 s, a mean over networks.
- CV and CV2 of intervals are means over neurons that have at least three. In less than a second long intervals are
  missed; the CV2, of successive ones, suffers less.
- The synchrony is the paper's: the variance of the spikes of 1000 neurons in bins of 3 ms, divided by their mean.
  Neurons that do not know of each other have 1.

The control is a circuit with a tenth of the neurons (each with all of its inputs) whose inhibitory weights are
halved, for 0.3 s: it must miss the rates. `inhibition=0.5` does the same to the circuit itself, at any scale."""

WARM = 0.2  # seconds
CONTROL_SCALE, CONTROL, CONTROL_WARM = 0.1, 0.3, 0.1
BIN, SAMPLE = 0.003, 1000
MEANS = ("rate", "CV", "CV2", "synchrony")
SHOWN = 0.4  # seconds
SHOWN_SHARE = 0.025


@dataclass(frozen=True)
class Settings:
    duration: Quantity = setting(1.0 * second, "biological time, of which 0.2 s settle", minimum=0.3 * second)
    seeds: int = setting(3, "networks", minimum=1)
    scale: float = setting(1.0, "share of the neurons; each keeps its number of synapses", minimum=0.005, maximum=1.0)
    inhibition: float = setting(1.0, "factor of all inhibitory weights; 0.5 is the control", minimum=0.0)


def run(settings: Settings, sim: Simulation) -> Result:
    sim.reset(dt=n.DT * msecond)
    end = float(settings.duration / second)
    circuit = build(settings.scale, "circuit")
    seeds = [derived_seed(sim.seed, number) for number in range(settings.seeds)]
    points = [Point(circuit.point(seed, settings.inhibition), seed=seed) for seed in seeds]
    # One after the other: each takes some gigabytes.
    found = sim.sweep(
        circuit.network,
        lambda: sim.run(circuit.network, settings.duration, "microcircuit"),
        points,
        lambda _: measure(circuit, WARM, end),
        jobs=1,
    )
    control = _control(settings, sim)
    mean = {key: np.mean([one[key] for one in found], axis=0) for key in MEANS}
    values: dict[str, Any] = {"synapses": int(n.synapse_numbers(settings.scale).sum())}
    for place, name in enumerate(n.NAMES):
        values |= {f"{name} rate": mean["rate"][place] * Hz, f"{name} CV": mean["CV"][place]}
        values |= {f"{name} CV2": mean["CV2"][place], f"{name} synchrony": mean["synchrony"][place]}
    values["rate of all"] = np.mean([one["rate of all"] for one in found]) * Hz
    values["rate of all, inhibition halved"] = control["rate of all"] * Hz
    arrays = {
        "population": np.array(n.NAMES),
        "rate": mean["rate"] * Hz,
        "rate of each network": np.array([one["rate"] for one in found]) * Hz,
        "quartiles": found[0]["quartiles"] * Hz,
        "rate, inhibition halved": control["rate"] * Hz,
        "CV": mean["CV"],
        "CV2": mean["CV2"],
        "synchrony": mean["synchrony"],
        "published": np.array(list(n.RATES.values())) * Hz,
        "shown time": found[0]["shown time"] * second,
        "shown row": found[0]["shown row"],
        "shown rows": found[0]["shown rows"],
    }
    return Result(values, arrays)


def _control(settings: Settings, sim: Simulation) -> dict[str, Any]:
    """What a small circuit does whose inhibition is halved."""
    sim.reset(dt=n.DT * msecond)
    circuit = build(min(settings.scale, CONTROL_SCALE), "control")
    points = [Point(circuit.point(sim.seed, 0.5), seed=sim.seed)]

    def program() -> None:
        sim.run(circuit.network, CONTROL * second, "inhibition halved")

    return sim.sweep(circuit.network, program, points, lambda _: measure(circuit, CONTROL_WARM, CONTROL))[0]


def measure(circuit: Circuit, begin: float, end: float) -> dict[str, Any]:
    """Rate, irregularity and synchrony of each population, in the order of the paper, and some spikes to show."""
    at, of = np.asarray(circuit.spikes.t / second), np.asarray(circuit.spikes.i)
    firsts = dict(zip(circuit.sizes, np.cumsum([0, *circuit.sizes.values()]).tolist(), strict=False))
    late = at >= begin
    at, of = at[late], of[late]
    found: dict[str, list[Any]] = {key: [] for key in (*MEANS, "quartiles", "shown rows")}
    rows, times = [], []
    for name in n.NAMES:
        first, size = firsts[name], circuit.sizes[name]
        mine = (of >= first) & (of < first + size)
        t, i = at[mine], of[mine] - first
        each = np.bincount(i, minlength=size) / (end - begin)
        found["rate"].append(each.mean())
        found["quartiles"].append(np.quantile(each, (0.05, 0.25, 0.5, 0.75, 0.95)))
        for key, measured in (("CV", cv), ("CV2", cv2)):
            irregularity = measured(t, i, neurons=size)
            known = np.isfinite(irregularity)
            found[key].append(irregularity[known].mean() if known.any() else np.nan)
        some = i < SAMPLE
        counts = window_counts(t[some], 0 * i[some], window=BIN, begin=begin, end=end, neurons=1)
        found["synchrony"].append(counts.var() / counts.mean() if counts.any() else np.nan)
        drawn = (i < SHOWN_SHARE * size) & (t < begin + SHOWN)
        rows.append(i[drawn] + sum(found["shown rows"]))
        times.append(t[drawn] - begin)
        found["shown rows"].append(int(np.ceil(SHOWN_SHARE * size)))
    shown = {"shown time": np.concatenate(times), "shown row": np.concatenate(rows)}
    whole = {"rate of all": len(at) / sum(circuit.sizes.values()) / (end - begin)}
    return {**{key: np.array(value) for key, value in found.items()}, **shown, **whole}


# ---- what is claimed ---------------------------------------------------------------------------------------------


def _active(result: Result) -> bool:
    """Every population fires."""
    return bool(np.all(result.arrays["rate"] > 0.1 * Hz))


def _missed(result: Result) -> np.ndarray:
    """By what share the rates of the control deviate from those published."""
    return np.asarray(np.abs(result.arrays["rate, inhibition halved"] / result.arrays["published"] - 1))


CLAIMS = [
    Claim(
        "order",
        "In every layer inhibitory neurons fire faster, and of excitatory ones 5 is fastest, 2/3 and 6 slowest.",
        lambda result: bool(
            np.all(result.arrays["rate"][1::2] > result.arrays["rate"][::2])
            and np.argmax(result.arrays["rate"][::2]) == 2
            and set(np.argsort(result.arrays["rate"][::2])[:2]) == {0, 3}
        ),
        _active,
    ),
    Claim(
        "irregular",
        "Every population fires irregularly: the mean CV2 of each is above 0.5.",
        lambda result: bool(np.all(result.arrays["CV2"] > 0.5)),
        _active,
    ),
    Claim(
        "control",
        "With inhibition halved, at least half of the populations miss the published rates by more than 50 %.",
        lambda result: bool(np.sum(_missed(result) > 0.5) >= 4),
        _active,
    ),
]
