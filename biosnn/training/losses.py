"""What an answer costs: losses of the output layer's spike times, potentials or spike counts, and their derivatives."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from brian2 import Quantity, second
from numpy.typing import NDArray

from biosnn.errors import TrainingError, field_error
from biosnn.quantity import check_dimension, parse_quantity
from biosnn.training.batch import Floats


class Loss(ABC):
    """A loss of labelled examples.

    Attributes
    ----------
    feature : str
        What it reads of the output layer, one of `FEATURES`.
    """

    feature: ClassVar[str]

    @abstractmethod
    def __call__(self, features: Floats, labels: NDArray[np.int64], duration: float) -> tuple[Floats, Floats]:
        """The loss of each example, and how it changes with its features.

        Parameters
        ----------
        features : array, shape (examples, classes)
            What an engine's forward pass gives.
        labels : array of int, shape (examples,)
            The class of each.
        duration : float
            How long an example is simulated (s).

        Returns
        -------
        tuple of array
            Of shapes (examples,) and (examples, classes).
        """

    @abstractmethod
    def decide(self, features: Floats) -> NDArray[np.int64]:
        """The class that is read from the features of each example; -1 where there is none."""


@dataclass(frozen=True)
class FirstSpike(Loss):
    """The neuron of the class should spike first: -log softmax(-t/tau_0) + alpha (exp(t/tau_1) - 1).

    Göltz et al. 2021, Nat Mach Intell 3:823, eq. 3, with the second term of Wunderlich & Pehle 2021, which lets the
    right neuron spike early. A neuron that does not spike counts as one that spikes at the end, and has no gradient.

    Parameters
    ----------
    tau_0 : Quantity
        By how much earlier it should spike.
    tau_1 : Quantity
        From when on a spike of the right neuron counts as late.
    alpha : float
        Weight of the second term.
    """

    tau_0: Any = "0.5 ms"
    tau_1: Any = "6.4 ms"
    alpha: float = 0.003
    feature: ClassVar[str] = "first_spike"

    def __post_init__(self) -> None:
        for name in ("tau_0", "tau_1"):
            given = getattr(self, name)
            value = parse_quantity(given) if isinstance(given, str) else Quantity(given)
            check_dimension(f"FirstSpike, {name}", value, second)
            if not 0 < float(value) < np.inf:
                raise TrainingError(field_error(f"FirstSpike, {name}", "a positive time", given))
            object.__setattr__(self, name, value)
        if not 0 <= self.alpha < np.inf:
            raise TrainingError(field_error("FirstSpike, alpha", "a number of at least 0", self.alpha))

    def __call__(self, features: Floats, labels: NDArray[np.int64], duration: float) -> tuple[Floats, Floats]:
        tau_0, tau_1 = float(self.tau_0), float(self.tau_1)
        spiked, rows = np.isfinite(features), np.arange(len(features))
        times = np.where(spiked, features, duration)
        p = softmax(-times / tau_0)
        in_time = times[rows, labels] < duration
        late = self.alpha * np.exp(np.minimum(times[rows, labels], duration) / tau_1)
        losses = -np.log(np.maximum(p[rows, labels], 1e-300)) + late - self.alpha
        slopes = -p / tau_0
        slopes[rows, labels] += 1 / tau_0 + late / tau_1 * in_time
        return losses, np.where(spiked, slopes, 0)

    def decide(self, features: Floats) -> NDArray[np.int64]:
        return np.where(np.isfinite(features).any(axis=1), features.argmin(axis=1), -1)


@dataclass(frozen=True)
class FirstSpikeOrApproach(FirstSpike):
    """As `FirstSpike`, but a neuron without a spike counts as one that spikes after the end: a trial's duration later
    if its potential never left where it began, at once if it nearly reached the threshold.

    Where the neuron of a class has lost its spike, that pulls its potential towards the threshold, which spike times
    alone do not. Where no neuron spikes, the one that came nearest answers.
    """

    feature: ClassVar[str] = "first_spike_or_approach"

    def decide(self, features: Floats) -> NDArray[np.int64]:
        decisions: NDArray[np.int64] = features.argmin(axis=1)
        return decisions


@dataclass(frozen=True)
class _Largest(Loss):
    """The neuron of the class should have the largest value: -log softmax(scale*value)."""

    scale: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.scale < np.inf:
            raise TrainingError(field_error(f"{type(self).__name__}, scale", "a positive number", self.scale))

    def __call__(self, features: Floats, labels: NDArray[np.int64], duration: float) -> tuple[Floats, Floats]:
        del duration
        rows, p = np.arange(len(features)), softmax(self.scale * features)
        losses = -np.log(np.maximum(p[rows, labels], 1e-300))
        p[rows, labels] -= 1
        return losses, self.scale * p

    def decide(self, features: Floats) -> NDArray[np.int64]:
        decisions: NDArray[np.int64] = features.argmax(axis=1)
        return decisions


@dataclass(frozen=True)
class MeanPotential(_Largest):
    """Cross entropy of the output neurons' membrane potentials, averaged over time.

    Parameters
    ----------
    scale : float
        What a potential of one basic unit counts in the exponent.
    """

    feature: ClassVar[str] = "mean_potential"


@dataclass(frozen=True)
class MaxPotential(_Largest):
    """Cross entropy of the largest membrane potential of each output neuron over time.

    A neuron that stays below the potential at which it begins has no gradient.

    Parameters
    ----------
    scale : float
        What a potential of one basic unit counts in the exponent.
    """

    feature: ClassVar[str] = "max_potential"


@dataclass(frozen=True)
class LastPotential(_Largest):
    """Cross entropy of the output neurons' membrane potentials at the end: of integrators, the sum of what has come.

    Parameters
    ----------
    scale : float
        What a potential of one basic unit counts in the exponent.
    """

    feature: ClassVar[str] = "last_potential"


@dataclass(frozen=True)
class SpikeCount(_Largest):
    """Cross entropy of the output neurons' numbers of spikes; for surrogate gradients.

    Parameters
    ----------
    scale : float
        What a spike counts in the exponent.
    """

    feature: ClassVar[str] = "spike_count"


def softmax(x: Floats) -> Floats:
    """The exponentials of each row, as parts of their sum."""
    raised = np.exp(x - x.max(axis=1, keepdims=True))
    shares: Floats = raised / raised.sum(axis=1, keepdims=True)
    return shares
