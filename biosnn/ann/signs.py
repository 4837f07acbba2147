"""Which layers cannot have negative values. NumPy only."""

from __future__ import annotations

from collections.abc import Mapping

from biosnn.ann.layers import Add, AveragePool, Concat, Convolution, Layer, Linear, MaxPool, Relu, Scale, Select

_MONOTONE = (Add, AveragePool, Concat, Convolution, Linear, MaxPool, Scale, Select)


def never_negative(layers: Mapping[str, Layer], name: str) -> bool:
    """Whether a layer is a ReLU, or made of such without negative weights and biases.

    Parameters
    ----------
    layers : mapping of str to Layer
        By name.
    name : str
        Of the layer.
    """
    waiting, seen = [name], set()
    while waiting:
        layer = layers[waiting.pop()]
        if isinstance(layer, Relu) or layer.name in seen:
            continue
        if not isinstance(layer, _MONOTONE):
            return False
        if isinstance(layer, Scale | Convolution | Linear) and not (
            (layer.weight >= 0).all() and layer.bias.min() >= 0
        ):
            return False
        seen.add(layer.name)
        waiting += layer.inputs
    return True
