"""A converted network as a network of NIR, which other frameworks read.

Membrane potentials are in the units of the ordinary network: a population's neurons have its thresholds, and what
leaves them is multiplied by these, so that a spike brings the activation that it stands for. One time step is a second
of NIR, whose neurons integrate with r = 1: run it with ``dt=1*second``. The input is a value for each pixel in every
step.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn.ann.layers import AveragePool, Convolution, Layer, Linear, Scale, Select, Shape
from biosnn.conversion.hybrid.network import HybridNetwork
from biosnn.conversion.network import STEPS, SpikingNetwork
from biosnn.conversion.populations import MAXIMUM, OUTPUT, Path, Population
from biosnn.errors import ConversionError, field_error
from biosnn.nir.kinds import IF, Affine, AvgPool2d, Conv2d, Flatten, I, Input, Node, Output
from biosnn.nir.kinds import Scale as NirScale
from biosnn.nir.network import NirNetwork
from biosnn.nir.write import write_nir

RESETS = {"if_soft": "subtract", "if_hard": "set"}
"""The models of neurons that NIR has a node for."""


def to_nir(snn: SpikingNetwork | HybridNetwork) -> NirNetwork:
    """Make a network of NIR of a converted one.

    Soft reset, firing at the threshold, and the potential at the start are in the metadata of the nodes, since NIR has
    no words for them (docs/nir.md).

    Raises
    ------
    ConversionError
        If some of its layers do not spike, or it codes values by first spikes, has inputs that spike or neurons other
        than if_soft and if_hard, or has a layer that NIR has no node for. The message names it.
    """
    if isinstance(snn, HybridNetwork):
        raise ConversionError(field_error("A network in NIR", "a network whose layers all spike", "a hybrid one"))
    options = snn.options
    for name, given, valid in (
        ("code", options.code, ("rate",)),
        ("input", options.input, ("analog",)),
        ("neuron", options.model.name, tuple(RESETS)),
        ("output", options.output, ("potential",)),
        *((name, getattr(options, name), (0,)) for name in STEPS),
    ):
        if given not in valid:
            raise ConversionError(field_error(f"A network in NIR, {name}", " or ".join(map(repr, valid)), given))
    made = _Made()
    entrance = snn.graph.input
    made.nodes[entrance.name] = Input(shape=entrance.shape)
    for population in snn.network.populations:
        _add(made, snn, population)
    last = snn.graph.output
    made.nodes["output"] = Output(shape=snn.network.shape(last))
    made.edges.append((_cells(last), "output"))
    about = {"made_by": "biosnn", "what": "a converted network, one time step per second"}
    return NirNetwork(made.nodes, tuple(made.edges), about)


def export(snn: SpikingNetwork | HybridNetwork, path: str | os.PathLike[str]) -> NirNetwork:
    """Write a converted network as an NIR file, whole or not at all; see `to_nir`.

    Raises
    ------
    ConversionError
        As of `to_nir`, or if the file cannot be written.
    """
    network = to_nir(snn)
    write_nir(network, path)
    return network


@dataclass
class _Made:
    nodes: dict[str, Node] = field(default_factory=dict)
    edges: list[tuple[str, str]] = field(default_factory=list)


def _cells(name: str) -> str:
    """What the neurons of a population are called; its layer gives its name to what leads there."""
    return f"{name}, cells"


def _add(made: _Made, snn: SpikingNetwork, population: Population) -> None:
    if population.kind == MAXIMUM:
        do = "Train the network with average pooling."
        raise ConversionError(field_error(f"Layer {population.name!r}", "no max pooling, as NIR has none", "it", do))
    name, shape, adjustment = _cells(population.name), population.shape, snn.adjustment(population.name)
    if population.kind == OUTPUT:
        made.nodes[name] = I(r=np.ones(shape))
    else:
        theta = _each(snn.thresholds[population.name] / adjustment.excitability, shape)
        made.nodes[name] = IF(
            r=np.ones(shape),
            v_threshold=theta,
            reset=RESETS[snn.options.model.name],
            fires=">=",
            v_initial=adjustment.of_layer("start", shape) * theta,
        )
    bias: NDArray[np.float32] | None = population.bias + adjustment.of_layer("bias", shape)
    for number, path in enumerate(population.paths):
        source = snn.graph.input.name if path.source == snn.graph.input.name else _cells(path.source)
        told = snn.thresholds.get(path.source, np.ones(snn.network.shape(path.source)[:1], np.float32))
        for place, node in enumerate(_nodes(path, snn.network.shape(path.source), told)):
            if bias is not None and isinstance(node, Affine | Conv2d) and _last(path, place):
                node, bias = _biased(population, node, bias), None
            step = f"{population.name}, {number}.{place}"
            made.nodes[step] = node
            made.edges.append((source, step))
            source = step
        made.edges.append((source, name))
    if bias is not None and np.any(bias):
        do = "A bias needs a convolution or linear layer that leads to it directly."
        raise ConversionError(field_error(f"Layer {population.name!r}", "no bias of its own", "one", do))


def _each(channels: NDArray[Any], shape: Shape) -> NDArray[np.float32]:
    """A number of each channel for each neuron, channels first."""
    return np.broadcast_to(channels.reshape(-1, *[1] * (len(shape) - 1)), shape).astype(np.float32)


def _last(path: Path, place: int) -> bool:
    """Whether nothing follows that would change a bias."""
    weighted = [k for k, layer in enumerate(path.layers) if isinstance(layer, Convolution | Linear)]
    return bool(weighted) and weighted[-1] == len(path.layers) - 1 and place >= weighted[-1]


def _biased(population: Population, node: Affine | Conv2d, bias: NDArray[np.float32]) -> Node:
    if isinstance(node, Affine):
        return Affine(weight=node.weight, bias=bias.ravel())
    flat = bias.reshape(len(bias), -1)
    if np.any(np.ptp(flat, axis=1)):
        expected = "a bias that is the same everywhere in a channel"
        raise ConversionError(field_error(f"Layer {population.name!r}", expected, "one that differs"))
    more = {name: getattr(node, name) for name in ("stride", "padding", "dilation", "groups", "input_shape")}
    return Conv2d(weight=node.weight, bias=flat[:, 0], **more)


def _nodes(path: Path, source: Shape, told: NDArray[Any]) -> Iterator[Node]:
    """The nodes of a path; the first takes in what the spikes of the source stand for."""
    shape, scale = source, told
    for number, layer in enumerate(path.layers):
        if number == 0 and not isinstance(layer, Convolution | Linear):
            if np.any(scale != 1):
                yield NirScale(scale=_each(scale, shape))
            scale = np.ones_like(scale)
        yield from _node(layer, shape, scale)
        shape, scale = layer.shape, np.ones(layer.shape[:1], np.float32)
    if not path.layers:
        yield NirScale(scale=_each(scale, shape))


def _node(layer: Layer, shape: Shape, scale: NDArray[Any]) -> Iterator[Node]:
    if isinstance(layer, Linear):
        if len(shape) > 1:
            yield Flatten(start_dim=0, input_type=shape)
        weight = layer.weight * _each(scale, shape).reshape(1, -1)
        yield Affine(weight=weight, bias=np.zeros(len(weight)))
    elif isinstance(layer, Convolution):
        of_group = scale.reshape(layer.groups, 1, -1).repeat(len(layer.weight) // layer.groups, axis=1)
        weight = layer.weight * of_group.reshape(len(layer.weight), -1, 1, 1)
        yield _conv2d(layer, weight, shape)
    elif isinstance(layer, AveragePool) and layer.padding[:2] == layer.padding[2:] and _even(layer):
        yield AvgPool2d(kernel_size=layer.kernel, stride=layer.stride, padding=layer.padding[:2])
    elif isinstance(layer, Scale) and layer.shape == shape:
        yield NirScale(scale=np.broadcast_to(layer.weight, shape).astype(np.float32))
    elif isinstance(layer, Select) and (convolution := as_convolution(layer, shape)) is not None:
        yield _conv2d(convolution, convolution.weight, shape)
    elif isinstance(layer, Select) and layer.reshapes and len(layer.shape) == 1:
        yield Flatten(start_dim=0, input_type=shape)
    else:
        do = "NIR has no node for it: leave it out, or train the network without it."
        raise ConversionError(field_error(layer.where, "a layer that NIR has a node for", type(layer).__name__, do))


def _even(layer: AveragePool) -> bool:
    """Whether padding counts as zeros, as NIR has it, or there is none."""
    return layer.counts_padding or not any(layer.padding)


def _conv2d(layer: Convolution, weight: NDArray[Any], shape: Shape) -> Conv2d:
    top, left, bottom, right = layer.padding
    if (top, left) != (bottom, right):
        do = "Export the network with the same padding on both sides."
        raise ConversionError(field_error(layer.where, "padding of one width on both sides", layer.padding, do))
    return Conv2d(
        weight=weight,
        bias=np.zeros(len(weight)),
        stride=layer.stride,
        padding=(top, left),
        dilation=layer.dilation,
        groups=layer.groups,
        input_shape=(shape[1], shape[2]),
    )


def as_convolution(layer: Select, shape: Shape) -> Convolution | None:
    """Every other pixel, and channels moved, as a kernel of one pixel: a shortcut of option A (He et al. 2016)."""
    if len(shape) != 3 or len(layer.shape) != 3:
        return None
    stride = (-(-shape[1] // layer.shape[1]), -(-shape[2] // layer.shape[2]))
    numbers = np.arange(np.prod(shape)).reshape(shape)[:, :: stride[0], :: stride[1]]
    if numbers.shape[1:] != layer.shape[1:]:
        return None
    weight = np.zeros((layer.shape[0], shape[0], 1, 1), np.float32)
    for outer, places in enumerate(layer.source):
        if np.all(places == -1):
            continue
        inner = int(places[0, 0]) // (shape[1] * shape[2])
        if not np.array_equal(places, numbers[inner]):
            return None
        weight[outer, inner] = 1
    bias = np.zeros(layer.shape[0])
    return Convolution(name=layer.name, inputs=layer.inputs, weight=weight, bias=bias, stride=stride, shape=layer.shape)
