"""A learned tempotron as a neuron of the catalogue: its answers in Brian2, and the gradient of its equations."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from brian2 import Quantity, ms

from biosnn import training
from biosnn.catalogue import neuron_model
from biosnn.datasets import LabelledSpikeTrains
from biosnn.engine import Simulation

from .learning import Kernel, Tasks


def _network(model: str, kernel: Kernel, weights: Any, duration: Quantity, dt: Quantity) -> training.TrainableNetwork:
    """One neuron whose potential after a spike of weight 1 is the kernel."""
    neuron = neuron_model(model).with_values(tau_m=f"{kernel.tau!r} ms", tau_s=f"{kernel.tau_s!r} ms")
    layer = training.Layer("neuron", 1, neuron)
    gain = kernel.height * (kernel.ratio - 1)
    synapses = training.Connection(training.INPUT, "neuron", weights[:-1, None] * gain)
    return training.TrainableNetwork(len(weights) - 1, [layer], [synapses], dt=dt, duration=duration)


def _trains(task: Tasks, rows: Any, duration: Quantity) -> LabelledSpikeTrains:
    times, size = task.times[rows, :-1], task.size
    return LabelledSpikeTrains(
        task.afferents[rows, :-1].ravel(),
        times.ravel() * ms,
        size * np.arange(len(rows) + 1),
        np.zeros(len(rows), dtype=int),
        (size,),
        duration,
    )


def answered_alike(
    sim: Simulation, task: Tasks, weights: Any, rows: Any, duration: Quantity, dt: Quantity
) -> tuple[float, int]:
    """The share of patterns at which Brian2's neuron fires or is silent as it was taught, and at how many it fires."""
    network = _network("lif_exp_trainable", task.kernel, weights, duration, dt)
    built = training.as_brian(sim, network, _trains(task, rows, duration))
    sim.run(built.network, built.duration, "all patterns of a learned task")
    fired = np.diff(built.spikes()["neuron"].indptr) > 0
    return float(np.mean(fired == task.fires[rows])), int(fired.sum())


@dataclass(frozen=True)
class WrongSide(training.Loss):
    """The tempotron's cost: how far the largest potential is on the wrong side of the threshold, were all wrong."""

    sign: Any
    feature: ClassVar[str] = "max_potential"

    def __call__(self, features: Any, labels: Any, duration: float) -> tuple[Any, Any]:
        del labels, duration
        return (self.sign * (1 - features[:, 0])), -self.sign[:, None] * np.ones_like(features)

    def decide(self, features: Any) -> Any:
        return np.where(features[:, 0] >= 1, 0, -1)


def gradient_apart(sim: Simulation, task: Tasks, weights: Any, rows: Any, duration: Quantity, dt: Quantity) -> float:
    """How far the rule's mean change at some patterns is from the negative gradient, relative to it."""
    network = _network("leaky_readout", task.kernel, weights, duration, dt)
    sign = np.where(task.fires[rows], 1.0, -1.0)
    _, found = training.gradient(sim, network, _trains(task, rows, duration), loss=WrongSide(sign))
    _, time = task.highest(rows, weights[None])
    change = np.zeros(task.size + 1)
    towards = sign[:, None] * task.kernel(time[:, None] - task.times[rows]) / len(rows)
    np.add.at(change, task.afferents[rows], towards)
    # The gradient is that of plain weights, which the kernel's height is no part of.
    slope = -found.weights["input_to_neuron"][:, 0] * task.kernel.height * (task.kernel.ratio - 1)
    return float(np.linalg.norm(change[:-1] - slope) / np.linalg.norm(slope))
