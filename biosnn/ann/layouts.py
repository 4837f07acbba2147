"""Images in the layout in which weights compute them, whatever the layout of the file: rules about selections.

In a file with channels last, values are transposed after one layer and back before the next, and biases, ReLUs and sums
come in between. Transpositions are moved behind these, towards the output, until they meet their opposites; those of
the input itself are moved towards it. So what follows is the same network as with channels first: above all, the
channels of a ReLU, each of which has a threshold of its own, are those of the weights before it.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn.ann.layers import (
    Add,
    AveragePool,
    Concat,
    Convolution,
    Input,
    Layer,
    Linear,
    MaxPool,
    Relu,
    Scale,
    Select,
    Shape,
)
from biosnn.ann.rewriting import Net
from biosnn.ann.scales import by_channel, everywhere, scaled_weights, shrunk

Axes = tuple[int | None, ...]

TO_FIRST = (2, 0, 1)
"""The axes of images with channels last, in the order with channels first."""
_MOST_AXES = 4  # of an image and a batch of parts; more have too many orders to try
_NEAR = 16  # how far behind the input a layer may be for transpositions to be moved there


def arrangement(layer: Layer, shape: Shape) -> Axes | None:
    """Which axis of its input each axis of a selection is, if it does nothing but order them.

    Parameters
    ----------
    layer : Layer
        Maybe such a selection.
    shape : tuple of int
        Of its input.

    Returns
    -------
    tuple or None
        None in it stands for an axis of length 1 that the input does not have.
    """
    if not isinstance(layer, Select) or layer.neurons != int(np.prod(shape)):
        return None
    same = len(shape) == len(layer.shape)
    inner, outer = ([k for k, n in enumerate(of) if same or n > 1] for of in (shape, layer.shape))
    if len(inner) != len(outer) or len(inner) > _MOST_AXES:
        return None
    numbers = np.arange(layer.neurons).reshape([shape[k] for k in inner])
    for order in permutations(range(len(inner))):
        turned = numbers.transpose(order)
        if turned.shape == tuple(layer.shape[k] for k in outer):
            turned = turned.reshape(layer.shape)
            if turned.flat[-2:].tolist() == layer.source.flat[-2:].tolist() and np.array_equal(turned, layer.source):
                axes = {outer[k]: inner[n] for k, n in enumerate(order)}
                return tuple(axes.get(k) for k in range(len(layer.shape)))
    return None


def selected_channels(layer: Select, shape: Shape) -> NDArray[np.int64] | None:
    """Which channel of images each one of a selection is, -1 for zeros; None if it takes other than whole channels."""
    if len(shape) != 3 or len(layer.shape) != 3 or layer.shape[1:] != shape[1:]:
        return None
    firsts, places = layer.source[:, 0, 0], shape[1] * shape[2]
    channels = np.where(firsts < 0, -1, firsts // places)
    whole = channels[:, None] * places + np.arange(places)
    whole[channels < 0] = -1
    return channels if np.array_equal(whole.reshape(layer.shape), layer.source) else None


def merge_selections(net: Net, layer: Layer) -> bool:
    """A selection from a selection selects from the input of that."""
    source = net.source(layer)
    if not isinstance(layer, Select) or not isinstance(source, Select):
        return False
    taken = np.where(layer.source < 0, -1, source.source.ravel()[layer.source])
    net.put(replace(layer, inputs=source.inputs, shape=(), source=taken))
    return True


def drop_identity(net: Net, layer: Layer) -> bool:
    """A selection of everything, in its order and shape, goes."""
    source = net.source(layer)
    if not isinstance(layer, Select) or source is None or layer.shape != source.shape or not layer.reshapes:
        return False
    _hand_over(net, layer, source)
    return True


def same_selection(net: Net, layer: Layer) -> bool:
    """Of two selections that are the same, one is enough."""
    source = net.source(layer)
    if not isinstance(layer, Select) or source is None or len(net.readers[source.name]) < 2:
        return False
    equal = _like(net, source.name, layer.source, layer.name)
    if equal is None:
        return False
    _hand_over(net, layer, equal)
    return True


def _hand_over(net: Net, layer: Layer, to: Layer) -> None:
    """Let those who read a layer read another that computes the same."""
    if layer.name in net.origins:
        net.origins.setdefault(to.name, net.origins[layer.name])
    net.hand_over(layer.name, to.name)
    net.drop_if_idle(layer.name)


def _like(net: Net, name: str, source: NDArray[np.int64], but: str = "") -> Layer | None:
    """A selection from a layer that is there already."""
    for reader in dict.fromkeys(net.readers[name]):
        other = net.layers[reader]
        if reader != but and isinstance(other, Select) and np.array_equal(other.source, source):
            return other
    return None


def select_in_linear(net: Net, layer: Layer) -> bool:
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


def relu_before_select(net: Net, layer: Layer) -> bool:
    """A ReLU comes right after the weights that it clips, so that both become one layer of neurons."""
    source = net.source(layer)
    if not isinstance(layer, Relu) or not isinstance(source, Select):
        return False
    before = net.layers[source.inputs[0]]
    alone, of_input = net.only(source), _from_input(net, before)
    if not alone or of_input:
        turned = arrangement(source, before.shape)
        if of_input and ((turned == TO_FIRST and _seen_as_image(net, layer)) or not alone):
            return False  # the other way round: `transposition_before_relu`
        if not of_input and not turned:
            return False
    net.swap(source if alone else _own(net, source, layer), layer)
    return True


def transposition_before_relu(net: Net, layer: Layer) -> bool:
    """The ReLU of an input that is then transposed comes after that."""
    source = net.source(layer)
    if not isinstance(source, Relu) or not net.only(source) or not _from_input(net, source):
        return False
    if not _seen_as_image(net, layer) or arrangement(layer, source.shape) != TO_FIRST:
        return False
    net.swap(source, layer)
    return True


def select_before_scale(net: Net, layer: Layer) -> bool:
    """A normalisation of images that are then transposed comes next to the weights, which may take it in."""
    source = net.source(layer)
    if not isinstance(layer, Select) or not isinstance(source, Scale) or not net.only(source):
        return False
    if layer.source.min() < 0:  # a zero that is selected is not to be shifted
        return False
    absorbed = all(isinstance(net.layers[name], Linear | Convolution) for name in net.readers[layer.name])
    meets = isinstance(net.source(source), Select)
    if not (absorbed and layer.name != net.output) and not meets and not _from_input(net, source):
        return False
    weight, bias = (shrunk(everywhere(a, source.shape).ravel()[layer.source]) for a in (source.weight, source.bias))
    net.swap(replace(source, weight=weight, bias=bias), layer)
    if meets:
        merge_selections(net, net.layers[layer.name])  # before another rule takes the step back
    return True


def scale_through_select(net: Net, layer: Layer) -> bool:
    """A normalisation of what weights compute, and a selection takes from, goes into these weights."""
    source = net.source(layer)
    if not isinstance(layer, Scale) or not isinstance(source, Select) or not net.only(source):
        return False
    weights = net.layers[source.inputs[0]]
    if not isinstance(weights, Linear | Convolution) or not net.only(weights):
        return False
    before = _before(layer, source, weights.shape)
    scaled = before and scaled_weights(weights, before)
    if not scaled:
        return False
    net.origins.pop(weights.name, None)
    net.origins.pop(source.name, None)
    net.put(scaled)
    _hand_over(net, layer, source)
    return True


def scale_before_transposition(net: Net, layer: Layer) -> bool:
    """A normalisation of transposed images comes before that, unless something is behind it that may take it in."""
    source = net.source(layer)
    if not isinstance(layer, Scale) or not isinstance(source, Select):
        return False
    readers = [net.layers[name] for name in net.readers[layer.name]]
    waits = any(not isinstance(r, Linear | Convolution | Select) for r in readers) or layer.name == net.output
    if not waits and not any(isinstance(r, Select) and r.source.min() < 0 for r in readers):
        return False
    image = net.layers[source.inputs[0]]
    before = None if _from_input(net, image) else _before(layer, source, image.shape)
    if before is None or source.neurons != image.neurons:
        return False
    if arrangement(source, image.shape) is None and by_channel(before, image.shape) is None:
        return False
    net.swap(source if net.only(source) else _own(net, source, layer), before)
    return True


def _before(layer: Scale, source: Select, shape: Shape) -> Scale | None:
    """A normalisation as it is before a selection; None if that takes a value twice and treats it in two ways."""
    taken = source.source.ravel()
    there = taken >= 0
    moved = {}
    for name, rest in (("weight", 1.0), ("bias", 0.0)):
        after = everywhere(getattr(layer, name), source.shape).ravel()
        if rest == 0 and after[~there].any():
            return None  # zeros that come in would be shifted
        whole: NDArray[Any] = np.full(int(np.prod(shape)), rest)
        known: NDArray[Any] = np.zeros(int(np.prod(shape)), bool)
        whole[taken[there]], known[taken[there]] = after[there], True
        if not np.array_equal(whole[taken[there]], after[there]):
            return None
        if not known.all():  # what is not taken is treated as its channel is
            channels, known = whole.reshape(shape[0], -1), known.reshape(shape[0], -1)
            first = channels[np.arange(shape[0]), known.argmax(axis=1)]
            whole = np.where(known, channels, np.where(known.any(axis=1), first, rest)[:, None])
        moved[name] = shrunk(whole.reshape(shape))
    return replace(layer, weight=moved["weight"], bias=moved["bias"])


def join_before_transpositions(net: Net, layer: Layer) -> bool:
    """A sum or a concatenation of transposed layers is transposed itself."""
    if not isinstance(layer, Add | Concat):
        return False
    axes, rank = _turned(net, layer)
    axis = axes[layer.axis] if axes and isinstance(layer, Concat) else 0
    if axes is None or axis is None:
        return False
    shapes = [net.layers[name].shape for name in layer.inputs]
    if any(n != 1 for shape in shapes for n, of in zip(shape, axes, strict=True) if of is None):
        return False
    taken = [_taken(net, name, axes, rank) for name in layer.inputs]
    saved = sum(isinstance(net.layers[name], Select) for name in layer.inputs) - sum(t is not None for _, t in taken)
    if saved < 0 or (saved == 0 and axes != (*range(1, len(axes)), 0)):
        return False  # as many selections as before: only towards channels first
    joined = replace(layer, inputs=tuple(_select(net, name, t) for name, t in taken), shape=())
    net.put(replace(joined, axis=axis) if isinstance(joined, Concat) else joined)
    shape = net.layers[layer.name].shape
    after = _forth(np.arange(int(np.prod(shape))).reshape(shape), axes)
    net.follow(layer.name, Select(name=f"{layer.name}/arranged", inputs=(layer.name,), source=after))
    return True


def _turned(net: Net, layer: Layer) -> tuple[Axes | None, int]:
    """How one of the inputs of a layer is transposed, and how many axes it had before."""
    for name in layer.inputs:
        source = net.layers[name]
        if isinstance(source, Select):
            before = net.layers[source.inputs[0]]
            axes = arrangement(source, before.shape)
            if axes is not None and not _from_input(net, before):
                return axes, len(before.shape)
    return None, 0


def _taken(net: Net, name: str, axes: Axes, rank: int) -> tuple[str, NDArray[np.int64] | None]:
    """What a layer is before a transposition: from which layer it selects what; None if it is that layer itself."""
    layer = net.layers[name]
    source = _back(np.arange(layer.neurons).reshape(layer.shape), axes, rank)
    if isinstance(layer, Select):
        name, source = layer.inputs[0], layer.source.ravel()[source]
    same = source.shape == net.layers[name].shape and np.array_equal(source.ravel(), np.arange(source.size))
    return name, None if same else source


def _select(net: Net, name: str, source: NDArray[np.int64] | None) -> str:
    if source is None:
        return name
    equal = _like(net, name, source)
    return (equal or net.add(Select(name=f"{name}/arranged", inputs=(name,), source=source))).name


def _back(array: NDArray[Any], axes: Axes, rank: int) -> NDArray[Any]:
    """An array as it is before a transposition."""
    pairs = sorted((inner, outer) for outer, inner in enumerate(axes) if inner is not None)
    shape = [1] * rank
    for inner, outer in pairs:
        shape[inner] = array.shape[outer]
    rest = [outer for outer, inner in enumerate(axes) if inner is None]
    return array.transpose([outer for _, outer in pairs] + rest).reshape(shape)


def _forth(array: NDArray[Any], axes: Axes) -> NDArray[Any]:
    """An array as it is after a transposition."""
    shape = [1 if axis is None else array.shape[axis] for axis in axes]
    kept = [axis for axis in axes if axis is not None]
    return array.transpose(kept + [k for k in range(array.ndim) if k not in kept]).reshape(shape)


def whole_pool(net: Net, layer: Layer) -> bool:
    """A pooling of all that a channel has, in any order, is one of the image."""
    source = net.source(layer)
    if not isinstance(layer, AveragePool | MaxPool) or not isinstance(source, Select) or any(layer.padding):
        return False
    image = net.layers[source.inputs[0]]
    if layer.kernel != source.shape[1:] or len(image.shape) != 3 or source.neurons != image.neurons:
        return False
    rows = np.sort(source.source.reshape(source.shape[0], -1), axis=1)
    if not np.array_equal(rows.ravel(), np.arange(rows.size)) or len(rows) != image.shape[0]:
        return False  # channels in another order are rare
    net.put(replace(layer, inputs=source.inputs, kernel=(image.shape[1], image.shape[2])))
    return True


def padding_into_window(net: Net, layer: Layer) -> bool:
    """Rows and columns of zeros around an image are the padding of the convolution or the average that follows."""
    source = net.source(layer)
    if not isinstance(layer, Convolution | AveragePool) or not isinstance(source, Select) or source.source.min() >= 0:
        return False
    cut = border(source)
    sides = [a + b for a, b in zip(layer.padding, cut, strict=True)]
    changes: dict[str, Any] = {"padding": tuple(sides)}
    if isinstance(layer, AveragePool):
        if (any(layer.padding) and not layer.counts_padding) or any(
            a >= b for a, b in zip(sides, layer.kernel * 2, strict=True)
        ):
            return False
        changes["counts_padding"] = True
    if not any(cut):
        return False
    inside = without_border(source, cut)
    name = _select(net, source.inputs[0], inside.source)
    net.put(replace(layer, inputs=(name,), **changes))
    return True


def border(layer: Select) -> tuple[int, int, int, int]:
    """How many rows and columns of nothing but zeros an image has: top, left, bottom, right."""
    there = layer.source >= 0
    rows, columns = np.flatnonzero(there.any(axis=(0, 2))), np.flatnonzero(there.any(axis=(0, 1)))
    if not len(rows):
        return 0, 0, 0, 0
    height, width = layer.shape[1:]
    return int(rows[0]), int(columns[0]), height - 1 - int(rows[-1]), width - 1 - int(columns[-1])


def without_border(layer: Select, cut: tuple[int, int, int, int]) -> Select:
    """The selection without these rows and columns."""
    top, left, bottom, right = cut
    height, width = layer.shape[1:]
    return replace(layer, shape=(), source=layer.source[:, top : height - bottom, left : width - right])


def _own(net: Net, source: Layer, reader: Layer) -> Layer:
    """A copy of a layer for one of its readers."""
    copy = net.add(source)
    net.put(replace(reader, inputs=(copy.name,)))
    return copy


def _seen_as_image(net: Net, layer: Layer) -> bool:
    """Whether somebody reads a layer who goes by its axes."""
    return any(not isinstance(net.layers[name], Select | Linear) for name in net.readers[layer.name])


def _from_input(net: Net, layer: Layer) -> bool:
    """Whether a layer is the input, but for its order, its scale, and ReLUs."""
    for _ in range(_NEAR):
        if not isinstance(layer, Scale | Select | Relu):
            break
        layer = net.layers[layer.inputs[0]]
    return isinstance(layer, Input)
