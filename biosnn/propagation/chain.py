"""A chain of groups of cortical neurons, each populated all to all to the next, and the background of each.

Neurons and synapses are those of Diesmann, Gewaltig & Aertsen 1999, Nature 402:529, doi:10.1038/990101: 100 neurons per
group, and 20,000 background inputs per neuron. Without loops, delays would only shift times: there are none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from brian2 import Hz, Network, Quantity, SpikeMonitor, ms, mV
from numpy.typing import NDArray

from biosnn.display import Brief
from biosnn.engine import Point, Simulation
from biosnn.groups.build import neurons
from biosnn.inputs import playback
from biosnn.projection import Dense, Projection
from biosnn.propagation.limits import check_least

Whole = NDArray[np.int64]

# What one spike adds to `y` of the model `lif_alpha`, and the time constant with which its current rises and decays. A
# potential then peaks at 0.14 mV, which is what the paper states.
WEIGHT = 4.86 * mV
TAU_S = 0.325 * ms
# The background: how many inputs, how often each spikes, and its sign.
BACKGROUND = ((17_600, 2 * Hz, 1), (2_400, 12.5 * Hz, -1))


def drive() -> Quantity:
    """How far the background moves the membrane potential on average: `mu` of the model, by Campbell's theorem."""
    return sum(sign * n * rate for n, rate, sign in BACKGROUND) * WEIGHT * TAU_S


def noise(tau_s: Quantity) -> Quantity:
    """The strength of the background's noise, `sigma` of the model; what it moves v by is the same for any tau_s."""
    return WEIGHT * TAU_S * (sum(n * rate for n, rate, _ in BACKGROUND) / tau_s) ** 0.5


LEAST = {
    "groups": 2,
    "width": 2,
    "seeds": 2,
    "spikes": 1,
    "sigmas": 0 * ms,
    "volleys": 1,
    "rates": 0 * Hz,
    "kept": 1 * Hz,
    "noises": 0.0,
    "tau_s": 0.2 * ms,
    "duration": 10 * ms,
    "dt": 0.01 * ms,
}
"""What a field of `CorticalChains`, or each of its elements, is at least."""


@dataclass(frozen=True)
class CorticalChains:
    """Chains of groups of neurons, the volleys and the rates that are sent along them.

    Parameters
    ----------
    groups : int
        Groups of a chain, or layers.
    width : int
        Neurons per group.
    seeds : int
        How many chains, each with a seed of its own.
    spikes : tuple of int
        Spikes of the volleys that are sent along synfire chains.
    sigmas : tuple of Quantity
        Standard deviations of their times.
    volleys : int
        Volleys of each kind and chain.
    rates : tuple of Quantity
        Input rates.
    kept : tuple of Quantity
        Rates that one layer is made to answer with the same rates.
    noises : tuple of float
        Noise of the background for rates, in that of 20,000 inputs.
    tau_s : Quantity
        Synaptic time constant for rates.
    duration : Quantity
        For how long a rate is measured.
    dt : Quantity
        Time step.

    Raises
    ------
    SettingsError, QuantityError
        If a number is too small (`LEAST`), or has another dimension.
    """

    groups: int = 10
    width: int = 100
    seeds: int = 4
    spikes: tuple[int, ...] = tuple(range(30, 101, 5))
    sigmas: tuple[Quantity, ...] = (1 * ms, 3 * ms)
    volleys: int = 5
    rates: tuple[Quantity, ...] = (5 * Hz, 10 * Hz, 20 * Hz, 30 * Hz, 40 * Hz, 50 * Hz, 60 * Hz, 80 * Hz)
    kept: tuple[Quantity, ...] = (10 * Hz, 30 * Hz, 60 * Hz)
    noises: tuple[float, ...] = (1.0, 0.0)
    # A quantity is an array, which dataclasses take for a mutable default.
    tau_s: Quantity = field(default_factory=lambda: 3 * ms)
    duration: Quantity = field(default_factory=lambda: 600 * ms)
    dt: Quantity = field(default_factory=lambda: 0.1 * ms)

    def __post_init__(self) -> None:
        check_least(self, LEAST)


@dataclass(frozen=True, eq=False)
class Spikes(Brief):
    """Time steps and neurons of spikes, in any order."""

    steps: Whole
    neurons: Whole


@dataclass(frozen=True, eq=False)
class Setting(Brief):
    """What a chain is run with.

    Parameters
    ----------
    given : Spikes
        Of the inputs.
    steps : int
        How long it runs.
    seed : int
        Of the background.
    weights : Quantity, shape (groups,)
        Of the synapses to each group.
    mu, sigma : Quantity, shape (neurons,)
        Mean and noise of each neuron's background.
    tau_s : Quantity
        Synaptic time constant.
    """

    given: Spikes
    steps: int
    seed: int
    weights: Quantity
    mu: Quantity
    sigma: Quantity
    tau_s: Quantity


class Chain:
    """The chain, built once and run with one setting after the other.

    Parameters
    ----------
    sim : Simulation
        An open session; the chain begins a new program in it.
    groups, width : int
        How many groups, and neurons in each.
    inputs : int
        How many input neurons, connected all to all to the first group.
    capacity : int
        How many spikes they have at most in a run.
    dt : Quantity
        Time step.
    """

    def __init__(self, sim: Simulation, groups: int, width: int, inputs: int, capacity: int, dt: Quantity) -> None:
        sim.reset(dt=dt)
        self.sim, self.groups, self.width, self.dt = sim, groups, width, dt
        self.inputs = playback(inputs, capacity=max(capacity, 1), name="inputs")
        # All groups are one, of which each projection sees a part: one loop instead of many.
        start = {"v": "v_rest + rand()*(v_th - v_rest)"}
        self.cells = neurons(groups * width, "lif_alpha", values=start, name="cells")
        parts = [self.cells[n * width : (n + 1) * width] for n in range(groups)]
        self.ways = [
            Projection(before, after, Dense(), model="w : volt (shared)", on_pre="y_post += w", name=f"way_{n}")
            for n, (before, after) in enumerate(zip([self.inputs, *parts], parts, strict=False))
        ]
        self.monitor = SpikeMonitor(self.cells)
        self.network = Network(self.inputs, self.cells, *self.ways, self.monitor)
        self.prepared: Any = None

    def run(self, settings: Sequence[Setting], read: Callable[[Spikes], Any]) -> list[Any]:
        """Run with each setting, and return what ``read`` makes of the spikes of all groups."""
        points = [self._point(setting) for setting in settings]

        def program() -> None:
            self.sim.run(self.network, 100 * ms, "sending spikes along chains")

        self.prepared = self.prepared or self.sim.prepare(self.network, program, points[0])
        return list(self.prepared.run(points, lambda _: read(self._spikes())))

    def _point(self, setting: Setting) -> Point:
        values = {
            **self.inputs.spikes(setting.given.steps, setting.given.neurons),
            **{f"{way.name}.w": w for way, w in zip(self.ways, setting.weights, strict=True)},
            "cells.mu": setting.mu,
            "cells.sigma": setting.sigma,
            "cells.tau_s": setting.tau_s,
        }
        return Point(values, seed=setting.seed, durations=np.array([setting.steps]) * self.dt)

    def _spikes(self) -> Spikes:
        steps = np.rint(np.asarray(self.monitor.t / self.dt)).astype(np.int64)
        return Spikes(steps, np.asarray(self.monitor.i[:], dtype=np.int64))
