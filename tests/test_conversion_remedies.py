"""Remedies of converted networks: closed forms of what can be adjusted, trials, and what is found on images."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conversion_networks import chain, convolution, linear, pooled, residual

import biosnn
from biosnn.ann import Convolution, Graph, Input, Linear, Relu, reference
from biosnn.conversion import SpikingNetwork, Trials, convert, explain, load, save
from biosnn.conversion.analysis.metrics import output_errors
from biosnn.conversion.analysis.remedies import (
    Target,
    calibrate_bias,
    calibrate_start,
    channel_rates,
    homeostasis,
    scaled,
    search_scales,
    spiking_layers,
)
from biosnn.errors import ConversionError

NUMPY: dict[str, Any] = {"target": "numpy", "precision": "float64"}
DEEP = (6, 12, 12, 12, 12, 3)


@pytest.fixture
def sim() -> Iterator[Any]:
    with biosnn.session("numpy", seed=1) as opened:
        yield opened


@pytest.fixture
def compiled() -> Iterator[Any]:
    """For what runs one program dozens of times."""
    with biosnn.session("cpp", seed=1) as opened:
        yield opened


def images_of(graph: Graph, n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((n, *graph.input.shape)).astype(np.float32)


def single() -> tuple[Graph, np.ndarray]:
    """A neuron that gets what the pixel is, and whose threshold is 1."""
    one = np.ones((1, 1), np.float32)
    layers = (
        Input(name="x", shape=(1,)),
        Linear(name="sum", inputs=("x",), weight=one, bias=np.zeros(1)),
        Relu(name="relu", inputs=("sum",)),
        Linear(name="y", inputs=("relu",), weight=one, bias=np.zeros(1)),
    )
    return Graph(layers, output="y"), np.array([[1.0], [0.3]], np.float32)


@pytest.mark.parametrize("x", [0.11, 0.3, 0.45])
@pytest.mark.parametrize("neuron", ["if_soft", "if_hard", "lif_soft"])
def test_excitability_is_a_factor_of_the_drive_and_bias_and_start_add_to_it(x: float, neuron: str) -> None:
    """With soft reset a neuron has fired floor(T (x + b) e + v(0)) times; with any reset it does what 2 x would do."""
    graph, calibration = single()
    snn, steps, image = convert(graph, calibration, method="max", neuron=neuron, start=0.0), 43, np.array([[x]])

    def spikes(net: SpikingNetwork, shown: np.ndarray = image) -> int:
        return int(net.run(shown, steps, **NUMPY).spikes["relu"].sum())

    assert spikes(snn.with_adjustment("relu", excitability=2.0)) == spikes(snn, 2 * image)
    assert spikes(snn.with_adjustment("relu", bias=0.25)) == spikes(snn, image + 0.25)
    if neuron == "if_soft":
        both = snn.with_adjustment("relu", excitability=1.5, bias=0.05, start=0.5)
        assert spikes(both) == int(np.floor(steps * (x + 0.05) * 1.5 + 0.5 + 1e-9))


def test_a_spike_stands_for_what_it_stood_for() -> None:
    """A more excitable neuron tells more, as its spikes bring to the next layer what they brought."""
    graph, calibration = single()
    snn = convert(graph, calibration, method="max", start=0.0).with_adjustment("relu", excitability=2.0)
    outcome = snn.run(np.array([[0.3]]), 40, **NUMPY)
    assert outcome.potentials[0, -1, 0] == pytest.approx(24)  # 40 * 0.6, each spike being 1


def test_adjustments_are_checked_named_saved_and_explained(tmp_path: Path) -> None:
    graph = residual()
    images = images_of(graph, 6)
    snn = convert(graph, images)
    for name, changes, message in (
        ("y", {"bias": 1.0}, r"among \['r1', 'r2', 'r3'\] \(got 'y'\)"),
        ("nothing", {"bias": 1.0}, "with_adjustment: expected a population among"),
        ("r1", {"excitability": 0.0}, "Adjustment.excitability: expected numbers above 0"),
        ("r1", {"start": np.nan}, "Adjustment.start: expected finite numbers"),
    ):
        with pytest.raises(ConversionError, match=message):
            snn.with_adjustment(name, **changes)
    with pytest.raises(ValueError, match="broadcast"):
        snn.with_adjustment("r1", bias=np.zeros(3))
    changed = snn.with_adjustment("r2", excitability=[1.1, 0.9], bias=0.05, start=[0.1, 0.2])
    save(changed, tmp_path / "changed.npz")
    again = load(tmp_path / "changed.npz")
    assert all(
        np.array_equal(*pair)
        for pair in zip(*(vars(n.adjustment("r2")).values() for n in (changed, again)), strict=True)
    )
    did, same = (net.run(images, 16, each=True, **NUMPY) for net in (changed, again))
    assert np.array_equal(did.potentials, same.potentials)
    assert not np.array_equal(did.potentials, snn.run(images, 16, **NUMPY).potentials)
    report = {layer.name: layer for layer in explain(changed, images, did)}["r2"]
    parts = sum(report.bias[name] for name in ("inherited", "clipping", "quantisation", "unevenness"))
    assert parts == pytest.approx(report.bias["error"], abs=1e-4)


def test_a_start_is_explained_alike_by_options_and_by_adjustment() -> None:
    graph = residual()
    images = images_of(graph, 6)
    by_options = convert(graph, images, neuron="if_hard", start=0.5)
    adjusted = convert(graph, images, neuron="if_hard", start=0.0)
    for name in spiking_layers(adjusted):
        adjusted = adjusted.with_adjustment(name, start=0.5)
    for one, other in zip(
        *(explain(n, images, n.run(images, 12, each=True, **NUMPY)) for n in (by_options, adjusted)), strict=True
    ):
        assert one.bias == pytest.approx(other.bias)
    uneven = adjusted.with_adjustment("r1", start=[0.0, 0.5])
    report = {layer.name: layer for layer in explain(uneven, images, uneven.run(images, 12, each=True, **NUMPY))}["r1"]
    assert abs(report.bias["unevenness"]) < 0.02  # constant currents arrive evenly


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (residual, "analog"),
        *(pytest.param(*case, marks=pytest.mark.slow) for case in product([pooled], ["analog", "regular"])),
        pytest.param(residual, "regular", marks=pytest.mark.slow),
    ],
)
def test_trials_do_what_runs_do(make: Any, kind: str, sim: Any) -> None:
    graph = make()
    images = images_of(graph, 5)
    snn = convert(graph, images, neuron="if_hard", input=kind)
    name = spiking_layers(snn)[0]
    other = convert(graph, images[:3], neuron="if_hard", input=kind, method="max", start=0.0)
    trials = Trials(snn, 12, sim, each=True, precision="float64")
    variants = [snn, snn.with_thresholds(0.6), snn.with_adjustment(name, excitability=2.0, bias=0.1, start=0.3)]
    for net, told in zip([*variants, other], trials.run([*variants, trials.variant(other)], images), strict=True):
        ran = replace(net, lowest=snn.lowest, highest=snn.highest).run(images, 12, each=True, **NUMPY)
        assert np.array_equal(told.potentials, ran.potentials)
        assert all(np.array_equal(told.spikes[key], ran.spikes[key]) for key in ran.spikes)


def test_trials_are_of_one_network(sim: Any) -> None:
    graph = chain(*DEEP)
    images = images_of(graph, 4)
    snn = convert(graph, images)
    trials = Trials(snn, 8, sim)
    with pytest.raises(ConversionError, match="expected variants of the network of the trials"):
        trials.run([convert(graph, images)], images)
    with pytest.raises(ConversionError, match="expected variants of the network of the trials"):
        trials.run([trials.variant(convert(graph, images, neuron="if_hard"))], images)
    with pytest.raises(ConversionError, match=r"Trials\.variant: expected the layers and weights"):
        trials.variant(convert(residual(), images_of(residual(), 4)))
    with pytest.raises(ConversionError, match=r"expected a network of the code .rate."):
        Trials(convert(graph, images, code="first spike"), 8, sim)
    with pytest.raises(ConversionError, match="expected 1 to 4096 steps"):
        Trials(snn, 0, sim)
    weights = [replace(layer, weight=-layer.weight) if isinstance(layer, Linear) else layer for layer in graph.layers]
    with pytest.raises(ConversionError, match=r"Trials\.variant: expected the layers and weights"):
        trials.variant(convert(Graph(tuple(weights), output=graph.output), images))


def twice(rng: Any, **changed: Any) -> Graph:
    """Two convolutions of 6 x 6 pixels that keep their size, with clipped ReLUs."""
    most = changed.pop("most", 6.0)
    layers = (
        Input(name="x", shape=(2, 6, 6)),
        convolution(rng, "c1", "x", 2, 4),
        Relu(name="r1", inputs=("c1",), most=most),
        Convolution(
            **{
                "name": "c2",
                "inputs": ("r1",),
                "weight": rng.normal(0, 1, (4, 2, 3, 3)),
                "bias": np.ones(4),
                "stride": (3, 3),
                "padding": (1, 1, 1, 1),
                "groups": 2,
            }
            | changed
        ),
        Relu(name="r2", inputs=("c2",)),
        linear(rng, "y", "r2", 16, 3),
    )
    return Graph(layers, output="y")


@pytest.mark.parametrize(
    "changed",
    # The first three have 2 x 2 places too, and the same kernels.
    [{"stride": (4, 4)}, {"padding": (2, 2, 0, 0)}, {"dilation": (2, 2)}, {"most": 1.0}],
)
def test_trials_are_of_one_network_to_the_last_field_of_a_layer(changed: dict[str, Any], sim: Any) -> None:
    own = twice(np.random.default_rng(0))
    images = images_of(own, 4)
    snn = convert(own, images)
    trials = Trials(snn, 8, sim)
    trials.variant(convert(twice(np.random.default_rng(0)), images, start=0.0))
    with pytest.raises(ConversionError, match=r"Trials\.variant: expected the layers and weights"):
        trials.variant(convert(twice(np.random.default_rng(0), **changed), images))


def test_first_spikes_are_told(sim: Any) -> None:
    """A neuron with the drive x fires first when x times the steps, and the start, reach the threshold."""
    graph, calibration = single()
    for start, x, expected in ((0.0, 0.3, 3), (0.5, 0.3, 1), (0.0, 1.0, 0), (0.0, 0.0, -1)):
        snn = convert(graph, calibration, method="max", start=start)
        outcome = snn.run(np.array([[x], [x]]), 20, each=True, sim=sim, precision="float64")
        assert outcome.firsts["relu"].tolist() == [[expected], [expected]]


def sick(neuron: str = "if_hard") -> tuple[SpikingNetwork, np.ndarray]:
    """A deep network whose spikes vanish: hard reset, and twice the largest activations as thresholds."""
    graph = chain(*DEEP, seed=3)
    images = images_of(graph, 12)
    return convert(graph, images, method="max", per="layer", alpha=2.0, neuron=neuron, start=0.0), images


def deepest(target: Target, snn: SpikingNetwork) -> float:
    """What the deepest layer tells, over the mean activation."""
    name = spiking_layers(snn)[-1]
    told = channel_rates(snn, target.run([snn])[0], name) * snn.thresholds[name]
    return float(told.mean() / target.means[name].mean())


def test_scales_compound_over_layers() -> None:
    """A chain without biases tells 1/scale more in each layer, as long as no neuron fires in every step."""
    one = np.ones((1, 1), np.float32)
    layers: list[Any] = [Input(name="x", shape=(1,))]
    for number in (1, 2, 3):
        layers.append(Linear(name=f"s{number}", inputs=(layers[-1].name,), weight=one, bias=np.zeros(1)))
        layers.append(Relu(name=f"r{number}", inputs=(f"s{number}",)))
    layers.append(Linear(name="y", inputs=("r3",), weight=one, bias=np.zeros(1)))
    snn = convert(Graph(tuple(layers), output="y"), [[1.0]], method="max", start=0.0)
    for scale, x in ((0.8, 0.5), (1.25, 0.5), (0.5, 0.1)):
        outcome = scaled(snn, scale).run([[x]], 1000, **NUMPY)
        for depth in (1, 2, 3):
            expected = min(x / scale**depth, 1)
            assert outcome.spikes[f"r{depth}"].sum() / 1000 == pytest.approx(expected, abs=0.003 * depth)
    with pytest.raises(ConversionError, match="scaled, r1: expected a number above 0"):
        scaled(snn, 0.0)
    with pytest.raises(ConversionError, match="nope"):
        scaled(snn, {"nope": 1.0})


@pytest.mark.cpp
def test_every_remedy_brings_the_outputs_nearer_and_the_activity_back(compiled: Any) -> None:
    snn, images = sick()
    target = Target(snn, Trials(snn, 32, compiled), images)
    before, gone = target.errors([snn])[0], deepest(target, snn)
    assert gone < 0.5  # there is something to bring back
    search = search_scales(target)
    assert all(0 < scale < 1 for scale in search.scales.values())
    assert list(search.tried) == sorted(search.tried)
    assert target.errors([search.snn])[0] <= search.errors.min() < before
    for remedy in (search.snn, calibrate_bias(target), homeostasis(target, rounds=10).snn):
        assert deepest(target, remedy) > (1 + gone) / 2
        assert target.errors([remedy])[0] < before
    started = calibrate_start(target)
    assert all(np.all(np.abs(started.adjustment(name).start) <= 1) for name in spiking_layers(snn))
    assert deepest(target, started) > gone


@pytest.mark.cpp
def test_homeostasis_holds_rates_and_leaves_silent_channels_alone(compiled: Any) -> None:
    snn, images = sick()
    target = Target(snn, Trials(snn, 32, compiled), images)
    settled = homeostasis(target, rounds=14)
    assert settled.rates.shape == (15, 4)
    assert np.all(np.abs(settled.rates[-1] / settled.targets - 1) < 0.2)
    assert np.all(settled.rates[0] < 0.9 * settled.targets)
    for name in settled.layers:
        dead = target.means[name] == 0
        assert np.all(settled.snn.adjustment(name).excitability[dead] == 1)
    with pytest.raises(ConversionError, match="homeostasis, rounds: expected a whole number of at least 1"):
        homeostasis(target, rounds=0)


@pytest.mark.cpp
def test_bias_currents_make_mean_rates_mean_activations(compiled: Any) -> None:
    """In the first layer, which nothing before it changes, and with the soft reset, up to a spike."""
    snn, images = sick("if_soft")
    target = Target(snn, Trials(snn, 64, compiled), images)
    biased, name = calibrate_bias(target), spiking_layers(snn)[0]
    told = channel_rates(biased, target.run([biased])[0], name) * biased.thresholds[name]
    assert told == pytest.approx(target.means[name], abs=float(snn.thresholds[name].max()) / 64)


def test_output_errors_are_zero_for_what_decides_alike() -> None:
    graph = residual()
    images = images_of(graph, 5)
    outcome = convert(graph, images).run(images, 10, **NUMPY)
    ann = reference(graph).outputs(images)
    exact = replace(outcome, potentials=np.repeat(3 * ann[:, None] + 2, 10, axis=1))
    assert output_errors(exact, ann) == pytest.approx(np.zeros(10), abs=1e-6)
    for nothing in (0 * outcome.potentials, -exact.potentials):  # the opposite is no answer either
        assert output_errors(replace(outcome, potentials=nothing), ann) == pytest.approx(np.ones(10))
