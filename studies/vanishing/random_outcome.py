"""Values, arrays, tables and claims of part 1, random networks."""

from __future__ import annotations

from typing import Any

import numpy as np

from biosnn.measure import extinction_depth
from biosnn.propagation.random_networks import NARROWED, RandomResult
from biosnn.study import Claim, Table

# The layer in which networks are compared by what they tell, and the fewest layers for that and for claims on depth.
TOLD_AT, DEEP = 20, 30


def random_arrays(result: RandomResult) -> dict[str, Any]:
    """The arrays of a result, as in `RandomResult`: "random rate" and so on."""
    names = (
        "kinds gains thresholds widths decoded_at rate silent reached survival latency theory decoded information "
        "scan scan_theory narrow measured_depth predicted_depth chain"
    )
    return {f"random {name.replace('_', ' ')}": np.asarray(getattr(result, name)) for name in names.split()}


def random_values(result: RandomResult) -> dict[str, float]:
    """The numbers that answer part 1."""
    kind = {name: number for number, name in enumerate(result.kinds)}
    he, critical = result.rate.mean(axis=2).swapaxes(0, 1)
    last = result.rate.shape[-1]
    found = {
        "random chain of 8 with soft reset": float(result.chain[0, -1]),
        "random chain of 8 with hard reset": float(result.chain[1, -1]),
        **{f"random binary rate {layer} at He": float(he[kind["binary"], layer - 1]) for layer in (1, 2, 3)},
        "random threshold and weights": result.same,
    }
    if last >= 10:
        found["random binary rate 10 at critical"] = float(critical[kind["binary"], 9])
    for name, number in kind.items():
        found[f"random {name} last rate at critical"] = float(critical[number, -1])
        found[f"random {name} last rate at He"] = float(he[number, -1])
    measured, predicted = _depths(result)
    if len(measured):
        errors = np.abs(predicted / measured - 1)
        found["random median error of depth"] = float(np.median(errors))
        found["random largest error of depth"] = float(errors.max())
    (one,) = np.nonzero(result.thresholds == 1)
    for name, number in kind.items():
        depths = result.measured_depth[number, one]
        if depths.size and np.isfinite(depths).all():
            found[f"random {name} depth at He"] = float(depths.mean())
    for gain, place in (("He", 0), ("critical", 1)):
        if last >= DEEP:
            at = int(np.argmax(result.decoded_at == TOLD_AT))
            found[f"random soft accuracy {TOLD_AT} at {gain}"] = float(
                result.decoded[kind["soft"], place, :, at].mean()
            )
    return found


def _depths(result: RandomResult) -> tuple[Any, Any]:
    """Measured (means over seeds) and predicted depths of extinction, where activity dies out by one of them at least.

    A depth beyond the last layer counts as the last layer, so that the error is at least what is said.
    """
    last = result.rate.shape[-1]
    measured, predicted = result.measured_depth, np.minimum(result.predicted_depth, last).ravel()
    measured = np.minimum(measured, last).mean(axis=-1).ravel()
    some = (np.minimum(measured, predicted) < last) & (predicted > 1)
    return measured[some], predicted[some]


def random_tables(result: RandomResult) -> dict[str, Table]:
    """Where activity dies out, by theory and measured; and what narrow layers change."""
    rows = [["neuron", *(f"{threshold:g}" for threshold in result.thresholds)]]
    for name, measured, predicted in zip(result.kinds, result.measured_depth, result.predicted_depth, strict=True):
        rows.append([name, *(_depth(found) for found in measured)])
        rows.append([f"{name}, theory", *(_depth(np.array([found])) for found in predicted)])
    caption = (
        "Layer in which the rate falls under 1 %, for each threshold at the weights of He: mean of "
        f"{result.rate.shape[2]} random networks and standard deviation; -: in no layer of at least one of them."
    )
    narrow = [["neuron", *(f"{width} neurons per layer" for width in result.widths)]]
    for name, rates in zip(NARROWED, result.narrow, strict=True):
        narrow.append([name, *(_depth(np.asarray(extinction_depth(found))) for found in rates)])
    return {
        "Where random networks fall silent": Table(caption, rows),
        "Narrower random networks": Table("The same at the threshold 1, by the width of layers.", narrow),
    }


def _depth(found: Any) -> str:
    if not np.isfinite(found).all():
        return "-"
    return f"{found.mean():.1f} ± {found.std(ddof=1):.1f}" if len(found) > 1 else f"{found[0]:.1f}"


def random_not_applicable(result: RandomResult) -> list[str]:
    """Claims and values that shallow networks do not answer."""
    if result.rate.shape[-1] >= DEEP:
        return []
    return ["hard reset loses more", "spikes are not information", "random binary rate 10 at critical"]


# ---- claims --------------------------------------------------------------------------------------------------------

BINARY, HARD, SOFT, LEAK = range(4)  # places of the kinds


def _arrays(result: Any, name: str) -> Any:
    return np.asarray(result.arrays[f"random {name}"])


def _fires(result: Any) -> bool:
    """The minimum activity: the first layer of every network fires in at least one of fifty steps."""
    return bool(_arrays(result, "rate")[..., 0].min() > 0.02)


def _follows(result: Any) -> bool:
    rate, theory = _arrays(result, "rate")[BINARY], _arrays(result, "theory")[BINARY]
    off = np.abs(rate.mean(axis=1) - theory)[:, :5]
    return bool(off.max() < 0.05 and rate[0, :, 3:].max(initial=0) < 0.01)


def _hard_first(result: Any) -> bool:
    depth = _arrays(result, "measured depth")
    return bool((depth[HARD] <= depth[SOFT]).all() and (depth[HARD] < depth[SOFT]).any(axis=0).all())


def _some_die(result: Any) -> bool:
    """The first layers fire, and with hard reset activity dies below the first at every threshold."""
    depth = _arrays(result, "measured depth")
    return _fires(result) and bool((np.isfinite(depth[HARD]) & (depth[HARD] > 1)).any(axis=0).all())


def _keeps(result: Any) -> bool:
    rate, theory = _arrays(result, "rate")[HARD:, 1], _arrays(result, "theory")[HARD:, 1]
    return bool(np.all(rate[..., -10:].mean(axis=-1) > 0.5 * theory[:, None, -1]))


def _several_die(result: Any) -> bool:
    """The first layers fire, and theory says for four networks at least in which layer activity dies."""
    depth = _arrays(result, "predicted depth")
    return _fires(result) and int(np.count_nonzero(np.isfinite(depth) & (depth > 1))) >= 4


def _knows(result: Any) -> bool:
    values = result.values
    return bool(values["random median error of depth"] < 0.15 and values["random largest error of depth"] < 0.5)


def _told(result: Any) -> tuple[Any, Any]:
    """Accuracies and rates in layer 20 of soft reset: shape (gains, seeds) each."""
    at = int(np.argmax(_arrays(result, "decoded at") == TOLD_AT))
    return _arrays(result, "decoded")[SOFT, ..., at], _arrays(result, "rate")[SOFT, ..., TOLD_AT - 1]


def _fewer_tell_more(result: Any) -> bool:
    decoded, rate = _told(result)
    better = decoded[0] - decoded[1]
    error = better.std(ddof=1) / np.sqrt(len(better))
    return bool(better.mean() > max(2 * error, 0.1) and (rate[0] < rate[1]).all())


RANDOM_CLAIMS = [
    Claim(
        "binary neurons follow the recursion",
        "in the first five layers the mean rate of binary neurons is within 0.05 of the recursion, at both gains; with "
        "the weights of He nothing is left in layer 4",
        _follows,
        _fires,
    ),
    Claim(
        "a threshold is a scale",
        "twice the threshold with twice the weights gives the same rates in every layer",
        lambda result: result.values["random threshold and weights"] == 0,
        _fires,
    ),
    Claim(
        "hard reset loses more",
        "in every network, at every threshold, activity dies out no later with hard reset than with soft reset, and "
        "sooner at one at least",
        _hard_first,
        _some_die,
    ),
    Claim(
        "the critical gain keeps rates",
        "at the critical gain, the last ten layers of every network of integrate-and-fire neurons fire at more than "
        "half of the rate that the mean field predicts",
        _keeps,
        _fires,
    ),
    Claim(
        "theory knows the depth",
        "the predicted depth of extinction is off by less than 15 % in the median over neurons and thresholds, and by "
        "less than half everywhere, where depths beyond the last layer count as the last",
        _knows,
        _several_die,
    ),
    Claim(
        "spikes are not information",
        "in layer 20, soft reset at the weights of He fires less than at the critical gain, but tells the class better",
        _fewer_tell_more,
        lambda result: bool(_told(result)[1].min() > 0.01),
    ),
]
