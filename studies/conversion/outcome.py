"""What the comparison came to, part by part: values, arrays, tables, and the converted network as a file."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from brian2 import joule, second
from numpy.typing import NDArray

from biosnn.conversion import PARTS, decisions, save
from biosnn.conversion.analysis.recipes import COLUMNS
from biosnn.energy import layer_rows, verdict_rows, verdicts
from biosnn.measure import difference, interval
from biosnn.measure.decisions import SURE
from biosnn.study import Result, Table

from .compare import HARD, LARGEST, Compared
from .tuned import TUNED

if TYPE_CHECKING:
    from .study import Settings

RESIDUAL = "the residual potential matters"
NEAR = 0.01
"""A decision has been reached when the accuracy is as near to the ANN's as this."""


def network_told(_: Settings, found: Compared) -> Result:
    """The network as it was converted, whatever its code: accuracy, spikes and energy."""
    outcome, labels = found.outcome, found.data.labels
    lost, sure = difference(decisions(found.ann) == labels, outcome.decided() == labels)
    energies = verdicts(found.operations, found.prices)
    hidden = found.snn.network.hidden
    values = {
        "accuracy of the ANN": found.ann_accuracy,
        "accuracy": outcome.accuracy,
        "points lost": lost,
        "points lost, half the confidence interval": sure,
        "agreement with the ANN": outcome.agreement(decisions(found.ann)),
        "output error": float(found.errors[-1]),
        "spikes an image": outcome.spikes_an_image,
        "synaptic operations an image": found.operations.an_inference("events"),
        "MACs of the ANN": found.operations.macs,
        "energy an image": next(v.snn for v in energies if v.snn is not None),
        "energy of the ANN": next(v.ann for v in energies if v.ann is not None),
    }
    arrays = {
        "latency curve": outcome.latency_curve,
        "output errors": found.errors,
        "accuracy interval": np.array(interval(outcome.accuracy, len(labels))),
        "spikes by step": sum(outcome.by_step.values()) / len(labels),
        "control names": np.array(list(found.controls) or [""]),
        "control curves": np.array([tried.curve for tried in found.controls.values()]),
        "populations": np.array([population.name for population in hidden]),
        "rate": np.array([_rate(found, population.name) for population in hidden]),
    }
    files = {"network.npz": partial(save, found.snn)}
    tables = {"Accuracy": _accuracies(found)}
    choice = getattr(found.snn, "choice", None)
    if choice is not None:
        tables["Recipe"] = Table(choice.caption, [list(COLUMNS), *map(list, choice.rows())])
    return Result(values, arrays, files=files, tables=tables, warnings=found.data.warnings)


def rates_told(settings: Settings, found: Compared) -> Result:
    """What rates allow: an answer at any time, and an explanation of every layer."""
    quarter = max(settings.steps // 4, 1)
    values: dict[str, float] = {"output error after a quarter": float(found.errors[quarter - 1])}
    far = np.flatnonzero(found.outcome.latency_curve < found.ann_accuracy - NEAR)
    settled = int(far[-1]) + 2 if len(far) else 1
    if settled <= found.outcome.steps:
        values["steps to within a point of the ANN"] = settled
    layers = found.layers
    if not layers:
        return Result(values)
    arrays = {
        "layers": np.array([layer.name for layer in layers]),
        "correlation": np.array([layer.correlation for layer in layers]),
        "silent": np.array([layer.silent for layer in layers]),
        "dead in the ANN": np.array([layer.dead for layer in layers]),
        "saturated": np.array([layer.saturated for layer in layers]),
        "parts": np.array([*PARTS, "error"]),
        "errors": np.array([[layer.errors[part] for part in (*PARTS, "error")] for layer in layers]),
        "bias": np.array([[layer.bias[part] for part in (*PARTS, "error")] for layer in layers]),
        "activations": np.array(_equal([layer.activations for layer in layers])),
        "rates": np.array(_equal([layer.rates for layer in layers])),
    }
    tables = {"Layer by layer": _layers(found), "Errors layer by layer (%)": _losses(found)}
    return Result(values, arrays, tables=tables)


def controls_told(_: Settings, found: Compared) -> Result:
    """Conversions as others do them."""
    hard = found.controls[HARD]
    values = {
        "output error with hard reset": hard.error,
        "accuracy with hard reset": float(hard.curve[-1]),
        "accuracy with the largest activation": float(found.controls[LARGEST].curve[-1]),
    }
    # A network with hard reset cannot be held against itself.
    same = found.snn.options.model.name == "if_hard"
    return Result(values, not_applicable=[RESIDUAL] if same else [])


def early_told(_: Settings, found: Compared) -> Result:
    """Images that end as soon as the network is sure."""
    assert found.early is not None
    steps = float(found.early.steps_used.mean())
    return Result({"accuracy if images end early": found.early.accuracy, "steps an image if they end early": steps})


def remedies_told(_: Settings, found: Compared) -> Result:
    """What would help."""
    return Result(tables={"What would help": _helps(found)})


def recipes_told(_: Settings, found: Compared) -> Result:
    """Recipes after few steps: accuracy, and what it costs in spikes and energy."""
    rows = found.recipes
    names, steps = list(dict.fromkeys(row.recipe for row in rows)), sorted({row.steps for row in rows})

    def of_all(name: str) -> NDArray[np.float64]:
        return np.array([getattr(row, name) for row in rows], float).reshape(len(names), len(steps))

    arrays = {
        "recipes": np.array(names),
        "recipe steps": np.array(steps),
        "recipe accuracy": of_all("accuracy"),
        "recipe spikes": of_all("spikes"),
        "recipe energy": of_all("energy") * joule,
        "recipe accuracy of the ANN": np.array(
            np.mean(decisions(found.ann[: found.explained]) == found.data.labels[: found.explained])
        ),
    }
    head = ["recipe", *(f"T = {T}" for T in steps), f"spikes at T = {steps[-1]}"]
    body = [
        [name, *("" if np.isnan(a) else f"{100 * a:.1f}" for a in accuracy), _last(spikes)]
        for name, accuracy, spikes in zip(names, of_all("accuracy"), of_all("spikes"), strict=True)
    ]
    if found.why_not_tuned:
        body.append([f"{TUNED}: none. {found.why_not_tuned}", *[""] * (len(head) - 1)])
    caption = f"Accuracy (%) on {found.explained} images, each recipe made for so many steps; spikes per image."
    return Result(arrays=arrays, tables={"Recipes": Table(caption, [head, *body])})


def _last(spikes: NDArray[np.float64]) -> str:
    return "" if np.isnan(spikes[-1]) else f"{spikes[-1]:,.0f}"


def costs_told(_: Settings, found: Compared) -> Result:
    """Operations, and their energy by every convention; how long it took to simulate them."""
    outcome = found.outcome
    values = {"processor time an image": outcome.seconds / len(found.data.labels) * second} if outcome.seconds else {}
    caption = f"Energy an image at the prices of {found.prices.name} ({found.prices.source})."
    tables = {
        "Operations by layer": Table("What each layer does for an image.", layer_rows(found.operations)),
        "Energy by convention": Table(caption, verdict_rows(verdicts(found.operations, found.prices))),
    }
    return Result(values, tables=tables)


def _rate(found: Compared, name: str) -> float:
    counts = found.outcome.spikes[name]
    return float(counts.sum() / counts.shape[1] / len(found.data.labels) / found.outcome.steps)


def _equal(rows: list[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
    """Rows of one length, the shorter ones filled with NaN."""
    longest = max(len(row) for row in rows)
    return [np.append(row, np.full(longest - len(row), np.nan, np.float32)) for row in rows]


def _accuracies(found: Compared) -> Table:
    images, total = len(found.data.labels), found.outcome.steps
    steps = [total >> k for k in range(4) if total >> k] if found.rates else [total]
    head = ["network", *(f"T = {step}" for step in steps), f"interval at T = {total}", "spikes per image"]
    own = found.outcome
    rows = [_row("spiking", own.latency_curve, steps, images, own.spikes_an_image)]
    if found.early is not None:
        label = f"ended early, {found.early.steps_used.mean():.1f} steps"
        rows.append(_row(label, found.early.latency_curve, steps, images, found.early.spikes_an_image))
    rows += [_row(name, tried.curve, steps, images, tried.spikes) for name, tried in found.controls.items()]
    low, high = interval(found.ann_accuracy, images)
    text = f"{100 * found.ann_accuracy:.1f}"
    rows.append(["ANN (ONNX Runtime)", *([text] * len(steps)), f"{100 * low:.1f} to {100 * high:.1f}", ""])
    caption = f"Accuracy (%) on {images} images, with the interval that holds the true one in {SURE:.0%} of cases."
    return Table(caption, [head, *rows])


def _row(name: str, curve: NDArray[np.float64], steps: list[int], images: int, spikes: float) -> list[str]:
    low, high = interval(float(curve[-1]), images)
    found = [f"{100 * curve[step - 1]:.1f}" for step in steps]
    return [name, *found, f"{100 * low:.1f} to {100 * high:.1f}", f"{spikes:,.0f}"]


def _layers(found: Compared) -> Table:
    head = ["layer", "neurons", "rate", "correlation", "silent (%)", "dead (%)", "full (%)"]
    rows = [
        [
            layer.name,
            str(layer.neurons),
            f"{layer.rate:.3f}",
            f"{layer.correlation:.4f}",
            *(f"{100 * part:.1f}" for part in (layer.silent, layer.dead, layer.saturated)),
        ]
        for layer in found.layers
    ]
    caption = (
        f"On {found.explained} images. Rate: spikes per neuron and step. Correlation of rates and activations. Silent: "
        "neurons that never fired; dead: that are zero in the ANN too; full: answers with a spike in every step."
    )
    return Table(caption, [head, *rows])


def _losses(found: Compared) -> Table:
    rows = [[layer.name, *(f"{100 * layer.errors[part]:.2f}" for part in (*PARTS, "error"))] for layer in found.layers]
    caption = (
        "Root mean square difference of rates and activations, in % of the activations', and its parts: what a layer "
        "inherits from those before, loses by clipping at its threshold, by telling values in whole spikes, by reset "
        "or leak, and by the uneven arrival of its inputs."
    )
    return Table(caption, [["layer", *PARTS, "error"], *rows])


def _helps(found: Compared) -> Table:
    first = found.remedies["as it is"]
    rows = [["changed", "accuracy (%)", "difference (points)", "output error (%)", "spikes per image"]]
    order = sorted(found.remedies.items(), key=lambda item: (item[1].error, -item[1].curve[-1]))
    for name, tried in order:
        gained = 100 * (tried.curve[-1] - first.curve[-1])
        numbers = [f"{100 * tried.curve[-1]:.1f}", f"{gained:+.1f}", f"{100 * tried.error:.2f}", f"{tried.spikes:,.0f}"]
        rows.append([name, *numbers])
    caption = (
        f"One thing changed at a time, tried on {found.explained} images, the best "
        "outputs first. Output error: the difference from the ANN's outputs, relative to their spread."
    )
    return Table(caption, rows)
