"""A trained network as an ordinary Brian2 network: every spike of the forward pass is repeated, in the same step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from brian2 import StateMonitor, ms, nS, second

import biosnn
from biosnn import catalogue
from biosnn.errors import TrainingError
from biosnn.model import NeuronModel, Parameter
from biosnn.projection import Conv2D, Dense, Kind, Lateral, OneToOne, Pool2D, Sparse
from biosnn.training import (
    Connection,
    Layer,
    SpikeList,
    Surrogate,
    TrainableNetwork,
    as_brian,
)
from biosnn.training.engines.cpp_engine import CppEngine
from biosnn.training.engines.numpy_engine import NumpyEngine

LIF = catalogue.neuron_model("lif_exp_trainable")
READOUT = catalogue.neuron_model("leaky_readout")
RESTS = replace(
    LIF,
    name="lif_rests",
    equations="dv/dt = (I - v)/tau_m : 1 (unless refractory)\ndI/dt = -I/tau_s : 1",
    refractory="t_ref",
    parameters={**LIF.parameters, "t_ref": Parameter("2.05 ms", "refractory period")},
)
ADAPTIVE = replace(
    LIF,
    name="lif_adapts",
    equations="dv/dt = (I - v)/tau_m : 1\ndI/dt = -I/tau_s : 1\nda/dt = -a/tau_a : 1",
    threshold="v > v_th + a",
    reset="v = v_reset; a += 0.2",
    parameters={**LIF.parameters, "tau_a": Parameter("15 ms", "time constant of adaptation")},
)


def network(
    model: NeuronModel | str = LIF,
    weights: tuple[float, float] = (6, 3),
    *,
    kinds: tuple[Kind, Kind] = (Dense(), Dense()),
    sizes: tuple[int, int, int] = (6, 8, 4),
    recurrent: int | None = None,
    delay: int = 0,
    readout: NeuronModel | str | None = None,
    trained: Any = None,
    back: tuple[float, float] = (0.2, 1),
    dt: Any = 0.5 * ms,
    duration: Any = 20 * ms,
    **settings: Any,
) -> TrainableNetwork:
    """Inputs, a hidden layer that may have synapses of its own, and an output."""
    random = np.random.default_rng(3)
    layers = [Layer("hidden", sizes[1], model, trained or {}), Layer("output", sizes[2], readout or model)]  # type: ignore[arg-type]
    ends = [("input", "hidden", *sizes[:2]), ("hidden", "output", *sizes[1:])]
    connections = [
        Connection(a, b, random.normal(*weights, kind.fit(n, m).shape), kind, delay=delay, **settings)
        for (a, b, n, m), kind in zip(ends, kinds, strict=True)
    ]
    if recurrent is not None:
        weight = random.normal(*back, (sizes[1], sizes[1]))
        connections.append(Connection("hidden", "hidden", weight, delay=recurrent, **settings))
    return TrainableNetwork(sizes[0], layers, connections, dt=dt, duration=duration)


def spikes(of: TrainableNetwork, examples: int = 3, each: int = 60) -> SpikeList:
    """Spikes at random; some of an input come twice in a step, and some in the last step of an example."""
    random = np.random.default_rng(4)
    step = np.sort(
        np.concatenate([random.integers(0, of.steps, (examples, each - 3)), [[5, 5, of.steps - 1]] * examples], 1)
    )
    neuron = random.integers(0, of.inputs, (examples, each))
    neuron[:, -1] = 0
    for k in range(examples):
        neuron[k, step[k] == 5] = 1
    return SpikeList(each * np.arange(examples + 1), neuron.ravel().astype(np.int32), step.ravel().astype(np.int32))


def assert_same(found: Any, expected: Any, *, least: int = 20) -> None:
    assert set(found) == set(expected)
    for name in expected:
        assert len(expected[name].step) >= least, f"{name} hardly spikes"
        for array in ("indptr", "neuron", "step"):
            np.testing.assert_array_equal(getattr(found[name], array), getattr(expected[name], array), err_msg=name)


Made = Callable[[], TrainableNetwork]
CASES: dict[str, Made] = {
    "layers": network,
    "late": lambda: network(delay=4, recurrent=0),
    "recurrent, 1 step": lambda: network(recurrent=1),
    "recurrent, 3 steps": lambda: network(recurrent=3),
    "refractory": lambda: network(RESTS, recurrent=3),
    "adaptive": lambda: network(ADAPTIVE, recurrent=1),
    "qif": lambda: network("qif", (20, 5), recurrent=1),
    "conductance": lambda: network(
        "lif_cond", (3, 1), onto="g_exc", gain=5 * nS, recurrent=2, back=(0.3, 0.1), duration=60 * ms
    ),
    "sparse": lambda: network(
        kinds=(Sparse.pairs([0, 0, 5, 1, 2, 3, 4, 4, 4], [1, 1, 0, 2, 7, 6, 5, 4, 1], shape=(6, 8)), Dense())
    ),
    "convolution": lambda: network(
        kinds=(Conv2D((4, 4, 2), 3, padding=1), Pool2D((4, 4, 3), 2)), sizes=(32, 48, 12), weights=(3, 2)
    ),
    "one to one": lambda: network(kinds=(OneToOne(), Lateral()), sizes=(6, 6, 6), weights=(9, 2)),
}
ON_CPP = ("recurrent, 3 steps", "refractory", "qif", "conductance")


@pytest.mark.parametrize(
    ("name", "target"),
    [*((name, "numpy") for name in CASES), *(pytest.param(name, "cpp", marks=pytest.mark.cpp) for name in ON_CPP)],
)
def test_every_spike_of_the_forward_pass_is_repeated(name: str, target: str) -> None:
    net = CASES[name]()
    given = spikes(net)
    engine: Any = CppEngine if target == "cpp" else NumpyEngine
    expected = engine(net, Surrogate(), "mean_potential").forward(given).spikes
    with biosnn.session(target, dt=net.dt * second) as sim:
        built = as_brian(sim, net, given)
        sim.run(built.network, built.duration)
        assert_same(built.spikes(), expected)


def test_examples_that_follow_each_other_are_what_each_is_by_itself() -> None:
    # So long a rest that those that spike late in an example would miss the beginning of the next one.
    net = network(RESTS.with_values(t_ref="8 ms"), recurrent=3, delay=1)
    given = spikes(net, 2)
    with biosnn.session("numpy", dt=0.5 * ms) as sim:
        built = as_brian(sim, net, given)
        sim.run(built.network, built.duration)
        together = built.spikes()["hidden"]
        for k in range(2):
            part = slice(given.indptr[k], given.indptr[k + 1])
            alone = as_brian(sim, net, SpikeList(np.array([0, 60]), given.neuron[part], given.step[part]))
            assert len(alone.network.sorted_objects) < len(built.network.sorted_objects)
            sim.run(alone.network, alone.duration)
            found, begin = alone.spikes()["hidden"], together.indptr
            assert len(found.step) > 10
            np.testing.assert_array_equal(found.step, together.step[begin[k] : begin[k + 1]])


def test_the_network_has_the_values_that_training_has_come_to() -> None:
    net = network(readout=READOUT, trained={"tau_m": ("5 ms", "50 ms")})
    net.parameters["hidden.tau_m"] = 0.0123456789012345
    net.weights["input_to_hidden"] *= 2
    given = spikes(net, 1)
    expected = NumpyEngine(net, Surrogate(), "max_potential").forward(given)
    with biosnn.session("numpy", dt=0.5 * ms) as sim:
        built = as_brian(sim, net, given)
        potentials = StateMonitor(built.groups["output"], "v", record=True, when="end")
        built.network.add(potentials)
        sim.run(built.network, built.duration)
        assert float(np.asarray(built.groups["hidden"].tau_m)) == 0.0123456789012345
        np.testing.assert_array_equal(built.projections["input_to_hidden"][0]["w"], net.weights["input_to_hidden"])
        assert list(built.monitors) == ["hidden"]
        assert_same(built.spikes(), expected.spikes)
        np.testing.assert_allclose(np.asarray(potentials.v).max(axis=1), expected.features[0], rtol=1e-10)


CLOCK = replace(
    LIF, name="clock", equations="dv/dt = (I - v + t/second)/tau_m : 1\ndI/dt = -I/tau_s : 1", method="euler"
)


@pytest.mark.parametrize(
    ("make", "change", "message"),
    [
        (network, {"step": 40}, r"spikes, step: expected from 0 to 39 \(got 40\)"),
        (network, {"neuron": 6}, r"spikes, neuron: expected from 0 to 5 \(got 6\)"),
        (lambda: network(dt=0.2 * ms), {}, "sim.dt: expected the network's time step"),
        (lambda: network(CLOCK), {}, "expected a model that does not depend on the time"),
    ],
)
def test_what_would_not_repeat_the_spikes_is_refused(make: Made, change: dict[str, int], message: str) -> None:
    net = make()
    given = spikes(net, 2)
    for name, value in change.items():
        getattr(given, name)[-1] = value
    with biosnn.session("numpy", dt=0.5 * ms) as sim, pytest.raises(TrainingError, match=message):
        as_brian(sim, net, given)
