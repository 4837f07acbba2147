"""Synapses that are drawn when a run begins."""
