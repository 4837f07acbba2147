"""Ordinary networks (`biosnn.ann`) made to spike: converted, run, explained and mended, whole or in part.

What runs networks is loaded when it is first used, so that reading them need not wait for Brian2.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from biosnn.conversion.analysis.error_analysis import PARTS, LayerReport, explain
    from biosnn.conversion.analysis.operation_counts import ledger
    from biosnn.conversion.analysis.recipes import RECIPES, Choice
    from biosnn.conversion.analysis.trials import Trials
    from biosnn.conversion.converting import ConvertedNetwork, convert
    from biosnn.conversion.hybrid.network import HybridNetwork, to_hybrid
    from biosnn.conversion.hybrid.outcome import HybridOutcome
    from biosnn.conversion.network import Adjustment, Options, SpikingNetwork
    from biosnn.conversion.outcome import Outcome, decisions
    from biosnn.conversion.reading import read_network
    from biosnn.conversion.running import run
    from biosnn.conversion.saving import is_converted, load, save
    from biosnn.conversion.thresholds import ThresholdSettings

_HOMES = {
    "analysis.error_analysis": ("PARTS", "LayerReport", "explain"),
    "analysis.operation_counts": ("ledger",),
    "analysis.recipes": ("RECIPES", "Choice"),
    "analysis.trials": ("Trials",),
    "hybrid.network": ("HybridNetwork", "to_hybrid"),
    "hybrid.outcome": ("HybridOutcome",),
    "converting": ("ConvertedNetwork", "convert"),
    "network": ("Adjustment", "Options", "SpikingNetwork"),
    "outcome": ("Outcome", "decisions"),
    "reading": ("read_network",),
    "running": ("run",),
    "saving": ("is_converted", "load", "save"),
    "thresholds": ("ThresholdSettings",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "PARTS",
    "RECIPES",
    "Adjustment",
    "Choice",
    "ConvertedNetwork",
    "HybridNetwork",
    "HybridOutcome",
    "LayerReport",
    "Options",
    "Outcome",
    "SpikingNetwork",
    "ThresholdSettings",
    "Trials",
    "convert",
    "decisions",
    "explain",
    "is_converted",
    "ledger",
    "load",
    "read_network",
    "run",
    "save",
    "to_hybrid",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'biosnn.conversion' has no attribute {name!r}")
    return getattr(import_module(f"biosnn.conversion.{_HOME_OF[name]}"), name)
