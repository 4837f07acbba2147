"""Figures of the study `backprop`, drawn from its saved result."""

from __future__ import annotations

from typing import Any

from biosnn.report import Figure

from .plot_check import check_figures
from .plot_depth import depth_figures
from .plot_inside import inside_figures
from .plot_tuning import tuning_figures
from .plot_ways import ways_figures


def plot(result: Any) -> list[Figure]:
    """Draw the parts that were done."""
    figures = []
    if "ways names" in result.arrays:
        figures += [*ways_figures(result), *inside_figures(result)]
    if "check steps" in result.arrays:
        figures += check_figures(result)
    if "depth layers" in result.arrays:
        figures += depth_figures(result)
    if "tuning steps" in result.arrays:
        figures += tuning_figures(result)
    return figures
