"""Closed forms that simulations are held against: firing rates of neurons, the STDP window, activity along layers."""

from biosnn.theory.neurons import OVERSHOOT, lif_rate, siegert_rate, siegert_rate_discrete, stdp_window

__all__ = ["OVERSHOOT", "lif_rate", "siegert_rate", "siegert_rate_discrete", "stdp_window"]
