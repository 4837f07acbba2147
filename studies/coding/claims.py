"""What the study claims about its result, each with the activity without which it would mean nothing."""

from __future__ import annotations

from typing import Any

from biosnn.study import Claim

RATE, LATENCY = "poisson", "ttfs"


def _accuracies(result: Any) -> tuple[float, float]:
    return float(result.values[f"accuracy of {LATENCY}"]), float(result.values[f"accuracy of {RATE}"])


def _answer(result: Any) -> bool:
    """The activity floor: both networks answer nearly every image, most cells answer some, far better than chance."""
    names = list(result.arrays["codings"])
    for coding in (RATE, LATENCY):
        unanswered = result.arrays["without answer"][names.index(coding)]
        silent = result.arrays["silent cells"][names.index(coding)]
        if unanswered.max() > 0.1 or silent.max() > 0.5 or result.values[f"accuracy of {coding}"] < 0.6:
            return False
    return True


def _lost(result: Any, coding: str, kind: str) -> float:
    """Points of accuracy that a kind of disturbance takes at most, mean over seeds."""
    names, kinds = list(result.arrays["codings"]), [str(name) for name in result.arrays["disturbances"]]
    accuracy = result.arrays["accuracy disturbed"][names.index(coding)].mean(axis=1)
    return float(max(accuracy[0] - accuracy[number] for number, name in enumerate(kinds) if name.startswith(kind)))


def _less(result: Any, name: str) -> bool:
    return bool(result.values[f"{name} of {LATENCY}"] < result.values[f"{name} of {RATE}"])


CLAIMS = [
    Claim(
        "as accurate",
        "time to first spike recognises as well as Poisson rates, or at most three points worse",
        lambda result: _accuracies(result)[0] >= _accuracies(result)[1] - 0.03,
        _answer,
    ),
    Claim(
        "fewer spikes",
        "time to first spike needs at most a third of the spikes of Poisson rates",
        lambda result: result.values[f"input spikes of {LATENCY}"] <= result.values[f"input spikes of {RATE}"] / 3,
        _answer,
    ),
    Claim(
        "fewer operations",
        "time to first spike needs at most 1/3.5 of the synaptic operations of Poisson rates, as in Guo 2021",
        lambda result: result.values[f"operations of {LATENCY}"] <= result.values[f"operations of {RATE}"] / 3.5,
        _answer,
    ),
    Claim(
        "decides earlier",
        "with time to first spike the accuracy has settled earlier",
        lambda result: _less(result, "decision"),
        _answer,
    ),
    Claim(
        "rates survive deletion",
        "where input spikes are deleted, Poisson rates lose fewer points than time to first spike",
        lambda result: _lost(result, RATE, "deletion") < _lost(result, LATENCY, "deletion"),
        _answer,
    ),
]
COMPARED = [f"{name} of {coding}" for name in ("accuracy", "input spikes") for coding in (RATE, LATENCY)]
"""The values without which there is nothing to compare."""
