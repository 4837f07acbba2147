"""Neurons whose spikes are recorded."""

from __future__ import annotations

from brian2 import NeuronGroup, ms

DT = 0.1 * ms
CELLS = 40


def cells() -> NeuronGroup:
    """Neurons that fire by chance, in most steps more of them than a mark has room for below."""
    model = "p : 1 (shared)"
    group = NeuronGroup(CELLS, model, threshold="rand() < p", reset="", namespace={}, name="cells")
    group.p = 0.4
    return group
