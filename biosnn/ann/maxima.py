"""Max pooling where there are spikes to pool: right behind ReLUs; rules that put it there. NumPy only.

The largest of some values, then changed by something that never falls, is the largest of the changed values. So what
comes between a ReLU and max pooling may come after it, and a ReLU behind max pooling may come before it.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from biosnn.ann.graph import Graph
from biosnn.ann.layers import Add, Concat, Convolution, Input, Layer, Linear, MaxPool, Relu, Scale, Select
from biosnn.ann.layouts import border, selected_channels, without_border
from biosnn.ann.rewriting import Net, Rule, rewritten
from biosnn.ann.scales import by_channel
from biosnn.ann.signs import never_negative
from biosnn.ann.simplify import RULES
from biosnn.errors import ConversionError, field_error


def maxima_of_relus(graph: Graph) -> Graph:
    """Let all max pooling read ReLUs, or other max pooling.

    Parameters
    ----------
    graph : Graph
        A network; without other max pooling, it stays as it is.

    Raises
    ------
    ConversionError
        If there is max pooling of something that may be negative; the message says what to do.
    """
    if all(_pools_spikes(graph, layer) for layer in graph.layers):
        return graph
    net = Net(graph.layers, graph.output, graph.origins)
    rewritten(net, (_relu_before_pool,))
    if not all(_pools_spikes(net.layers, layer) for layer in net.layers.values()):
        rewritten(net, (*_BEHIND, *RULES))
        rewritten(net, (*_BEFORE, *RULES))
    simplified = net.graph(graph.head)
    pools = [layer for layer in simplified.layers if not _pools_spikes(simplified, layer)]
    for pool in pools:
        source = simplified[pool.inputs[0]]
        if not never_negative(net.layers, source.name):
            raise _refused(pool, source)
        # A ReLU changes nothing there, and its neurons are what is pooled.
        relu = net.add(Relu(name=f"{pool.name}/rectified", inputs=pool.inputs))
        net.put(replace(pool, inputs=(relu.name,)))
    return net.graph(graph.head) if pools else simplified


def _pools_spikes(layers: Graph | dict[str, Layer], layer: Layer) -> bool:
    return not isinstance(layer, MaxPool) or isinstance(layers[layer.inputs[0]], Relu | MaxPool)


def _root(net: Net, layer: Layer) -> Layer:
    """What max pooling reads, maybe through other max pooling."""
    while isinstance(layer, MaxPool):
        layer = net.layers[layer.inputs[0]]
    return layer


def _sums(net: Net, layer: Layer) -> bool:
    """Whether a layer is made of what weights compute, with no ReLU since."""
    waiting, seen = [layer.name], set()
    while waiting:
        name = waiting.pop()
        if isinstance(net.layers[name], Convolution | Linear | Add):
            return True
        if name not in seen and not isinstance(net.layers[name], Relu):
            seen.add(name)
            waiting += net.layers[name].inputs
    return False


def _relu_before_pool(net: Net, layer: Layer) -> bool:
    """The rectified largest value is the largest of the rectified values."""
    pool = net.source(layer)
    if not isinstance(layer, Relu) or not isinstance(pool, MaxPool) or not net.only(pool):
        return False
    if isinstance(_root(net, pool), Relu):
        return False
    # The names go with the values: whoever reads the ReLU now reads the pool, under the ReLU's name.
    net.origins.pop(pool.name, None)
    net.put(Relu(name=pool.name, inputs=pool.inputs, most=layer.most))
    net.put(replace(pool, name=layer.name, inputs=(pool.name,), shape=()))
    return True


def _scale_before_pool(net: Net, layer: Layer) -> bool:
    """A normalisation behind max pooling of what weights compute goes towards these."""
    pool = net.source(layer)
    if not isinstance(layer, Scale) or not isinstance(pool, MaxPool) or not net.only(pool) or not _rises(layer):
        return False
    if not _sums(net, pool):
        return False
    net.swap(pool, layer)
    return True


def _relu_before_join(net: Net, layer: Layer) -> bool:
    """A ReLU of a concatenation in which there is max pooling rectifies its parts."""
    joined = net.source(layer)
    if not isinstance(layer, Relu) or not isinstance(joined, Concat) or not net.only(joined):
        return False
    roots = [_root(net, net.layers[name]) for name in joined.inputs if isinstance(net.layers[name], MaxPool)]
    if all(isinstance(root, Relu) for root in roots):
        return False
    parts = [net.add(Relu(name=f"{layer.name}/{name}", inputs=(name,), most=layer.most)) for name in joined.inputs]
    net.origins.pop(joined.name, None)
    net.put(replace(joined, inputs=tuple(part.name for part in parts)))
    net.hand_over(layer.name, joined.name)
    net.drop_if_idle(layer.name)
    return True


def _scale_behind_pool(net: Net, layer: Layer) -> bool:
    """A normalisation of ReLUs that are pooled comes behind."""
    scale = net.source(layer)
    if not isinstance(layer, MaxPool) or not isinstance(scale, Scale) or not _rises(scale):
        return False
    net.put(replace(layer, inputs=scale.inputs))
    net.follow(layer.name, replace(scale, name=f"{layer.name}/scaled", inputs=(layer.name,), shape=()))
    return True


def _join_behind_pool(net: Net, layer: Layer) -> bool:
    """Each of the layers whose channels are joined is pooled by itself."""
    joined = net.source(layer)
    if not isinstance(layer, MaxPool) or not isinstance(joined, Concat) or joined.axis != 0:
        return False
    parts = [net.add(replace(layer, name=f"{layer.name}/{name}", inputs=(name,), shape=())) for name in joined.inputs]
    net.put(Concat(name=layer.name, inputs=tuple(part.name for part in parts)))
    return True


def _select_behind_pool(net: Net, layer: Layer) -> bool:
    """Channels are selected of what has been pooled; zeros around what is never negative are padding."""
    part = net.source(layer)
    if not isinstance(layer, MaxPool) or not isinstance(part, Select):
        return False
    source = net.layers[part.inputs[0]]
    channels = selected_channels(part, source.shape)
    if channels is not None:
        net.put(replace(layer, inputs=part.inputs, shape=()))
        places = math.prod(net.layers[layer.name].shape[1:])
        taken = channels[:, None] * places + np.arange(places)
        taken[channels < 0] = -1
        taken = taken.reshape(len(channels), *net.layers[layer.name].shape[1:])
        net.follow(layer.name, Select(name=f"{layer.name}/selected", inputs=(layer.name,), source=taken))
        return True
    cut = border(part)
    sides = tuple(a + b for a, b in zip(layer.padding, cut, strict=True))
    fits = all(side < length for side, length in zip(sides, layer.kernel * 2, strict=True))
    if not any(cut) or not fits or not isinstance(source, Relu):
        return False
    inside = net.add(replace(without_border(part, cut), name=f"{part.name}/inside"))
    net.put(replace(layer, inputs=(inside.name,), padding=(sides[0], sides[1], sides[2], sides[3])))
    return True


_BEFORE: tuple[Rule, ...] = (_scale_behind_pool, _join_behind_pool, _select_behind_pool)
_BEHIND: tuple[Rule, ...] = (_relu_before_pool, _scale_before_pool, _relu_before_join)


def _rises(layer: Scale) -> bool:
    """Whether it is by channel, and none of its factors is negative."""
    return by_channel(layer, layer.shape) is not None and bool((layer.weight >= 0).all())


def _refused(pool: Layer, source: Layer) -> ConversionError:
    """Why there are no spikes to pool, and what to do."""
    expected = "an input that is a ReLU or max pooling, or made of them without negative factors"
    do = (
        "Max pooling lets the spikes of the most active neuron pass, so there must be some: put a ReLU before it or "
        "right behind it, or train with average pooling."
    )
    if isinstance(source, Input):
        do = "Pixels have no neurons whose spikes could be pooled: pool the images themselves, or begin with weights."
    if isinstance(source, Scale) and (source.weight < 0).any():
        channels = np.flatnonzero((source.weight.reshape(len(source.weight), -1) < 0).any(axis=1))
        given = f"{source.where}, whose factor is negative in {len(channels)} channels, the first {int(channels[0])}"
        do = (
            "The largest value, times a negative number, is the smallest one, which spikes do not tell: put the max "
            "pooling before this normalisation, or the normalisation before the ReLU."
        )
        return ConversionError(field_error(pool.where, expected, given, do))
    return ConversionError(field_error(pool.where, expected, source.where, do))
