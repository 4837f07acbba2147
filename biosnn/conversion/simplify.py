"""Fewer layers that compute the same: normalisations go into weights, consecutive selections become one. NumPy only.

A network that is to spike should have no layers but those that neurons and synapses can be made of. Every rule here is
exact but for rounding. A rule looks at a layer and at the one it takes its input from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn.conversion.graph import Graph
from biosnn.conversion.layers import Convolution, Layer, Linear, Relu, Scale, Select, Shape


def simplified(layers: Iterable[Layer], output: str, head: tuple[str, ...], origins: Mapping[str, str]) -> Graph:
    """A graph of the layers that lead to the output, with as few of them as the rules here can make it.

    Parameters
    ----------
    layers : iterable of Layer
        With their shapes.
    output, head, origins
        Of the `Graph`.

    Raises
    ------
    ConversionError
        If the layers make no graph.
    """
    net = _Net(layers, output, origins)
    changed = True
    while changed:
        changed = False
        for name in list(net.layers):
            changed |= any(name in net.layers and rule(net, net.layers[name]) for rule in _RULES)
    return Graph(tuple(net.layers.values()), net.output, head, net.origins)


class _Net:
    """Layers that are being changed, and who reads whom."""

    def __init__(self, layers: Iterable[Layer], output: str, origins: Mapping[str, str]) -> None:
        self.layers = {layer.name: layer for layer in layers}
        self.output = output
        self.origins = dict(origins)
        self.readers: dict[str, list[str]] = {name: [] for name in self.layers}
        for layer in self.layers.values():
            for source in layer.inputs:
                self.readers[source].append(layer.name)
        for name in list(self.layers):
            self.drop_if_idle(name)

    def source(self, layer: Layer) -> Layer | None:
        """The layer that another takes its only input from."""
        return self.layers[layer.inputs[0]] if len(layer.inputs) == 1 else None

    def only(self, source: Layer) -> bool:
        """Whether a layer has a single reader, so that it may change together with it."""
        return source.name != self.output and len(self.readers[source.name]) == 1

    def put(self, layer: Layer) -> None:
        """Put a layer in the place of the one of its name."""
        before = self.layers[layer.name].inputs
        for source in before:
            self.readers[source].remove(layer.name)
        for source in layer.inputs:
            self.readers[source].append(layer.name)
        self.layers[layer.name] = replace(layer, shape=layer.fit([self.layers[name].shape for name in layer.inputs]))
        for source in before:
            self.drop_if_idle(source)

    def hand_over(self, name: str, to: str) -> None:
        """Let those who read one layer read another."""
        for reader in dict.fromkeys(self.readers[name]):
            layer = self.layers[reader]
            inputs = tuple(to if source == name else source for source in layer.inputs)
            self.layers[reader] = replace(layer, inputs=inputs)
        self.readers[to] += self.readers[name]
        self.readers[name] = []
        if self.output == name:
            self.output = to

    def swap(self, first: Layer, second: Layer) -> None:
        """Let a layer come after its only reader, rather than before it."""
        origin = self.origins.pop(second.name, None)
        self.origins.pop(first.name, None)
        self.hand_over(second.name, first.name)
        # For a moment both read each other.
        self.readers[second.name].append(first.name)
        self.readers[first.inputs[0]].remove(first.name)
        self.layers[first.name] = replace(first, inputs=(second.name,), shape=second.shape)
        self.put(replace(second, inputs=first.inputs))
        if origin:
            self.origins[first.name] = origin

    def drop_if_idle(self, name: str) -> None:
        """Remove a layer that nothing reads, and then those that only it has read."""
        waiting = [name]
        while waiting:
            name = waiting.pop()
            if name in self.layers and not self.readers[name] and name != self.output and self.layers[name].inputs:
                layer = self.layers.pop(name)
                self.origins.pop(name, None)
                del self.readers[name]
                for source in layer.inputs:
                    self.readers[source].remove(name)
                waiting += layer.inputs

    def absorb(self, layer: Layer, gone: Layer) -> None:
        """Put a layer that now computes what its only reader did, which goes."""
        origin = self.origins.pop(gone.name, None)
        self.put(layer)
        self.hand_over(gone.name, layer.name)
        self.drop_if_idle(gone.name)
        if origin:
            self.origins[layer.name] = origin


def _merge_selections(net: _Net, layer: Layer) -> bool:
    """A selection from a selection selects from the input of that."""
    source = net.source(layer)
    if not isinstance(layer, Select) or not isinstance(source, Select):
        return False
    taken = np.where(layer.source < 0, -1, source.source.ravel()[layer.source])
    net.put(replace(layer, inputs=source.inputs, shape=(), source=taken))
    return True


def _drop_identity(net: _Net, layer: Layer) -> bool:
    source = net.source(layer)
    if not isinstance(layer, Select) or source is None or layer.shape != source.shape or not layer.reshapes:
        return False
    if layer.name in net.origins:
        net.origins.setdefault(source.name, net.origins[layer.name])
    net.hand_over(layer.name, source.name)
    net.drop_if_idle(layer.name)
    return True


def _select_in_linear(net: _Net, layer: Layer) -> bool:
    """A linear layer takes its input flat anyhow; another order of it is another order of its weights."""
    source = net.source(layer)
    if not isinstance(layer, Linear) or not isinstance(source, Select):
        return False
    size = net.layers[source.inputs[0]].neurons
    if size > source.neurons:  # the weights would grow
        return False
    weight = layer.weight
    if size != source.neurons or not source.reshapes:
        taken, columns = source.source.ravel(), np.zeros((size, len(layer.weight)), np.float32)
        np.add.at(columns, taken[taken >= 0], layer.weight.T[taken >= 0])
        weight = np.ascontiguousarray(columns.T)
    net.put(replace(layer, inputs=source.inputs, weight=weight))
    return True


def _scale_into_weights(net: _Net, layer: Layer) -> bool:
    """A normalisation of what weights compute goes into these weights."""
    source = net.source(layer)
    if not isinstance(layer, Scale) or not isinstance(source, Linear | Convolution) or not net.only(source):
        return False
    by_channel = _by_channel(layer, source.shape)
    if by_channel is None:
        return False
    scale, shift = by_channel
    weight = source.weight * scale.reshape(-1, *[1] * (source.weight.ndim - 1))
    net.absorb(replace(source, weight=weight, bias=source.bias * scale + shift), layer)
    return True


def _scale_into_scale(net: _Net, layer: Layer) -> bool:
    source = net.source(layer)
    if not isinstance(layer, Scale) or not isinstance(source, Scale) or not net.only(source):
        return False
    outer, inner = layer.weight.astype(float), source.weight.astype(float)
    weight, bias = outer * inner, source.bias * outer + layer.bias
    net.put(replace(layer, inputs=source.inputs, weight=weight, bias=bias))
    return True


def _scale_from_input(net: _Net, layer: Layer) -> bool:
    """A normalisation of what weights are given goes into these weights, where no padding comes in between."""
    source = net.source(layer)
    if not isinstance(source, Scale) or not net.only(source):
        return False
    if isinstance(layer, Linear):
        scale, shift = (_all(a, source.shape).ravel() for a in (source.weight, source.bias))
        weight, bias = layer.weight * scale, layer.bias + layer.weight @ shift
        net.put(replace(layer, inputs=source.inputs, weight=weight, bias=bias))
        return True
    scaled = _scaled_input(layer, source) if isinstance(layer, Convolution) else None
    if scaled and isinstance(layer, Convolution):
        net.put(replace(layer, inputs=source.inputs, weight=scaled[0], bias=scaled[1]))
    return bool(scaled)


def _scaled_input(layer: Convolution, source: Scale) -> tuple[NDArray[Any], NDArray[Any]] | None:
    by_channel = _by_channel(source, source.shape)
    # The zeros of a padding are not shifted: with one, the border would get what the image alone should.
    if by_channel is None or (any(layer.padding) and source.bias.any()):
        return None
    out, of_group = layer.weight.shape[:2]
    group = np.arange(out) // (out // layer.groups)
    channel = group[:, None] * of_group + np.arange(of_group)
    scale, shift = (values[channel] for values in by_channel)
    bias = layer.bias + (layer.weight.sum(axis=(2, 3), dtype=float) * shift).sum(axis=1)
    return layer.weight * scale[:, :, None, None], bias


def _merge_relus(net: _Net, layer: Layer) -> bool:
    source = net.source(layer)
    if not isinstance(layer, Relu) or not isinstance(source, Relu) or not net.only(source):
        return False
    net.absorb(replace(source, most=min(source.most, layer.most)), layer)
    return True


def _relu_before_select(net: _Net, layer: Layer) -> bool:
    """A ReLU comes right after the weights that it clips, so that both become one layer of neurons."""
    source = net.source(layer)
    if not isinstance(layer, Relu) or not isinstance(source, Select) or not net.only(source):
        return False
    net.swap(source, layer)
    return True


def _select_before_scale(net: _Net, layer: Layer) -> bool:
    """A normalisation of images that are then transposed comes next to the weights, which may take it in."""
    source = net.source(layer)
    if not isinstance(layer, Select) or not isinstance(source, Scale) or not net.only(source):
        return False
    if layer.source.min() < 0:  # a zero that is selected is not to be shifted
        return False
    weight, bias = (_shrunk(_all(a, source.shape).ravel()[layer.source]) for a in (source.weight, source.bias))
    net.swap(replace(source, weight=weight, bias=bias), layer)
    return True


def _shrunk(array: NDArray[Any]) -> NDArray[Any]:
    """The same numbers, with length 1 of each axis along which they do not change."""
    for axis in range(array.ndim):
        first = array.take([0], axis)
        array = first if (array == first).all() else array
    return array


def _by_channel(layer: Scale, shape: Shape) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Scale and shift of each channel, if they are the same all over it."""
    if any(n != 1 for array in (layer.weight, layer.bias) for n in array.shape[1:]):
        return None
    flat = (np.broadcast_to(array.ravel(), shape[:1]).astype(float) for array in (layer.weight, layer.bias))
    scale, shift = flat
    return scale, shift


def _all(array: NDArray[Any], shape: Shape) -> NDArray[np.float64]:
    return np.broadcast_to(array, shape).astype(float)


_RULES: tuple[Callable[[_Net, Layer], bool], ...] = (
    _merge_selections,
    _drop_identity,
    _select_in_linear,
    _merge_relus,
    _relu_before_select,
    _select_before_scale,
    _scale_into_weights,
    _scale_into_scale,
    _scale_from_input,
)
