"""Where do the weights of STDP come to rest, between additive and multiplicative updates?

Gutig, Aharonov, Rotter & Sompolinsky (2003) let potentiation scale with (1 - w)**mu and depression with alpha*w**mu.
Between uncorrelated trains of spikes the two balance at w* = 1/(1 + alpha**(1/mu)), whatever the weights were before.
With mu = 0, the additive rule, nothing holds the weights inside: they drift to a bound.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from brian2 import Hz, Network, Quantity, ms, second

from biosnn.engine import Point, Simulation
from biosnn.groups.build import synapses
from biosnn.inputs import poisson
from biosnn.projection import OneToOne
from biosnn.seeds import derived_seed
from biosnn.study import Claim, Result, setting

TARGET = "cpp"
ANSWER = (
    "With mu of 1, 0.1 and 0.02 the weights settle at {weight, mu 1}, {weight, mu 0.1} and {weight, mu 0.02};"
    " with the additive rule {weights inside, additive|%} of them stay away from the bounds."
)
TAU = 20 * ms
MARGIN = 0.05
"""Weights within this distance of 0 or of the upper bound 1 are at a bound."""
METHOD = """\
Pairs of neurons fire as independent Poisson processes at the same rate; one synapse of the rule `stdp_pair_power` joins
each pair. The mean drift of a weight is lambda*rate**2*tau*((1 - w)**mu - alpha*w**mu), which is zero at
w* = 1/(1 + alpha**(1/mu)).

Half of the weights start at 0.1, half at 0.9. Each exponent runs as long as this equation takes to bring both within
0.002 of w*, and half as long again. The value is the mean over the final weights of all pairs and seeds. The control
is the additive rule, mu = 0, with the same alpha.

Two spikes in the same time step count as pre before post, which adds area to potentiation: the amplitude of depression
is raised by exp(dt/tau), so that the areas of the two windows, summed over the steps, are as 1 to alpha."""


@dataclass(frozen=True)
class Settings:
    mu: tuple[float, ...] = setting(
        (1.0, 0.5, 0.2, 0.1, 0.05, 0.02), "exponents of the weight dependence", minimum=0.01
    )
    alpha: float = setting(1.05, "depression relative to potentiation", minimum=1.0)
    learning_rate: float = setting(5e-4, "lambda of the rule: how much one pair changes a weight", minimum=1e-6)
    rate: Quantity = setting(100 * Hz, "firing rate of all neurons", minimum=1 * Hz)
    pairs: int = setting(100, "pairs of neurons for each exponent and seed", minimum=2)
    seeds: int = setting(3, "repetitions with other spikes", minimum=1)
    dt: Quantity = setting(2 * ms, "time step", minimum=0.01 * ms)


def run(settings: Settings, sim: Simulation) -> Result:
    sim.reset(dt=settings.dt)
    pre = poisson(settings.pairs, settings.rate, name="pre")
    post = poisson(settings.pairs, settings.rate, name="post")
    start = np.resize([0.1, 0.9], settings.pairs)
    drawn_in_steps = float(np.exp(settings.dt / TAU))
    given = {"lambda_w": settings.learning_rate, "alpha": settings.alpha * drawn_in_steps, "w": start}
    rule = synapses(pre, post, "stdp_pair_power", onto="", connect=OneToOne(), values=given, name="rule")
    exponents = [*settings.mu, 0.0]
    times = [_duration(mu, settings) for mu in exponents]
    base = 0 if sim.seed is None else sim.seed
    points = [
        Point({"rule.mu": mu}, seed=derived_seed(base, k, seed), durations=(time,))
        for k, (mu, time) in enumerate(zip(exponents, times, strict=True))
        for seed in range(settings.seeds)
    ]
    network = Network(pre, post, rule)
    found = sim.sweep(network, lambda: sim.run(network, max(times)), points, lambda _: np.array(rule.w[:]))
    weights = np.array(found).reshape(len(exponents), settings.seeds, settings.pairs)
    return _result(settings, exponents, start, weights, times)


def equilibrium(mu: Any, alpha: float) -> Any:
    """The weight at which potentiation and depression balance (eq. 6 of the paper); 0 in the limit mu = 0."""
    mu = np.asarray(mu, dtype=float)
    with np.errstate(divide="ignore"):
        return 1 / (1 + np.exp(np.minimum(np.log(alpha) / mu, 700.0)))


def _duration(mu: float, settings: Settings) -> Quantity:
    """How long the mean drift takes from both starts to the equilibrium, and half as long again."""
    per_time = settings.learning_rate * float(settings.rate**2 * TAU)
    rest, w, time = float(equilibrium(mu, settings.alpha)) if mu else 0.0, np.array([0.1, 0.9]), 0.0
    while np.abs(w - rest).max() > 0.002 and time < 1000:
        w = np.clip(w + 0.01 * ((1 - w) ** mu - settings.alpha * w**mu), 0, 1)
        time += 0.01
    return 1.5 * time / per_time * second


def _result(settings: Settings, exponents: list[float], start: Any, weights: Any, times: Any) -> Result:
    each_seed = weights.mean(axis=2)
    values: dict[str, Any] = {f"weight, mu {mu:g}": float(each_seed[k].mean()) for k, mu in enumerate(settings.mu)}
    inside = ((weights > MARGIN) & (weights < 1 - MARGIN)).mean(axis=(1, 2))
    low, high = (weights[:, :, start == s].mean(axis=(1, 2)) for s in (0.1, 0.9))
    values["weights inside, additive"] = float(inside[-1])
    values["weights inside, least with mu above 0"] = float(inside[:-1].min())
    values["farthest from the equilibrium"] = float(
        np.abs(each_seed.mean(axis=1)[:-1] - equilibrium(exponents[:-1], settings.alpha)).max()
    )
    values["starts apart, most"] = float(np.abs(high - low)[:-1].max())
    values["spikes per neuron, fewest"] = float(min(times) * settings.rate)
    arrays = {
        "mu": np.array(exponents),
        "equilibrium": np.array([equilibrium(mu, settings.alpha) if mu else 0.0 for mu in exponents], dtype=float),
        "weight of each seed": each_seed,
        "from below": low,
        "from above": high,
        "weights": weights.reshape(len(exponents), -1),
        "time": np.array([float(time) for time in times]) * second,
    }
    return Result(values, arrays)


def _active(result: Result) -> bool:
    """Every neuron spikes more than 50 times."""
    return bool(result.values["spikes per neuron, fewest"] > 50)


CLAIMS = [
    Claim(
        "equilibrium",
        "With every exponent above 0 the mean weight ends within 0.03 of 1/(1 + alpha**(1/mu)).",
        lambda result: bool(result.values["farthest from the equilibrium"] < 0.03),
        _active,
    ),
    Claim(
        "whatever the start",
        "Weights that start at 0.1 and at 0.9 end within 0.05 of each other.",
        lambda result: bool(result.values["starts apart, most"] < 0.05),
        _active,
    ),
    Claim(
        "control: additive",
        "With mu = 0 fewer than 5 % of the weights stay away from the bounds; with the other exponents most do.",
        lambda result: bool(
            result.values["weights inside, additive"] < 0.05
            and result.values["weights inside, least with mu above 0"] > 0.5
        ),
        _active,
    ),
]
