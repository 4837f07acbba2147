"""Training by gradients: what it learns and what it must not, resuming, early ends, refusals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import ms
from training_networks import LIF, READOUT, judged, order_task, small, trained

import biosnn
from biosnn import training
from biosnn.datasets import LabelledSpikeTrains
from biosnn.errors import QuantityError, TrainingError
from biosnn.projection import Sparse

Trains = LabelledSpikeTrains


@pytest.mark.cpp
def test_it_learns_which_spike_comes_first_and_not_from_shuffled_labels() -> None:
    data, others = order_task(200, 1), order_task(200, 2)
    net = small()
    result = trained(net, data, "cpp")
    assert judged(net, others, "cpp") > 0.88
    assert result.epochs[-1].loss < 0.75 * result.epochs[0].loss
    assert result.epochs[-1].spikes["hidden"] > 1
    wrong = small()
    trained(wrong, order_task(200, 1, shuffled=True), "cpp", epochs=5)
    assert judged(wrong, others, "cpp") < 0.7


@dataclass(frozen=True, kw_only=True)
class Uphill(training.SGD):
    """Follows gradients in the wrong direction."""

    def step(self, values: Any, gradient: Any, state: Any, rate: float) -> None:
        super().step(values, -gradient, state, rate)


@dataclass(frozen=True, kw_only=True)
class Breaks(training.SGD):
    """Leaves no numbers."""

    def step(self, values: Any, gradient: Any, state: Any, rate: float) -> None:  # noqa: ARG002
        values[...] = np.nan


def test_with_the_sign_turned_it_gets_worse() -> None:
    result = trained(small(), order_task(100, 1), optimizer=Uphill(rate=0.2), epochs=6)
    assert result.epochs[-1].loss > result.epochs[0].loss
    assert result.epochs[-1].accuracy < 0.5


@pytest.mark.cpp
def test_surrogate_gradients_learn_it_too() -> None:
    net = small()
    trained(net, order_task(200, 1), "cpp", method=training.Surrogate())
    assert judged(net, order_task(200, 2), "cpp") > 0.88


class Interrupted(Exception):
    pass


def test_an_interrupted_training_comes_to_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, validation = order_task(60, 1), order_task(30, 2)

    def run(net: training.TrainableNetwork, folder: Path | None, report: Any = None, **more: Any) -> Any:
        with biosnn.session("numpy", seed=4) as sim:
            sim.checkpoint_folder = folder
            settings: dict[str, Any] = {"loss": training.MaxPotential(5), "validation": validation, "epochs": 4, **more}
            return training.train(sim, net, data, report=report, **settings)

    def stop(number: int, _: training.Epoch) -> None:
        if number == 1:
            raise Interrupted

    bounds = {"tau_m": ("5 ms", "50 ms")}
    whole, stopped = small(trained=bounds), small(trained=bounds)
    expected = run(whole, None)
    before = stopped.weights["input_to_hidden"].copy()
    with pytest.raises(Interrupted):
        run(stopped, tmp_path, stop)
    np.testing.assert_array_equal(stopped.weights["input_to_hidden"], before)  # changed when a training ends
    seen: list[int] = []
    assert run(stopped, tmp_path, lambda number, _: seen.append(number)) == expected
    assert seen == [2, 3]
    for name, weights in whole.weights.items():
        np.testing.assert_array_equal(stopped.weights[name], weights)
    assert stopped.parameters == whole.parameters
    # More epochs go on from there; another learning rate is another training.
    seen.clear()
    run(small(trained=bounds), tmp_path, lambda number, _: seen.append(number), epochs=5)
    assert seen == [4]
    seen.clear()
    other = {"optimizer": training.Adam(rate=0.1), "epochs": 2}
    run(small(trained=bounds), tmp_path, lambda number, _: seen.append(number), **other)
    assert seen == [0, 1]
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes()[:100])
    seen.clear()
    run(small(trained=bounds), tmp_path, lambda number, _: seen.append(number))
    assert seen == [0, 1, 2, 3]
    assert "the checkpoint is not used" in capsys.readouterr().err


def test_it_ends_when_validation_no_longer_gets_better_and_keeps_the_best_weights() -> None:
    wrong = order_task(30, 2, shuffled=True)
    net = small()
    result = trained(net, order_task(60, 1), validation=wrong, patience=2, epochs=30)
    losses = [epoch.validation_loss for epoch in result.epochs]
    assert len(losses) < 30
    assert result.best == int(np.argmin(losses)) == len(losses) - 3
    with biosnn.session("numpy", seed=4) as sim:
        again = training.evaluate(sim, net, wrong, loss=training.MaxPotential(5))
    assert again.loss == pytest.approx(min(losses), rel=1e-12)


def test_weights_keep_their_sign_and_parameters_their_bounds() -> None:
    weights = np.random.default_rng(1).normal(2.5, 1.0, (4, 12))
    layers = [
        training.Layer("hidden", 12, LIF, {"tau_m": ("19 ms", "21 ms"), "v_th": ("0.9", "1.1")}),
        training.Layer("output", 2, READOUT),
    ]
    out = np.random.default_rng(2).normal(0, 0.3, (12, 2))
    connections = [
        training.Connection("input", "hidden", weights, keep_sign=True),
        training.Connection("hidden", "output", out, keep_sign=True),
    ]
    net = training.TrainableNetwork(4, layers, connections, dt=0.5 * ms, duration=10 * ms)
    trained(net, order_task(60, 1), optimizer=training.Adam(rate=0.3), epochs=3)
    found = net.weights["hidden_to_output"]
    assert np.all(found * np.sign(out) >= 0)
    assert np.any(found == 0), "too small steps to tell"
    assert 0.019 <= net.parameters["hidden.tau_m"] <= 0.021
    assert 0.9 <= net.parameters["hidden.v_th"] <= 1.1
    assert net.parameters["hidden.tau_m"] != 0.020


def test_a_connection_that_is_not_trained_stays() -> None:
    net = small()
    frozen = replace(net.connections[0], trained=False)
    net = training.TrainableNetwork(4, net.layers, [frozen, net.connections[1]], dt=0.5 * ms, duration=10 * ms)
    trained(net, order_task(40, 1), epochs=1)
    np.testing.assert_array_equal(net.weights["input_to_hidden"], frozen.weight)
    assert np.any(net.weights["hidden_to_output"] != net.connections[1].weight)


DATA = order_task(10, 1)
OK: dict[str, Any] = {"loss": training.MaxPotential()}
fit = training.train
ffw = training.feedforward


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (lambda sim: fit(sim, small(), DATA, loss=training.FirstSpike()), "expected spikes of layer 'output'"),
        (lambda sim: fit(sim, small(), DATA, loss="max"), "train, loss: expected an object of Loss"),
        (lambda sim: fit(sim, small(), DATA, **OK, batch=0), "train, batch: expected a whole number of at least 1"),
        (lambda sim: fit(sim, small(), DATA, **OK, epochs=1.5), "train, epochs"),
        (lambda sim: fit(sim, small(), DATA, **OK, patience=3), "patience: expected validation data"),
        (lambda sim: fit(sim, small(), DATA, **OK, precision="float16"), "precision: expected float64 or float32"),
        (lambda sim: fit(sim, small(), DATA, **OK, precision="float32"), "float64 on the target numpy"),
        (lambda sim: fit(sim, small(), DATA, **OK, activity=[training.ActivityRange("output")]), "a layer that spikes"),
        (lambda sim: fit(sim, small(), DATA, **OK, bumps=[training.SilentBump("hiden")]), "hiden"),
        (lambda sim: fit(sim, ffw([3, 4, 2]), DATA, **OK), "spike trains of 3 inputs.*of 4"),
        (lambda sim: fit(sim, ffw([4, 4, 1]), DATA, **OK), "classes below the 1 neurons"),
        (lambda sim: fit(sim, ffw([4, 4, 2], duration=5 * ms), DATA, **OK), "spikes within the 0.005 s"),
        (lambda sim: fit(sim, small(), DATA, **OK, optimizer=Breaks(rate=1)), "no finite numbers"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(run: Callable[[Any], object], message: str) -> None:
    with biosnn.session("numpy", seed=1) as sim, np.errstate(all="ignore"), pytest.raises(TrainingError, match=message):
        run(sim)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: training.feedforward([4]), "the numbers of inputs and of outputs at least"),
        (lambda: training.feedforward([4, 0, 2]), "a whole number of at least 1"),
        (lambda: training.feedforward([4, 3, 2], weights=[(1, 1)]), "for each of 2 connections"),
        (lambda: training.feedforward([4, 3, 2], model="lif_exp", gain=1), "onto"),
        (lambda: training.feedforward([4, 3, 2], trained={"tau": (1, 2)}), "No parameter|tau"),
        (
            lambda: training.feedforward([4, 3, 2], trained={"tau_m": ("30 ms", "50 ms")}),
            "bounds around its value 20 ms",
        ),
        (lambda: training.feedforward([4, 3, 2], dt=0 * ms), "dt: expected a positive time"),
        (lambda: training.feedforward([4, 3, 2], duration=1), "time|second"),
        (lambda: training.Connection("input", "hidden", np.full((4, 3), np.nan)), "finite numbers"),
        (lambda: training.Connection("input", "hidden", np.ones((4, 3)), delay=-1), "delay"),
        (lambda: training.Exact(largest_jump=0), "largest_jump"),
        (lambda: training.Exact(slowest=0 * ms), "slowest: expected a positive time"),
        (lambda: training.Exact(slowest="5 mV"), "slowest"),
        (lambda: training.Surrogate("gauss"), "gauss"),
        (lambda: training.FirstSpike(tau_0="5 mV"), "tau_0"),
        (lambda: training.Adam(rate=-1), "rate"),
        (lambda: training.ActivityRange("hidden", 3, 1), "the lowest first"),
    ],
)
def test_parts_that_are_wrong_are_refused_when_they_are_made(make: Callable[[], object], message: str) -> None:
    with pytest.raises((TrainingError, QuantityError), match=message):
        make()


def test_cython_is_no_target_of_a_training() -> None:
    with biosnn.session("numpy", seed=1) as sim:
        sim.target = "cython"
        with pytest.raises(TrainingError, match="expected cpp or numpy"):
            training.evaluate(sim, small(), DATA, loss=training.MaxPotential())


def test_a_gradient_for_a_loop_of_ones_own_is_that_of_the_mean_loss() -> None:
    net = small()
    with biosnn.session("numpy", seed=1) as sim:
        loss, slopes = training.gradient(sim, net, DATA, loss=training.MaxPotential(5))
        for _ in range(5):
            net.weights["hidden_to_output"] -= 0.2 * slopes.weights["hidden_to_output"]
            new, slopes = training.gradient(sim, net, DATA, loss=training.MaxPotential(5))
            assert new < loss
            loss = new


def test_what_only_a_surrogate_trains_is_evaluated_as_well() -> None:
    """Spikes that move the membrane at once have no exact gradient, but an answer."""
    delta = replace(
        LIF,
        name="lif_delta",
        equations="dv/dt = -v/tau_m : 1",
        parameters={name: LIF.parameters[name] for name in ("tau_m", "v_th", "v_reset")},
        inputs={"v": LIF.inputs["I"]},
    )
    net = training.feedforward([4, 6, 2], delta, weights=[(0.8, 0.2), (0.0, 0.5)], dt=0.5 * ms, duration=10 * ms)
    trained(net, order_task(20, 1), method=training.Surrogate(), epochs=1)
    assert 0 <= judged(net, order_task(20, 2)) <= 1
    with biosnn.session("numpy", seed=1) as sim:
        seen = training.evaluate(sim, net, DATA, loss=training.MaxPotential())
    assert seen.spikes["hidden"].sum() > 0


def test_a_checkpoint_is_of_these_synapses_and_of_no_more_epochs_than_asked_for(tmp_path: Path) -> None:
    seen: list[int] = []

    def run(targets: Any, epochs: int) -> list[int]:
        seen.clear()
        kind = Sparse.pairs(np.arange(4), np.asarray(targets), shape=(4, 12))
        layers = small().layers
        joined = [training.Connection("input", "hidden", np.full(4, 8.0), kind), small().connections[1]]
        net = training.TrainableNetwork(4, layers, joined, dt=0.5 * ms, duration=10 * ms)
        with biosnn.session("numpy", seed=4) as sim:
            sim.checkpoint_folder = tmp_path
            training.train(sim, net, DATA, **OK, epochs=epochs, report=lambda number, _: seen.append(number))
        return list(seen)

    assert run([0, 1, 2, 3], 2) == [0, 1]
    assert run([0, 1, 2, 3], 2) == []
    assert run([0, 1, 2, 4], 2) == [0, 1]
    assert run([0, 1, 2, 3], 1) == [0]


def test_a_loss_that_is_no_number_ends_the_training_with_the_network_as_it_was() -> None:
    @dataclass(frozen=True)
    class Nothing(training.MaxPotential):
        def __call__(self, features: Any, labels: Any, duration: float) -> Any:
            losses, slopes = super().__call__(features, labels, duration)
            return losses * np.nan, slopes

    net = small()
    before = {name: weights.copy() for name, weights in net.weights.items()}
    with pytest.raises(TrainingError, match="the loss is no finite number in epoch 1"):
        trained(net, DATA, loss=Nothing())
    for name, weights in before.items():
        np.testing.assert_array_equal(net.weights[name], weights)
