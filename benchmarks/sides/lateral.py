"""All-but-self inhibition in layers of several sizes, of which a hundredth of the neurons spikes a step."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from brian2 import Network, NeuronGroup, SpikeGeneratorGroup, Synapses

import biosnn
from sides.programs import DT, Side, Work

SIZES = (800, 1600, 3200, 6400)
LARGEST_SYNAPSES = 1600
SPIKING = 0.01
PERIOD = 20  # steps after which the spikes recur
STEPS = {"": 100_000, "projection": 100_000, "synapses": 2_000, "c++": 100_000}
SOURCE = Path(__file__).with_suffix(".cpp")


def work(how: str, neurons: int) -> Work:
    """Given spikes, neurons that add up what arrives, and what joins them."""
    fires = np.random.default_rng(0).random((PERIOD, neurons)) < SPIKING
    when, which = np.nonzero(fires)
    source = SpikeGeneratorGroup(neurons, which, when * DT, period=PERIOD * DT, sorted=True, name="inhibitory")
    target = NeuronGroup(neurons, "g : 1", namespace={}, name="excitatory")
    network = Network(source, target)
    joined = None
    if how == "synapses":
        synapses = Synapses(source, target, "w : 1 (shared)", on_pre="g_post += w", namespace={}, name="joined")
        synapses.connect("i != j")
        synapses.w = 17.0
        network.add(synapses)
    elif how == "projection":
        joined = biosnn.Projection(source, target, biosnn.Lateral(), 17.0, on_pre="g_post += w", name="joined")
        network.add(joined)
    return Work(network, STEPS[how] * DT, total=target.variables["g"], joined=joined)


def by_hand(neurons: int, folder: Path) -> tuple[Path, list[str]]:  # noqa: ARG001 - it reads nothing
    return SOURCE, [str(neurons), str(STEPS["c++"])]


SIDES = {}
for _size in SIZES:
    SIDES[f"none_{_size}"] = Side("", "biosnn", partial(work, "", _size))
    SIDES[f"ours_{_size}"] = Side(
        f"Projection(Lateral()), {_size} neurons", "biosnn", partial(work, "projection", _size)
    )
    SIDES[f"hand_{_size}"] = Side("", "c++", partial(by_hand, _size))
    if _size <= LARGEST_SYNAPSES:
        SIDES[f"stock_{_size}"] = Side("", "stock", partial(work, "synapses", _size))
