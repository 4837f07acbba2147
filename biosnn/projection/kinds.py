"""What connects to what, as a rule: a kind knows the synapses of a neuron without a list of them.

A kind is a small frozen dataclass of the numbers that the rule needs. `Kind.fit` checks them against the sizes of two
groups and says how weights are laid out. Its C++ loop is the template of the same name in ``templates/cpp``; on the
other targets the loop runs over the index arrays that `Fit.outgoing` and `Fit.incoming` work out for one neuron.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from biosnn.display import Brief
from biosnn.errors import ModelError, field_error

Indices = NDArray[np.int64]
INDEX = "_late_idx"
"""Name of the index of what a synapse looks up in the past (see `delayed_traces`)."""

CHANGE = "change"
"""What statements call by how much the largest sum in a window has changed (see `Pool2D`)."""

AHEAD = 16
"""How many synapses of a target, which lie far apart, are asked for before they are needed. So many places more are at
the end of their list, which are read and mean nothing."""


@dataclass(frozen=True)
class Fit(Brief):
    """A kind applied to two groups.

    Parameters
    ----------
    shape : tuple of int
        Natural shape of a variable that has a value for each weight. ``()``: one value for all synapses.
    outgoing, incoming : callable
        From the index of a source (target) neuron to two arrays of equal length, an entry for each of its synapses:
        the index of the weight, and that of the neuron on the other side.
    numbers : mapping
        What the C++ template asks for as ``{{ n.name }}``.
    rows : bool
        Whether the synapses of a source neuron are those of its row of the weights, one for each target neuron.
    arrays : mapping
        Arrays that the C++ template asks for as ``{{get_array_name(variables['_list_name'])}}``.
    incoming_arrays : callable
        Returns those that it asks for only where spikes of the target run statements.
    order : array of int or None
        Which weight, of those in the natural shape, each synapse in memory has; None if it is the one of its number.
    """

    shape: tuple[int, ...]
    outgoing: Callable[[int], tuple[Indices, Indices]]
    incoming: Callable[[int], tuple[Indices, Indices]]
    numbers: Mapping[str, int] = field(default_factory=dict)
    rows: bool = False
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    incoming_arrays: Callable[[], Mapping[str, NDArray[Any]]] = dict
    order: Indices | None = None

    def natural(self, stored: NDArray[Any]) -> NDArray[Any]:
        """Values as they lie in memory, in their natural shape."""
        if self.order is None:
            return stored.reshape(self.shape)
        values = np.empty_like(stored)
        values[self.order] = stored
        return values.reshape(self.shape)

    def stored(self, natural: NDArray[Any]) -> NDArray[Any]:
        """Values in their natural shape, as they lie in memory."""
        flat = natural.reshape(-1)
        return flat if self.order is None else flat[self.order]


class Kind(ABC):
    """A rule of connectivity.

    Attributes
    ----------
    template : str
        Name of the C++ template.
    package : str
        Package in whose folder ``templates/cpp`` it lies. A kind of your own names a package of your own.
    shares_weights : bool
        Whether several synapses have the same weight, as those of a convolution have.
    sums : bool
        Whether spikes are summed before they are delivered; statements can then only add to a postsynaptic variable.
    weight : float or None
        The weight of a projection that is given none; None where there is no natural one.
    gates : bool
        Whether only some spikes pass: those that make their neuron's count the largest among all that reach a target.
    carried : str
        Of a kind that gates: the variable of the source that says what a spike carries, where it is not counted as one.
    scattered : bool
        Whether the targets of a source lie far apart in memory, so that each is gone to by itself.
    divisible : bool
        Whether the C++ template can go to the synapses of some targets only, as each of several threads does.
    sides : tuple of str
        Whose spikes may run statements, "pre" or "post"; "" stands for statements at given times.
    """

    template: ClassVar[str]
    package: ClassVar[str] = "biosnn.projection"
    shares_weights: ClassVar[bool] = False
    sums: ClassVar[bool] = False
    scattered: ClassVar[bool] = False
    divisible: ClassVar[bool] = False

    @property
    def weight(self) -> float | None:
        return None

    @property
    def gates(self) -> bool:
        return False

    @property
    def carried(self) -> str:
        return ""

    @property
    def may_repeat(self) -> bool:
        """Whether a pair of neurons may have several synapses."""
        return False

    @property
    def sides(self) -> tuple[str, ...]:
        return ("pre", "post", "")

    @abstractmethod
    def fit(self, n_source: int, n_target: int) -> Fit:
        """Apply the rule to groups of these sizes.

        Raises
        ------
        ModelError
            If the rule does not fit these sizes.
        """


@dataclass(frozen=True)
class Dense(Kind):
    """Every source neuron connects to every target neuron. Weights: (source, target)."""

    template: ClassVar[str] = "dense"
    divisible: ClassVar[bool] = True

    def fit(self, n_source: int, n_target: int) -> Fit:
        sources, targets = np.arange(n_source), np.arange(n_target)
        return Fit(
            (n_source, n_target),
            lambda i: (i * n_target + targets, targets),
            lambda j: (sources * n_target + j, sources),
            rows=True,
        )


@dataclass(frozen=True)
class OneToOne(Kind):
    """Each source neuron connects to the target neuron of the same index. Weights: (neuron,)."""

    template: ClassVar[str] = "one_to_one"

    def fit(self, n_source: int, n_target: int) -> Fit:
        _same_size("OneToOne", n_source, n_target)
        return Fit((n_source,), _itself, _itself)


@dataclass(frozen=True)
class Lateral(Kind):
    """Each neuron connects to all others of its layer and not to itself, with one weight for all.

    The spikes of a time step are summed once and each neuron gets the total minus its own, so that time grows with
    the number of neurons and not with its square. Statements can only add to (or subtract from) postsynaptic
    variables what does not depend on the postsynaptic side. Source and target may be two groups of the same size.
    """

    template: ClassVar[str] = "lateral"
    shares_weights: ClassVar[bool] = True
    sums: ClassVar[bool] = True

    @property
    def sides(self) -> tuple[str, ...]:
        return ("pre", "")

    def fit(self, n_source: int, n_target: int) -> Fit:
        _same_size("Lateral", n_source, n_target)
        everyone = np.arange(n_source)

        def others(i: int) -> tuple[Indices, Indices]:
            others_than_i = np.delete(everyone, i)
            return np.zeros_like(others_than_i), others_than_i

        return Fit((), others, others)


def _itself(i: int) -> tuple[Indices, Indices]:
    here = np.array([i], dtype=np.int64)
    return here, here


def _same_size(kind: str, n_source: int, n_target: int) -> None:
    if n_source != n_target:
        got = f"{n_source} source and {n_target} target neurons"
        raise ModelError(field_error(kind, "groups of the same size", got))
