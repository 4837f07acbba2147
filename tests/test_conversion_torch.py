"""Modules of PyTorch: told without importing it, exported, read, and put back as they were."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from biosnn.ann import Convolution, from_torch, reference
from biosnn.conversion import read_network
from biosnn.errors import ConversionError, MissingExtraError

IMAGE = np.zeros((1, 1, 8, 8))


def fake_module() -> Any:
    """What looks like a module of PyTorch by the names of its classes."""
    base = type("Module", (), {"__module__": "torch.nn.modules.module"})
    return type("Net", (base,), {})()


# ---- without PyTorch ----------------------------------------------------------------------------------------------


def test_a_module_is_known_by_the_names_of_its_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r"PyTorch needs torch.*extra 'train': .* -m pip install "):
        read_network(fake_module(), example=IMAGE)


def test_without_what_the_exporter_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", type(sys)("torch"))
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(MissingExtraError, match=r"needs onnxscript.*extra 'train': .* -m pip install "):
        read_network(fake_module(), example=IMAGE)


def test_what_is_no_module() -> None:
    with pytest.raises(ConversionError, match=r"from_torch module: expected a torch.nn.Module \(got 'dict'\)"):
        from_torch({}, IMAGE)  # type: ignore[arg-type]


def test_an_example_for_a_file() -> None:
    with pytest.raises(ConversionError, match=r"digits_cnn says itself what it takes. Leave out example="):
        read_network("digits_cnn", example=IMAGE)


# ---- with it ------------------------------------------------------------------------------------------------------


@pytest.fixture
def torch() -> Any:
    pytest.importorskip("onnxscript")
    library = pytest.importorskip("torch")
    library.manual_seed(1)
    library.set_num_threads(1)
    return library


def network(torch: Any) -> Any:
    nn = torch.nn
    edges = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU())
    parts = {"edges": edges, "pool": nn.AvgPool2d(2), "flat": nn.Flatten(), "digit": nn.Linear(64, 10)}
    module = nn.Sequential()
    for name, part in parts.items():
        module.add_module(name, part)
    edges[1].running_var.fill_(3)
    return module


def made(torch: Any, forward: Any) -> Any:
    """A module with a linear layer that does something of its own."""

    def init(self: Any) -> None:
        torch.nn.Module.__init__(self)
        self.linear = torch.nn.Linear(8, 8)

    return type("Mine", (torch.nn.Module,), {"__init__": init, "forward": forward})()


def test_a_module_is_read_and_put_back(torch: Any) -> None:
    module = network(torch).train()
    module.edges[1].eval()  # frozen on purpose
    before = [part.training for part in module.modules()]
    graph = read_network(module, example=IMAGE)
    assert [part.training for part in module.modules()] == before
    assert [layer.name for layer in graph.layers] == ["input", "edges.0", "edges.2", "pool", "digit"]
    assert isinstance(graph["edges.0"], Convolution)
    images = np.random.default_rng(1).random((5, 1, 8, 8)).astype(np.float32)
    expected = module.eval()(torch.from_numpy(images)).detach().numpy()
    np.testing.assert_allclose(reference(graph).outputs(images), expected, atol=1e-5)


def test_a_module_in_training_is_read_as_it_works_afterwards(torch: Any) -> None:
    module = torch.nn.Sequential(network(torch), torch.nn.Dropout()).train()
    mean = module[0].edges[1].running_mean.clone()
    graph = from_torch(module, np.ones((4, 1, 8, 8)))
    assert torch.equal(module[0].edges[1].running_mean, mean)
    images = np.random.default_rng(1).random((5, 1, 8, 8)).astype(np.float32)
    expected = module.eval()(torch.from_numpy(images)).detach().numpy()
    np.testing.assert_allclose(reference(graph).outputs(images), expected, atol=1e-5)


@pytest.mark.parametrize("count", [1, 3])
def test_an_example_may_be_a_tensor_of_another_type_and_several(torch: Any, count: int) -> None:
    example = torch.zeros(count, 1, 8, 8, dtype=torch.uint8)
    assert from_torch(network(torch), example).input.shape == (1, 8, 8)


def test_a_module_used_twice_has_layers_of_two_names(torch: Any) -> None:
    graph = from_torch(made(torch, lambda self, x: self.linear(torch.relu(self.linear(x)))), np.zeros((1, 8)))
    assert [layer.name for layer in graph.layers][1::2] == ["linear", "linear/Gemm_2"]


@pytest.mark.parametrize(
    ("example", "message"),
    [
        (None, "Sequential: a module of PyTorch does not say what shape it takes. Give one image or more"),
        ("image.png", r'Sequential example: expected one image.*batch axis first.* \(got "str: '),
        (np.zeros(8), r"Sequential example: expected .* batch axis first.*shape \(8,\)"),
        (np.zeros((0, 1, 8, 8)), r"Sequential example: expected .*shape \(0, 1, 8, 8\)"),
        (np.zeros((1, 8, 8, 1)), r"does not take the example, of shape \(1, 8, 8, 1\).*RuntimeError: .*channels"),
        (np.zeros((1, 1, 9, 12)), r"does not take the example.*RuntimeError: mat1 and mat2"),
    ],
)
def test_a_wrong_example(torch: Any, example: Any, message: str) -> None:
    module = network(torch).train()
    with pytest.raises(ConversionError, match=message):
        read_network(module, example=example)
    assert module.training


def test_a_layer_that_is_not_read(torch: Any) -> None:
    with pytest.raises(ConversionError, match=r"Mine: Node 'node_tanh', operator Tanh.*Use ReLU instead"):
        read_network(made(torch, lambda self, x: torch.tanh(self.linear(x))), example=np.zeros((1, 8)))


@pytest.mark.parametrize(
    ("forward", "message"),
    [
        (lambda self, x: (self.linear(x), x), r"Mine.forward\(\): expected one tensor \(got 'tuple'\)"),
        (lambda self, x: self.linear(x).view(2, -1), r"one answer for each of 1 images.*\(2, 4\).*x.flatten\(1\)"),
        (lambda self, x, y: self.linear(x + y), r"TypeError: .*missing 1 required positional argument: 'y'"),
    ],
)
def test_a_module_of_another_form(torch: Any, forward: Any, message: str) -> None:
    with pytest.raises(ConversionError, match=message):
        read_network(made(torch, forward), example=np.zeros((1, 8)))


def test_a_batch_that_only_the_example_has(torch: Any) -> None:
    with pytest.raises(ConversionError, match=r"one answer for each of 3 images"):
        read_network(made(torch, lambda self, x: self.linear(x).view(2, -1)), example=np.zeros((2, 8)))


def test_a_module_of_another_precision_is_refused(torch: Any) -> None:
    with pytest.raises(ConversionError, match=r"expected float32 \(got 'torch.float64'\). Convert it.*float\(\)"):
        read_network(network(torch).double(), example=IMAGE)


def test_torchscript_is_refused(torch: Any) -> None:
    traced = torch.jit.trace(network(torch).eval(), torch.zeros(1, 1, 8, 8))
    with pytest.raises(ConversionError, match=r"is TorchScript.*Give the module it was made of"):
        read_network(traced, example=IMAGE)


def test_what_torch_wraps_a_module_in_is_looked_through(torch: Any) -> None:
    for wrapped in (torch.compile(network(torch)), torch.nn.DataParallel(network(torch))):
        assert from_torch(wrapped, IMAGE)["digit"].shape == (10,)


def test_a_forward_that_takes_any_number_of_inputs(torch: Any) -> None:
    graph = from_torch(made(torch, lambda self, *x: self.linear(x[0])), np.zeros((1, 8)))
    assert graph["linear"].shape == (8,)


def test_what_cannot_be_exported(torch: Any) -> None:
    module = made(torch, lambda self, x: self.linear(x) if x.sum() > 0 else x)
    with pytest.raises(
        ConversionError, match=r"Mine: PyTorch does not export it to ONNX.*one tensor and does the same"
    ):
        read_network(module, example=np.zeros((1, 8)))


def test_an_export_that_is_not_the_module(torch: Any) -> None:
    calls = []

    def forward(self: Any, x: Any) -> Any:
        calls.append(x)
        return self.linear(x) * (len(calls) if len(calls) > 2 else 1)

    with pytest.raises(ConversionError, match=r"does not compute what the module does. Does it draw random"):
        read_network(made(torch, forward), example=np.zeros((1, 8)))


def test_nothing_is_left_of_the_export(torch: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    from_torch(network(torch), IMAGE)
    assert not list(tmp_path.iterdir())
