"""Figures of the study `vanishing`, drawn from its saved result."""

from __future__ import annotations

from typing import Any

from biosnn.report import Figure

from .plot_biology import biology_figures
from .plot_converted import converted_figures
from .plot_random import random_figures
from .plot_remedies import remedies_figures

DRAWN = {
    "random": random_figures,
    "converted": converted_figures,
    "biology": biology_figures,
    "remedies": remedies_figures,
}


def plot(result: Any) -> list[Figure]:
    """Draw each part that was asked for."""
    parts = {name.split()[0] for name in result.arrays}
    return [figure for part, draw in DRAWN.items() if part in parts for figure in draw(result)]
