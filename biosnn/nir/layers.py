"""The nodes of NIR that map what comes in, as layers of an ordinary network, in double precision. No Brian2."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, ClassVar

import numpy as np

from biosnn.ann import layers as single
from biosnn.ann.graph import with_shape
from biosnn.ann.layers import Layer, Select, Shape
from biosnn.ann.scales import shrunk
from biosnn.nir.fields import Numbers
from biosnn.nir.nodes import Affine, AvgPool2d, Conv2d, Flatten, Linear, Node, Scale, SumPool2d


class Double:
    """A layer whose weights keep the precision of NIR's."""

    dtype: ClassVar[type[np.floating[Any]]] = np.float64


class DoubleLinear(Double, single.Linear): ...


class DoubleScale(Double, single.Scale): ...


class DoubleConvolution(Double, single.Convolution): ...


class DoubleAveragePool(Double, single.AveragePool): ...


class DoubleSumPool(Double, single.SumPool): ...


def layer_of(name: str, node: Node, shape: Shape) -> Layer | None:
    """The layer that computes what a node does.

    Parameters
    ----------
    name : str
        Of the node, and of the layer.
    node : Node
        The node.
    shape : tuple of int
        Of its input.

    Returns
    -------
    Layer or None
        Without inputs, and with a shape; None if the node leaves what comes in as it is, or is no linear one.
    """
    made: Layer
    windows: dict[str, Any]
    if isinstance(node, Linear):
        bias = node.bias if isinstance(node, Affine) else np.zeros(len(node.weight))
        made = DoubleLinear(name=name, weight=node.weight, bias=bias)
    elif isinstance(node, Scale):
        made = scale(name, node.scale)
    elif isinstance(node, Conv2d):
        windows = {"stride": node.stride, "padding": node.sides, "dilation": node.dilation}
        made = DoubleConvolution(name=name, weight=node.weight, bias=node.bias, groups=node.groups, **windows)
    elif isinstance(node, SumPool2d):
        windows = {"kernel": node.kernel_size, "stride": node.stride, "padding": (*node.padding, *node.padding)}
        mean = isinstance(node, AvgPool2d)
        made = (
            DoubleAveragePool(name=name, counts_padding=True, **windows)
            if mean
            else DoubleSumPool(name=name, **windows)
        )
    elif isinstance(node, Flatten) and node.fit(shape) != shape:
        made = Select(name=name, source=np.arange(int(np.prod(shape))).reshape(node.fit(shape)))
    else:
        return None
    return with_shape(made, made.fit([shape]))


def scale(name: str, factors: Numbers) -> Layer:
    """Every value times a factor of its own."""
    return DoubleScale(name=name, weight=shrunk(factors), bias=np.zeros((1,) * factors.ndim), shape=factors.shape)


def in_single(layer: Layer) -> Layer:
    """The layer as a `Graph` has it."""
    kind: Any = next(kind for kind in type(layer).__mro__ if kind.dtype is np.float32)  # type: ignore[attr-defined]
    made: Layer = kind(**{field.name: getattr(layer, field.name) for field in fields(layer)})
    return made
