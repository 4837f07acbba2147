"""Ordinary networks (ANN), read from files that others have trained, as layers that can be made to spike.

Networks of NIR that spike already are read and run as they are.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from biosnn.conversion.array_reader import read_arrays
from biosnn.conversion.graph import Graph
from biosnn.conversion.images import check_images
from biosnn.conversion.layers import (
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
)
from biosnn.conversion.nir_graph import ann_graph
from biosnn.conversion.nir_network import NirNetwork
from biosnn.conversion.nir_reader import read_nir
from biosnn.conversion.nir_writer import export_nir, write_nir
from biosnn.conversion.onnx_reader import read_onnx
from biosnn.conversion.onnx_writer import write_onnx
from biosnn.conversion.reading import read_network
from biosnn.conversion.reference import Reference, check_reading, original, reference

if TYPE_CHECKING:
    from biosnn.conversion.nir_running import NirRun, run_nir

__all__ = [
    "Add",
    "AveragePool",
    "Concat",
    "Convolution",
    "Graph",
    "Input",
    "Layer",
    "Linear",
    "MaxPool",
    "NirNetwork",
    "NirRun",
    "Reference",
    "Relu",
    "Scale",
    "Select",
    "ann_graph",
    "check_images",
    "check_reading",
    "export_nir",
    "original",
    "read_arrays",
    "read_network",
    "read_nir",
    "read_onnx",
    "reference",
    "run_nir",
    "write_nir",
    "write_onnx",
]

_RUNNING = ("NirRun", "run_nir")


def __getattr__(name: str) -> Any:
    """What runs networks is loaded when it is first used: reading them need not wait for Brian2."""
    if name not in _RUNNING:
        raise AttributeError(f"module 'biosnn.conversion' has no attribute {name!r}")
    return getattr(import_module("biosnn.conversion.nir_running"), name)
