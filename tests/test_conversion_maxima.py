"""Max pooling finds its ReLU wherever the two give the same values in another order; else it is refused with advice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conversion_networks import convolution, linear

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

import biosnn
from biosnn.ann import Add, AveragePool, Concat, Graph, Input, Layer, MaxPool, Relu, Scale, Select, reference
from biosnn.conversion.populations import population_network
from biosnn.errors import ConversionError

RNG = np.random.default_rng(4)


def pool(name: str, source: str, **more: Any) -> MaxPool:
    return MaxPool(name=name, inputs=(source,), **{"kernel": (2, 2), "stride": (2, 2), **more})


def scale(name: str, source: str, gain: Any, channels: int = 4) -> Scale:
    weight = np.broadcast_to(np.asarray(gain, float), channels).reshape(-1, 1, 1)
    return Scale(name=name, inputs=(source,), weight=weight, bias=RNG.normal(size=(channels, 1, 1)) * 0.3)


def relu(name: str, source: str, **more: Any) -> Relu:
    return Relu(name=name, inputs=(source,), **more)


def conv(name: str, source: str, inner: int = 4) -> Layer:
    return convolution(RNG, name, source, inner, 4)


def bordered(name: str, source: str, sides: tuple[int, int, int, int] = (1, 0, 0, 1)) -> Select:
    top, left, bottom, right = sides
    numbers = np.arange(4 * 8 * 8).reshape(4, 8, 8)
    around = ((0, 0), (top, bottom), (left, right))
    return Select(name=name, inputs=(source,), source=np.pad(numbers, around, constant_values=-1))


GAINS = RNG.uniform(0.5, 2, 4)
START = (conv("c", "x", 3), relu("r", "c"))
OTHER = (conv("d", "x", 3), relu("q", "d"))
TURNED = np.arange(4 * 8 * 8).reshape(4, 8, 8)[[2, 0, 3, 1]]
# Which layers lead from the input to the last of them, and how many populations spike then.
CASES: dict[str, tuple[tuple[Layer, ...], int]] = {
    "relu, norm": ((*START, scale("s", "r", GAINS), pool("m", "s")), 2),
    "relu, norm with a factor of zero": ((*START, scale("s", "r", [1, 0, 2, 0.5]), pool("m", "s")), 2),
    "relu, norm, overlapping with padding": (
        (*START, scale("s", "r", GAINS), pool("m", "s", kernel=(3, 3), padding=(1, 1, 1, 1))),
        2,
    ),
    "relu, padding": ((*START, bordered("z", "r"), pool("m", "z", kernel=(3, 3))), 2),
    "relu, much padding": ((*START, bordered("z", "r", (3, 3, 3, 3)), pool("m", "z")), 3),
    "relu, other order of channels": ((*START, Select(name="t", inputs=("r",), source=TURNED), pool("m", "t")), 2),
    "relu, part of the image": (
        (*START, Select(name="t", inputs=("r",), source=TURNED[:, 1:, :7]), pool("m", "t")),
        3,
    ),
    "relu, pooled, pooled": ((*START, pool("n", "r"), pool("m", "n")), 3),
    "relu, pooled, norm, pooled": ((*START, pool("n", "r"), scale("s", "n", GAINS), pool("m", "s")), 3),
    "relu, mean, pooled": (
        (*START, AveragePool(name="a", inputs=("r",), kernel=(3, 3)), pool("m", "a")),
        3,
    ),
    "relus, joined": ((*START, *OTHER, Concat(name="j", inputs=("r", "q")), pool("m", "j")), 4),
    "relus, added": ((*START, *OTHER, Add(name="j", inputs=("r", "q")), pool("m", "j")), 4),
    "joined, pooled, relu": (
        (*START[:1], *OTHER[:1], Concat(name="j", inputs=("c", "d")), pool("n", "j"), relu("m", "n")),
        2,
    ),
    "pooled, joined, relu": (
        (
            *START[:1],
            *OTHER[:1],
            pool("n", "c"),
            pool("o", "d"),
            Concat(name="j", inputs=("n", "o")),
            relu("m", "j", most=0.7),
        ),
        4,
    ),
    "pooled, norm, relu": ((START[0], pool("n", "c"), scale("s", "n", GAINS), relu("m", "s")), 2),
    "pooled, pooled, relu": ((START[0], pool("n", "c"), pool("o", "n"), relu("m", "o")), 3),
    "joined, norm, pooled": (
        (*START, *OTHER, Concat(name="j", inputs=("r", "q")), scale("s", "j", 1.5, 8), pool("m", "s")),
        4,
    ),
    "added, pooled, norm, relu": (
        (*START, conv("d", "r"), Add(name="a", inputs=("r", "d")), pool("n", "a"), scale("s", "n", 2), relu("m", "s")),
        3,
    ),
}


def network(layers: tuple[Layer, ...]) -> Graph:
    entrance = Input(name="x", shape=(3, 8, 8))
    size = Graph((entrance, *layers), output=layers[-1].name)[layers[-1].name].neurons
    return Graph((entrance, *layers, linear(RNG, "y", layers[-1].name, size, 3)), output="y")


@pytest.mark.parametrize("case", CASES)
def test_max_pooling_reads_spikes(case: str) -> None:
    layers, populations = CASES[case]
    graph = network(layers)
    populated = population_network(graph)
    assert len(populated.hidden) == populations
    images = RNG.normal(size=(4, 3, 8, 8)).astype(np.float32)
    found, expected = (reference(of, threads=1).outputs(images) for of in (populated.graph, graph))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    for population in populated.populations:
        if population.kind == "maximum":
            assert isinstance(populated.graph[population.paths[0].source], Relu | MaxPool)


@pytest.mark.parametrize("case", ["relu, norm", "relu, padding", "relus, joined"])
def test_what_was_pooled_elsewhere_spikes_as_the_ann_says(case: str) -> None:
    graph = network(CASES[case][0])
    images = np.random.default_rng(2).random((12, 3, 8, 8)).astype(np.float32)
    snn = biosnn.convert(graph, images)
    outcome = snn.run(images[:2], T=40, target="numpy")
    expected = reference(graph).outputs(images[:2])
    spread = np.ptp(reference(graph).outputs(images))
    np.testing.assert_allclose(outcome.potentials[:, -1] / 40, expected, atol=0.08 * spread)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (
            (*START, scale("s", "r", [1, -1, 2, -0.1]), pool("m", "s")),
            r"Layer 'm' .*factor is negative in 2 channels, the first 1.*before this normalisation",
        ),
        ((START[0], pool("m", "c"), conv("e", "m"), relu("q", "e")), r"Layer 'm' .*got .*Layer 'c'.*right behind it"),
        ((pool("m", "x"), conv("e", "m", 3), relu("q", "e")), r"Layer 'm' .*pool the images themselves"),
    ],
)
def test_what_has_no_spikes_to_pool_is_refused_with_advice(layers: tuple[Layer, ...], message: str) -> None:
    with pytest.raises(ConversionError, match=message):
        population_network(network(layers))
