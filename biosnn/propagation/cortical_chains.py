"""Why activity dies or survives from group to group of a chain of cortical neurons, as spikes and as rates."""

from __future__ import annotations

from dataclasses import dataclass

from biosnn.display import Brief
from biosnn.engine import Simulation
from biosnn.propagation.chain import Chain, CorticalChains
from biosnn.propagation.rates import Rates, rate_trains, run_rates
from biosnn.propagation.volleys import Volleys, run_volleys, volley_trains
from biosnn.seeds import derived_seed


@dataclass(frozen=True, eq=False)
class ChainResult(Brief):
    """What was found of volleys along synfire chains, and of rates through layers."""

    volleys: Volleys
    rates: Rates


def run_chains(wanted: CorticalChains, sim: Simulation) -> ChainResult:
    """Send volleys, then rates, through the same chain of neurons.

    Parameters
    ----------
    wanted : CorticalChains
        The chain, and what is sent along it.
    sim : Simulation
        An open session; it begins a new program, which is built once.
    """
    seeds = [derived_seed(sim.seed, n) for n in range(wanted.seeds)]
    volleys = [volley_trains(wanted, seed) for seed in seeds]
    rates = [rate_trains(wanted, seed) for seed in seeds]
    capacity = max(len(spikes.steps) for spikes in (*volleys, *(trains for of in rates for trains in of.values())))
    inputs = max(wanted.width, *wanted.spikes)
    chain = Chain(sim, wanted.groups, wanted.width, inputs, capacity, wanted.dt)
    return ChainResult(run_volleys(wanted, chain, volleys, seeds), run_rates(wanted, chain, rates, seeds))
