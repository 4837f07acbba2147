"""Small networks for tests of training, and their gradients by differences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from brian2 import ms
from numpy.typing import NDArray

import biosnn
from biosnn import catalogue, training
from biosnn.datasets import LabelledSpikeTrains
from biosnn.model import NeuronModel, Parameter
from biosnn.training import Connection, Layer, SpikeList, TrainableNetwork

LIF = catalogue.neuron_model("lif_exp_trainable")
READOUT = catalogue.neuron_model("leaky_readout")
ALL = {"tau_m": ("5 ms", "50 ms"), "tau_s": ("2 ms", "50 ms"), "v_th": ("0.1", "3"), "v_reset": ("-1", "1")}
TIMES = {name: ALL[name] for name in ("tau_m", "tau_s")}


def refractory(t_ref: str = "3 ms") -> NeuronModel:
    """The neuron that rests after a spike."""
    rest = Parameter(t_ref, "refractory period")
    return replace(
        LIF,
        name="lif_refractory",
        equations="dv/dt = (I - v)/tau_m : 1 (unless refractory)\ndI/dt = -I/tau_s : 1",
        refractory="t_ref",
        parameters={**LIF.parameters, "t_ref": rest},
    )


def three_layers(
    hidden: NeuronModel = LIF,
    output: NeuronModel = READOUT,
    *,
    dt: Any = 0.5 * ms,
    duration: Any = 20 * ms,
    trained: Any = None,
    recurrent: int | None = 2,
    seed: int = 1,
) -> TrainableNetwork:
    """Five inputs, six hidden neurons that excite each other, three that answer."""
    random = np.random.default_rng(seed)
    trained = ALL if trained is None else trained
    of_output = {name: trained[name] for name in trained if name in output.parameters}
    connections = [
        Connection("input", "hidden", random.normal(3, 1, (5, 6))),
        Connection("hidden", "output", random.normal(2.5, 1, (6, 3))),
    ]
    if recurrent is not None:
        connections.append(Connection("hidden", "hidden", random.normal(0.2, 0.5, (6, 6)), delay=recurrent))
    layers = [Layer("hidden", 6, hidden, trained), Layer("output", 3, output, of_output)]
    return TrainableNetwork(5, layers, connections, dt=dt, duration=duration)


def spikes(examples: int = 4, within: int = 10, seed: int = 2) -> SpikeList:
    """One spike of each of five inputs in each example."""
    random = np.random.default_rng(seed)
    step = np.concatenate([np.sort(random.integers(0, within, 5)) for _ in range(examples)])
    neuron = np.concatenate([random.permutation(5) for _ in range(examples)])
    return SpikeList(5 * np.arange(examples + 1), neuron.astype(np.int32), step.astype(np.int32))


def differences(
    network: TrainableNetwork, loss: Callable[[], float], step: float = 1e-5, places: int = 8
) -> dict[str, Any]:
    """The derivatives of a loss by some weights of each connection, others NaN, and by all trained parameters."""
    found: dict[str, Any] = {}
    for name, weights in network.weights.items():
        slopes = np.full_like(weights, np.nan)
        for number in np.random.default_rng(1).choice(weights.size, min(places, weights.size), replace=False):
            place = np.unravel_index(number, weights.shape)
            begun = weights[place]
            values = []
            for shift in (step, -step):
                weights[place] = begun + shift
                values.append(loss())
            weights[place] = begun
            slopes[place] = (values[0] - values[1]) / (2 * step)
        found[name] = slopes
    for name, begun in list(network.parameters.items()):
        shift, values = step * (abs(begun) or 1.0), []
        for sign in (1, -1):
            network.parameters[name] = begun + sign * shift
            values.append(loss())
        network.parameters[name] = begun
        found[name] = (values[0] - values[1]) / (2 * shift)
    return found


def cosine(a: NDArray[Any], b: NDArray[Any]) -> float:
    return float(np.sum(a * b) / np.sqrt(np.sum(a * a) * np.sum(b * b)))


def order_task(examples: int, seed: int, *, shuffled: bool = False) -> LabelledSpikeTrains:
    """Two inputs spike, and two others at random: which of the first two is earlier?"""
    random = np.random.default_rng(seed)
    features = random.uniform(0, 1, (examples, 4))
    labels = (features[:, 0] > features[:, 1]).astype(int)
    if shuffled:
        labels = random.permutation(labels)
    return LabelledSpikeTrains.latency(features, labels, 0 * ms, 6 * ms, duration=10 * ms)


def small(seed: int = 1, **more: Any) -> training.TrainableNetwork:
    weights = [(2.5, 1.0), (0.0, 0.5)]
    return training.feedforward([4, 12, 2], weights=weights, dt=0.5 * ms, duration=10 * ms, seed=seed, **more)


def trained(
    net: training.TrainableNetwork, data: LabelledSpikeTrains, target: str = "numpy", **more: Any
) -> training.TrainingResult:
    settings: dict[str, Any] = {"loss": training.MaxPotential(5), "epochs": 16, "optimizer": training.Adam(rate=0.02)}
    with biosnn.session(target, seed=4) as sim:
        return training.train(sim, net, data, **{**settings, **more})


def judged(net: training.TrainableNetwork, data: LabelledSpikeTrains, target: str = "numpy") -> float:
    with biosnn.session(target, seed=4) as sim:
        return training.evaluate(sim, net, data, loss=training.MaxPotential(5)).accuracy
