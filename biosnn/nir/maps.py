"""What the nodes of NIR without memory compute, on values and as sparse matrices. NumPy and SciPy only."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array, eye_array

from biosnn.ann.layers import MOST_VALUES, Shape, Sides
from biosnn.errors import ConversionError, field_error
from biosnn.nir.fields import Numbers
from biosnn.nir.network import NirNetwork, Way
from biosnn.nir.nodes import Affine, AvgPool2d, Conv2d, Delay, Flatten, Linear, Node, Scale, SumPool2d

MOST_ENTRIES = MOST_VALUES // 8
"""How many entries a sparse matrix may have: an entry takes eight times what a value does while it is made."""


def apply(node: Node, values: Numbers, shift: NDArray[np.int64] | None = None, bias: bool = True) -> Numbers:
    """Map values of many time steps.

    Parameters
    ----------
    node : Node
        Without memory, or a Delay.
    values : ndarray, shape (steps, *shape of the input)
        What comes in.
    shift : ndarray of int, optional
        By how many steps a Delay shifts each value.
    bias : bool
        Whether a bias is added.

    Returns
    -------
    ndarray, shape (steps, *shape of the output)
    """
    if isinstance(node, Linear):
        mapped = values @ node.weight.T
        return mapped + node.bias if bias and isinstance(node, Affine) else mapped
    if isinstance(node, Scale):
        return values * node.scale
    if isinstance(node, Conv2d):
        mapped = _convolved(node, values)
        return mapped + node.bias[:, None, None] if bias else mapped
    if isinstance(node, SumPool2d):
        return _pooled(node, values)
    if isinstance(node, Flatten):
        return values.reshape(len(values), *node.fit(values.shape[1:]))
    return values if shift is None else _shifted(values, shift)


def constants(network: NirNetwork) -> Mapping[str, Numbers]:
    """What biases add to the input of each node in every step; nodes that none reaches are left out.

    Biases are there from the first step on, behind a Delay too.
    """
    out: dict[str, Numbers] = {}

    def arriving(name: str) -> Numbers | None:
        parts = [out[source] for source in network.sources[name] if source in out]
        return sum(parts[1:], parts[0]) if parts else None

    for name in network.maps:
        node, found = network.nodes[name], arriving(name)
        if found is not None:
            out[name] = apply(node, found[None])[0]
        elif isinstance(node, Affine | Conv2d) and np.any(node.bias):
            bias = node.bias[:, None, None] if isinstance(node, Conv2d) else node.bias
            out[name] = np.broadcast_to(bias, network.shapes[name]).astype(np.float64)
    ends = [name for name in network.nodes if name not in network.maps]
    return {name: found for name in ends if (found := arriving(name)) is not None}


def delayed(network: NirNetwork, way: Way, dt: float) -> dict[str, NDArray[np.int64]]:
    """By how many steps each Delay on a way shifts what it gets.

    Raises
    ------
    ConversionError
        If a delay is no multiple of the time step.
    """
    found = {}
    for name in way.through:
        node = network.nodes[name]
        if isinstance(node, Delay):
            steps = np.round(node.delay / dt)
            wrong = np.abs(node.delay - steps * dt) > 1e-6 * dt
            if wrong.any():
                do = "Choose a time step that divides the delays."
                got = f"{float(node.delay[wrong][0])} s"
                raise ConversionError(
                    field_error(f"Node {name!r} (Delay)", f"multiples of the step of {dt} s", got, do)
                )
            found[name] = steps.astype(np.int64)
    return found


def through(network: NirNetwork, way: Way, values: Numbers, dt: float) -> Numbers:
    """Take values of many time steps along a way, without biases."""
    shifts = delayed(network, way, dt)
    for name in way.through:
        values = apply(network.nodes[name], values, shifts.get(name), bias=False)
    return values


def matrix(node: Node, shape: Shape) -> csr_array:
    """A node as a sparse matrix (values out, values in), channels first, without its bias.

    Raises
    ------
    ConversionError
        If it would have too many entries.
    """
    if isinstance(node, Linear):
        return csr_array(np.asarray(node.weight, np.float64))
    if isinstance(node, Scale):
        return csr_array(diags_array(np.asarray(node.scale, np.float64).ravel()))
    if isinstance(node, SumPool2d):
        share = 1.0 / math.prod(node.kernel_size) if isinstance(node, AvgPool2d) else 1.0
        kernel = np.full((shape[0], 1, *node.kernel_size), share)
        return _windows(kernel, shape, (*node.padding, *node.padding), node.stride, (1, 1), shape[0])
    if isinstance(node, Conv2d):
        return _windows(node.weight, shape, node.sides, node.stride, node.dilation, node.groups)
    return csr_array(eye_array(math.prod(shape)))


def _padded(values: Numbers, sides: Sides, fill: float = 0.0) -> Numbers:
    top, left, bottom, right = sides
    widths = [(0, 0)] * (values.ndim - 2) + [(top, bottom), (left, right)]
    return np.pad(values, widths, constant_values=fill)


def _seen(padded: Numbers, tap: tuple[int, int], stride: tuple[int, int], size: tuple[int, int]) -> Numbers:
    """What one place of a window sees, wherever the window lies."""
    rows, columns = (slice(tap[k], tap[k] + stride[k] * (size[k] - 1) + 1, stride[k]) for k in (0, 1))
    return padded[..., rows, columns]


def _convolved(node: Conv2d, values: Numbers) -> Numbers:
    outer, inner, height, width = node.weight.shape
    _, *size = node.fit(values.shape[1:])
    places, groups = (size[0], size[1]), node.groups
    padded = _padded(values, node.sides)
    kernel = node.weight.reshape(groups, outer // groups, inner, height, width)
    total = np.zeros((len(values), groups, outer // groups, *places))
    for y in range(height):
        for x in range(width):
            seen = _seen(padded, (y * node.dilation[0], x * node.dilation[1]), node.stride, places)
            seen = seen.reshape(len(values), groups, inner, *places)
            total += np.einsum("ngihw,goi->ngohw", seen, kernel[..., y, x], optimize=True)
    return total.reshape(len(values), outer, *places)


def _pooled(node: SumPool2d, values: Numbers) -> Numbers:
    _, *size = node.fit(values.shape[1:])
    padded = _padded(values, (*node.padding, *node.padding))
    taps = [(y, x) for y in range(node.kernel_size[0]) for x in range(node.kernel_size[1])]
    total = np.zeros((*values.shape[:-2], *size))
    for tap in taps:
        total += _seen(padded, tap, node.stride, (size[0], size[1]))
    return total / len(taps) if isinstance(node, AvgPool2d) else total


def _shifted(values: Numbers, steps: NDArray[np.int64]) -> Numbers:
    """Each value so many steps later; nothing before."""
    when = np.arange(len(values)).reshape(-1, *(1,) * steps.ndim) - steps
    taken = np.take_along_axis(values, np.maximum(when, 0), axis=0)
    return np.where(when < 0, 0.0, taken)


def _windows(
    kernel: Numbers, shape: Shape, sides: Sides, stride: tuple[int, int], dilation: tuple[int, int], groups: int
) -> csr_array:
    outer, inner, height, width = kernel.shape
    index = _padded(np.arange(math.prod(shape)).reshape(shape), sides, -1)
    spans = [dilation[0] * (height - 1) + 1, dilation[1] * (width - 1) + 1]
    size = tuple((index.shape[k + 1] - spans[k]) // stride[k] + 1 for k in (0, 1))
    if kernel.size * math.prod(size) > MOST_ENTRIES:
        do = "Put neurons between it and the next node without memory: alone, it is run without such a table."
        raise ConversionError(
            field_error("A convolution beside other nodes", f"at most {MOST_ENTRIES} synapses", f"{kernel.shape}", do)
        )
    target = np.arange(outer * math.prod(size)).reshape(groups, outer // groups, 1, -1)
    rows, columns, entries = [], [], []
    for y in range(height):
        for x in range(width):
            seen = _seen(index, (y * dilation[0], x * dilation[1]), stride, (size[0], size[1]))
            source = seen.reshape(groups, 1, inner, -1)
            weight = kernel[:, :, y, x].reshape(groups, outer // groups, inner, 1)
            to, of, with_ = (array.ravel() for array in np.broadcast_arrays(target, source, weight))
            kept = (of >= 0) & (with_ != 0)
            rows.append(to[kept])
            columns.append(of[kept])
            entries.append(with_[kept].astype(np.float64))
    ends = (np.concatenate(rows), np.concatenate(columns))
    return csr_array((np.concatenate(entries), ends), shape=(outer * math.prod(size), math.prod(shape)))
