"""Why do spikes vanish in deep layers, and what helps?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from biosnn.study import Result

from .random import RandomSettings, run_random
from .random_outcome import RANDOM_CLAIMS, random_arrays, random_left_out, random_tables, random_values

TARGET = "cpp"

METHOD = """
Random networks: layers of neurons with normal weights, which have learned nothing, down to layer 50. What is measured
in each layer is held against what theory predicts.
"""


@dataclass(frozen=True)
class Settings(RandomSettings):
    """What can be changed."""


def run(settings: Settings, sim: Any) -> Result:
    """Do all parts."""
    found = run_random(settings, sim)
    return Result(
        random_values(found), random_arrays(found), tables=random_tables(found), left_out=random_left_out(found)
    )


CLAIMS = [*RANDOM_CLAIMS]
