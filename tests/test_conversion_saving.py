"""Converted networks as files: the same network comes back, and other files are refused by name."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conversion_networks import chain, pooled, residual

from biosnn.ann import Graph
from biosnn.conversion import convert, is_converted, load, save
from biosnn.errors import ConversionError


def images_of(graph: Graph, n: int = 4) -> np.ndarray:
    return np.random.default_rng(0).random((n, *graph.input.shape)).astype(np.float32)


@pytest.mark.parametrize(
    ("make", "options"),
    [
        (residual, {"neuron": "lif_soft", "per": "layer", "alpha": 0.9, "start": 0.25}),
        (pooled, {"input": "regular", "output": "counts"}),
        (lambda: chain(4, 5, 3), {"code": "first spike", "method": "max"}),
    ],
)
def test_a_network_comes_back_as_it_was(tmp_path: Path, make: Any, options: dict[str, Any]) -> None:
    graph = make()
    snn = convert(graph, images_of(graph), **options)
    save(snn, tmp_path / "network.npz")
    assert is_converted(tmp_path / "network.npz")
    back = load(tmp_path / "network.npz")
    assert str(back) == str(snn)
    assert back.options.balance == snn.options.balance
    assert (back.options.code, back.options.input, back.options.start) == (
        snn.options.code,
        snn.options.input,
        snn.options.start,
    )
    assert back.options.model == snn.options.model
    found, expected = (one.run(images_of(graph), 6, target="numpy").potentials for one in (back, snn))
    np.testing.assert_array_equal(found, expected)
    assert [path.name for path in tmp_path.iterdir()] == ["network.npz"]


def test_its_texts_can_be_read_by_anybody(tmp_path: Path) -> None:
    graph = chain(4, 5, 3)
    save(convert(graph, images_of(graph)), tmp_path / "network.npz")
    with zipfile.ZipFile(tmp_path / "network.npz") as archive:
        about = json.loads(archive.read("network.json"))
        assert [layer["kind"] for layer in about["layers"]] == ["Input", "Linear", "Relu", "Linear"]
        assert b'name = "if_soft"' in archive.read("neuron.toml")


def changed(path: Path, change: Any) -> Path:
    """A saved network whose description was changed by hand."""
    graph = chain(4, 5, 3)
    save(convert(graph, images_of(graph)), path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    about = json.loads(members["network.json"])
    change(about, members)
    members.setdefault("network.json", b"")
    if members["network.json"] and members["network.json"] != b"no JSON":
        members["network.json"] = json.dumps(about).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            if content:
                archive.writestr(name, content)
    return path


WRONG: dict[str, tuple[Any, str]] = {
    "another format": (lambda about, _: about.update(format=99), r"format: expected 1 \(got 99\)"),
    "no JSON": (
        lambda _, members: members.update({"network.json": b"no JSON"}),
        "network.json: cannot be read as JSON",
    ),
    "no description": (lambda _, members: members.update({"network.json": b""}), "expected a converted network"),
    "an unknown kind": (lambda about, _: about["layers"][1].update(kind="Softmax"), "No kind named 'Softmax'"),
    "an unknown field": (lambda about, _: about["layers"][1].update(size=3), "No field named 'size'"),
    "no layers": (lambda about, _: about.pop("layers"), "the field 'layers' is missing"),
    "a layer without a name": (lambda about, _: about["layers"][1].pop("name"), r"layers None: the fields 'name', "),
    "a cycle": (lambda about, _: about["layers"][1].update(inputs=["relu1"]), "cycle"),
    "a missing array": (
        lambda about, _: about["arrays"].pop("layers/sum1/weight"),
        "layers 'sum1': the field 'weight' is missing",
    ),
    "weights in the text": (
        lambda about, _: about["layers"][1].update(weight=[[1.0]]),
        "layers 'sum1': No field named 'weight'",
    ),
    "a number that is none": (lambda about, _: about.update(highest=float("nan")), "highest: expected a finite number"),
    "a field more": (lambda about, _: about.update(licence="mine"), r"network\.json: No field named 'licence'"),
    "no thresholds": (lambda about, _: about["arrays"].pop("thresholds/relu1"), "thresholds/relu1: expected 5 numbers"),
    "a field of another type": (lambda about, _: about.update(lowest="zero"), "lowest: expected int or float"),
    "options": (lambda about, _: about["options"].update(input="video"), "Options.input: expected analog"),
    "an option more": (lambda about, _: about["options"].update(speed=3), "No field named 'speed'"),
    "an array of 10 GB": (
        lambda about, _: about["arrays"]["layers/sum1/weight"].update(shape=[10**5, 10**5]),
        r"expected shape and dtype .*100000, 100000",
    ),
    "a neuron that is none": (lambda _, members: members.update({"neuron.toml": b"kind = 3"}), "kind"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_damaged_file_is_told_clearly(tmp_path: Path, case: str) -> None:
    change, message = WRONG[case]
    with pytest.raises(ConversionError, match=message) as told:
        load(changed(tmp_path / "network.npz", change))
    assert "network.npz" in str(told.value)


def test_fields_that_were_written_though_they_say_nothing_are_read(tmp_path: Path) -> None:
    """Version 0.1.0 has written them."""

    def older(about: Any, _: Any) -> None:
        assert "percentile" not in about["balance"]
        about["balance"].update(percentile=None)

    assert load(changed(tmp_path / "network.npz", older)).options.balance.percentile is None


def test_files_that_are_something_else(tmp_path: Path) -> None:
    graph = chain(4, 5, 3)
    snn = convert(graph, images_of(graph))
    with pytest.raises(ConversionError, match=r"a file name that ends in \.npz"):
        save(snn, tmp_path / "network.onnx")
    with pytest.raises(ConversionError, match="cannot be written"):
        save(snn, tmp_path / "nowhere" / "network.npz")
    with pytest.raises(ConversionError, match="no such file"):
        load(tmp_path / "network.npz")
    (tmp_path / "text.npz").write_text("nothing")
    with pytest.raises(ConversionError, match="cannot be read as an npz archive"):
        load(tmp_path / "text.npz")
    np.savez(tmp_path / "arrays.npz", x=np.ones(3))
    with pytest.raises(ConversionError, match="expected a converted network"):
        load(tmp_path / "arrays.npz")
    assert not is_converted(tmp_path / "arrays.npz")
    assert not is_converted(tmp_path / "text.npz")
    assert not is_converted("digits_cnn")
