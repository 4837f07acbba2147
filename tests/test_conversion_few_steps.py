"""Conversion for few steps: signed spikes and bursts against NumPy, recipes, and how the best is chosen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import Network, SpikeMonitor, TimedArray, ms
from conversion_networks import chain, pooled, residual

import biosnn
from biosnn.ann import Graph, reference
from biosnn.ann.affine import forward
from biosnn.ann.connections import order
from biosnn.catalogue import neuron_model
from biosnn.conversion import SpikingNetwork, Trials, convert, explain, ledger, load, run, save, to_hybrid
from biosnn.conversion.analysis.few_steps import compare_recipes, steps_up_to
from biosnn.conversion.analysis.metrics import output_errors
from biosnn.conversion.analysis.recipes import NEAR, RECIPES
from biosnn.conversion.membrane import Membrane
from biosnn.conversion.populations import MAXIMUM, OUTPUT
from biosnn.conversion.thresholds import ThresholdSettings, find_thresholds
from biosnn.conversion.to_nir import to_nir
from biosnn.energy import HOROWITZ_45NM
from biosnn.errors import ConversionError, SettingsError, TrainingError
from biosnn.model import NeuronModel
from biosnn.training import trainable

NUMPY: dict[str, Any] = {"target": "numpy", "precision": "float64"}
MODELS = {"if_signed": 1, "if_burst": 2}


def images_of(graph: Graph, n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((n, *graph.input.shape)).astype(np.float32)


def sent_by_hand(v: np.ndarray, sent: np.ndarray, k: int, v_neg: float = 0.0) -> np.ndarray:
    """What neurons of a threshold of 1 send: whole thresholds, or back what they have sent too much."""
    forth = np.clip(np.floor(v), 0, k)
    back = np.where(v < v_neg, np.clip(np.ceil(v_neg - v), 0, np.minimum(sent, k)), 0)
    return np.where(v >= 1, forth, -back)


@pytest.mark.parametrize("target", ["numpy", pytest.param("cpp", marks=pytest.mark.cpp)])
def test_neurons_send_and_take_back_to_the_bit_what_numpy_computes(target: str) -> None:
    steps, size, rng = 60, 40, np.random.default_rng(3)
    drives = rng.choice([-2, -1.5, -0.75, -0.25, 0.25, 0.5, 1.25, 2.75], size=(steps, size))  # exact in binary
    wanted, spikes, states = {}, {}, {}
    with biosnn.session(target, seed=1, dt=1 * ms) as sim:
        given = TimedArray(drives, dt=1 * ms)
        parts = []
        for name, k in MODELS.items():
            group = biosnn.neurons(size, name, name=name, values={"v_0": "0.5", "v_neg": "-0.25"})
            group.namespace["given"] = given
            group.run_regularly("v += given(t, i)", when="start")
            spikes[name], states[name] = SpikeMonitor(group, variables=["s"], name=f"{name}_spikes"), group
            parts += [group, spikes[name]]
            v, sent, told = np.full(size, 0.5), np.zeros(size), []
            for step in range(steps):
                v = v + drives[step]
                s = sent_by_hand(v, sent, k, -0.25)
                v, sent = v - s, sent + s
                told += [(step, i, s[i]) for i in np.flatnonzero(s)]
            wanted[name] = told, sent
        sim.run(Network(*parts), steps * ms)
        for name in MODELS:
            monitor = spikes[name]
            found = zip(np.round(monitor.t / ms).astype(int), np.array(monitor.i), np.array(monitor.s), strict=True)
            assert [(int(t), int(i), float(s)) for t, i, s in found] == wanted[name][0]
            np.testing.assert_array_equal(states[name].sent[:], wanted[name][1])
    assert min(s for _, _, s in wanted["if_burst"][0]) == -2
    assert min(s for _, _, s in wanted["if_signed"][0]) == -1


def simulated_by_hand(snn: SpikingNetwork, images: np.ndarray, T: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Potentials after each step, and what each population sent: the whole network, densely, in double precision."""
    v: dict[str, np.ndarray] = {}
    sums: dict[str, np.ndarray] = {}
    potentials = []
    for _ in range(T):
        now: dict[str, np.ndarray] = {snn.graph.input.name: images.astype(float)}
        for population in snn.network.populations:
            shape, name = (len(images), *population.shape), population.name
            before = sums.get(name, np.zeros(shape))
            theta = snn.thresholds[name].reshape(-1, *[1] * (len(population.shape) - 1)).astype(float)
            if population.kind == MAXIMUM:
                path = population.paths[0]
                sums[name] = pooled_by_hand(path.layers[0], sums[path.source], population.shape)
                now[name] = (sums[name] - before) * theta
                continue
            came = np.broadcast_to(population.bias.astype(float), shape).copy()
            for path in population.paths:
                values = now[path.source]
                for layer in path.layers:
                    values = forward(layer, [values], bias=False)
                came += values
            if population.kind == OUTPUT:
                v[name] = v.get(name, np.zeros(shape)) + came
                potentials.append(v[name].reshape(len(images), -1))
                continue
            adjustment = snn.adjustment(name)
            start = np.broadcast_to(adjustment.of_layer("start", population.shape), shape)
            bias = adjustment.of_layer("bias", population.shape)
            v[name] = v.get(name, start) + (came + bias) / theta
            s = sent_by_hand(v[name] + 1e-9, before, snn.options.most)
            v[name], sums[name], now[name] = v[name] - s, before + s, s * theta
    return np.stack(potentials, axis=1), sums


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


NETWORKS = {"pooled": pooled(2), "residual": residual(1)}


@pytest.mark.parametrize("neuron", MODELS)
@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_sends_what_a_dense_simulation_does(name: str, neuron: str) -> None:
    graph, T = NETWORKS[name], 6
    images = images_of(graph, 5)
    snn = convert(graph, images, neuron=neuron, method="error", recipe="plain", steps=3)
    changed = {p.name: p for p in snn.network.hidden if p.kind != MAXIMUM}
    rng = np.random.default_rng(5)
    for population in changed.values():  # a start for each neuron, a bias for each channel
        bias = rng.normal(size=population.shape[0]) * 0.1
        snn = snn.with_adjustment(population.name, start=rng.random(population.shape), bias=bias)
    outcome = run(snn, images, T, each=True, **NUMPY)
    potentials, sums = simulated_by_hand(snn, images, T)
    np.testing.assert_allclose(outcome.potentials, potentials, rtol=1e-4, atol=1e-4)
    for population in snn.network.hidden:
        flat = sums[population.name].reshape(len(images), -1)[:, order(population.shape)]
        np.testing.assert_array_equal(outcome.sent[population.name], flat)
    back = {name: (outcome.spikes[name] - outcome.sent[name]).sum() for name in outcome.spikes}
    assert all(number >= 0 for number in back.values())
    assert max(back.values()) > 0, "nothing was taken back: this tests too little"
    assert all(steps.sum() == outcome.spikes[name].sum() for name, steps in outcome.by_step.items())


@pytest.mark.cpp
def test_cpp_counts_as_numpy_does_and_trials_of_fewer_steps_are_runs_of_fewer_steps(tmp_path: Path) -> None:
    graph = NETWORKS["pooled"]
    images = images_of(graph, 5)
    snn = convert(graph, images, neuron="if_burst", method="error", recipe="plain", steps=3)
    by_numpy = run(snn, images, 4, each=True, **NUMPY)
    save(snn, tmp_path / "snn.npz")
    with biosnn.session("cpp", seed=1) as sim:
        trials = Trials(snn, 6, sim, each=True, precision="float64")
        (whole,), (fewer,) = trials.run([snn], images), trials.for_steps(4).run([snn], images)
        with pytest.raises(ConversionError, match="at most 6 steps"):
            trials.for_steps(7)
    np.testing.assert_array_equal(whole.potentials[:, :4], fewer.potentials)
    for name, spikes in fewer.spikes.items():
        np.testing.assert_array_equal(spikes, by_numpy.spikes[name])
        np.testing.assert_array_equal(fewer.sent[name], by_numpy.sent[name])
        np.testing.assert_array_equal(fewer.by_step[name], by_numpy.by_step[name])
    np.testing.assert_allclose(fewer.potentials, by_numpy.potentials, atol=1e-6)


def test_the_error_of_a_threshold_is_the_smallest_of_all_methods() -> None:
    graph = chain(5, 8, 3, seed=4)
    images = images_of(graph, 300)
    a = reference(graph).activations(images, ["relu1"])["relu1"]
    network = convert(graph, images).network

    def error(method: str, steps: int, most: int, **more: float) -> np.ndarray:
        found = find_thresholds(network, images, ThresholdSettings(method, steps=steps, **more), most=most)  # type: ignore[arg-type]
        q = found["relu1"] / steps
        told = q * np.clip(np.round(a / q), 0, steps * most)
        return np.asarray(((told - a) ** 2).mean(axis=0))

    for steps, most in ((1, 1), (4, 1), (4, 2)):
        best = error("error", steps, most)
        for method, more in (("max", {}), ("percentile", {"percentile": 99.0}), ("percentile", {"percentile": 90.0})):
            assert np.all(best <= error(method, steps, most, **more) * 1.02 + 1e-12)
    # A value that is always the same is told without an error: in whole spikes.
    same = np.repeat(images[:1], 40, axis=0)
    one = find_thresholds(network, same, ThresholdSettings("error", steps=4))["relu1"]
    value = a[0] / (one / 4)
    told = np.abs(value - np.round(value))[a[0] > 0]
    assert told.max() < 0.01 * 4


@pytest.fixture(scope="module")
def converted() -> dict[tuple[str, int], tuple[SpikingNetwork, float]]:
    """Each recipe for some steps, with the error of its outputs on images that were not used to calibrate."""
    graph = chain(8, 16, 16, 16, 4, seed=1)
    images, others = images_of(graph, 60), images_of(graph, 50, seed=9)
    ann = reference(graph).outputs(others)
    found = {}
    for name in RECIPES:
        for T in (4, 12, 24):
            snn = convert(graph, images, steps=T, recipe=name, target="numpy")
            found[name, T] = snn, float(output_errors(run(snn, others, T, **NUMPY), ann)[-1])
    noise = np.random.default_rng(0).normal(size=images.shape).astype(np.float32) * 5
    signed = convert(graph, images, neuron="if_signed", method="error", steps=4, recipe="plain")
    found["signed, not calibrated", 4] = signed, float(output_errors(run(signed, others, 4, **NUMPY), ann)[-1])
    wrong = convert(graph, noise, steps=4, recipe="signed", target="numpy")
    found["signed, on noise", 4] = wrong, float(output_errors(run(wrong, others, 4, **NUMPY), ann)[-1])
    return found


def test_every_recipe_comes_nearer_to_the_ann_with_more_steps(converted: Any) -> None:
    for name in RECIPES:
        few, more, many = (converted[name, T][1] for T in (4, 12, 24))
        assert many < more < few, name
        assert many < 0.2, name


def test_what_recipes_do_helps_and_controls_fail(converted: Any) -> None:
    error = {name: error for (name, T), (_, error) in converted.items() if T == 4}
    assert error["burst"] < error["signed"] < error["plain"]
    assert error["signed"] < error["signed, not calibrated"]
    assert error["signed"] < error["signed, on noise"]


def test_a_recipe_travels_with_the_network(converted: Any, tmp_path: Path) -> None:
    snn = converted["calibrated", 4][0]
    assert snn.adjustment("relu1").start.shape == (16,)
    assert (snn.recipe, snn.choice.recipe, len(snn.choice.trials)) == ("calibrated", "calibrated", 1)
    assert "recipe calibrated" in repr(snn)
    save(snn, tmp_path / "snn.npz")
    again = load(tmp_path / "snn.npz")
    images = images_of(snn.graph, 3)
    assert again.recipe == "calibrated"
    np.testing.assert_array_equal(run(again, images, 4, **NUMPY).potentials, run(snn, images, 4, **NUMPY).potentials)


def test_the_delay_leaves_out_what_came_before_it(converted: Any) -> None:
    snn = converted["delayed", 12][0]
    images = images_of(snn.graph, 3)
    assert snn.options.delay == 3
    told = run(snn, images, 12, **NUMPY).potentials
    at_once = run(replace(snn, options=replace(snn.options, delay=0)), images, 12, **NUMPY).potentials
    np.testing.assert_array_equal(told[:, :3], at_once[:, :3])
    np.testing.assert_allclose(told[:, 11] / 12, (at_once[:, 11] - at_once[:, 2]) / 9, rtol=1e-5)
    with pytest.raises(ConversionError, match="run, T: expected more than 3 steps"):
        run(snn, images, 3, **NUMPY)
    with pytest.raises(ConversionError, match="no delay for images that end early"):
        run(snn, images, 12, margin=1.0, **NUMPY)


def test_the_parts_of_the_error_add_up_with_signed_spikes_and_bursts(converted: Any) -> None:
    for name in ("signed", "burst"):
        snn = converted[name, 4][0]
        images = images_of(snn.graph, 30, seed=3)
        outcome = run(snn, images, 4, each=True, **NUMPY)
        for layer in explain(snn, images, outcome):
            parts = sum(value for part, value in layer.bias.items() if part != "error")
            assert parts == pytest.approx(layer.bias["error"], abs=1e-5)
            assert layer.errors["reset and leak"] == 0
            assert layer.correlation > 0.9


def test_the_best_recipe_is_chosen_and_told() -> None:
    graph = chain(8, 16, 16, 4, seed=1)
    images = images_of(graph, 60)
    snn = convert(graph, images, steps=2, target="numpy")
    one = convert(chain(8, 16, 16, 16, 16, 4, seed=1), images, steps=1, target="numpy")
    # The last is tried only where those before it do badly.
    first_four = [trial.agreement for trial in snn.choice.trials]
    assert [trial.recipe for trial in snn.choice.trials] == ["plain", "calibrated", "signed", "burst"]
    assert 0.9 <= max(first_four) < 1
    assert [trial.recipe for trial in one.choice.trials] == ["plain", "calibrated", "signed", "burst", "burst4"]
    assert max(trial.agreement for trial in one.choice.trials[:-1]) < 0.9
    best = max(trial.agreement for trial in snn.choice.trials)
    chosen = next(trial for trial in snn.choice.trials if trial.recipe == snn.choice.recipe)
    assert chosen.agreement >= best - NEAR
    assert all(trial.spikes >= chosen.spikes for trial in snn.choice.trials if trial.agreement >= best - NEAR)
    assert f"{snn.recipe}, chosen" in str(snn.choice)
    assert "Recipes for 2 steps" in snn.choice._repr_html_()
    # Where plain rates decide as the ANN does, nothing else is tried.
    many = convert(graph, images, steps=128, target="numpy")
    assert (many.recipe, len(many.choice.trials)) == ("plain", 1)
    # Given by hand, and without steps, nothing is tried.
    assert convert(graph, images).choice is None
    assert convert(graph, images, steps=8, percentile=99.0).choice is None


def test_recipes_are_compared_over_steps() -> None:
    graph = chain(6, 10, 10, 3, seed=2)
    images = images_of(graph, 60)
    labels = reference(graph).outputs(images).argmax(axis=1)
    assert steps_up_to(6) == [1, 2, 4, 6]
    with biosnn.session("numpy", seed=1) as sim:
        rows = compare_recipes(graph, images, images, labels, [2, 8], sim, HOROWITZ_45NM, recipes=["plain", "burst"])
    assert [(row.recipe, row.steps) for row in rows] == [("plain", 2), ("plain", 8), ("burst", 2), ("burst", 8)]
    assert all(row.accuracy == row.agreement for row in rows)  # the labels are the ANN's decisions
    plain, burst = rows[0], rows[2]
    assert burst.spikes > plain.spikes
    assert burst.energy > plain.energy
    with pytest.raises(ConversionError, match="recipe"):
        compare_recipes(graph, images, images, labels, [2], None, HOROWITZ_45NM, recipes=["bursts"])  # type: ignore[arg-type]


def test_operations_count_what_is_taken_back_and_every_spike_of_a_burst(converted: Any) -> None:
    snn = converted["burst", 4][0]
    outcome = run(snn, images_of(snn.graph, 10), 4, **NUMPY)
    counted = ledger(snn, outcome)
    fired = sum(int(spikes.sum()) for spikes in outcome.spikes.values())
    events = sum(int(outcome.spikes[f"relu{n}"].sum()) * width for n, width in ((1, 16), (2, 16), (3, 4)))
    assert fired > sum(int(sent.sum()) for sent in outcome.sent.values())
    assert counted.an_inference("events") * 10 == events


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"recipe": "bursts", "steps": 4}, "No recipe named 'bursts'"),
        ({"recipe": "signed", "steps": 4, "neuron": "if_hard"}, r"no settings that the recipe decides upon .*neuron"),
        ({"recipe": "auto", "steps": 4, "percentile": 99.0}, r"Leave out balance"),
        ({"recipe": "burst", "steps": 0}, "steps: expected a whole number of at least 1"),
        ({"recipe": "burst", "code": "first spike"}, "no settings that the recipe decides upon"),
        ({"recipe": "burst", "steps": 4, "spiking": "first 1"}, "recipes are for networks all of whose layers spike"),
        ({"delay": -1}, "Options.delay: expected a whole number of steps"),
        ({"delay": 2, "code": "first spike"}, "Options.delay: expected its default with code='first spike'"),
    ],
)
def test_recipes_that_cannot_be_are_refused(settings: dict[str, Any], message: str) -> None:
    graph = chain(4, 6, 3)
    with pytest.raises(ConversionError, match=message):
        convert(graph, images_of(graph, 10), target="numpy", **settings)


def test_what_takes_no_signed_spikes_and_no_delay_says_so(converted: Any) -> None:
    signed, delayed = converted["signed", 4][0], converted["delayed", 12][0]
    for snn, what in ((signed, "neuron"), (delayed, "delay")):
        with pytest.raises(ConversionError, match=f"A network in NIR, {what}: expected"):
            to_nir(snn)
        with pytest.raises(TrainingError, match=f"trainable, network, {what}: expected"):
            trainable(snn, 4)
    with pytest.raises(ConversionError, match=r"Options\.delay: expected 0"):
        to_hybrid(delayed, "first 1")
    rates = to_hybrid(signed, "first 2").run(images_of(signed.graph, 4), T=4, target="numpy")
    assert rates.outputs.shape[0] == 4


def carrying(s: str, **changes: Any) -> NeuronModel:
    model = neuron_model("if_burst")
    equations = "\n".join(line for line in model.equations.splitlines() if not line.startswith("s ="))
    more = f"used = k + v_neg + v_th : 1\ns = {s} : 1"
    return replace(model, name="own", equations=f"{equations}\n{more}", **changes)


@pytest.mark.parametrize(
    "model",
    [
        carrying("int(v >= v_th)*clip(floor(v/v_th), 0, k) - int(v < v_neg)*clip(ceil(-v), 0, clip(sent, 0, k))"),
        carrying("-int(not v < v_th) + 2*abs(sent)*0"),
        carrying("clip(floor(v/v_th), -sent, k)", initial={"v": "v_0", "sent": "0"}),
        neuron_model("if_signed"),
    ],
)
def test_what_carries_whole_numbers_is_seen_to(model: NeuronModel) -> None:
    assert Membrane.of(model).model is model


@pytest.mark.parametrize(
    "model",
    [
        carrying("v/v_th"),
        carrying("clip(v/v_th, 0, k)"),
        carrying("0.5*int(v >= v_th)"),
        carrying("int(v >= v_th)*v_th"),
        carrying("floor(v)/2"),
        carrying("exp(floor(v))"),
        carrying("floor(v)**sent"),
        carrying("clip(sent, 0, 1)", initial={"v": "v_0", "sent": "0.5"}),
        carrying("clip(sent, 0, 1)", reset="v -= s*v_th\nsent += 0.5"),
        carrying("clip(sent, 0, 1)", reset="v -= s*v_th\nsent /= 2"),
    ],
    ids=lambda model: str(model.parsed["s"].expr.code),
)
def test_spikes_that_carry_fractions_are_refused(model: NeuronModel) -> None:
    if "v_th" in model.parsed["s"].identifiers and "*v_th" in str(model.parsed["s"].expr.code):
        model = model.with_values("", v_th="1.5")
    graph = chain(4, 6, 3)
    with pytest.raises(ConversionError, match=r"Neuron 'own' spike_value: expected whole numbers.*got 's = "):
        convert(graph, images_of(graph, 10), neuron=model)


def test_a_network_that_is_converted_already_takes_no_recipe(converted: Any, tmp_path: Path) -> None:
    file = tmp_path / "snn.npz"
    save(converted["signed", 4][0], file)
    for settings in ({"recipe": "burst"}, {"recipes": "on"}):
        with pytest.raises(SettingsError, match=r"expected its default, as .*snn.npz is converted already"):
            biosnn.run_study("conversion", {"model": str(file), **settings}, target="numpy", out=tmp_path / "out")
