"""What the spikes of a run say: rates, how irregular spike trains are, and events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sides.networks import published

Spikes = Mapping[str, tuple[NDArray[Any], NDArray[np.float64]]]


def rates(network: str, scale: float, seconds: float, spikes: Spikes) -> dict[str, float]:
    """Mean firing rate of each population in Hz, after the first moments."""
    begin = settled(network, seconds)
    sizes = published.NETWORKS[network].scaled(scale)
    return {name: float(np.sum(t >= begin)) / sizes[name] / (seconds - begin) for name, (_, t) in spikes.items()}


def irregularity(network: str, seconds: float, spikes: Spikes) -> float:
    """Mean coefficient of variation of the intervals between spikes, of neurons that have at least three."""
    found = []
    for neurons, times in spikes.values():
        late = times >= settled(network, seconds)
        order = np.lexsort((times[late], neurons[late]))
        of, at = neurons[late][order], times[late][order]
        inside = np.diff(of) == 0
        intervals, owner = np.diff(at)[inside], of[1:][inside]
        count = np.bincount(owner)
        some = count >= 3
        mean = np.bincount(owner, intervals)[some] / count[some]
        square = np.bincount(owner, intervals**2)[some] / count[some]
        found.append(np.sqrt(np.clip(square - mean**2, 0, None)) / mean)
    return float(np.mean(np.concatenate(found))) if found and sum(map(len, found)) else float("nan")


def settled(network: str, seconds: float) -> float:
    """When measuring begins: at most after half the run."""
    return min(published.NETWORKS[network].settling, seconds / 2)


def events(network: str, scale: float, spikes: Spikes) -> float:
    """Synapses that spikes reach: a spike's own, and those that learn from it."""
    leaving, learning = published.outdegrees(network, scale), published.learning(network)
    return sum(len(t) * (leaving[name] + learning.get(name, 0)) for name, (_, t) in spikes.items())
