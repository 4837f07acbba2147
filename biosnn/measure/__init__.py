"""Measures of spike trains, of decisions, and of layers (NumPy and SciPy only)."""

from biosnn.measure.counts import sparse_spike_counts, spike_counts
from biosnn.measure.decisions import accuracy, confusion, difference, interval
from biosnn.measure.decoding import decode, linear
from biosnn.measure.detection import Detection, detection
from biosnn.measure.information import information
from biosnn.measure.intervals import cv, cv2, spike_intervals
from biosnn.measure.layers import LayerActivity, extinction_depth, layer_activity, mutual_information, survival
from biosnn.measure.population import (
    fano_factor,
    mean_correlation,
    pairwise_correlations,
    population_rate,
    power_spectrum,
    window_counts,
)
from biosnn.measure.spikes import Spikes, spikes
from biosnn.measure.steps import drawn_again, resampled_accuracy, share_of_steps, steps_needed
from biosnn.measure.synchrony import phase_consistency, synchrony

__all__ = [
    "Detection",
    "LayerActivity",
    "Spikes",
    "accuracy",
    "confusion",
    "cv",
    "cv2",
    "decode",
    "detection",
    "difference",
    "drawn_again",
    "extinction_depth",
    "fano_factor",
    "information",
    "interval",
    "layer_activity",
    "linear",
    "mean_correlation",
    "mutual_information",
    "pairwise_correlations",
    "phase_consistency",
    "population_rate",
    "power_spectrum",
    "resampled_accuracy",
    "share_of_steps",
    "sparse_spike_counts",
    "spike_counts",
    "spike_intervals",
    "spikes",
    "steps_needed",
    "survival",
    "synchrony",
    "window_counts",
]
