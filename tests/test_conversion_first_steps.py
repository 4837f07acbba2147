"""The first steps of an image: a pre-run, after which offset spikes shift membranes, and a delay per layer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conversion_networks import chain, pooled, residual

import biosnn
from biosnn.ann import Add, Graph, Input, Linear, Relu, reference
from biosnn.ann.affine import forward
from biosnn.ann.connections import order
from biosnn.conversion import Options, SpikingNetwork, Trials, convert, explain, ledger, load, run, save, to_hybrid
from biosnn.conversion.analysis.metrics import output_errors
from biosnn.conversion.analysis.remedies import channel_rates
from biosnn.conversion.populations import MAXIMUM, OUTPUT
from biosnn.conversion.to_nir import to_nir
from biosnn.errors import ConversionError, TrainingError
from biosnn.training import trainable

NUMPY: dict[str, Any] = {"target": "numpy", "precision": "float64"}
NETWORKS = {"pooled": pooled(2), "residual": residual(1)}


def images_of(graph: Graph, n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((n, *graph.input.shape)).astype(np.float32)


def depths_of(snn: SpikingNetwork) -> dict[str, int]:
    """How many layers that integrate there are from the input to a population, itself included."""
    depths = {snn.graph.input.name: 0}
    for p in snn.network.populations:
        depths[p.name] = max(depths[path.source] for path in p.paths) + (p.kind != MAXIMUM)
    return depths


def simulated_by_hand(
    snn: SpikingNetwork, images: np.ndarray, T: int, k: int = 1
) -> tuple[np.ndarray, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Potentials after each step, what was sent after the pre-run, and the spikes of each step; densely, soft reset.

    With k = 2, neurons of `if_burst`, which take back what was sent too much.
    """
    pre_run, late, depth = snn.options.pre_run, snn.options.delay_per_layer, depths_of(snn)
    v: dict[str, np.ndarray] = {}
    sums: dict[str, np.ndarray] = {}
    potentials, by_step = [], {p.name: np.zeros(T, int) for p in snn.network.hidden}
    offsets = np.zeros(2, int)
    for step in range(T):
        now: dict[str, np.ndarray] = {snn.graph.input.name: images.astype(float)}
        for p in snn.network.populations:
            shape, name = (len(images), *p.shape), p.name
            theta = snn.thresholds[name].reshape(-1, *[1] * (len(p.shape) - 1)).astype(float)
            before = sums.setdefault(name, np.zeros(shape))
            if p.kind == MAXIMUM:
                sums[name] = pooled_by_hand(p.paths[0].layers[0], sums[p.paths[0].source], p.shape)
                s = sums[name] - before
            else:
                came = np.broadcast_to(p.bias.astype(float), shape).copy()
                for path in p.paths:
                    values = now[path.source]
                    for layer in path.layers:
                        values = forward(layer, [values], bias=False)
                    came += values
                if p.kind == OUTPUT:
                    v[name] = v.get(name, np.zeros(shape)) + came
                    continue
                v[name] = v.setdefault(name, begin(snn, p, shape)) + (came + bias(snn, p)) / theta
                s = np.clip(np.floor(v[name] + 1e-9), 0, k)
                if k > 1:
                    back = np.clip(np.ceil(-v[name] - 1e-9), 0, np.minimum(before, k))
                    s = np.where(v[name] < 0, -back, s)
                s *= step >= late * (depth[name] - 1)
                v[name], sums[name] = v[name] - s, before + s
            now[name] = s * theta
            by_step[name][step] = np.abs(s).sum()
        potentials.append(v[snn.graph.output].reshape(len(images), -1))
        if step == pre_run - 1:
            for p in snn.network.hidden:
                shape = (len(images), *p.shape)
                if p.kind != MAXIMUM:
                    few, many = v[p.name] >= 1, (v[p.name] < 0) & (sums[p.name] > 0)
                    v[p.name] = begin(snn, p, shape) + few - many
                    offsets += few.sum(), many.sum()
                sums[p.name] = np.zeros(shape)
    if pre_run and k == 1:
        assert offsets.min() > 0, "no spike was too many, or none too few: this tests too little"
    if pre_run:
        at = np.arange(pre_run + 1, T + 1)[:, None, None]
        read = [(p - potentials[pre_run - 1]) for p in potentials[pre_run:]]
        potentials[pre_run:] = list(np.stack(read) * at / (at - pre_run))
    return np.stack(potentials, axis=1), sums, by_step


def begin(snn: SpikingNetwork, population: Any, shape: tuple[int, ...]) -> np.ndarray:
    return np.broadcast_to(snn.adjustment(population.name).of_layer("start", population.shape), shape).astype(float)


def bias(snn: SpikingNetwork, population: Any) -> np.ndarray:
    return snn.adjustment(population.name).of_layer("bias", population.shape)


def pooled_by_hand(layer: Any, sums: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    top, left, bottom, right = layer.padding
    padded = np.pad(sums, ((0, 0), (0, 0), (top, bottom), (left, right)))
    largest = np.zeros((len(sums), *shape))
    for y in range(shape[1]):
        for x in range(shape[2]):
            rows, columns = y * layer.stride[0], x * layer.stride[1]
            window = padded[:, :, rows : rows + layer.kernel[0], columns : columns + layer.kernel[1]]
            largest[:, :, y, x] = window.max(axis=(2, 3))
    return largest


def varied(snn: SpikingNetwork) -> SpikingNetwork:
    """With a start for each neuron and a bias for each channel."""
    rng = np.random.default_rng(5)
    for p in snn.network.hidden:
        if p.kind != MAXIMUM:
            noise = rng.normal(size=p.shape[0]) * 0.1
            snn = snn.with_adjustment(p.name, start=rng.random(p.shape), bias=noise)
    return snn


@pytest.mark.parametrize("neuron", ["if_soft", "if_burst"])
@pytest.mark.parametrize("options", [{"pre_run": 4}, {"delay_per_layer": 2}, {}])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_sends_what_a_dense_simulation_does(name: str, options: dict[str, int], neuron: str) -> None:
    graph, T = NETWORKS[name], 9
    images = images_of(graph, 5)
    snn = varied(convert(graph, images, neuron=neuron, percentile=90.0, recipe="plain", **options))
    outcome = run(snn, images, T, each=True, **NUMPY)
    potentials, sums, by_step = simulated_by_hand(snn, images, T, 2 if neuron == "if_burst" else 1)
    np.testing.assert_allclose(outcome.potentials, potentials, rtol=1e-4, atol=1e-4)
    for p in snn.network.hidden:
        flat = sums[p.name].reshape(len(images), -1)[:, order(p.shape)]
        np.testing.assert_array_equal(outcome.sent[p.name], flat)
        np.testing.assert_array_equal(outcome.by_step[p.name], by_step[p.name])
        assert outcome.spikes[p.name].sum() == by_step[p.name].sum()  # those of the pre-run are counted, too
        first = options.get("delay_per_layer", 0) * (depths_of(snn)[p.name] - 1)
        assert not by_step[p.name][:first].any()
        assert by_step[p.name][first:].any()


@pytest.mark.cpp
def test_cpp_does_what_numpy_does_in_one_program_for_all_numbers_of_steps(tmp_path: Path) -> None:
    graph = NETWORKS["pooled"]
    images = images_of(graph, 5)
    for options in ({"pre_run": 4}, {"pre_run": 3, "neuron": "if_burst"}, {"delay_per_layer": 1}):
        snn = varied(convert(graph, images, percentile=90.0, **options))
        by_numpy = run(snn, images, 7, each=True, **NUMPY)
        save(snn, tmp_path / "snn.npz")
        again = load(tmp_path / "snn.npz")
        assert (again.options.pre_run, again.options.delay_per_layer) == (
            snn.options.pre_run,
            snn.options.delay_per_layer,
        )
        with biosnn.session("cpp", seed=1) as sim:
            trials = Trials(again, 9, sim, each=True, precision="float64")
            (fewer,) = trials.for_steps(7).run([again], images)
            with pytest.raises(ConversionError, match=r"Trials\.for_steps: expected more than \d steps"):
                trials.for_steps(1)
        np.testing.assert_allclose(fewer.potentials, by_numpy.potentials, atol=1e-5)
        for name, spikes in fewer.spikes.items():
            np.testing.assert_array_equal(spikes, by_numpy.spikes[name])
            np.testing.assert_array_equal(fewer.sent[name], by_numpy.sent[name])
            np.testing.assert_array_equal(fewer.by_step[name], by_numpy.by_step[name])
            np.testing.assert_array_equal(fewer.firsts[name], by_numpy.firsts[name])


def test_a_shift_takes_back_a_spike_too_many_and_adds_one_too_few() -> None:
    """Of two neurons of 1/4, one is early (1, 5), one late (4, 8). Early less late fires once, and so does twice late.

    After a pre-run of 4 steps, the residual potential is -1/2 and 3/2: the first begins a threshold lower and does not
    fire, as 1/4 - 1/4 = 0; the second a threshold higher, and fires twice, at first at once. A third layer gets the
    second and 7/4 of the late one as inhibition. It is silent in the pre-run, at the end of which it is at -1/4: that
    is no spike too many, so that it begins where it did, and fires when the second does.
    """
    layers = (
        Input(name="x", shape=(1,)),
        Linear(name="sum1", inputs=("x",), weight=np.full((2, 1), 0.25), bias=np.zeros(2)),
        Relu(name="relu1", inputs=("sum1",)),
        Linear(name="sum2", inputs=("relu1",), weight=np.array([[1, -1], [0, 2]]), bias=np.zeros(2)),
        Relu(name="relu2", inputs=("sum2",)),
        Linear(name="excites", inputs=("relu2",), weight=np.array([[0, 1]]), bias=np.ones(1)),
        Linear(name="inhibits", inputs=("relu1",), weight=np.array([[0, -1.75]]), bias=np.zeros(1)),
        Add(name="sum3", inputs=("excites", "inhibits")),
        Relu(name="relu3", inputs=("sum3",)),
        Linear(name="y", inputs=("relu3",), weight=np.ones((2, 1)), bias=np.zeros(2)),
    )
    image = np.ones((1, 1), np.float32)
    for pre_run, steps, sent, fired in ((0, 4, ([1, 1], [0]), ([1, 1], [0])), (4, 8, ([0, 2], [1]), ([1, 3], [1]))):
        snn = convert(Graph(layers, output="y"), image, pre_run=pre_run)
        snn = replace(snn, thresholds={name: np.ones_like(theta) for name, theta in snn.thresholds.items()})
        snn = snn.with_adjustment("relu1", start=[0.75, 0.0]).with_adjustment("relu3", bias=-1.0)
        outcome = run(snn, image, steps, each=True, **NUMPY)
        for name, told, counted in zip(("relu2", "relu3"), sent, fired, strict=True):
            np.testing.assert_array_equal(outcome.sent[name], [told])
            np.testing.assert_array_equal(outcome.spikes[name], [counted])
        if pre_run:
            np.testing.assert_allclose(outcome.potentials[0, -1] / steps, [0.25, 0.25])


def test_both_come_nearer_to_the_ann_with_more_steps() -> None:
    graph = chain(8, 16, 16, 16, 4, seed=1)
    images, others = images_of(graph, 60), images_of(graph, 50, seed=9)
    ann = reference(graph).outputs(others)

    def error(T: int, **options: Any) -> float:
        snn = convert(graph, images, recipe="plain", steps=T, **options)
        return float(output_errors(run(snn, others, T, **NUMPY), ann)[-1])

    for options in ({"pre_run": 4}, {"delay_per_layer": 2}):
        few, many, most = (error(T, **options) for T in (8, 24, 64))
        assert most < many < few
        assert most < 0.12


def test_rates_are_those_after_the_pre_run() -> None:
    graph = NETWORKS["residual"]
    images = images_of(graph, 40)
    snn = convert(graph, images, pre_run=8, steps=24)
    outcome = run(snn, images, 24, each=True, **NUMPY)
    for report in explain(snn, images, outcome):
        assert report.correlation > 0.9
        assert sum(value for part, value in report.bias.items() if part != "error") == pytest.approx(
            report.bias["error"], abs=1e-5
        )
        mean = reference(graph).activations(images, [report.name])[report.name].mean(axis=(0, 2, 3))
        np.testing.assert_allclose(
            channel_rates(snn, outcome, report.name) * snn.thresholds[report.name], mean, atol=0.1 * mean.max()
        )
    fired = sum(int(spikes.sum()) for spikes in outcome.spikes.values())
    assert fired > sum(int(sent.sum()) for sent in outcome.sent.values())
    assert ledger(snn, outcome).an_inference("events") > 0


def test_a_layer_that_fires_into_neurons_read_as_counts_waits_too() -> None:
    graph = chain(4, 6, 3)
    images = images_of(graph, 10)
    snn = convert(graph, images, output="counts", delay_per_layer=3)
    outcome = run(snn, images, 9, **NUMPY)
    assert not outcome.by_step["sum2"][:3].any()
    assert outcome.by_step["sum2"][3:].any()
    with pytest.raises(ConversionError, match="run, T: expected more than 3 steps"):
        run(snn, images, 3, **NUMPY)
    run(convert(graph, images, output="counts", pre_run=3), images, 9, **NUMPY)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"pre_run": -1}, r"Options\.pre_run: expected a whole number of steps"),
        ({"pre_run": True}, r"Options\.pre_run: expected a whole number of steps"),
        ({"delay_per_layer": 0.5}, r"Options\.delay_per_layer: expected a whole number of steps"),
        ({"pre_run": 2, "code": "first spike"}, r"Options\.pre_run: expected its default with code='first spike'"),
        ({"delay_per_layer": 2, "code": "first spike"}, r"Options\.delay_per_layer: expected its default"),
        ({"pre_run": 2, "input": "first spike"}, r"Options\.pre_run: expected 0 with input='first spike'"),
        ({"pre_run": 2, "delay_per_layer": 1}, r"Options\.delay_per_layer: expected 0 with a pre-run"),
        ({"pre_run": 2, "neuron": "if_hard"}, r"Options\.pre_run, neuron: expected a neuron without a leak .*if_hard"),
        (
            {"pre_run": 2, "neuron": "lif_soft"},
            r"Options\.pre_run, neuron: expected a neuron without a leak .*lif_soft",
        ),
        ({"pre_run": 2, "spiking": "first 1"}, r"Options\.pre_run: expected 0"),
        ({"delay_per_layer": 2, "spiking": "first 1"}, r"Options\.delay_per_layer: expected 0"),
        ({"pre_run": 2, "recipe": "offset", "steps": 4}, r"no settings that the recipe decides upon .*pre_run"),
    ],
)
def test_what_cannot_be_is_refused(settings: dict[str, Any], message: str) -> None:
    graph = chain(4, 6, 3)
    with pytest.raises(ConversionError, match=message):
        convert(graph, images_of(graph, 10), target="numpy", **settings)


def test_a_neuron_that_is_refractory_is_not_held_back() -> None:
    model = replace(Options().model, refractory="2*ms")
    with pytest.raises(ConversionError, match=r"Options\.delay_per_layer, neuron: expected .* never refractory"):
        Options(neuron=model, delay_per_layer=1)


def test_who_cannot_have_first_steps_says_so() -> None:
    graph = chain(4, 6, 6, 3)
    images = images_of(graph, 10)
    for name in ("pre_run", "delay_per_layer"):
        snn = convert(graph, images, **{name: 2})
        with pytest.raises(ConversionError, match="run, T: expected more than 2 steps"):
            run(snn, images, 2, **NUMPY)
        run(snn, images, 3, **NUMPY)
        with pytest.raises(ConversionError, match="Trials, T: expected more than 2 steps"):
            Trials(snn, 2, None)  # type: ignore[arg-type]
        with pytest.raises(ConversionError, match="no delay for images that end early"):
            run(snn, images, 4, margin=1.0, **NUMPY)
        with pytest.raises(ConversionError, match=f"A network in NIR, {name}: expected 0"):
            to_nir(snn)
        with pytest.raises(TrainingError, match=f"trainable, network, {name}: expected 0"):
            trainable(snn, 4)
        with pytest.raises(ConversionError, match=rf"Options\.{name}: expected 0"):
            to_hybrid(snn, "first 1")


def test_the_recipe_offset_makes_half_of_the_steps_a_pre_run() -> None:
    graph = chain(8, 16, 16, 4, seed=1)
    images = images_of(graph, 60)
    snn = convert(graph, images, steps=9, recipe="offset", target="numpy")
    assert (snn.options.pre_run, snn.recipe, snn.choice.images) == (4, "offset", 60)
    one = convert(graph, images, steps=1, recipe="offset", target="numpy")
    assert one.options.pre_run == 0


@pytest.mark.parametrize(("name", "steps"), [("pre_run", 3), ("delay_per_layer", 2)])
def test_a_study_of_a_network_with_first_steps_tries_what_is_possible(name: str, steps: int, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"model": "digits_mlp", "steps": 6, "images": 10, "explained": 10, "calibration": 30}
    settings[f"conversion.{name}"] = steps
    result = biosnn.run_study("conversion", settings, target="numpy", out=tmp_path / "out", draw=False)
    tried = [row[0] for row in result.tables["What would help"].rows]
    assert "twice the steps" in tried
    assert "half the steps" not in tried
    assert "accuracy if images end early" not in result.values
