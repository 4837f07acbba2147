"""ONNX files are read as the network that they describe: ONNX Runtime on the file and on what was read agree."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from conversion_models import batch_norm, floats, kinds, model, node, read, saved

from biosnn.ann import Add, AveragePool, Concat, Convolution, Linear, MaxPool, Relu, Scale, Select
from biosnn.conversion import read_network


def test_layers_of_a_plain_network(tmp_path: Path) -> None:
    arrays = {"w": floats(6, 3, 3, 3), "b": floats(6), "w2": floats(10, 54), "b2": floats(10)}
    nodes = [
        node("Conv", "x w b", "c", pads=[1, 1, 0, 0], strides=[1, 1]),
        node("Relu", "c", "r"),
        node("MaxPool", "r", "p", kernel_shape=[2, 2], strides=[2, 2]),
        node("Flatten", "p", "f"),
        node("Gemm", "f w2 b2", "z", transB=1),
        node("Softmax", "z", "y", axis=1),
    ]
    graph = read_network(saved(tmp_path, model(nodes, arrays)))
    assert kinds(graph) == [Convolution, Relu, MaxPool, Linear]
    assert [layer.shape for layer in graph.layers] == [(3, 8, 8), (6, 7, 7), (6, 7, 7), (6, 3, 3), (10,)]
    assert graph.head == ("Softmax",)
    assert graph.output == "Gemm_z"
    assert graph.macs == {"x": 0, "Conv_c": 6 * 7 * 7 * 27, "Relu_r": 0, "MaxPool_p": 0, "Gemm_z": 540}
    assert graph.neurons["Conv_c"] == 294


CONVOLUTIONS = {
    "groups": ({"group": 3, "pads": [1, 1, 1, 1]}, (6, 1, 3, 3)),
    "dilation": ({"dilations": [2, 1], "pads": [2, 0, 1, 1]}, (4, 3, 3, 2)),
    "stride": ({"strides": [3, 2]}, (4, 3, 2, 3)),
    "same upper": ({"auto_pad": "SAME_UPPER", "strides": [2, 3]}, (4, 3, 3, 4)),
    "same lower": ({"auto_pad": "SAME_LOWER", "strides": [2, 1]}, (4, 3, 3, 4)),
    "valid": ({"auto_pad": "VALID"}, (4, 3, 3, 3)),
}


@pytest.mark.parametrize("case", CONVOLUTIONS)
def test_a_convolution(tmp_path: Path, case: str) -> None:
    attributes, shape = CONVOLUTIONS[case]
    graph = read(tmp_path, model([node("Conv", "x w", "y", **attributes)], {"w": floats(*shape)}))
    assert kinds(graph) == [Convolution]


POOLS = {
    "max": ("MaxPool", {"kernel_shape": [3, 2], "strides": [2, 2], "pads": [1, 0, 1, 1]}, [MaxPool]),
    "max, rounded up": ("MaxPool", {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1}, [MaxPool]),
    "max, rounded up with padding": (
        "MaxPool",
        {"kernel_shape": [2, 2], "strides": [3, 3], "pads": [1, 1, 1, 1], "ceil_mode": 1},
        [MaxPool],
    ),
    "mean": ("AveragePool", {"kernel_shape": [2, 2], "strides": [2, 2]}, [AveragePool]),
    "mean without padding": ("AveragePool", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}, [AveragePool]),
    "mean with padding": (
        "AveragePool",
        {"kernel_shape": [3, 3], "pads": [1, 0, 1, 2], "count_include_pad": 1},
        [AveragePool],
    ),
    "mean, rounded up": ("AveragePool", {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1}, [AveragePool]),
    "same": ("AveragePool", {"kernel_shape": [3, 3], "strides": [2, 2], "auto_pad": "SAME_UPPER"}, [AveragePool]),
    "global mean": ("GlobalAveragePool", {}, [AveragePool]),
    "global max": ("GlobalMaxPool", {}, [MaxPool]),
    "mean over space": ("ReduceMean", {"axes": [2, 3], "keepdims": 0}, [AveragePool, Select]),
    "mean over space, axes kept": ("ReduceMean", {"axes": [-1, -2], "keepdims": 1}, [AveragePool]),
    "mean over channels": ("ReduceMean", {"axes": [1], "keepdims": 1}, [Select, AveragePool, Select]),
    "max over the first two axes": ("ReduceMax", {"axes": [1, 2], "keepdims": 0}, [Select, MaxPool, Select]),
}


@pytest.mark.parametrize("case", POOLS)
def test_a_pooling(tmp_path: Path, case: str) -> None:
    operator, attributes, expected = POOLS[case]
    graph = read(tmp_path, model([node(operator, "x", "y", **attributes)]))
    assert kinds(graph) == expected


def test_a_linear_layer_in_every_form_of_gemm(tmp_path: Path) -> None:
    arrays = {"w": floats(12, 5), "b": floats(5), "w2": floats(4, 5), "b2": floats(1, 4), "w3": floats(4, 4)}
    nodes = [
        node("Gemm", "x w b", "a", alpha=0.5, beta=2.0),
        node("Relu", "a", "r"),
        node("Gemm", "r w2 b2", "c", transB=1),
        node("MatMul", "c w3", "y"),
    ]
    assert kinds(read(tmp_path, model(nodes, arrays, ("n", 12)))) == [Linear, Relu, Linear, Linear]


@pytest.mark.parametrize("after", ["Conv", "Gemm"])
def test_a_batch_normalisation_goes_into_the_weights_before_it(tmp_path: Path, after: str) -> None:
    if after == "Conv":
        nodes, arrays, shape = [node("Conv", "x w", "c")], {"w": floats(4, 3, 3, 3)}, ("n", 3, 8, 8)
    else:
        nodes, arrays, shape = [node("Gemm", "x w", "c")], {"w": floats(7, 4)}, ("n", 7)
    nodes.append(node("BatchNormalization", "c g s m v", "y", epsilon=1e-3))
    graph = read(tmp_path, model(nodes, arrays | batch_norm(4), shape))
    assert kinds(graph) == [Convolution if after == "Conv" else Linear]
    assert graph.origins[graph.output] == "y"


def test_a_batch_normalisation_stays_where_its_input_is_used_twice_or_has_no_weights(tmp_path: Path) -> None:
    nodes = [
        node("Conv", "x w", "c"),
        node("BatchNormalization", "c g s m v", "n"),
        node("Add", "c n", "a"),
        node("Relu", "a", "r"),
        node("BatchNormalization", "r g s m v", "y"),
    ]
    graph = read(tmp_path, model(nodes, {"w": floats(4, 3, 3, 3)} | batch_norm(4)))
    assert kinds(graph) == [Convolution, Scale, Add, Relu, Scale]


@pytest.mark.parametrize(("pads", "expected"), [([0] * 4, [Convolution]), ([1] * 4, [Scale, Convolution])])
def test_the_normalisation_of_images_goes_into_the_weights_where_that_is_exact(
    tmp_path: Path, pads: list[int], expected: list[type]
) -> None:
    mean, spread = (np.float32(numbers).reshape(1, 3, 1, 1) for numbers in ([0.4, 0.5, 0.6], [0.2, 0.3, 0.25]))
    nodes = [
        node("Div", "x most", "unit"),
        node("Sub", "unit mean", "centred"),
        node("Div", "centred spread", "normal"),
        node("Conv", "normal w b", "y", group=3, pads=pads),
    ]
    arrays = {"most": np.float32(255), "mean": mean, "spread": spread, "w": floats(6, 1, 3, 3), "b": floats(6)}
    assert kinds(read(tmp_path, model(nodes, arrays))) == expected


def test_a_normalisation_before_a_linear_layer(tmp_path: Path) -> None:
    arrays = {"a": floats(12), "b": floats(1, 12), "w": floats(12, 4), "b2": floats(4), "one": np.float32(1)}
    nodes = [
        node("Mul", "a x", "m"),
        node("Sub", "b m", "s"),
        node("MatMul", "s w", "z"),
        node("Add", "b2 z", "u"),
        node("Sub", "u one", "y"),
    ]
    assert kinds(read(tmp_path, model(nodes, arrays, ("n", 12)))) == [Linear]


RELUS = {
    "clip": ([node("Clip", "x zero six", "y")], 6.0),
    "clip without most": ([node("Clip", "x zero", "y")], np.inf),
    "max": ([node("Max", "zero x", "y")], np.inf),
    "relu and min": ([node("Relu", "x", "r"), node("Min", "r six", "y")], 6.0),
    "relu twice": ([node("Relu", "x", "r"), node("Clip", "r zero six", "y")], 6.0),
}


@pytest.mark.parametrize("case", RELUS)
def test_a_relu_in_all_its_words(tmp_path: Path, case: str) -> None:
    nodes, most = RELUS[case]
    scale = node("Mul", "x ten", "large")  # so that the bounds are met
    for made in nodes:
        made.input[:] = ["large" if name == "x" else name for name in made.input]
    arrays = {"zero": np.float32(0), "six": np.float32(6), "ten": np.float32(10)}
    used = {name for made in [scale, *nodes] for name in made.input}
    graph = read(tmp_path, model([scale, *nodes], {name: arrays[name] for name in arrays if name in used}))
    assert kinds(graph) == [Scale, Relu]
    assert graph[graph.output].most == most


def test_bounds_of_a_clip_in_an_old_opset(tmp_path: Path) -> None:
    graph = read(tmp_path, model([node("Clip", "x", "y", min=0.0, max=6.0)], opset=8))
    assert graph[graph.output].most == 6


def test_what_does_nothing_vanishes(tmp_path: Path) -> None:
    nodes = [
        node("Identity", "x", "i"),
        node("Dropout", "i", "d"),
        node("Cast", "d", "f", to=1),
        node("Relu", "f", "r"),
        node("Flatten", "r", "l"),
        node("Reshape", "l shape", "y"),
    ]
    graph = read(tmp_path, model(nodes, {"shape": np.array([-1, 3, 8, 8])}))
    assert kinds(graph) == [Relu]


SELECTIONS = {
    "transpose": [node("Transpose", "x", "y", perm=[0, 2, 3, 1])],
    "flatten": [node("Flatten", "x", "y")],
    "slice": [node("Slice", "x one six axes two", "y")],
    "gather": [node("Gather", "x pick", "y", axis=1)],
    "pad and transpose": [node("Pad", "x pads", "p"), node("Transpose", "p", "y", perm=[0, 3, 1, 2])],
    "reflected padding": [node("Pad", "x pads", "y", mode="reflect")],
    "depth to space": [node("Concat", "x zeros", "c", axis=1), node("DepthToSpace", "c", "y", blocksize=2)],
    "through the shape": [
        node("Shape", "x", "s"),
        node("Gather", "s zero", "batch", axis=0),
        node("Unsqueeze", "batch first", "b"),
        node("Concat", "b rest", "shape", axis=0),
        node("Reshape", "x shape", "y"),
    ],
    "zeros as large as the batch": [
        node("Shape", "x", "s"),
        node("ConstantOfShape", "s", "z"),
        node("Concat", "z x z", "y", axis=1),
    ],
}
CONSTANTS = {
    "one": [1, 0],
    "six": [7, 6],
    "axes": [2, 3],
    "two": [2, 3],
    "pick": [[2, 0]],
    "pads": [0, 1, 0, 2, 0, 2, 1, 0],
    "zero": 0,
    "first": [0],
    "rest": [-1, 4],
    "zeros": np.zeros((2, 1, 8, 8), np.float32),
}


@pytest.mark.parametrize("case", SELECTIONS)
def test_values_that_are_moved_about(tmp_path: Path, case: str) -> None:
    nodes = SELECTIONS[case]
    used = {name for made in nodes for name in made.input}
    arrays = {name: np.asarray(array) for name, array in CONSTANTS.items() if name in used}
    shape = (2, 3, 8, 8) if case == "depth to space" else ("n", 3, 8, 8)
    made = model(nodes, arrays, shape)
    assert kinds(read(tmp_path, made)) == [Select]


def test_parts_of_a_split(tmp_path: Path) -> None:
    nodes = [node("Split", "x sizes", "a b", axis=1), node("Concat", "b a", "y", axis=1)]
    graph = read(tmp_path, model(nodes, {"sizes": np.array([1, 2])}))
    assert kinds(graph) == [Select, Select, Concat]


def test_a_transpose_before_a_linear_layer_goes_into_its_weights(tmp_path: Path) -> None:
    nodes = [
        node("Relu", "x", "r"),
        node("Transpose", "r", "t", perm=[0, 2, 3, 1]),
        node("Flatten", "t", "f"),
        node("MatMul", "f w", "y"),
    ]
    assert kinds(read(tmp_path, model(nodes, {"w": floats(192, 5)}))) == [Relu, Linear]


def test_a_network_with_channels_last(tmp_path: Path) -> None:
    """As Keras's exporter writes it: transposed to channels first at the beginning, and back before it is flattened."""
    arrays = {
        "w": floats(4, 3, 3, 3),
        "b": floats(4),
        "w2": floats(64, 5),
        "b2": floats(5),
        "shape": np.array([-1, 64]),
    }
    arrays["most"] = np.float32(255)
    nodes = [
        node("Div", "x most", "unit"),
        node("Transpose", "unit", "t", perm=[0, 3, 1, 2]),
        node("Conv", "t w b", "c", auto_pad="SAME_UPPER"),
        node("Relu", "c", "r"),
        node("MaxPool", "r", "p", kernel_shape=[2, 2], strides=[2, 2]),
        node("Transpose", "p", "u", perm=[0, 2, 3, 1]),
        node("Reshape", "u shape", "f"),
        node("MatMul", "f w2", "m"),
        node("Add", "m b2", "y"),
    ]
    graph = read(tmp_path, model(nodes, arrays, ("batch", 8, 8, 3)))
    assert kinds(graph) == [Select, Convolution, Relu, MaxPool, Linear]
    assert graph.input.shape == (8, 8, 3)


def test_a_relu_comes_right_after_its_weights(tmp_path: Path) -> None:
    nodes = [node("Conv", "x w", "c"), node("Transpose", "c", "t", perm=[0, 2, 3, 1]), node("Relu", "t", "y")]
    assert kinds(read(tmp_path, model(nodes, {"w": floats(4, 3, 3, 3)}))) == [Convolution, Relu, Select]


def test_layers_joined(tmp_path: Path) -> None:
    nodes = [
        node("Conv", "x w", "c", pads=[1, 1, 1, 1]),
        node("Concat", "x c x", "j", axis=-3),
        node("Relu", "j", "r"),
        node("Sum", "j r j", "s"),
        node("Sub", "s r", "y"),
    ]
    assert kinds(read(tmp_path, model(nodes, {"w": floats(2, 3, 3, 3)}))).count(Concat) == 1


def test_a_classifier_as_scikit_learn_exports_it(tmp_path: Path) -> None:
    arrays = {"w": floats(4, 5), "b": floats(1, 5), "w2": floats(5, 3), "b2": floats(1, 3)}
    arrays["c"] = np.array(["cat", "dog", "eel"])
    nodes = [
        node("Cast", "x", "f", to=1),
        node("MatMul", "f w", "m"),
        node("Add", "m b", "a"),
        node("Relu", "a", "r"),
        node("MatMul", "r w2", "m2"),
        node("Add", "m2 b2", "z"),
        node("Softmax", "z", "probabilities"),
        node("ArgMax", "probabilities", "best", axis=1),
        node("ArrayFeatureExtractor", "c best", "label", domain="ai.onnx.ml"),
        node("ZipMap", "probabilities", "named", classlabels_strings=["cat", "dog", "eel"], domain="ai.onnx.ml"),
    ]
    graph = read_network(saved(tmp_path, model(nodes, arrays, ("n", 4), "label named")))
    assert kinds(graph) == [Linear, Relu, Linear]
    assert graph.head == ("Softmax", "ArgMax", "ArrayFeatureExtractor")
    assert graph.origins[graph.output] == "z"


@pytest.mark.parametrize("batch", [1, 4])
def test_a_fixed_batch(tmp_path: Path, batch: int) -> None:
    nodes = [node("Reshape", "x shape", "f"), node("Gemm", "f w", "y")]
    arrays = {"shape": np.array([batch, 192]), "w": floats(192, 5)}
    assert kinds(read(tmp_path, model(nodes, arrays, (batch, 3, 8, 8)))) == [Linear]


def test_nodes_in_any_order_and_an_unused_branch(tmp_path: Path) -> None:
    nodes = [node("Relu", "c", "y"), node("Conv", "x w", "c"), node("MaxPool", "c", "u", kernel_shape=[2, 2])]
    assert kinds(read(tmp_path, model(nodes, {"w": floats(2, 3, 3, 3)}))) == [Convolution, Relu]


@pytest.mark.parametrize("opset", [7, 9, 11, 13, 18, 21])
def test_a_range_of_opsets(tmp_path: Path, opset: int) -> None:
    arrays = {"w": floats(4, 3, 3, 3), "w2": floats(4, 5), "b2": floats(5)} | batch_norm(4)
    axes = {"axes": [2, 3]} if opset < 18 else {}
    if opset >= 18:
        arrays["axes"] = np.array([2, 3])
    nodes = [
        node("Conv", "x w", "c"),
        node("BatchNormalization", "c g s m v", "n"),
        node("Relu", "n", "r"),
        node("ReduceMean", "r axes" if opset >= 18 else "r", "p", keepdims=0, **axes),
        node("Gemm", "p w2 b2", "y"),
    ]
    assert kinds(read(tmp_path, model(nodes, arrays, opset=opset))) == [Convolution, Relu, AveragePool, Linear]
