"""Which steps of an image are there for what, and whether there are enough."""

from __future__ import annotations

from biosnn.conversion.network import SpikingNetwork
from biosnn.conversion.populations import MAXIMUM, OUTPUT
from biosnn.conversion.windows import windows
from biosnn.errors import ConversionError, field_error


def held_back(snn: SpikingNetwork) -> dict[str, int]:
    """In how many of the first steps each population sends nothing; those that are not named always may."""
    late, turns = snn.options.delay_per_layer, windows(snn.network)
    waits = {
        population.name: late * (turns[population.name] - 1)
        for population in snn.network.populations
        if population.kind != MAXIMUM and (population.kind != OUTPUT or snn.options.output == "counts")
    }
    return {name: steps for name, steps in waits.items() if steps}


def check_room(snn: SpikingNetwork, T: int, where: str) -> None:
    """Refuse so few steps that the output is not read, or a layer cannot fire.

    Raises
    ------
    ConversionError
        With the number of steps that are needed.
    """
    options = snn.options
    if not options.reads_after < T:
        do = f"The output is read after {options.reads_after} steps: show images for longer."
        raise ConversionError(field_error(where, f"more than {options.reads_after} steps", T, do))
    latest = max(held_back(snn).values(), default=0)
    if not latest < T:
        do = f"With delay_per_layer={options.delay_per_layer} the last layer is held back for so long."
        raise ConversionError(field_error(where, f"more than {latest} steps", T, do))
