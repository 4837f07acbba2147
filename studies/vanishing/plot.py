"""Figures of the study `vanishing`, drawn from its saved result."""

from __future__ import annotations

from typing import Any

from biosnn.report import Figure

from .plot_biology import biology_figures


def plot(result: Any) -> list[Figure]:
    """Draw every part."""
    return biology_figures(result)
