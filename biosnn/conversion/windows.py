"""When each population fires, where layers take turns: one window of time after the other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from biosnn.conversion.populations import HOLD, MAXIMUM, Path, Population, PopulationNetwork
from biosnn.errors import ConversionError, field_error


def windows(populated: PopulationNetwork) -> dict[str, int]:
    """In which window each population fires; the input has the first, 0. The output has none and ends with the last."""
    begins = {populated.graph.input.name: 0}
    for population in populated.populations:
        latest = max(begins[path.source] for path in population.paths)
        # The spikes of a maximum are passed on at once.
        begins[population.name] = latest + (population.kind != MAXIMUM)
    return begins


def aligned(populated: PopulationNetwork) -> PopulationNetwork:
    """Let all that a population gets come in the window before its own.

    A shortcut past layers comes too early. So neurons that hold its value are put into it, one for each window: a ReLU
    of what a ReLU gave is the same value.

    Raises
    ------
    ConversionError
        If the input itself is to be held: it may be negative.
    """
    turns, populations, holds = windows(populated), [], {}
    for population in populated.populations:
        latest = max(turns[path.source] for path in population.paths)
        paths = []
        for path in population.paths:
            source = path.source
            if source == populated.graph.input.name and latest > 0:
                do = "Pixels fire in the first window only: use code='rate'."
                expected = "no input beside other layers, where values are coded by first spikes"
                raise ConversionError(field_error(f"Layer {population.name!r}", expected, source, do))
            for window in range(turns[path.source] + 1, latest + 1):
                held = f"{path.source}, held in window {window}"
                if held not in holds:
                    shape = populated.shape(path.source)
                    holds[held] = Population(held, HOLD, shape, (Path(source, ()),), np.zeros(shape, np.float32))
                    populations.append(holds[held])
                source = held
            paths.append(replace(path, source=source))
        populations.append(replace(population, paths=tuple(paths)))
    return replace(populated, populations=tuple(populations))
