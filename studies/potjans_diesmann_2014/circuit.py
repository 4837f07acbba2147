"""The microcircuit in Brian2 objects: one group of all neurons, one projection of all that excites, one of the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from brian2 import Hz, Network, SpikeMonitor, mV, pA

from biosnn.groups.build import neurons, synapses
from biosnn.inputs import background
from biosnn.projection import FixedTotal

from . import numbers as n


@dataclass(frozen=True)
class Circuit:
    """A circuit: its populations, those that excite first, with their sizes, and what runs."""

    sizes: dict[str, int]
    network: Any
    spikes: Any
    label: str

    def first_potentials(self, seed: int) -> Any:
        """Membrane potentials to begin with."""
        starts = np.repeat([n.STARTS[name] for name in self.sizes], list(self.sizes.values()), axis=0)
        return np.random.default_rng(seed).normal(starts[:, 0], starts[:, 1]) * mV

    def point(self, seed: int, inhibition: float = 1.0) -> dict[str, Any]:
        """The values that a point of a sweep brings."""
        gain = inhibition * n.WEIGHT * pA
        return {f"{self.label}.v": self.first_potentials(seed), f"{self.label}_from_I.gain": gain}


def build(scale: float, label: str) -> Circuit:
    """A circuit with a share of the neurons, each of which keeps its inputs."""
    plan = n.scaled(scale)
    sizes = {name: plan[name] for sign in "EI" for name in n.NAMES if name.endswith(sign)}
    number = list(sizes.values())
    cells = neurons(sum(number), "lif_psc_exp", name=label)
    exc = sum(number[:4])
    wires = [
        _from(sign, part, cells, sizes, scale, f"{label}_from_{sign}")
        for sign, part in (("E", cells[:exc]), ("I", cells[exc:]))
    ]
    sources = np.repeat([n.BACKGROUND[name] for name in sizes], number)
    outside = background(
        cells, "I_syn", n=sources, rate=n.BACKGROUND_RATE * Hz, weight=n.WEIGHT * pA, name=f"{label}_outside"
    )
    spikes = SpikeMonitor(cells, name=f"{label}_spikes")
    return Circuit(sizes, Network(cells, *wires, outside, spikes), spikes, label)


def _from(sign: str, part: Any, cells: Any, sizes: dict[str, int], scale: float, label: str) -> Any:
    """All synapses from excitatory or from inhibitory neurons."""
    names = [name for name in sizes if name.endswith(sign)]
    numbers = n.synapse_numbers(scale)
    drawn = [[int(numbers[n.NAMES.index(to), n.NAMES.index(name)]) for to in sizes] for name in names]
    strength = str(n.INHIBITION)
    if sign == "E":
        source, target = names.index(n.DOUBLED[0]), list(sizes).index(n.DOUBLED[1])
        strength = f"1 + int(source_population == {source} and target_population == {target})"
    mean, deviation = n.DELAYS[sign]
    return synapses(
        *(part, cells, "static"),
        connect=FixedTotal(drawn, sources=[sizes[name] for name in names], targets=list(sizes.values())),
        onto="I_syn",
        gain=n.WEIGHT * pA,
        delay=f"{mean}*ms + {deviation}*ms*randn()",
        values={"w": f"({strength})*(1 + {n.WEIGHT_SD}*randn())"},
        name=label,
    )
