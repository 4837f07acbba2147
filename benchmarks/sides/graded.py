"""Spikes that carry a value, beside as many that are all alike, over synapses of three kinds."""

from __future__ import annotations

from functools import partial

import numpy as np
from brian2 import Network, NeuronGroup

import biosnn
from sides.programs import DT, Side, Work

SPIKING = 0.05
SHAPE = (32, 32, 16)
SIZES = {"convolution": int(np.prod(SHAPE)), "dense": 1000, "sparse": 4000}
STEPS = {"convolution": 16000, "dense": 16000, "sparse": 8000}
LABELS = {
    "convolution": "Conv2D 3x3, 16 -> 16 channels, 32x32 pixels",
    "dense": "Dense, 1000 -> 1000",
    "sparse": "Sparse, 4000 -> 4000, 100 each",
}


def kind_of(name: str) -> biosnn.Kind:
    """What connects the neurons."""
    if name == "convolution":
        return biosnn.Conv2D(SHAPE, SHAPE[2], 3, padding=1)
    if name == "dense":
        return biosnn.Dense()
    n = SIZES[name]
    return biosnn.Sparse.pairs(*np.random.default_rng(2).integers(n, size=(2, 100 * n)), shape=(n, n))


def work(name: str, *, carries: bool, joins: bool) -> Work:
    """Neurons with a constant drive, whose spikes are the same with either model, and what joins them to others."""
    kind, n, rng = kind_of(name), SIZES[name], np.random.default_rng(1)
    values = {"z": rng.uniform(0, 2 * SPIKING, n) / DT, "v": rng.uniform(0, 1, n)}
    source = biosnn.neurons(n, "if_signed" if carries else "if_soft", name="source", values=values)
    target = NeuronGroup(n, "v : 1", namespace={}, name="target")
    network = Network(source, target)
    if joins:
        weights = rng.integers(-64, 65, kind.fit(n, n).shape) / 64
        on_pre = "v_post += s_pre*w" if carries else "v_post += w"
        network.add(biosnn.Projection(source, target, kind, weights, on_pre=on_pre, name="joined"))
    return Work(network, STEPS[name] * DT, total=target.variables["v"])


SIDES = {}
for _name, _label in LABELS.items():
    for _what, _carries in (("alike", False), ("carrying", True)):
        SIDES[f"{_name}_{_what}_none"] = Side("", "biosnn", partial(work, _name, carries=_carries, joins=False))
        SIDES[f"{_name}_{_what}"] = Side(_label, "biosnn", partial(work, _name, carries=_carries, joins=True))
