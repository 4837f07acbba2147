"""The networks and their controls, and what training comes to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from brian2 import second
from numpy.typing import NDArray

from biosnn import training
from biosnn.datasets import LabelledSpikeTrains
from biosnn.engine import Simulation
from biosnn.engine.progress import Progress
from biosnn.seeds import derived_seed

from .data import DATASETS, Data

if TYPE_CHECKING:
    from .study import Settings

FROZEN, SHUFFLED = "hidden layer not trained", "labels in random order"
LOSSES: dict[str, Callable[[float], training.Loss]] = {
    "mean potential": training.MeanPotential,
    "largest potential": training.MaxPotential,
    "first spike": lambda scale: training.FirstSpike(),  # noqa: ARG005 (it has times for scales)
    "first spike or approach": lambda scale: training.FirstSpikeOrApproach(),  # noqa: ARG005
}


@dataclass(frozen=True, eq=False)
class Trained:
    """A network after training, and what it answers to the test.

    Parameters
    ----------
    network : TrainableNetwork
    result : TrainingResult
    answer : Evaluation
    labels : array of int
        Of the test examples.
    examples : int
        How many it was trained with.
    """

    network: training.TrainableNetwork
    result: training.TrainingResult
    answer: training.Evaluation
    labels: NDArray[np.int64]
    examples: int

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return self.network.layer("output").size

    @property
    def hidden_spikes(self) -> float:
        """Of all hidden neurons, in a test example."""
        return float(self.answer.spikes["hidden"].sum())

    @property
    def cut(self) -> float:
        """Jumps that were cut in the last epoch, for each training example."""
        return self.result.epochs[-1].clipped / self.examples

    def curve(self, name: str) -> NDArray[np.float64]:
        """A number of each epoch; NaN where there was none."""
        found = [getattr(epoch, name) for epoch in self.result.epochs]
        return np.array([np.nan if one is None else one for one in found], float)

    def weights(self) -> dict[str, NDArray[np.float64]]:
        """The weights of both connections."""
        return {f"weights {name}": weights for name, weights in self.network.weights.items()}


def train_all(settings: Settings, sim: Simulation) -> tuple[list[Trained], dict[str, Trained]]:
    """Train all networks, and the two controls."""
    data = DATASETS[settings.dataset](settings.darkest).first(settings.training, settings.test)
    networks = []
    with Progress("networks") as bar:
        for k in range(settings.seeds):
            bar.update(k / (settings.seeds + 1), f"{k + 1} of {settings.seeds}")
            networks.append(_trained(settings, sim, data, k))
        bar.update(settings.seeds / (settings.seeds + 1), "controls")
        few = replace(settings, epochs=settings.control_epochs)
        frozen = _trained(replace(few, hidden=settings.frozen_hidden), sim, data, 0, frozen=True)
        order = np.random.default_rng(derived_seed(sim.seed, 0)).permutation(len(data.training))
        mixed = replace(data.training, labels=data.training.labels[order])
        shuffled = _trained(few, sim, replace(data, training=mixed), 0, chosen=False)
    return networks, {FROZEN: frozen, SHUFFLED: shuffled}


def _trained(
    settings: Settings, sim: Simulation, data: Data, number: int, *, frozen: bool = False, chosen: bool = True
) -> Trained:
    network = _network(settings, data.training, derived_seed(sim.seed, number), frozen=frozen)
    loss = LOSSES[settings.loss](settings.scale)
    bumped = [] if frozen else ["hidden"]
    result = training.train(
        sim,
        network,
        data.training,
        loss=loss,
        method=training.Exact(settings.largest_jump, settings.slowest),
        optimizer=_optimizer(settings),
        batch=settings.batch,
        epochs=settings.epochs,
        validation=data.validation if chosen else None,
        bumps=[training.SilentBump(name) for name in bumped],
        variations=[training.Shifts(data.training.shape, settings.shift)] if settings.shift else [],
        precision="float32" if sim.target == "cpp" else "float64",
    )
    answer = training.evaluate(sim, network, data.test, loss=loss)
    return Trained(network, result, answer, data.test.labels, len(data.training))


def _optimizer(settings: Settings) -> training.Optimizer:
    if settings.weight_decay:
        return training.AdamW(rate=settings.rate, decay=settings.decay, weight_decay=settings.weight_decay)
    return training.Adam(rate=settings.rate, decay=settings.decay)


def _network(settings: Settings, data: LabelledSpikeTrains, seed: int, *, frozen: bool) -> training.TrainableNetwork:
    spiking: dict[str, Any] = {"readout": "lif_exp_trainable"} if settings.loss.startswith("first spike") else {}
    # Neurons that are to spike first are given time to.
    duration = float(data.duration) * (4 / 3 if spiking else 1) * second
    weights = [(settings.input_weight, settings.input_spread), (settings.output_weight, settings.output_spread)]
    sizes = [data.size, settings.hidden, data.classes]
    network = training.feedforward(sizes, weights=weights, dt=settings.dt, duration=duration, seed=seed, **spiking)
    if not frozen:
        return network
    connections = [replace(one, trained=one.source != training.INPUT) for one in network.connections]
    return training.TrainableNetwork(data.size, network.layers, connections, dt=settings.dt, duration=duration)
