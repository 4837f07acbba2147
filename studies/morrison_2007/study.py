"""Do weights of any size come to rest where a power law of potentiation balances multiplicative depression?

Morrison, Aertsen & Diesmann (2007) found that potentiation in the data of Bi & Poo grows with a power of the weight,
and that such a rule needs no upper bound: between uncorrelated trains weights rest at w_0*(1/alpha)**(1/(1 - mu)). Do
they, from far below and far above? Does each weight take the path that it takes in NEST? With mu = 1 nothing must hold
them.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from brian2 import Hz, Network, Quantity, SpikeGeneratorGroup, ms, second

from biosnn.engine import Point, Simulation
from biosnn.groups.build import synapses
from biosnn.inputs import poisson
from biosnn.projection import OneToOne
from biosnn.seeds import derived_seed
from biosnn.study import Claim, Result, setting

TARGET = "cpp"
ANSWER = (
    "Weights settle at {mean weight over equilibrium} times the equilibrium of the closed form; those that "
    "came from below at {from below over from above} times those that came from above."
)
TAU = 20 * ms
NEST_MU = (0.4, 0.0, 0.8)
MULTIPLICATIVE = 1.0
METHOD = """\
Pairs of neurons fire as independent Poisson processes at the same rate; one synapse of the rule `stdp_power_law` joins
each pair. Half of the weights start at a quarter of the equilibrium, half at four times it. They run for eight of
their time constants, 1/(lambda*alpha*(1 - mu)*rate**2*tau). The value is the mean of all pairs and seeds. Two spikes in
the same time step count as pre before post; the amplitude of depression is raised by exp(dt/tau) for it. The control
is mu = 1, where both sides are multiplicative, for as long. There is no upper bound (1e200).

Then 200 spikes on each side at given times, a number of milliseconds that (37*k) mod 83 and (53*k) mod 79 scatter, go
through one synapse of the rule, and the same through NEST 3.10's `stdp_pl_synapse_hom` (lambda 0.1, alpha 0.11, a
dendritic delay of 0.1 ms)."""


@dataclass(frozen=True)
class Settings:
    mu: float = setting(0.4, "exponent of the weight in potentiation", minimum=0.0, maximum=0.9)
    alpha: float = setting(0.11, "depression relative to potentiation", minimum=0.01, maximum=0.9)
    learning_rate: float = setting(0.02, "lambda of the rule between Poisson trains", minimum=1e-4)
    rate: Quantity = setting(100 * Hz, "firing rate of all neurons", minimum=1 * Hz)
    pairs: int = setting(200, "pairs of neurons for each seed", minimum=2)
    seeds: int = setting(3, "repetitions with other spikes", minimum=1)
    paths: bool = setting(True, "whether to go through the spikes that NEST went through")
    dt: Quantity = setting(2 * ms, "time step between Poisson trains", minimum=0.01 * ms)


def run(settings: Settings, sim: Simulation) -> Result:
    values, arrays = _equilibrium(settings, sim)
    if not settings.paths:
        left_out = [f"weight after 200 spikes, mu {mu:g}" for mu in NEST_MU]
        return Result(values, arrays, not_applicable=left_out)
    return Result(values | _paths(sim), arrays)


def _equilibrium(settings: Settings, sim: Simulation) -> tuple[dict[str, Any], dict[str, Any]]:
    sim.reset(dt=settings.dt)
    pre = poisson(settings.pairs, settings.rate, name="pre")
    post = poisson(settings.pairs, settings.rate, name="post")
    rest = settings.alpha ** (-1 / (1 - settings.mu))
    start = rest * np.resize([0.25, 4.0], settings.pairs)
    areas = float(np.exp(settings.dt / TAU))
    given = {"lambda_w": settings.learning_rate, "alpha": settings.alpha * areas, "w": start, "w_max": 1e200}
    rule = synapses(pre, post, "stdp_power_law", onto="", connect=OneToOne(), values=given, name="rule")
    decay = settings.learning_rate * settings.alpha * (1 - settings.mu) * settings.rate**2 * TAU
    base = 0 if sim.seed is None else sim.seed
    points = [
        Point({"rule.mu": mu}, seed=derived_seed(base, k, seed))
        for k, mu in enumerate((settings.mu, MULTIPLICATIVE))
        for seed in range(settings.seeds)
    ]
    network, duration = Network(pre, post, rule), 8 / decay

    def program() -> None:
        sim.run(network, duration, "weights between Poisson trains")

    found = sim.sweep(network, program, points, lambda _: np.array(rule.w[:]))
    weights = np.array(found).reshape(2, settings.seeds, settings.pairs)
    low, high = (float(weights[0][:, start < rest].mean()), float(weights[0][:, start > rest].mean()))
    values = {
        "equilibrium": rest,
        "mean weight": float(weights[0].mean()),
        "mean weight over equilibrium": float(weights[0].mean() / rest),
        "from below over from above": low / high,
        "control, median over equilibrium": float(np.median(weights[1]) / rest),
        "control, from below over from above": float(
            np.median(weights[1][:, start < rest]) / np.median(weights[1][:, start > rest])
        ),
        "spikes per neuron": float(duration * settings.rate),
    }
    arrays = {"weights": weights.reshape(2, -1), "start": np.tile(start, settings.seeds)}
    return values, arrays | {"mu": np.array([settings.mu, MULTIPLICATIVE]), "duration": duration}


def _paths(sim: Simulation) -> dict[str, Any]:
    """The weight after the spikes that NEST went through."""
    sim.reset(dt=0.1 * ms)
    k = np.arange(1, 201)
    trains = np.cumsum(10 + (37 * k) % 83) + 0.0, np.cumsum(12 + (53 * k) % 79) + 0.5
    pre = SpikeGeneratorGroup(1, 0 * k, trains[0] * ms, name="pre_train")
    post = SpikeGeneratorGroup(1, 0 * k, (trains[1] + 0.1) * ms, name="post_train")  # NEST's dendritic delay
    rules = {
        mu: synapses(pre, post, "stdp_power_law", onto="", connect=OneToOne(), values={"mu": mu, "w": 40.0})
        for mu in NEST_MU
    }
    sim.run(Network(pre, post, *rules.values()), 10.2 * second, "the spikes that NEST went through")
    return {f"weight after 200 spikes, mu {mu:g}": float(rule.w[:].item()) for mu, rule in rules.items()}


def _active(result: Result) -> bool:
    """A neuron is to spike more than 50 times on average."""
    return bool(result.values["spikes per neuron"] > 50)


CLAIMS = [
    Claim(
        "equilibrium",
        "The mean weight ends within 3 % of (1/alpha)**(1/(1 - mu)).",
        lambda result: bool(abs(result.values["mean weight over equilibrium"] - 1) < 0.03),
        _active,
    ),
    Claim(
        "whatever the start",
        "Weights that began at a quarter and at four times the equilibrium end within 5 % of each other.",
        lambda result: bool(abs(result.values["from below over from above"] - 1) < 0.05),
        _active,
    ),
    Claim(
        "control: multiplicative",
        "With mu = 1 weights run away beyond ten times the equilibrium, and remember where they began.",
        lambda result: bool(
            result.values["control, median over equilibrium"] > 10
            and result.values["control, from below over from above"] < 0.5
        ),
        _active,
    ),
]
