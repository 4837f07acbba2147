"""What the networks came to: the values and arrays of the result, and simpler methods beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from brian2 import ms, mV, second, volt
from numpy.typing import NDArray

from biosnn.datasets import Dataset
from biosnn.learning import (
    Score,
    TrainingHistory,
    TrainingSchedule,
    chance,
    k_means,
    learning_curve,
    logistic_regression,
)
from biosnn.learning.schedule import TEST
from biosnn.measure import confusion
from biosnn.study import Result

if TYPE_CHECKING:
    from .study import Settings

CURVE_POINTS = 20
TIMES_CHANCE = 6


@dataclass(frozen=True)
class Outcome:
    """What one network came to."""

    schedule: TrainingSchedule
    history: TrainingHistory
    score: Score


def result_of(
    settings: Settings, data: Dataset, outcomes: list[Outcome], control: Outcome | None, files: dict[str, Any]
) -> Result:
    votes = np.array([outcome.score.vote for outcome in outcomes])
    values = {
        "accuracy": float(votes.mean()),
        "accuracy sd": float(votes.std(ddof=1)) if len(votes) > 1 else 0.0,
        **{f"accuracy of seed {outcome.schedule.seed}": outcome.score.vote for outcome in outcomes},
        "accuracy on training images": _mean(outcomes, lambda outcome: outcome.score.training),
        "accuracy weighing every answer": _mean(outcomes, lambda outcome: outcome.score.weighted),
        "accuracy of a linear readout": _mean(outcomes, lambda outcome: outcome.score.linear),
        **({"accuracy without learning": control.score.vote} if control else {}),
        **_baselines(settings, data, [outcome.schedule for outcome in outcomes]),
        "spikes an image": _mean(outcomes, lambda outcome: _tested(outcome).sum(axis=1).mean()),
        "cells answering an image": _mean(outcomes, lambda outcome: (_tested(outcome) > 0).sum(axis=1).mean()),
        "images without answer": _mean(outcomes, lambda outcome: (_tested(outcome).sum(axis=1) == 0).mean()),
        "silent neurons": _mean(outcomes, lambda outcome: (_tested(outcome).sum(axis=0) == 0).mean()),
        **_shown_again(settings, outcomes),
        **_costs(settings, outcomes),
    }
    return Result(
        values, _arrays(settings, data, outcomes, control), not_applicable=not_applicable(values), files=files
    )


def _shown_again(settings: Settings, outcomes: list[Outcome]) -> dict[str, float]:
    """How many presentations were brighter than usual: in training, if there was any, and of the test's images."""
    test = {"images shown again": _mean(outcomes, lambda outcome: (_boost(outcome) > 0).mean())}
    if not settings.n_training:
        return test
    training = _mean(outcomes, lambda outcome: (outcome.history.boost[: settings.n_training] > 0).mean())
    return {"training images shown again": training} | test


def _costs(settings: Settings, outcomes: list[Outcome]) -> dict[str, Any]:
    """What an image of the test costs the network, and what it costs to simulate one."""
    inputs, excitatory, inhibitory = np.mean([o.history.traffic(TEST) / o.schedule.n_test for o in outcomes], axis=0)
    # A spike of an input reaches all cells, one of an excitatory cell its partner, one of that all other cells.
    operations = inputs * settings.neurons + excitatory + inhibitory * (settings.neurons - 1)
    costs = {
        "input spikes an image": float(inputs),
        "synaptic operations an image": float(operations),
        "simulated time an image": round(_showings(settings, outcomes), 3) * (settings.shown + settings.rest),
    }
    if outcomes[0].history.memory:
        seconds = _mean(outcomes, lambda outcome: outcome.history.seconds / outcome.history.done)
        costs["processor time an image"] = round(1e3 * seconds, 3) * ms
        costs["memory of a network (MB)"] = max(outcome.history.memory for outcome in outcomes) / 1e6
    return costs


def _showings(settings: Settings, outcomes: list[Outcome]) -> float:
    """How often an image of the test is shown on average, until it gets enough spikes."""
    return 1 + _mean(outcomes, lambda outcome: _boost(outcome).mean()) / float(settings.intensity_step)


def not_applicable(values: dict[str, Any]) -> list[str]:
    """Without the control nothing is known about plasticity, and of few classes chance is too good to be beaten so."""
    left = [] if "accuracy without learning" in values else ["plasticity matters"]
    return left if TIMES_CHANCE * values["chance"] < 1 else [*left, "learns"]


def _baselines(settings: Settings, data: Dataset, schedules: list[TrainingSchedule]) -> dict[str, float]:
    """Mean accuracy of simpler methods over the same splits; of chance alone if no others are asked for."""
    distinct = schedules if settings.held_out else schedules[:1]  # a dataset's own division is the same for every seed
    parts = [(data.take(schedule.train), data.take(schedule.test), schedule.seed) for schedule in distinct]
    found = {"chance": float(np.mean([chance(train, test) for train, test, _ in parts]))}
    if settings.baselines:
        centres = min(settings.neurons, *(len(train.labels) for train, _, _ in parts))
        found["k-means"] = float(np.mean([k_means(train, test, centres, seed) for train, test, seed in parts]))
        found["logistic regression"] = float(np.mean([logistic_regression(train, test) for train, test, _ in parts]))
    return found


def _arrays(settings: Settings, data: Dataset, outcomes: list[Outcome], control: Outcome | None) -> dict[str, Any]:
    first = outcomes[0]
    window = max(settings.n_training // CURVE_POINTS, 1)
    curves = [learning_curve(outcome.history, outcome.schedule, data, window) for outcome in outcomes]
    tables = [
        confusion(outcome.score.decided, data.labels[outcome.schedule.test], data.classes) for outcome in outcomes
    ]
    recorded = first.schedule.recorded
    arrays = {
        "receptive fields": first.history.weights.reshape(-1, *data.shape),
        "neuron labels": first.score.neuron_labels,
        "confusion": np.sum(tables, axis=0),
        "curve presentations": curves[0][0],
        "curve accuracy": np.array([curve[1] for curve in curves]),
        "final accuracy": np.array([outcome.score.vote for outcome in outcomes]),
        "spikes an image": np.concatenate([_tested(outcome).sum(axis=1) for outcome in outcomes]),
        "spikes a neuron": np.concatenate([_tested(outcome).sum(axis=0) for outcome in outcomes]),
        "thresholds": np.concatenate([outcome.history.theta for outcome in outcomes]) * volt / mV,
        "training spikes": np.asarray(first.history.responses[: settings.n_training].sum(axis=1)),
        "recorded images": data.images[recorded] / data.brightest,
        "recorded labels": data.labels[recorded],
        "recorded decisions": first.score.decided[: len(recorded)],
        "recorded period": np.array([float(settings.shown), float(settings.shown + settings.rest)]) * second,
        "recorded spike times": first.history.recorded_spikes[0] * second,
        "recorded spike neurons": first.history.recorded_spikes[1].astype(np.int64),
        "recorded input times": first.history.recorded_inputs[0] * second,
        "recorded input pixels": first.history.recorded_inputs[1].astype(np.int64),
    }
    if control:
        arrays["control fields"] = control.history.weights.reshape(-1, *data.shape)
    return arrays


def _tested(outcome: Outcome) -> Any:
    """The responses of the frozen network to all training and test images, a sparse array of spike counts."""
    return outcome.history.responses[outcome.schedule.n_training :][: outcome.schedule.n_test]


def _boost(outcome: Outcome) -> NDArray[np.float64]:
    """By how many hertz brighter than usual each image of the test was shown the last time."""
    return outcome.history.boost[outcome.schedule.n_training :][: outcome.schedule.n_test]


def _mean(outcomes: list[Outcome], of: Any) -> float:
    return float(np.mean([of(outcome) for outcome in outcomes]))
