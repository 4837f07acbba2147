"""The numbers of the network of Litwin-Kumar & Doiron (2012), in ms and units of the threshold. NumPy only."""

from __future__ import annotations

import numpy as np

SIZES = {"E": 4000, "I": 1000}
CLUSTER = 80
DT = 0.1
TAU_M = {"E": 15.0, "I": 10.0}
DRIVE = {"E": (1.1, 1.2), "I": (1.0, 1.05)}
TAU_RISE, TAU_EXC, TAU_INH, T_REF = 1.0, 3.0, 2.0, 5.0
# Of a synapse from the second to the first; excitatory ones within a cluster are stronger by STRONGER.
WEIGHTS = {"EE": 0.024, "IE": 0.014, "EI": 0.045, "II": 0.057}
STRONGER = 1.9
CHANCES = {"EE": 0.2, "IE": 0.5, "EI": 0.5, "II": 0.5}
RATIO = 2.5  # chance within a cluster over chance between clusters
STIMULUS, STIMULATED = 0.07, 5  # added to the drive, of so many clusters


def chances(ratio: float, exc: int) -> tuple[float, float]:
    """Chances of an excitatory synapse within a cluster and between two, whose mean is the same at each ratio."""
    outside = CHANCES["EE"] * exc / (ratio * CLUSTER + exc - CLUSTER)
    return ratio * outside, outside


def cluster_of(exc: int) -> np.ndarray:
    """The number of the cluster of each excitatory neuron."""
    return np.arange(exc) // CLUSTER
