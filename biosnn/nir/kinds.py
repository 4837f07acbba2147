"""All kinds of nodes of NIR that are read, run and written."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from biosnn.nir.neurons import IF, LI, LIF, CubaLI, CubaLIF, I
from biosnn.nir.nodes import (
    Affine,
    AvgPool2d,
    Conv2d,
    Delay,
    Flatten,
    Input,
    Linear,
    Node,
    Output,
    Scale,
    SumPool2d,
    Threshold,
)

__all__ = [
    "IF",
    "LI",
    "LIF",
    "Affine",
    "AvgPool2d",
    "Conv2d",
    "CubaLI",
    "CubaLIF",
    "Delay",
    "Flatten",
    "I",
    "Input",
    "Linear",
    "Node",
    "Output",
    "Scale",
    "SumPool2d",
    "Threshold",
]

KINDS: Mapping[str, type[Node]] = MappingProxyType(
    {
        kind.__name__: kind
        for kind in (
            Affine,
            AvgPool2d,
            Conv2d,
            CubaLI,
            CubaLIF,
            Delay,
            Flatten,
            I,
            IF,
            Input,
            LI,
            LIF,
            Linear,
            Output,
            Scale,
            SumPool2d,
            Threshold,
        )
    }
)
"""The nodes that are read, by NIR's names."""
