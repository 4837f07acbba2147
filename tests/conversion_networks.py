"""Small networks to convert, by hand and at random."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import strategies as st

from biosnn.ann import Add, AveragePool, Concat, Convolution, Graph, Input, Layer, Linear, MaxPool, Relu, Scale, Select


def convolution(rng: np.random.Generator, name: str, source: str, inner: int, outer: int, **more: Any) -> Convolution:
    """A convolution with a kernel of 3 by 3 pixels at random."""
    groups = more.get("groups", 1)
    weight = rng.normal(size=(outer, inner // groups, *more.pop("kernel", (3, 3)))) / np.sqrt(4.5 * inner)
    more.setdefault("padding", (1, 1, 1, 1))
    return Convolution(name=name, inputs=(source,), weight=weight, bias=rng.normal(size=outer) * 0.1, **more)


def linear(rng: np.random.Generator, name: str, source: str, inner: int, outer: int) -> Linear:
    """All to all at random."""
    weight = rng.normal(size=(outer, inner)) * np.sqrt(2 / inner)
    return Linear(name=name, inputs=(source,), weight=weight, bias=rng.normal(size=outer) * 0.1)


def chain(*widths: int, seed: int = 0) -> Graph:
    """Linear layers with ReLUs between them."""
    rng = np.random.default_rng(seed)
    layers: list[Layer] = [Input(name="x", shape=(widths[0],))]
    for number, (inner, outer) in enumerate(pairwise(widths), 1):
        layers.append(linear(rng, f"sum{number}", layers[-1].name, inner, outer))
        if number < len(widths) - 1:
            layers.append(Relu(name=f"relu{number}", inputs=(f"sum{number}",)))
    return Graph(tuple(layers), output=layers[-1].name)


def residual(seed: int = 0) -> Graph:
    """Convolutions, a shortcut past one of them, a shortcut of option A, average pooling, a linear output."""
    rng = np.random.default_rng(seed)
    source = np.full((4, 3, 3), -1)
    source[1:3] = np.arange(2 * 6 * 6).reshape(2, 6, 6)[:, ::2, ::2]
    layers = (
        Input(name="x", shape=(1, 6, 6)),
        convolution(rng, "c1", "x", 1, 2),
        Relu(name="r1", inputs=("c1",)),
        convolution(rng, "c2", "r1", 2, 2),
        Add(name="a2", inputs=("c2", "r1")),
        Relu(name="r2", inputs=("a2",)),
        convolution(rng, "c3", "r2", 2, 4, stride=(2, 2)),
        Select(name="s3", inputs=("r2",), source=source),
        Add(name="a3", inputs=("c3", "s3")),
        Relu(name="r3", inputs=("a3",)),
        AveragePool(name="p", inputs=("r3",), kernel=(3, 3), stride=(3, 3)),
        linear(rng, "y", "p", 4, 3),
    )
    return Graph(layers, output="y")


def pooled(seed: int = 0) -> Graph:
    """A convolution, max pooling before its ReLU, as some write it, and a linear output."""
    rng = np.random.default_rng(seed)
    layers = (
        Input(name="x", shape=(1, 6, 6)),
        convolution(rng, "c1", "x", 1, 3),
        MaxPool(name="m", inputs=("c1",), kernel=(3, 3), stride=(2, 2), padding=(1, 1, 1, 1)),
        Relu(name="r1", inputs=("m",)),
        convolution(rng, "c2", "r1", 3, 4),
        Relu(name="r2", inputs=("c2",)),
        linear(rng, "y", "r2", 36, 3),
    )
    return Graph(layers, output="y")


@st.composite
def graphs(draw: Any) -> Graph:
    """Networks at random: convolutions of all kinds, pooling, shortcuts, branches that are joined, scales, biases."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    channels, side = draw(st.sampled_from([1, 2, 4])), draw(st.integers(5, 7))
    layers: list[Layer] = [Input(name="x", shape=(channels, side, side))]
    last, shape = "x", (channels, side, side)
    for number in range(draw(st.integers(1, 3))):
        block = draw(st.sampled_from(["plain", "residual", "branches", "pooled", "scaled", "bare"]))
        made, last = _block(draw, rng, block, f"b{number}", last, shape)
        layers += made
        shape = Graph(tuple(layers), output=last)[last].shape
        layers.append(Relu(name=f"relu{number}", inputs=(last,)))
        last = f"relu{number}"
        if min(shape[1:]) < 4:
            break
    layers.append(linear(rng, "y", last, int(np.prod(shape)), 3))
    return Graph(tuple(layers), output="y")


def _block(
    draw: Any, rng: np.random.Generator, kind: str, name: str, source: str, shape: Any
) -> tuple[list[Layer], str]:
    channels = shape[0]
    groups = draw(st.sampled_from([g for g in (1, 2) if channels % g == 0]))
    more = {
        "stride": draw(st.sampled_from([(1, 1), (2, 1), (2, 2)])),
        "padding": draw(st.sampled_from([(0, 0, 0, 0), (1, 1, 1, 1), (1, 0, 0, 1)])),
        "groups": groups,
        "kernel": draw(st.sampled_from([(1, 1), (2, 3), (3, 3)])),
    }
    outer = 2 * groups
    if kind == "residual":
        conv = convolution(rng, f"{name}c", source, channels, channels, groups=groups)
        return [conv, Add(name=f"{name}a", inputs=(f"{name}c", source))], f"{name}a"
    if kind == "branches":
        one, two = (convolution(rng, f"{name}{k}", source, channels, 2) for k in "pq")
        rectified = [Relu(name=f"{name}r{k}", inputs=(f"{name}{k}",)) for k in "pq"]
        joined = Concat(name=f"{name}j", inputs=(f"{name}rp", f"{name}rq", source))
        after = convolution(rng, f"{name}c", f"{name}j", 4 + channels, 2)
        return [one, two, *rectified, joined, after], f"{name}c"
    if kind == "pooled":
        size = draw(st.sampled_from([(2, 2), (3, 3)]))
        step = draw(st.sampled_from([size, (2, 2)]))
        padding = draw(st.sampled_from([(0, 0, 0, 0), (1, 1, 1, 1)]))
        counts = draw(st.booleans())
        pool = AveragePool(
            name=f"{name}p", inputs=(source,), kernel=size, stride=step, padding=padding, counts_padding=counts
        )
        after = convolution(rng, f"{name}c", f"{name}p", channels, 2, padding=(1, 1, 1, 1))
        return [pool, after], f"{name}c"
    conv = convolution(rng, f"{name}c", source, channels, outer, **more)
    if kind == "scaled":
        scale = Scale(
            name=f"{name}s",
            inputs=(f"{name}c",),
            weight=rng.uniform(0.5, 1.5, (outer, 1, 1)),
            bias=rng.normal(size=(outer, 1, 1)) * 0.1,
        )
        return [conv, scale], f"{name}s"
    if kind == "bare":  # no ReLU between two convolutions
        return [conv, convolution(rng, f"{name}d", f"{name}c", outer, 2)], f"{name}d"
    return [conv], f"{name}c"
