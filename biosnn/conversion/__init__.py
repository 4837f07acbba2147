"""Ordinary networks (ANN) that others have trained: read from files, converted into spiking ones, run and explained.

Networks of NIR that spike already are read and run as they are. What runs networks is loaded when it is first used, so
that reading them need not wait for Brian2.
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
from biosnn.conversion.torch_module import from_torch

if TYPE_CHECKING:
    from biosnn.conversion.adjustment import Adjustment
    from biosnn.conversion.balance import Balance
    from biosnn.conversion.bill import ledger
    from biosnn.conversion.explaining import PARTS, LayerReport, explain
    from biosnn.conversion.hybrid_network import HybridNetwork, hybrid
    from biosnn.conversion.hybrid_outcome import HybridOutcome
    from biosnn.conversion.nir_running import NirRun, run_nir
    from biosnn.conversion.outcome import Outcome, decisions
    from biosnn.conversion.running import run
    from biosnn.conversion.saving import is_converted, load, save
    from biosnn.conversion.spiking import Options, SpikingNetwork, convert
    from biosnn.conversion.trials import Trials

_HOMES = {
    "adjustment": ("Adjustment",),
    "balance": ("Balance",),
    "bill": ("ledger",),
    "explaining": ("PARTS", "LayerReport", "explain"),
    "hybrid_network": ("HybridNetwork", "hybrid"),
    "hybrid_outcome": ("HybridOutcome",),
    "nir_running": ("NirRun", "run_nir"),
    "outcome": ("Outcome", "decisions"),
    "running": ("run",),
    "saving": ("is_converted", "load", "save"),
    "spiking": ("Options", "SpikingNetwork", "convert"),
    "trials": ("Trials",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "PARTS",
    "Add",
    "Adjustment",
    "AveragePool",
    "Balance",
    "Concat",
    "Convolution",
    "Graph",
    "HybridNetwork",
    "HybridOutcome",
    "Input",
    "Layer",
    "LayerReport",
    "Linear",
    "MaxPool",
    "NirNetwork",
    "NirRun",
    "Options",
    "Outcome",
    "Reference",
    "Relu",
    "Scale",
    "Select",
    "SpikingNetwork",
    "Trials",
    "ann_graph",
    "check_images",
    "check_reading",
    "convert",
    "decisions",
    "explain",
    "export_nir",
    "from_torch",
    "hybrid",
    "is_converted",
    "ledger",
    "load",
    "original",
    "read_arrays",
    "read_network",
    "read_nir",
    "read_onnx",
    "reference",
    "run",
    "run_nir",
    "save",
    "write_nir",
    "write_onnx",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'biosnn.conversion' has no attribute {name!r}")
    return getattr(import_module(f"biosnn.conversion.{_HOME_OF[name]}"), name)
