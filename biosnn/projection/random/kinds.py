"""Kinds whose synapses are drawn when a run begins: another seed, or another number, is another network.

What is drawn is a function of a key (see `counter`), which the seed gives. `RandomKind.rows` says how, in NumPy; the
macro of ``templates/cpp/rows.cpp`` that `RandomKind.rows_template` names says the same in C++.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from biosnn.display import Brief
from biosnn.errors import ModelError, field_error
from biosnn.projection.kinds import Fit, Indices, Kind
from biosnn.projection.random import counter

CONNECTIVITY, DELAYS, OUTDEGREES, VALUES = range(4)
"""Streams of random numbers: for what connects to what, for delays, for how many synapses a source has, and, from there
on, for each variable of the synapses."""

CHANCE = "_chance"
"""The name that statements give the probability of a connection."""

Rows = tuple[NDArray[np.int64], NDArray[np.int32]]
"""Where the list of each source begins (indptr), and the target of each synapse, as in a sparse matrix of SciPy."""


@dataclass(frozen=True)
class Draw(Brief):
    """What the drawing of a network needs to know.

    Parameters
    ----------
    key : int
        Of the network's random numbers.
    sources, targets : int
        How many neurons there are.
    same : int or None
        What is added to the index of a source to have that of the same neuron among the targets; None where source and
        target are different groups.
    numbers : mapping
        The kind's numbers at this run.
    chance : callable or None
        From source and target neurons to the probability that they are connected, for a kind that has an expression
        for it (`RandomKind.chance`).
    """

    key: int
    sources: int
    targets: int
    same: int | None
    numbers: Mapping[str, Any]
    chance: Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.float64]] | None = None

    def itself(self, neurons: NDArray[np.int64]) -> NDArray[np.int64]:
        """The index among the targets of each source neuron; -1 where it is none of them."""
        return np.full_like(neurons, -1) if self.same is None else neurons + self.same


@dataclass(frozen=True, kw_only=True)
class RandomKind(Kind):
    """A rule by which synapses are drawn. Each source has a list of targets that ascend, of 2 or 4 bytes per synapse.

    Without memory (``stored=False``), a source's targets are drawn again at each of its spikes, on the target ``cpp``.
    It is the same network. Its weights are one for all or an expression, which nothing changes, its delay is one for
    all.

    The fields that are numbers are variables of the projection, of the same name: they may be set before the first run,
    and by the points of a sweep, without a new build.

    Parameters
    ----------
    seed : int, optional
        Of this network alone, which is then the same whatever the seed of the run. By default it is drawn from the
        random numbers of the run, so that each point of a sweep over seeds has a network of its own.
    stored : bool
        Whether synapses are kept in memory, or drawn at each spike.
    """

    seed: int | None = None
    stored: bool = True
    template: ClassVar[str] = "sparse"
    scattered: ClassVar[bool] = True
    divisible: ClassVar[bool] = True
    rows_template: ClassVar[str]
    """The macro of ``templates/cpp/rows.cpp`` that draws the targets of a source, or the sources of a target."""
    number: ClassVar[str] = ""
    """Name of the field that is a variable of the projection."""
    by_target: ClassVar[bool] = False
    """Whether a target's sources are drawn, and not a source's targets."""

    def __post_init__(self) -> None:
        seed = self.seed
        if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0):
            raise ModelError(field_error(f"{type(self).__name__}, seed", "a whole number of at least 0", seed))
        if not isinstance(self.stored, bool) or (self.by_target and not self.stored):
            do = (
                "The targets of a source cannot be drawn where the sources of each target are."
                if self.by_target
                else ""
            )
            expected = "True" if self.by_target else "True or False"
            raise ModelError(field_error(f"{type(self).__name__}, stored", expected, self.stored, do))

    @property
    def numbers(self) -> dict[str, Any]:
        """The kind's numbers, by the names of its fields."""
        return {self.number: getattr(self, self.number)} if self.number else {}

    @property
    def may_repeat(self) -> bool:
        """Whether a pair of neurons may have several synapses."""
        return bool(getattr(self, "multapses", False))

    @property
    def sides(self) -> tuple[str, ...]:
        return ("pre", "post", "") if self.stored else ("pre",)

    @property
    def chance(self) -> str:
        """Statements that give `CHANCE`, the probability that two neurons are connected; "" for a kind without."""
        return ""

    @property
    def provides(self) -> tuple[str, ...]:
        """Names of variables that expressions may use, beside those of synapses and neurons."""
        return ()

    def fit(self, n_source: int, n_target: int) -> Fit:
        """Check the kind against the sizes of two groups, as far as that does not depend on what will be drawn."""
        self.check_numbers(Draw(0, n_source, n_target, None, self.numbers))
        return Fit((0,), _not_drawn, _not_drawn)

    def ends_of(self, side: str) -> list[int]:
        """Where the populations of a side begin, of a kind that has some."""
        raise NotImplementedError(side)

    @abstractmethod
    def check_numbers(self, draw: Draw) -> None:
        """Refuse numbers that do not fit the two groups."""

    @abstractmethod
    def expected(self, draw: Draw) -> float:
        """How many synapses there are on average."""

    @abstractmethod
    def rows(self, draw: Draw) -> Rows:
        """Draw what connects to what."""


def _not_drawn(neuron: int) -> tuple[Indices, Indices]:
    raise ModelError(f"The synapses of neuron {neuron} are drawn when a run begins.")


@dataclass(frozen=True)
class FixedProbability(RandomKind):
    """Each pair of neurons is connected with the same probability, whatever the others.

    Parameters
    ----------
    p : float
        The probability, from 0 to 1.
    autapses : bool
        Whether a neuron may connect to itself, where source and target are one group.
    seed, stored
        See `RandomKind`.
    """

    p: float
    autapses: bool = True
    rows_template: ClassVar[str] = "fixed_probability"
    number: ClassVar[str] = "p"

    def check_numbers(self, draw: Draw) -> None:
        p = draw.numbers["p"]
        if isinstance(p, bool) or not isinstance(p, int | float | np.number) or not 0 <= p <= 1:
            raise ModelError(field_error("FixedProbability, p", "a probability from 0 to 1", p))

    def expected(self, draw: Draw) -> float:
        return draw.sources * draw.targets * float(draw.numbers["p"])

    def rows(self, draw: Draw) -> Rows:
        # From one synapse of a source to the next, the number of targets left out has a geometric distribution.
        p = draw.numbers["p"]
        each = int(draw.targets * p + 6 * np.sqrt(draw.targets * p) + 16)
        pairs: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
        with np.errstate(divide="ignore"):
            scale = 1 / np.log1p(-p) if p < 1 else -0.0
        begin = max(1, 2**22 // each)
        for first in range(0, draw.sources if p > 0 else 0, begin):
            sources = np.arange(first, min(first + begin, draw.sources))
            start = counter.starts(draw.key, CONNECTIVITY, sources)
            last, drawn = np.full(len(sources), -1.0), 0
            while len(sources):
                place = np.arange(drawn, drawn + each)
                gaps = np.floor(np.log(counter.uniform(counter.bits(start[:, None], place))) * scale)
                targets = last[:, None] + np.cumsum(gaps + 1, axis=1)
                row, column = np.nonzero(targets < draw.targets)
                pairs.append((sources[row], targets[row, column].astype(np.int64)))
                more = targets[:, -1] < draw.targets
                sources, start, last, drawn = sources[more], start[more], targets[more, -1], drawn + each
        source = np.concatenate([pair[0] for pair in pairs] or [np.zeros(0, dtype=np.int64)])
        target = np.concatenate([pair[1] for pair in pairs] or [np.zeros(0, dtype=np.int64)])
        if not self.autapses:
            other = target != draw.itself(source)
            source, target = source[other], target[other]
        return by_source(draw, source, target)


@dataclass(frozen=True)
class _FixedDegree(RandomKind):
    k: int
    multapses: bool = True
    autapses: bool = True
    number: ClassVar[str] = "k"

    def _sizes(self, draw: Draw) -> tuple[int, int]:
        """How many neurons draw, and from how many."""
        return (draw.targets, draw.sources) if self.by_target else (draw.sources, draw.targets)

    def _itself_left_out(self, draw: Draw) -> bool:
        return not self.autapses and draw.same is not None

    def check_numbers(self, draw: Draw) -> None:
        name, k, others = type(self).__name__, draw.numbers["k"], self._sizes(draw)[1] - self._itself_left_out(draw)
        if isinstance(k, bool) or not isinstance(k, int | float | np.number) or k != int(k) or k < 0:
            raise ModelError(field_error(f"{name}, k", "a whole number of at least 0", k))
        if not self.multapses and k > others:
            whose = "sources" if self.by_target else "targets"
            do = "Let pairs of neurons have several synapses (multapses=True), or take fewer."
            raise ModelError(field_error(f"{name}, k", f"at most the {others} {whose}", k, do))
        if others == 0 and k:
            raise ModelError(field_error(f"{name}, k", "0, as there is only the neuron itself", k))

    def expected(self, draw: Draw) -> float:
        return self._sizes(draw)[0] * float(draw.numbers["k"])

    def _chosen(self, draw: Draw) -> NDArray[np.int64]:
        """What each neuron that draws has drawn, shape (neurons, k)."""
        k = int(draw.numbers["k"])
        drawing, choices = self._sizes(draw)
        neurons = np.arange(drawing)
        start = counter.starts(draw.key, CONNECTIVITY, neurons)
        itself = np.full(drawing, -1)
        if draw.same is not None and self._itself_left_out(draw):
            itself = neurons - draw.same if self.by_target else neurons + draw.same
            itself = np.where((itself >= 0) & (itself < choices), itself, -1)
        chosen = np.empty((drawing, k), dtype=np.int64)
        if self.multapses:
            chosen[...] = _others(counter.bits(start[:, None], np.arange(k)), choices, itself[:, None])
            return chosen
        for neuron in range(drawing if k else 0):
            chosen[neuron] = _distinct(start[neuron], choices, int(itself[neuron]), k)
        return chosen


def _others(random: counter.Bits, choices: int, itself: Any) -> NDArray[np.int64]:
    """Whole numbers below ``choices``, without the neuron's own where it is not -1."""
    drawn = counter.below(random, choices)
    left_out = np.broadcast_to(np.asarray(itself) >= 0, random.shape)
    drawn[left_out] = counter.below(random[left_out], choices - 1)
    shifted: NDArray[np.int64] = drawn + (left_out & (drawn >= itself))
    return shifted


def _distinct(start: Any, choices: int, itself: int, k: int) -> NDArray[np.int64]:
    """The first k different numbers, in the order in which they are drawn."""
    drawn = np.zeros(0, dtype=np.int64)
    seen = 0
    while True:
        place = np.arange(seen, seen + 2 * k + 16)
        drawn = np.concatenate([drawn, _others(counter.bits(start, place), choices, itself)])
        seen += len(place)
        _, first = np.unique(drawn, return_index=True)
        if len(first) >= k:
            return drawn[np.sort(first)[:k]]


@dataclass(frozen=True)
class FixedOutdegree(_FixedDegree):
    """Each source neuron has k synapses, whose targets are drawn.

    Parameters
    ----------
    k : int
        How many.
    multapses : bool
        Whether a pair of neurons may have several synapses. If not, each set of k targets is equally likely.
    autapses : bool
        Whether a neuron may connect to itself, where source and target are one group.
    seed, stored
        See `RandomKind`.
    """

    rows_template: ClassVar[str] = "fixed_degree"

    def rows(self, draw: Draw) -> Rows:
        chosen = np.sort(self._chosen(draw), axis=1)
        indptr = np.arange(draw.sources + 1, dtype=np.int64) * chosen.shape[1]
        return indptr, chosen.reshape(-1).astype(np.int32)


@dataclass(frozen=True)
class FixedIndegree(_FixedDegree):
    """Each target neuron has k synapses, whose sources are drawn.

    Parameters
    ----------
    k : int
        How many.
    multapses : bool
        Whether a pair of neurons may have several synapses. If not, each set of k sources is equally likely.
    autapses : bool
        Whether a neuron may connect to itself, where source and target are one group.
    seed, stored
        See `RandomKind`.
    """

    rows_template: ClassVar[str] = "fixed_degree"
    by_target: ClassVar[bool] = True

    def rows(self, draw: Draw) -> Rows:
        chosen = self._chosen(draw)
        return by_source(draw, chosen.reshape(-1), np.repeat(np.arange(draw.targets), chosen.shape[1]))


def by_source(draw: Draw, source: NDArray[np.int64], target: NDArray[np.int64]) -> Rows:
    """Pairs as a list for each source, those of a source in the order in which they are given."""
    order = np.argsort(source, kind="stable")
    indptr = np.concatenate([[0], np.cumsum(np.bincount(source, minlength=draw.sources))])
    return indptr, target[order].astype(np.int32)
