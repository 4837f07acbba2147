"""A large layer of neurons, few of which get a spike: cells that come to rest, and cells whose thresholds decay."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from brian2 import Network, NeuronGroup, SpikeGeneratorGroup, SpikeMonitor, Synapses, ms

import biosnn
from biosnn.catalogue import neuron_model
from sides.programs import DT, Side, Work

CELLS, STEPS = 6400, 40_000
MODELS = {
    "lif_inhibitory": "inhibitory cells, which come to rest",
    "lif_adaptive": "excitatory cells, whose thresholds decay",
}
REACHED, PERIOD = 16, 500 * ms  # as many cells get a spike in a period as excitatory ones fire at an image
WEIGHT = 40.0  # enough for a spike


def work(model: str, ours: bool) -> Work:
    """The cells of a model, made by biosnn or, from the same equations, as a user of Brian2 makes them."""
    steps = round(float(PERIOD / DT))
    rng = np.random.default_rng(0)
    which, when = rng.choice(CELLS, REACHED, replace=False), rng.integers(steps, size=REACHED)
    source = SpikeGeneratorGroup(CELLS, which, when * DT, period=PERIOD, name="source")
    cells = biosnn.neurons(CELLS, model, name="cells") if ours else _stock(model)
    onto: Any
    if ours:
        onto = biosnn.Projection(source, cells, biosnn.OneToOne(), WEIGHT, on_pre="g_exc_post += w", name="onto")
    else:
        onto = Synapses(source, cells, on_pre=f"g_exc_post += {WEIGHT}", namespace={}, name="onto")
        onto.connect(i=np.arange(CELLS), j=np.arange(CELLS))
    spikes = SpikeMonitor(cells, record=False, name="spikes")
    network = Network(source, cells, onto, spikes)
    return Work(network, STEPS * DT, {"spikes": spikes.variables["N"]}, total=cells.variables["v"])


def _stock(name: str) -> NeuronGroup:
    model = neuron_model(name)
    cells = NeuronGroup(
        CELLS,
        model.equations,
        threshold=model.threshold,
        reset=model.reset,
        refractory=model.refractory,
        method=model.method,
        namespace={name: parameter.quantity for name, parameter in model.parameters.items()},
        name="cells",
    )
    for variable, value in model.initial.items():
        setattr(cells, variable, value)
    return cells


SIDES = {}
for _model in MODELS:
    SIDES[f"stock_{_model}"] = Side("stock Brian2, C++", "stock", partial(work, _model, False))
    SIDES[f"ours_{_model}"] = Side("biosnn", "biosnn", partial(work, _model, True))
    SIDES[f"ours32_{_model}"] = Side("biosnn, float32", "biosnn", partial(work, _model, True), "float32")
