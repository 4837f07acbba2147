"""Plastic all-to-all synapses, 784 -> 400, at the spike rates of the network of Diehl & Cook."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from brian2 import Hz, Network, NeuronGroup, SpikeGeneratorGroup, SpikeMonitor, Synapses, ms, second

import biosnn
from sides import mnist
from sides.programs import DT, Side, Work

INPUTS, CELLS = 784, 400
CELL_RATE = 3 * Hz
SIMULATED = 60 * second
PERIOD = 2 * second  # after which the spikes of the inputs recur

# As the authors of the network wrote it, and as Brian2's documentation writes STDP: traces on the synapse.
ON_SYNAPSE = """
w : 1
dpre/dt = -pre/(20*ms) : 1 (event-driven)
dpost1/dt = -post1/(20*ms) : 1 (event-driven)
dpost2/dt = -post2/(40*ms) : 1 (event-driven)
"""
ON_PRE = "ge_post += w; w = clip(w - 1e-4*post1, 0, 1); pre = 1"
ON_POST = "w = clip(w + 1e-2*pre*post2, 0, 1); post1 = 1; post2 = 1"


def work(join: Callable[[Any, Any], Any] | None) -> Work:
    """Inputs that spike at the mean rates of images, cells that spike at a few Hz, and what joins them.

    What is not a synapse is to cost next to nothing: spikes are given, or cells draw the time of their next one.
    """
    grey, _ = mnist.images(1000)
    rates = grey.mean(axis=0) / 4
    fires = np.random.default_rng(0).random((int(PERIOD / DT), INPUTS)) < rates * float(DT)
    when, which = np.nonzero(fires)
    inputs = SpikeGeneratorGroup(INPUTS, which, when * DT, period=PERIOD, sorted=True, name="inputs")
    cells = NeuronGroup(
        CELLS,
        "next_spike : second\ndge/dt = -ge/ms : 1",
        threshold="t >= next_spike",
        reset=f"next_spike = t - log(rand())*{float(1 / CELL_RATE)}*second",
        method="exact",
        namespace={},
        name="cells",
    )
    cells.next_spike = f"-log(rand())*{float(1 / CELL_RATE)}*second"
    seen = {name: SpikeMonitor(group, record=False, name=name) for name, group in (("pre", inputs), ("post", cells))}
    network = Network(inputs, cells, *seen.values())
    joined = join(inputs, cells) if join is not None else None
    if joined is not None:
        joined.w = "0.3*(rand() + 0.01)"
        network.add(joined)
    counts = {name: monitor.variables["N"] for name, monitor in seen.items()}
    return Work(network, SIMULATED, counts, joined=joined if isinstance(joined, biosnn.Projection) else None)


def traces_on_synapses(inputs: Any, cells: Any) -> Any:
    joined = Synapses(inputs, cells, ON_SYNAPSE, on_pre=ON_PRE, on_post=ON_POST, namespace={"ms": ms}, name="joined")
    joined.connect()
    return joined


def traces_on_neurons(inputs: Any, cells: Any) -> Any:
    return biosnn.synapses(inputs, cells, "stdp_diehl_cook", onto="ge", name="joined")


def projection(inputs: Any, cells: Any) -> Any:
    return biosnn.synapses(inputs, cells, "stdp_diehl_cook", onto="ge", connect=biosnn.Dense(), name="joined")


def events(pre: float, post: float) -> float:
    """Synapses that spikes reach: a cell's spike reaches all its inputs' synapses too."""
    return pre * CELLS + post * INPUTS


SIDES = {
    "stock_none": Side("", "stock", lambda: work(None)),
    "stock": Side("Synapses, traces on synapses (stock Brian2)", "stock", lambda: work(traces_on_synapses)),
    "none": Side("", "biosnn", lambda: work(None)),
    "neuron": Side("Synapses, traces on neurons", "biosnn", lambda: work(traces_on_neurons)),
    "ours": Side("Projection(Dense())", "biosnn", lambda: work(projection)),
    "none32": Side("", "biosnn", lambda: work(None), "float32"),
    "ours32": Side("Projection(Dense()), float32", "biosnn", lambda: work(projection), "float32"),
}
