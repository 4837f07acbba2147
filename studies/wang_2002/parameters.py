"""The numbers of the decision network of Wang (2002): experimental procedures. NumPy only."""

from __future__ import annotations

import numpy as np

SIZES = {"E": 1600, "I": 400}
SELECTIVE = 0.15  # share of the pyramidal cells in each of two populations
STRONG = 1.7  # weight within a population
DELAY = 0.5  # ms, of all synapses
OUTSIDE = 2400.0  # Hz, to each neuron
STIMULUS, STIMULUS_SD, STIMULUS_STEP = 40.0, 4.0, 50.0  # Hz, Hz, ms
DT = 0.1


def populations(exc: int) -> np.ndarray:
    """Of each pyramidal cell, the population: 0 and 1 are selective, 2 is the rest."""
    each = round(SELECTIVE * exc)
    return np.repeat([0, 1, 2], [each, each, exc - 2 * each])


def weights() -> np.ndarray:
    """From pyramidal cells of a population (row) to those of another (column), and to interneurons (last column)."""
    weak = 1 - SELECTIVE * (STRONG - 1) / (1 - SELECTIVE)
    table = np.ones((3, 4))
    table[:, :2] = weak
    table[0, 0] = table[1, 1] = STRONG
    return table


def correct(coherence: np.ndarray, threshold: float, slope: float) -> np.ndarray:
    """The share of correct decisions, a Weibull function: 0.5 without coherence, 0.816 at the threshold."""
    with np.errstate(over="ignore"):  # far above a threshold the power is endless, and the share 1
        return np.asarray(1 - 0.5 * np.exp(-((coherence / threshold) ** slope)))
