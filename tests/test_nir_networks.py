"""Networks of NIR as ordinary ones, and networks written as NIR files."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import ms

pytest.importorskip("nir")

import nir
from nir_graphs import chain, convolutional, entrance, exit_, integrate_and_fire, lif, mixed, normal, recurrent, saved
from nir_reference import mapped

import biosnn
from biosnn.ann import reference
from biosnn.conversion import read_network
from biosnn.errors import ConversionError
from biosnn.nir import NirNetwork, ann_graph, export_nir, read_nir, run_nir, write_nir
from biosnn.nir import kinds as nir_kinds

RNG = np.random.default_rng(8)


def computed(graph: Any, x: np.ndarray, order: str, relu: bool = False) -> np.ndarray:
    """What the nodes compute one after another, IF neurons as ReLU."""
    sent: dict[str, np.ndarray] = {}
    for name in order.split():
        node = graph.nodes[name]
        arriving = x if name == "input" else sum(sent[a] for a, b in graph.edges if b == name)
        if relu and isinstance(node, nir.IF):
            sent[name] = node.r * np.maximum(arriving, 0) / node.v_threshold
        else:
            sent[name] = mapped(node, arriving)
    return sent[order.split()[-1]]


def linear() -> Any:
    """All nodes without memory, and two ways that meet."""
    nodes = {
        "input": entrance(4, 9, 8),
        "conv": nir.Conv2d((9, 8), normal(6, 2, 3, 2), (2, 1), (1, 0), (1, 2), 2, normal(6)),
        "sum": nir.SumPool2d(np.array([2, 2]), np.array([1, 2]), np.array([1, 0])),
        "mean": nir.AvgPool2d(np.array([2, 2]), np.array([1, 2]), np.array([1, 0])),
        "scale": nir.Scale(normal(6, 6, 3)),
        "flat": nir.Flatten({"input": np.array([6, 6, 3])}, 0, -1),
        "fc": nir.Affine(normal(5, 108), normal(5)),
        "last": nir.Linear(normal(3, 5)),
        "output": exit_(3),
    }
    edges = "input-conv conv-sum conv-mean mean-scale sum-flat scale-flat flat-fc fc-last last-output"
    return nir.NIRGraph(nodes, [tuple(edge.split("-")) for edge in edges.split()], type_check=False)


def test_a_network_without_memory(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    graph, order = linear(), "input conv sum mean scale flat fc last output"
    images = RNG.normal(size=(5, 4, 9, 8))
    found = read_network(saved(tmp_path, graph))
    expected = np.array([computed(graph, image, order) for image in images])
    np.testing.assert_allclose(reference(found).outputs(images), expected, rtol=1e-4, atol=1e-3)
    with biosnn.session("numpy", dt=1 * ms) as sim:  # the same as spiking networks have it, which there are none in
        np.testing.assert_allclose(run_nir(sim, read_nir(graph), images).output, expected, atol=1e-9)


def test_if_neurons_for_relu(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    graph = convolutional()
    for node in graph.nodes.values():
        if isinstance(node, nir.IF):
            node.r = np.ones_like(node.r)
    images = RNG.random((4, 2, 10, 11))
    order = "input c1 i1 p1 c2 i2 p2 i3 c3 i4 flat fc i5 output"
    expected = np.array([computed(graph, image, order, relu=True) for image in images])
    path = saved(tmp_path, graph)
    found = read_network(path, spiking_as="relu")
    np.testing.assert_allclose(reference(found).outputs(images), expected, rtol=1e-4, atol=1e-3)
    assert (expected > 0).any()
    assert [layer.name for layer in found.layers if type(layer).__name__ == "Relu"] == ["i1", "i2", "i3", "i4", "i5"]
    half = ann_graph(read_nir(path), spiking_as="relu", dt=0.5)
    first = reference(half).activations(images, ["i1_gain"])["i1_gain"]
    np.testing.assert_allclose(first, reference(found).activations(images, ["i1_gain"])["i1_gain"] / 2, rtol=1e-5)
    with pytest.raises(ConversionError, match=r"'i1' \(IF\): the network spikes.*read_nir.*spiking_as='relu'"):
        read_network(path)


def test_the_rate_of_neurons_is_what_their_relu_says() -> None:
    """With soft reset from half the threshold, the count after any number of steps is right but for one spike."""
    threshold = np.array([0.5, 1.0, 2.0])
    metadata = {"reset": "subtract", "v_initial": threshold / 2, "fires": ">="}
    graph = chain(input=entrance(3), n=nir.IF(np.full(3, 1000.0), threshold, metadata=metadata), output=exit_(3))
    values = np.array([0.3, -0.2, 0.7])
    with biosnn.session("numpy", dt=1 * ms) as sim:
        spikes = run_nir(sim, read_nir(graph), np.tile(values, (200, 1))).output
    gain = ann_graph(read_nir(graph), spiking_as="relu", dt=1e-3)["n_gain"].weight  # type: ignore[attr-defined]
    assert np.all(np.abs(spikes.sum(0) - 200 * np.maximum(values, 0) * gain) <= 1)


def test_what_is_no_ordinary_network(tmp_path: Path) -> None:
    cases = [
        (recurrent(), None, r"'cuba' \(CubaLIF\): an ordinary network has no such node. Run the network as it is"),
        (recurrent(), "relu", r"'cuba' \(CubaLIF\): an ordinary network has no such node"),
        (recurrent(), "ReLU", r"spiking_as: expected None or 'relu' \(got 'ReLU'\)"),
        (mixed(), "relu", r"\(\w+\): an ordinary network has no such node"),
    ]
    nodes = {"input": entrance(2), "n": integrate_and_fire(2), "output": exit_(2)}
    edges = [("input", "n"), ("n", "n"), ("n", "output")]
    cases.append((nir.NIRGraph(nodes, edges), "relu", "A path leads from 'n' back to 'n'"))
    odd = nir.IF(np.ones(2), np.ones(2), np.full(2, 0.1))
    cases.append((chain(input=entrance(2), n=odd, output=exit_(2)), "relu", "v_reset: expected 0"))
    low = nir.IF(np.ones(2), -np.ones(2))
    cases.append((chain(input=entrance(2), n=low, output=exit_(2)), "relu", "v_threshold and r above 0"))
    two = {"a": entrance(2), "b": entrance(2), "w": nir.Scale(np.ones(2)), "output": exit_(2)}
    edges = [("a", "w"), ("b", "w"), ("w", "output")]
    cases.append((nir.NIRGraph(two, edges), None, r"The network: expected one Input \(got \['a', 'b'\]\)"))
    for graph, spiking_as, message in cases:
        path = saved(tmp_path, graph)
        with pytest.raises(ConversionError, match=message) as caught:
            read_network(path, spiking_as=spiking_as)
        assert str(path) in str(caught.value)
    with pytest.raises(ConversionError, match="dt: expected a time above 0 s"):
        ann_graph(read_nir(convolutional()), "relu", dt=0)


def test_spiking_as_is_for_nir(tmp_path: Path) -> None:
    (tmp_path / "network.onnx").write_bytes(b"")
    with pytest.raises(ConversionError, match="spiking_as is for NIR files"):
        read_network(tmp_path / "network.onnx", spiking_as="relu")


@pytest.mark.parametrize("make", [convolutional, recurrent, mixed, linear])
def test_what_is_written_is_read_again(tmp_path: Path, make: Any) -> None:
    graph = make()
    graph.metadata = {"trained": "by hand", "accuracy": np.array([0.5])}
    network = read_nir(graph)
    write_nir(network, tmp_path / "again.nir")
    again = read_nir(tmp_path / "again.nir")
    assert (set(again.edges), dict(again.shapes)) == (set(network.edges), dict(network.shapes))
    assert again.metadata["trained"] == "by hand"
    assert set(again.nodes) == set(network.nodes)
    for name, node in network.nodes.items():
        other = again.nodes[name]
        assert other.kind == node.kind
        for field in vars(node).keys() - {"metadata", "input_type", "input_shape"}:
            mine, its = getattr(node, field), getattr(other, field)
            np.testing.assert_array_equal(its, mine, err_msg=f"{name}.{field}")
            assert getattr(its, "dtype", None) == getattr(mine, "dtype", None)
    assert set(nir.read(tmp_path / "again.nir", type_check=False).nodes) == set(network.nodes)


def converted() -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """As the conversion of an ordinary network has it: thresholds of their own, soft reset."""
    # Numbers of its own, in whatever order tests run: with some, no neuron would ever fire.
    kinds, rng = nir_kinds, np.random.default_rng(8)
    nodes = {
        "input": kinds.Input(shape=(2, 6, 6)),
        "conv": kinds.Conv2d(weight=rng.normal(size=(4, 2, 3, 3)), bias=rng.normal(size=4), padding=(1, 1)),
        "if1": kinds.IF(r=1000.0, v_threshold=rng.uniform(1, 2, (4, 6, 6)), reset="subtract", fires=">="),
        "flat": kinds.Flatten(start_dim=0),
        "fc": kinds.Affine(weight=rng.normal(size=(3, 144)), bias=rng.normal(size=3)),
        "if2": kinds.IF(r=1000.0, v_threshold=np.ones(3), v_initial=np.full(3, 0.5), reset="subtract"),
        "output": kinds.Output(shape=(3,)),
    }
    return nodes, list(pairwise(nodes))


def test_nodes_are_exported(tmp_path: Path) -> None:
    nodes, edges = converted()
    network = export_nir(nodes, edges, tmp_path / "network.nir", {"source": "biosnn"})
    theirs = nir.read(tmp_path / "network.nir")
    assert theirs.nodes["if1"].metadata == {"reset": "subtract", "fires": ">="}
    assert set(theirs.nodes["if2"].metadata) == {"reset", "v_initial"}
    assert theirs.metadata["source"] == "biosnn"
    assert theirs.nodes["if1"].r.shape == (4, 6, 6)
    inputs = RNG.random((20, 2, 6, 6))
    runs = []
    for each in (network, read_nir(tmp_path / "network.nir")):
        with biosnn.session("numpy", dt=1 * ms) as sim:
            runs.append(run_nir(sim, each, inputs, record="if1"))
    assert runs[0].spikes["if1"].any()
    np.testing.assert_array_equal(runs[0].spikes["if1"], runs[1].spikes["if1"])
    np.testing.assert_array_equal(runs[0].output, runs[1].output)


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nodes, edges = converted()
    path = tmp_path / "network.nir"
    path.write_text("what was there")

    def full(file: Path, *_: Any) -> None:
        file.write_text("half")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(nir, "write", full)
        with pytest.raises(ConversionError, match=r"network.nir cannot be written: .*No space left"):
            export_nir(nodes, edges, path)
    assert path.read_text() == "what was there"
    assert [file.name for file in tmp_path.iterdir()] == ["network.nir"]
    with pytest.raises(ConversionError, match="cannot be written"):
        export_nir(nodes, edges, tmp_path / "nowhere" / "network.nir")
    with pytest.raises(ConversionError, match=r"The network metadata 'a': expected a text or numbers \(got 'object'\)"):
        export_nir(nodes, edges, path, {"a": object()})


def test_neurons_whose_parameters_are_single_numbers(tmp_path: Path) -> None:
    """As some frameworks write them: they have the shape of what comes in."""
    single = nir_kinds.LIF(tau=0.01, r=2.0, v_leak=0.0, v_threshold=1.0)
    nodes = {"input": nir_kinds.Input(shape=(3,)), "lif": single, "output": nir_kinds.Output(shape=(3,))}
    network = export_nir(nodes, [("input", "lif"), ("lif", "output")], tmp_path / "network.nir")
    assert network.shapes["lif"] == (3,)
    assert read_nir(tmp_path / "network.nir").nodes["lif"].tau.shape == (3,)  # type: ignore[attr-defined]
    with biosnn.session("numpy", dt=1 * ms) as sim:
        assert run_nir(sim, network, np.full((50, 3), 2.0)).output.any()


def test_what_a_network_looks_like() -> None:
    text = str(read_nir(recurrent()))
    assert text.splitlines()[0] == "input    Input    5"
    assert text.splitlines()[-1].split() == ["output", "Output", "6"]
    assert len(text.splitlines()) == 7


def test_a_network_is_frozen() -> None:
    network = read_nir(chain(input=entrance(2), lif=lif(2), output=exit_(2)))
    assert isinstance(network, NirNetwork)
    with pytest.raises(TypeError):
        network.nodes["lif"] = None  # type: ignore[index]
    with pytest.raises(ValueError, match="read-only"):
        network.nodes["lif"].tau[0] = 1  # type: ignore[attr-defined]


def test_what_is_no_network(tmp_path: Path) -> None:
    graph = chain(input=entrance(2), lif=lif(2), output=exit_(2))
    inner = nir_kinds.Input(shape=(2,)), nir_kinds.Output(shape=(2,))
    good = {"input": inner[0], "output": inner[1]}
    message = r"expected a NirNetwork \(got '.*NIRGraph'\). read_nir makes one"
    with pytest.raises(ConversionError, match=f"write_nir network: {message}"):
        write_nir(graph, tmp_path / "network.nir")
    with pytest.raises(ConversionError, match=f"ann_graph network: {message}"):
        ann_graph(graph)
    with biosnn.session("numpy") as sim, pytest.raises(ConversionError, match=f"run_nir network: {message}"):
        run_nir(sim, graph, np.ones((3, 2)))
    with pytest.raises(ConversionError, match=r"run_nir sim: expected an open session \(got 'NoneType'\)"):
        run_nir(None, read_nir(graph), np.ones((3, 2)))  # type: ignore[arg-type]
    with pytest.raises(
        ConversionError, match=r"Node 'lif': expected a node of biosnn \(got 'nir.*LIF'\). Make it with"
    ):
        NirNetwork(graph.nodes | good, tuple(graph.edges))
    with pytest.raises(ConversionError, match=r"NirNetwork nodes: expected nodes by their names \(got 'list'\)"):
        NirNetwork(list(good.values()), ())  # type: ignore[arg-type]
    with pytest.raises(ConversionError, match="NirNetwork edges: expected pairs of names"):
        NirNetwork(good, (("input", "output", "more"),))  # type: ignore[arg-type]
