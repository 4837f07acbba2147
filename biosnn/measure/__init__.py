"""Measures of spike trains, of decisions, and of layers (NumPy and SciPy only)."""

from biosnn.measure.counts import sparse_spike_counts, spike_counts
from biosnn.measure.decisions import accuracy, confusion, difference, interval
from biosnn.measure.decoding import decode, linear
from biosnn.measure.information import information
from biosnn.measure.layers import LayerActivity, extinction_depth, layer_activity, mutual_information, survival
from biosnn.measure.steps import drawn_again, resampled_accuracy, share_of_steps, steps_needed

__all__ = [
    "LayerActivity",
    "accuracy",
    "confusion",
    "decode",
    "difference",
    "drawn_again",
    "extinction_depth",
    "information",
    "interval",
    "layer_activity",
    "linear",
    "mutual_information",
    "resampled_accuracy",
    "share_of_steps",
    "sparse_spike_counts",
    "spike_counts",
    "steps_needed",
    "survival",
]
