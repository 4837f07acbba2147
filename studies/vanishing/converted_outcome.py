"""What part 2 came to: values, arrays, tables and claims."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from biosnn.conversion import Options
from biosnn.model import NeuronModel
from biosnn.study import Claim, Table

from .converted import AS_IT_IS, SOFT, Converted
from .diagnosis import diagnosis_of, told

DEEP = 10
"""So many layers in which spikes may vanish make a network deep."""


def converted_values(found: Converted) -> dict[str, Any]:
    """The numbers that answer the question; all are means over repetitions."""
    last = found.curves[:, :, -1].mean(axis=1)
    grid = found.scale_accuracy[:, :, -1].mean(axis=1)
    diagnosis = diagnosis_of(found)
    kept = np.nanmean(found.measured["kept"], axis=1)
    decoded = found.measured["decoded"].mean(axis=1)
    values = {
        "accuracy of the ANN": float(found.ann.mean()),
        "accuracy as it is": float(last[found.conversions.index(AS_IT_IS)]),
        "accuracy with soft reset": float(last[found.conversions.index(SOFT)]),
        "activity kept in the deepest layer": float(kept[found.conversions.index(AS_IT_IS), -1]),
        "activity kept there with soft reset": float(kept[found.conversions.index(SOFT), -1]),
        "accuracy of a linear decoder there": float(decoded[found.conversions.index(AS_IT_IS), -1]),
        "best threshold scale": float(found.scales[grid.argmax()]),
        "threshold scale found automatically": float(found.found_scale.mean()),
        "points below the best scale": 100 * float(grid.max() - found.found_accuracy.mean()),
    }
    if diagnosis.loses:
        values["layer where accuracy is lost first"] = diagnosis.loses
    if diagnosis.vanishes:
        values["layer where half of the activity has gone"] = diagnosis.vanishes
    return {f"converted {name}": value for name, value in values.items()}


def converted_arrays(found: Converted) -> dict[str, Any]:
    """Every field, by a name that begins with "converted"."""
    fields = {f.name: getattr(found, f.name) for f in dataclasses.fields(found) if f.name != "measured"}
    both = {**fields, **found.measured}
    return {f"converted {name.replace('_', ' ')}": np.asarray(value) for name, value in both.items()}


def converted_tables(found: Converted, model: NeuronModel, images: int) -> dict[str, Table]:
    """The diagnosis first, then layers, conversions and threshold scales."""
    caption = "The network as it is: where activity and accuracy go, and why."
    return {
        "Diagnosis": Table(caption, told(found, model, images)),
        "The network as it is, layer by layer": _layers(found),
        "Conversions": _conversions(found),
        "Threshold scales": _scales(found),
    }


def _layers(found: Converted) -> Table:
    number = found.conversions.index(AS_IT_IS)
    measured = {name: np.nanmean(values[number], axis=0) for name, values in found.measured.items()}
    head = [
        "layer",
        "rate",
        "kept",
        "silent (%)",
        "dead (%)",
        "full (%)",
        "first spike",
        "decoder (%)",
        "bits",
        "ANN (%)",
    ]
    rows = [
        [
            name,
            f"{measured['rate'][k]:.3f}",
            f"{measured['kept'][k]:.2f}",
            f"{100 * measured['silent'][k]:.1f}",
            f"{100 * found.dead[:, k].mean():.1f}",
            f"{100 * found.full[:, k].mean():.1f}",
            f"{measured['latency'][k]:.0f}",
            f"{100 * measured['decoded'][k]:.1f}",
            f"{measured['information'][k]:.2f}",
            f"{100 * measured['rest'][k]:.1f}",
        ]
        for k, name in enumerate(found.layers)
    ]
    caption = (
        "Rate: spikes per neuron and step. Kept: decoded rates over the ANN's mean activation. Silent: neurons that "
        "never fire; dead: that are zero in the ANN too. Full: answers with a spike in every step. First spike: median "
        "step. Decoder: accuracy of a linear decoder of spike counts, and what its decisions tell of the class. ANN: "
        "accuracy if the ordinary network computes the rest from this layer's rates."
    )
    return Table(caption, [head, *rows])


def _conversions(found: Converted) -> Table:
    steps = found.curves.shape[2]
    shown = [steps >> k for k in (3, 2, 1, 0)]
    head = [
        "conversion",
        *(f"T = {step}" for step in shown),
        "spread",
        "kept, middle",
        "kept, last",
        "decoder, last (%)",
    ]
    kept, decoded = np.nanmean(found.measured["kept"], axis=1), found.measured["decoded"].mean(axis=1)
    rows = []
    for k, name in enumerate(found.conversions):
        accuracy = 100 * found.curves[k][:, np.array(shown) - 1]
        means = [f"{value:.1f}" for value in accuracy.mean(axis=0)]
        middle = f"{kept[k, kept.shape[1] // 2]:.2f}"
        rows.append(
            [name, *means, f"{accuracy[:, -1].std():.1f}", middle, f"{kept[k, -1]:.2f}", f"{100 * decoded[k, -1]:.1f}"]
        )
    caption = (
        f"Accuracy (%) after T steps, the ANN's being {100 * found.ann.mean():.1f}, and its standard deviation over "
        "repetitions at the last. One thing differs from the network as it is; inputs that spike come with soft reset "
        "too, and `all` are soft reset, percentile and half a threshold together."
    )
    return Table(caption, [head, *rows])


def _scales(found: Converted) -> Table:
    head = ["scale", *(f"T = {mark}" for mark in found.marks), "spread", "rate, first", "rate, last"]
    rows = []
    for scale, accuracy, rates in zip(found.scales, found.scale_accuracy, found.scale_rates, strict=True):
        mean, rate = 100 * accuracy.mean(axis=0), rates.mean(axis=0)
        spread = 100 * accuracy[:, -1].std()
        cells = [*(f"{value:.1f}" for value in mean), f"{spread:.1f}", f"{rate[0]:.3f}", f"{rate[-1]:.3f}"]
        rows.append([f"{scale:g}", *cells])
    caption = (
        "Accuracy (%) with all thresholds scaled, soft reset. Automatically, on calibration images, "
        f"{', '.join(f'{scale:.2f}' for scale in found.found_scale)} was found in the repetitions, with "
        f"{100 * found.found_accuracy.mean():.1f} % at T = {found.marks[-1]}."
    )
    return Table(caption, [head, *rows])


def converted_not_applicable(options: Options, found: Converted) -> list[str]:
    """Claims that are not asked about a network that was converted in this way."""
    names, hard = [], options.model.name == "if_hard"
    balance = options.balance
    if len(found.layers) < DEEP or not hard or (balance.method, balance.per) != ("max", "layer"):
        names.append(VANISH)
    if not hard:
        names.append(RESIDUAL)
    if len(found.layers) < DEEP or len(found.scales) < 5:
        names.append(SHAPE)
    return names


def _fires(result: Any) -> bool:
    """The minimum activity: the first layer fires in every repetition, and the ANN itself knows something."""
    rate = result.arrays["converted rate"][_at(result, AS_IT_IS)]
    return bool(rate[:, 0].min() > 1e-3 and result.values["converted accuracy of the ANN"] > 0.3)


def _at(result: Any, conversion: str) -> int:
    return [str(name) for name in result.arrays["converted conversions"]].index(conversion)


def _vanish(result: Any) -> bool:
    """In every repetition half of the activity has gone somewhere, and ten points of accuracy in the end."""
    number = _at(result, AS_IT_IS)
    kept, curves = result.arrays["converted kept"][number], result.arrays["converted curves"][number]
    return bool(np.all(kept.min(axis=1) < 0.5) and np.all(curves[:, -1] < result.arrays["converted ann"] - 0.1))


def _residual(result: Any) -> bool:
    kept = result.arrays["converted kept"]
    return bool(np.all(kept[_at(result, SOFT), :, -1] > kept[_at(result, AS_IT_IS), :, -1]))


def _shape(result: Any) -> bool:
    """The best scale lies inside, in every repetition; beyond it rates fall, and below it they rise, in deep layers."""
    accuracy, rates = result.arrays["converted scale accuracy"][:, :, -1], result.arrays["converted scale rates"]
    best = accuracy.max(axis=0)
    ends = bool(np.all(accuracy[0] < best - 0.1) and np.all(accuracy[-1] < best - 0.1))
    middle = np.arange(accuracy.shape[1]), accuracy.argmax(axis=0)
    deepest = rates[:, :, -1]
    there = deepest[middle[1], middle[0]]
    return ends and bool(np.all(deepest[0] > there) and np.all(deepest[-1] < there))


VANISH = "spikes vanish"
RESIDUAL = "soft reset keeps more"
SHAPE = "too high vanishes, too low over-fires"
FOUND = "the scale is found"

CONVERTED_CLAIMS = [
    Claim(
        VANISH,
        "with hard reset and the largest activations as thresholds, half of the activity goes in some layer, and ten "
        "points of accuracy with it, in every repetition",
        _vanish,
        _fires,
    ),
    Claim(
        RESIDUAL,
        "with soft reset more of the deepest layer's activity is left, in every repetition",
        _residual,
        _fires,
    ),
    Claim(
        SHAPE,
        "of threshold scales the best lies inside: above it spikes vanish, below it deep layers fire too much, and "
        "either costs ten points of accuracy, in every repetition",
        _shape,
        _fires,
    ),
    Claim(
        FOUND,
        "the scale found on calibration images is within half a point of the best of the grid on test images",
        lambda result: result.values["converted points below the best scale"] <= 0.5,
        _fires,
    ),
]
