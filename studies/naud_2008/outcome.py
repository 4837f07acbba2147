"""What is claimed of the eight patterns."""

from biosnn.measure.recognition import cells_matter, each_its_own
from biosnn.study import Claim, Result


def _fires(result: Result) -> bool:
    """The eight neurons spike 50 times at least in all."""
    return bool(result.values["spikes"] >= 50)


CLAIMS = [
    Claim(
        "eight patterns",
        "Each of the eight answers is recognised by its rule and by no other.",
        lambda result: each_its_own(result.arrays["table"]),
        _fires,
    ),
    Claim(
        "cells matter",
        "A current does not make a pattern by itself: of the other seven cells, less than a quarter show it.",
        lambda result: cells_matter(result.arrays["shown by cell"], 1 / 4),
        _fires,
    ),
]
