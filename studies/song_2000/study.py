"""Does competition between synapses make weights bimodal, and the output rate independent of the input rate?

Song, Miller & Abbott (2000) let a thousand excitatory inputs, all alike, drive one neuron through synapses with
additive STDP in which depression slightly outweighs potentiation. The synapses split into weak and strong ones, and
only as many stay strong as the neuron needs to fire irregularly, at a rate that hardly depends on the inputs'. Where
potentiation outweighs depression, all synapses become strong and the output follows the input.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from brian2 import Hz, Network, Quantity, SpikeMonitor, ms, mV, nS, second

from biosnn.engine import Point, Simulation
from biosnn.groups.build import neurons, synapses
from biosnn.inputs import poisson
from biosnn.projection import Dense
from biosnn.seeds import derived_seed
from biosnn.study import Claim, Result, setting

TARGET = "cpp"
ANSWER = (
    "Inputs of 10 and 40 Hz let the neuron fire at {output rate, 10 Hz in} and {output rate, 40 Hz in}; at "
    "least {weights at the bounds, least|%} of the weights are at their bounds."
)
TAU = 20 * ms
CELL: dict[str, Any] = {"v_rest": -70 * mV, "v_th": -54 * mV, "v_reset": -60 * mV, "E_exc": 0 * mV, "E_inh": -70 * mV}
CELL |= {"tau_exc": 5 * ms, "tau_inh": 5 * ms, "t_ref": 0 * ms, "v": -65 * mV}
LEAK = 10 * nS
G_MAX, G_INH = 0.015 * LEAK, 0.05 * LEAK
MEASURED = 20 * second
METHOD = """\
One neuron `lif_cond` with a membrane time constant of 20 ms has a thousand excitatory Poisson inputs through the rule
`stdp_pair` (bounds 0 and 1; a weight of 1 opens 0.015 of the leak), and two hundred inhibitory ones at 10 Hz with fixed
weights (0.05 of the leak each). Weights start anywhere between the bounds. Each rate of the excitatory inputs runs for
the whole duration; the output rate is that of its last 20 s. Values are means over seeds.

A weight is weak below 0.1 and strong above 0.9 of the bound. Two spikes in the same time step count as pre before post;
the amplitude of depression is raised by exp(dt/tau) for it. In the control depression is 0.95 instead of 1.05 of
potentiation, at the lowest and at the highest rate."""


@dataclass(frozen=True)
class Settings:
    rates: tuple[Quantity, ...] = setting((10 * Hz, 20 * Hz, 40 * Hz), "rates of the inputs", minimum=1 * Hz)
    inputs: int = setting(1000, "excitatory inputs", minimum=10)
    potentiation: float = setting(0.005, "A_plus, in parts of the upper bound", minimum=1e-5)
    ratio: float = setting(1.05, "A_minus over A_plus", minimum=0.0)
    control_ratio: float = setting(0.95, "the same in the control", minimum=0.0)
    duration: Quantity = setting(1500 * second, "simulated time for each rate", minimum=1 * second)
    seeds: int = setting(3, "repetitions with other inputs", minimum=1)
    dt: Quantity = setting(0.5 * ms, "time step", minimum=0.01 * ms, maximum=1 * ms)


def run(settings: Settings, sim: Simulation) -> Result:
    sim.reset(dt=settings.dt)
    exc = poisson(settings.inputs, settings.rates[0], name="excitatory")
    inh = poisson(max(settings.inputs // 5, 1), 10 * Hz, name="inhibitory")
    cell = neurons(1, "lif_cond", values=CELL, name="cell")
    gain = G_MAX * 1000 / settings.inputs
    given = {"A_plus": settings.potentiation, "A_minus": 0.0, "tau_plus": TAU, "tau_minus": TAU, "w": "rand()"}
    learns = synapses(exc, cell, "stdp_pair", onto="g_exc", gain=gain, connect=Dense(), values=given, name="learns")
    fixed = synapses(inh, cell, "static", onto="g_inh", gain=G_INH * 1000 / settings.inputs, connect=Dense())
    spikes = SpikeMonitor(cell)
    lowest, highest = min(settings.rates), max(settings.rates)
    conditions = [(rate, settings.ratio) for rate in settings.rates]
    conditions += [(rate, settings.control_ratio) for rate in (lowest, highest)]
    areas = float(np.exp(settings.dt / TAU))
    base = 0 if sim.seed is None else sim.seed
    points = [
        Point(
            {"excitatory.rates": rate, "learns.A_minus": settings.potentiation * ratio * areas},
            seed=derived_seed(base, k, seed),
        )
        for k, (rate, ratio) in enumerate(conditions)
        for seed in range(settings.seeds)
    ]
    network = Network(exc, inh, cell, learns, fixed, spikes)
    measured = min(MEASURED, settings.duration / 2)

    def read(_: int) -> tuple[float, float, np.ndarray]:
        t = np.asarray(spikes.t[:])
        late = t[t > float(settings.duration - measured)]
        intervals = np.diff(late)
        cv = float(intervals.std() / intervals.mean()) if len(intervals) > 1 else float("nan")
        return len(late) / float(measured), cv, np.array(learns.w[:]).ravel()

    found = sim.sweep(network, lambda: sim.run(network, settings.duration, "learning"), points, read)
    return _result(settings, conditions, found)


def _result(settings: Settings, conditions: Any, found: Any) -> Result:
    shape = (len(conditions), settings.seeds)
    out = np.array([row[0] for row in found]).reshape(shape)
    cv = np.array([row[1] for row in found]).reshape(shape)
    weights = np.array([row[2] for row in found]).reshape(*shape, -1)
    n = len(settings.rates)
    values: dict[str, Any] = {}
    for k, (rate, _) in enumerate(conditions[:n]):
        values[f"output rate, {rate / Hz:g} Hz in"] = out[k].mean() * Hz
    means = out[:n].mean(axis=1)
    values["highest output rate over lowest"] = float(means.max() / max(means.min(), 1e-9))
    at_bounds = ((weights < 0.1) | (weights > 0.9)).mean(axis=(1, 2))
    strong = (weights > 0.9).mean(axis=(1, 2))
    values["weights at the bounds, least"] = float(at_bounds[:n].min())
    values["strong weights, least"] = float(strong[:n].min())
    values["strong weights, most"] = float(strong[:n].max())
    values["CV of intervals, least"] = float(cv[:n].mean(axis=1).min())
    values["control, mean weight"] = float(weights[n:].mean(axis=(1, 2)).min())
    values["control, highest output rate over lowest"] = float(out[-1].mean() / max(out[n].mean(), 1e-9))
    arrays = {
        "rate in": np.array([float(rate / Hz) for rate, _ in conditions]) * Hz,
        "rate out": out * Hz,
        "CV": cv,
        "strong": strong,
        "weights": weights.reshape(len(conditions), -1),
    }
    return Result(values, arrays)


def _active(result: Result) -> bool:
    """The neuron fires above 1 Hz on average with every input rate."""
    return bool(np.all(result.arrays["rate out"].mean(axis=1) > 1 * Hz))


CLAIMS = [
    Claim(
        "bimodal",
        "At every rate over half of the weights end below 0.1 or above 0.9 of the bound, 2 % or more on each side.",
        lambda result: bool(
            result.values["weights at the bounds, least"] > 0.5
            and result.values["strong weights, least"] > 0.02
            and result.values["strong weights, most"] < 0.98
        ),
        _active,
    ),
    Claim(
        "rate",
        "While the input rate changes fourfold, the output rate changes less than twofold.",
        lambda result: bool(result.values["highest output rate over lowest"] < 2),
        _active,
    ),
    Claim(
        "control: more potentiation",
        "With A_minus below A_plus the mean weight is over 0.9 of the bound, and the output rate rises over threefold.",
        lambda result: bool(
            result.values["control, mean weight"] > 0.9
            and result.values["control, highest output rate over lowest"] > 3
        ),
        _active,
    ),
]
