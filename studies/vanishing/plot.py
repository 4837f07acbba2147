"""Figures, drawn from a saved result."""

from __future__ import annotations

from typing import Any

from biosnn.report import Figure

from .plot_random import random_figures


def plot(result: Any) -> list[Figure]:
    """Draw what each part has measured."""
    return [*random_figures(result)]
