"""Measures of spike trains, of decisions, and of layers (NumPy and SciPy only)."""

from biosnn.measure.counts import sparse_spike_counts, spike_counts
from biosnn.measure.decisions import accuracy, confusion, difference, interval

__all__ = ["accuracy", "confusion", "difference", "interval", "sparse_spike_counts", "spike_counts"]
