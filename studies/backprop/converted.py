"""The second way: an ordinary network is trained, and converted."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from biosnn.ann import Graph, Input, Linear, Relu
from biosnn.conversion import Outcome, convert, ledger
from biosnn.energy import Ledger
from biosnn.engine import Simulation
from biosnn.engine.progress import Progress

from .points import Task

if TYPE_CHECKING:
    from .study import Settings


@dataclass(frozen=True, eq=False)
class Converted:
    """An ordinary network's accuracy in the test, its number of multiply-accumulates, and what it answers as spikes."""

    ann_accuracy: float
    outcome: Outcome
    ledger: Ledger


def convert_and_test(settings: Settings, sim: Simulation, task: Task) -> Converted:
    """Train a network of ReLUs, convert it, and show it the test points."""
    network = _trained(settings, sim.seed, task)
    snn = convert(_graph(network), task.training.values[:500], steps=settings.steps)
    outcome = snn.run(task.test.values.astype(np.float32), T=settings.steps, labels=task.test.labels)
    return Converted(network.score(task.test.values, task.test.labels), outcome, ledger(snn, outcome))


def _trained(settings: Settings, seed: int, task: Task) -> Any:
    """The best of some, by the validation points: one of these small networks in four comes to rest early."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    found = []
    with Progress("training an ordinary network") as shown, warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # It ends after its epochs, and is meant to.
        for start in range(settings.ann_starts):
            one = MLPClassifier(
                (settings.ann_hidden,),
                batch_size=min(settings.batch, len(task.training.labels)),
                learning_rate_init=0.01,
                max_iter=settings.ann_epochs,
                n_iter_no_change=settings.ann_epochs,
                random_state=seed + start,
            )
            found.append(one.fit(task.training.values, task.training.labels))
            shown.update((start + 1) / settings.ann_starts, "")
    return max(found, key=lambda one: one.score(task.validation.values, task.validation.labels))


def _graph(network: Any) -> Graph:
    (first, second), (bias, answer) = network.coefs_, network.intercepts_
    return Graph(
        (
            Input(name="point", shape=(4,)),
            Linear(name="drive", inputs=("point",), weight=_plain(first.T), bias=_plain(bias)),
            Relu(name="hidden", inputs=("drive",)),
            Linear(name="answer", inputs=("hidden",), weight=_plain(second.T), bias=_plain(answer)),
        ),
        output="answer",
    )


def _plain(array: Any) -> NDArray[np.float32]:
    return np.ascontiguousarray(array, np.float32)
