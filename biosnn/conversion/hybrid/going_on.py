"""The ordinary network computes the rest from decoded rates: whether a layer still has the information it needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn.conversion.hybrid.cutting import cut, relus
from biosnn.conversion.hybrid.network import analog_remainder, decoded
from biosnn.conversion.network import SpikingNetwork
from biosnn.conversion.outcome import Outcome, decisions


class Remainders:
    """The parts of one ordinary network behind each of its ReLU layers, kept for as long as this is.

    No network is run for it: the answers follow from what a network did whose layers all spike.
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[tuple[str, ...], Callable[..., Any]]] = {}

    def decided(
        self, snn: SpikingNetwork, outcome: Outcome, images: NDArray[np.float32], first: int
    ) -> NDArray[np.int64]:
        """What the ordinary network decides if the first layers have spiked.

        Parameters
        ----------
        snn : SpikingNetwork
            A conversion of the network.
        outcome : Outcome
            What it did, by ``run(..., each=True)``.
        images : ndarray of float32, shape (n, *shape of the input)
            What it was shown.
        first : int
            How many layers, fewer than all.

        Returns
        -------
        ndarray of int, shape (n,)
        """
        if first not in self._known:
            piece = cut(snn.graph, relus(snn.graph)[:first])[1]
            self._known[first] = piece.takes, analog_remainder(piece)
        takes, answers = self._known[first]
        steps, sent = np.array([outcome.steps]), outcome.sent
        told = {name: decoded(snn, name, sent[name][:, None], steps) for name in set(takes) & set(sent)}
        return decisions(answers({snn.graph.input.name: images}, told)[:, 0])
