"""Does one neuron find a pattern of spikes that repeats in noise, and fire where it begins?

Masquelier, Guyonneau & Thorpe (2008) let 2000 inputs fire at random, without any change of rate; from time to time
half of them repeat what they did in 50 ms. A neuron with STDP finds these moments by itself, and then moves its spike
towards their beginning. Hathway & Goodman (2018) found that it takes a rule that pairs only neighbouring spikes: where
all pairs count, the neuron falls silent.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from brian2 import Network, Quantity, SpikeMonitor, ms, second

from biosnn.engine import Point, Simulation
from biosnn.groups.build import neurons, synapses
from biosnn.inputs.playback import playback
from biosnn.measure import Detection, detection
from biosnn.projection import Dense
from biosnn.study import Claim, Result, setting

from .inputs import LENGTH, STEPS, Inputs, make_inputs

TARGET = "cpp"
ANSWER = (
    "With {reduced: successful seeds|%} of the seeds the neuron finds the pattern; it answers {reduced: hit "
    "rate, mean|%} of its presentations, {reduced: latency, mean} after their beginning; if all pairs count, "
    "{all: successful seeds|%} of them do."
)
DT = 0.1 * ms
RULES = {"reduced": "stdp_pair_reduced", "nearest": "stdp_pair_nearest", "all": "stdp_pair"}
A_PLUS, A_MINUS = 2.0**-5, 0.85 * 2.0**-5
THRESHOLD = 500  # at 2000 inputs
WEIGHT = 0.475
REPEATS = 3
METHOD = """\
The neuron is `lif_afterpotential`; every spike of an input brings a potential of at most the weight of its synapse, and
500 of them reach the threshold. Weights begin at 0.475 of the bound. Inputs fire at rates that wander between 0 and 90
Hz within 50 ms, never pausing for longer, and at 10 Hz besides. In a quarter of all windows of 50 ms, never in two on
end, half of the inputs repeat the spikes of one window, each spike displaced by 1 ms (standard deviation). The input of
a third of the duration is played three times.

Judged is the last third: a hit is a presentation of the pattern in which the neuron spikes, a false alarm a spike
outside of all. A seed is a success with over 98 % of hits, no false alarm and a mean latency under 10 ms.

The rule is `stdp_pair_reduced`. Two controls, on the inputs of the first seed, are rules that also pair spikes which
are no neighbours: `stdp_pair_nearest` and, with all pairs, `stdp_pair`."""


@dataclass(frozen=True)
class Settings:
    duration: Quantity = setting(450 * second, "simulated time, of which the last third is judged", minimum=3 * second)
    inputs: int = setting(2000, "input neurons, half of which have the pattern", minimum=100)
    jitter: Quantity = setting(1 * ms, "displacement of the spikes of a pattern, standard deviation", minimum=0 * ms)
    frequency: float = setting(0.25, "share of the windows with the pattern", minimum=0.01, maximum=0.4)
    seeds: int = setting(10, "repetitions with other inputs; controls have those of the first one", minimum=1)


def run(settings: Settings, sim: Simulation) -> Result:
    third = float(settings.duration / second) / REPEATS
    base = 0 if sim.seed is None else sim.seed
    ends: dict[str, list[Any]] = {rule: [] for rule in RULES}
    arrays: dict[str, Any] = {}
    simulate = _prepared(settings, sim, ("reduced",), third)
    first = None
    for one in _made_ahead(partial(_inputs, settings, base), settings.seeds):
        (found,) = simulate([one])
        ends["reduced"].append(_judge(one, found["reduced"][0], third))
        if first is None:
            first = one
            arrays |= _of_one(one, found, third)
    assert first is not None
    controls = tuple(rule for rule in RULES if rule != "reduced")
    (found,) = _prepared(settings, sim, controls, third)([first])
    arrays |= _of_one(first, found, third)
    for rule in controls:
        ends[rule].append(_judge(first, found[rule][0], third))
    return _result(ends, arrays | _in_last_pattern(first))


def _inputs(settings: Settings, base: int, seed: int) -> Inputs:
    third, jitter = float(settings.duration / second) / REPEATS, float(settings.jitter / ms)
    return make_inputs([base, seed], settings.inputs, third, settings.frequency, jitter)


def _made_ahead(make: Callable[[int], Inputs], count: int) -> Iterator[Inputs]:
    """Draw the next inputs while a program simulates those before, since both take about as long."""
    with ThreadPoolExecutor(1) as ahead:
        coming = ahead.submit(make, 0)
        for seed in range(count):
            one = coming.result()
            if seed + 1 < count:
                coming = ahead.submit(make, seed + 1)
            yield one


def _prepared(settings: Settings, sim: Simulation, rules: tuple[str, ...], third: float) -> Any:
    """A function that runs a neuron with each of some rules on inputs, and returns spike times and weights."""
    sim.reset(dt=DT)
    most = int(1.5 * 64 * third * settings.inputs)
    played = playback(settings.inputs, most, name="inputs")
    theta = THRESHOLD * settings.inputs / 2000
    given = {"A_plus": A_PLUS, "A_minus": A_MINUS, "tau_plus": 16.8 * ms, "tau_minus": 33.7 * ms, "w": WEIGHT}
    parts: list[Any] = [played]
    spikes, weights = {}, {}
    for rule in rules:
        cell = neurons(1, "lif_afterpotential", values={"v_th": theta}, name=f"cell_{rule}")
        wires = synapses(played, cell, RULES[rule], onto="s", connect=Dense(), values=given, name=f"learns_{rule}")
        spikes[rule], weights[rule] = SpikeMonitor(cell), wires
        parts += [cell, wires, spikes[rule]]
    network = Network(*parts)

    def program() -> None:
        for repeat in range(REPEATS):
            if repeat:
                played.begin = round(repeat * third * STEPS * 1000)
                played.at = 0
            sim.run(network, third * second, "learning")

    def read(_: int) -> dict[str, Any]:
        return {rule: (np.asarray(spikes[rule].t / second), np.array(weights[rule].w[:]).ravel()) for rule in rules}

    prepared: list[Any] = []

    def simulate(made: list[Inputs]) -> list[dict[str, Any]]:
        points = [Point(played.spikes(one.steps, one.neurons)) for one in made]
        if not prepared:
            prepared.append(sim.prepare(network, program, points[0]))
        found: list[dict[str, Any]] = prepared[0].run(points, read)
        return found

    return simulate


def _judge(one: Inputs, at: np.ndarray, third: float, *, whole: bool = False) -> Detection:
    """What the spikes tell of the pattern, in the last third or in all of the time."""
    repeats = range(REPEATS) if whole else (REPEATS - 1,)
    onsets = np.concatenate([one.onsets + repeat * third for repeat in repeats])
    return detection(at if whole else at[at >= (REPEATS - 1) * third], onsets, LENGTH)


def _of_one(one: Inputs, found: dict[str, Any], third: float) -> dict[str, Any]:
    arrays: dict[str, Any] = {}
    for rule, (at, weights) in found.items():
        arrays[f"{rule}: spike times"] = at * second
        arrays[f"{rule}: latencies"] = _judge(one, at, third, whole=True).latencies * second
        arrays[f"{rule}: weights"] = weights
    return arrays


def _result(ends: dict[str, list[Detection]], arrays: dict[str, Any]) -> Result:
    values: dict[str, Any] = {}
    for rule, of_rule in ends.items():
        good = [end.hit_rate > 0.98 and end.false_alarms == 0 and end.latency < 0.010 for end in of_rule]
        latency = [end.latency for end in of_rule if np.isfinite(end.latency)]
        values[f"{rule}: successful seeds"] = float(np.mean(good))
        values[f"{rule}: hit rate, mean"] = float(np.mean([end.hit_rate for end in of_rule]))
        values[f"{rule}: hit rate, least"] = min(end.hit_rate for end in of_rule)
        values[f"{rule}: false alarms, most"] = max(end.false_alarms for end in of_rule)
        values[f"{rule}: latency, mean"] = (np.mean(latency) if latency else np.nan) * second
        arrays[f"{rule}: each hit rate"] = np.array([end.hit_rate for end in of_rule])
        arrays[f"{rule}: each number of false alarms"] = np.array([end.false_alarms for end in of_rule])
        arrays[f"{rule}: each latency"] = np.array([end.latency for end in of_rule]) * second
    arrays["first spikes"] = arrays["reduced: spike times"][:1]
    return Result(values, arrays)


def _in_last_pattern(one: Inputs) -> dict[str, Any]:
    """The spikes around one of the last presentations: time since its onset, and which input."""
    begin = round(one.onsets[-2] * 1000 * STEPS)
    near = (one.steps >= begin - 500) & (one.steps < begin + 1000)
    arrays: dict[str, Any] = {"raster time": (one.steps[near] - begin) * DT, "raster input": one.neurons[near]}
    return arrays | {"pattern inputs": np.array([one.with_pattern])}


def _active(result: Result) -> bool:
    """The neuron has spiked at the beginning, whatever it does at the end."""
    return len(result.arrays["first spikes"]) > 0


CLAIMS = [
    Claim(
        "finds the pattern",
        "In at least 95 % of seeds: over 98 % of hits, no false alarm, a mean latency under 10 ms.",
        lambda result: bool(result.values["reduced: successful seeds"] >= 0.95),
        _active,
    ),
    Claim(
        "selects its inputs",
        "Inputs that are strong in the end all have the pattern, but for one in twenty.",
        lambda result: _share_with_pattern(result) > 0.95,
        _active,
    ),
    Claim(
        "control: more pairs",
        "Where spikes that are no neighbours pair too, there is no success.",
        lambda result: bool(
            result.values["nearest: successful seeds"] == 0 and result.values["all: successful seeds"] == 0
        ),
        _active,
    ),
]


def _share_with_pattern(result: Result) -> float:
    strong: Any = result.arrays["reduced: weights"] > 0.5
    n = int(result.arrays["pattern inputs"][0])
    return float(strong[:n].sum() / max(1, int(strong.sum())))
