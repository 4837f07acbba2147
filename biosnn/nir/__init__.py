"""Networks of NIR (Neuromorphic Intermediate Representation): read, checked, run as they are, and written.

What runs them is loaded when it is first used, so that reading them need not wait for Brian2.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from biosnn.nir.graph import ann_graph
from biosnn.nir.network import NirNetwork
from biosnn.nir.read import read_nir
from biosnn.nir.write import export_nir, write_nir

if TYPE_CHECKING:
    from biosnn.nir.run import NirRun, run_nir

__all__ = ["NirNetwork", "NirRun", "ann_graph", "export_nir", "read_nir", "run_nir", "write_nir"]


def __getattr__(name: str) -> Any:
    if name not in ("NirRun", "run_nir"):
        raise AttributeError(f"module 'biosnn.nir' has no attribute {name!r}")
    return getattr(import_module("biosnn.nir.run"), name)
