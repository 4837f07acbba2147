"""How well do exact gradients of spikes train: points of the yin-yang dataset, and images whose pixels spike once?

Wunderlich & Pehle 2021 derived the exact gradient of a spiking network's loss (EventProp), and trained networks of one
hidden layer with it. Here the gradient follows from the equations of the neuron model, on a grid of time steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from brian2 import Quantity, ms

from biosnn.engine import Simulation
from biosnn.study import Claim, Result, Table, setting

from .data import DATASETS
from .trained import FROZEN, LOSSES, SHUFFLED, Trained, train_all

TARGET = "cpp"
ANSWER = (
    "{accuracy|%} of test examples are correctly classified; {accuracy, hidden layer not trained|%} if the "
    "hidden layer is not trained, {accuracy, labels in random order|%} with labels in random order."
)
METHOD = """
Each value is the time of one spike: small values of a point first, bright pixels first; dark ones do not spike. One
hidden layer of leaky integrate-and-fire neurons with exponential currents (`lif_exp_trainable`) drives output neurons.
With the loss `mean potential` or `largest potential` these never spike, and the class is that of the largest; with
`first spike` it is that of the neuron that spikes first, as in the paper; with `first spike or approach`, where none
spikes, that of the one that comes nearest to its threshold.

Training points, or images, choose weights; validation data choose the best epoch; the test data are looked at once. All
weights are trained with Adam, whose learning rate falls with each epoch; weights onto hidden neurons that have been
silent for an epoch grow a little.

- Control 1: a hidden layer whose weights are not trained, of `frozen_hidden` neurons.
- Control 2: labels in random order.
"""


_IMAGES = {
    "hidden": "350",
    "loss": "largest potential",
    "largest_jump": "0.5",
    "slowest": "1000 s",
    "rate": "2e-3",
    "control_epochs": "1",
}


@dataclass(frozen=True)
class Settings:
    """What can be changed; by default, what the yin-yang dataset needs."""

    dataset: str = setting("yin-yang", "what is learned", choices=tuple(DATASETS))
    hidden: int = setting(200, "hidden neurons", minimum=2)
    epochs: int = setting(50, "how often the training data are gone through", minimum=1)
    seeds: int = setting(1, "how many networks are trained, each with weights and an order of its own", minimum=1)
    loss: str = setting("mean potential", "what the output answers with", choices=tuple(LOSSES))
    scale: float = setting(30.0, "what a potential of 1 counts in the loss", minimum=1e-3)
    largest_jump: float = setting(1000.0, "where jumps of the adjoint are cut", minimum=1e-9)
    slowest: Quantity = setting(50 * ms, "the slowest way to a threshold that counts as such", minimum=1 * ms)
    rate: float = setting(3e-3, "learning rate at the beginning", minimum=1e-6)
    decay: float = setting(0.95, "what it is multiplied by after each epoch", minimum=0.1, maximum=1.0)
    weight_decay: float = setting(0.0, "part of a weight that decays per step, times the learning rate", minimum=0.0)
    batch: int = setting(32, "examples of a step", minimum=1)
    input_weight: float = setting(1.5, "mean of the weights from the input at the beginning")
    input_spread: float = setting(0.78, "their standard deviation", minimum=0.0)
    output_weight: float = setting(0.0, "mean of the weights to the output at the beginning")
    output_spread: float = setting(0.1, "their standard deviation", minimum=0.0)
    darkest: float = setting(0.2, "pixels of images that are darker do not spike", minimum=0.0, maximum=0.99)
    shift: int = setting(0, "pixels by which training images are moved at most, anew in each epoch", minimum=0)
    dt: Quantity = setting(0.1 * ms, "time step", minimum=0.01 * ms)
    training: int = setting(0, "how many training examples; 0: all", minimum=0)
    test: int = setting(0, "how many test examples, and how many choose the epoch; 0: all", minimum=0)
    frozen_hidden: int = setting(30, "hidden neurons of the control that are not trained", minimum=2)
    control_epochs: int = setting(5, "epochs of the controls", minimum=1)

    CONDITIONAL_DEFAULTS: ClassVar[dict[str, Any]] = {
        "dataset": {
            "mnist": _IMAGES
            | {
                "epochs": "13",
                "scale": "10",
                "decay": "0.85",
                "weight_decay": "0.05",
                "input_weight": "0.078",
                "input_spread": "0.045",
            },
            # Many pixels are bright: weights of digits would let each neuron spike far too often.
            "fashion-mnist": _IMAGES
            | {
                "epochs": "14",
                "scale": "5",
                "decay": "0.87",
                "input_weight": "0.03",
                "input_spread": "0.06",
                "output_spread": "0.2",
                "darkest": "0.1",
            },
        }
    }


def run(settings: Settings, sim: Simulation) -> Result:
    """Train the networks, and the controls."""
    networks, controls = train_all(settings, sim)
    accuracies = np.array([one.answer.accuracy for one in networks])
    values: dict[str, Any] = {
        "accuracy": float(accuracies.mean()),
        "lowest accuracy": float(accuracies.min()),
        "spikes of hidden neurons per example": float(np.mean([one.hidden_spikes for one in networks])),
        "jumps that were cut, per example": float(np.mean([one.cut for one in networks])),
    }
    values |= {f"accuracy, {name}": one.answer.accuracy for name, one in controls.items()}
    everyone = {**{f"network {k + 1}": one for k, one in enumerate(networks)}, **controls}
    arrays = {
        "names": np.array(list(everyone)),
        "accuracies": accuracies,
        "confusion": _confusion(networks[0]),
        "chance": np.array(1 / networks[0].classes),
    }
    for name, one in everyone.items():
        arrays |= {f"{name}: {what}": one.curve(what) for what in ("loss", "accuracy", "validation_accuracy")}
    arrays |= networks[0].weights()
    return Result(values, arrays, tables={"Networks": _table(everyone)})


def _confusion(one: Trained) -> np.ndarray:
    found = np.zeros((one.classes, one.classes), int)
    decided = one.answer.decisions
    np.add.at(found, (one.labels[decided >= 0], decided[decided >= 0]), 1)
    return found


def _table(everyone: dict[str, Trained]) -> Table:
    rows = [["network", "test", "training, last epoch", "spikes per example", "best epoch"]]
    for name, one in everyone.items():
        accuracy = (f"{100 * x:.1f} %" for x in (one.answer.accuracy, one.result.epochs[-1].accuracy))
        rows.append([name, *accuracy, f"{one.hidden_spikes:.1f}", f"{one.result.best + 1}"])
    return Table("Fraction of test and training examples that are correctly classified.", rows)


def _fires(result: Any) -> bool:
    """The hidden neurons spike more than once per example."""
    return bool(result.values["spikes of hidden neurons per example"] > 1)


def _best(result: Any) -> float:
    return float(np.mean(result.arrays["accuracies"]))


CLAIMS = [
    Claim(
        "training",
        "The test accuracy is at least ten points above that of a hidden layer that is not trained.",
        lambda result: bool(_best(result) >= result.values[f"accuracy, {FROZEN}"] + 0.1),
        _fires,
    ),
    Claim(
        "labels",
        "Trained with labels in random order, a network is less than ten points above chance.",
        lambda result: bool(result.values[f"accuracy, {SHUFFLED}"] < float(result.arrays["chance"]) + 0.1),
        _fires,
    ),
]
