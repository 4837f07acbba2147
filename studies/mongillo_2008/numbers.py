"""The numbers of the network of Mongillo et al. (2008), as in the program of Tiddia et al. (2022): mV, ms, pF."""

from __future__ import annotations

import numpy as np

SIZES = {"E": 8000, "I": 2000}
ITEMS, CODING = 5, 0.1  # populations that stand for an item, each a share of the excitatory neurons
CHANCE = 0.2
J_BASE, J_STRONG, MIXED = 0.10, 0.45, 0.10  # baseline, potentiated, potentiated share among the rest
J_IE, J_EI, J_II = 0.135, 0.25, 0.20
TAU_E, TAU_I, TAU_SYN, CAPACITY = 15.0, 10.0, 2.0, 250.0
DELAY = (0.1, 1.0)
DT = 0.1
# Drive of the excitatory neurons in the three regimes, and of inhibitory ones.
REGIMES = {"A": 22.7, "B": 23.7, "C": 24.1}
DRIVE_I = 20.5
CUE, CUE_TIME = 0.15, 350.0
READOUT, READOUT_TIME = 0.05, 250.0


def current(j: float, tau_m: float) -> float:
    """The synaptic current (pA) at a spike that moves the membrane potential by j (mV) at its peak."""
    a = tau_m / TAU_SYN
    return float(j * CAPACITY / TAU_SYN * a ** (1 / (a - 1)))


def populations(exc: int) -> list[int]:
    """Sizes of the populations of the items, and of the rest of the excitatory neurons."""
    each = round(CODING * exc)
    return [each] * ITEMS + [exc - ITEMS * each]


def synapses(sources: list[int], targets: list[int], scale: float = 1.0) -> np.ndarray:
    """Numbers of synapses between populations; smaller networks keep those of each neuron."""
    return np.round(CHANCE / scale * np.outer(sources, targets)).astype(int)
