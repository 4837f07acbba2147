"""What keeps neurons active, but not too much: gradients see no neuron that is silent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from biosnn.errors import TrainingError, field_error
from biosnn.projection import Dense
from biosnn.training.batch import Floats
from biosnn.training.network import Connection, TrainableNetwork


@dataclass(frozen=True)
class ActivityRange:
    """Spikes of a layer's neurons below or above a range cost: strength/2 (mean spikes per example - bound)^2.

    With exact gradients, in which spikes neither come nor go, what it costs pushes the neuron towards or away from its
    threshold at each of its spikes.

    Parameters
    ----------
    layer : str
        Which layer.
    lowest, highest : float
        Spikes per example of each neuron, averaged over a batch.
    strength : float
        How much it costs.
    """

    layer: str
    lowest: float = 0.0
    highest: float = np.inf
    strength: float = 1e-3

    def __post_init__(self) -> None:
        if not 0 <= self.lowest <= self.highest:
            expected = "numbers from 0 on, the lowest first"
            raise TrainingError(field_error("ActivityRange", expected, (self.lowest, self.highest)))
        if not 0 <= self.strength < np.inf:
            raise TrainingError(field_error("ActivityRange, strength", "a number of at least 0", self.strength))

    def __call__(self, counts: Floats) -> tuple[float, Floats]:
        """The cost of a batch, and of a spike more of each neuron in each example, shape (examples, neurons)."""
        mean = counts.mean(axis=0)
        outside = np.minimum(mean - self.lowest, 0) + np.maximum(mean - self.highest, 0)
        cost = 0.5 * self.strength * float(np.sum(outside**2)) * len(counts)
        return cost, np.broadcast_to(self.strength * outside, counts.shape)


@dataclass(frozen=True)
class SilentBump:
    """After each epoch, weights that lead to neurons of a layer that have been silent grow a little.

    Parameters
    ----------
    layer : str
        Which layer.
    by : float
        What is added to each of these weights, in parts of the layer's mean absolute weight.
    """

    layer: str
    by: float = 0.02

    def __post_init__(self) -> None:
        if not 0 <= self.by < np.inf:
            raise TrainingError(field_error("SilentBump, by", "a number of at least 0", self.by))

    def apply(self, network: TrainableNetwork, silent: Floats) -> int:
        """Let weights of dense connections onto silent neurons grow; return how many neurons are silent."""
        for one in network.connections:
            if one.target == self.layer and _grows(one):
                weights = network.weights[one.name]
                weights[:, silent.astype(bool)] += self.by * float(np.mean(np.abs(weights)))
        return int(np.sum(silent))


def check_layers(network: TrainableNetwork, rules: Sequence[ActivityRange | SilentBump]) -> None:
    """Refuse rules for layers that the network has not, or that have no threshold, or nothing that could grow."""
    for rule in rules:
        if not network.layer(rule.layer).model.threshold:
            where = f"{type(rule).__name__}, layer"
            raise TrainingError(field_error(where, "a layer that spikes", rule.layer))
        ending = [one for one in network.connections if one.target == rule.layer]
        if isinstance(rule, SilentBump) and not any(map(_grows, ending)):
            expected = "a layer that a trained connection of the kind Dense leads to"
            raise TrainingError(field_error("SilentBump, layer", expected, rule.layer))


def _grows(connection: Connection) -> bool:
    return connection.trained and isinstance(connection.kind, Dense)


def costs(ranges: Sequence[ActivityRange], counts: Mapping[str, Floats]) -> tuple[float, dict[str, Floats]]:
    """The cost of all ranges, and of a spike more in each layer."""
    total = 0.0
    by_counts: dict[str, Floats] = {}
    for one in ranges:
        cost, each = one(counts[one.layer])
        total += cost
        by_counts[one.layer] = by_counts[one.layer] + each if one.layer in by_counts else each
    return total, by_counts
