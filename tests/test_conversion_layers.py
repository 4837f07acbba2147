"""A graph is checked when it is made, and rules leave fewer layers that compute the same. No ONNX is needed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from biosnn.ann.graph import Graph, in_order
from biosnn.ann.images import check_images
from biosnn.ann.layers import Add, AveragePool, Concat, Convolution, Input, Layer, Linear, MaxPool, Relu, Scale, Select
from biosnn.ann.simplify import simplified
from biosnn.errors import ConversionError

X = Input(name="x", shape=(3, 8, 8))


def conv(name: str = "c", source: str = "x", **fields: Any) -> Convolution:
    return Convolution(name=name, inputs=(source,), **{"weight": np.ones((4, 3, 3, 3)), "bias": np.ones(4)} | fields)


def relu(name: str, source: str) -> Relu:
    return Relu(name=name, inputs=(source,))


def test_layers_are_put_in_order_and_given_their_shapes() -> None:
    linear = Linear(name="y", inputs=("r",), weight=np.ones((10, 4 * 36)), bias=np.zeros(10))
    graph = Graph((linear, relu("r", "c"), conv(), X), "y")
    assert [layer.name for layer in graph.layers] == ["x", "c", "r", "y"]
    assert [layer.shape for layer in graph.layers] == [(3, 8, 8), (4, 6, 6), (4, 6, 6), (10,)]
    assert graph.input is graph["x"]
    assert graph.readers("c") == [graph["r"]]
    assert graph.macs == {"x": 0, "c": 4 * 36 * 27, "r": 0, "y": 1440}
    assert graph.neurons == {"x": 192, "c": 144, "r": 144, "y": 10}
    assert str(graph).splitlines()[1] == "c  Convolution  4 x 6 x 6"


SHAPES: dict[str, tuple[Layer, tuple[int, ...]]] = {
    "stride and padding": (conv(stride=(2, 3), padding=(1, 0, 0, 2)), (4, 4, 3)),
    "dilation": (conv(dilation=(2, 3)), (4, 4, 2)),
    "groups": (conv(weight=np.ones((6, 1, 3, 3)), bias=np.ones(6), groups=3), (6, 6, 6)),
    "average": (AveragePool(name="c", inputs=("x",), kernel=(3, 2), stride=(2, 2)), (3, 3, 4)),
    "max": (MaxPool(name="c", inputs=("x",), kernel=(3, 3), stride=(2, 2), padding=(1, 1, 1, 1)), (3, 4, 4)),
    "add": (Add(name="c", inputs=("x", "x")), (3, 8, 8)),
    "concat": (Concat(name="c", inputs=("x", "x"), axis=0), (6, 8, 8)),
    "scale": (Scale(name="c", inputs=("x",), weight=np.ones((3, 1, 1)), bias=np.ones((1, 8, 8))), (3, 8, 8)),
    "select": (Select(name="c", inputs=("x",), source=np.array([[-1, 191]])), (1, 2)),
}


@pytest.mark.parametrize("case", SHAPES)
def test_the_shape_follows_from_the_input(case: str) -> None:
    layer, shape = SHAPES[case]
    assert Graph((X, layer), "c")["c"].shape == shape


NAN = np.full((4, 3, 3, 3), np.nan)
REFUSED: dict[str, tuple[Any, str]] = {
    "NaN": (lambda: conv(weight=NAN), r"'c' \(Convolution\) weight: expected finite.*108 NaN"),
    "beyond float32": (lambda: conv(bias=np.full(4, 1e300)), r"bias: expected finite.*4 NaN or infinite"),
    "texts": (lambda: conv(bias=np.array(["a"] * 4)), r"bias: expected 1 to \d+ numbers"),
    "weight of three axes": (lambda: conv(weight=np.ones((4, 3, 3))), r"weight: expected 4 axes"),
    "bias of another length": (lambda: conv(bias=np.ones(3)), r"bias: expected the shape \(4,\)"),
    "groups": (lambda: conv(groups=3), r"groups: expected a divisor"),
    "stride": (lambda: conv(stride=(0, 1)), r"stride: expected 2 whole numbers, at least 1"),
    "padding": (lambda: conv(padding=(0, 0, 0, -1)), r"padding: expected 4 whole numbers"),
    "channels": (lambda: Graph((Input(name="x", shape=(4, 8, 8)), conv()), "c"), r"an input of 3 channels.*first"),
    "too small": (lambda: Graph((Input(name="x", shape=(3, 2, 8)), conv()), "c"), r"at least as large as the kernel"),
    "no image": (lambda: Graph((Input(name="x", shape=(3,)), conv()), "c"), r"channels, height, width"),
    "linear": (
        lambda: Graph((X, Linear(name="y", inputs=("x",), weight=np.ones((2, 3)), bias=np.ones(2))), "y"),
        r"an input of 3 values.*\(3, 8, 8\)",
    ),
    "most": (lambda: Relu(name="r", inputs=("x",), most=0.0), r"most: expected a number above 0"),
    "most is NaN": (lambda: Relu(name="r", inputs=("x",), most=math.nan), r"most: expected a number above 0"),
    "pool of padding": (lambda: MaxPool(name="p", kernel=(2, 2), padding=(2, 0, 0, 0)), r"padding: expected less than"),
    "add": (lambda: Graph((X, conv(), Add(name="a", inputs=("x", "c"))), "a"), r"inputs of the same shape"),
    "concat": (lambda: Graph((X, conv(), Concat(name="a", inputs=("x", "c"))), "a"), r"same shape but for axis 0"),
    "scale": (
        lambda: Graph((X, Scale(name="s", inputs=("x",), weight=np.ones(3), bias=np.ones((3, 1, 1)))), "s"),
        r"weight: expected a shape that goes with the input",
    ),
    "select": (lambda: Graph((X, Select(name="s", inputs=("x",), source=np.array([192]))), "s"), r"indices below 192"),
    "negative select": (lambda: Select(name="s", inputs=("x",), source=np.array([-2])), r"indices, or -1"),
    "name twice": (lambda: Graph((X, conv("x")), "x"), r"name: expected one that no other layer has"),
    "unknown input": (lambda: Graph((X, conv(source="z")), "c"), r"inputs: No layer named 'z'"),
    "unknown output": (lambda: Graph((X, conv()), "z"), r"Graph output: No layer named 'z'"),
    "no input": (lambda: Graph((conv("a", "b"), conv("b", "a")), "b"), r"exactly one Input"),
    "cycle": (lambda: Graph((X, relu("a", "b"), relu("b", "a")), "a"), r"cycle: layer 'a' <- 'b' <- 'a'"),
    "idle": (lambda: Graph((X, conv(), relu("r", "x")), "c"), r"\['r'\] do not lead to the output 'c'"),
    "other shape": (lambda: Graph((X, conv(shape=(4, 8, 8))), "c"), r"shape: expected \(4, 6, 6\)"),
    "no layers": (lambda: Graph((X,), "x"), r"expected 2 to \d+ of them"),
    "a huge layer": (lambda: Graph((X, conv(padding=(0, 0, 10**4, 10**4))), "c"), r"shape: expected 1 to \d+ values"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_makes_no_network_is_refused(case: str) -> None:
    make, message = REFUSED[case]
    with pytest.raises(ConversionError, match=message):
        make()


def test_many_large_layers_are_refused() -> None:
    layers = [Input(name="0", shape=(2**24,)), *(relu(str(n), str(n - 1)) for n in range(1, 9))]
    with pytest.raises(ConversionError, match="values in all layers"):
        Graph(tuple(layers), "8")


def test_a_long_network_needs_no_deep_stack() -> None:
    inputs = {str(n): [str(n - 1)] if n else [] for n in reversed(range(5000))}
    assert in_order(inputs, "layer") == [str(n) for n in range(5000)]


def values(graph: Graph, images: np.ndarray) -> np.ndarray:
    """What a graph of selections, scales and linear layers computes."""
    found = {graph.input.name: images}
    for layer in graph.layers[1:]:
        taken = found[layer.inputs[0]]
        flat = taken.reshape(len(taken), -1)
        if isinstance(layer, Select):
            found[layer.name] = np.where(layer.source < 0, 0, flat[:, layer.source])
        elif isinstance(layer, Scale):
            found[layer.name] = taken * layer.weight + layer.bias
        elif isinstance(layer, Linear):
            found[layer.name] = flat @ layer.weight.T + layer.bias
        else:
            found[layer.name] = np.clip(taken, 0, layer.most)
    return found[graph.output]


def test_selections_become_one_and_go_into_linear_weights() -> None:
    rng = np.random.default_rng(1)
    x = Input(name="x", shape=(2, 3))
    layers = [
        x,
        Select(name="t", inputs=("x",), source=np.array([[0, 3], [1, 4], [2, 5]]), shape=(3, 2)),
        Select(name="p", inputs=("t",), source=np.array([-1, 5, 0, 0, 2, 1, 4, -1]), shape=(8,)),
        Relu(name="r", inputs=("p",), shape=(8,)),
        Linear(name="y", inputs=("r",), weight=rng.normal(size=(4, 8)), bias=np.ones(4), shape=(4,)),
    ]
    graph = simplified(layers, "y", (), {})
    assert [type(layer) for layer in graph.layers] == [Input, Relu, Linear]
    images = rng.normal(size=(5, 2, 3))
    np.testing.assert_allclose(values(graph, images), values(Graph(tuple(layers), "y"), images), rtol=1e-5)


def test_scales_go_into_linear_weights_on_either_side() -> None:
    rng = np.random.default_rng(2)

    def scale(name: str, source: str, *shape: int) -> Scale:
        weight, bias = rng.normal(size=(2, *shape))
        return Scale(name=name, inputs=(source,), weight=weight, bias=bias, shape=(2, 3) if len(shape) > 1 else (4,))

    linear = Linear(name="l", inputs=("b",), weight=rng.normal(size=(4, 6)), bias=np.ones(4), shape=(4,))
    layers = [Input(name="x", shape=(2, 3)), scale("a", "x", 2, 1), scale("b", "a", 1, 3), linear, scale("y", "l", 4)]
    graph = simplified(layers, "y", (), {"l": "before", "y": "after"})
    assert [type(layer) for layer in graph.layers] == [Input, Linear]
    assert dict(graph.origins) == {"l": "after"}
    images = rng.normal(size=(5, 2, 3))
    np.testing.assert_allclose(values(graph, images), values(Graph(tuple(layers), "y"), images), rtol=1e-4, atol=1e-5)


def test_a_selection_that_makes_weights_larger_stays() -> None:
    layers = [
        Input(name="x", shape=(6,)),
        Select(name="s", inputs=("x",), source=np.array([5, 1]), shape=(2,)),
        Linear(name="y", inputs=("s",), weight=np.ones((4, 2)), bias=np.ones(4), shape=(4,)),
    ]
    assert [type(layer) for layer in simplified(layers, "y", (), {}).layers] == [Input, Select, Linear]


def test_what_others_read_stays_as_it_is() -> None:
    scale = Scale(name="s", inputs=("c",), weight=np.full((4, 1, 1), 2), bias=np.zeros((4, 1, 1)), shape=(4, 6, 6))
    layers = [X, conv(shape=(4, 6, 6)), scale, Add(name="y", inputs=("c", "s"), shape=(4, 6, 6))]
    graph = simplified(layers, "y", (), {})
    assert [layer.name for layer in graph.layers] == ["x", "c", "s", "y"]


GRAPH = Graph((X, conv()), "c")


def test_images_are_kept_as_float32() -> None:
    assert check_images(GRAPH, np.full((2, 3, 8, 8), 255, np.uint8)).dtype == np.float32


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((0, 3, 8, 8)), r"Images: expected one or more \(got 0\)"),
        (np.zeros((2, 8, 8, 3)), r"\(n, 3, 8, 8\).*channels last: use images.transpose\(0, 3, 1, 2\)"),
        (np.zeros((3, 8, 8)), r"single image: use images\[None\]"),
        (np.zeros((2, 192)), r"images.reshape\(-1, 3, 8, 8\)"),
        (np.zeros((2, 3, 9, 9)), r"as the network was trained on"),
        (np.full((2, 3, 8, 8), np.nan), r"NaN or infinite numbers in 2 of them, first in image 0"),
        (np.full((2, 3, 8, 8), "a"), r"floats or whole numbers"),
    ],
)
def test_images_that_do_not_fit_are_refused(images: np.ndarray, message: str) -> None:
    with pytest.raises(ConversionError, match=message):
        check_images(GRAPH, images)


def test_images_for_a_network_with_channels_last() -> None:
    last = Input(name="x", shape=(8, 8, 3))
    graph = Graph((last, relu("r", "x")), "r")
    with pytest.raises(ConversionError, match=r"takes them last: use images.transpose\(0, 2, 3, 1\)"):
        check_images(graph, np.zeros((2, 3, 8, 8)))
