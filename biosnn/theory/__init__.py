"""What simulations are held against: rates of neurons, the STDP window, activity along layers, equilibria."""

from biosnn.theory.equilibria import Equilibrium, equilibria, hopf_points
from biosnn.theory.layers import (
    binary_depth,
    chain_rates,
    critical_gain,
    drive_rate,
    fixed_points,
    least_gain,
    mean_field,
)
from biosnn.theory.neurons import OVERSHOOT, lif_rate, siegert_rate, siegert_rate_discrete, stdp_window

__all__ = [
    "OVERSHOOT",
    "Equilibrium",
    "binary_depth",
    "chain_rates",
    "critical_gain",
    "drive_rate",
    "equilibria",
    "fixed_points",
    "hopf_points",
    "least_gain",
    "lif_rate",
    "mean_field",
    "siegert_rate",
    "siegert_rate_discrete",
    "stdp_window",
]
