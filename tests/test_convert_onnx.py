"""ONNX files are read as the network that they describe: ONNX Runtime on the file and on what was read agree."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from convert_models import RNG, batch_norm, floats, model, node, saved

from biosnn.convert import (
    Add,
    AveragePool,
    Concat,
    Convolution,
    Graph,
    Linear,
    MaxPool,
    Relu,
    Scale,
    Select,
    original,
    read_network,
    reference,
    write_onnx,
)

DATA = Path(os.environ.get("BIOSNN_DATA", ""))
RESNET = DATA / "ann" / "resnet20-cifar10.onnx"
CIFAR = DATA / "cifar10-jpeg" / "test.npz"


def kinds(graph: Graph) -> list[type]:
    return [type(layer) for layer in graph.layers[1:]]


def read(folder: Path, made: object, value: str = "y") -> Graph:
    """Read a model and hold its output against the file's for other images than `read_network` has tried."""
    path = saved(folder, made)
    graph = read_network(path)
    images = RNG.normal(size=(3, *graph.input.shape)).astype(np.float32)
    expected = original(path, images, [value], threads=1)[0]
    found = reference(graph, threads=1).outputs(images)
    assert found.shape == expected.shape == (3, *graph[graph.output].shape)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5 * max(1, np.abs(expected).max()))
    return graph


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


@st.composite
def networks(draw: st.DrawFn) -> object:
    """A random small network of convolutions, normalisations, poolings and residuals."""
    nodes, arrays, value, channels, size = [], {}, "x", 3, 9
    for layer in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(["conv", "residual", "pool", "norm", "concat"]))
        name = f"h{layer}"
        if kind in ("conv", "residual"):
            groups = draw(st.sampled_from([n for n in (1, 2, 3) if channels % n == 0]))
            out = channels if kind == "residual" else groups * draw(st.integers(1, 3))
            kernel, dilation = draw(st.integers(1, 3)), draw(st.integers(1, 2))
            stride = 1 if kind == "residual" else draw(st.integers(1, 2))
            reach = dilation * (kernel - 1)
            before = reach // 2 if kind == "residual" else draw(st.integers(0, 2))
            after = reach - before if kind == "residual" else draw(st.integers(0, 2))
            if size + before + after - reach < 1:
                continue
            arrays[f"w{layer}"] = floats(out, channels // groups, kernel, kernel)
            bias = draw(st.booleans())
            if bias:
                arrays[f"b{layer}"] = floats(out)
            inputs = f"{value} w{layer}" + f" b{layer}" * bias
            window = {"strides": [stride] * 2, "dilations": [dilation] * 2, "pads": [before] * 2 + [after] * 2}
            nodes.append(node("Conv", inputs, f"{name}c", group=groups, **window))
            if kind == "residual":
                nodes.append(node("Add", f"{name}c {value}", f"{name}a"))
            nodes.append(node("Relu", f"{name}a" if kind == "residual" else f"{name}c", name))
            channels, size = out, (size + before + after - reach - 1) // stride + 1
        elif kind == "pool":
            if size < 2:
                continue
            operator = draw(st.sampled_from(["MaxPool", "AveragePool"]))
            ceil = draw(st.integers(0, 1))
            nodes.append(node(operator, value, name, kernel_shape=[2, 2], strides=[2, 2], ceil_mode=ceil))
            size = -(-size // 2) if ceil else size // 2
        elif kind == "norm":
            arrays |= batch_norm(channels, **{key: f"{key}{layer}" for key in "gsmv"})
            nodes.append(node("BatchNormalization", f"{value} g{layer} s{layer} m{layer} v{layer}", name))
        else:
            nodes.append(node("Concat", f"{value} {value}", name, axis=1))
            channels *= 2
        value = name
    arrays["w"] = floats(4, channels * size * size)
    nodes += [node("Flatten", value, "flat"), node("Gemm", "flat w", "y", transB=1)]
    return model(nodes, arrays, ("n", 3, 9, 9))


@given(made=networks())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_random_networks(tmp_path: Path, made: object) -> None:
    read(tmp_path, made)


@given(made=networks())
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_is_read_again(tmp_path: Path, made: object) -> None:
    graph = read(tmp_path, made)
    (tmp_path / "again.onnx").write_bytes(write_onnx(graph))
    again = read_network(tmp_path / "again.onnx")
    assert [(layer.name, type(layer), layer.shape) for layer in again.layers] == [
        (layer.name, type(layer), layer.shape) for layer in graph.layers
    ]


@pytest.mark.skipif(not RESNET.is_file(), reason="BIOSNN_DATA has no ann/resnet20-cifar10.onnx")
def test_a_pretrained_residual_network() -> None:
    graph = read_network(RESNET)
    counts = {kind: kinds(graph).count(kind) for kind in set(kinds(graph))}
    # He et al. 2016, table 6: 20 layers with weights, 40.55 million multiply-accumulates with its 10-fold output.
    assert counts == {Convolution: 19, Relu: 19, Add: 9, Select: 2, AveragePool: 1, Linear: 1}
    assert sum(graph.macs.values()) == 40_551_040
    shortcuts = [layer for layer in graph.layers if isinstance(layer, Select)]
    # Option A: every other pixel, and zeros for the new channels, half before and half after.
    assert [layer.shape for layer in shortcuts] == [(32, 16, 16), (64, 8, 8)]
    assert [int((layer.source < 0).sum()) for layer in shortcuts] == [16 * 16 * 16, 32 * 8 * 8]
    with np.load(CIFAR) as data:
        images = data["x"][:20] / 255
    normal = (images - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    shown = normal.transpose(0, 3, 1, 2).astype(np.float32)
    expected = original(RESNET, shown, ["logits"], threads=1)[0]
    np.testing.assert_allclose(reference(graph, threads=1).outputs(shown), expected, atol=1e-4)
