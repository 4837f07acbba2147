"""The kind that has a number of synapses in all, or from each population to each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from biosnn.errors import ModelError, field_error
from biosnn.projection.random import counter
from biosnn.projection.random.kinds import CONNECTIVITY, OUTDEGREES, Draw, RandomKind, Rows


@dataclass(frozen=True, eq=False)
class FixedTotal(RandomKind):
    """There are n synapses in all. Source and target of each are drawn, so that pairs may have several.

    With sizes of populations, which are neurons in a row, there are so many from each population to each: one
    projection holds what would else be one for each pair of populations, and is built and simulated faster. Expressions
    of weights and delays then know ``source_population`` and ``target_population``, which count from 0.

    Parameters
    ----------
    n : int, or array of int, shape (source populations, target populations)
        How many.
    sources, targets : sequence of int, optional
        How many neurons each population of the sources and of the targets has.
    seed, stored
        See `RandomKind`.
    """

    n: Any
    sources: Sequence[int] | None = None
    targets: Sequence[int] | None = None
    rows_template: ClassVar[str] = "fixed_total"
    number: ClassVar[str] = "n"

    @property
    def may_repeat(self) -> bool:
        return True

    @property
    def provides(self) -> tuple[str, ...]:
        given = {"source_population": self.sources, "target_population": self.targets}
        return tuple(name for name, sizes in given.items() if sizes is not None)

    def ends_of(self, side: str) -> list[int]:
        """Where the populations of a side, "pre" or "post", begin, and where the last one ends."""
        sizes = self.sources if side == "pre" else self.targets
        return [0, *np.cumsum([] if sizes is None else sizes).tolist()]

    def populations(self, n_source: int, n_target: int) -> tuple[list[int], list[int]]:
        """Where the populations of the sources and of the targets begin, and where the last ones end."""
        ends = []
        for side, sizes, size in (("sources", self.sources, n_source), ("targets", self.targets, n_target)):
            given = np.asarray([size] if sizes is None else sizes)
            if given.ndim != 1 or given.dtype.kind not in "iu" or np.any(given < 1) or given.sum() != size:
                expected = f"sizes of populations, whole numbers of at least 1 whose sum is the {size} neurons"
                raise ModelError(field_error(f"FixedTotal, {side}", expected, sizes))
            ends.append([0, *np.cumsum(given).tolist()])
        return ends[0], ends[1]

    def check_numbers(self, draw: Draw) -> None:
        n, ends = np.asarray(draw.numbers["n"]), self.populations(draw.sources, draw.targets)
        shape = (len(ends[0]) - 1, len(ends[1]) - 1)
        if n.size != shape[0] * shape[1] or n.shape not in (shape, (n.size,), ()):
            raise ModelError(field_error("FixedTotal, n", f"a number for each pair of populations, {shape}", n.shape))
        if n.dtype.kind not in "iuf" or np.any(n != np.floor(n)) or np.any(n < 0):
            raise ModelError(field_error("FixedTotal, n", "a whole number of at least 0", draw.numbers["n"]))

    def expected(self, draw: Draw) -> float:
        return float(np.sum(draw.numbers["n"]))

    def rows(self, draw: Draw) -> Rows:
        of_sources, of_targets = self.populations(draw.sources, draw.targets)
        n = np.asarray(draw.numbers["n"]).reshape(len(of_sources) - 1, len(of_targets) - 1)
        outdegrees = np.zeros((draw.sources, n.shape[1]), dtype=np.int64)
        for block, (a, b) in enumerate(np.ndindex(n.shape)):
            start = counter.starts(draw.key, OUTDEGREES, np.array([block]))
            here = counter.below(counter.bits(start, np.arange(n[a, b])), of_sources[a + 1] - of_sources[a])
            outdegrees[of_sources[a] : of_sources[a + 1], b] = np.bincount(
                here, minlength=of_sources[a + 1] - of_sources[a]
            )
        indptr = np.concatenate([[0], np.cumsum(outdegrees.sum(axis=1))])
        source = np.repeat(np.arange(draw.sources), outdegrees.sum(axis=1))
        population = np.repeat(np.tile(np.arange(n.shape[1]), draw.sources), outdegrees.reshape(-1))
        random = counter.bits(
            counter.starts(draw.key, CONNECTIVITY, np.arange(draw.sources))[source],
            np.arange(len(source)) - indptr[source],
        )
        targets = np.empty(len(source), dtype=np.int32)
        for b in range(n.shape[1]):
            here = population == b
            targets[here] = of_targets[b] + counter.below(random[here], of_targets[b + 1] - of_targets[b])
        return indptr, targets[np.lexsort((targets, source))]
