"""What is claimed of the twenty patterns."""

from biosnn.measure.recognition import cells_matter, each_its_own
from biosnn.study import Claim, Result

LOST = ("bistability", "depolarising_afterpotential", "inhibition_induced_bursting")
"""Patterns that hang on how the recovery variable is stepped."""
FEW = 0.2


def _fires(result: Result) -> bool:
    """The twenty neurons spike 50 times at least in all."""
    return bool(result.values["spikes"] >= 50)


def _steps_matter(result: Result) -> bool:
    names = [str(name) for name in result.arrays["patterns"]]
    lost = {name for name, there in zip(names, result.arrays["Euler"], strict=True) if not there}
    return lost == set(LOST)


CLAIMS = [
    Claim(
        "twenty patterns",
        "Each of the twenty responses is recognised by its rule and by no other.",
        lambda result: each_its_own(result.arrays["table"]),
        _fires,
    ),
    Claim(
        "cells matter",
        "A stimulus does not make a pattern by itself: of the other nineteen cells, less than a fifth show it.",
        lambda result: cells_matter(result.arrays["shown by cell"], FEW),
        _fires,
    ),
    Claim(
        "steps matter",
        "With Euler's method at the same steps, bistability, afterpotential and inhibition-induced bursting are lost.",
        _steps_matter,
        _fires,
    ),
]
