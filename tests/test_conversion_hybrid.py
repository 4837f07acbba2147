"""Hybrid networks: where they are cut, what each part computes, what rates at a cut stand for, and what it costs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conversion_networks import chain, convolution, graphs, linear, pooled, residual
from hypothesis import assume, given
from hypothesis_profile import examples

import biosnn
from biosnn.ann import Add, AveragePool, Concat, Graph, Input, Layer, MaxPool, Relu, reference
from biosnn.conversion import HybridNetwork, SpikingNetwork, convert, decisions, ledger, load, run, save, to_hybrid
from biosnn.conversion.hybrid.cutting import chosen, cut, relus
from biosnn.conversion.hybrid.network import decoded, marks_to
from biosnn.conversion.to_nir import to_nir
from biosnn.energy import verdicts
from biosnn.errors import ConversionError, NotFoundError, SettingsError
from biosnn.projection import Conv2D

NUMPY: dict[str, Any] = {"target": "numpy", "precision": "float64"}


def images_of(graph: Graph, n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((n, *graph.input.shape)).astype(np.float32)


def joined(seed: int = 0) -> Graph:
    """Branches that are pooled and joined, and the input beside them."""
    rng = np.random.default_rng(seed)
    layers: tuple[Layer, ...] = (
        Input(name="x", shape=(1, 6, 6)),
        convolution(rng, "c1", "x", 1, 2),
        Relu(name="r1", inputs=("c1",)),
        convolution(rng, "c2", "x", 1, 2),
        Relu(name="r2", inputs=("c2",)),
        MaxPool(name="m1", inputs=("r1",), kernel=(2, 2), stride=(2, 2)),
        AveragePool(name="p2", inputs=("r2",), kernel=(2, 2), stride=(2, 2)),
        Concat(name="j", inputs=("m1", "p2"), axis=0),
        convolution(rng, "c3", "j", 4, 3),
        Relu(name="r3", inputs=("c3",)),
        linear(rng, "s4", "r3", 27, 8),
        Relu(name="r4", inputs=("s4",)),
        linear(rng, "y", "r4", 8, 3),
    )
    return Graph(layers, output="y")


def converted(graph: Graph, n: int = 6, **more: Any) -> tuple[SpikingNetwork, np.ndarray]:
    images = images_of(graph, n)
    return convert(graph, images, method="max", **more), images


def pieces_by_the_ordinary_network(whole: SpikingNetwork, spiking: Any, images: np.ndarray) -> np.ndarray:
    """The output, if every piece of a cut is computed by ONNX Runtime from what the others gave."""
    values = {whole.graph.input.name: images}
    for piece in cut(whole.graph, chosen(whole.graph, spiking)):
        values |= reference(piece.graph, threads=1).activations(piece.fed(values), piece.gives)
    return values[whole.graph.output]


@given(graph=graphs())
@examples(20)
def test_pieces_compute_what_the_whole_does_wherever_it_is_cut(graph: Graph) -> None:
    images = images_of(graph, 2)
    values = reference(graph, threads=1).activations(images)
    assume(all(value.any() for value in values.values()))
    whole = convert(graph, images, method="max")
    names = relus(whole.graph)
    for spiking in (f"first {len(names) // 2 or 1}", "last 1", names[::2], names):
        found = pieces_by_the_ordinary_network(whole, spiking, images)
        np.testing.assert_allclose(found, values[graph.output], rtol=1e-4, atol=1e-5)


def test_where_it_is_cut() -> None:
    def said(graph: Graph, spiking: Any) -> list[Any]:
        whole, _ = converted(graph)
        return [(p.spikes, p.takes, p.gives) for p in cut(whole.graph, chosen(whole.graph, spiking))]

    assert said(chain(3, 5, 4, 2), "first 1") == [(True, ("x",), ("relu1",)), (False, ("relu1",), ("sum3",))]
    assert said(chain(3, 5, 4, 2), "last 1") == [(False, ("x",), ("relu1",)), (True, ("relu1",), ("sum3",))]
    # Inside a block the shortcut is needed, too.
    whole = [(True, ("x",), ("r1",)), (False, ("r1",), ("r2",)), (True, ("r2",), ("y",))]
    assert said(residual(), ["r3", "r1"]) == said(residual(), "r1, r3") == whole
    # Max pooling comes along with spikes for those who take spikes only; the other ReLU has been computed before.
    assert said(joined(), "first 2") == [(True, ("x",), ("r1", "r2")), (False, ("r1", "r2"), ("y",))]
    assert said(joined(), "first 3") == [(True, ("x",), ("r3",)), (False, ("r3",), ("y",))]
    assert said(joined(), "last 2") == [(False, ("x",), ("r2", "m1")), (True, ("r2", "m1"), ("y",))]
    assert said(joined(), "last 3") == [(False, ("x",), ("m1",)), (True, ("x", "m1"), ("y",))]
    # The ReLU behind max pooling is taken before it, under the name of the pool; either name is understood.
    assert said(pooled(), "r1") == said(pooled(), "m") == [(True, ("x",), ("m",)), (False, ("m",), ("y",))]
    assert said(pooled(), "last 1") == [(False, ("x",), ("r1",)), (True, ("r1",), ("y",))]


def test_kernels_stay_kernels_behind_a_cut() -> None:
    """Where one layer is taken; several come flat, and only the synapses that there are have been listed."""
    whole, images = converted(residual())
    one = to_hybrid(whole, "last 2").stages[1].snn
    assert one is not None
    assert isinstance(one.connections["r2", 0].kind, Conv2D)
    rng = np.random.default_rng(1)
    layers = (
        Input(name="x", shape=(1, 6, 6)),
        *(convolution(rng, f"c{k}", "x", 1, 2) for k in (1, 2)),
        *(Relu(name=f"r{k}", inputs=(f"c{k}",)) for k in (1, 2)),
        *(convolution(rng, f"d{k}", f"r{k}", 2, 4) for k in (1, 2)),
        Add(name="a", inputs=("d1", "d2")),
        Relu(name="r3", inputs=("a",)),
        linear(rng, "y", "r3", 144, 3),
    )
    whole, images = converted(Graph(layers, "y"))
    stage = to_hybrid(whole, "last 1").stages[1]
    assert (stage.piece.takes, stage.piece.graph.input.shape) == (("r1", "r2"), (144,))
    assert stage.snn is not None
    for k in (0, 1):
        here, there = (int(snn.connections["r3", k].fan_out.sum()) for snn in (stage.snn, whole))
        assert here == there
    outcome = to_hybrid(whole, "last 1").run(images, 64, **NUMPY)
    meant = reference(whole.graph).outputs(images)
    assert np.abs(outcome.outputs[:, -1] - meant).max() < 0.03 * np.ptp(meant)


@pytest.mark.parametrize(("make", "layers"), [(residual, 3), (pooled, 2), (joined, 4)])
def test_a_cut_leaves_the_layers_before_it_as_they_were(make: Any, layers: int) -> None:
    """Spikes go one way: the first layers fire as in the whole network, with the same thresholds, whatever follows."""
    whole, images = converted(make())
    full = whole.run(images, 16, each=True, **NUMPY)
    marks = np.array([1, 4, 16])
    for k in range(1, layers):
        net = to_hybrid(whole, f"first {k}")
        first, rest = net.stages
        assert first.snn is not None
        outcome = net.run(images, 16, marks=marks, **NUMPY)
        did = outcome.stages[0]
        assert did is not None
        for name, counts in did.spikes.items():
            np.testing.assert_array_equal(counts, full.spikes[name].sum(axis=0, keepdims=True))
            np.testing.assert_array_equal(first.snn.thresholds[name], whole.thresholds[name])
            assert outcome.counts[name].shape == (3, counts.shape[1])
            np.testing.assert_array_equal(np.diff(outcome.counts[name], axis=0) >= 0, True)
        told = {end: decoded(first.snn, end, full.spikes[end][:, None], marks[-1:])[:, 0] for end in first.piece.gives}
        meant = reference(rest.piece.graph).outputs(rest.piece.fed(told | {"x": images}))
        np.testing.assert_allclose(outcome.outputs[:, -1], meant, rtol=1e-5, atol=1e-6)
        # A shorter run is the beginning of a longer one.
        short = net.run(images, 4, marks=[1], **NUMPY)
        np.testing.assert_allclose(short.outputs, outcome.outputs[:, :2], rtol=1e-6)
        assert short.spikes_an_image == outcome.at(4).spikes_an_image
        assert short.stages[0] is not None
        by_step = outcome.at(4).stages[0].by_step
        assert {name: list(steps) for name, steps in short.stages[0].by_step.items()} == {
            name: list(steps) for name, steps in by_step.items()
        }


@pytest.mark.parametrize("output", ["potential", "counts"])
def test_all_layers_spiking_is_the_whole_network(output: str) -> None:
    whole, images = converted(residual(), output=output)
    net = to_hybrid(whole, "first 3")
    labels = decisions(reference(whole.graph).outputs(images))
    full, outcome = whole.run(images, 16, labels=labels, **NUMPY), net.run(images, 16, labels=labels, **NUMPY)
    marks = outcome.marks
    assert list(marks) == [1, 2, 3, 4, 6, 8, 11, 16] == list(marks_to(16))
    theta = 1.0 if output == "potential" else whole.thresholds["y"].max()
    np.testing.assert_allclose(
        outcome.outputs, full.potentials[:, marks - 1] * theta / marks[:, None], rtol=1e-6, atol=1e-7
    )
    np.testing.assert_array_equal(outcome.latency_curve, full.latency_curve[marks - 1])
    assert outcome.accuracy == full.accuracy
    assert outcome.spikes_an_image == full.spikes_an_image
    assert ledger(net, outcome) == ledger(whole, full)
    assert net.neurons == whole.neurons
    # What the output integrates in T steps is what decoded rates bring it, from 0 on: potential / T = W rate + b.
    if output == "potential":
        apart = whole.run(images, 16, each=True, **NUMPY)
        rates = decoded(whole, "r3", apart.spikes["r3"][:, None], np.array([16]))[:, 0]
        pool, last = whole.graph["p"], whole.graph["y"]
        rest = Graph((Input(name="r3", shape=(4, 3, 3)), pool, last), "y")
        np.testing.assert_allclose(outcome.outputs[:, -1], reference(rest).outputs(rates), rtol=1e-5, atol=1e-6)


def test_the_last_layers_take_constant_values_and_come_near_to_the_ordinary_network() -> None:
    whole, images = converted(residual())
    meant = reference(whole.graph).outputs(images)
    for spiking in ("last 1", "last 2", "r1, r3", "r2"):
        outcome = to_hybrid(whole, spiking).run(images, 128, marks=[16], **NUMPY)
        errors = np.abs(outcome.outputs - meant[:, None]).max(axis=(0, 2))
        assert errors[1] < 0.04 * np.ptp(meant), spiking
        assert errors[1] < errors[0], spiking
    one = to_hybrid(whole, "last 1").run(images, 64, **NUMPY)
    # A single layer with a constant input: every rate is within a spike of what it should tell (Rueckauer et al. 2017).
    assert one.stages[0] is None
    assert one.stages[1] is not None
    theta = whole.thresholds["r3"].max()
    weights = whole.graph["y"].weight
    assert np.abs(one.outputs[:, -1] - meant).max() <= theta / 64 * np.abs(weights).sum(axis=1).max()


def test_stages_that_spike_add_up_their_steps() -> None:
    whole, images = converted(residual())
    outcome = to_hybrid(whole, "r1, r3").run(images, 16, marks=[2, 8], labels=np.zeros(6, int), **NUMPY)
    assert list(outcome.marks) == [18, 24, 32]
    assert outcome.steps == 32
    assert outcome.decided(18).shape == (6,)
    assert len(outcome.at(18).latency_curve) == 1
    assert outcome.at(18).spikes_an_image < outcome.spikes_an_image
    with pytest.raises(ConversionError, match=r"expected one of the marks \[18, 24, 32\]"):
        outcome.decided(2)


def test_steps_needed_and_agreement() -> None:
    whole, images = converted(residual())
    labels = decisions(reference(whole.graph).outputs(images))
    outcome = to_hybrid(whole, "first 1").run(images, 16, labels=labels, **NUMPY)
    assert outcome.agreement(labels) == outcome.accuracy == 1.0
    assert outcome.T_for(0.0) == 1
    assert outcome.T_for(1.01) is None
    first = outcome.T_for(1.0)
    assert first is not None
    assert (outcome.latency_curve[list(outcome.marks).index(first) :] == 1).all()


def test_operations_of_both_parts() -> None:
    """By hand, for a chain of 3, 5, 4 and 2 units, whose second ReLU stays analog, or whose first does."""
    whole, images = converted(chain(3, 5, 4, 2))
    outcome = to_hybrid(whole, "first 1").run(images, 8, **NUMPY)
    operations = {layer.name: layer for layer in ledger(to_hybrid(whole, "first 1"), outcome).layers}
    fired = round(outcome.spikes_an_image * 6)
    assert list(operations) == ["relu1", "relu1, counted", "relu1, decoded", "relu2", "sum3"]
    assert (operations["relu1"].analog_macs, operations["relu1"].updates) == (15 * 6, 5 * 8 * 6)
    assert operations["relu1, counted"].additions == fired
    assert operations["relu1, decoded"].multiplications == 5 * 6
    assert (operations["relu2"].analog_macs, operations["relu2"].events, operations["relu2"].update) == (
        20 * 6,
        0,
        None,
    )
    assert (operations["sum3"].analog_macs, operations["sum3"].neurons, operations["sum3"].sources) == (8 * 6, 2, 4)
    early = {layer.name: layer for layer in ledger(to_hybrid(whole, "first 1"), outcome.at(4)).layers}
    assert early["relu1"].updates == 5 * 4 * 6
    assert early["relu1, counted"].additions == outcome.counts["relu1"][list(outcome.marks).index(4)].sum()

    outcome = to_hybrid(whole, "last 1").run(images, 8, **NUMPY)
    entries = ledger(to_hybrid(whole, "last 1"), outcome).layers
    assert [(layer.name, layer.analog_macs // 6, layer.updates // 48) for layer in entries] == [
        ("relu1", 15, 0),
        ("relu2", 20, 4),
        ("sum3", 0, 2),
    ]
    assert entries[2].events == 2 * round(outcome.spikes_an_image * 6)


@pytest.mark.parametrize("make", [lambda: chain(6, 8, 7, 5, 3), residual, joined, pooled])
def test_the_ordinary_network_it_is_compared_with_is_the_same_wherever_it_is_cut(make: Any) -> None:
    """Inside a block, behind pooling and concatenations: multiply-accumulates and weights are those of the whole."""
    whole, images = converted(make())
    full = ledger(whole, whole.run(images, 8, **NUMPY))
    names = relus(whole.graph)
    for spiking in (
        *(f"first {k}" for k in range(1, len(names))),
        *(f"last {k}" for k in range(1, len(names))),
        names[::2],
    ):
        net = to_hybrid(whole, spiking)
        operations = ledger(net, net.run(images, 8, **NUMPY))
        assert operations.macs == full.macs, spiking
        assert sum(layer.weights for layer in operations.layers if layer.macs) == sum(
            layer.weights for layer in full.layers if layer.macs
        ), spiking


def test_energies_of_the_ordinary_network_are_the_same_wherever_it_is_cut() -> None:
    whole, images = converted(chain(6, 8, 7, 5, 3))
    full = verdicts(ledger(whole, whole.run(images, 8, **NUMPY)))
    for spiking in ("first 1", "first 2", "last 1", "last 2", ["relu2"]):
        net = to_hybrid(whole, spiking)
        for one, other in zip(verdicts(ledger(net, net.run(images, 8, **NUMPY))), full, strict=True):
            assert one.ann == other.ann, (spiking, one.convention)
            assert one.cheaper != "silent"
    # A kernel that sees pixels is counted without its padding, wherever it is computed.
    whole, images = converted(residual())
    net = to_hybrid(whole, "last 1")
    bills = ledger(whole, whole.run(images, 2, **NUMPY)), ledger(net, net.run(images, 2, **NUMPY))
    assert [operations.layers[0].macs for operations in bills] == [2 * 16 * 16, 2 * 16 * 16]


def test_a_file_keeps_it(tmp_path: Path) -> None:
    whole, images = converted(residual())
    net = to_hybrid(whole, "r1, r3")
    save(net, tmp_path / "net.npz")
    again = load(tmp_path / "net.npz")
    assert isinstance(again, HybridNetwork)
    assert again.spiking == ("r1", "r3")
    marks = {"marks": [4]}
    np.testing.assert_array_equal(
        again.run(images, 8, **marks, **NUMPY).outputs, net.run(images, 8, **marks, **NUMPY).outputs
    )
    assert str(again) == str(net)
    assert [row[2] for row in net.rows()] == [net.rows()[0][2], "analog", net.rows()[2][2], "integrates"]
    with pytest.raises(ConversionError, match="expected a network whose layers all spike"):
        to_nir(again)
    with pytest.raises(SettingsError, match="expected a network whose layers all spike"):
        biosnn.run_study("conversion", {"model": str(tmp_path / "net.npz")}, target="numpy", out=tmp_path / "out")


def test_convert_makes_it() -> None:
    graph = residual()
    images = images_of(graph, 6)
    net = biosnn.convert(graph, images, spiking="first 2", method="max", start=0.3)
    assert isinstance(net, HybridNetwork)
    assert (net.spiking, net.options.start, net.lowest, net.highest) == (
        ("r1", "r2"),
        0.3,
        images.min(),
        images.max(),
    )


@pytest.mark.parametrize(
    ("spiking", "message"),
    [
        ("first 0", r"expected first or last 1 to 3, as there are 3 ReLU layers .got 'first 0'.*ordinary network"),
        ("last 99", r"expected first or last 1 to 3"),
        ("first -1", r"expected first or last 1 to 3"),
        ("", r"expected 'first 6', 'last 4', or names.*r1, r2, r3"),
        ([], r"expected 'first 6', 'last 4', or names.*r1, r2, r3"),
        ("r1, r22", r"convert, spiking: .*'r22'.*r2"),
        ("c1", r"convert, spiking: .*'c1'"),
    ],
)
def test_layers_that_cannot_spike(spiking: Any, message: str) -> None:
    whole, _ = converted(residual())
    with pytest.raises((ConversionError, NotFoundError), match=message):
        to_hybrid(whole, spiking)


def test_what_does_not_go_together() -> None:
    graph = residual()
    images = images_of(graph, 6)
    with pytest.raises(ConversionError, match=r"expected the code 'rate' .got 'first spike'"):
        convert(graph, images, code="first spike", spiking="first 1")
    with pytest.raises(ConversionError, match=r"Options.input: expected 'analog'.*values of r2"):
        convert(graph, images, input="poisson", spiking="last 1")
    net = convert(graph, images, input="regular", spiking="first 1")
    assert net.run(images, 8, **NUMPY).outputs.shape == (6, 6, 3)
    with pytest.raises(ConversionError, match="run, marks: expected steps from 1 to 8"):
        net.run(images, 8, marks=[4, 9], **NUMPY)
    with pytest.raises(ConversionError, match="run, T: expected 1 to"):
        net.run(images, 0, **NUMPY)
    with pytest.raises(ConversionError, match="run, labels: expected 6 whole numbers"):
        net.run(images, 8, labels=[1], **NUMPY)
    with pytest.raises(ConversionError, match=r"labels\[5\]: expected classes from 0 to .*\(got 99\)"):
        net.run(images, 8, labels=[0] * 5 + [99], **NUMPY)
    with pytest.raises(ConversionError, match="has a method run of its own"):
        run(net, images, 8)  # type: ignore[arg-type]
    outcome = net.run(images, 8, **NUMPY)
    with pytest.raises(ConversionError, match="expected labels, for an accuracy"):
        outcome.latency_curve  # noqa: B018
    with pytest.raises(ConversionError, match="expected a network and its own outcome"):
        ledger(net.whole, outcome)


def test_parts_of_the_images_are_put_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where there is no room to count the spikes of many images at once."""
    whole, images = converted(residual(), n=7)
    net = to_hybrid(whole, "first 1")
    apart = net.run(images, 8, **NUMPY)
    monkeypatch.setattr("biosnn.conversion.running.MOST_COUNTS", 2 * 72 * 6)
    together = net.run(images, 8, **NUMPY)
    np.testing.assert_array_equal(apart.outputs, together.outputs)
    np.testing.assert_array_equal(apart.counts["r1"], together.counts["r1"])


@pytest.mark.cpp
def test_generated_code_counts_the_same() -> None:
    whole, images = converted(residual(), n=23)
    for spiking in ("first 2", "r1, r3"):
        net = to_hybrid(whole, spiking)
        one, other = (net.run(images, 8, target=target, precision="float64") for target in ("numpy", "cpp"))
        np.testing.assert_allclose(one.outputs, other.outputs, rtol=1e-6, atol=1e-7)
        for name, counts in one.counts.items():
            np.testing.assert_array_equal(counts, other.counts[name])
