"""How a gradient is taken through spikes: exactly, by their times, or as if they came and went smoothly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from brian2 import Quantity, second
from numpy.typing import NDArray

from biosnn.display import Brief
from biosnn.errors import TrainingError, field_error, unknown
from biosnn.quantity import check_dimension, parse_quantity

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Exact:
    """Exact gradients of spike times (EventProp; Wunderlich & Pehle 2021, Sci Rep 11:12829).

    A change of a weight shifts spikes; that it may also make them appear or vanish is not seen. Time steps should be
    short: at most 0.1 ms for time constants of some milliseconds.

    Parameters
    ----------
    largest_jump : float
        How much the loss of an example may seem to change if a neuron that spikes is moved by as much as it starts
        from its threshold. One that just touches its threshold would have a gradient without bounds, which drowns all
        others: such jumps of the adjoint are cut, and counted. Infinite for none. A loss of spike times changes by
        hundreds where one of potentials changes by 1: with `MaxPotential`, 0.5 trains images faster than the default.
    slowest : Quantity, optional
        The same cut, whatever the loss: a neuron that crosses its threshold so slowly that from where it starts it
        would take longer than this counts as one that takes so long, such as 50 ms. By default there is no slowest.
    """

    largest_jump: float = 1000.0
    slowest: Any = None

    def __post_init__(self) -> None:
        if self.slowest is not None:
            given = self.slowest
            value = parse_quantity(given) if isinstance(given, str) else Quantity(given)
            check_dimension("Exact, slowest", value, second)
            if not 0 < float(value) < np.inf:
                raise TrainingError(field_error("Exact, slowest", "a positive time", given))
            object.__setattr__(self, "slowest", value)
        if not self.largest_jump > 0:
            raise TrainingError(field_error("Exact, largest_jump", "a positive number", self.largest_jump))

    def smallest_slope(self, distance: float) -> float:
        """How fast a threshold is crossed at least that is so far from where a neuron starts."""
        return 0.0 if self.slowest is None else distance / float(self.slowest)


@dataclass(frozen=True)
class Surrogate:
    """Gradients as if a spike came gradually while the neuron is near its threshold (Neftci, Mostafa & Zenke 2019, IEEE
    Signal Process Mag 36:51).

    Parameters
    ----------
    shape : str
        The derivative of a spike by how far above threshold the neuron is, one of `SHAPES`. ``triangle`` and ``box``
        are zero far from the threshold, so that most neurons cost nothing.
    width : float
        How far from the threshold, in parts of its distance from where the neuron starts.
    detach_reset : bool
        Whether the reset is taken as given, so that no gradient flows through whether it happens.
    """

    shape: str = "triangle"
    width: float = 1.0
    detach_reset: bool = True

    def __post_init__(self) -> None:
        if self.shape not in SHAPES:
            raise TrainingError("Surrogate, shape: " + unknown("shape", self.shape, SHAPES))
        if not 0 < self.width < np.inf:
            raise TrainingError(field_error("Surrogate, width", "a positive number", self.width))


def _triangle(x: Floats) -> Any:
    return np.maximum(1 - np.abs(x), 0)


def _triangle_step(x: Floats) -> Any:
    inside = np.clip(x, -1, 1)
    return 0.5 + inside - 0.5 * inside * np.abs(inside)


def _box(x: Floats) -> Any:
    return 0.5 * (np.abs(x) < 1)


def _box_step(x: Floats) -> Any:
    return np.clip(0.5 + 0.5 * x, 0, 1)


def _fast_sigmoid(x: Floats) -> Any:
    return 1 / (1 + np.abs(x)) ** 2 / 2


def _fast_sigmoid_step(x: Floats) -> Any:
    return 0.5 + 0.5 * x / (1 + np.abs(x))


def _arctan(x: Floats) -> Any:
    return 1 / (1 + (np.pi * x) ** 2)


def _arctan_step(x: Floats) -> Any:
    return 0.5 + np.arctan(np.pi * x) / np.pi


@dataclass(frozen=True)
class Shape(Brief):
    """A step and its derivative, of a number that is 0 at threshold and 1 at the width from it.

    Parameters
    ----------
    step, slope : callable
        In NumPy.
    cpp : str
        The slope in C++, of ``x``.
    support : float
        From where on the slope is zero.
    """

    step: Callable[[Floats], Any]
    slope: Callable[[Floats], Any]
    cpp: str
    support: float = np.inf


SHAPES = {
    "triangle": Shape(_triangle_step, _triangle, "std::max(1 - std::fabs(x), (real) 0)", 1),
    "box": Shape(_box_step, _box, "(real) 0.5*(std::fabs(x) < 1)", 1),
    "fast_sigmoid": Shape(_fast_sigmoid_step, _fast_sigmoid, "(real) 0.5/((1 + std::fabs(x))*(1 + std::fabs(x)))"),
    "arctan": Shape(_arctan_step, _arctan, "1/(1 + (real) (M_PI*M_PI)*x*x)"),
}
