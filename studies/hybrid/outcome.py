"""What the cuts came to: values, arrays, and tables."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from brian2 import joule
from numpy.typing import NDArray

from biosnn.conversion import ledger
from biosnn.conversion.hybrid.cutting import relus
from biosnn.conversion.hybrid.every_cut import ALL, Cut
from biosnn.energy import CONVENTIONS, verdicts
from biosnn.energy.judging import energy_text
from biosnn.measure import difference, drawn_again, interval, resampled_accuracy, share_of_steps, steps_needed
from biosnn.measure.decisions import SURE
from biosnn.study import Table

from .cuts import Measured

CLOSE = 0.3
"""A second distance from the ANN, in points, for a column of the table."""
RESAMPLES = 500
COUNTED = "neuron updates too"
"""The convention of the values: all arithmetic, no memory."""


@lru_cache(maxsize=1)
def resampled(found: Measured) -> NDArray[np.float64]:
    """Steps needed if other images had been drawn, shape (resamples, cuts)."""
    drawn = drawn_again(len(found.data.labels), RESAMPLES, found.seed)
    ann, curves = resampled_accuracy(found.ann_right, drawn), resampled_accuracy(found.right, drawn)
    return steps_needed(curves, found.marks, (ann - found.settings.within / 100)[:, None])


def chosen_by_halves(found: Measured) -> tuple[str, float]:
    """The cut that needs the fewest steps on every second image, and its fraction of the steps on the others."""
    halves = [slice(0, None, 2), slice(1, None, 2)]
    told = []
    for half in halves:
        target = found.ann_right[half].mean() - found.settings.within / 100
        told.append(steps_needed(found.right[:, :, half].mean(axis=-1), found.marks, target))
    best = best_of(told[0])
    return found.cuts[best].name, float(share_of_steps(told[1][best], told[1][-1], found.marks[-1]))


def best_of(steps: NDArray[np.float64]) -> int:
    """The hybrid that needs the fewest steps."""
    return int(np.argmin(steps[:-1]))


@lru_cache(maxsize=1)
def energies(found: Measured) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Energy an image of each cut at each mark by each convention (J), and that of the ANN by each convention."""
    told = np.empty((len(found.cuts), len(found.marks), len(CONVENTIONS)))
    ann = np.empty(len(CONVENTIONS))
    for k, cut in enumerate(found.cuts):
        for m, mark in enumerate(found.marks):
            judged = verdicts(ledger(cut.net, cut.outcome.at(int(mark))), found.prices)[: len(CONVENTIONS)]
            told[k, m] = [float(np.asarray(verdict.snn)) for verdict in judged]
            if cut.side == ALL:
                ann[:] = [float(np.asarray(verdict.ann)) for verdict in judged]
    return told, ann


def lowest_rate(cut: Cut) -> float:
    """The lowest of the firing rates of the layers that spike, spikes per neuron and step."""
    outcome = cut.outcome
    return min(float(counts[-1].mean()) / (len(outcome.outputs) * outcome.steps) for counts in outcome.counts.values())


def values_of(found: Measured) -> dict[str, Any]:
    """The numbers that answer the question."""
    ann, marks = float(found.ann_right.mean()), found.marks
    steps = steps_needed(found.right.mean(axis=-1), marks, ann - found.settings.within / 100)
    told, of_ann = energies(found)
    counted = [convention.name for convention in CONVENTIONS].index(COUNTED)
    best, layers = best_of(steps), np.array([cut.layers for cut in found.cuts])
    _, other_half = chosen_by_halves(found)
    half = layers[:-1][steps[:-1] <= min(steps[-1], marks[-1]) / 2]
    values = {
        "accuracy of the ANN": ann,
        "accuracy, all layers spike": found.cuts[-1].outcome.accuracy,
        "lowest accuracy of a cut": min(cut.outcome.accuracy for cut in found.cuts[:-1]),
        "ReLU layers": int(layers[-1]),
        "best cut, part of the steps": share_of_steps(steps[best], steps[-1], marks[-1]),
        "best cut, part of the steps, other half": other_half,
        "most layers that spike in half the steps": int(half.max()) if half.size else 0,
        "energy of the ANN": of_ann[counted] * joule,
    }
    for name, k in (("best cut", best), ("all layers spike", -1)):
        if np.isfinite(steps[k]):
            mark = int(np.flatnonzero(marks == steps[k])[0])
            values[f"steps needed, {name}"] = int(steps[k])
            values[f"spikes an image, {name}"] = found.cuts[k].outcome.at(int(steps[k])).spikes_an_image
            values[f"energy, {name}"] = told[k, mark, counted] * joule
    costs = _at_needed(told[..., counted], steps, marks)
    if np.isfinite(costs[:-1]).any():
        cheapest = int(np.argmin(costs[:-1]))
        values["energy, cheapest cut"] = costs[cheapest] * joule
        values["spiking layers of the cheapest cut"] = int(layers[cheapest])
    return values


def _at_needed(told: NDArray[np.float64], steps: NDArray[np.float64], marks: NDArray[np.int64]) -> NDArray[np.float64]:
    """What each cut has at the steps it needs, given shape (cuts, marks); infinite if all were not enough."""
    number = np.searchsorted(marks, np.where(np.isfinite(steps), steps, marks[-1]))
    return np.where(np.isfinite(steps), told[np.arange(len(steps)), number], np.inf)


def arrays_of(found: Measured) -> dict[str, Any]:
    """What figures are drawn from."""
    right, marks = found.right, found.marks
    again = resampled(found)
    told, of_ann = energies(found)
    part = share_of_steps(again[:, :-1].min(axis=1), again[:, -1], marks[-1])
    ones = [k for k, cut in enumerate(found.cuts) if cut.layers == 1]
    steps = steps_needed(right.mean(axis=-1), marks, found.ann_right.mean() - found.settings.within / 100)
    return {
        "cuts": np.array([cut.name for cut in found.cuts]),
        "side": np.array([cut.side for cut in found.cuts]),
        "layers": np.array([cut.layers for cut in found.cuts]),
        "marks": marks,
        "curves": right.mean(axis=-1),
        "steps needed": steps,
        "steps needed, interval": np.quantile(again, [(1 - SURE) / 2, (1 + SURE) / 2], axis=0, method="nearest"),
        "spikes": np.array([[c.outcome.at(int(mark)).spikes_an_image for mark in marks] for c in found.cuts]),
        "conventions": np.array([convention.name for convention in CONVENTIONS]),
        "energy": told,
        "energy of the ANN": of_ann,
        "relus": np.array(relus(found.whole.graph)),
        "rate": found.rates,
        "lowest rate": np.array([lowest_rate(cut) for cut in found.cuts]),
        "layer errors": found.errors,
        "resampled part": part,
        "resampled single part": share_of_steps(again[:, ones].min(axis=1), again[:, -1], marks[-1]),
    }


def tables_of(found: Measured) -> dict[str, Table]:
    """What each cut needs, energy by convention, and how errors grow."""
    return {
        "What each cut needs": _cuts(found),
        "Energy by convention": _conventions(found),
        "Errors of rates, where all layers spike (%)": _errors(found),
    }


def _cuts(found: Measured) -> Table:
    settings, marks, right = found.settings, found.marks, found.right
    ann, curves = float(found.ann_right.mean()), right.mean(axis=-1)
    steps, close = (steps_needed(curves, marks, ann - points / 100) for points in (settings.within, CLOSE))
    again = resampled(found)
    low, high = np.quantile(again, [(1 - SURE) / 2, (1 + SURE) / 2], axis=0, method="nearest")
    told, _ = energies(found)
    counted = [convention.name for convention in CONVENTIONS].index(COUNTED)
    costs = _at_needed(told[..., counted], steps, marks)
    some = [int(np.argmin(np.abs(marks - marks[-1] / part))) for part in (8, 4)]
    head = ["layers that spike", "neurons", *(f"T = {marks[k]}" for k in some), f"T = {marks[-1]}", "interval", "lost"]
    head += [f"T for {settings.within:g}", "interval of T", f"T for {CLOSE:g}", "spikes per image", "energy"]
    rows = [head]
    images = len(found.data.labels)
    for k, cut in enumerate(found.cuts):
        ends = interval(float(curves[k, -1]), images)
        lost, sure = difference(found.ann_right, right[k, -1])
        row = [cut.name, f"{cut.net.neurons:,}", *(f"{100 * curves[k, m]:.1f}" for m in (*some, -1))]
        row += [f"{100 * ends[0]:.1f} to {100 * ends[1]:.1f}", f"{lost:.1f} ± {sure:.1f}"]
        row += [_steps(steps[k]), f"{_steps(low[k])} to {_steps(high[k])}", _steps(close[k])]
        spikes = cut.outcome.at(int(steps[k])).spikes_an_image if np.isfinite(steps[k]) else np.nan
        row += [f"{spikes:,.0f}" if np.isfinite(spikes) else "", _energy(costs[k])]
        rows.append(row)
    text = f"{100 * ann:.1f}"
    ends = interval(ann, images)
    rows.append(["none (ANN)", "0", text, text, text, f"{100 * ends[0]:.1f} to {100 * ends[1]:.1f}", *[""] * 6])
    name, part = chosen_by_halves(found)
    caption = (
        f"Accuracy (%) on {images} images, with the interval that holds the true one in {SURE:.0%} of cases; points "
        f"lost after {marks[-1]} steps (paired); the steps from which on the accuracy is within so many points of the "
        f"ANN's, with the interval of {RESAMPLES} resamples of the images; and spikes and energy ('{COUNTED}') at "
        f"these steps, analog layers included. Chosen on every second image, the best cut is '{name}', which needs "
        f"{part:.2f} times the steps of the network whose layers all spike on the other images."
    )
    return Table(caption, rows)


def _steps(steps: float) -> str:
    return f"{steps:.0f}" if np.isfinite(steps) else "more"


def _energy(energy: float) -> str:
    return energy_text(energy * joule) if np.isfinite(energy) else ""


def _conventions(found: Measured) -> Table:
    marks = found.marks
    target = found.ann_right.mean() - found.settings.within / 100
    steps = steps_needed(found.right.mean(axis=-1), marks, target)
    told, of_ann = energies(found)
    rows = [["convention", "ANN", "all layers spike", "cheapest cut", "its energy", "ANN / it"]]
    for number, convention in enumerate(CONVENTIONS):
        costs = _at_needed(told[..., number], steps, marks)
        best = int(np.argmin(costs[:-1]))
        cheapest = [found.cuts[best].name, _energy(costs[best]), f"{of_ann[number] / costs[best]:.2f}"]
        rows.append([convention.name, _energy(of_ann[number]), _energy(costs[-1]), *cheapest])
    caption = (
        f"Energy an image at the steps that each network needs, at the prices of {found.prices.name} "
        f"({found.prices.source}); multiply-accumulates of analog layers, counting and decoding included."
    )
    return Table(caption, rows)


def _errors(found: Measured) -> Table:
    marks = found.marks
    some = sorted({int(np.argmin(np.abs(marks - marks[-1] / part))) for part in (16, 8, 4, 2, 1)})
    curves = found.right.mean(axis=-1)
    steps = steps_needed(curves, marks, found.ann_right.mean() - found.settings.within / 100)
    first = {cut.layers: _steps(steps[k]) for k, cut in enumerate(found.cuts) if cut.side != "last"}
    last = {cut.layers: _steps(steps[k]) for k, cut in enumerate(found.cuts) if cut.side != "first"}
    names = relus(found.whole.graph)
    rows = [["layer", "rate", *(f"T = {marks[k]}" for k in some), "T if it is the last", "T if it is the first"]]
    for k, name in enumerate(names):
        told = [f"{100 * found.errors[k, m]:.1f}" for m in some]
        rows.append([name, f"{found.rates[k]:.3f}", *told, first.get(k + 1, ""), last.get(len(names) - k, "")])
    caption = (
        "Rate: spikes per neuron and step. Root mean square difference of decoded rates and ANN activations, in % "
        "of the activations', after so many steps. T: the steps needed, if this layer is the last that spikes, or the "
        "first."
    )
    return Table(caption, rows)
