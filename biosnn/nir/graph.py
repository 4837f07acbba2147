"""A network of NIR without spikes becomes a `Graph` of layers; one with IF neurons does, where these stand for ReLU."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from graphlib import TopologicalSorter
from typing import Any

import numpy as np

from biosnn.ann.graph import Graph, with_shape
from biosnn.ann.layers import Add, AveragePool, Input, Layer, Relu, Scale, Shape, SumPool
from biosnn.ann.simplify import simplified
from biosnn.errors import ConversionError, field_error
from biosnn.nir.layers import in_single, layer_of
from biosnn.nir.network import NirNetwork, a_network
from biosnn.nir.neurons import IF, Neuron
from biosnn.nir.nodes import Delay, Node, Threshold
from biosnn.nir.nodes import Input as InputNode

SPIKING_AS = ("relu",)


def ann_graph(network: NirNetwork, spiking_as: str | None = None, dt: float = 1.0) -> Graph:
    """Take a network of NIR for an ordinary one.

    NIR has no ReLU. A network that has only nodes without memory is linear; one that was converted from an ordinary
    network has IF neurons in the place of ReLU, and can be read as what it was converted from.

    Parameters
    ----------
    network : NirNetwork
        With one Input and one Output.
    spiking_as : {None, "relu"}
        ``"relu"``: an IF node is a ReLU, times the gain ``r*dt/v_threshold``. At a constant input
        that is its firing rate per step, up to one; exactly so with the reset by subtraction.
    dt : float
        The time step (s) that the network was made for: 1 where ``r`` is 1, as most frameworks write it.

    Returns
    -------
    Graph
        Layers of the names of the nodes. A sum pooling is an `AveragePool` and a factor, in a weight where one follows.

    Raises
    ------
    ConversionError
        If a node has memory and is no IF, or is one and ``spiking_as`` does not say what to take it for; if there are
        several inputs or outputs, or the network leads back.
    """
    a_network("ann_graph network", network)
    if spiking_as not in (None, *SPIKING_AS):
        raise ConversionError(field_error("spiking_as", "None or 'relu'", spiking_as))
    if not 0 < dt < np.inf:
        raise ConversionError(field_error("dt", "a time above 0 s", dt))
    for kind, names in (("Input", network.inputs), ("Output", network.outputs)):
        if len(names) != 1:
            raise ConversionError(field_error("The network", f"one {kind}", list(names)))
    for name, node in network.nodes.items():
        _check(name, node, spiking_as)
    for source, target in sorted(network.back):
        do = "A recurrent network has no layers; read_nir and run_nir run it."
        raise ConversionError(f"A path leads from {source!r} back to {target!r}. {do}")
    layers: dict[str, Layer] = {}
    answers: dict[str, str] = {}  # the layer that computes what a node does
    for name in _order(network):
        node, sources = network.nodes[name], network.sources[name]
        shape = network.shapes[sources[0]] if sources else ()
        made: list[Layer] = [Add(name=f"{name}_sum")] if len(sources) > 1 else []
        inputs = tuple(answers[source] for source in sources)
        for layer in [*made, *_layers(name, node, shape, network.shapes[name], dt)]:
            layer_name = layer.name if layer.name == name else _free(layer.name, network, layers)
            placed = replace(layer, name=layer_name, inputs=inputs)
            fitted = placed.fit([layers[source].shape for source in inputs])
            layers[layer_name], inputs = with_shape(placed, fitted), (layer_name,)
        answers[name] = inputs[0]
    return simplified(layers.values(), answers[network.outputs[0]], (), {})


def _check(name: str, node: Node, spiking_as: str | None) -> None:
    where = f"Node {name!r} ({node.kind})"
    if isinstance(node, IF) and spiking_as == "relu":
        if node.reset == "set" and np.any(node.v_reset):
            raise ConversionError(field_error(f"{where} v_reset", "0, so that it stands for a ReLU", "another"))
        if node.v_threshold.min() <= 0 or node.r.min() <= 0:
            raise ConversionError(field_error(where, "v_threshold and r above 0, so that it stands for a ReLU", "less"))
    elif isinstance(node, IF):
        do = (
            "Run it as it is: read_nir(path), then run_nir. Or take IF neurons for the ReLU that they were converted "
            "from: read_network(path, spiking_as='relu')."
        )
        raise ConversionError(f"{where}: the network spikes, and is no ordinary one. {do}")
    elif isinstance(node, Neuron | Threshold | Delay):
        do = "Run the network as it is: read_nir(path), then run_nir."
        raise ConversionError(f"{where}: an ordinary network has no such node. {do}")


def _order(network: NirNetwork) -> list[str]:
    """All nodes, each after those that lead to it; among equals, as the edges name them."""
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for source, target in network.edges:
        sorter.add(target, source)
    return list(sorter.static_order())


def _layers(name: str, node: Node, shape: Shape, out: Shape, dt: float) -> list[Layer]:
    """The layers that a node comes down to, one behind the other."""
    ones = (1,) * len(out)
    if isinstance(node, InputNode):
        return [Input(name=name, shape=out)]
    if isinstance(node, IF):
        gain = np.broadcast_to(node.r * dt / node.v_threshold, out)
        if np.ptp(gain) == 0:
            gain = np.full(ones, gain.flat[0])
        relu = Relu(name=name)
        scaled = Scale(name=f"{name}_gain", weight=gain, bias=np.zeros(ones))
        return [relu, scaled] if np.any(gain != 1) else [relu]
    layer = layer_of(name, node, shape)
    if isinstance(layer, SumPool):
        size = np.full(ones, np.prod(layer.kernel))
        windows: dict[str, Any] = {"kernel": layer.kernel, "stride": layer.stride, "padding": layer.padding}
        pool = AveragePool(name=name, counts_padding=True, **windows)
        return [pool, Scale(name=f"{name}_size", weight=size, bias=np.zeros(ones))]
    return [in_single(layer)] if layer else []


def _free(name: str, network: NirNetwork, layers: Mapping[str, Layer]) -> str:
    while name in network.nodes or name in layers:
        name += "_"
    return name
