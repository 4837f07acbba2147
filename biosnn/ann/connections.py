"""A chain of linear layers as synapses: a convolution, all to all, one to one, pooling, or a list.

A rule is kept as a rule wherever that gives the same sums: a convolution after average pooling is one with a larger
kernel and stride; after a concatenation, one with the kernels of those channels; what leads to a linear layer goes into
its matrix. Everything else is multiplied out, which is exact too, but takes memory for each synapse.

The neurons of a layer of images are in the order (row, column, channel), as those of `biosnn.Conv2D` are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from biosnn.ann.affine import check_room, matrix, window_sizes
from biosnn.ann.layers import AveragePool, Convolution, Floats, Layer, MaxPool, Scale, Select, Shape, SumPool
from biosnn.ann.layouts import selected_channels
from biosnn.ann.scales import taps
from biosnn.display import Brief
from biosnn.projection import Conv2D, Dense, Kind, OneToOne, Pool2D, Sparse

DENSE_FROM = 0.25
"""The fraction of all possible synapses from which on all to all takes less memory and time than a list."""


@dataclass(frozen=True, eq=False)
class Connection(Brief):
    """A chain of layers as a kind of projection, and its weights.

    Parameters
    ----------
    kind : Kind
        What connects to what.
    weights : ndarray
        In the natural shape of the kind and the precision of the layers; for thresholds of 1 on both sides.
    source, target : tuple of int
        Shapes of the populations at its ends, channels first.
    """

    kind: Kind
    weights: Floats
    source: Shape
    target: Shape

    def scaled(self, source: NDArray[Any], target: NDArray[Any]) -> NDArray[np.float32]:
        """The weights where neurons have thresholds.

        A spike of a source stands for its threshold, and the membrane potential of a target is counted in its own: so
        a weight is multiplied by the one and divided by the other.

        Parameters
        ----------
        source, target : ndarray, shape (channels,)
            Thresholds; of neurons without channels, one for each.
        """
        weights = self._scaled(np.asarray(source, float), 1 / np.asarray(target, float))
        return np.asarray(weights, np.float32, order="C")

    def _scaled(self, s: NDArray[Any], t: NDArray[Any]) -> NDArray[Any]:
        weights, kind = self.weights, self.kind
        if isinstance(kind, Pool2D):
            return weights  # a maximum has the thresholds of what it is of
        if isinstance(kind, Conv2D):
            out = weights.shape[3] // kind.groups
            inner = s.reshape(kind.groups, 1, -1).repeat(out, axis=1).reshape(weights.shape[3], -1).T
            return np.asarray(weights * inner * t)
        sources, targets = spread(s, self.source), spread(t, self.target)
        if isinstance(kind, OneToOne):
            return np.asarray(weights * sources * targets)
        if isinstance(kind, Sparse):
            return np.asarray(weights * sources[kind.sources] * targets[kind.indices])
        return np.asarray(weights * sources[:, None] * targets)

    @property
    def fan_out(self) -> NDArray[np.int64]:
        """How many synapses each source neuron has, shape (sources,)."""
        kind = self.kind
        if isinstance(kind, Dense):
            return np.full(*self.weights.shape)
        if isinstance(kind, OneToOne):
            return np.ones(len(self.weights), np.int64)
        if isinstance(kind, Sparse):
            return np.diff(kind.indptr)
        if not isinstance(kind, Conv2D | Pool2D):
            raise TypeError(f"{kind} comes from no layers")
        windows = kind.windows
        reach = []
        for axis in (0, 1):
            places = np.arange(windows.output[axis])[:, None] * windows.stride[axis] - windows.before[axis]
            places = places + np.arange(windows.kernel[axis]) * windows.dilation[axis]
            inside = places[(places >= 0) & (places < windows.input[axis])]
            reach.append(np.bincount(inside, minlength=windows.input[axis]))
        each = self.weights.shape[3] // kind.groups if isinstance(kind, Conv2D) else 1
        return np.repeat((reach[0][:, None] * reach[1]).ravel() * each, kind.input[2])


def connection(layers: Sequence[Layer], source: Shape, target: Shape) -> Connection:
    """Turn a chain of layers into a kind and weights.

    Parameters
    ----------
    layers : sequence of Layer
        Linear ones (see `biosnn.ann.affine.forward`) with one input, each behind the other and with its shape; or max
        pooling alone. Their biases are left out.
    source, target : tuple of int
        Shapes of the populations at its ends, channels first.

    Raises
    ------
    ConversionError
        If it would have to be multiplied out into more synapses than memory should be asked for.
    """
    if len(layers) == 1 and isinstance(pool := layers[0], MaxPool):
        gate = Pool2D(_last(source), pool.kernel, pool.stride, _pairs(pool.padding), mode="max")
        return Connection(gate, np.ones((), np.float32), source, target)
    kernel = _as_kernel(layers, source)
    if kernel is not None:
        windows = (kernel.weight.shape[2:], kernel.stride, _pairs(kernel.padding), kernel.dilation)
        shared = Conv2D(_last(source), len(kernel.weight), *windows, kernel.groups)
        return Connection(shared, np.ascontiguousarray(kernel.weight.transpose(2, 3, 1, 0)), source, target)
    product = _multiplied(layers, source)
    product = product[order(target)][:, order(source)]
    if product.nnz >= DENSE_FROM * math.prod(product.shape):
        return Connection(Dense(), np.ascontiguousarray(product.toarray().T), source, target)
    by_source = product.T.tocsr()
    by_source.sort_indices()
    if by_source.shape[0] == by_source.shape[1] and _one_each(by_source):
        return Connection(OneToOne(), by_source.data, source, target)
    listed = Sparse(by_source.shape, by_source.indptr, by_source.indices)
    return Connection(listed, by_source.data, source, target)


def order(shape: Shape) -> NDArray[np.int64]:
    """For each neuron the flat index of its value in an array with channels first."""
    numbers = np.arange(math.prod(shape))
    return numbers.reshape(shape).transpose(1, 2, 0).ravel() if len(shape) == 3 else numbers


def spread(channels: NDArray[Any], shape: Shape) -> NDArray[Any]:
    """What each channel has, for each neuron."""
    places = math.prod(shape[1:])
    return np.tile(channels, places) if len(shape) == 3 else np.repeat(channels, places)


def _last(shape: Shape) -> tuple[int, int, int]:
    return shape[1], shape[2], shape[0]


def _pairs(padding: tuple[int, int, int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
    top, left, bottom, right = padding
    return (top, bottom), (left, right)


def _one_each(by_source: Any) -> bool:
    """Whether each neuron has one synapse, onto the one of its number."""
    numbers = np.arange(by_source.shape[0] + 1)
    return bool(np.array_equal(by_source.indptr, numbers) and np.array_equal(by_source.indices, numbers[:-1]))


def _as_kernel(chain: Sequence[Layer], source: Shape) -> Convolution | None:
    """The whole chain as one convolution, if there is one that gives the same sums."""
    if len(source) != 3:
        return None
    layers, factor = list(chain), np.ones((1, 1, 1, 1), np.float32)
    while layers and isinstance(scale := layers[-1], Scale) and (channels := _by_channel(scale)) is not None:
        factor = factor * channels.reshape(-1, 1, 1, 1)
        layers.pop()
    if not layers or not isinstance(last := layers.pop(), Convolution):
        return None
    convolution = replace(last, weight=last.weight * factor)
    while layers:
        before = layers.pop()
        shape = layers[-1].shape if layers else source
        taken: Convolution | None = None
        if isinstance(before, AveragePool | SumPool):
            taken = _pooled(convolution, before, shape)
        elif isinstance(before, Convolution):
            taken = _of_pixels(convolution, before)
        elif isinstance(before, Scale):
            taken = _scaled(convolution, before)
        elif isinstance(before, Select):
            taken = _of_channels(convolution, before, shape)
        if taken is None:
            return None
        convolution = taken
    return convolution


def _by_channel(scale: Scale) -> NDArray[Any] | None:
    """The factor of each channel, if it is the same all over it."""
    if scale.weight.size != len(scale.weight):
        return None
    return np.broadcast_to(scale.weight.ravel(), scale.shape[:1])


def _pooled(convolution: Convolution, pool: AveragePool | SumPool, shape: Shape) -> Convolution | None:
    """A convolution of what pooling gives, as one of what is pooled."""
    overlap = any(k > s for k, s in zip(pool.kernel, pool.stride, strict=True))
    rest = any(s * n != size for s, n, size in zip(pool.stride, pool.shape[1:], shape[1:], strict=True))
    # At the border the convolution sees zeros, where the larger kernel would see what overlaps or is left over.
    if any(pool.padding) or (any(convolution.padding) and (overlap or rest)):
        return None
    taps, apart, step = convolution.weight.shape[2:], convolution.dilation, pool.stride
    size = [(n - 1) * d * s + k for n, d, s, k in zip(taps, apart, step, pool.kernel, strict=True)]
    weight, window = np.zeros((*convolution.weight.shape[:2], *size), np.float64), window_sizes(pool, shape)[0, 0]
    for down in range(taps[0]):
        for right in range(taps[1]):
            top, left = down * apart[0] * step[0], right * apart[1] * step[1]
            there = (..., slice(top, top + pool.kernel[0]), slice(left, left + pool.kernel[1]))
            weight[there] += convolution.weight[:, :, down, right, None, None] / window
    stride = (convolution.stride[0] * step[0], convolution.stride[1] * step[1])
    top, left, bottom, right = convolution.padding
    padding = (top * step[0], left * step[1], bottom * step[0], right * step[1])
    return replace(convolution, weight=weight, stride=stride, padding=padding, dilation=(1, 1))


def _of_pixels(convolution: Convolution, before: Convolution) -> Convolution | None:
    """Two convolutions as one, if one of them takes single pixels, so that the other's kernel stays."""
    if convolution.groups != 1 or before.groups != 1:
        return None
    if before.weight.shape[2:] == (1, 1) and before.stride == (1, 1) and not any(before.padding):
        return replace(convolution, weight=np.einsum("omyx,mi->oiyx", convolution.weight, before.weight[:, :, 0, 0]))
    if convolution.weight.shape[2:] == (1, 1) and not any(convolution.padding):
        weight = np.einsum("om,miyx->oiyx", convolution.weight[:, :, 0, 0], before.weight)
        stride = (convolution.stride[0] * before.stride[0], convolution.stride[1] * before.stride[1])
        return replace(before, weight=weight, bias=convolution.bias, stride=stride)
    return None


def _scaled(convolution: Convolution, scale: Scale) -> Convolution | None:
    """A convolution of scaled channels, as one of channels; its bias, and that of the scale, are not here."""
    channels = _by_channel(scale)
    return (
        None
        if channels is None
        else replace(convolution, weight=convolution.weight * channels[taps(convolution)][:, :, None, None])
    )


def _of_channels(convolution: Convolution, part: Select, shape: Shape) -> Convolution | None:
    """A convolution of selected channels, such as a part of a concatenation has, as one of all there are."""
    channels = selected_channels(part, shape)
    if channels is None or convolution.groups != 1:
        return None
    there = np.flatnonzero(channels >= 0)
    weight = np.zeros((shape[0], len(convolution.weight), *convolution.weight.shape[2:]), convolution.dtype)
    np.add.at(weight, channels[there], convolution.weight[:, there].swapaxes(0, 1))
    return replace(convolution, weight=weight.swapaxes(0, 1))


def _multiplied(layers: Sequence[Layer], source: Shape) -> Any:
    """A chain as a sparse matrix, shape (target, source), channels first."""
    shapes = [source, *(layer.shape for layer in layers)]
    product = None
    for layer, shape in zip(layers, shapes, strict=False):
        step = matrix(layer, shape)
        if product is not None:
            # How many products there are bounds how many entries the result can have.
            check_room(layer.where, int(np.diff(product.indptr) @ np.bincount(step.indices, minlength=step.shape[1])))
        product = step if product is None else (step @ product).tocsr()
    return sparse.eye_array(math.prod(source), dtype=np.float32, format="csr") if product is None else product
