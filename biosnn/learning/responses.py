"""When which neuron has answered which presentation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from biosnn.display import Brief

Whole = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Responses(Brief):
    """Spikes of a population in answer to presentations of equal length.

    Parameters
    ----------
    presentations, neurons, steps : int
        How many presentations and neurons there are, and time steps in a presentation.
    row, step, neuron : ndarray of int, shape (spikes,)
        Of each spike: its presentation, the time step since that began, and the neuron; in this order of importance
        sorted.
    """

    presentations: int
    neurons: int
    steps: int
    row: Whole
    step: Whole
    neuron: Whole

    @classmethod
    def of(cls, steps: Whole, neuron: Whole, *, presentations: int, neurons: int, length: int) -> Responses:
        """Divide spikes, whose steps count from the beginning of the first presentation."""
        row, step = np.divmod(steps, length)
        order = np.lexsort((neuron, step, row))
        return cls(presentations, neurons, length, row[order], step[order], np.asarray(neuron, dtype=np.int64)[order])

    def __add__(self, other: Responses) -> Responses:
        """These presentations, and then the others."""
        parts = {name: np.append(getattr(self, name), getattr(other, name)) for name in ("step", "neuron")}
        row = np.append(self.row, other.row + self.presentations)
        return Responses(self.presentations + other.presentations, self.neurons, self.steps, row, **parts)

    def section(self, begin: int, end: int) -> Responses:
        """The presentations from one to before another."""
        kept = slice(*np.searchsorted(self.row, [begin, end]))
        parts = (self.row[kept] - begin, self.step[kept], self.neuron[kept])
        return Responses(max(min(end, self.presentations) - begin, 0), self.neurons, self.steps, *parts)

    @property
    def order(self) -> Whole:
        """As which of its presentation each spike comes, from 0."""
        begins = np.searchsorted(self.row, np.arange(self.presentations))
        return np.arange(len(self.row)) - begins[self.row]

    def first(self) -> Whole:
        """The time step of the first spike in each presentation; the number of steps where there is none."""
        first_steps = np.full(self.presentations, self.steps)
        np.minimum.at(first_steps, self.row, self.step)
        return first_steps

    def counts(self, until: int | None = None) -> Any:
        """Count the spikes of each neuron in each presentation, before a time step of it.

        Returns
        -------
        csr_array of float, shape (presentations, neurons)
        """
        return self._summed(np.ones(len(self.row)), until)

    def ranked(self, fade: float, until: int | None = None) -> Any:
        """As `counts`, but the first spike of a presentation counts 1, and each later one ``fade`` times the last.

        This is how a rank order is read: Thorpe & Gautrais 1998.
        """
        return self._summed(fade**self.order, until)

    def _summed(self, weights: NDArray[np.floating], until: int | None) -> Any:
        kept = slice(None) if until is None else self.step < until
        place = (self.row[kept], self.neuron[kept])
        return sparse.csr_array((weights[kept], place), shape=(self.presentations, self.neurons))
