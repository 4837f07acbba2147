"""A population code: each value is seen by several cells, each with a favourite value of its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from biosnn.coding import check
from biosnn.coding.base import Coding
from biosnn.coding.check import Values
from biosnn.coding.spikes import Indices, Spikes


@dataclass(frozen=True, kw_only=True)
class Population(Coding):
    """Gaussian receptive fields: of the M cells of each value, those spike first whose centres are nearest to it.

    The centres of the cells i = 1 ... M are mu_i = (2i - 3)/2/(M - 2), their width is sigma = 1/(1.5(M - 2)). A cell
    whose response is g = exp(-(x - mu_i)**2/(2 sigma**2)) spikes in the step nearest to T(1 - g), unless g is too
    small. The neurons have the shape of the values and a last axis of M.

    The decoder looks up which values give the steps seen, and returns the middle of their range. For steps that no
    value gives, it takes those nearest to them by the sum of squares: maximum likelihood for spikes that have a normal
    jitter. The bound is half of the widest such range. (The centre of mass of the responses is pulled to the
    middle where the line of cells ends, and has no bound that shrinks with the time step.)

    Parameters
    ----------
    M : int
        Cells for each value, from 3 to 1000.
    silent : float
        The response below which a cell does not spike, at least 0 and below 1.
    duration, dt : Quantity
        As of `Coding`.

    Notes
    -----
    Bohte, Kok & La Poutré 2002, doi:10.1016/S0925-2312(01)00658-0. There, too, a response in the last tenth of the time
    is none.
    """

    M: int = 10
    silent: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        check.whole(self.where("M"), self.M, 3, 1000)
        expected = "a number from 0 to below 1"
        check.number(self.where("silent"), self.silent, expected, lambda silent: 0 <= silent < 1)

    @property
    def centres(self) -> Values:
        """The favourite values, an array of M; the outer two lie beyond 0 and 1."""
        return np.asarray((2 * np.arange(1, self.M + 1) - 3) / 2 / (self.M - 2))

    @property
    def sigma(self) -> float:
        """The width of a receptive field."""
        return 1 / (1.5 * (self.M - 2))

    def fire(self, values: Values, _rng: np.random.Generator | None) -> Spikes:
        """Let every cell that responds spike once."""
        steps = self._steps(values.ravel()).ravel()
        (neurons,) = np.nonzero(steps < self.length)
        return self.spikes(steps[neurons], neurons, (*values.shape, self.M))

    def read(self, spikes: Spikes, steps: int) -> Values:
        """Look up the steps of the first spikes."""
        check.last_axis(self.where("decode, spikes"), spikes.shape, self.M)
        patterns, low, high = self._table(steps)
        seen = np.minimum(spikes.first_steps().reshape(-1, self.M), steps)
        _, nearest = cKDTree(patterns).query(seen)
        return np.asarray((low + high)[nearest] / 2).reshape(spikes.shape[:-1])

    def error(self, steps: int) -> float:
        """Half of the widest range of values with the same steps."""
        _, low, high = self._table(steps)
        return float(np.max(high - low)) / 2

    def _steps(self, values: Values) -> Indices:
        """The step of each cell for each value, an array (values, M); the number of steps if it does not spike."""
        response = np.exp(-((values[:, np.newaxis] - self.centres) ** 2) / (2 * self.sigma**2))
        steps = np.rint(self.length * (1 - response)).astype(np.int64)
        return np.where(response < self.silent, self.length, steps)

    def _table(self, steps: int) -> tuple[Indices, Values, Values]:
        """Every pattern of steps that can be seen, and the lowest and the highest value that give it."""
        # A cell's step changes where its response passes one of these levels: all values between two such edges, from
        # all cells, look the same. The edges themselves belong to either side, depending on rounding.
        levels = np.append(1 - (np.arange(1, steps + 1) - 0.5) / self.length, self.silent or [])
        distances = self.sigma * np.sqrt(-2 * np.log(levels))
        edges = np.add.outer(self.centres, np.concatenate([-distances, distances])).ravel()
        edges = np.unique(np.append(edges[(edges > 0) & (edges < 1)], [0, 1]))
        low, high = np.append(edges[:-1], edges), np.append(edges[1:], edges)
        patterns, which = np.unique(np.minimum(self._steps((low + high) / 2), steps), axis=0, return_inverse=True)
        lowest, highest = np.ones(len(patterns)), np.zeros(len(patterns))
        np.minimum.at(lowest, which.ravel(), low)
        np.maximum.at(highest, which.ravel(), high)
        return patterns, lowest, highest
