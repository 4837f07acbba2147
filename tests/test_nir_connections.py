"""What lies between neurons of NIR, as layers and as synapses, against equations written out in nir_reference.py."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nir_reference import mapped
from numpy.typing import NDArray

from biosnn.ann import affine
from biosnn.ann.connections import order
from biosnn.errors import ConversionError
from biosnn.nir import NirNetwork
from biosnn.nir import connections as between
from biosnn.nir.connections import connections, constants, through
from biosnn.nir.kinds import (
    IF,
    Affine,
    AvgPool2d,
    Conv2d,
    Delay,
    Flatten,
    Input,
    Linear,
    Node,
    Output,
    Scale,
    SumPool2d,
)
from biosnn.nir.network import LinearPath
from biosnn.projection import Conv2D, Dense, OneToOne, Sparse

DT, STEPS = 1e-3, 12
Values = NDArray[np.float64]
Shape = tuple[int, ...]


@st.composite
def chains(draw: Any) -> tuple[Shape, list[Node]]:
    """The shape of a population, and nodes without memory one behind the other, of all kinds and with delays."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    shape = source = (draw(st.sampled_from([1, 2, 4])), draw(st.integers(4, 7)), draw(st.integers(4, 7)))
    nodes: list[Node] = []
    for kind in draw(st.lists(st.sampled_from(["conv", "sum", "mean", "scale", "delay", "flat", "all"]), max_size=4)):
        node = _node(draw, rng, kind, shape)
        try:
            shape = node.fit(shape)
        except ConversionError:  # a kernel that is larger than what is left, or vectors where images are expected
            continue
        nodes.append(node)
    return source, nodes


def _node(draw: Any, rng: np.random.Generator, kind: str, shape: Shape) -> Node:
    def pair(*values: int) -> tuple[int, int]:
        return draw(st.sampled_from(values)), draw(st.sampled_from(values))

    if kind == "scale":
        factors = rng.normal(size=tuple(draw(st.sampled_from([1, n])) for n in shape))
        return Scale(scale=np.broadcast_to(factors, shape))
    if kind == "delay":
        return Delay(delay=rng.integers(0, draw(st.sampled_from([1, 3])), shape) * DT)
    if kind in ("sum", "mean"):
        windows = {"kernel_size": pair(2, 3), "stride": pair(1, 2, 3), "padding": pair(0, 1)}
        return SumPool2d(**windows) if kind == "sum" else AvgPool2d(**windows)
    if kind == "flat":
        return Flatten(start_dim=0)
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    if kind == "all":
        weight = rng.normal(size=(3, int(np.prod(shape)))).astype(dtype)
        return draw(st.sampled_from([Linear(weight=weight), Affine(weight=weight, bias=rng.normal(size=3))]))
    groups = draw(st.sampled_from([g for g in (1, 2) if shape[0] % g == 0]))
    weight = rng.normal(size=(2 * groups, shape[0] // groups, *pair(1, 2, 3))).astype(dtype)
    more: dict[str, Any] = {"bias": rng.normal(size=2 * groups), "dilation": pair(1, 2), "groups": groups}
    if draw(st.booleans()):
        return Conv2d(weight=weight, padding="same", **more)
    return Conv2d(weight=weight, padding=pair(0, 1, 2), stride=pair(1, 2), **more)


def network_of(source: Shape, nodes: list[Node]) -> tuple[NirNetwork, LinearPath]:
    shape = source
    for node in nodes:
        shape = node.fit(shape)
    ends = {"input": Input(shape=source), "one": IF(r=np.ones(source), v_threshold=1.0)}
    last = {"other": IF(r=np.ones(shape), v_threshold=1.0), "output": Output(shape=shape)}
    names = {f"n{number}": node for number, node in enumerate(nodes)}
    network = NirNetwork(ends | names | last, tuple(pairwise(ends | names | last)))
    return network, next(path for path in network.paths if path.source == "one")


def written_out(nodes: list[Node], values: Values) -> Values:
    for node in nodes:
        if isinstance(node, Delay):
            late = np.round(node.delay / DT).astype(int)
            past = np.zeros_like(values)
            for place in np.ndindex(*late.shape):
                past[(slice(late[place], None), *place)] = values[(slice(0, STEPS - late[place]), *place)]
            values = past
        else:
            values = np.array([mapped(node, value) for value in values])
    return values


def by_synapses(network: NirNetwork, path: LinearPath, values: Values) -> Values:
    source, target = network.shapes[path.source], network.shapes[path.target]
    found = np.zeros((STEPS, int(np.prod(target))))
    sent = values.reshape(STEPS, -1)[:, order(source)]
    for lag, connection in connections(network, path, DT):
        fit = connection.kind.fit(sent.shape[1], found.shape[1])
        for i in range(sent.shape[1]):
            weights, targets = fit.outgoing(i)
            found[lag:, targets] += sent[: STEPS - lag, i, None] * connection.weights.ravel()[weights]
    back = np.empty_like(found)
    back[:, order(target)] = found
    return back.reshape(STEPS, *target)


@given(made=chains())
@settings(max_examples=150, deadline=None)
def test_layers_and_synapses_give_the_sums_of_the_nodes(made: tuple[Shape, list[Node]]) -> None:
    source, nodes = made
    network, path = network_of(source, nodes)
    values = np.random.default_rng(1).normal(size=(STEPS, *source))
    biases = written_out(nodes, np.zeros_like(values))
    expected = written_out(nodes, values) - biases
    np.testing.assert_allclose(through(network, path, values, DT), expected, rtol=0, atol=1e-11)
    np.testing.assert_allclose(by_synapses(network, path, values), expected, rtol=0, atol=1e-11)
    constant = constants(network).get("other", np.zeros(expected.shape[1:]))
    np.testing.assert_allclose(constant, biases[-1], rtol=0, atol=1e-11)  # behind all delays


def test_long_inputs_are_mapped_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    conv = Conv2d(weight=np.random.default_rng(0).normal(size=(4, 1, 3, 3)), bias=np.zeros(4), groups=2)
    network, path = network_of((2, 6, 5), [conv])
    values = np.random.default_rng(1).normal(size=(STEPS, 2, 6, 5))
    lengths: list[int] = []

    def forward(layer: Any, inputs: list[Values], bias: bool) -> Values:
        lengths.append(len(inputs[0]))
        return affine.forward(layer, inputs, bias)

    monkeypatch.setattr(between, "forward", forward)
    monkeypatch.setattr(between, "MOST_SEEN", 2 * 9 * 4 * 3 * 5)  # channels, taps and places of five steps
    np.testing.assert_allclose(through(network, path, values, DT), written_out([conv], values), rtol=0, atol=1e-12)
    assert lengths == [4, 4, 4]


def kinds_between(source: Shape, *nodes: Node) -> list[type]:
    return [type(found.kind) for _, found in connections(*network_of(source, list(nodes)), DT)]


def test_rules_stay_rules() -> None:
    rng = np.random.default_rng(0)
    pool, conv = SumPool2d(kernel_size=2, stride=2), Conv2d(weight=rng.normal(size=(3, 2, 3, 3)), bias=np.zeros(3))
    pad = Conv2d(weight=conv.weight, bias=conv.bias, padding=1)
    image = (2, 8, 8)
    assert kinds_between(image) == [OneToOne]
    assert kinds_between(image, Scale(scale=rng.random(image))) == [OneToOne]
    assert kinds_between(image, pool) == [Sparse]
    assert kinds_between(image, pool, pad) == kinds_between((2, 9, 8), pool, conv) == [Conv2D]
    assert kinds_between((2, 9, 8), pool, pad) == [Dense]  # the ninth row is left out, and its place is zero
    assert kinds_between(image, Flatten(start_dim=0), Linear(weight=rng.normal(size=(5, 128)))) == [Dense]
    assert kinds_between(image, Scale(scale=np.zeros(image))) == []
    network, path = network_of(image, [pool, conv])
    ((_, found),) = connections(network, path, DT)
    assert found.weights.shape == (6, 6, 2, 3)
    assert found.weights.dtype == np.float64


def test_whole_numbers_stay_whole() -> None:
    """Sums of windows of 49 spikes: a threshold that they just reach is reached."""
    network, path = network_of((1, 7, 7), [SumPool2d(kernel_size=7, stride=7)])
    assert through(network, path, np.ones((STEPS, 1, 7, 7)), DT).tolist() == np.full((STEPS, 1, 1, 1), 49.0).tolist()
    assert by_synapses(network, path, np.ones((STEPS, 1, 7, 7))).tolist() == np.full((STEPS, 1, 1, 1), 49.0).tolist()
