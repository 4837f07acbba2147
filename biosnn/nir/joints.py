"""How neurons of NIR are joined: a way between two populations becomes a projection where a rule says what connects to
what, and a list of synapses where none does.

Neurons of images are in the order (row, column, channel), as projections want them; NIR's are channels first.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, eye_array

from biosnn.ann.layers import MOST_VALUES, Shape
from biosnn.errors import ConversionError, field_error
from biosnn.nir.fields import Numbers
from biosnn.nir.maps import MOST_ENTRIES, delayed, matrix
from biosnn.nir.network import NirNetwork, Way
from biosnn.nir.nodes import AvgPool2d, Conv2d, Delay, Flatten, Linear, Node, Scale, SumPool2d
from biosnn.projection import Conv2D, Dense, OneToOne, Pool2D
from biosnn.projection.kinds import Kind

MOST_DELAYS = 256
"""How many different delays a way may have: each is a set of synapses of its own."""


@dataclass(frozen=True, eq=False)
class Joint:
    """Synapses with one delay.

    Parameters
    ----------
    weights : ndarray
        In the natural shape of the kind, or one for each of the pairs.
    kind : Kind, optional
        What connects to what.
    pairs : (ndarray, ndarray), optional
        Instead of a kind: source and target neuron of each synapse.
    lag : int
        How many steps later what the source sends is added to the target.
    """

    weights: Numbers
    kind: Kind | None = None
    pairs: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None
    lag: int = 0


def neuron_order(shape: Shape) -> NDArray[np.int64]:
    """For each neuron of a population, which value of an array of this shape it is: channels last for images."""
    index = np.arange(math.prod(shape)).reshape(shape)
    return (np.moveaxis(index, 0, -1) if len(shape) == 3 else index).ravel()


def joints(network: NirNetwork, way: Way, dt: float) -> list[Joint]:
    """The synapses that a way comes down to.

    Parameters
    ----------
    network : NirNetwork
        The network.
    way : Way
        From a population to one.
    dt : float
        The time step (s).

    Raises
    ------
    ConversionError
        If a delay is no multiple of the time step, or synapses would be too many.
    """
    shifts = delayed(network, way, dt)
    chains: list[tuple[int, list[Node]]] = [(0, [])]
    for name in way.through:
        node = network.nodes[name]
        if not isinstance(node, Delay):
            chains = [(lag, [*chain, node]) for lag, chain in chains]
            continue
        steps = shifts[name]
        different = np.unique(steps)
        if len(chains) * len(different) > MOST_DELAYS:
            where = f"Node {name!r} (Delay)"
            raise ConversionError(field_error(where, f"at most {MOST_DELAYS} different delays", len(different)))
        # Values with different delays go ways of their own, each without the others.
        chains = [
            (lag + int(k), chain if len(different) == 1 else [*chain, Scale(scale=(steps == k).astype(float))])
            for lag, chain in chains
            for k in different
        ]
    ends = network.shapes[way.source], network.shapes[way.target]
    found = [_joint(chain, *ends, lag) for lag, chain in chains]
    return [joint for joint in found if joint is not None]


def _joint(chain: Sequence[Node], source: Shape, target: Shape, lag: int) -> Joint | None:
    factor, rest = 1.0, []
    for node in chain:
        if isinstance(node, Scale) and np.ptp(node.scale) == 0:
            factor *= float(node.scale.flat[0])
        elif not isinstance(node, Flatten):
            rest.append(node)
    of, to = neuron_order(source), neuron_order(target)
    in_place = np.array_equal(of, to)
    if not rest and in_place:
        return Joint(np.asarray(factor), OneToOne(), lag=lag)
    if len(rest) == 1 and isinstance(rest[0], Scale) and in_place:
        return Joint(factor * rest[0].scale.ravel()[of], OneToOne(), lag=lag)
    if sum(isinstance(node, Linear) for node in rest) == 1 and all(isinstance(node, Linear | Scale) for node in rest):
        return Joint(factor * _dense(rest)[to][:, of].T, Dense(), lag=lag)
    if len(rest) == 1 and len(target) == 3 and rest[0].fit(source) == target:
        return Joint(*_window(rest[0], source, factor), lag=lag)
    return _table(chain, source, (of, to), lag)


def _dense(nodes: Sequence[Node]) -> Numbers:
    """The weights (out, in) of one linear node with scales before or after it."""
    place = next(k for k, node in enumerate(nodes) if isinstance(node, Linear))
    weight = np.array(nodes[place].weight, np.float64)  # type: ignore[attr-defined]
    for k, node in enumerate(nodes):
        if isinstance(node, Scale):
            weight *= node.scale.ravel()[None, :] if k < place else node.scale.ravel()[:, None]
    return weight


def _window(node: Node, source: Shape, factor: float) -> tuple[Numbers, Kind]:
    channels, rows, columns = source
    if isinstance(node, Conv2d):
        top, left, bottom, right = node.sides
        kernel = (node.weight.shape[2], node.weight.shape[3])
        margins = ((top, bottom), (left, right))
        size = (rows, columns, channels)
        kind = Conv2D(size, len(node.weight), kernel, node.stride, margins, node.dilation, node.groups)
        return factor * np.asarray(node.weight, np.float64).transpose(2, 3, 1, 0), kind
    assert isinstance(node, SumPool2d)
    share = 1.0 / math.prod(node.kernel_size) if isinstance(node, AvgPool2d) else 1.0
    return np.asarray(factor * share), Pool2D((rows, columns, channels), node.kernel_size, node.stride, node.padding)


def _table(
    chain: Sequence[Node], shape: Shape, order: tuple[NDArray[np.int64], NDArray[np.int64]], lag: int
) -> Joint | None:
    """Several nodes in a row, multiplied into one matrix: its entries are the synapses."""
    product = None
    for node in chain:
        step = matrix(node, shape)
        shape = node.fit(shape)
        if product is not None:
            work = int(np.bincount(step.indices, minlength=step.shape[1]) @ np.diff(product.indptr).astype(np.int64))
            if work > 8 * MOST_ENTRIES:
                do = "Put neurons between nodes without memory, or leave one out."
                raise ConversionError(
                    field_error(f"{node.kind} behind others", f"at most {8 * MOST_ENTRIES} products", work, do)
                )
            step = step @ product
        product = step
    if product is None:  # a change of order alone
        product = csr_array(eye_array(len(order[0])))
    size = math.prod(product.shape)
    # A projection can forget what is on its way.
    if (lag or 3 * product.nnz > size) and size <= MOST_VALUES:
        return Joint(product.toarray()[order[1]][:, order[0]].T, Dense(), lag=lag)
    if lag:
        raise ConversionError(field_error("A Delay beside other nodes", f"at most {MOST_VALUES} synapses", size))
    entries = product.tocoo()
    if not entries.nnz:
        return None
    places = np.argsort(order[0])[entries.col], np.argsort(order[1])[entries.row]
    return Joint(entries.data, pairs=places, lag=lag)
