"""What the layers without a threshold compute, in NumPy: sums of weighted inputs and a bias.

The ANN itself is always run by ONNX Runtime (`reference`). This is for what it cannot be asked: the constant that
biases alone bring to a layer, the input that a layer of spiking neurons had on average, and one layer as a matrix.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy import sparse

from biosnn.ann.layers import Add, AveragePool, Concat, Convolution, Layer, Linear, Scale, Select, Shape, SumPool
from biosnn.errors import ConversionError, field_error

Values = NDArray[Any]

MOST_SYNAPSES = 2**26
"""How many connections are kept in a list, where no rule says what connects to what: about 800 MB."""


def forward(layer: Layer, inputs: Sequence[Values], bias: bool = True) -> Values:
    """Let a layer compute its output.

    Parameters
    ----------
    layer : Convolution, Linear, Scale, Add, Concat, AveragePool, SumPool or Select
        The layer, from a `Graph`, so that its shape is known.
    inputs : sequence of ndarray, shape (n, *shape of an input)
        One for each of its inputs.
    bias : bool
        Whether its bias is added.

    Returns
    -------
    ndarray, shape (n, *shape of the layer)
    """
    first = inputs[0]
    if isinstance(layer, Add):
        return np.asarray(np.sum(inputs, axis=0))
    if isinstance(layer, Concat):
        return np.concatenate(inputs, axis=layer.axis + 1)
    if isinstance(layer, Select):
        flat = first.reshape(len(first), -1)
        return np.where(layer.source < 0, 0, flat[:, np.maximum(layer.source, 0)]).astype(first.dtype, copy=False)
    if isinstance(layer, Convolution):
        sums = _convolved(layer, first)
        return sums + layer.bias[:, None, None] if bias else sums
    if isinstance(layer, Linear):
        sums = first.reshape(len(first), -1) @ layer.weight.T
        return sums + layer.bias if bias else sums
    if isinstance(layer, Scale):
        return first * layer.weight + layer.bias if bias else first * layer.weight
    if isinstance(layer, AveragePool | SumPool):
        windows = _windows(first, layer.kernel, layer.stride, layer.padding, (1, 1))
        return np.asarray(windows.sum(axis=(4, 5)) / window_sizes(layer, first.shape[1:]))
    raise TypeError(f"{layer.where} is not linear")


def _convolved(layer: Convolution, images: Values) -> Values:
    kernel = layer.weight.shape[2:]
    windows = _windows(images, kernel, layer.stride, layer.padding, layer.dilation)
    n, channels, rows, columns = windows.shape[:4]
    groups, out = layer.groups, len(layer.weight)
    # (groups, n*places, inner*taps) @ (groups, inner*taps, outer): one product of matrices for each group.
    taken = windows.reshape(n, groups, channels // groups, rows, columns, *kernel).transpose(1, 0, 3, 4, 2, 5, 6)
    weights = layer.weight.reshape(groups, out // groups, -1).transpose(0, 2, 1)
    sums: Values = taken.reshape(groups, n * rows * columns, -1) @ weights
    return sums.reshape(groups, n, rows, columns, -1).transpose(1, 0, 4, 2, 3).reshape(n, out, rows, columns)


def _windows(images: Values, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Values:
    """What a kernel sees, shape (n, channels, rows, columns, *kernel)."""
    top, left, bottom, right = padding
    padded = np.pad(images, ((0, 0), (0, 0), (top, bottom), (left, right)))
    reach = [(size - 1) * apart + 1 for size, apart in zip(kernel, dilation, strict=True)]
    seen: Values = sliding_window_view(padded, reach, axis=(2, 3))  # type: ignore[call-overload, unused-ignore]
    return seen[:, :, :: stride[0], :: stride[1], :: dilation[0], :: dilation[1]]


def window_sizes(layer: AveragePool | SumPool, shape: Shape) -> Values:
    """By how much the sum of each window is divided, shape (rows, columns)."""
    if isinstance(layer, SumPool):
        return np.ones(layer.shape[1:], dtype=np.float32)
    if layer.counts_padding or not any(layer.padding):
        return np.full(layer.shape[1:], float(math.prod(layer.kernel)), dtype=np.float32)
    ones = np.ones((1, 1, *shape[1:]), dtype=np.float32)
    sizes = _windows(ones, layer.kernel, layer.stride, layer.padding, (1, 1)).sum(axis=(4, 5))
    return np.asarray(sizes[0, 0])


def matrix(layer: Layer, shape: Shape) -> Any:
    """A layer with one input as a sparse matrix of its weights; the bias is left out.

    Parameters
    ----------
    layer : Convolution, Linear, Scale, AveragePool, SumPool or Select
        The layer.
    shape : tuple of int
        Of its input.

    Returns
    -------
    scipy.sparse.csr_array, shape (values of the output, values of the input)

    Raises
    ------
    ConversionError
        If it would have more than `MOST_SYNAPSES` entries.
    """
    size = (math.prod(layer.shape), math.prod(shape))
    if isinstance(layer, Linear):
        return sparse.csr_array(layer.weight)
    if isinstance(layer, Scale):
        return sparse.diags_array(np.broadcast_to(layer.weight, shape).ravel()).tocsr()
    if isinstance(layer, Select):
        source = layer.source.ravel()
        taken = np.flatnonzero(source >= 0)
        return sparse.csr_array((np.ones(len(taken), np.float32), (taken, source[taken])), shape=size)
    if not isinstance(layer, Convolution | AveragePool | SumPool):
        raise TypeError(f"{layer.where} is no matrix")
    kernel = layer.weight.shape[2:] if isinstance(layer, Convolution) else layer.kernel
    inner = layer.weight.shape[1] if isinstance(layer, Convolution) else 1
    check_room(layer.where, layer.neurons * inner * math.prod(kernel))
    return _unrolled(layer, shape, kernel, size)


def check_room(where: str, synapses: int) -> None:
    """Refuse to list more synapses than memory should be asked for."""
    if synapses > MOST_SYNAPSES:
        do = "Let a ReLU, or neurons, follow each convolution, so that it need not be multiplied out with others."
        raise ConversionError(field_error(where, f"at most {MOST_SYNAPSES} synapses that no rule gives", synapses, do))


def _unrolled(layer: Convolution | AveragePool | SumPool, shape: Shape, kernel: Any, size: tuple[int, int]) -> Any:
    """A convolution or pooling, an entry for each tap at each place."""
    dilation = layer.dilation if isinstance(layer, Convolution) else (1, 1)
    # What each tap sees, by its number; 0 where it lies on padding.
    numbers = np.arange(1, size[1] + 1, dtype=np.int64).reshape(1, *shape)
    seen = _windows(numbers, kernel, layer.stride, layer.padding, dilation)[0]
    outputs = np.arange(size[0], dtype=np.int64).reshape(layer.shape)
    if not isinstance(layer, Convolution):
        share = 1 / window_sizes(layer, shape).astype(layer.dtype)
        weights = np.broadcast_to(share[None, :, :, None, None], seen.shape)
        targets = np.broadcast_to(outputs[..., None, None], seen.shape)
    else:
        group_in, group_out = layer.weight.shape[1], len(layer.weight) // layer.groups
        inner = np.arange(len(layer.weight))[:, None] // group_out * group_in + np.arange(group_in)
        seen = seen[inner]  # (out, inner, rows, columns, *kernel)
        weights = np.broadcast_to(layer.weight[:, :, None, None], seen.shape)
        targets = np.broadcast_to(outputs[:, None, :, :, None, None], seen.shape)
    there = seen > 0
    return sparse.csr_array((weights[there], (targets[there], seen[there] - 1)), shape=size)
