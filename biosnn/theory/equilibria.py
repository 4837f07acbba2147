"""Equilibria of a neuron's equations, how stable they are, and where oscillations begin (Hopf points)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from biosnn.display import Brief
from biosnn.errors import DataError, field_error

Floats = NDArray[np.float64]
_MOST_STEPS = 50
_ARRIVED = 1e-9
"""The last step of Newton's method, as a share of each variable; the error is about its square."""


class Field(Protocol):
    """A vector field with a drive, such as `biosnn.adjoint.VectorField`: all in basic units."""

    @property
    def states(self) -> tuple[str, ...]: ...

    def flow(self, state: Floats, drive: float) -> Floats: ...

    def jacobian(self, state: Floats, drive: float) -> Floats: ...

    def by_drive(self, state: Floats, drive: float) -> Floats: ...


@dataclass(frozen=True)
class Equilibrium(Brief):
    """Where the flow is zero.

    Parameters
    ----------
    state : ndarray
        Each state variable.
    drive : float
        At which drive.
    eigenvalues : ndarray of complex
        Of the Jacobian, per second. It is stable if all have a negative real part.
    """

    state: Floats
    drive: float
    eigenvalues: NDArray[np.complex128]

    @property
    def stable(self) -> bool:
        """Whether small deviations decay."""
        return bool(np.max(self.eigenvalues.real) < 0)

    @property
    def frequency(self) -> float:
        """The frequency (Hz) of the oscillation that decays slowest or grows fastest; 0 if none is."""
        turning = self.eigenvalues[self.eigenvalues.imag > 0]
        return float(turning[np.argmax(turning.real)].imag / (2 * np.pi)) if len(turning) else 0.0


def equilibria(field: Field, along: str, points: Floats, start: Floats, drive: float = 0.0) -> list[Equilibrium]:
    """Follow the equilibrium of a neuron as one variable takes given values, and its drive whatever that takes.

    To follow it along the membrane potential, and not along the current, goes through folds, where two equilibria meet.

    Parameters
    ----------
    field : Field
    along : str
        The state variable, such as ``"v"``.
    points : ndarray
        Its values, each close to the one before.
    start : ndarray
        A state near the first of them, from which Newton's method sets out.
    drive : float
        The same of the drive.

    Returns
    -------
    list of Equilibrium
        One for each point.

    Raises
    ------
    DataError
        If there is no such variable, or Newton's method does not arrive.
    """
    if along not in field.states:
        raise DataError(field_error("equilibria, along", f"one of {', '.join(field.states)}", along))
    state, found = np.array(start, dtype=float), []
    for value in np.asarray(points, dtype=float):
        state, drive = _newton(field, field.states.index(along), float(value), state, drive)
        found.append(_at(field, state, drive))
    return found


def hopf_points(field: Field, along: str, branch: list[Equilibrium]) -> list[Equilibrium]:
    """The points of a branch of equilibria at which an oscillation begins to grow, or to decay.

    There a pair of complex eigenvalues has the real part zero (Andronov & Hopf). The least stable pair is looked at,
    between each two points of the branch.

    Parameters
    ----------
    field : Field
    along : str
        As in `equilibria`.
    branch : list of Equilibrium
        What that found.

    Returns
    -------
    list of Equilibrium
        In the order of the branch; their `frequency` is that of a small oscillation.
    """
    place, found = field.states.index(along), []
    for one, other in pairwise(branch):
        if not growth(one) * growth(other) < 0:
            continue

        def at(value: float, near: Equilibrium = one) -> Equilibrium:
            return _at(field, *_newton(field, place, value, near.state, near.drive))

        point = at(brentq(lambda value, at=at: growth(at(value)), one.state[place], other.state[place], xtol=1e-15))
        # Where two real eigenvalues become a pair, another pair is the least stable one at once: no sign is crossed.
        if abs(growth(point)) < 1e-6 * np.max(np.abs(point.eigenvalues)):
            found.append(point)
    return found


def growth(equilibrium: Equilibrium) -> float:
    """How fast the least stable oscillation about an equilibrium grows (per second); NaN if none turns."""
    turning = equilibrium.eigenvalues[equilibrium.eigenvalues.imag > 0]
    return float(np.max(turning.real)) if len(turning) else float("nan")


def _at(field: Field, state: Floats, drive: float) -> Equilibrium:
    return Equilibrium(state, drive, np.linalg.eigvals(field.jacobian(state, drive)).astype(complex))


def _newton(field: Field, place: int, value: float, state: Floats, drive: float) -> Any:
    """The other variables and the drive, such that the flow is zero."""
    state = state.copy()
    state[place] = value
    free = [k for k in range(len(state)) if k != place]
    largest = np.zeros(len(state))  # a variable may pass through zero, where nothing is small beside it
    for _ in range(_MOST_STEPS):
        matrix = np.column_stack([field.jacobian(state, drive)[:, free], field.by_drive(state, drive)])
        try:
            step = np.linalg.solve(matrix, field.flow(state, drive))
        except np.linalg.LinAlgError:
            break
        state[free] -= step[:-1]
        drive -= step[-1]
        largest = np.maximum(largest, np.maximum(np.abs([*state[free], drive]), np.abs(step)))
        if np.all(np.abs(step) <= _ARRIVED * largest):
            return state, float(drive)
    raise DataError(
        field_error("equilibria", f"an equilibrium near {value:g}", "none", "Take smaller steps, or another drive.")
    )
