"""A kind of one's own, as docs/projections.md shows it."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from biosnn.projection import Fit, Kind


@dataclass(frozen=True)
class Ring(Kind):
    """Each neuron connects to the next few, and the last ones to the first. Weights: (neuron, how far)."""

    width: int
    template: ClassVar[str] = "ring"
    package: ClassVar[str] = "ring"

    def fit(self, n_source: int, n_target: int) -> Fit:
        far = np.arange(self.width)

        def outgoing(i: int) -> tuple:  # indices of the weights, and of the targets
            return i * self.width + far, (i + 1 + far) % n_target

        def incoming(j: int) -> tuple:  # indices of the weights, and of the sources
            sources = (j - 1 - far) % n_source
            return sources * self.width + far, sources

        return Fit((n_source, self.width), outgoing, incoming, {"width": self.width})
