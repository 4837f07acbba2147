"""Kinds of connectivity, their synapses listed one by one, and a network that joins two layers by them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pytest
from brian2 import Network, NeuronGroup, SpikeGeneratorGroup, Synapses, TimedArray, ms
from numpy.typing import NDArray
from ring import Ring

import biosnn
from biosnn import Conv2D, Dense, Lateral, OneToOne, Pool2D, Projection, Shortcut, Sparse

DT = 1 * ms
STEPS = 25
TARGETS: list[Any] = ["numpy", pytest.param("cython", marks=pytest.mark.slow), "cpp"]
Synapse = tuple[int, int, int]
"""Index of the source neuron, of the target neuron, and of the weight."""


def pair(number: Any) -> tuple[int, int]:
    return number if isinstance(number, tuple) else (number, number)


def listed(kind: Any, n_source: int, n_target: int) -> Iterator[Synapse]:
    """All synapses of a kind, worked out from its description by loops over everything."""
    if isinstance(kind, Dense):
        yield from ((i, j, i * n_target + j) for i in range(n_source) for j in range(n_target))
    elif isinstance(kind, OneToOne):
        yield from ((i, i, i) for i in range(n_source))
    elif isinstance(kind, Ring):
        yield from ((i, (i + 1 + k) % n_target, i * kind.width + k) for i in range(n_source) for k in range(kind.width))
    elif isinstance(kind, Lateral):
        yield from ((i, j, 0) for i in range(n_source) for j in range(n_target) if i != j)
    elif isinstance(kind, Sparse):
        number = np.arange(len(kind.indices)) if kind.order is None else kind.order
        for i in range(n_source):
            yield from ((i, int(kind.indices[k]), int(number[k])) for k in range(kind.indptr[i], kind.indptr[i + 1]))
    elif isinstance(kind, Shortcut):
        (rows, columns, inner), (outer) = kind.output, kind.input[2]
        down, right = pair(kind.stride)
        for y, x, c in np.ndindex(rows, columns, outer):
            source = np.ravel_multi_index((y * down, x * right, c), kind.input)
            yield int(source), int(np.ravel_multi_index((y, x, c + (inner - outer) // 2), kind.output)), 0
    else:
        yield from _in_windows(kind)


def _in_windows(kind: Any) -> Iterator[Synapse]:
    convolves = isinstance(kind, Conv2D)
    (rows, columns), groups = pair(kind.kernel), kind.groups if convolves else kind.input[2]
    stride = pair(kind.kernel if kind.stride is None else kind.stride)
    apart = pair(kind.dilation) if convolves else (1, 1)
    top, left = kind.windows.before
    inner, outer = kind.input[2] // groups, kind.output[2] // groups
    for y, x, c in np.ndindex(*kind.output):
        for a, b, k in np.ndindex(rows, columns, inner):
            row, column = y * stride[0] - top + a * apart[0], x * stride[1] - left + b * apart[1]
            if 0 <= row < kind.input[0] and 0 <= column < kind.input[1]:
                source = np.ravel_multi_index((row, column, c // outer * inner + k), kind.input)
                weight = ((a * columns + b) * inner + k) * kind.output[2] + c if convolves else 0
                yield int(source), int(np.ravel_multi_index((y, x, c), kind.output)), weight


def sizes(kind: Any) -> tuple[int, int]:
    if hasattr(kind, "input"):
        return int(np.prod(kind.input)), int(np.prod(kind.output))
    if isinstance(kind, Sparse):
        return kind.shape
    return (4, 4) if isinstance(kind, OneToOne | Lateral | Ring) else (4, 3)


def random_weights(kind: Any, seed: int = 0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).uniform(-1, 1, kind.fit(*sizes(kind)).shape)


def spikes(n: int, seed: int, p: float = 0.2) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Steps and neurons, in order."""
    steps, neurons = np.nonzero(np.random.default_rng(seed).random((STEPS, n)) < p)
    return steps, neurons


def driven(n: int, seed: int, name: str) -> tuple[Any, list[Any]]:
    """A group that spikes when a generator says so, one step later."""
    steps, neurons = spikes(n, seed)
    generator = SpikeGeneratorGroup(n, neurons, steps * DT, name=f"{name}_drive")
    group = NeuronGroup(n, "x : 1\ny : 1\nfire : 1", threshold="fire > 0", reset="fire -= 1", namespace={}, name=name)
    trigger = Synapses(generator, group, on_pre="fire_post += 1", namespace={}, name=f"{name}_trigger")
    trigger.connect("i == j")
    return group, [generator, group, trigger]


def firing(n: int, seed: int, name: str) -> NeuronGroup:
    """A group that spikes as one that is `driven`, but for a step; of generated code it needs a condition only."""
    steps, neurons = spikes(n, seed)
    raster = np.zeros((STEPS, n))
    raster[steps, neurons] = 1
    known = {f"{name}_raster": TimedArray(raster, dt=DT, name=f"{name}_raster")}
    return NeuronGroup(n, "x : 1\ny : 1", threshold=f"{name}_raster(t, i) > 0", reset="", namespace=known, name=name)


def simulate(
    target: str, kind: Any, join: Callable[..., Any], precision: str = "float64", seed: int = 5, **kwds: Any
) -> Any:
    """What arrives at each target neuron, and the weights at the end."""
    return simulate_all(target, {"": (kind, kwds)}, join, precision, seed)[""]


def simulate_all(
    target: str,
    cases: Mapping[str, tuple[Any, Mapping[str, Any]]],
    join: Callable[..., Any],
    precision: str = "float64",
    seed: int = 5,
) -> dict[str, Any]:
    """As `simulate`, of many kinds, each with statements of its own, in one program, which is built once."""
    with biosnn.session(target, seed=1, dt=DT, precision=precision) as sim:
        everything, found = [], {}
        for number, (name, (kind, kwds)) in enumerate(cases.items()):
            source = firing(sizes(kind)[0], seed, f"source_{number}")
            group = firing(sizes(kind)[1], seed + 1, f"target_{number}")
            projection = join(source, group, kind, random_weights(kind, seed), name=f"projection_{number}", **kwds)
            everything += [source, group, projection]
            found[name] = group, projection
        sim.run(Network(*everything), STEPS * DT)
        return {name: (np.array(group.x[:]), weights_of(made)) for name, (group, made) in found.items()}


def weights_of(made: Any) -> NDArray[np.float64]:
    return np.array(made["w"] if isinstance(made, Projection) else made.w[:]).ravel()


def by_synapses(source: Any, target: Any, kind: Any, weights: Any, **kwds: Any) -> Synapses:
    found = np.array(list(listed(kind, len(source), len(target))))
    joint = Synapses(source, target, "w : 1", namespace={}, **kwds)
    joint.connect(i=found[:, 0], j=found[:, 1])
    joint.w = np.ravel(weights)[found[:, 2]]
    return joint


def by_projection(source: Any, target: Any, kind: Any, weights: Any, **kwds: Any) -> Projection:
    return Projection(source, target, kind, weights, **kwds)


KINDS = {
    "dense": Dense(),
    "one to one": OneToOne(),
    "lateral": Lateral(),
    "convolution": Conv2D((5, 4, 2), 3, padding=1),
    "a convolution with everything": Conv2D((6, 7, 4), 6, (3, 2), (2, 1), ((1, 0), (2, 1)), (1, 3), 2),
    "depthwise": Conv2D((4, 4, 3), 3, 2, 2, groups=3),
    "one pixel": Conv2D((1, 1, 3), 2, 1),
    "average": Pool2D((4, 6, 2), (2, 3)),
    "overlapping average": Pool2D((5, 5, 2), 3, 2, 1),
    "identity": Shortcut((3, 2, 2)),
    "shortcut": Shortcut((5, 4, 2), 5, 2),
    "a list": Sparse((5, 4), np.array([0, 2, 2, 3, 6, 7]), np.array([0, 3, 1, 0, 1, 2, 3])),
    "pairs": Sparse.pairs([3, 0, 3, 1, 0, 3, 0], [2, 3, 0, 1, 3, 2, 0], shape=(5, 4)),  # two of them twice
    "a kind of one's own": Ring(2),
}
