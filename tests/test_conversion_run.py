"""Converted networks while they run: what a layer tells of what it gets, images one after the other, kinds of input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conversion_networks import chain, graphs, pooled, residual
from hypothesis import given
from hypothesis_profile import examples

import biosnn
from biosnn.ann import Add, Graph, Linear, Relu, reference
from biosnn.catalogue import neuron_model
from biosnn.conversion import Options, SpikingNetwork, ThresholdSettings, convert, explain, ledger
from biosnn.conversion.populations import population_network
from biosnn.conversion.thresholds import find_thresholds, percentile_for
from biosnn.errors import BiosnnError, ConversionError, NotFoundError

COMPILED: dict[str, Any] = {"target": "cpp", "precision": "float64"}
"""For hundreds of steps, which take NumPy longer than a compiler and a program."""
NUMPY: dict[str, Any] = {"target": "numpy", "precision": "float64"}


def images_of(graph: Graph, n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((n, *graph.input.shape)).astype(np.float32)


@given(graph=graphs())
@examples(12)
def test_rates_are_clipped_activations_up_to_a_spike(graph: Graph) -> None:
    """Soft reset: theta*count = T*(mean input) + v(0) - v(T), so that only what is left on the membrane is missing.

    (Rueckauer et al. 2017, section 2.2; Bu et al. 2022, eq. 7.) The first layers get constant currents: there v(T) is
    within a threshold of v(0), and the rate within 1/T of the clipped activation. Elsewhere the mean input is what the
    layers before really told, and what remains is the unevenness of its arrival.
    """
    steps, images = 16, images_of(graph, 3)
    if not all(counts.any() for counts in reference(graph, threads=1).activations(images).values()):
        return  # a layer is dead, which is an error of its own
    snn = convert(graph, images, method="max")
    outcome = snn.run(images, steps, each=True, **NUMPY)
    for report in explain(snn, images, outcome):
        layer = snn.network[report.name]
        first = all(path.source == "x" for path in layer.paths)
        if first:
            assert report.errors["unevenness"] < 1e-5
            assert report.errors["inherited"] < 1e-5
        assert report.errors["reset and leak"] == 0
        scale = np.abs(reference(graph, threads=1).activations(images, [report.name])[report.name])
        rms = max(float(np.sqrt(np.mean(scale**2))), 1e-9)
        half_a_spike = float(snn.thresholds[report.name].max()) / (2 * steps)
        assert report.errors["quantisation"] * rms <= half_a_spike * 1.001
        parts = sum(report.bias[name] for name in ("inherited", "clipping", "quantisation", "unevenness"))
        assert parts == pytest.approx(report.bias["error"], abs=1e-4)


@pytest.mark.cpp
@pytest.mark.parametrize("make", [pytest.param(residual, marks=pytest.mark.slow), pooled])
def test_more_steps_come_nearer_to_the_ordinary_network(make: Any) -> None:
    graph = make()
    images = images_of(graph, 6)
    snn = convert(graph, images, method="max")
    potentials = snn.run(images, 256, **COMPILED).potentials
    meant = reference(snn.graph).outputs(images)
    errors = [float(np.abs(potentials[:, T - 1] / T - meant).max()) for T in (16, 64, 256)]
    assert errors[0] > 2 * errors[1] > 4 * errors[2]
    assert errors[2] < 0.03 * np.ptp(meant)


@pytest.mark.parametrize(
    "options",
    [
        {"input": "regular"},
        *(
            pytest.param(options, marks=pytest.mark.slow)
            for options in ({}, {"neuron": "lif"}, {"output": "counts"}, {"input": "first spike"})
        ),
    ],
)
def test_every_image_begins_anew_and_shorter_runs_are_the_beginning_of_longer_ones(options: dict[str, str]) -> None:
    graph = residual()
    images = images_of(graph, 23)  # more than one process shows together
    snn = convert(graph, images, **options)
    all_of_them = snn.run(images, 8, **NUMPY).potentials
    alone = snn.run(images[[22]], 8, **NUMPY).potentials
    np.testing.assert_allclose(all_of_them[22], alone[0], atol=1e-9)
    if options != {"input": "first spike"}:
        np.testing.assert_array_equal(snn.run(images[:3], 5, **NUMPY).potentials, all_of_them[:3, :5])


@pytest.mark.cpp
@pytest.mark.parametrize(
    ("make", "options"),
    [
        (residual, {}),
        pytest.param(residual, {"input": "regular", "neuron": "lif_soft"}, marks=pytest.mark.slow),
        (pooled, {"code": "first spike", "input": "first spike"}),
    ],
    ids=["rate", "leak", "first spike"],
)
def test_generated_code_gives_the_same(make: Any, options: dict[str, Any]) -> None:
    graph = make()
    images = images_of(graph, 23) - 0.4
    snn = convert(graph, images, **options)
    kwds = {"labels": np.arange(23) % 3, "each": True, "precision": "float64"}
    found, expected = (snn.run(images, 16, target=target, **kwds) for target in ("cpp", "numpy"))
    np.testing.assert_allclose(found.potentials, expected.potentials, atol=1e-5)
    for name, counts in expected.spikes.items():
        np.testing.assert_array_equal(found.spikes[name], counts)
        np.testing.assert_array_equal(found.by_step[name], expected.by_step[name])
    assert found.accuracy == expected.accuracy
    assert found.seconds > 0
    assert found.memory > 0


def test_the_most_active_neuron_of_a_window_is_passed_on() -> None:
    graph = pooled()
    images = images_of(graph, 4)
    snn = convert(graph, images)
    spikes = snn.run(images, 20, each=True, **NUMPY).spikes
    before, after = (spikes[name].reshape(4, side, side, 3) for name, side in (("m", 6), ("r1", 3)))
    padded = np.pad(before, ((0, 0), (1, 1), (1, 1), (0, 0)))
    for y, x in np.ndindex(3, 3):
        window = padded[:, 2 * y : 2 * y + 3, 2 * x : 2 * x + 3]
        np.testing.assert_array_equal(after[:, y, x], window.max(axis=(1, 2)))
    assert after.max() > 0


def shortcut() -> Graph:
    long = chain(5, 8, 8, 8, 3)
    joined = (Add(name="sum", inputs=("sum3", "relu1")), Relu(name="relu3", inputs=("sum",)))
    return Graph((*(layer for layer in long.layers if layer.name != "relu3"), *joined), output="sum4")


@pytest.mark.cpp
@pytest.mark.parametrize(
    "make", [lambda: chain(5, 8, 6, 3), *(pytest.param(m, marks=pytest.mark.slow) for m in (pooled, shortcut))]
)
def test_first_spikes_compute_the_network_up_to_a_time_step(make: Any) -> None:
    graph = make()
    images = images_of(graph, 5)
    meant = reference(graph).outputs(images)
    errors = []
    for T in (32, 256):
        snn = convert(graph, images, code="first spike", method="max")
        outcome = snn.run(images, T, each=True, **COMPILED)
        assert max(counts.max() for counts in outcome.spikes.values()) == 1
        errors.append(float(np.abs(outcome.potentials[:, -1] - meant).max()))
    assert errors[1] < errors[0] / 3
    assert errors[1] < 0.02 * np.ptp(meant)


@pytest.mark.cpp
@pytest.mark.parametrize(
    ("kind", "T", "allowed"),
    [("regular", 400, 0.02), pytest.param("poisson", 2000, 0.1, marks=pytest.mark.slow), ("first spike", 400, 0.02)],
)
def test_inputs_that_spike_bring_on_average_what_currents_do(kind: str, T: int, allowed: float) -> None:
    graph = chain(6, 8, 3)
    images = images_of(graph, 4) - 0.5
    images[:, 0] = np.linspace(-0.5, 0.5, 4)
    meant = reference(graph).outputs(images)
    snn = convert(graph, images, input=kind, method="max")
    outcome = snn.run(images, T, each=True, **COMPILED)
    assert {"input, positive", "input, negative"} <= set(outcome.spikes)
    told = outcome.potentials[:, -1] / T
    if kind == "first spike":  # the drive begins when the spike comes
        assert outcome.spikes["input, positive"].max() == 1
        allowed = 0.6
    assert np.abs(told - meant).max() < allowed * np.ptp(meant)
    again = snn.run(images, 50, seed=3, each=True, **COMPILED)
    assert again.spikes_an_image > 0


def test_poisson_inputs_differ_from_seed_to_seed_and_not_within_one() -> None:
    graph = chain(6, 8, 3)
    snn = convert(graph, images_of(graph, 4), input="poisson")
    one, same, other = (snn.run(images_of(graph, 4), 20, seed=seed, **NUMPY).potentials for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 0


def test_hard_reset_and_leak_lose_what_is_told_apart() -> None:
    graph = chain(6, 20, 10, 3)
    images = images_of(graph, 10)
    for neuron in ("if_hard", "lif_soft"):
        snn = convert(graph, images, neuron=neuron)
        first, _ = explain(snn, images, snn.run(images, 64, each=True, **NUMPY))
        assert first.errors["reset and leak"] > 0.05
        assert first.errors["unevenness"] < 0.02  # where inputs are constant nothing else is lost
        assert first.bias["reset and leak"] < 0


def test_thresholds_are_percentiles_of_activations() -> None:
    graph = residual()
    images = images_of(graph, 120)
    populated = population_network(graph)
    values = reference(graph).activations(images, ["r1", "r3"])
    for balance in (
        ThresholdSettings(),
        ThresholdSettings(percentile=97.3),
        ThresholdSettings("max"),
        ThresholdSettings(percentile=99.0, per="layer", alpha=2),
    ):
        found = find_thresholds(populated, images, balance, batch=50)
        for name, activations in values.items():
            channels = np.moveaxis(activations, 1, 0).reshape(activations.shape[1], -1).astype(float)
            channels = channels.reshape(1, -1) if balance.per == "layer" else channels
            percentile = 100.0 if balance.method == "max" else balance.percentile or 99.9
            expected = balance.alpha * np.percentile(channels, percentile, axis=1)
            expected = np.where(expected > 0, expected, expected.max())  # a channel that is silent has its layer's
            np.testing.assert_allclose(found[name], np.broadcast_to(expected, found[name].shape), rtol=1e-5)


def test_more_steps_want_less_to_be_clipped() -> None:
    assert [percentile_for(steps) for steps in (16, 64, 128, 640)] == pytest.approx([99.9, 99.9, 99.975, 99.999])
    graph = chain(4, 6, 3)
    images = images_of(graph, 200)
    few, many = (convert(graph, images, steps=steps).thresholds["relu1"] for steps in (64, 1024))
    assert (many >= few).all()
    assert (many > few).any()
    given = convert(graph, images, steps=1024, percentile=99.9).thresholds["relu1"]
    np.testing.assert_array_equal(given, few)


def test_a_clipped_relu_has_its_clip_as_the_largest_threshold() -> None:
    graph = chain(4, 6, 3)
    layers = tuple(
        type(layer)(name=layer.name, inputs=layer.inputs, most=0.2) if layer.name == "relu1" else layer
        for layer in graph.layers
    )
    snn = convert(Graph(layers, output="sum2"), images_of(graph, 20))
    assert snn.thresholds["relu1"].max() == pytest.approx(0.2)


def test_thresholds_can_be_changed_by_hand() -> None:
    graph = chain(4, 6, 5, 3)
    snn = convert(graph, images_of(graph, 20))
    changed = snn.with_thresholds({"relu2": 0.5})
    np.testing.assert_allclose(changed.thresholds["relu2"], snn.thresholds["relu2"] / 2)
    np.testing.assert_allclose(changed.thresholds["relu1"], snn.thresholds["relu1"])
    np.testing.assert_allclose(snn.with_thresholds(2).thresholds["relu1"], 2 * snn.thresholds["relu1"])
    for wrong, message in (({"r9": 1}, "populations among relu1"), (0, "factors above 0"), ({"relu1": -1}, "above 0")):
        with pytest.raises(ConversionError, match=message):
            snn.with_thresholds(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "target", [pytest.param("numpy", marks=pytest.mark.slow), pytest.param("cpp", marks=pytest.mark.cpp)]
)
def test_an_image_ends_as_soon_as_the_network_is_sure(target: str) -> None:
    graph = residual()
    images, steps = images_of(graph, 23), 24  # two processes, of which the second has fewer images
    snn = convert(graph, images)
    kwds = {"target": target, "precision": "float64", "labels": np.zeros(23, int)}
    full = snn.run(images, steps, **kwds)
    ordered = np.sort(full.potentials, axis=-1)
    ahead = ordered[..., -1] - ordered[..., -2]
    margin = float(np.median(ahead[:, -1])) + 1e-3
    early, sure = snn.run(images, steps, margin=margin, **kwds), ahead >= margin
    expected = np.where(sure.any(axis=1), sure.argmax(axis=1) + 1, steps)
    assert 1 < expected.min() < expected.max() == steps
    np.testing.assert_array_equal(early.steps_used, expected)
    for k, steps_used in enumerate(expected):
        np.testing.assert_allclose(early.potentials[k, :steps_used], full.potentials[k, :steps_used], atol=1e-9)
        np.testing.assert_array_equal(
            early.potentials[k, steps_used:], np.tile(early.potentials[k, steps_used - 1], (steps - steps_used, 1))
        )
    assert early.spikes_an_image < full.spikes_an_image
    assert ledger(snn, early).an_inference("updates") < ledger(snn, full).an_inference("updates")
    assert (full.steps_used == steps).all()


def test_the_lead_is_the_smallest_that_changes_no_decision() -> None:
    graph = residual()
    images = images_of(graph, 30)
    full = convert(graph, images).run(images, 24, **NUMPY)
    ordered = np.sort(full.potentials, axis=-1)
    ahead, right = ordered[..., -1] - ordered[..., -2], full.potentials.argmax(axis=-1) == full.decided()[:, None]

    def wrong(margin: float) -> int:
        sure = ahead >= margin
        first = np.where(sure.any(axis=1), sure.argmax(axis=1), -1)
        return int((~right[np.arange(30), first]).sum())

    assert wrong(full.margin()) == 0
    assert wrong(0.999 * full.margin()) > 0
    assert wrong(full.margin(0.9)) <= 3
    assert full.margin(0.9) < full.margin()


def dead() -> Graph:
    """A network whose only ReLU is always zero."""
    graph = chain(4, 5, 3)
    off = Linear(name="sum1", inputs=("x",), weight=np.zeros((5, 4)), bias=-np.ones(5))
    return Graph(tuple(off if layer.name == "sum1" else layer for layer in graph.layers), output="sum2")


def small() -> tuple[SpikingNetwork, np.ndarray]:
    graph = chain(4, 5, 3)
    images = images_of(graph, 8)
    return convert(graph, images), images


def by_times(snn: SpikingNetwork, images: np.ndarray) -> SpikingNetwork:
    return convert(snn.graph, images, code="first spike", method="max")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda snn, x: snn.run(x, 0), r"run, T: expected 1 to 4096 steps \(got 0\)"),
        (lambda snn, x: snn.run(x, 2.5), r"run, T: expected 1 to 4096 steps \(got 2\.5\)"),
        (lambda snn, x: snn.run(x[:, :3], 4), r"expected the shape \(n, 4\)"),
        (lambda snn, x: snn.run(x[:0], 4), "expected one or more"),
        (lambda snn, x: snn.run(x, 4, margin=0), r"margin: expected a number above 0 \(got 0\)"),
        (lambda snn, x: snn.run(x, 4, **NUMPY).margin(0), r"agreement: expected a number above 0, at most 1 \(got 0\)"),
        (lambda snn, x: convert(snn.graph, x, input="poisson").run(x, 4, margin=1), "margin: expected the code 'rate'"),
        (lambda snn, x: snn.run(x, 4, labels=[1, 2]), "labels: expected 8 whole numbers"),
        (lambda snn, x: snn.run(x, 4, labels=x[:, 0]), "labels: expected 8 whole numbers"),
        (lambda snn, x: snn.run(x, 4, labels=np.arange(8.0)), "labels: expected 8 whole numbers"),
        (lambda snn, x: snn.run(x, 4, labels=np.eye(8, dtype=int)), r"use labels.argmax\(axis=1\)"),
        (
            lambda snn, x: snn.run(x, 4, labels=[*range(7), 99]),
            r"labels\[\d\]: expected classes from 0 to \d, as the network has \d outputs \(got \d+\)",
        ),
        (lambda snn, x: snn.run(x, 4, labels=[0] * 7 + [-1]), r"labels\[7\]: expected classes from 0 .*\(got -1\)"),
        (lambda snn, x: convert(snn.graph, x[:0]), "expected one or more"),
        (lambda snn, x: convert(snn.graph, x, percentil=99), r"settings among alpha, .* \(got 'percentil'\)"),
        (lambda snn, x: convert(snn.graph, x, percentile=9), "percentile: expected a number from 50 to 100"),
        (lambda snn, x: convert(snn.graph, x, steps=0), "steps: expected a whole number of at least 1"),
        (lambda snn, x: convert(snn.graph, x, method="mean"), "method: expected percentile or max"),
        (lambda snn, x: convert(snn.graph, x, input="analogue"), "input: expected analog, poisson"),
        (lambda snn, x: convert(snn.graph, x, start=2), "start: expected a number from -1 to 1"),
        (lambda snn, x: convert(snn.graph, x, neuron="lif_exp"), "one membrane potential that spikes add to"),
        (
            lambda snn, x: convert(snn.graph, x, code="first spike", neuron="lif"),
            "Options.neuron: expected its default",
        ),
        (lambda _, x: convert(dead(), x), r"Layer 'relu1': expected an activation above 0 .* units are dead"),
        (lambda _, x: convert("no-such.onnx", x), "no-such.onnx"),
        (lambda snn, x: explain(snn, x, snn.run(x, 4, **NUMPY)), "Run it with each=True"),
        (
            lambda snn, x: explain(first := by_times(snn, x), x, first.run(x, 4, each=True, **NUMPY)),
            r"explain: expected a network of the code 'rate' \(got 'first spike'\)\. First spikes have no rates",
        ),
        (lambda snn, x: snn.run(x, 4, **NUMPY).latency_curve, "expected labels"),
        (lambda snn, x: snn.run(x, 4, **NUMPY).decided(5), "T: expected 1 to 4 steps"),
    ],
)
def test_wrong_input_is_told_clearly(call: Any, message: str) -> None:
    snn, images = small()
    with pytest.raises((ConversionError, NotFoundError), match=message):
        call(snn, images)


def test_neurons_that_cannot_take_charges_are_refused() -> None:
    snn, images = small()
    for name, message in (
        ("integrator", "a comparison with one parameter"),
        ("lif_cond", "one membrane potential that spikes add to"),
        ("hodgkin_huxley", "one membrane potential that spikes add to"),
    ):
        for neuron in (name, neuron_model(name)):
            with pytest.raises(BiosnnError, match=message):
                convert(snn.graph, images, neuron=neuron)
        with pytest.raises(BiosnnError, match=message):
            Options(neuron=neuron_model(name))


def test_options_open_no_file() -> None:
    assert Options(neuron="no-such.toml").start == 0.5
    with pytest.raises(NotFoundError, match=r"no-such\.toml"):
        Options(neuron="no-such.toml").check_neuron()


def test_convert_is_a_function_of_the_package() -> None:
    snn, images = small()
    assert isinstance(biosnn.convert(snn.graph, calibration=images), SpikingNetwork)
    text = str(snn)
    assert "relu1" in text
    assert "integrates" in text
    assert "x (Dense, 4 x 5)" in text
