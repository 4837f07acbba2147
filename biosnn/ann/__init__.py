"""Ordinary networks (ANN) that others have trained: layers in the order of computation, read from files, and computed.

The layers are checked when they are constructed, and ONNX Runtime computes them. Nothing here needs Brian2.
"""

from biosnn.ann.graph import Graph
from biosnn.ann.images import check_images
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
)
from biosnn.ann.onnx.reader import read_onnx
from biosnn.ann.onnx.writer import write_onnx
from biosnn.ann.readers.arrays import read_arrays
from biosnn.ann.readers.torch_module import from_torch
from biosnn.ann.reference import Reference, check_reading, original, reference

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
    "read_onnx",
    "reference",
    "write_onnx",
]
