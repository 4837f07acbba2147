"""Networks from arrays and a description of their layers."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from biosnn.ann import Add, AveragePool, Concat, Convolution, Linear, MaxPool, Relu, Scale, Select
from biosnn.conversion import read_network
from biosnn.errors import ConversionError

RNG = np.random.default_rng(3)
ARRAYS = {
    "w": RNG.normal(size=(4, 3, 3, 3)).astype(np.float32),
    "b": RNG.normal(size=4),
    "ones": np.ones(4),
    "w2": RNG.normal(size=(10, 4)).astype(np.float32),
    "deep": RNG.normal(size=(4, 1, 3, 3)),
}
PLAIN = """
arrays = "model.npz"
input = [3, 8, 8]
[[layers]]
kind = "convolution"
weight = "w"
[[layers]]
kind = "relu"
"""
LAYERS = """
arrays = "model.npz"
input = [3, 8, 8]
source = "made by hand"

[[layers]]
kind = "convolution"
name = "first"
weight = "w"
bias = "b"
stride = [1, 2]
padding = [1, 0]

[[layers]]
kind = "batch_norm"
gain = "b"
shift = "ones"
mean = "b"
variance = "ones"
epsilon = 0.001

[[layers]]
kind = "relu"
most = 6.0
name = "firing"

[[layers]]
kind = "convolution"
weight = "deep"
groups = 4
dilation = 2
padding = 2

[[layers]]
kind = "add"
inputs = ["convolution1", "firing"]

[[layers]]
kind = "max_pool"
kernel = [2, 1]

[[layers]]
kind = "scale"
weight = "ones"

[[layers]]
kind = "average_pool"

[[layers]]
kind = "flatten"

[[layers]]
kind = "linear"
weight = "w2"
"""


def written(folder: Path, text: str = PLAIN, arrays: dict[str, np.ndarray] = ARRAYS) -> Path:
    (folder / "model.toml").write_text(text)
    np.savez(folder / "model.npz", **arrays)
    return folder / "model.toml"


def test_every_field_of_layers(tmp_path: Path) -> None:
    graph = read_network(written(tmp_path, LAYERS))
    expected = [Convolution, Relu, Convolution, Add, MaxPool, Scale, AveragePool, Linear]
    assert [type(layer) for layer in graph.layers[1:]] == expected
    shapes = [(4, 8, 3), (4, 8, 3), (4, 8, 3), (4, 8, 3), (4, 4, 3), (4, 4, 3), (4, 1, 1), (10,)]
    assert [layer.shape for layer in graph.layers[1:]] == shapes
    first = graph["first"]
    assert isinstance(first, Convolution)
    assert (first.stride, first.padding) == ((1, 2), (1, 0, 1, 0))
    gain = ARRAYS["b"] / np.sqrt(1.001)
    np.testing.assert_allclose(first.weight, ARRAYS["w"] * gain[:, None, None, None], rtol=1e-5)
    np.testing.assert_allclose(first.bias, (ARRAYS["b"] - ARRAYS["b"]) * gain + 1, rtol=1e-5, atol=1e-6)
    assert graph["firing"].most == 6  # type: ignore[attr-defined]


def test_layers_that_move_values(tmp_path: Path) -> None:
    text = """
    arrays = "model.npz"
    input = [8, 8, 3]
    [[layers]]
    kind = "transpose"
    order = [2, 0, 1]
    name = "first"
    [[layers]]
    kind = "relu"
    [[layers]]
    kind = "reshape"
    shape = [3, 64]
    [[layers]]
    kind = "concat"
    inputs = ["reshape1", "reshape1"]
    axis = 1
    """
    graph = read_network(written(tmp_path, text))
    assert [type(layer) for layer in graph.layers[1:]] == [Relu, Select, Concat]
    assert graph[graph.output].shape == (3, 128)


def test_the_file_of_arrays_leads_to_its_description(tmp_path: Path) -> None:
    written(tmp_path)
    assert read_network(tmp_path / "model.npz")["convolution1"].shape == (4, 6, 6)


def test_safetensors(tmp_path: Path) -> None:
    library = pytest.importorskip("safetensors.numpy")
    text = written(tmp_path, PLAIN.replace("npz", "safetensors"))
    library.save_file(ARRAYS, tmp_path / "model.safetensors")
    np.testing.assert_array_equal(read_network(text)["convolution1"].weight, ARRAYS["w"])  # type: ignore[attr-defined]
    content = (tmp_path / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(content[:-5])
    with pytest.raises(ConversionError, match="cannot be read as safetensors"):
        read_network(text)
    library.save_file({"w": np.ones((4, 3, 3, 3)) > 0}, tmp_path / "model.safetensors")
    with pytest.raises(ConversionError, match=r"array 'w': expected one of F64.*'BOOL'.*float32"):
        read_network(text)


WRONG = {
    "no TOML": ("[", "cannot be read as TOML"),
    "no layers": ('arrays = "model.npz"\ninput = [3]', r"the fields input, layers|the fields layers"),
    "empty layers": ('arrays = "model.npz"\ninput = [3]\nlayers = []', r"tables \[\[layers\]\], at least one"),
    "input": (PLAIN.replace("[3, 8, 8]", "[3, -8, 8]"), "input: expected whole numbers, at least 1"),
    "a huge input": (PLAIN.replace("[3, 8, 8]", "[3, 100000, 100000]"), r"'input' \(Input\) shape: expected 1 to"),
    "arrays elsewhere": (PLAIN.replace("model.npz", "../model.npz"), "arrays: expected the name of a file beside it"),
    "arrays of another format": (PLAIN.replace("model.npz", "model.pt"), "ending in .npz or .safetensors"),
    "missing arrays": (PLAIN.replace("model.npz", "other.npz"), "other.npz: no such file. It is to lie beside"),
    "kind": (PLAIN.replace("relu", "tanh"), r"layers\[2\]: No kind of layer named 'tanh'.*relu"),
    "missing field": (PLAIN.replace('weight = "w"', ""), r"'convolution1' \(convolution\): expected the fields weight"),
    "unknown field": (PLAIN + "slope = 0.1", r"layers\[2\] 'relu1' \(relu\): No field named 'slope'"),
    "unknown array": (PLAIN.replace('"w"', '"W"'), r"model.npz: No array named 'W'. Valid names: b, deep, ones, w, w2"),
    "name of an array": (PLAIN.replace('"w"', "3"), "weight: expected the name of an array"),
    "unknown input": (PLAIN + 'inputs = ["r"]', "inputs: No layer before it named 'r'"),
    "inputs": (PLAIN + 'inputs = "convolution1"', "inputs: expected a list of names"),
    "name twice": (PLAIN + 'name = "convolution1"', "name: expected a text that names no other layer"),
    "two names": (PLAIN + "name = 3", "name: expected a text"),
    "stride": (PLAIN.replace('"w"', '"w"\nstride = 0'), "stride: expected whole numbers, at least 1"),
    "stride of three": (PLAIN.replace('"w"', '"w"\nstride = [1, 1, 1]'), "stride: expected one whole number, or two"),
    "padding": (PLAIN.replace('"w"', '"w"\npadding = [1, 1, 1]'), "padding: expected one whole number, two, or four"),
    "padding is a number": (PLAIN.replace('"w"', '"w"\npadding = 0.5'), "padding: expected whole numbers"),
    "most": (PLAIN + 'most = "6"', "most: expected a number"),
    "weight of another layer": (PLAIN.replace('"w"', '"w2"'), "weight: expected 4 axes"),
    "channels": (PLAIN.replace("[3, 8, 8]", "[8, 8, 3]"), "an input of 3 channels.*channels first"),
    "reshape": (PLAIN.replace("relu", "reshape") + "shape = [7]", "shape: expected 144 values"),
    "transpose": (PLAIN.replace("relu", "transpose") + "order = [0, 0, 1]", "each of the axes 0 to 2 once"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_description(tmp_path: Path, case: str) -> None:
    text, message = WRONG[case]
    with pytest.raises(ConversionError, match=message):
        read_network(written(tmp_path, text))


def test_no_description(tmp_path: Path) -> None:
    written(tmp_path).unlink()
    with pytest.raises(
        ConversionError, match=r"^[^ ]*model\.npz: there is no description model\.toml beside it\. It says"
    ):
        read_network(tmp_path / "model.npz")


def replaced(path: Path, member: bytes) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("w.npy", member)


def test_a_pickled_array_is_not_loaded(tmp_path: Path) -> None:
    text = written(tmp_path)
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.array([[{}]], object), allow_pickle=True)
    replaced(tmp_path / "model.npz", buffer.getvalue())
    with pytest.raises(ConversionError, match=r"array 'w': expected numbers.*pickled"):
        read_network(text)


def test_an_array_that_claims_more_than_it_brings(tmp_path: Path) -> None:
    text = written(tmp_path)
    for shape, message in [((50000, 50000), "expected 1 to"), ((50, 50), "expected 20000 bytes")]:
        buffer = io.BytesIO()
        np.lib.format.write_array_header_1_0(buffer, {"descr": "<f8", "fortran_order": False, "shape": shape})
        replaced(tmp_path / "model.npz", buffer.getvalue() + bytes(8))
        with pytest.raises(ConversionError, match=message):
            read_network(text)


def test_a_truncated_or_foreign_archive(tmp_path: Path) -> None:
    text = written(tmp_path)
    content = (tmp_path / "model.npz").read_bytes()
    for wrong in (content[: len(content) // 2], b"", pickle.dumps({})):
        (tmp_path / "model.npz").write_bytes(wrong)
        with pytest.raises(ConversionError, match="cannot be read as an npz archive"):
            read_network(text)


def test_damaged_bytes(tmp_path: Path) -> None:
    text = written(tmp_path)
    content = bytearray((tmp_path / "model.npz").read_bytes())
    content[200] ^= 255
    (tmp_path / "model.npz").write_bytes(content)
    with pytest.raises(ConversionError, match=r"model.npz: array 'w': cannot be read as an array.*: Bad CRC"):
        read_network(text)


def test_nan_weights(tmp_path: Path) -> None:
    text = written(tmp_path, arrays=ARRAYS | {"w": np.full((4, 3, 3, 3), np.nan)})
    with pytest.raises(ConversionError, match=r"'convolution1' \(Convolution\) weight: expected finite numbers"):
        read_network(text)
