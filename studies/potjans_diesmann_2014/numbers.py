"""The numbers of the microcircuit of Potjans & Diesmann (2014), in ms, mV, pA and Hz. Nothing but NumPy is needed.

Sizes and probabilities: table 5 of the paper. Rates and first membrane potentials: INM-6/microcircuit-PD14-model,
network_params.py, the authors' own implementation.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

DT = 0.1
NAMES = ("L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I")
SIZES = dict(zip(NAMES, (20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948), strict=True))
RATES = dict(zip(NAMES, (0.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829), strict=True))
# A row for each target population, a column for each source.
PROBABILITIES = np.array(
    [
        [0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0, 0.0076, 0.0],
        [0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0, 0.0042, 0.0],
        [0.0077, 0.0059, 0.0497, 0.1350, 0.0067, 0.0003, 0.0453, 0.0],
        [0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0, 0.1057, 0.0],
        [0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0],
        [0.0548, 0.0269, 0.0257, 0.0022, 0.0600, 0.3158, 0.0086, 0.0],
        [0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252],
        [0.0364, 0.0010, 0.0034, 0.0005, 0.0277, 0.0080, 0.0658, 0.1443],
    ]
)
WEIGHT, WEIGHT_SD = 87.8, 0.1  # pA, and relative: 0.15 mV
INHIBITION = -4.0
DOUBLED = ("L4E", "L23E")  # synapses from the one to the other are twice as strong
# Mean and standard deviation; the paper prints those of inhibition as 0.8 and 0.4 ms, the authors' code has these.
DELAYS = {"E": (1.5, 0.75), "I": (0.75, 0.375)}
BACKGROUND = dict(zip(NAMES, (1600, 1500, 2100, 1900, 2000, 1900, 2900, 2100), strict=True))
BACKGROUND_RATE = 8.0  # Hz, of each of these sources
# Where membrane potentials begin, near where they will be: mean and standard deviation.
STARTS = {
    "L23E": (-68.28, 5.36),
    "L23I": (-63.16, 4.57),
    "L4E": (-63.33, 4.74),
    "L4I": (-63.45, 4.94),
    "L5E": (-63.11, 4.94),
    "L5I": (-61.66, 4.55),
    "L6E": (-66.72, 5.46),
    "L6I": (-61.43, 4.48),
}


def scaled(scale: float) -> dict[str, int]:
    """Neurons of each population at a scale."""
    return {name: max(1, round(scale * size)) for name, size in SIZES.items()}


def synapse_numbers(scale: float = 1.0) -> NDArray[np.int64]:
    """How many synapses each population (row) gets from each (column), with which the probabilities are met exactly.

    Of n synapses that are drawn with replacement among p pairs, a pair has at least one with the probability
    1 - (1 - 1/p)**n. With fewer neurons each of them keeps the number that it has in the whole circuit.
    """
    full = np.array(list(SIZES.values()), dtype=float)
    pairs = np.outer(full, full)
    each = np.log1p(-PROBABILITIES) / np.log1p(-1 / pairs) / full[:, None]
    here = np.array(list(scaled(scale).values()))
    return np.asarray(np.rint(each * here[:, None]), dtype=np.int64)
