"""Normalisations as arrays: all along an axis, by channel, within weights. NumPy only."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn.ann.layers import Convolution, Linear, Scale, Shape


def everywhere(array: NDArray[Any], shape: Shape) -> NDArray[np.float64]:
    """The weight or bias of a normalisation for each value of an image."""
    return np.broadcast_to(array, shape).astype(float)


def shrunk(array: NDArray[Any]) -> NDArray[Any]:
    """The same numbers, with length 1 of each axis along which they do not change."""
    for axis in range(array.ndim):
        first = array.take([0], axis)
        array = first if (array == first).all() else array
    return array


def by_channel(layer: Scale, shape: Shape) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Scale and shift of each channel, if they are the same all over it."""
    if any(n != 1 for array in (layer.weight, layer.bias) for n in array.shape[1:]):
        return None
    flat = (np.broadcast_to(array.ravel(), shape[:1]).astype(float) for array in (layer.weight, layer.bias))
    scale, shift = flat
    return scale, shift


def scaled_weights(source: Linear | Convolution, layer: Scale) -> Linear | Convolution | None:
    """Weights that compute what they did, normalised; None if that is not by channel."""
    scale_and_shift = by_channel(layer, source.shape)
    if scale_and_shift is None:
        return None
    scale, shift = scale_and_shift
    weight = source.weight * scale.reshape(-1, *[1] * (source.weight.ndim - 1))
    return replace(source, weight=weight, bias=source.bias * scale + shift)


def taps(layer: Convolution) -> NDArray[np.int64]:
    """The channel of the input that each kernel sees, shape (out, in / groups)."""
    out, of_group = layer.weight.shape[:2]
    group = np.arange(out) // (out // layer.groups)
    return np.asarray(group[:, None] * of_group + np.arange(of_group))
