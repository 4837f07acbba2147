"""Ordinary networks (ANN), read from files that others have trained, as layers that can be made to spike."""

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
from biosnn.conversion.onnx_reader import read_onnx
from biosnn.conversion.onnx_writer import write_onnx
from biosnn.conversion.reading import read_network
from biosnn.conversion.reference import Reference, check_reading, original, reference
from biosnn.conversion.torch_module import from_torch

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
    "Reference",
    "Relu",
    "Scale",
    "Select",
    "check_images",
    "check_reading",
    "from_torch",
    "original",
    "read_arrays",
    "read_network",
    "read_onnx",
    "reference",
    "write_onnx",
]
