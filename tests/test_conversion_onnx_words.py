"""What exporters write in words of their own is read as what ONNX Runtime computes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from conversion_models import batch_norm, floats, kinds, model, node, read, saved
from onnx import TensorProto, helper

import biosnn
from biosnn.ann import AveragePool, Convolution, Linear, MaxPool, Relu, Scale, Select
from biosnn.conversion import read_network
from biosnn.errors import ConversionError

CONV, LINEAR = {"w": floats(4, 3, 3, 3), "b": floats(4)}, {"w2": floats(5, 256), "b2": floats(5)}
NUMBERS = {"zero": 0.0, "half": 0.5, "some": 0.2, "minus": -1.0}
FIRST = node("Conv", "x w b", "c", pads=[1] * 4)
LAST = [node("Flatten", "h", "f"), node("Gemm", "f w2 b2", "y", transB=1)]


def clip(source: str, least: str, most: str, output: str = "h") -> Any:
    return helper.make_node("Clip", [source, least, most], [output], name=f"Clip_{output}")


RELU = node("Relu", "c", "r")
CLIPS: dict[str, tuple[list[Any], list[type]]] = {
    "only above, after a relu": ([RELU, clip("r", "", "half")], [Relu]),
    "from below zero, after a relu": ([RELU, clip("r", "minus", "half")], [Relu]),
    "without bounds, after a relu": ([RELU, clip("r", "", "")], [Relu]),
    "without bounds": ([clip("c", "", "", "q"), node("Relu", "q", "h")], [Relu]),
    "only above, after pooling": (
        [RELU, node("MaxPool", "r", "p", kernel_shape=[1, 1]), clip("p", "", "half")],
        [Relu, MaxPool, Relu],
    ),
    "only above": ([clip("c", "", "half")], [Relu]),
    "from below zero": ([clip("c", "minus", "half")], [Relu]),
    "from above zero": ([clip("c", "some", "half")], [Relu]),
    "only above, before a relu": ([clip("c", "", "half", "q"), node("Relu", "q", "h")], [Relu, Scale, Relu]),
    "the larger of it and a number": ([node("Max", "c some", "h")], [Relu]),
    "the smaller, then the larger": ([node("Min", "half c", "q"), node("Max", "q zero", "h")], [Relu, Scale, Relu]),
    "leaky without a leak": ([node("LeakyRelu", "c", "h", alpha=0.0)], [Relu]),
    "a slope of zero": ([node("PRelu", "c slopes", "h")], [Relu]),
    "a threshold of zero": ([node("ThresholdedRelu", "c", "h", alpha=0.0)], [Relu]),
    "dropout that drops nothing": ([RELU, node("Dropout", "r zero yes", "h")], [Relu]),
    "the opposite of the opposite": ([node("Neg", "c", "n"), node("Neg", "n", "m"), node("Relu", "m", "h")], [Relu]),
}


@pytest.mark.parametrize("case", CLIPS)
def test_whatever_clips_is_a_relu(tmp_path: Path, case: str) -> None:
    nodes, expected = CLIPS[case]
    arrays = CONV | LINEAR | {name: np.float32(number) for name, number in NUMBERS.items()}
    arrays |= {"yes": np.array(True), "slopes": np.zeros((4, 1, 1), np.float32)}
    used = {name for made in (FIRST, *nodes, *LAST) for name in made.input}
    graph = read(tmp_path, model([FIRST, *nodes, *LAST], {name: arrays[name] for name in arrays if name in used}))
    assert kinds(graph) == [Convolution, *expected, Linear]


@pytest.mark.parametrize("length", [0, -1, None, "n", 1, 3])
def test_any_length_of_the_batch(tmp_path: Path, length: Any) -> None:
    made = model([FIRST, node("Relu", "c", "h"), *LAST], CONV | LINEAR, ("n", 3, 8, 8))
    first = made.graph.input[0].type.tensor_type.shape.dim[0]
    first.Clear()
    if isinstance(length, int):
        first.dim_value = length
    elif length:
        first.dim_param = length
    assert kinds(read(tmp_path, made)) == [Convolution, Relu, Linear]


def test_an_input_without_a_shape_is_refused_with_advice(tmp_path: Path) -> None:
    made = model([FIRST, node("Relu", "c", "h"), *LAST], CONV | LINEAR)
    made.graph.input[0].type.tensor_type.ClearField("shape")
    with pytest.raises(ConversionError, match=r"'x' shape: .*none in the file.*make_dynamic_shape_fixed.*name x"):
        read_network(saved(tmp_path, made))


FLOATS = {"double": TensorProto.DOUBLE, "half": TensorProto.FLOAT16, "bfloat": TensorProto.BFLOAT16}


@pytest.mark.parametrize("kind", FLOATS)
@pytest.mark.parametrize("inside", [False, True])
def test_other_floats_are_read_as_float32(tmp_path: Path, kind: str, inside: bool) -> None:
    """Also where only the inside of a network has them, between casts."""
    cast = [node("Cast", "x", "i", to=FLOATS[kind])] if inside else []
    conv = node("Conv", f"{'i' if inside else 'x'} w b", "c", pads=[1] * 4)
    made = model([*cast, conv, node("Relu", "c", "h"), *LAST], {}, kind=1 if inside else FLOATS[kind])
    for name, array in (CONV | LINEAR).items():
        made.graph.initializer.append(helper.make_tensor(name, FLOATS[kind], array.shape, array.ravel()))
    graph = read_network(saved(tmp_path, made))
    assert kinds(graph) == [Convolution, Relu, Linear]
    first = graph.layers[1]
    assert isinstance(first, Convolution)
    np.testing.assert_allclose(first.weight, CONV["w"], rtol={"double": 1e-6, "half": 1e-3, "bfloat": 1e-2}[kind])


def branch(name: str, *nodes: Any, output: str) -> Any:
    return helper.make_graph(nodes, name, [], [helper.make_tensor_value_info(output, 1, None)])


def squeezed() -> Any:
    """As the older exporter of PyTorch writes `squeeze(3)`: if the axis has the length 1."""
    then = branch("then", helper.make_node("Squeeze", ["p", "axes"], ["short"]), output="short")
    otherwise = branch("else", helper.make_node("Identity", ["p"], ["same"]), output="same")
    nodes = [
        FIRST,
        node("Relu", "c", "r"),
        node("GlobalAveragePool", "r", "p"),
        node("Shape", "p", "shape"),
        node("Gather", "shape three", "d", axis=0),
        node("Equal", "d one", "condition"),
        helper.make_node("If", ["condition"], ["h"], name="squeeze", then_branch=then, else_branch=otherwise),
        *LAST,
    ]
    arrays = CONV | {"three": np.array(3), "one": np.array(1), "axes": np.array([3])}
    return model(nodes, arrays | {"w2": floats(5, 4), "b2": LINEAR["b2"]})


def test_a_branch_that_shapes_choose(tmp_path: Path) -> None:
    assert kinds(read(tmp_path, squeezed())) == [Convolution, Relu, AveragePool, Linear]


def test_layers_and_weights_within_a_branch(tmp_path: Path) -> None:
    then = branch(
        "then", helper.make_node("Relu", ["c"], ["r"]), helper.make_node("Mul", ["r", "k"], ["t"]), output="t"
    )
    then.initializer.append(helper.make_tensor("k", 1, [], [2.0]))
    otherwise = branch("else", helper.make_node("Tanh", ["c"], ["t2"]), output="t2")
    nodes = [FIRST, helper.make_node("If", ["yes"], ["h"], name="if", then_branch=then, else_branch=otherwise), *LAST]
    made = model(nodes, CONV | LINEAR | {"yes": np.array(True)})
    assert kinds(read(tmp_path, made)) == [Convolution, Relu, Linear]
    made.graph.initializer[-1].raw_data = b"\0"
    with pytest.raises(ConversionError, match="Tanh is not read"):
        read_network(saved(tmp_path, made))


def test_a_branch_that_the_image_chooses_or_that_claims_too_much(tmp_path: Path) -> None:
    made = squeezed()
    made.graph.node[5].op_type, made.graph.node[5].input[:] = "Cast", ["r"]
    made.graph.node[5].attribute.append(helper.make_attribute("to", TensorProto.BOOL))
    with pytest.raises(ConversionError, match="only a cast to float32"):
        read_network(saved(tmp_path, made))
    made = squeezed()
    made.graph.node[6].input[0] = "x"
    with pytest.raises(ConversionError, match=r"operator If: its condition 'x' depends on the image"):
        read_network(saved(tmp_path, made))
    made = squeezed()
    graph = made.graph.node[6].attribute[0].g
    tensor = graph.initializer.add(name="large", data_type=1, dims=[10**9])
    tensor.raw_data = b"\0"
    with pytest.raises(ConversionError, match="Tensor 'large' shape: expected at most"):
        read_network(saved(tmp_path, made))


def test_a_network_of_signals(tmp_path: Path) -> None:
    arrays = {"w": floats(4, 3, 3), "w3": floats(4, 2, 2), "w2": floats(5, 4), **batch_norm(4)}
    nodes = [
        node("Conv", "x w", "c", pads=[2, 1], strides=[2], dilations=[2]),
        node("BatchNormalization", "c g s m v", "n"),
        node("Relu", "n", "r"),
        node("MaxPool", "r", "p", kernel_shape=[2], strides=[2]),
        node("Conv", "p w3", "d", auto_pad="SAME_UPPER", group=2),
        node("Relu", "d", "q"),
        node("AveragePool", "q", "a", kernel_shape=[2]),
        node("GlobalAveragePool", "a", "e"),
        node("Flatten", "e", "f"),
        node("Gemm", "f w2", "y", transB=1),
    ]
    graph = read(tmp_path, model(nodes, arrays, ("n", 3, 17)))
    expected = [Select, Convolution, Relu, MaxPool, Convolution, Relu, AveragePool, AveragePool, Linear]
    assert kinds(graph) == expected
    assert [layer.shape[0] for layer in graph.layers if isinstance(layer, Relu)] == [4, 4]


def test_a_linear_layer_at_every_place(tmp_path: Path) -> None:
    """A dense layer of Keras takes the last axis of an image."""
    nodes = [
        node("MatMul", "x w", "m"),
        node("Add", "m b", "a"),
        node("Relu", "a", "r"),
        node("ReduceSum", "r axes", "s", keepdims=0),
        node("MatMul", "s w2", "y"),
    ]
    arrays = {"w": floats(3, 6), "b": floats(6), "w2": floats(6, 5), "axes": np.array([1, 2])}
    graph = read(tmp_path, model(nodes, arrays, ("n", 4, 5, 3)))
    assert kinds(graph) == [Select, Convolution, Relu, AveragePool, Linear]


def test_a_label_beyond_the_outputs_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, model([FIRST, node("Relu", "c", "h"), *LAST], CONV | LINEAR))
    images = np.random.default_rng(0).random((4, 3, 8, 8)).astype(np.float32)
    snn = biosnn.convert(path, images)
    for labels, wrong in (([0, 1, 5, 2], 5), ([0, -1, 2, 3], -1)):
        for network in (snn, biosnn.convert(path, images, spiking="first 1")):
            expected = rf"labels\[\d\]: expected classes from 0 to 4, as .* 5 outputs \(got {wrong}\)"
            with pytest.raises(ConversionError, match=expected):
                network.run(images, T=2, labels=labels, target="numpy")


def test_zeros_around_an_image_are_the_padding_of_what_follows(tmp_path: Path) -> None:
    nodes = [
        node("Pad", "x pads", "p"),
        node("Conv", "p w b", "c", strides=[2, 2], pads=[0, 0, 1, 0]),
        node("Pad", "c pads", "q"),
        node("AveragePool", "q", "y", kernel_shape=[3, 3]),
    ]
    graph = read(tmp_path, model(nodes, CONV | {"pads": np.array([0, 0, 1, 0, 0, 0, 0, 2])}))
    assert kinds(graph) == [Convolution, AveragePool]
    assert [layer.padding for layer in graph.layers[1:]] == [(1, 0, 1, 2), (1, 0, 0, 2)]


def test_a_bias_after_flattening_goes_into_the_weights_before(tmp_path: Path) -> None:
    nodes = [FIRST, node("Flatten", "c", "f"), node("Mul", "f g", "m"), node("Relu", "m", "h")]
    nodes.append(node("Gemm", "h w2 b2", "y", transB=1))
    arrays = CONV | LINEAR | {"g": np.repeat(floats(4), 64)}
    assert kinds(read(tmp_path, model(nodes, arrays))) == [Convolution, Relu, Linear]
