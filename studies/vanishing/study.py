"""Why do spikes vanish in deep layers, and what helps?

Part 3, biology: volleys of spikes and firing rates, sent along chains of neurons.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from biosnn.study import Result

from .biology import BiologySettings, run_biology
from .biology_outcome import BIOLOGY_CLAIMS, biology_arrays, biology_left_out, biology_tables, biology_values

TARGET = "cpp"
CLAIMS = BIOLOGY_CLAIMS


@dataclass(frozen=True)
class Settings(BiologySettings):
    """What can be changed."""


def run(settings: Settings, sim: Any) -> Result:
    """Do every part."""
    found = run_biology(settings, sim)
    return Result(
        biology_values(found),
        biology_arrays(found),
        left_out=biology_left_out(found),
        tables=biology_tables(found),
    )
