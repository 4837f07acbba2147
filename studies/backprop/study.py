"""Does training through spikes beat conversion and local learning, and are its gradients right?

The same small task, the yin-yang dataset, under three ways of training: gradients through spikes, the conversion of an
ordinary network, and local plasticity with a readout. With controls that must fail, a check of the gradient, what
becomes of activity in deep networks while they are trained, and what training adds to a converted network that has only
a few time steps.
"""

from __future__ import annotations

from dataclasses import dataclass

from brian2 import Quantity, ms

from biosnn.engine import Simulation
from biosnn.study import Part, Result, run_parts, setting

from .check import CHECK_CLAIMS, check_result
from .deep import DEPTH_CLAIMS, depth_result
from .fine_tuning import TUNING_CLAIMS, tuning_result
from .outcome import WAYS_CLAIMS, ways_result

TARGET = "cpp"
ANSWER = [
    (
        "{ways accuracy of exact|%} of yin-yang points are correctly classified after training by exact "
        "gradients, {ways accuracy of surrogate|%} by surrogate gradients, {ways accuracy of conversion|%} by "
        "conversion."
    ),
    (
        "With one time step, fine-tuning takes a converted network from {tuning accuracy at 1 steps, conversion "
        "alone|%} to {tuning accuracy at 1 steps, fine-tuned|%}."
    ),
]

METHOD = """
- Gradient check: networks of 20 inputs, 10 hidden neurons and 3 outputs with random weights and random input spikes.
The exact gradient of the first-spike loss at each time step is held against that at the finest one, and there against
central differences of the loss.
- Three ways: points of the yin-yang dataset become five spikes each, whose times say the values. 5,000 points are
there to learn from; 1,000 others choose the best epoch, and 1,000 more are the test. Exact gradients are those of the
times of first spikes, surrogate gradients those of the mean potentials of output neurons that never spike. An
ordinary network is trained and converted. Local: cells that compete learn by spike-timing dependent plasticity, and a
linear classifier reads them out.
- Controls that must fail: weights of the hidden layer that are not trained, labels in random order, gradients with
their sign turned.
- Depth: networks of 5 and 10 hidden layers; the spikes of each layer before training, in every epoch, and after it,
without and with what keeps neurons active.
- Fine-tuning: a network that was trained on digits as an ordinary one is converted, and its weights, biases and
thresholds are trained further with surrogate gradients, for each of a few numbers of time steps. The control is trained
with labels in random order.
"""

ALL = ("check", "ways", "depth", "tuning")


@dataclass(frozen=True)
class Settings:
    """What can be changed; README.md tells what larger settings reach."""

    parts: tuple[str, ...] = setting(ALL, "which parts of the study", choices=ALL)
    hidden: int = setting(100, "how many hidden neurons the networks trained by gradients have", minimum=2)
    epochs: int = setting(20, "how often the training points are gone through", minimum=1)
    rate: float = setting(5e-3, "learning rate of Adam at the beginning", minimum=1e-6)
    decay: float = setting(0.95, "what it is multiplied by after each epoch", minimum=0.1, maximum=1.0)
    batch: int = setting(32, "how many examples a step takes", minimum=1)
    input_weight: float = setting(1.5, "mean of the hidden neurons' weights at the beginning")
    input_spread: float = setting(0.78, "their standard deviation", minimum=0.0)
    output_weight: float = setting(1.3, "mean of the output neurons' weights at the beginning, where they spike")
    output_spread: float = setting(0.3, "their standard deviation", minimum=0.0)
    bump: float = setting(0.02, "what weights of silent neurons grow by after an epoch, in mean weights", minimum=0.0)
    training: int = setting(5000, "how many training points", minimum=100)
    test: int = setting(1000, "how many points choose the best epoch, and how many others are the test", minimum=50)
    dt: Quantity = setting(0.1 * ms, "time step of exact gradients", minimum=0.01 * ms)
    surrogate_dt: Quantity = setting(0.5 * ms, "time step of surrogate gradients", minimum=0.01 * ms)

    ann_hidden: int = setting(30, "hidden neurons of the ordinary network", minimum=2)
    ann_epochs: int = setting(60, "for how many epochs it is trained", minimum=1)
    ann_starts: int = setting(2, "how often, from other weights; the best on the validation points is taken", minimum=1)
    steps: int = setting(64, "time steps that the converted network is given", minimum=1)

    cells: int = setting(100, "cells that learn by local plasticity", minimum=10)
    presentations: int = setting(3000, "training points that they see while they learn", minimum=100)

    frozen_hidden: int = setting(30, "hidden neurons of the control whose hidden layer is not trained", minimum=2)
    control_epochs: int = setting(3, "epochs with labels in random order, and with the sign turned", minimum=1)

    check_networks: int = setting(30, "how many random networks the gradient is checked in", minimum=2)
    check_differences: int = setting(3, "in how many of them, by central differences too", minimum=1)
    check_steps: tuple[Quantity, ...] = setting(
        (1 * ms, 0.5 * ms, 0.2 * ms, 0.1 * ms, 0.05 * ms), "time steps at which it is checked", minimum=0.02 * ms
    )
    finest: Quantity = setting(0.01 * ms, "time step of the gradient that is taken for the true one", minimum=1e-3 * ms)

    depths: tuple[int, ...] = setting((5, 10), "how many hidden layers deep networks have", minimum=2)
    width: int = setting(30, "how many neurons each of them has", minimum=2)
    deep_epochs: int = setting(5, "for how many epochs they are trained", minimum=1)
    deep_points: int = setting(1000, "training points of deep networks", minimum=50)
    deep_weight: float = setting(
        1.0, "mean of their weights at the beginning, times the root of the sources", minimum=0.0
    )

    tuning_network: str = setting(
        "digits_mlp", "the converted network that is trained further", choices=("digits_mlp", "digits_cnn")
    )
    tuning_steps: tuple[int, ...] = setting((1, 2, 4, 8), "for how many time steps", minimum=1)
    tuning_epochs: int = setting(4, "for how many epochs", minimum=1)
    tuning_rate: float = setting(1e-3, "learning rate at the beginning; it halves with each epoch", minimum=1e-6)


def run(settings: Settings, sim: Simulation) -> Result:
    """Do the parts that are asked for."""
    return run_parts(PARTS, settings.parts, settings, sim)


PARTS = (
    Part("check", check_result, CHECK_CLAIMS),
    Part("depth", depth_result, DEPTH_CLAIMS),
    Part("tuning", tuning_result, TUNING_CLAIMS),
    Part("ways", ways_result, WAYS_CLAIMS),
)
CLAIMS = [claim for part in PARTS for claim in part.claims]
