"""Neurons that get the spikes of many Poisson sources: by biosnn, by Brian2's PoissonInput, and none."""

from __future__ import annotations

from functools import partial

import numpy as np
from brian2 import Hz, Network, NeuronGroup, PoissonInput

import biosnn
from sides.programs import DT, Side, Work

CELLS, STEPS = 20_000, 5000
SOURCES, RATE = 1600, 2 * Hz


def work(kind: str) -> Work:
    """Neurons that add up what arrives; nothing else happens."""
    cells = NeuronGroup(CELLS, "x : 1", namespace={}, name="cells")
    network = Network(cells)
    if kind in ("ours", "each"):
        rates = RATE if kind == "ours" else RATE * np.ones(CELLS)
        network.add(biosnn.background(cells, "x", n=SOURCES, rate=rates, weight=1, name="drive"))
    if kind == "stock":
        network.add(PoissonInput(cells, "x", SOURCES, RATE, 1))
    return Work(network, STEPS * DT, {}, total=cells.variables["x"])


SIDES = {
    "none": Side("no input", "stock", partial(work, "none")),
    "ours": Side("biosnn.background", "biosnn", partial(work, "ours")),
    "each": Side("biosnn.background, a rate for each neuron", "biosnn", partial(work, "each")),
    "stock": Side("Brian2's PoissonInput", "stock", partial(work, "stock")),
}
