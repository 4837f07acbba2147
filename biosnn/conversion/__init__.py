"""Ordinary networks (ANN) that others have trained: read from files, converted into spiking ones, run and explained."""

from biosnn.conversion.array_reader import read_arrays
from biosnn.conversion.balance import Balance
from biosnn.conversion.bill import ledger
from biosnn.conversion.explaining import PARTS, LayerReport, explain
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
from biosnn.conversion.running import Outcome, run
from biosnn.conversion.saving import is_converted, load, save
from biosnn.conversion.spiking import Options, SpikingNetwork, convert
from biosnn.conversion.torch_module import from_torch

__all__ = [
    "PARTS",
    "Add",
    "AveragePool",
    "Balance",
    "Concat",
    "Convolution",
    "Graph",
    "Input",
    "Layer",
    "LayerReport",
    "Linear",
    "MaxPool",
    "Options",
    "Outcome",
    "Reference",
    "Relu",
    "Scale",
    "Select",
    "SpikingNetwork",
    "check_images",
    "check_reading",
    "convert",
    "explain",
    "from_torch",
    "is_converted",
    "ledger",
    "load",
    "original",
    "read_arrays",
    "read_network",
    "read_onnx",
    "reference",
    "run",
    "save",
    "write_onnx",
]
