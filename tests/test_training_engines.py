"""Gradients through spikes against differences, closed forms and an oracle of events; one engine against the other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import event_driven
import numpy as np
import pytest
from brian2 import ms, mV, nS
from numpy.testing import assert_allclose
from training_networks import ALL, LIF, READOUT, TIMES, cosine, differences, refractory, spikes, three_layers

from biosnn import catalogue
from biosnn.errors import AdjointError, TrainingError
from biosnn.projection import Conv2D, FixedProbability, Pool2D, Sparse
from biosnn.quantity import parse_quantity
from biosnn.training import INPUT, Connection, Exact, Layer, SpikeList, Surrogate, TrainableNetwork
from biosnn.training.engines.cpp_engine import CppEngine
from biosnn.training.engines.numpy_engine import NumpyEngine

NOISY = replace(
    LIF,
    name="lif_with_noise",
    equations="dv/dt = (I - v)/tau_m + 0.1*xi*tau_m**-0.5 : 1\ndI/dt = -I/tau_s : 1",
    method="euler",
)


def one_cell(w: float, tau_s: str, dt: float, tau_m: str = "20 ms") -> tuple[NumpyEngine, SpikeList]:
    model = LIF.with_values(tau_m=tau_m, tau_s=tau_s)
    net = TrainableNetwork(
        1, [Layer("cell", 1, model)], [Connection(INPUT, "cell", np.array([[w]]))], dt=dt * ms, duration=8 * ms
    )
    return NumpyEngine(net, Exact(), "first_spike"), SpikeList(
        np.array([0, 1]), np.zeros(1, np.int32), np.zeros(1, np.int32)
    )


# Of ../shared/TRAINING.md, section 2: closed forms, recomputed there.
@pytest.mark.parametrize(
    ("w", "tau_m", "tau_s", "time", "slope"),
    [
        (5.0, "20 ms", "10 ms", 6.4701426231, -2.4721359550),
        (6.0, "20 ms", "10 ms", 4.7480157230, -1.2200846793),
        (4.0, "10 ms", "10 ms", 3.5740295618, -1.3904629645),
    ],
)
def test_first_spikes_and_their_gradients_are_those_of_the_closed_form(
    w: float, tau_m: str, tau_s: str, time: float, slope: float
) -> None:
    for dt in (0.04, 0.02, 0.01):
        engine, given = one_cell(w, tau_s, dt, tau_m)
        # Interpolated within the step: of second order in dt, and late, as the potential is a concave function of time.
        assert 0 <= engine.forward(given).features[0, 0] * 1e3 - time < 5e-5 * (dt / 0.04) ** 2
        found = engine.backward(np.ones((1, 1))).weights["input_to_cell"][0, 0] * 1e3
        assert abs(found - slope) < 0.02 * abs(slope) * dt / 0.04  # of first order, as the spike is on the grid


def test_a_time_within_the_step_is_exact_to_six_digits_at_a_hundredth_of_a_millisecond() -> None:
    engine, given = one_cell(5.0, "10 ms", 0.01)
    assert engine.forward(given).features[0, 0] * 1e3 == pytest.approx(6.4701426231, abs=1e-6)


@pytest.mark.parametrize("detached", [True, False])
@pytest.mark.parametrize("shape", ["arctan", "fast_sigmoid", "triangle"])
def test_a_surrogate_is_the_exact_gradient_of_the_smooth_program(shape: str, detached: bool) -> None:
    """Whose resets, if they are detached, do not move."""
    net = three_layers(trained=ALL if not detached else TIMES, duration=8 * ms)
    if detached:  # a neuron without a reset, where nothing is detached
        kept = {name: LIF.parameters[name] for name in ("tau_m", "tau_s", "v_th")}
        without = replace(LIF, name="without_reset", reset="v = v", parameters=kept)
        net = three_layers(without, trained=TIMES, duration=8 * ms)
    engine = NumpyEngine(net, Surrogate(shape, 0.7, detached), "mean_potential", smooth=True)
    given, weigh = spikes(2), np.random.default_rng(3).normal(size=(2, 3))

    def loss() -> float:
        return float(np.sum(engine.forward(given).features * weigh))

    loss()
    found = engine.backward(weigh)
    expected = differences(net, loss)
    for name, slopes in {**found.weights, **found.parameters}.items():
        scale, told = np.nanmax(np.abs(expected[name])), np.isfinite(expected[name])
        chosen = np.where(told, slopes, np.nan)
        assert_allclose(chosen, expected[name], atol=2e-7 * scale, rtol=2e-7, err_msg=name)


@pytest.mark.cpp
@pytest.mark.parametrize("t_ref", [0.0, 3.0])
def test_exact_gradients_on_the_grid_come_to_those_of_events(t_ref: float) -> None:
    """The cosine of hidden and output gradients, of networks with several spikes per neuron."""
    model = refractory(f"{t_ref} ms") if t_ref else LIF
    cosines = []
    for seed in range(3):
        net = three_layers(model, model, dt=0.02 * ms, duration=12 * ms, trained={}, recurrent=None, seed=seed)
        given = spikes(1, within=300, seed=seed)
        engine = CppEngine(net, Exact(1e9), "first_spike")
        times = engine.forward(given).features[0]
        slopes = np.where(np.isfinite(times), [1.0, 2.0, 3.0], 0.0)
        found = engine.backward(slopes[None])
        trains = [np.zeros(0)] * 5
        for neuron, step in zip(given.neuron, given.step, strict=True):
            trains[neuron] = np.array([0.02 * step])

        def first(outputs: Any, slopes: Any = slopes) -> Any:
            each = [slope * np.eye(1, len(train))[0] for slope, train in zip(slopes, outputs, strict=True)]
            return sum(np.sum(s * t) for s, t in zip(each, outputs, strict=True)), each

        weights = [net.weights["input_to_hidden"], net.weights["hidden_to_output"]]
        _, exact, _ = event_driven.gradient(weights, trains, 20, 5, 1.0, t_ref, event_driven.OfSpikes(first), 12.0)
        cosines.append(
            [
                cosine(found.weights[name], x)
                for name, x in zip(("input_to_hidden", "hidden_to_output"), exact, strict=True)
            ]
        )
        assert_allclose(np.linalg.norm(found.weights["hidden_to_output"]) * 1e3, np.linalg.norm(exact[1]), rtol=0.05)
    assert np.median(cosines, axis=0).min() > 0.99


def test_a_batch_is_the_sum_of_its_examples() -> None:
    net, given, weigh = three_layers(), spikes(3), np.random.default_rng(3).normal(size=(3, 3))
    engine = NumpyEngine(net, Exact(), "max_potential")
    engine.forward(given)
    whole = engine.backward(weigh)
    parts = []
    for k in range(3):
        chosen = slice(given.indptr[k], given.indptr[k + 1])
        engine.forward(SpikeList(np.array([0, 5]), given.neuron[chosen], given.step[chosen]))
        parts.append(engine.backward(weigh[k : k + 1]))
    for name, slopes in whole.weights.items():
        assert_allclose(slopes, sum(part.weights[name] for part in parts), rtol=1e-10, atol=1e-14)
    for name, slope in whole.parameters.items():
        assert slope == pytest.approx(sum(part.parameters[name] for part in parts), rel=1e-10)


def conv_networks() -> list[TrainableNetwork]:
    """The same network with dense weights, with a convolution of one pixel, and with lists."""
    random = np.random.default_rng(5)
    kernel, out = random.normal(3, 1, (5, 6)), random.normal(1, 1, (6, 3))
    pairs = np.indices((5, 6)).reshape(2, -1)
    kinds: list[dict[str, Any]] = [
        {"weight": kernel},
        {"weight": kernel.reshape(1, 1, 5, 6), "kind": Conv2D((1, 1, 5), 6, 1)},
        {"weight": kernel.reshape(-1), "kind": Sparse.pairs(*pairs, shape=(5, 6))},
    ]
    layers = [Layer("hidden", 6, LIF), Layer("output", 3, READOUT)]
    return [
        TrainableNetwork(
            5, layers, [Connection(INPUT, "hidden", **kind), Connection("hidden", "output", out)], dt=0.5 * ms
        )
        for kind in kinds
    ]


@pytest.mark.parametrize("engine", [NumpyEngine, pytest.param(CppEngine, marks=pytest.mark.cpp)])
def test_dense_weights_a_convolution_of_one_pixel_and_lists_are_the_same(engine: Any) -> None:
    given, weigh = spikes(3), np.random.default_rng(3).normal(size=(3, 3))
    found = []
    for net in conv_networks():
        running = engine(net, Exact(), "max_potential")
        features = running.forward(given).features
        slopes = running.backward(weigh).weights["input_to_hidden"]
        found.append((features, np.array(slopes).reshape(5, 6)))
    for features, slopes in found[1:]:
        assert_allclose(features, found[0][0], rtol=1e-12)
        assert_allclose(slopes, found[0][1], rtol=1e-10, atol=1e-14)


def conductance_network() -> TrainableNetwork:
    """Cells with conductances, in volts and siemens, refractory, whose weights have a gain."""
    model = catalogue.neuron_model("lif_cond")
    random = np.random.default_rng(7)
    connections = [
        Connection(INPUT, "hidden", random.normal(20, 5, (5, 6)), onto="g_exc", gain=6 * nS),
        Connection("hidden", "output", random.normal(20, 5, (6, 3)), onto="g_exc", gain=6 * nS, delay=1),
        Connection("hidden", "hidden", random.normal(1, 1, (6, 6)), onto="g_inh", gain=6 * nS, delay=3),
    ]
    layers = [Layer("hidden", 6, model, {"v_th": (-55 * mV, -45 * mV)}), Layer("output", 3, model)]
    return TrainableNetwork(5, layers, connections, dt=0.25 * ms, duration=20 * ms)


NETWORKS: dict[str, Any] = {
    "recurrent": three_layers,
    "spiking output": lambda: three_layers(LIF, LIF),
    "refractory": lambda: three_layers(refractory(), refractory()),
    "a step of rest": lambda: three_layers(refractory("0.5 ms"), refractory("0.5 ms"), recurrent=0),
    "conductances": conductance_network,
}


@pytest.mark.cpp
@pytest.mark.parametrize(
    ("name", "feature", "method"),
    [
        ("recurrent", "mean_potential", Exact()),
        ("recurrent", "max_potential", Surrogate("arctan", 0.7, detach_reset=False)),
        ("spiking output", "first_spike", Exact()),
        ("spiking output", "first_spike", Exact(slowest=5 * ms)),
        ("spiking output", "spike_count", Surrogate()),
        ("refractory", "first_spike", Exact()),
        ("refractory", "spike_count", Surrogate("fast_sigmoid")),
        ("a step of rest", "first_spike", Exact()),
        ("conductances", "first_spike", Exact()),
        ("conductances", "spike_count", Surrogate("box", detach_reset=False)),
    ],
)
def test_the_compiled_engine_gives_what_numpy_gives(name: str, feature: str, method: Any) -> None:
    net, given, random = NETWORKS[name](), spikes(5), np.random.default_rng(4)
    counts = {"hidden": random.normal(size=(5, 6))}
    slow, fast = NumpyEngine(net, method, feature), CppEngine(net, method, feature, threads=2)
    expected, found = slow.forward(given), fast.forward(given)
    assert len(expected.spikes["hidden"].step) > 20, "too quiet a network to tell"
    for layer, trains in expected.spikes.items():
        for part in ("indptr", "neuron", "step"):
            np.testing.assert_array_equal(getattr(found.spikes[layer], part), getattr(trains, part))
    assert_allclose(found.features, expected.features, rtol=1e-12)
    weigh = np.where(np.isfinite(expected.features), random.normal(size=(5, 3)), 0)
    by_numpy, by_cpp = slow.backward(weigh, counts), fast.backward(weigh, counts)
    assert by_cpp.clipped == by_numpy.clipped
    for connection, slopes in by_numpy.weights.items():
        scale = np.max(np.abs(slopes))
        assert scale > 0
        assert_allclose(by_cpp.weights[connection], slopes, rtol=1e-9, atol=1e-12 * scale, err_msg=connection)
    for parameter, slope in by_numpy.parameters.items():
        assert by_cpp.parameters[parameter] == pytest.approx(slope, rel=1e-9), parameter


def test_a_jump_without_bounds_is_cut_and_counted() -> None:
    net = three_layers(trained={}, recurrent=None)
    engine = NumpyEngine(net, Exact(largest_jump=1e-9), "max_potential")
    answer = engine.forward(spikes())
    found = engine.backward(np.ones((4, 3)))
    spiked = len(answer.spikes["hidden"].step)
    assert 0 < found.clipped <= spiked
    # Nobody crosses a threshold of 1 at a speed of 1 per microsecond.
    engine = NumpyEngine(net, Exact(slowest="1 us"), "max_potential")
    engine.forward(spikes())
    cut = engine.backward(np.ones((4, 3)))
    assert cut.clipped == spiked
    assert np.abs(cut.weights["input_to_hidden"]).max() < 1e-2 * np.abs(found.weights["hidden_to_output"]).max()


@pytest.mark.parametrize(
    ("make", "feature", "method", "message"),
    [
        (lambda: three_layers(), "first_spike", Exact(), "expected spikes of layer 'output'.*MaxPotential"),
        (lambda: three_layers(LIF, LIF), "spike_count", Exact(), "numbers of spikes have no exact gradient"),
        (lambda: three_layers(LIF, LIF), "first_spike", Surrogate(), "exact gradient only"),
        (lambda: three_layers(), "loudest", Exact(), "Valid|loudest"),
        (
            lambda: three_layers(refractory(), trained={"t_ref": ("1 ms", "5 ms")}),
            "max_potential",
            Exact(),
            "t_ref is the refractory",
        ),
        (
            lambda: three_layers(NOISY, trained={}),
            "max_potential",
            Exact(),
            "noise",
        ),
    ],
)
def test_what_has_no_gradient_is_refused_before_anything_runs(
    make: Any, feature: str, method: Any, message: str
) -> None:
    with pytest.raises((TrainingError, AdjointError), match=message):
        NumpyEngine(make(), method, feature)


def test_spikes_that_move_the_membrane_at_once_have_a_surrogate_gradient_only() -> None:
    delta = catalogue.neuron_model("lif_psc_delta")
    layers = [Layer("hidden", 6, delta), Layer("output", 3, delta)]
    weights = np.random.default_rng(1).uniform(4, 8, (5, 6)), np.random.default_rng(2).uniform(4, 8, (6, 3))
    connections = [
        Connection(INPUT, "hidden", weights[0], gain=1 * mV),
        Connection("hidden", "output", weights[1], gain=1 * mV),
    ]
    net = TrainableNetwork(5, layers, connections, duration=20 * ms)
    with pytest.raises(TrainingError, match=r"input_to_hidden.*across the threshold at once"):
        NumpyEngine(net, Exact(), "first_spike")
    NumpyEngine(net, Surrogate(), "spike_count")


def test_a_neuron_that_may_spike_at_its_threshold_itself_does() -> None:
    """v >= v_th, as integrate-and-fire neurons of converted networks have it: weights of a half reach 1 exactly."""
    counts = []
    for condition in ("v > v_th", "v >= v_th"):
        model = replace(catalogue.neuron_model("if_soft"), name="at_threshold", threshold=condition)
        onto = model.spike_inputs[0]
        layers = [Layer("cell", 1, model)]
        half = 0.5 * float(parse_quantity(model.parameters["v_th"].value))
        joined = Connection(INPUT, "cell", np.full((2, 1), half), onto=onto)
        net = TrainableNetwork(2, layers, [joined], duration=1 * ms)
        both = SpikeList(np.array([0, 2]), np.arange(2, dtype=np.int32), np.zeros(2, np.int32))
        counts.append(NumpyEngine(net, Surrogate(), "spike_count").forward(both).features[0, 0])
    assert counts == [0, 1]


def test_a_network_of_units_is_copied_and_its_parts_serve_another() -> None:
    net = conductance_network()
    other = net.copy()
    again = TrainableNetwork(5, net.layers, net.connections, dt=0.25 * ms, duration=20 * ms)
    for each in (other, again):
        assert each.connections[0].gain == pytest.approx(6e-9)
        np.testing.assert_array_equal(each.weights["input_to_hidden"], net.weights["input_to_hidden"])
    own = Connection(INPUT, "hidden", np.ones((5, 6)), onto="g_exc", gain=6 * nS)
    for _ in range(2):
        TrainableNetwork(5, [net.layers[0]], [own])


@pytest.mark.parametrize("kind", [Pool2D((2, 2, 1), 2, mode="max"), FixedProbability(0.5)])
def test_kinds_whose_synapses_are_not_known_or_do_not_all_pass_are_refused(kind: Any) -> None:
    with pytest.raises(TrainingError, match="kind: expected a kind whose synapses are known and all pass"):
        TrainableNetwork(4, [Layer("one", 1, LIF)], [Connection(INPUT, "one", np.ones(1), kind)])


ENGINES = [NumpyEngine, pytest.param(CppEngine, marks=pytest.mark.cpp)]


@pytest.mark.parametrize("engine", ENGINES)
def test_engines_of_the_same_kind_keep_to_themselves(engine: Any) -> None:
    """Those of one compiled library, too: networks may differ in weights only, and passes come in any order."""
    given = spikes(3), spikes(4, seed=5)
    nets = three_layers(trained={}), three_layers(trained={}, seed=2)
    weigh = np.ones((3, 3)), np.ones((4, 3))
    expected = []
    for net, each, by in zip(nets, given, weigh, strict=True):
        alone = engine(net, Exact(), "max_potential")
        alone.forward(each)
        expected.append({name: np.array(x) for name, x in alone.backward(by).weights.items()})
    both = [engine(net, Exact(), "max_potential") for net in nets]
    for one, each in zip(both, given, strict=True):
        one.forward(each)
    for one, by, wanted in zip(both, weigh, expected, strict=True):
        found = one.backward(by).weights
        for name, slopes in wanted.items():
            np.testing.assert_array_equal(found[name], slopes)


@pytest.mark.cpp
def test_spikes_of_an_earlier_pass_are_refused_and_not_those_of_the_last() -> None:
    engine = CppEngine(three_layers(trained={}), Exact(), "max_potential")
    first = engine.forward(spikes(3))
    engine.forward(spikes(3, seed=9))
    with pytest.raises(TrainingError, match="before the next one of the same engine only"):
        first.spikes["hidden"]


@pytest.mark.parametrize("engine", ENGINES)
def test_what_does_not_fit_the_network_is_refused_by_engines(engine: Any) -> None:
    net, ok = three_layers(trained={}), spikes(2)
    running = engine(net, Exact(), "max_potential")
    with pytest.raises(TrainingError, match="no forward pass"):
        running.backward(np.ones((2, 3)))
    for change, message in (
        ({"neuron": np.full(10, 5, np.int32)}, r"spikes, neuron: expected from 0 to 4 \(got 5\)"),
        ({"step": np.full(10, 40, np.int32)}, r"spikes, step: expected from 0 to 39 \(got 40\)"),
        ({"step": np.arange(10, 0, -1).astype(np.int32)}, "in the order of their steps"),
        ({"indptr": np.array([0, 5, 11])}, "11 neurons and steps"),
        ({"indptr": np.array([1, 5, 10])}, "numbers that grow from 0"),
    ):
        with pytest.raises(TrainingError, match=message):
            running.forward(replace(ok, **change))
    running.forward(ok)
    with pytest.raises(TrainingError, match=r"by_features: expected the shape \(2, 3\)"):
        running.backward(np.ones((3, 3)))
    with pytest.raises(TrainingError, match=r"by_counts, hidden: expected the shape \(2, 6\)"):
        running.backward(np.ones((2, 3)), {"hidden": np.ones((2, 5))})
