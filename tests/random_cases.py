"""Networks that tests of drawn synapses share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from brian2 import Network, NeuronGroup, ms

import biosnn
from biosnn.projection import Projection, RandomKind

DT = 0.5 * ms
CELLS = 30


def cells(name: str) -> NeuronGroup:
    """Neurons that spike at times of their own, whatever they get."""
    group = NeuronGroup(
        CELLS,
        "x : 1\ny : 1 (constant)\nz : 1",
        threshold="(3*i + 5*t_in_timesteps) % 11 == 0",
        reset="",
        namespace={},
        name=name,
    )
    group.y = np.linspace(0, 1, CELLS)
    return group


def counted(target: str, kind: RandomKind) -> Iterator[Any]:
    """A session with a network of which only the pairs matter, its projection, and what runs it."""
    with biosnn.session(target, seed=1, dt=DT) as sim:
        group = NeuronGroup(CELLS, "x : 1", threshold="x > 1", reset="", namespace={}, name="group")
        joint = Projection(group, group, kind, 1.0, on_pre="x_post += w", delay=2 * ms, name="joint")
        yield sim, Network(group, joint), joint
