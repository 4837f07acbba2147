"""What part 3, depth, reports of layers that images go through (`biosnn.propagation.coded_layers`)."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
from brian2 import second

from biosnn.propagation.coded_layers import Depth


def depth_arrays(depth: Depth) -> dict[str, Any]:
    """The arrays of a result: ``"depth spikes"`` and so on, as in `Depth`."""
    arrays = {f"depth {part.name}": np.asarray(getattr(depth, part.name)) for part in fields(depth)}
    return {**arrays, "depth latency": depth.latency * second}


def depth_values(depth: Depth) -> dict[str, float]:
    """A few numbers: of each coding, what the last layer tells.

    The accuracy is that of the linear decoder, of counts or of first spikes, that is better on average over the seeds.
    """
    last = depth.counts.shape[-1] - 1
    best = np.maximum(depth.counts.mean(axis=1), depth.firsts.mean(axis=1))
    found = {"chance in depth": depth.chance}
    for number, name in enumerate(depth.codings):
        found[f"accuracy after {last} layers of {name}"] = float(best[number, last])
    return found
