"""How weights follow their gradients."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn.errors import TrainingError, field_error

Array = NDArray[Any]
State = dict[str, Array]
"""What an optimizer keeps of one array of weights."""


@dataclass(frozen=True, kw_only=True)
class Optimizer(ABC):
    """A rule by which arrays change with their gradients.

    Parameters
    ----------
    rate : float
        The learning rate at the beginning.
    decay : float
        What the learning rate is multiplied by after each epoch.
    """

    rate: float
    decay: float = 1.0

    def __post_init__(self) -> None:
        where = type(self).__name__
        if not 0 < self.rate < np.inf:
            raise TrainingError(field_error(f"{where}, rate", "a positive number", self.rate))
        if not 0 < self.decay <= 1:
            raise TrainingError(field_error(f"{where}, decay", "a number above 0, at most 1", self.decay))

    def rate_of(self, epoch: int) -> float:
        """The learning rate of an epoch; the first is number 0."""
        return float(self.rate * self.decay**epoch)

    @abstractmethod
    def state_of(self, values: Array) -> State:
        """What is kept of an array before the first step."""

    @abstractmethod
    def step(self, values: Array, gradient: Array, state: State, rate: float) -> None:
        """Change an array, and what is kept of it, in place."""


@dataclass(frozen=True, kw_only=True)
class SGD(Optimizer):
    """Stochastic gradient descent.

    Parameters
    ----------
    momentum : float
        How much of the step before is taken again.
    """

    rate: float = 0.1
    momentum: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_part("SGD, momentum", self.momentum)

    def state_of(self, values: Array) -> State:
        return {"velocity": np.zeros_like(values)} if self.momentum else {}

    def step(self, values: Array, gradient: Array, state: State, rate: float) -> None:
        if self.momentum:
            state["velocity"] *= self.momentum
            state["velocity"] += gradient
            gradient = state["velocity"]
        values -= rate * gradient


@dataclass(frozen=True, kw_only=True)
class Adam(Optimizer):
    """Steps of about the same size in all weights (Kingma & Ba 2015, arXiv:1412.6980, algorithm 1).

    Parameters
    ----------
    beta_1, beta_2 : float
        How much of the mean gradient, and of its mean square, is kept in a step.
    epsilon : float
        Added to the root of the mean square.
    """

    rate: float = 5e-3
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_part(f"{type(self).__name__}, beta_1", self.beta_1)
        _check_part(f"{type(self).__name__}, beta_2", self.beta_2)
        if not self.epsilon > 0:
            raise TrainingError(field_error(f"{type(self).__name__}, epsilon", "a positive number", self.epsilon))

    def state_of(self, values: Array) -> State:
        return {"mean": np.zeros_like(values), "square": np.zeros_like(values), "steps": np.zeros(1)}

    def step(self, values: Array, gradient: Array, state: State, rate: float) -> None:
        mean, square = state["mean"], state["square"]
        state["steps"] += 1
        steps = state["steps"][0]
        mean += (1 - self.beta_1) * (gradient - mean)
        change = gradient * gradient
        change -= square
        change *= 1 - self.beta_2
        square += change
        # In place: these arrays are large, and new memory takes longer than what is done with it.
        np.sqrt(square, out=change)
        change /= np.sqrt(1 - self.beta_2**steps)
        change += self.epsilon
        np.divide(mean, change, out=change)
        change *= rate / (1 - self.beta_1**steps)
        values -= change


@dataclass(frozen=True, kw_only=True)
class AdamW(Adam):
    """Adam with weights that decay by themselves (Loshchilov & Hutter 2019, arXiv:1711.05101, algorithm 2).

    Parameters
    ----------
    weight_decay : float
        Part of a weight that decays per step, times the learning rate.
    """

    weight_decay: float = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.weight_decay < np.inf:
            raise TrainingError(field_error("AdamW, weight_decay", "a number of at least 0", self.weight_decay))

    def step(self, values: Array, gradient: Array, state: State, rate: float) -> None:
        values *= 1 - rate * self.weight_decay
        super().step(values, gradient, state, rate)


def _check_part(where: str, value: float) -> None:
    if not 0 <= value < 1:
        raise TrainingError(field_error(where, "a number of at least 0, below 1", value))
