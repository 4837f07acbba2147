"""Part 3, biology: why activity dies or survives from layer to layer of a chain of neurons, as spikes and as rates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from brian2 import Hz, Quantity, ms

from biosnn.study import setting

from .biology_chain import Chain
from .biology_rates import Rates, rate_trains, run_rates
from .biology_volleys import Volleys, run_volleys, volley_trains


@dataclass(frozen=True)
class BiologySettings:
    """What can be changed of this part."""

    biology_groups: int = setting(10, "groups of a chain, or layers", minimum=2)
    biology_width: int = setting(100, "neurons a group", minimum=2)
    biology_seeds: int = setting(4, "how many chains, each with a seed of its own", minimum=2)
    biology_spikes: tuple[int, ...] = setting(
        tuple(range(30, 101, 5)), "spikes of the volleys that are sent along synfire chains", minimum=1
    )
    biology_sigmas: tuple[Quantity, ...] = setting(
        (1 * ms, 3 * ms), "standard deviations of their times", minimum=0 * ms
    )
    biology_volleys: int = setting(5, "volleys of each kind and chain", minimum=1)
    biology_rates: tuple[Quantity, ...] = setting(
        (5 * Hz, 10 * Hz, 20 * Hz, 30 * Hz, 40 * Hz, 50 * Hz, 60 * Hz, 80 * Hz), "input rates", minimum=0 * Hz
    )
    biology_kept: tuple[Quantity, ...] = setting(
        (10 * Hz, 30 * Hz, 60 * Hz), "rates that one layer is made to answer with the same rates", minimum=1 * Hz
    )
    biology_noises: tuple[float, ...] = setting(
        (1.0, 0.0), "noise of the background for rates, in that of 20,000 inputs", minimum=0.0
    )
    biology_tau_s: Quantity = setting(3 * ms, "synaptic time constant for rates", minimum=0.2 * ms)
    biology_duration: Quantity = setting(600 * ms, "for how long a rate is measured", minimum=10 * ms)
    biology_dt: Quantity = setting(0.1 * ms, "time step", minimum=0.01 * ms)


@dataclass(frozen=True, eq=False)
class Biology:
    """What was found: of volleys along synfire chains, and of rates through layers."""

    volleys: Volleys
    rates: Rates


def run_biology(settings: Any, sim: Any) -> Biology:
    """Send volleys, then rates, through the same chain of neurons.

    Parameters
    ----------
    settings : BiologySettings
        Or a study's settings that have its fields.
    sim : Simulation
        An open session; it begins a new program, which is built once.
    """
    seeds = [(sim.seed * 1000 + n) % 2**32 for n in range(settings.biology_seeds)]
    volleys = [volley_trains(settings, seed) for seed in seeds]
    rates = [rate_trains(settings, seed) for seed in seeds]
    capacity = max(len(spikes.steps) for spikes in (*volleys, *(own for of in rates for own in of.values())))
    inputs = max(settings.biology_width, *settings.biology_spikes)
    chain = Chain(sim, settings.biology_groups, settings.biology_width, inputs, capacity, settings.biology_dt)
    return Biology(run_volleys(settings, chain, volleys, seeds), run_rates(settings, chain, rates, seeds))
