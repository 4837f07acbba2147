"""What lies between the neurons of NIR: layers that values pass, and synapses; delays, and what biases add.

Neurons of images are in the order (row, column, channel), as projections want them; NIR's are channels first.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from biosnn.ann.affine import forward
from biosnn.ann.connections import Connection, connection
from biosnn.ann.layers import Convolution, Layer
from biosnn.errors import ConversionError, field_error
from biosnn.nir.fields import Numbers
from biosnn.nir.layers import layer_of, scale
from biosnn.nir.network import LinearPath, NirNetwork
from biosnn.nir.nodes import Delay

MOST_DELAYS = 256
"""How many different delays a path may have: each is a set of synapses of its own."""
MOST_SEEN = 2**22
"""How many values the windows of a convolution may see at once."""


def connections(network: NirNetwork, path: LinearPath, dt: float) -> list[tuple[int, Connection]]:
    """The synapses that a path comes down to.

    Parameters
    ----------
    network : NirNetwork
        The network.
    path : LinearPath
        From a population to one.
    dt : float
        The time step (s).

    Returns
    -------
    list of (int, Connection)
        How many steps later what the source sends is added to the target, and by which synapses.

    Raises
    ------
    ConversionError
        If a delay is no multiple of the time step, or synapses would be too many.
    """
    chains: list[tuple[int, list[Layer]]] = [(0, [])]
    for name in path.through:
        node = network.nodes[name]
        if not isinstance(node, Delay):
            layer = _layer(network, name)
            chains = [(lag, [*chain, layer]) for lag, chain in chains] if layer else chains
            continue
        steps = _steps(name, node, dt)
        different = np.unique(steps)
        if len(chains) * len(different) > MOST_DELAYS:
            where = f"Node {name!r} (Delay)"
            raise ConversionError(field_error(where, f"at most {MOST_DELAYS} different delays", len(different)))
        # Values with different delays go paths of their own, each without the others.
        chains = [
            (lag + int(k), chain if len(different) == 1 else [*chain, scale(name, (steps == k).astype(float))])
            for lag, chain in chains
            for k in different
        ]
    ends = network.shapes[path.source], network.shapes[path.target]
    by_lag = [(lag, connection(chain, *ends)) for lag, chain in chains]
    return [(lag, made) for lag, made in by_lag if np.any(made.weights)]


def through(network: NirNetwork, path: LinearPath, values: Numbers, dt: float) -> Numbers:
    """Take values of many time steps along a path, without biases; shape (steps, *shape of the source)."""
    for name in path.through:
        node, layer = network.nodes[name], _layer(network, name)
        if isinstance(node, Delay):
            values = _shifted(values, _steps(name, node, dt))
        elif layer is not None:
            seen = layer.macs * layer.groups // len(layer.weight) if isinstance(layer, Convolution) else 0
            parts = np.array_split(values, min(len(values), 1 + seen * len(values) // MOST_SEEN))
            values = np.concatenate([forward(layer, [part], bias=False) for part in parts])
    return values


def constants(network: NirNetwork) -> Mapping[str, Numbers]:
    """What biases add to the input of each node in every step; nodes that none reaches are left out.

    Biases are there from the first step on, behind a Delay too.
    """
    out: dict[str, Numbers] = {}

    def arriving(name: str) -> Numbers | None:
        parts = [out[source] for source in network.sources[name] if source in out]
        return sum(parts[1:], parts[0]) if parts else None

    for name in network.maps:
        layer, constant = _layer(network, name), arriving(name)
        if layer is not None and (constant is not None or np.any(getattr(layer, "bias", 0))):
            values = np.zeros(network.shapes[network.sources[name][0]]) if constant is None else constant
            constant = forward(layer, [values[None]])[0]
        if constant is not None:
            out[name] = constant
    ends = [name for name in network.nodes if name not in network.maps]
    return {name: constant for name in ends if (constant := arriving(name)) is not None}


def _layer(network: NirNetwork, name: str) -> Layer | None:
    return layer_of(name, network.nodes[name], network.shapes[network.sources[name][0]])


def _steps(name: str, node: Delay, dt: float) -> NDArray[np.int64]:
    """By how many steps a Delay shifts each value that it gets; `ConversionError` if by no whole number."""
    steps = np.round(node.delay / dt)
    wrong = np.abs(node.delay - steps * dt) > 1e-6 * dt
    if wrong.any():
        do = "Choose a time step that divides the delays."
        got = f"{float(node.delay[wrong][0])} s"
        raise ConversionError(field_error(f"Node {name!r} (Delay)", f"multiples of the step of {dt} s", got, do))
    return steps.astype(np.int64)


def _shifted(values: Numbers, steps: NDArray[np.int64]) -> Numbers:
    """Each value so many steps later; nothing before."""
    when = np.arange(len(values)).reshape(-1, *(1,) * steps.ndim) - steps
    taken = np.take_along_axis(values, np.maximum(when, 0), axis=0)
    return np.where(when < 0, 0.0, taken)
