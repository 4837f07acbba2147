"""Does a network learn the exclusive or, told by nothing but a reward for each spike of its output?

Florian (2007) lets spike-timing-dependent plasticity mark synapses as eligible, and a reward that all of them see turn
what is marked into weight. Sixty inputs, which code two bits by their firing rates, drive sixty hidden neurons and
these one output neuron. While one bit is 1, every spike of the output is rewarded; while both are, every spike is
punished. No linear cell can do it. With reward and punishment by chance, nothing must be learned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from brian2 import Hz, ms, second

from biosnn.engine import Point, Simulation
from biosnn.seeds import derived_seed
from biosnn.study import Claim, Result, setting

from .network import DT, GAMMA, PATTERNS, SHOWN, SIGNS, TAU_Z, build

TARGET = "cpp"
ANSWER = (
    "With an eligibility trace {mstdpet: networks that learn|%} of the networks learn the exclusive or, and "
    "go on telling the inputs apart in {mstdpet: told apart without reward|%} of the epochs without reward; "
    "with reward by chance in {mstdpet control: told apart without reward|%}."
)
RULES = tuple(GAMMA)
NAMES = ["".join(map(str, pattern)) for pattern in PATTERNS]
METHOD = """\
Neurons are `lif_psc_delta` with 20 ms, -70 mV at rest and after a spike, a threshold at -54 mV. A spike moves a
membrane potential by the weight, between 0 and 5 mV; half of the inputs of each bit are inhibitory and move it down.
First weights are evenly distributed. An input fires at 40 Hz (Poisson) while its bit is 1, else not at all.

All synapses follow `rstdp`. Pairs of spikes within 20 ms change the eligibility by 1 or -1; those of inhibitory
synapses the other way round, since their weights act as negative ones. The eligibility fades within 25 ms (MSTDPET) or
lasts for one time step (MSTDP). In the time step after a spike of the output, weights change by it times
gamma (0.1 mV, MSTDP) or gamma/25 (0.625 mV, MSTDPET), up or down.

An epoch shows the four patterns for 500 ms each, in random order. A network has learned when, in the last epoch, the
output fires less at 11 than at 01 and at 10. Then ten epochs follow without reward, in which weights stay as they are.
In the control, it is by chance in each presentation whether spikes are rewarded or punished."""


@dataclass(frozen=True)
class Settings:
    rules: tuple[str, ...] = setting(RULES, "with an eligibility trace, or without", choices=RULES)
    networks: int = setting(20, "networks, each with other weights and inputs", minimum=1)
    controls: int = setting(5, "of them once more, with reward by chance", minimum=0)
    epochs: int = setting(200, "epochs of learning", minimum=1)
    after: int = setting(10, "epochs without reward", minimum=1)
    reward: float = setting(1.0, "factor of reward and punishment", minimum=0.0)


def run(settings: Settings, sim: Simulation) -> Result:
    sim.reset(dt=DT)
    total = len(PATTERNS) * (settings.epochs + settings.after)
    network, spikes, wires = build(total)
    base = 0 if sim.seed is None else sim.seed
    points, orders = [], []
    for rule in settings.rules:
        fading, scale = (TAU_Z, float(TAU_Z / ms)) if rule == "mstdpet" else (DT, 1.0)
        worth = settings.reward * GAMMA[rule] / scale / DT
        for n in range(settings.networks + settings.controls):
            by_chance = n >= settings.networks
            # A control has the weights and the inputs of the network of its number.
            seed = derived_seed(base, n - settings.networks if by_chance else n)
            orders.append(_order(np.random.default_rng(seed), settings, by_chance=by_chance))
            values: dict[str, Any] = {"shows.presentation_order": orders[-1], "critic.worth": worth}
            points.append(Point(values | {f"{one.name}.tau_c": fading for one in wires}, seed=seed))

    def read(_: int) -> np.ndarray:
        when = np.floor(np.asarray(spikes.t / SHOWN) + 1e-9).astype(int)
        counts: np.ndarray = np.bincount(when, minlength=total)[:total]
        return counts

    found = sim.sweep(network, lambda: sim.run(network, total * SHOWN, "learning"), points, read)
    return _result(settings, orders, found)


def _order(rng: np.random.Generator, settings: Settings, *, by_chance: bool) -> np.ndarray:
    """The image of each presentation: a pattern, and what spikes are worth while it is shown."""
    patterns = np.array([rng.permutation(len(PATTERNS)) for _ in range(settings.epochs + settings.after)])
    good, bad, nothing = SIGNS.index(1), SIGNS.index(-1), SIGNS.index(0)
    worth = np.where((patterns == 1) | (patterns == 2), good, bad)
    if by_chance:
        worth = rng.choice([good, bad], size=patterns.shape)
    worth[settings.epochs :] = nothing
    images: np.ndarray = patterns * len(SIGNS) + worth
    return images.ravel()


def _rates(counts: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Of the output, in Hz: epochs by patterns."""
    patterns = (order // len(SIGNS)).reshape(-1, len(PATTERNS))
    rates = np.zeros(patterns.shape)
    np.put_along_axis(rates, patterns, counts.reshape(patterns.shape) / float(SHOWN / second), axis=1)
    return rates


def _told_apart(rates: np.ndarray) -> np.ndarray:
    """Whether the output fires less at 11 than at 01 and at 10."""
    return np.asarray((rates[..., 3] < rates[..., 1]) & (rates[..., 3] < rates[..., 2]))


def _result(settings: Settings, orders: list[np.ndarray], found: list[np.ndarray]) -> Result:
    rates = np.array([_rates(counts, order) for counts, order in zip(found, orders, strict=True)])
    rates = rates.reshape(len(settings.rules), settings.networks + settings.controls, -1, len(PATTERNS))
    last = settings.epochs - 1
    values: dict[str, Any] = {}
    arrays: dict[str, Any] = {"epoch": np.arange(1, rates.shape[2] + 1), "learning epochs": np.array([settings.epochs])}
    for rule, of_rule in zip(settings.rules, rates, strict=True):
        for name, group in ((rule, of_rule[: settings.networks]), (f"{rule} control", of_rule[settings.networks :])):
            if not len(group):
                continue
            values[f"{name}: networks that learn"] = float(_told_apart(group[:, last]).mean())
            values[f"{name}: told apart without reward"] = float(_told_apart(group[:, settings.epochs :]).mean())
            values |= {f"{name}: rate at {pattern}": group[:, last, k].mean() * Hz for k, pattern in enumerate(NAMES)}
            arrays[f"{name}: rates"] = group.mean(axis=0) * Hz
            arrays[f"{name}: each rate"] = group[:, last] * Hz
    left = [f"{rule}: networks that learn" for rule in RULES if rule not in settings.rules]
    for claim in CLAIMS:
        if claim.name.split(":")[0] not in settings.rules or ("control" in claim.name and not settings.controls):
            left.append(claim.name)
    return Result(values, arrays, not_applicable=left)


def _claims(rule: str) -> list[Claim]:
    def active(result: Result) -> bool:
        """The output fires at first, whatever it is shown."""
        return bool(np.all(result.arrays[f"{rule}: rates"][0, 1:] > 1 * Hz))

    return [
        Claim(
            f"{rule}: learns",
            f"{rule.upper()}: at least 95 % of the networks fire less at 11 than at 01 and at 10 in the last epoch.",
            lambda result: bool(result.values[f"{rule}: networks that learn"] >= 0.95),
            active,
        ),
        Claim(
            f"{rule}: keeps",
            f"{rule.upper()}: without reward, they do so in at least 90 % of ten more epochs.",
            lambda result: bool(result.values[f"{rule}: told apart without reward"] >= 0.9),
            active,
        ),
        Claim(
            f"{rule}: control, reward by chance",
            f"{rule.upper()}: after reward and punishment by chance they do so in at most a quarter of these epochs.",
            lambda result: bool(result.values[f"{rule} control: told apart without reward"] <= 0.25),
            active,
        ),
    ]


CLAIMS = [claim for rule in RULES for claim in _claims(rule)]
