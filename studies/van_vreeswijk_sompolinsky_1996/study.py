"""Why do neurons of cortex fire irregularly, though each has thousands of inputs?

The mean of many inputs is steady, and a neuron that is driven by it fires like a clock or not at all. Van Vreeswijk and
Sompolinsky (1996) found that in a network with strong synapses, of a weight that falls with the number K of inputs as
1/sqrt(K), excitation and inhibition balance by themselves: what is left of them are fluctuations as large as the
threshold, however large K is. Is it so: does activity not depend on K, is it irregular, and does it take 1/sqrt(K)?
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from brian2 import Network, Quantity, SpikeMonitor, StateMonitor, ms, second

from biosnn.engine import Point, Simulation
from biosnn.groups.build import neurons, synapses
from biosnn.measure import cv
from biosnn.projection import FixedProbability
from biosnn.seeds import derived_seed
from biosnn.study import Claim, Result, setting

from .mean_field import ACTIVITY_OUTSIDE, INHIBITION, OUTSIDE, TAU, THRESHOLDS, activities, limit, matched_thresholds

TARGET = "cpp"
ANSWER = (
    "Activity over all numbers of inputs differs by {matched, spread of activity|%} of its mean, with a CV of"
    " {matched, lowest CV} to {matched, highest CV}; from the fewest inputs to the most, {matched, "
    "fluctuations at the largest K over the smallest|%} of the fluctuations are left, with weak synapses "
    "{control, fluctuations at the largest K over the smallest|%}."
)
METHOD = """\
As many excitatory as inhibitory neurons that are active or not (`binary`), each of which looks at its input at random
times, 10 ms apart (inhibitory ones 9 ms), and is active if it is above the threshold. Each has on average K
excitatory and K inhibitory inputs, drawn at random (`binary_change`), and a constant input from outside. Weights and
input are those of the paper, divided and multiplied by sqrt(K). There is nothing random in the input.

1. Mean activities at several K, with two sets of thresholds: those of the paper, and those for which the theory has no
   correction that falls with K (`matched`). The theory (`mean_field.py`) is the paper's, which holds for large K.
2. The CV of the intervals between the times at which an excitatory neuron becomes active, a mean over neurons.
3. The standard deviation in time of the net input of single neurons, in units of the threshold, and the excitatory
   input in the same unit.

The control has weights that fall as 1/K (`scaling=linear`), and the same mean input at each K, the one at the
smallest. Its
activity must depend on K, and its fluctuations must vanish."""

UNIT = 10.0  # ms, of an excitatory neuron
STEP = 0.2
WARM = 0.5  # seconds
RECORDED = 50
SHOWN = 0.5
SETS = ("matched", "paper")


@dataclass(frozen=True)
class Settings:
    inputs: tuple[int, ...] = setting((100, 500, 2000), "numbers K of inputs", minimum=10)
    neurons: int = setting(8000, "of each population", minimum=100)
    duration: Quantity = setting(2.0 * second, "time over which each network is measured", minimum=0.5 * second)
    seeds: int = setting(3, "networks at each K", minimum=1)
    scaling: str = setting("sqrt", "how weights fall with K: 'linear' is the control", choices=("sqrt", "linear"))


def run(settings: Settings, sim: Simulation) -> Result:
    sim.reset(dt=STEP * ms)
    sets = {"matched": matched_thresholds(), "paper": THRESHOLDS}
    count = len(settings.inputs)
    runs = [
        (name, settings.scaling, k, seed) for name in SETS for k in settings.inputs for seed in range(settings.seeds)
    ]
    runs += [("matched", "linear", k, settings.seeds) for k in settings.inputs]
    found = _simulate(sim, settings, sets, runs)
    values: dict[str, Any] = {}
    arrays: dict[str, Any] = {"inputs": np.array(settings.inputs)}
    each = count * settings.seeds
    parts = {name: found[place * each : (place + 1) * each] for place, name in enumerate(SETS)}
    parts["control"] = found[len(SETS) * each :]
    lowest, largest = min(settings.inputs), max(settings.inputs)
    for name, part in parts.items():
        shape = (count, len(part) // count)
        mean = {key: np.reshape([one[key] for one in part], shape).mean(axis=1) for key in SCALARS}
        values[f"{name}, spread of activity"] = max(_spread(mean["E"]), _spread(mean["I"]))
        values[f"{name}, lowest CV"], values[f"{name}, highest CV"] = mean["CV"].min(), mean["CV"].max()
        values[f"{name}, fluctuations at the largest K over the smallest"] = mean["sd"][-1] / mean["sd"][0]
        values[f"{name}, excitation over threshold at the largest K"] = mean["excitation"][-1]
        linear = name == "control" or settings.scaling == "linear"
        theory = [_theory(k, lowest, sets["paper" if name == "paper" else "matched"], linear) for k in settings.inputs]
        for sign in "EI":
            predicted = np.array([one[sign] for one in theory])
            arrays |= {f"{name}, activity {sign}": mean[sign], f"{name}, theory {sign}": predicted}
            values[f"{name}, activity {sign} by theory, K {largest}"] = mean[sign][-1] / predicted[-1]
        arrays |= {f"{name}, CV": mean["CV"], f"{name}, fluctuations": mean["sd"]}
        arrays |= {f"{name}, {key}": value for key, value in part[-1].items() if key.startswith("shown")}
    arrays["limit"] = np.array([limit()[sign] for sign in "EI"])
    return Result(values, arrays)


SCALARS = ("E", "I", "CV", "sd", "excitation")


def _spread(activity: np.ndarray) -> float:
    """How far the activity at some K is from the mean over all, as a share of it."""
    return float(np.abs(activity / activity.mean() - 1).max()) if activity.mean() > 0 else np.nan


def _theory(k: int, lowest: int, thresholds: dict[str, float], linear: bool) -> dict[str, float]:
    return activities(lowest, thresholds, lowest / k) if linear else activities(k, thresholds)


def _simulate(
    sim: Simulation, settings: Settings, sets: dict[str, dict[str, float]], runs: list[tuple[str, str, int, int]]
) -> list[dict[str, Any]]:
    """What is measured in each network."""
    n = settings.neurons
    groups = {sign: neurons(n, "binary", values={"tau": TAU[sign] * UNIT * ms}, name=f"cells_{sign}") for sign in "EI"}
    kind = FixedProbability(0.1)
    wires = {
        source + target: synapses(
            *(groups[source], groups[target], "binary_change"),
            onto="exc" if source == "E" else "inh",
            gain=1.0,
            connect=kind,
            name=f"from_{source}_to_{target}",
        )
        for source in "EI"
        for target in "EI"
    }
    monitors = {sign: SpikeMonitor(groups[sign], variables="sigma", name=f"changes_{sign}") for sign in "EI"}
    inputs = StateMonitor(groups["E"], ("exc", "inh"), record=range(RECORDED), name="inputs")
    network = Network(*groups.values(), *wires.values(), *monitors.values(), inputs)
    points = []
    for name, scaling, k, seed in runs:
        lowest = min(settings.inputs)
        weight = np.sqrt(lowest) / k if scaling == "linear" else 1 / np.sqrt(k)
        given: dict[str, Any] = {f"{wire.name}.p": k / n for wire in wires.values()}
        given |= {f"from_E_to_{sign}.gain": weight for sign in "EI"}
        given |= {f"from_I_to_{sign}.gain": INHIBITION[sign] * weight for sign in "EI"}
        for sign in "EI":
            drive = OUTSIDE[sign] * ACTIVITY_OUTSIDE * weight * k
            given |= {f"cells_{sign}.drive": np.full(n, drive), f"cells_{sign}.theta": np.full(n, sets[name][sign])}
        points.append(Point(given, seed=derived_seed(sim.seed, k, seed, scaling == "linear")))
    end = WARM + float(settings.duration / second)

    def read(number: int) -> dict[str, Any]:
        changes = {
            sign: (np.asarray(seen.t / second), np.asarray(seen.i), 1 - 2 * np.asarray(seen.sigma))
            for sign, seen in monitors.items()
        }
        name, scaling, k, _ = runs[number]
        drive = OUTSIDE["E"] * ACTIVITY_OUTSIDE * (np.sqrt(min(settings.inputs)) if scaling == "linear" else np.sqrt(k))
        late = np.asarray(inputs.t / second) >= WARM
        exc, inh = drive + np.asarray(inputs.exc)[:, late], np.asarray(inputs.inh)[:, late]
        theta = sets[name]["E"]
        return {**measure(changes, n, end), **_balance(exc / theta, inh / theta)}

    return sim.sweep(network, lambda: sim.run(network, end * second, "balance"), points, read)


def measure(changes: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]], n: int, end: float) -> dict[str, Any]:
    """Mean activities, regularity of excitatory neurons, and spikes of some."""
    found: dict[str, Any] = {}
    for sign, (at, _, step) in changes.items():
        # What a change adds to the activity stays from then on, that of an early one during all of the time that
        # counts.
        found[sign] = np.sum(step * np.minimum(end - at, end - WARM)) / n / (end - WARM)
    at, of, step = changes["E"]
    begins = (step > 0) & (at >= WARM)
    irregularity = cv(at[begins], of[begins], neurons=n)
    found["CV"] = float(np.nanmean(irregularity)) if np.isfinite(irregularity).any() else np.nan
    shown = begins & (at < WARM + SHOWN) & (of < RECORDED)
    return found | {"shown time": (at[shown] - WARM) * second, "shown cell": of[shown]}


def _balance(exc: np.ndarray, inh: np.ndarray) -> dict[str, Any]:
    """How large excitation and the fluctuations of the net input are beside the threshold, and both of one neuron."""
    steps = slice(0, round(SHOWN * 1000 / STEP))
    net = exc - inh
    typical = int(np.argsort(np.abs(net.mean(axis=1) - np.median(net.mean(axis=1))))[0])
    return {
        "sd": float(net.std(axis=1).mean()),
        "excitation": float(exc.mean()),
        "shown excitation": exc[typical, steps],
        "shown inhibition": inh[typical, steps],
    }


# ---- what is claimed ---------------------------------------------------------------------------------------------


def _active(result: Result) -> bool:
    """Neurons change their state often enough for intervals."""
    return bool(
        np.isfinite(result.values["matched, lowest CV"]) and np.min(result.arrays["matched, activity E"]) > 0.01
    )


CLAIMS = [
    Claim(
        "independent of K",
        "With matched thresholds both mean activities are the same at each K, within 10 % of their mean.",
        lambda result: bool(result.values["matched, spread of activity"] < 0.1),
        _active,
    ),
    Claim(
        "irregular",
        "At each K neurons are irregular: mean CV from 0.7 to 1.1.",
        lambda result: bool(result.values["matched, lowest CV"] >= 0.7 and result.values["matched, highest CV"] <= 1.1),
        _active,
    ),
    Claim(
        "balance",
        "At the largest K excitation is at least 5 times the threshold, and fluctuations are as large as at the "
        "smallest (within 20 %).",
        lambda result: bool(
            result.values["matched, excitation over threshold at the largest K"] > 5
            and abs(result.values["matched, fluctuations at the largest K over the smallest"] - 1) < 0.2
        ),
        _active,
    ),
    Claim(
        "control",
        "With weights that fall as 1/K activity depends on K (by over 20 %), and fluctuations fall by half.",
        lambda result: bool(
            result.values["control, spread of activity"] > 0.2
            and result.values["control, fluctuations at the largest K over the smallest"] < 0.5
        ),
        _active,
    ),
]
