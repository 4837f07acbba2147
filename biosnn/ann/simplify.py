"""Fewer layers that compute the same: normalisations go into weights, consecutive selections become one. NumPy only.

A network that is to spike should have no layers but those that neurons and synapses can be made of. Every rule here is
exact but for rounding. A rule looks at a layer and at the one it takes its input from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from biosnn.ann import layouts
from biosnn.ann.graph import Graph
from biosnn.ann.layers import Convolution, Layer, Linear, Relu, Scale
from biosnn.ann.rewriting import Net, Rule, rewritten
from biosnn.ann.scales import by_channel, everywhere, scaled_weights, taps


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
    net = Net(layers, output, origins)
    rewritten(net, RULES)
    return net.graph(head)


def _scale_into_weights(net: Net, layer: Layer) -> bool:
    """A normalisation of what weights compute goes into these weights."""
    source = net.source(layer)
    if not isinstance(layer, Scale) or not isinstance(source, Linear | Convolution) or not net.only(source):
        return False
    scaled = scaled_weights(source, layer)
    if scaled:
        net.absorb(scaled, layer)
    return bool(scaled)


def _scale_into_scale(net: Net, layer: Layer) -> bool:
    source = net.source(layer)
    if not isinstance(layer, Scale) or not isinstance(source, Scale) or not net.only(source):
        return False
    outer, inner = layer.weight.astype(float), source.weight.astype(float)
    weight, bias = outer * inner, source.bias * outer + layer.bias
    net.put(replace(layer, inputs=source.inputs, weight=weight, bias=bias))
    return True


def _scale_from_input(net: Net, layer: Layer) -> bool:
    """A normalisation of what weights are given goes into these weights, where no padding comes in between."""
    source = net.source(layer)
    if not isinstance(source, Scale) or not net.only(source):
        return False
    if isinstance(layer, Linear):
        scale, shift = (everywhere(a, source.shape).ravel() for a in (source.weight, source.bias))
        weight, bias = layer.weight * scale, layer.bias + layer.weight @ shift
        net.put(replace(layer, inputs=source.inputs, weight=weight, bias=bias))
        return True
    scaled = _scaled_input(layer, source) if isinstance(layer, Convolution) else None
    if scaled and isinstance(layer, Convolution):
        net.put(replace(layer, inputs=source.inputs, weight=scaled[0], bias=scaled[1]))
    return bool(scaled)


def _scaled_input(layer: Convolution, source: Scale) -> tuple[NDArray[Any], NDArray[Any]] | None:
    scale_and_shift = by_channel(source, source.shape)
    # The zeros of a padding are not shifted: with one, the border would get what the image alone should.
    if scale_and_shift is None or (any(layer.padding) and source.bias.any()):
        return None
    scale, shift = (values[taps(layer)] for values in scale_and_shift)
    bias = layer.bias + (layer.weight.sum(axis=(2, 3), dtype=float) * shift).sum(axis=1)
    return layer.weight * scale[:, :, None, None], bias


def _merge_relus(net: Net, layer: Layer) -> bool:
    source = net.source(layer)
    if not isinstance(layer, Relu) or not isinstance(source, Relu) or not net.only(source):
        return False
    net.absorb(replace(source, most=min(source.most, layer.most)), layer)
    return True


RULES: tuple[Rule, ...] = (
    layouts.merge_selections,
    layouts.drop_identity,
    layouts.same_selection,
    layouts.select_in_linear,
    _merge_relus,
    layouts.relu_before_select,
    layouts.transposition_before_relu,
    layouts.select_before_scale,
    _scale_into_weights,
    layouts.scale_through_select,
    _scale_into_scale,
    _scale_from_input,
    layouts.scale_before_transposition,
    layouts.join_before_transpositions,
    layouts.whole_pool,
    layouts.padding_into_window,
)
