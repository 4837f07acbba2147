"""What drives a network from outside: spike trains and images, made inside the generated code."""

from biosnn.inputs.trains import SpikeTrains, poisson

__all__ = ["SpikeTrains", "poisson"]
