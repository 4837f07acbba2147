"""The kind whose connections depend on how far neurons are from each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from brian2 import Quantity, get_unit
from numpy.typing import NDArray

from biosnn.errors import ModelError, field_error
from biosnn.projection.random import counter
from biosnn.projection.random.kinds import CHANCE, CONNECTIVITY, Draw, RandomKind, Rows, by_source
from biosnn.quantity import unit_text


@dataclass(frozen=True)
class ByDistance(RandomKind):
    """Each pair of neurons is connected with a probability that depends on their distance.

    Parameters
    ----------
    profile : str
        The probability as an expression of ``distance``, such as ``"0.3*exp(-distance/(150*um))"``. It may name shared
        variables of the projection and, as all of its statements, variables of the neurons.
    positions : tuple of str
        The variables of either group that hold the coordinates of its neurons.
    period : Quantity, optional
        Coordinates this far apart are the same, as on a torus.
    autapses : bool
        Whether a neuron may connect to itself, where source and target are one group.
    seed, stored
        See `RandomKind`.
    """

    profile: str
    positions: tuple[str, ...] = ("x", "y")
    period: Any = None
    autapses: bool = True
    rows_template: ClassVar[str] = "by_distance"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.stored:
            do = "Each pair would be looked at at each spike."
            raise ModelError(field_error("ByDistance, stored", "True", self.stored, do))
        if not isinstance(self.profile, str):
            raise ModelError(field_error("ByDistance, profile", "an expression of distance as text", self.profile))
        names = self.positions
        if not isinstance(names, tuple) or not names or not all(isinstance(n, str) and n.isidentifier() for n in names):
            expected = 'the names of variables of the neurons, such as ("x", "y")'
            raise ModelError(field_error("ByDistance, positions", expected, names))
        if self.period is not None and (np.ndim(self.period) or not np.asarray(Quantity(self.period)) > 0):
            raise ModelError(field_error("ByDistance, period", "a length greater than 0", self.period))

    @property
    def chance(self) -> str:
        lines, squares = [], []
        for name in self.positions:
            apart = f"_apart_{name}"
            lines.append(f"{apart} = abs({name}_pre - {name}_post)")
            if self.period is not None:  # the shorter way round, for coordinates however many periods apart
                period = f"({float(self.period)!r}*{unit_text(get_unit(Quantity(self.period).dim) * 1.0)})"
                lines[-1] = f"{apart}_far = abs({name}_pre - {name}_post) % {period}"
                lines.append(f"{apart} = {apart}_far - int({apart}_far > {period}/2)*(2*{apart}_far - {period})")
            squares.append(f"{apart}**2")
        return "\n".join([*lines, f"distance = sqrt({' + '.join(squares)})", f"{CHANCE} = {self.profile}"])

    def check_numbers(self, draw: Draw) -> None:
        """There are none."""

    def expected(self, draw: Draw) -> float:  # noqa: ARG002
        return 0.0  # not known before distances are

    def rows(self, draw: Draw) -> Rows:
        assert draw.chance is not None
        pairs: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = [(np.zeros(0, np.int64), np.zeros(0, np.int64))]
        block = max(1, 2**20 // draw.targets)
        for first in range(0, draw.sources, block):
            neurons = np.arange(first, min(first + block, draw.sources))
            source, target = np.repeat(neurons, draw.targets), np.tile(np.arange(draw.targets), len(neurons))
            start = counter.starts(draw.key, CONNECTIVITY, neurons)[source - first]
            connected = counter.uniform(counter.bits(start, target)) < draw.chance(source, target)
            if not self.autapses:
                connected &= target != draw.itself(source)
            pairs.append((source[connected], target[connected]))
        return by_source(draw, *(np.concatenate(side) for side in zip(*pairs, strict=True)))
