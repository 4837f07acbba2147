"""Networks that are trained by gradients through spikes, and the controls that must fail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from brian2 import ms, second
from numpy.typing import NDArray

from biosnn import training
from biosnn.energy import LayerCounts, Ledger, Update
from biosnn.engine import Simulation
from biosnn.training import engine_for, spike_list
from biosnn.training.batch import SpikeList

from .points import ANSWER, CLASSES, SHOWN, Points, Task

if TYPE_CHECKING:
    from .study import Settings

LIF_EXP_UPDATE = Update(additions=2, multiplications=3, reads=2, writes=2)
"""A step of a membrane with an exponential current: v = a*v + b*I, I = c*I, and a comparison with the threshold."""
POTENTIAL = training.MeanPotential(30)
"""With the largest potential, an output neuron that stays below 0 has no gradient: it begins at its largest."""
MOMENTS = 80
"""At how many times the accuracy of first spikes is measured."""


@dataclass(frozen=True, eq=False)
class Trained:
    """A network before and after it was trained, and what it answers in the test.

    Parameters
    ----------
    before, network : TrainableNetwork
        As it begins, and as it ends.
    result : TrainingResult
        What its epochs came to.
    loss : Loss
        What it was trained with.
    answer : Evaluation
        To the test points.
    """

    before: training.TrainableNetwork
    network: training.TrainableNetwork
    result: training.TrainingResult
    loss: training.Loss
    answer: training.Evaluation

    def curve(self, name: str) -> NDArray[np.float64]:
        """A number of each epoch."""
        return np.array([getattr(epoch, name) for epoch in self.result.epochs], float)


@dataclass(frozen=True)
class Turned(training.Adam):
    """Adam that goes uphill: the control of a gradient with the wrong sign."""

    def step(self, values: Any, gradient: Any, state: Any, rate: float) -> None:
        super().step(values, -gradient, state, rate)


def precision_of(sim: Simulation) -> str:
    """Single precision where it is faster."""
    return "float32" if sim.target == "cpp" else "float64"


def spiking_network(settings: Settings, seed: int, *, frozen: bool = False) -> training.TrainableNetwork:
    """Five inputs, hidden neurons, and three output neurons that spike."""
    hidden = settings.frozen_hidden if frozen else settings.hidden
    # Fewer sources have larger weights.
    scale = np.sqrt(settings.hidden / hidden)
    output = (scale * settings.output_weight, scale * settings.output_spread)
    weights = [(settings.input_weight, settings.input_spread), output]
    network = training.feedforward(
        [5, hidden, CLASSES],
        readout="lif_exp_trainable",
        weights=weights,
        dt=settings.dt,
        duration=ANSWER,
        seed=seed,
    )
    if not frozen:
        return network
    connections = [replace(one, trained=one.source != training.INPUT) for one in network.connections]
    return training.TrainableNetwork(5, network.layers, connections, dt=settings.dt, duration=ANSWER)


def potential_network(settings: Settings, seed: int) -> training.TrainableNetwork:
    """The same with output neurons that never spike, for surrogate gradients at coarse time steps."""
    weights = [(settings.input_weight, settings.input_spread), (0.0, 1 / np.sqrt(settings.hidden))]
    sizes = [5, settings.hidden, CLASSES]
    return training.feedforward(sizes, weights=weights, dt=settings.surrogate_dt, duration=SHOWN, seed=seed)


def train(
    settings: Settings,
    sim: Simulation,
    network: training.TrainableNetwork,
    task: Task,
    *,
    loss: training.Loss,
    labels: Points | None = None,
    method: training.Exact | training.Surrogate | None = None,
    epochs: int = 0,
    turned: bool = False,
) -> Trained:
    """Train a network on the training points, or others in their place, and test it.

    The best epoch is chosen, but not where the training is to fail: the choice would be told the true labels.
    """
    before, seen = network.copy(), labels or task.training
    fails = turned or labels is not None
    led_to = {one.target for one in network.connections if one.trained}  # weights that are frozen do not grow either
    spiking = [layer.name for layer in network.layers if layer.model.threshold and layer.name in led_to]
    optimizer = (Turned if turned else training.Adam)(rate=settings.rate, decay=settings.decay)
    result = training.train(
        sim,
        network,
        seen.spikes,
        loss=loss,
        method=method,
        optimizer=optimizer,
        batch=settings.batch,
        epochs=epochs or settings.epochs,
        validation=None if fails else task.validation.spikes,
        bumps=[training.SilentBump(name, settings.bump) for name in spiking],
        precision=precision_of(sim),
    )
    answer = training.evaluate(sim, network, task.test.spikes, loss=loss, method=method, precision=precision_of(sim))
    return Trained(before, network, result, loss, answer)


def spikes_of(sim: Simulation, network: training.TrainableNetwork, points: Points) -> Mapping[str, SpikeList]:
    """All spikes of its layers in answer to points."""
    spiking = network.layer(network.output).model.threshold
    method, feature = (training.Exact(), "first_spike") if spiking else (training.Surrogate(), POTENTIAL.feature)
    engine = engine_for(sim, network, method, feature, precision_of(sim))
    answer = engine.forward(spike_list(network, points.spikes, "points"))
    return {layer.name: answer.spikes[layer.name] for layer in network.layers if layer.model.threshold}


def first_spike_accuracy(trained: Trained, labels: NDArray[np.int64]) -> tuple[Any, NDArray[np.float64]]:
    """Times, and the accuracy if those that have not decided by then are wrong."""
    moments = np.linspace(0, float(ANSWER), MOMENTS + 1)[1:]
    right, first = trained.answer.decisions == labels, trained.answer.features.min(axis=1)
    return moments * second, np.array([np.mean(right & (first <= moment)) for moment in moments])


def potential_accuracy(sim: Simulation, trained: Trained, points: Points) -> tuple[Any, NDArray[np.float64]]:
    """Times, and the accuracy of the mean potential so far, worked out from the spikes of the hidden neurons."""
    network = trained.network
    spikes, steps = spikes_of(sim, network, points)["hidden"], network.steps
    example = np.repeat(np.arange(len(spikes)), np.diff(spikes.indptr))
    drive = np.zeros((steps, len(spikes), CLASSES))
    np.add.at(drive, (spikes.step, example), network.weights["hidden_to_output"][spikes.neuron])
    values = network.values(network.layer("output"))
    of_v, of_current = (np.exp(-network.dt / values[name]) for name in ("tau_m", "tau_s"))
    share = values["tau_s"] / (values["tau_m"] - values["tau_s"]) * (of_v - of_current)
    v, current, total, found = np.zeros_like(drive[0]), np.zeros_like(drive[0]), np.zeros_like(drive[0]), []
    for arriving in drive:
        v, current = of_v * v + share * current, of_current * current + arriving
        total += v
        found.append(np.mean(total.argmax(axis=1) == points.labels))
    return np.arange(1, steps + 1) * network.dt * second, np.array(found)


def ledger_of(trained: Trained, points: Points) -> Ledger:
    """What the network did in the test."""
    network, layers, inferences = trained.network, [], len(points.labels)
    inputs = np.bincount(points.spikes.neurons, minlength=network.inputs)
    counts = {name: np.rint(each * inferences).astype(int) for name, each in trained.answer.spikes.items()}
    for one in network.connections:
        spikes, neurons = counts.get(one.source, inputs), network.layer(one.target).size
        layers.append(
            LayerCounts.spiking(
                one.target,
                spikes,
                neurons,
                neurons=neurons,
                update=LIF_EXP_UPDATE,
                steps=network.steps,
                inferences=inferences,
            )
        )
    return Ledger(tuple(layers))


def mean_decision(trained: Trained) -> Any:
    """When the first output spike comes, on average."""
    first = trained.answer.features.min(axis=1)
    return float(first[np.isfinite(first)].mean() * 1e3) * ms if np.isfinite(first).any() else np.nan * ms
