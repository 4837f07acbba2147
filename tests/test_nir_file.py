"""NIR files that are damaged, hostile, or not of what is read: each gets an error that says what is wrong."""

from __future__ import annotations

import pickle
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("nir")

import h5py
import nir
from nir_graphs import chain, convolutional, entrance, exit_, feed_forward, integrate_and_fire, lif, saved

from biosnn import optional_dependencies
from biosnn.conversion import read_network
from biosnn.errors import ConversionError, MissingExtraError
from biosnn.nir import file as nir_file
from biosnn.nir import read_nir

NODES = "node/nodes"


def changed(folder: Path, change: Callable[[h5py.File], object]) -> Path:
    """A good file with something done to it."""
    path = saved(folder, feed_forward())
    with h5py.File(path, "r+") as file:
        change(file)
    return path


def refused(path: Any, message: str) -> str:
    with pytest.raises(ConversionError, match=message) as caught:
        read_nir(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def put(name: str, value: Any = None, **kwds: Any) -> Callable[[h5py.File], object]:
    def change(file: h5py.File) -> None:
        del file[name]
        file.create_dataset(name, data=value, **kwds)

    return change


def linked(link: Any) -> Callable[[h5py.File], object]:
    def change(file: h5py.File) -> None:
        del file[f"{NODES}/fc/weight"]
        file[f"{NODES}/fc/weight"] = link

    return change


def virtual(file: h5py.File) -> None:
    del file[f"{NODES}/fc/weight"]
    layout = h5py.VirtualLayout(shape=(12, 5), dtype="f8")
    layout[:] = h5py.VirtualSource("/etc/passwd", "weight", shape=(12, 5))
    file.create_virtual_dataset(f"{NODES}/fc/weight", layout)


def around(file: h5py.File) -> None:
    file[f"{NODES}/fc/self"] = file[f"{NODES}/fc"]


def a_bomb(file: h5py.File) -> None:
    """A piece that becomes a hundred times as large as its array."""
    import zlib

    del file[f"{NODES}/fc/bias"]
    bias = file.create_dataset(f"{NODES}/fc/bias", shape=(12,), dtype="f8", chunks=(12,), compression="gzip")
    bias.id.write_direct_chunk((0,), zlib.compress(bytes(9600)))


def a_large_piece(file: h5py.File) -> None:
    del file[f"{NODES}/fc/bias"]
    bias = file.create_dataset(f"{NODES}/fc/bias", shape=(12,), dtype="f8", chunks=(12,), compression="gzip")
    bias.id.write_direct_chunk((0,), RNG.bytes(9600))


RNG = np.random.default_rng(2)
WEIGHT = f"{NODES}/fc/weight"
HOSTILE: dict[str, tuple[Callable[[h5py.File], object], str]] = {
    "ten gigabytes": (
        put(WEIGHT, shape=(50_000, 25_000), dtype="f8", chunks=(100, 100)),
        rf"/{WEIGHT}: expected 1 to \d+ values \(got 'float64 \(50000, 25000\)'\)",
    ),
    "large in sum": (
        lambda file: [file.create_dataset(f"{NODES}/fc/m{k}", shape=(2**26,), dtype="i1") for k in range(3)],
        r"/node: expected at most \d+ values in all arrays",
    ),
    "nothing": (put(WEIGHT, shape=(0, 5), dtype="f8"), r"expected 1 to \d+ values"),
    "a null array": (put(WEIGHT, h5py.Empty("f8")), r"weight: expected numbers or text \(got 'nothing'\)"),
    "an object": (put(WEIGHT, np.void(pickle.dumps({}))), r"weight: expected numbers or text .*could run any code"),
    "a reference": (
        lambda file: put(WEIGHT, file[NODES].ref, dtype=h5py.ref_dtype)(file),
        "weight: expected numbers or text",
    ),
    "lists": (
        put(WEIGHT, shape=(3,), dtype=h5py.vlen_dtype(np.dtype("f8"))),
        "weight: expected numbers or text",
    ),
    "a soft link": (
        linked(h5py.SoftLink("/node/nodes/fc/bias")),
        r"weight: expected a part of the file \(got 'SoftLink'",
    ),
    "a link to a file": (linked(h5py.ExternalLink("/etc/passwd", "/")), r"a part of the file \(got 'ExternalLink'"),
    "an array in a file": (
        put(WEIGHT, shape=(12, 5), dtype="f8", external="/etc/passwd"),
        "weight: expected numbers in the file itself",
    ),
    "a virtual array": (virtual, "weight: expected numbers in the file itself"),
    "a group in itself": (around, r"expected at most 32 groups in one another"),
    "a bomb": (a_bomb, r"bias: expected pieces of 96 bytes \(got 97\)"),
    "a large piece": (a_large_piece, r"bias: expected pieces of at most 96 bytes \(got 9600\)"),
    "another filter": (put(WEIGHT, np.ones((12, 5)), compression="lzf"), r"weight: expected arrays compressed by gzip"),
    "huge pieces": (
        put(WEIGHT, shape=(12, 5), dtype="f8", chunks=(2**24, 2**4), maxshape=(None, None)),
        r"weight: expected pieces no larger than \(12, 5\)",
    ),
    "a long text": (put(f"{NODES}/fc/type", "Affine" * 1000), r"a text of at most 4096 characters"),
    "a wide text": (
        put(f"{NODES}/fc/type", np.array("Affine", "S9999")),
        r"type: expected texts of at most 4096 bytes \(got 9999\)",
    ),
    "a text of no code": (put(f"{NODES}/fc/type", b"\xff\xfe", dtype="S2"), "a text of at most 4096 characters"),
    "no node": (lambda file: file.move("node", "nodes"), "/node: it has no group of this name"),
    "an array for a node": (put(f"{NODES}/fc", 3.0), r"Node 'fc': expected a node with a type \(got 'ndarray'\)"),
    "no type": (lambda file: file.__delitem__(f"{NODES}/fc/type"), "Node 'fc': No kind of node named 'None'"),
    "a node for a graph": (lambda file: put("node/type", "Affine")(file), "its root: expected a NIRGraph .*from_list"),
    "no edges": (put("node/edges", [1, 2]), r"The graph: expected nodes by name, and edges as pairs of names"),
    "edges of three": (put("node/edges", [["a", "b", "c"]]), "edges as pairs of names"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_file(tmp_path: Path, case: str) -> None:
    change, message = HOSTILE[case]
    refused(changed(tmp_path, change), message)


def test_too_many_objects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nir_file, "MOST_OBJECTS", 10)
    refused(saved(tmp_path, feed_forward()), "at most 10 objects")


def test_too_many_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nir_file, "MOST_BYTES", 1000)
    refused(saved(tmp_path, feed_forward()), "its size: expected at most 1000 bytes")


def test_a_truncated_file(tmp_path: Path) -> None:
    path = saved(tmp_path, feed_forward())
    content = path.read_bytes()
    for length in range(0, len(content), 997):
        path.write_bytes(content[:length])
        refused(path, r"truncated or damaged|no HDF5 file")
    path.write_bytes(content[: len(content) // 2])
    refused(path, r"truncated or damaged: .*Copy it again, or write it again with nir.write")


@pytest.mark.parametrize("size", [255, 2**40])
def test_a_heap_of_texts_without_end(tmp_path: Path, size: int) -> None:
    """HDF5 itself goes through it for ever: what follows the object that claims to be longer has no size."""
    path = saved(tmp_path, feed_forward())
    content = bytearray(path.read_bytes())
    heap = content.index(b"GCOL")
    last = content.rindex(b"output", heap, heap + 4096)
    content[last - 8 : last] = size.to_bytes(8, "little")
    path.write_bytes(content)
    refused(path, f"truncated or damaged: the texts at byte {heap}")


def test_damaged_bytes(tmp_path: Path) -> None:
    """Whatever is wrong in a file, the error is ours, or the network can be read."""
    path = saved(tmp_path, feed_forward())
    content = path.read_bytes()
    chance = random.Random(1)
    for _ in range(150):
        wrong = bytearray(content)
        for _ in range(3):
            wrong[chance.randrange(8, len(wrong))] = chance.randrange(256)
        path.write_bytes(wrong)
        try:
            read_nir(path)
        except ConversionError:
            continue


def test_other_files(tmp_path: Path) -> None:
    path = tmp_path / "network.nir"
    path.write_bytes(b"weights")
    refused(path, "it is no HDF5 file, as nir.write makes them")
    path.write_bytes(pickle.dumps({}))
    with pytest.raises(ConversionError, match="no HDF5 file"):
        read_network(path)
    path.unlink()
    refused(path, "no such file")
    with pytest.raises(ConversionError, match=r"the path of a file, or a nir.NIRGraph \(got 'builtins.dict'\)"):
        read_nir({})
    with h5py.File(tmp_path / "network.h5", "w") as file:
        file.create_group("model_weights")
    with pytest.raises(ConversionError, match=r"an HDF5 file without an NIR network, as Keras writes.*tf2onnx"):
        read_network(tmp_path / "network.h5")


def test_nir_in_a_file_of_another_name(tmp_path: Path) -> None:
    graph = chain(input=entrance(3), fc=nir.Linear(np.ones((2, 3))), output=exit_(2))
    for name in ("network.h5", "network.hdf5", "network"):
        assert read_network(saved(tmp_path, graph, name))["fc"].shape == (2,)


def test_a_missing_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path, feed_forward())

    def missing(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}")

    monkeypatch.setattr(optional_dependencies.importlib, "import_module", missing)
    with pytest.raises(
        MissingExtraError, match=r"needs h5py, which is not installed.*extra 'convert': .* -m pip install "
    ):
        read_nir(path)


def affine(weight: Any, bias: Any) -> Any:
    return chain(input=entrance(3), fc=nir.Affine(weight, bias), output=exit_(4))


def with_edges(*edges: tuple[str, str], **nodes: Any) -> Any:
    nodes = {"input": entrance(3), "lif": lif(3), "output": exit_(3), **nodes}
    return nir.NIRGraph(nodes, list(edges), type_check=False)


class Told:
    """A graph with fields that the library would not let pass."""

    def __init__(self, graph: Any, **fields: Any) -> None:
        self.table = graph.to_dict()
        self.table["nodes"]["conv"] |= fields

    def to_dict(self) -> dict[str, Any]:
        return self.table


def conv(**fields: Any) -> Any:
    node = nir.Conv2d((8, 8), np.ones((4, 2, 3, 3)), 1, 0, 1, 1, np.ones(4))
    return Told(chain(input=entrance(2, 8, 8), conv=node, output=exit_(4, 6, 6)), **fields)


def pool(kernel: Any, stride: Any, padding: Any = (0, 0)) -> Any:
    return chain(
        input=entrance(2, 8, 8), pool=nir.SumPool2d(*map(np.array, (kernel, stride, padding))), output=exit_(2)
    )


IN, OUT, ONES = ("input", "lif"), ("lif", "output"), nir.Scale(np.ones(3))
WRONG: dict[str, tuple[Any, str]] = {
    "NaN": (affine(np.full((4, 3), np.nan), np.ones(4)), r"'fc': Affine weight: expected finite numbers .*12 NaN"),
    "bias": (affine(np.ones((4, 3)), np.ones(3)), r"Affine bias: expected the shape \(4,\), one for each output"),
    "axes": (affine(np.ones((1, 4, 3)), np.ones(4)), r"Affine weight: expected 2 axes \(got \(1, 4, 3\)\)"),
    "inputs": (
        affine(np.ones((4, 5)), np.ones(4)),
        r"Node 'fc', which takes its input from 'input': Affine input: expected the shape \(5,\) \(got \(3,\)\)",
    ),
    "outputs": (affine(np.ones((5, 3)), np.ones(5)), r"Node 'output', .*expected the shape \(4,\) \(got \(5,\)\)"),
    "no flatten": (
        chain(input=entrance(2, 4, 4), fc=nir.Linear(np.ones((3, 32))), output=exit_(3)),
        r"'fc'.*expected the shape \(32,\) \(got \(2, 4, 4\)\). Put a Flatten before it, with start_dim=0",
    ),
    "flatten": (
        chain(input=entrance(4), flat=nir.Flatten(None), output=exit_(4)),
        r"'flat'.*axes of an input of the shape \(4,\).*start_dim=1, end_dim=-1.*NIR counts no batch axis",
    ),
    "negative shape": (chain(input=entrance(-3), output=exit_(3)), "'input': Input shape: expected whole numbers"),
    "huge shape": (chain(input=entrance(2**20, 2**20), output=exit_(3)), r"Input shape: expected at most 16777216"),
    "tau": (
        with_edges(IN, OUT, lif=nir.LIF(*[np.zeros(3)] * 4)),
        r"Node 'lif': LIF tau: expected time constants above 0 s \(got 0.0\)",
    ),
    "delay": (chain(input=entrance(1), d=nir.Delay(-np.ones(1)), output=exit_(1)), "times that are not negative"),
    "reset": (
        with_edges(IN, OUT, lif=lif(3, reset="soft")),
        r"Node 'lif': LIF reset: expected 'set' or 'subtract' \(got 'soft'\)",
    ),
    "fires": (with_edges(IN, OUT, lif=lif(3, fires="=")), r"LIF fires: expected '>' or '>='"),
    "v_initial": (
        with_edges(IN, OUT, lif=lif(3, v_initial=np.ones(2))),
        r"LIF v_initial: expected the shape \(3,\), as another parameter has it, or a single number \(got \(2,\)\)",
    ),
    "unknown end": (with_edges(IN, ("lif", "ouput")), "Edge .*No node named 'ouput'. Did you mean 'output'"),
    "an edge twice": (with_edges(IN, IN, OUT), r"each edge once \(got \[\('input', 'lif'\)\]\)"),
    "idle": (with_edges(IN, OUT, ("lif", "w"), w=nir.Scale(np.ones(3))), "'w' .*an edge that leads from it"),
    "orphan": (with_edges(IN, OUT, other=lif(3)), r"Node 'other' \(LIF\): expected an edge that leads to it"),
    "behind the output": (with_edges(IN, OUT, ("output", "lif")), "'output' .*an edge leads from it"),
    "before the input": (with_edges(IN, OUT, ("lif", "input")), "no edge that leads to it"),
    "a loop without neurons": (
        with_edges(IN, OUT, ("input", "a"), ("a", "b"), ("b", "a"), ("b", "lif"), **dict.fromkeys("ab", ONES)),
        r"Nodes \['a', 'b'\] form a loop in which there are no neurons",
    ),
    "padding": (conv(padding=(1, 1, 1)), "Conv2d padding: expected one whole number, or two"),
    "padding by name": (conv(padding="circular"), "Conv2d padding: expected numbers, 'same' or 'valid'"),
    "stride": (conv(stride=0), r"Conv2d stride: expected whole numbers, at least 1 \(got \(0, 0\)\)"),
    "half strides": (conv(stride=np.array([0.5, 1])), "Conv2d stride: expected one whole number, or two"),
    "same with stride": (conv(padding="same", stride=2), r"Conv2d stride: expected 1 with the padding 'same'"),
    "groups": (conv(groups=3), "Conv2d groups: expected a divisor of 4"),
    "channels": (
        conv(groups=2),
        r"'conv'.*Conv2d input: expected the shape \(4, 8, 8\) \(got \(2, 8, 8\)\).*channels first",
    ),
    "input_shape": (conv(input_shape=(9, 8)), r"expected the shape \(2, 9, 8\) \(got \(2, 8, 8\)\)"),
    "kernel": (conv(dilation=4), r"Conv2d input: expected at least the window's size \(9, 9\) \(got \(8, 8\)\)"),
    "pool": (pool((9, 9), (1, 1)), "SumPool2d input: expected at least the window's size"),
    "pool padding": (pool((2, 2), (2, 2), (2, 2)), "SumPool2d padding: expected at most half of the kernel"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_network(case: str) -> None:
    graph, message = WRONG[case]
    with pytest.raises(ConversionError, match=f"The graph: .*{message}"):
        read_nir(graph)


def test_an_unknown_kind_and_unknown_fields(tmp_path: Path) -> None:
    text = refused(
        changed(tmp_path, put(f"{NODES}/fc/type", "Conv1d")), "Node 'fc': No kind of node named 'Conv1d'. Did"
    )
    assert "Valid names: Affine, AvgPool2d" in text
    refused(changed(tmp_path, put(f"{NODES}/fc/type", "os.system")), "No kind of node named 'os.system'")
    message = r"Node 'fc' \(Affine\): No field named 'wieght'. Did you mean 'weight'"
    refused(changed(tmp_path, lambda f: f.move(WEIGHT, f"{NODES}/fc/wieght")), message)
    message = r"Node 'fc' \(Affine\): expected the fields bias \(got \['weight'\]\)"
    refused(changed(tmp_path, lambda f: f.__delitem__(f"{NODES}/fc/bias")), message)


def test_too_many_ways() -> None:
    """Ways through nodes that stand side by side double with each pair."""
    nodes: dict[str, Any] = {"input": entrance(1), "n": integrate_and_fire(1), "output": exit_(1)}
    edges, last = [], ["input"]
    for k in range(20):
        names = [f"{k}a", f"{k}b"]
        nodes |= {name: nir.Scale(np.full(1, 2.0)) for name in names}
        edges += [(a, b) for a in last for b in names]
        last = names
    edges += [(name, "n") for name in last] + [("n", "output")]
    with pytest.raises(ConversionError, match="at most 20000 paths"):
        read_nir(nir.NIRGraph(nodes, edges, type_check=False))


def test_graphs_within_graphs(tmp_path: Path) -> None:
    """A graph within the graph is taken apart, as deep as they lie."""
    inner = nir.NIRGraph(
        {"input": entrance(3), "lif": lif(3), "w": nir.Linear(np.eye(3)), "output": exit_(3)},
        [("input", "lif"), ("lif", "w"), ("w", "lif"), ("lif", "output")],
    )
    middle = nir.NIRGraph(
        {"input": entrance(3), "core": inner, "output": exit_(3)}, [("input", "core"), ("core", "output")]
    )
    graph = chain(input=entrance(3), rnn=middle, fc=nir.Linear(np.ones((2, 3))), output=exit_(2))
    network = read_nir(saved(tmp_path, graph))
    assert set(network.nodes) == {"input", "rnn.core.lif", "rnn.core.w", "fc", "output"}
    expected = {("input", "rnn.core.lif"), ("rnn.core.lif", "rnn.core.w"), ("rnn.core.w", "rnn.core.lif")}
    assert set(network.edges) == expected | {("rnn.core.lif", "fc"), ("fc", "output")}
    two = nir.NIRGraph(
        {"a": entrance(3), "b": entrance(3), "lif": lif(3), "output": exit_(3)},
        [("a", "lif"), ("b", "lif"), ("lif", "output")],
    )
    with pytest.raises(ConversionError, match=r"Graph 'two': expected one Input \(got \['two.a', 'two.b'\]\)"):
        read_nir(chain(input=entrance(3), two=two, output=exit_(3)))


def test_graphs_too_deep_in_one_another() -> None:
    graph = chain(input=entrance(3), output=exit_(3))
    for _ in range(40):
        graph = chain(input=entrance(3), inner=graph, output=exit_(3))
    with pytest.raises(ConversionError, match="expected at most 32 graphs in one another"):
        read_nir(graph)


def test_the_library_reads_the_same(tmp_path: Path) -> None:
    path = saved(tmp_path, convolutional())
    ours, theirs = read_nir(path), nir.read(path, type_check=False)
    assert set(ours.edges) == set(theirs.edges)
    for name, node in theirs.nodes.items():
        assert ours.nodes[name].kind == type(node).__name__
        for key in ("weight", "bias", "v_threshold", "kernel_size"):
            if hasattr(node, key):
                np.testing.assert_array_equal(getattr(ours.nodes[name], key), getattr(node, key))
