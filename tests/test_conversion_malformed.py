"""Files that are damaged, hostile, or not of what is read: each gets an error that says what is wrong, what to do."""

from __future__ import annotations

import pickle
import random
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from conversion_models import RNG, batch_norm, floats, model, node, saved
from onnx import TensorProto, helper

from biosnn import optional_dependencies
from biosnn.ann import Graph, Input, Relu, check_images, check_reading, read_onnx
from biosnn.ann.onnx import file as onnx_file
from biosnn.conversion import read_network
from biosnn.errors import BiosnnError, ConversionError, MissingExtraError

WEIGHTS = {"w": floats(4, 3, 3, 3), "b": floats(4)}
CONV = node("Conv", "x w b", "y")


def refused(folder: Path, made: Any, message: str) -> str:
    """Read a model that must be refused with this message; all of it is returned."""
    path = saved(folder, made)
    with pytest.raises(ConversionError, match=message) as caught:
        read_network(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_a_truncated_file(tmp_path: Path) -> None:
    content = model([CONV], WEIGHTS).SerializeToString()
    path = tmp_path / "model.onnx"
    for length in range(1, len(content), 7):
        path.write_bytes(content[:length])
        with pytest.raises(ConversionError, match=r"truncated|no ONNX model"):
            read_onnx(path)
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(ConversionError, match=r"truncated.*\d+ bytes are announced at byte \d+.*Copy or export"):
        read_network(path)


@pytest.mark.parametrize("opset", [6, 99])
def test_a_wrong_opset(tmp_path: Path, opset: int) -> None:
    refused(
        tmp_path, model([CONV], WEIGHTS, opset=opset), rf"Opset: expected 7 to \d+ \(got {opset}\).*opset_version=17"
    )


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_numbers(tmp_path: Path, value: float) -> None:
    wrong = floats(4, 3, 3, 3)
    wrong[0, 1, 2, 0] = value
    made = model([CONV], WEIGHTS | {"w": wrong})
    refused(tmp_path, made, r"Node 'Conv_y', operator Conv: .*weight: expected finite numbers.*1 NaN or infinite")


@pytest.mark.parametrize(
    ("operator", "advice"),
    [
        ("Tanh", "Use ReLU instead, and train the network again"),
        ("Elu", "Use ReLU instead"),
        ("InstanceNormalization", "Use batch normalisation"),
        ("LSTM", "unroll a recurrent one"),
        ("QuantizeLinear", "before it is quantised"),
        ("NoSuchThing", "Replace it in the network"),
        ("Loop", "one way from input to output"),
    ],
)
def test_an_unknown_operator(tmp_path: Path, operator: str, advice: str) -> None:
    made = model([node("Relu", "x", "r"), node(operator, "r", "y")])
    text = refused(tmp_path, made, f"Node '{operator}_y', operator {operator}: {operator} is not read. .*{advice}")
    assert "AveragePool, BatchNormalization" in text


def test_an_operator_of_another_domain(tmp_path: Path) -> None:
    refused(tmp_path, model([node("Relu", "x", "y", domain="com.company")]), "com.company.Relu is not read")


def test_channels_that_do_not_fit(tmp_path: Path) -> None:
    message = r"Node 'Conv_y', operator Conv: .*3 channels, as its weights \(4, 3, 3, 3\) say \(got \(8, 8, 3\)\)"
    refused(tmp_path, model([CONV], WEIGHTS, ("n", 8, 8, 3)), message)


def test_shapes_that_do_not_fit(tmp_path: Path) -> None:
    arrays = {"w": floats(5, 7), "shape": np.array([-1, 100])}
    flat = node("Flatten", "x", "f")
    refused(tmp_path, model([flat, node("MatMul", "f w", "y")], arrays), r"operator MatMul: input: expected .*\(5,\)")
    refused(tmp_path, model([node("MatMul", "x w", "y")], arrays), "Flatten images before a linear layer")
    refused(tmp_path, model([node("Reshape", "x shape", "y")], arrays), "operator Reshape: ")
    pool = node("MaxPool", "x", "y", kernel_shape=[9, 9])
    refused(tmp_path, model([pool]), "an image at least as large as the kernel")


@pytest.mark.parametrize("protocol", range(2, 6))
@pytest.mark.parametrize("name", ["network.pt", "network.onnx", "network.npz", "network.pkl"])
def test_a_pickled_file(tmp_path: Path, protocol: int, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(pickle.dumps({"weights": [1.0]}, protocol))
    with pytest.raises(ConversionError, match=r"pickled file.*could run any code.*torch.onnx.export\("):
        read_network(path)


def test_a_pickle_in_an_archive_as_pytorch_saves_it(tmp_path: Path) -> None:
    path = tmp_path / "network.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("network/data.pkl", pickle.dumps({}))
    with pytest.raises(ConversionError, match=r"pickled file.*torch.onnx.export\("):
        read_network(path)


def test_files_of_other_formats(tmp_path: Path) -> None:
    for name, content, message in [
        ("network.h5", b"\x89HDF\r\n\x1a\n", "Keras.*tf2onnx"),
        ("network.txt", b"weights", "No format named '.txt'"),
        ("network.onnx", b"weights of a network", "no ONNX file: at byte 1"),
        ("network.onnx", b"", "no ONNX model"),
        ("network.onnx", b"\xff" * 30, "no ONNX file: a number without end"),
    ]:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ConversionError, match=message):
            read_network(tmp_path / name)
    with zipfile.ZipFile(tmp_path / "network.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    with pytest.raises(ConversionError, match="as Keras writes"):
        read_network(tmp_path / "network.keras")
    with pytest.raises(ConversionError, match="no such file"):
        read_network(tmp_path / "nothing.onnx")
    with pytest.raises(ConversionError, match=r"the path of a file \(got builtins.dict\).*torch.onnx.export"):
        read_network({})  # type: ignore[arg-type]


def test_a_cyclic_graph(tmp_path: Path) -> None:
    nodes = [node("Add", "x b", "a"), node("Relu", "a", "b"), node("Relu", "b", "y")]
    refused(tmp_path, model(nodes), "There is a cycle: node 'Add_a' <- 'Relu_b' <- 'Add_a'.*unroll")
    refused(tmp_path, model([node("Relu", "y", "y")]), "There is a cycle: node 'Relu_y' <- 'Relu_y'")


def test_no_calibration_images(tmp_path: Path) -> None:
    graph = read_network(saved(tmp_path, model([CONV], WEIGHTS)))
    with pytest.raises(ConversionError, match=r"Images: expected one or more \(got 0\).*some hundreds"):
        check_images(graph, np.zeros((0, 3, 8, 8)))
    with pytest.raises(ConversionError, match=r"channels last: use images.transpose\(0, 3, 1, 2\)"):
        check_images(graph, np.zeros((5, 8, 8, 3)))


def test_a_tensor_that_claims_ten_gigabytes(tmp_path: Path) -> None:
    made = model([CONV], WEIGHTS)
    made.graph.initializer[0].dims[:] = [50_000, 50_000]
    refused(
        tmp_path, made, r"Tensor 'w' shape: expected at most \d+ values \(got '\[50000, 50000\], 2500000000 values'\)"
    )
    made.graph.initializer[0].dims[:] = [5_000, 5_000]
    refused(
        tmp_path, made, r"Tensor 'w': expected 100000000 bytes, as its shape \[5000, 5000\] says \(got '432 bytes'\)"
    )
    made.graph.initializer[0].dims[:] = [-5]
    refused(tmp_path, made, "Tensor 'w' shape: expected at most")


BIG = np.array([50_000, 50_000])
LARGE = {
    "ConstantOfShape": [node("ConstantOfShape", "big", "c"), node("MatMul", "f c", "y")],
    "Expand": [node("Expand", "one big", "c"), node("MatMul", "f c", "y")],
    "Tile": [node("Tile", "column big", "c"), node("MatMul", "f c", "y")],
    "Add": [node("Add", "column row", "c"), node("MatMul", "f c", "y")],
    "MatMul": [node("MatMul", "column row", "c"), node("MatMul", "f c", "y")],
    "Pad": [node("Pad", "column pads", "c"), node("MatMul", "f c", "y")],
    "Range": [node("Range", "zero many small", "c"), node("MatMul", "f c", "y")],
}
HUGE = {
    "big": BIG,
    "one": np.float32(1),
    "column": np.ones((50_000, 1), np.float32),
    "row": np.ones((1, 50_000), np.float32),
    "pads": np.array([0, 0, 0, 50_000]),
    "zero": np.array(0),
    "many": np.array(10**10),
    "small": np.array(1),
}


@pytest.mark.parametrize("operator", LARGE)
def test_a_constant_that_would_take_ten_gigabytes(tmp_path: Path, operator: str) -> None:
    nodes = [node("Flatten", "x", "f"), *LARGE[operator]]
    used = {name for made in nodes for name in made.input}
    arrays = {name: array for name, array in HUGE.items() if name in used}
    refused(tmp_path, model(nodes, arrays), f"operator {operator}: its output 'c': expected at most")


@pytest.mark.parametrize(
    "large",
    [
        node("Pad", "x", "y", pads=[0, 0, 0, 0, 0, 0, 50_000, 50_000]),
        node("Conv", "x w b", "y", pads=[0, 0, 50_000, 50_000]),
        node("MaxPool", "x", "y", kernel_shape=[50_001] * 2, pads=[50_000] * 4),
    ],
    ids=lambda made: made.op_type,
)
def test_a_layer_that_would_take_ten_gigabytes(tmp_path: Path, large: Any) -> None:
    arrays = WEIGHTS if large.op_type == "Conv" else {}
    refused(tmp_path, model([large], arrays, opset=10), "expected (at most|1 to) ")


@pytest.mark.slow
def test_one_array_that_many_layers_would_copy(tmp_path: Path) -> None:
    arrays = {"w": np.ones((4000, 4000), np.float32)}
    nodes = [node("MatMul", f"v{n} w" if n else "x w", f"v{n + 1}") for n in range(20)]
    refused(tmp_path, model(nodes, arrays, ("n", 4000), "v20"), "Node 'MatMul_v17'.* values and weights in all")


def test_a_network_of_countless_layers(tmp_path: Path) -> None:
    nodes = [node("Relu", f"v{n}" if n else "x", f"v{n + 1}") for n in range(10_001)]
    refused(tmp_path, model(nodes, shape=("n", 2), outputs="v10001"), "the network: expected at most 10000 layers")


def test_a_file_of_countless_small_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two bytes in a file can become a large object in memory."""
    path = tmp_path / "model.onnx"
    nodes = b"\x0a\x00" * (onnx_file.MOST_PARTS + 1)
    length = len(nodes)
    varint = bytes([length & 127 | 128, length >> 7 & 127 | 128, length >> 14 & 127])
    path.write_bytes(b"\x3a" + varint + nodes)
    with pytest.raises(ConversionError, match="besides the numbers of tensors"):
        read_network(path)
    monkeypatch.setattr(onnx_file, "MOST_BYTES", 100)
    with pytest.raises(ConversionError, match=r"The file: expected at most 100 bytes"):
        read_network(path)


def test_weights_in_another_file(tmp_path: Path) -> None:
    made = model([CONV], WEIGHTS)
    tensor = made.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/passwd")
    refused(tmp_path, made, r"Tensor 'w' lies in another file.*external_data=False")


def test_weights_of_kinds_that_are_not_read(tmp_path: Path) -> None:
    made = model([CONV], WEIGHTS)
    made.graph.initializer[0].data_type = 99
    refused(tmp_path, made, "'w' type: expected one of FLOAT.*99")
    made = model([CONV], WEIGHTS)
    made.graph.sparse_initializer.add()
    refused(tmp_path, made, "sparse initializers. Export the weights as dense ones")


def test_functions_of_its_own(tmp_path: Path) -> None:
    made = model([CONV], WEIGHTS)
    made.functions.add(name="mine", domain="mine")
    refused(tmp_path, made, r"\['mine'\].*inline_local_functions")


INPUTS = {
    "dynamic": (
        ("n", 3, "height", 8),
        r"Input 'x' axis 2: expected a fixed length \(got 'height'\).*one size, or: python",
    ),
    "unknown": (("n", 3, None, 8), r"Input 'x' axis 2: expected a fixed length"),
    "no axes": ((), r"Input 'x' shape: expected a batch axis, and at least another"),
    "one-dimensional": (("n", 3, 8), r"operator Conv: input: expected images.*height 1"),
    "huge": (("n", 3, 10**5, 10**5), r"Input.*shape: expected 1 to"),
    "empty": (("n", 3, 0, 8), r"Input 'x' axis 2: expected a fixed length \(got 0\)"),
}


@pytest.mark.parametrize("case", INPUTS)
def test_an_input_that_is_not_read(tmp_path: Path, case: str) -> None:
    shape, message = INPUTS[case]
    refused(tmp_path, model([CONV], WEIGHTS, shape), message)


def test_texts_as_input(tmp_path: Path) -> None:
    refused(tmp_path, model([CONV], WEIGHTS, kind=TensorProto.STRING), "'x' type: expected float32")


def test_several_inputs_or_outputs(tmp_path: Path) -> None:
    made = model([CONV], WEIGHTS, outputs="y r")
    made.graph.node.append(node("Relu", "y", "r"))
    refused(tmp_path, made, "Outputs of the model: expected one, of one layer.*extract_model")
    made = model([node("Add", "x z", "y")])
    made.graph.input.append(helper.make_tensor_value_info("z", TensorProto.FLOAT, [1, 3, 8, 8]))
    refused(tmp_path, made, r"Inputs of the model: expected one \(got \['x', 'z'\]\)")


NODES = {
    "weights that flow": ([node("Conv", "x x", "y")], r"its input 1 \('x'\) is computed from the model's input"),
    "a product of two": ([node("Mul", "x x", "y")], "operator Mul: both its inputs depend on the image"),
    "a quotient": ([node("Div", "one x", "y")], "only a division by constants"),
    "division by zero": ([node("Div", "x zero", "y")], "only a division by constants that are not zero"),
    "a missing value": ([node("Relu", "z", "y")], r"its inputs \['z'\] are computed by no node"),
    "a value twice": ([node("Relu", "x", "y"), node("Relu", "x", "y")], "computes 'y', which is there already"),
    "a missing input": ([node("Conv", "x", "y")], "operator Conv: it does not follow the specification of ONNX"),
    "a wrong attribute": ([node("MaxPool", "x", "y", kernel_shape=2.5)], "does not follow the specification"),
    "constants only": ([node("Relu", "one", "y")], "it is applied to constants only"),
    "no answer": ([node("Identity", "one", "y")], "Outputs of the model: expected one, of one layer"),
    "a batch that is mixed": ([node("Reshape", "x flat", "y")], r"mixes the images of a batch: .*keep its length"),
    "a batch transposed": ([node("Transpose", "x", "y", perm=[1, 0, 2, 3])], "mixes the images of a batch"),
    "a mean over the batch": ([node("ReduceMean", "x", "y")], "axes: expected some without the batch axis 0"),
    "joined along the batch": ([node("Concat", "x x", "y", axis=0)], "joins images along the batch axis"),
    "joined to numbers": ([node("Concat", "x ones", "y", axis=1)], "Only zeros can be joined"),
    "padded with ones": ([node("Pad", "x pads one", "y")], "padding: expected with zeros"),
    "a clip to nothing": ([node("Clip", "x one zero", "y")], "max: expected a number above the minimum, 1"),
    "the larger of two layers": ([node("Max", "x x", "y")], r"its input 1 \('x'\) is computed from"),
    "a leaky rectifier": ([node("LeakyRelu", "x", "y")], r"slope below zero: expected 0 \(got 0.01\).*Use ReLU"),
    "a sigmoid within": (
        [node("Sigmoid", "x", "u"), node("Relu", "u", "y")],
        "comes after Sigmoid, which is only",
    ),
    "a cast to whole numbers": ([node("Cast", "x", "y", to=7)], "only a cast to float32 or float64"),
    "training": ([node("BatchNormalization", "x g s m v", "y", training_mode=1)], r"in training mode.*model.eval\(\)"),
    "dropout in training": ([node("Dropout", "x one yes", "y")], r"in training mode.*model.eval\(\)"),
    "variance below 0": ([node("BatchNormalization", "x g s m minus", "y")], "variance plus epsilon: expected above 0"),
    "statistics of others": ([node("BatchNormalization", "x ten s m v", "y")], r"expected the shape \(3,\) each"),
    "three dimensions": ([node("Conv", "x w3", "y")], "weight: expected four axes: a convolution in two dimensions"),
    "dilated pooling": ([node("MaxPool", "x", "y", kernel_shape=[2, 2], dilations=[2, 2])], "dilations: expected"),
    "indices of a pooling": ([node("MaxPool", "x", "y i", kernel_shape=[2, 2])], "second output"),
    "a mean that counts padding": (
        [
            node(
                "AveragePool",
                "x",
                "y",
                kernel_shape=[3, 3],
                strides=[4, 4],
                pads=[1, 1, 0, 0],
                ceil_mode=1,
                count_include_pad=1,
            )
        ],
        "not read with ceil_mode",
    ),
    "transposed": ([node("Flatten", "x", "f"), node("Gemm", "f ten", "y", transA=1)], "transA: expected 0"),
    "a constant too large": ([node("Add", "x batch", "y")], r"constant: expected a shape that goes with \(3, 8, 8\)"),
    "exponentials": ([node("Exp", "x", "y")], "read for constants only"),
}
ARRAYS = {
    "one": np.float32(1),
    "zero": np.float32(0),
    "yes": np.array(True),
    "ones": np.ones((2, 1, 8, 8), np.float32),
    "flat": np.array([-1]),
    "pads": np.array([0, 0, 1, 1, 0, 0, 1, 1]),
    "minus": np.full(3, -1, np.float32),
    "ten": np.ones((10,), np.float32),
    "w3": floats(4, 3, 3, 3, 3),
    "batch": np.ones((2, 3, 8, 8), np.float32),
} | batch_norm(3)


@pytest.mark.parametrize("case", NODES)
def test_a_node_that_is_not_read(tmp_path: Path, case: str) -> None:
    nodes, message = NODES[case]
    used = {name for made in nodes for name in made.input}
    refused(tmp_path, model(nodes, {name: array for name, array in ARRAYS.items() if name in used}), message)


def test_random_damage_raises_errors_of_ours_only(tmp_path: Path) -> None:
    arrays = WEIGHTS | {"w2": floats(144, 5), "shape": np.array([-1, 144])}
    nodes = [CONV, node("Relu", "y", "r"), node("Reshape", "r shape", "f"), node("MatMul", "f w2", "z")]
    content = model(nodes, arrays, outputs="z").SerializeToString()
    path, chance, caught = tmp_path / "model.onnx", random.Random(4), 0
    structure = [n for n in range(len(content)) if n < 300 or n > len(content) - 150]
    for _ in range(150):
        damaged = bytearray(content)
        for _ in range(chance.randint(1, 3)):
            damaged[chance.choice(structure)] = chance.randrange(256)
        path.write_bytes(damaged)
        try:
            read_network(path)
        except BiosnnError:
            caught += 1
    assert caught > 30


def test_a_reading_that_is_not_the_file(tmp_path: Path) -> None:
    path = saved(tmp_path, model([node("Relu", "x", "y")]))
    other = Graph((Input(name="x", shape=(3, 8, 8)), Relu(name="r", inputs=("x",), most=0.5)), "r", origins={"r": "y"})
    with pytest.raises(ConversionError, match=r"Layer 'r' \(Relu\) does not compute what the file does.*'y'.*defect"):
        check_reading(path, other, RNG.normal(size=(2, 3, 8, 8)))


def test_weights_that_overflow(tmp_path: Path) -> None:
    arrays = {"w": np.full((4, 3, 3, 3), 3e38, np.float32), "b": WEIGHTS["b"]}
    refused(tmp_path, model([CONV], arrays), "values of 'Conv_y': expected finite numbers.*train it again")


def test_a_missing_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path, model([CONV], WEIGHTS))
    monkeypatch.setitem(sys.modules, "onnx", None)
    optional_dependencies.onnx.cache_clear()
    with pytest.raises(MissingExtraError, match=r"needs onnx.*extra 'convert': .* -m pip install "):
        read_network(path)
    monkeypatch.undo()
    optional_dependencies.onnx.cache_clear()
    assert read_network(path).output
