"""Networks that are trained by gradients as files: saved, loaded, shown, and refused where they are wrong."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import nA
from cli_user import biosnn
from test_training_brian import ADAPTIVE, LIF, READOUT, network, spikes

from biosnn.errors import TrainingError
from biosnn.projection import Conv2D, Dense, Lateral, OneToOne, Pool2D, Shortcut, Sparse
from biosnn.training import Connection, Layer, Surrogate, TrainableNetwork, feedforward, load_network, save_network
from biosnn.training.engines.numpy_engine import NumpyEngine

PAIRS = Sparse.pairs([0, 0, 5, 1, 2, 3, 4, 4, 4], [1, 1, 0, 2, 7, 6, 5, 4, 1], shape=(6, 8))
IN_NANOAMPS = replace(
    LIF, name="lif_in_nA", equations="dv/dt = (I*Mohm/mV - v)/tau_m : 1\ndI/dt = -I/tau_s : amp", method="euler"
)
TRAINED = {"tau_m": ("5 ms", "50 ms"), "v_th": ("0.5", "2")}


def trained() -> TrainableNetwork:
    """What training may have come to: other weights and parameters than those of the beginning."""
    net = network(ADAPTIVE, readout=READOUT, recurrent=3, trained=TRAINED)
    random = np.random.default_rng(5)
    net.weights = {name: weights + random.normal(0, 0.1, weights.shape) for name, weights in net.weights.items()}
    net.parameters = {"hidden.tau_m": 0.021234567890123456, "hidden.v_th": 1 / 0.9}
    return net


@pytest.mark.parametrize(
    "make",
    [
        trained,
        lambda: network(kinds=(PAIRS, Dense())),
        lambda: network(kinds=(Conv2D((4, 4, 2), 3, padding=(1, 1)), Pool2D((4, 4, 3), 2)), sizes=(32, 48, 12)),
        lambda: network(kinds=(OneToOne(), Lateral()), sizes=(6, 6, 6), weights=(9, 2)),
        lambda: network(kinds=(Shortcut((4, 4, 2)), Dense()), sizes=(32, 32, 4)),
        lambda: network(IN_NANOAMPS, gain=1 * nA, keep_sign=True),
    ],
)
def test_a_network_that_was_saved_and_loaded_answers_the_same_to_the_last_bit(make: Any, tmp_path: Path) -> None:
    net = make()
    save_network(net, tmp_path / "network.npz")
    found = load_network(tmp_path / "network.npz")
    expected, answer = (NumpyEngine(one, Surrogate(), "mean_potential").forward(spikes(net)) for one in (net, found))
    assert len(expected.spikes["hidden"].step) > 20
    np.testing.assert_array_equal(answer.features, expected.features)
    for name, one in expected.spikes.items():
        np.testing.assert_array_equal(answer.spikes[name].step, one.step)
        np.testing.assert_array_equal(answer.spikes[name].neuron, one.neuron)
    for name in ("inputs", "dt", "duration", "output", "parameters"):
        assert getattr(found, name) == getattr(net, name), name
    assert [(one.name, one.size, one.model, one.trained) for one in found.layers] == [
        (one.name, one.size, one.model, one.trained) for one in net.layers
    ]
    for one, other in zip(found.connections, net.connections, strict=True):
        for name in ("name", "source", "target", "onto", "gain", "delay", "trained", "keep_sign"):
            assert getattr(one, name) == getattr(other, name), name


def test_a_connection_that_keeps_its_signs_has_those_of_its_first_weights_still(tmp_path: Path) -> None:
    net = network(keep_sign=True)
    net.weights["input_to_hidden"][:] = 0
    save_network(net, tmp_path / "network.npz")
    found = load_network(tmp_path / "network.npz")
    assert not found.weights["input_to_hidden"].any()
    np.testing.assert_array_equal(found.connections[0].weight, net.connections[0].weight)


def test_the_file_is_read_by_numpy_and_unzip(tmp_path: Path) -> None:
    net = trained()
    save_network(net, tmp_path / "network.npz")
    with zipfile.ZipFile(tmp_path / "network.npz") as archive:
        about = json.loads(archive.read("training.json"))
        assert 'name = "lif_adapts"' in archive.read("hidden.toml").decode()
    assert about["connections"][2] | {"kind": {}} == {
        "name": "hidden_to_hidden",
        "source": "hidden",
        "target": "hidden",
        "kind": {},
        "onto": "I",
        "gain": 1.0,
        "delay": 3,
        "trained": True,
        "keep_sign": False,
    }
    weights = np.load(tmp_path / "network.npz")[about["arrays"]["weights hidden_to_hidden"]["key"]]
    np.testing.assert_array_equal(weights, net.weights["hidden_to_hidden"])


class OwnKind(Dense):
    """A kind of a user's own."""


def infinite() -> TrainableNetwork:
    net = network(trained={"tau_m": ("1 ms", "50 ms")})
    net.parameters["hidden.tau_m"] = float("inf")
    return net


@pytest.mark.parametrize(
    ("net", "name", "message"),
    [
        (
            lambda: network(kinds=(OwnKind(), Dense())),
            "a.npz",
            "'input_to_hidden', kind: expected one of Dense, .*'OwnKind'",
        ),
        (infinite, "a.npz", "finite parameters and bounds"),
        (network, "a.nir", "expected a file name that ends in .npz"),
        (network, "nowhere/a.npz", "cannot be written"),
    ],
)
def test_what_no_file_can_tell_is_refused(net: Any, name: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=message):
        save_network(net(), tmp_path / name)
    assert not list(tmp_path.iterdir())


def changed(path: Path, place: tuple[Any, ...] = (), value: Any = None, **members: bytes | None) -> None:
    """Write another value into training.json, or other members."""
    with zipfile.ZipFile(path) as archive:
        content: dict[str, bytes | None] = {name: archive.read(name) for name in archive.namelist()}
    about = json.loads(content["training.json"] or b"")
    inner = about
    for key in place[:-1]:
        inner = inner[key]
    if place:
        inner[place[-1]] = value
    content |= {"training.json": json.dumps(about).encode()}
    content |= {name.replace("_json", ".json").replace("_toml", ".toml"): text for name, text in members.items()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in content.items():
            if text is not None:
                archive.writestr(name, text)


def npy(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


CONNECTION = ("connections", 0)
SIZE = ("layers", 0, "size")


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("format",), 2, r"format: expected 1 \(got 2\)"),
        (("dt",), -1e-4, "dt: expected a positive time"),
        (("duration",), 1e9, "duration: expected from 1 to a million steps"),
        (("inputs",), 0, "inputs: expected a whole number of at least 1"),
        (("inputs",), 7, r"expected the shape \(7, 8\) of Dense"),
        (("inputs",), 2**40, "expected at most 16777216 neurons"),
        (("output",), "nowhere", "output: No layer named 'nowhere'"),
        (("layers",), [], "No layer named|layers"),
        (("layers", 0, "name"), "other", "other.toml, the model of layer 'other', is missing"),
        (("layers", 0, "name"), "../a", "is missing"),
        (SIZE, "8", "size: expected int"),
        (("layers", 0, "trained"), {"tau": [0, 1]}, "No parameter named 'tau'"),
        (("layers", 0, "trained"), {"tau_m": [0.03, 0.04]}, "expected bounds around its value"),
        (("layers", 0, "trained"), {}, "parameters: expected those that are trained"),
        (("parameters", "hidden.tau_m"), 1.0, "expected a value within the bounds 0.005 and 0.05"),
        (("parameters",), {}, "parameters: expected those that are trained"),
        ((*CONNECTION, "source"), "nowhere", "source: No layer named 'nowhere'"),
        ((*CONNECTION, "target"), "nowhere", "target: No layer named 'nowhere'"),
        ((*CONNECTION, "onto"), "x", "onto: No variable named 'x'"),
        ((*CONNECTION, "onto"), "v", "onto: No input named 'v'"),
        ((*CONNECTION, "delay"), -1, "delay: expected a whole number of time steps"),
        ((*CONNECTION, "name"), "other", "weights other: expected finite numbers"),
        ((*CONNECTION, "kind"), {"kind": "Dense", "x": 1}, "Dense: No field named 'x'"),
        ((*CONNECTION, "kind"), {"kind": "os"}, "No kind named 'os'"),
        ((*CONNECTION, "kind"), {"kind": "Conv2D", "input": [1, 1, 6], "channels": 8.5}, "expected whole numbers"),
        ((*CONNECTION, "kind"), {"kind": "Conv2D", "channels": 8}, "cannot be read as a kind of connection"),
        ((*CONNECTION, "kind"), {"kind": "OneToOne"}, "expected groups of the same size"),
        (("arrays", "weights input_to_hidden", "shape"), [8, 6], "expected shape and dtype"),
        (("arrays", "weights input_to_hidden", "key"), "array_9", "has no array 'array_9'"),
    ],
)
def test_a_file_that_is_wrong_is_refused(place: tuple[Any, ...], value: Any, message: str, tmp_path: Path) -> None:
    path = tmp_path / "network.npz"
    save_network(trained(), path)
    changed(path, place, value)
    with pytest.raises(TrainingError, match=message) as raised:
        load_network(path)
    assert str(path) in str(raised.value)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"hidden_toml": b"kind = "}, "not valid TOML"),
        ({"hidden_toml": b'kind = "synapse"\nname = "a"\nsummary = "a"\nsource = "a"'}, "hidden.toml"),
        ({"hidden_toml": None}, "is missing"),
        ({"training_json": b"{"}, "training.json"),
        ({"training_json": None}, "with training.json in it"),
        ({"array_0.npy": npy(np.full((6, 8), np.nan))}, "expected finite numbers"),
        ({"array_0.npy": npy(np.ones((6, 8), np.int64))}, "expected shape and dtype"),
    ],
)
def test_members_that_are_wrong_are_refused(members: dict[str, bytes | None], message: str, tmp_path: Path) -> None:
    path = tmp_path / "network.npz"
    save_network(trained(), path)
    changed(path, **members)
    with pytest.raises(TrainingError, match=message):
        load_network(path)


def test_show_prints_layers_connections_and_trained_parameters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    save_network(trained(), "mine.npz")
    assert biosnn("show", "mine.npz") == 0
    out = " ".join(capsys.readouterr().out.split())
    for words in (
        "mine (network trained by gradients)",
        "time step 0.5 ms",
        "an example 20 ms, 40 steps",
        "weights 144, of which 144 are trained",
        "hidden 8 lif_adapts tau_m = 21.2346 ms (5 ms to 50 ms); v_th = 1.11111 (0.5 to 2)",
        "hidden to hidden Dense I 3 64 yes",
    ):
        assert words in out, words
    assert biosnn("show", "mine.npz", "--figure") == 2


def test_weights_that_are_not_trained_are_told_apart() -> None:
    from biosnn.training.export.describe import tables

    layers = [Layer("out", 3, LIF)]
    fixed = Connection("input", "out", np.ones((2, 3)), trained=False)
    kept = Connection("input", "out", np.ones((2, 3)), keep_sign=True, name="kept")
    (_, whole), _, (_, rows) = tables(TrainableNetwork(2, layers, [fixed, kept]))
    assert ("weights", "12, of which 6 are trained") in whole
    assert [(row[0], row[-1]) for row in rows] == [
        ("input to out", "no"),
        ("kept: input to out", "yes, each keeps its sign"),
    ]
    assert tables(feedforward([2, 3, 2]))[1][1] == [
        ("hidden", "3", "lif_exp_trainable", ""),
        ("output", "2", "leaky_readout", ""),
    ]
