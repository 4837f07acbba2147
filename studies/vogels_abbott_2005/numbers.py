"""The numbers of the networks of Vogels & Abbott (2005), as benchmarks 1 (COBA) and 2 (CUBA) of Brette et al. "
"(2007)."""

from __future__ import annotations

SIZES = {"E": 3200, "I": 800}
CHANCE = 0.02
DT = 0.1  # ms
CUBA_WEIGHTS = {"E": 16.2, "I": 90.0}  # pA: with 100 Mohm 1.62 and 9 mV, equation 7 of Brette et al.
COBA_WEIGHTS = {"E": 6.0, "I": 67.0}  # nS
# COBA would be silent without a start: mV and nS as after many spikes, as mean and standard deviation.
COBA_START = {"v": (-65.0, 5.0), "g_exc": (40.0, 15.0), "g_inh": (200.0, 120.0)}
