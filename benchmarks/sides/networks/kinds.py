"""Random connectivity: what biosnn has for it so far is ``Synapses`` with a probability."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import biosnn


@dataclass(frozen=True)
class FixedProbability:
    p: float

    def chance(self, n_source: int, n_target: int) -> float:  # noqa: ARG002
        return self.p


@dataclass(frozen=True)
class FixedIndegree:
    k: int

    def chance(self, n_source: int, n_target: int) -> float:  # noqa: ARG002
        return min(1.0, self.k / n_source)


@dataclass(frozen=True)
class FixedTotal:
    n: int

    def chance(self, n_source: int, n_target: int) -> float:
        return min(1.0, self.n / (n_source * n_target))


def join(pre: Any, post: Any, kind: Any, model: str = "static", **given: Any) -> Any:
    return biosnn.synapses(pre, post, model, p=kind.chance(len(pre), len(post)), **given)
