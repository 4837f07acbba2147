"""What engines take and give: inputs of some examples, what the output layer answers, and gradients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from biosnn.display import Brief

Floats = NDArray[np.float64]
Whole = NDArray[np.int32]

FIRST_SPIKES = ("first_spike", "first_spike_or_approach")
FEATURES = (*FIRST_SPIKES, "mean_potential", "max_potential", "last_potential", "spike_count")
"""What a loss may read of the output layer: times of first spikes (s; inf where there is none), or, of neurons without
one, times after the end, the later the farther they stayed from their threshold; mean or maximum over time of the first
state variable, or its last value; numbers of spikes."""


@dataclass(frozen=True)
class SpikeList(Brief):
    """Spikes of some examples, those of an example in the order of their steps.

    Parameters
    ----------
    indptr : array of int, shape (examples + 1,)
        Where the spikes of each example begin, and where those of the last one end.
    neuron, step : array of int, shape (spikes,)
        Which neuron, and in which time step.
    """

    indptr: NDArray[np.int64]
    neuron: Whole
    step: Whole

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def counts(self, neurons: int) -> NDArray[np.int64]:
        """How many spikes each neuron has in each example, shape (examples, neurons)."""
        example = np.repeat(np.arange(len(self)), np.diff(self.indptr))
        flat = np.bincount(example * neurons + self.neuron, minlength=len(self) * neurons)
        return flat.reshape(len(self), neurons)


@dataclass(frozen=True)
class ConstantInputs(Brief):
    """Values of some examples that arrive in every time step.

    Parameters
    ----------
    values : array, shape (examples, inputs)
    """

    values: NDArray[np.floating]

    def __len__(self) -> int:
        return len(self.values)


Inputs = SpikeList | ConstantInputs
"""What engines are given of the examples of a batch."""


@dataclass(frozen=True)
class Answer(Brief):
    """What a forward pass gives.

    Parameters
    ----------
    features : array, shape (examples, output neurons)
        What the loss reads, one of `FEATURES`.
    spikes : mapping of str to SpikeList
        The spikes of each layer.
    """

    features: Floats
    spikes: Mapping[str, SpikeList]


@dataclass(frozen=True)
class Gradients(Brief):
    """How the loss, summed over examples, changes.

    Parameters
    ----------
    weights : mapping of str to array
        With the weights of each trained connection, in their natural shape.
    parameters : mapping of str to float
        With each trained parameter, ``"layer.name"``, per basic unit.
    clipped : int
        How many jumps at spikes were too large, and were cut.
    """

    weights: Mapping[str, Floats]
    parameters: Mapping[str, float]
    clipped: int = 0
