"""The numbers of Brunel's network (2000), in ms, mV and Hz: model A, table of section 2. Nothing is imported."""

from __future__ import annotations

SIZES = {"E": 10_000, "I": 2500}
INDEGREES = {"E": 1000, "I": 250}
J = 0.1  # mV
DELAY = 1.5
TAU_M, THETA, V_RESET, T_REF = 20.0, 20.0, 10.0, 2.0
DT = 0.1
# Figure 8: g, and the external rate as a multiple of the one that reaches the threshold.
REGIMES = {"A": (3.0, 2.0), "B": (6.0, 4.0), "C": (5.0, 2.0), "D": (4.5, 0.9)}


def external_rate(eta: float) -> float:
    """Of each of as many sources as a neuron has excitatory synapses (Hz); with eta = 1 it reaches the threshold."""
    return eta * THETA / (J * INDEGREES["E"] * TAU_M) * 1000
