"""What recognition came to in each coding: accuracy, time, spikes and energy, over all seeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from brian2 import joule, ms, second
from numpy.typing import NDArray

from biosnn.coding import Coding
from biosnn.datasets import Dataset
from biosnn.energy import HOROWITZ_45NM, PriceTable, Verdict, read_prices, verdicts
from biosnn.learning import Responses, assign_labels, fixed_linear, vote
from biosnn.measure import accuracy
from biosnn.study import Table

from .ledger import ledger_of
from .recognition import LABELLING, TEST, Told, disturbances, split

if TYPE_CHECKING:
    from .study import Settings

# Times since an image came at which a decision is asked for (ms), in so far as a presentation is as long.
MOMENTS = (5, 7.5, 10, 12.5, 15, 17.5, 20, 25, 30, 35, 40, 50, 60, 80, 100, 125, 150, 175, 200, 250, 300, 350, 400, 500)
# A decision has been reached when the accuracy is as near to the final one as this.
NEAR = 0.01
# The convention whose energy stands in the table; all of them stand in the table of verdicts.
SHOWN = "neuron updates too"


@dataclass(frozen=True, eq=False)
class Outcome:
    """One network: numbers by name, the accuracy at each moment (NaN beyond its presentation), and all verdicts."""

    numbers: Mapping[str, float]
    by_moment: NDArray[np.float64]
    verdicts: Sequence[Verdict]


def outcome_of(settings: Settings, data: Dataset, told: Told) -> Outcome:
    """Measure what a network did."""
    weighted = _weighting(settings, told)
    labelling, test, disturbed = told.answers(LABELLING), told.answers(TEST), told.disturbed
    labels, right = data.labels[told.schedule.labelling], data.labels[told.schedule.test]
    decide = fixed_linear(weighted(labelling, None), labels)

    def score(answers: Responses, until: int | None = None) -> float:
        return accuracy(decide(weighted(answers, until)), right[: answers.presentations])

    dt = float(settings.dt / ms)
    steps = [round(moment / dt) for moment in MOMENTS]
    by_moment = np.array([score(test, step) if step <= test.steps else np.nan for step in steps])
    cell_labels = assign_labels(labelling.counts(), labels, data.classes)
    ledger = ledger_of(told)
    judged = verdicts(ledger, prices_of(settings))
    answered = test.first() < test.steps
    numbers = {
        "accuracy": score(test),
        "accuracy by vote": accuracy(vote(weighted(test, None), cell_labels, data.classes), right),
        "decision": _settled(by_moment, score(test), test.steps * dt),
        "first answer": float(np.median(test.first()[answered]) * dt) if answered.any() else np.nan,
        "input spikes": float(told.history.input_spikes[TEST].sum() / test.presentations),
        "spikes in answer": len(test.row) / test.presentations,
        "operations": ledger.an_inference("events"),
        "spikes a synapse": ledger.spikes_a_synapse,
        "without answer": float(np.mean(~answered)),
        "silent cells": float(np.mean(np.bincount(test.neuron, minlength=test.neurons) == 0)),
        "processor": told.history.seconds,
        **{f"energy, {v.convention}": float(v.snn / joule) for v in judged if v.snn is not None},
        **{
            f"accuracy, {what.name}": score(answers)
            for what, answers in zip(disturbances(settings)[1:], disturbed, strict=True)
        },
        # What the first images score undisturbed, for those disturbed to be held against.
        "accuracy, none": score(test.section(0, (disturbed or [test])[-1].presentations)),
    }
    return Outcome(numbers, by_moment, judged)


def prices_of(settings: Settings) -> PriceTable:
    """What operations cost: the table that the settings name."""
    return read_prices(settings.prices) if settings.prices else HOROWITZ_45NM


def _weighting(settings: Settings, told: Told) -> Callable[[Responses, int | None], Any]:
    """How an answer is read: spikes are counted or, where the first take all, weighed by their rank."""
    if told.coding in settings.rate_codings:
        return lambda answers, until: answers.counts(until)
    return lambda answers, until: answers.ranked(settings.fade, until)


def _settled(by_moment: NDArray[np.float64], final: float, end: float) -> float:
    """The first moment (ms) from which on the accuracy is nearly the final one."""
    near = np.append(by_moment[~np.isnan(by_moment)] >= final - NEAR, True)
    last_far = np.flatnonzero(~near)
    first = last_far[-1] + 1 if len(last_far) else 0
    return float(MOMENTS[first]) if first < len(near) - 1 else end


class Outcomes:
    """The outcomes of all networks, by coding."""

    def __init__(self, settings: Settings, data: Dataset, told: Sequence[Told]) -> None:
        self.settings, self.told, self.prices = settings, told, prices_of(settings)
        self.codings = list(dict.fromkeys(one.coding for one in told))
        found = [outcome_of(settings, data, one) for one in told]
        self.of = {
            name: [outcome for one, outcome in zip(told, found, strict=True) if one.coding == name]
            for name in self.codings
        }

    def mean(self, coding: str, name: str) -> float:
        """Over the seeds."""
        return float(np.mean([outcome.numbers[name] for outcome in self.of[coding]]))

    def sd(self, coding: str, name: str) -> float:
        """Over the seeds; 0 of one."""
        values = [outcome.numbers[name] for outcome in self.of[coding]]
        return float(np.std(values, ddof=1)) if len(values) > 1 else 0.0

    def disturbances(self) -> list[str]:
        """Their names, "none" first."""
        return [what.name for what in disturbances(self.settings)]


def recognition_values(found: Outcomes) -> dict[str, Any]:
    """The numbers that claims are about."""
    units = {"accuracy": 1, "decision": ms, "input spikes": 1, "operations": 1}
    values = {
        f"{name} of {coding}": found.mean(coding, name) * unit
        for coding in found.codings
        for name, unit in units.items()
    }
    processor = sum(outcome.numbers["processor"] for outcomes in found.of.values() for outcome in outcomes)
    return values | ({"processor time of all networks": round(processor, 1) * second} if processor else {})


def recognition_arrays(found: Outcomes) -> dict[str, Any]:
    """What figures are drawn from: axes are codings, then seeds, then moments or disturbances."""

    def each(name: str) -> NDArray[np.float64]:
        return np.array([[outcome.numbers[name] for outcome in found.of[coding]] for coding in found.codings])

    disturbed = np.array([each(f"accuracy, {name}") for name in found.disturbances()])
    return {
        "codings": np.array(found.codings),
        "moments": np.array(MOMENTS) * ms,
        "accuracy by moment": np.array([[o.by_moment for o in found.of[coding]] for coding in found.codings]),
        "accuracy": each("accuracy"),
        "accuracy by vote": each("accuracy by vote"),
        "decision time": each("decision") * ms,
        "first answer": each("first answer") * ms,
        "input spikes": each("input spikes"),
        "spikes in answer": each("spikes in answer"),
        "synaptic operations": each("operations"),
        "without answer": each("without answer"),
        "silent cells": each("silent cells"),
        "energy": each(f"energy, {SHOWN}") * joule,
        "disturbances": np.array(found.disturbances()),
        "accuracy disturbed": np.moveaxis(disturbed, 0, 1),
        "receptive fields": np.array([_fields(found, coding) for coding in found.codings]),
    }


def _fields(found: Outcomes, coding: str) -> NDArray[np.float64]:
    """Input weights of some cells of the first network, shape (cells, pixels)."""
    history = next(told.history for told in found.told if told.coding == coding)
    return np.asarray(history.weights[:16], dtype=np.float64)


def recognition_tables(found: Outcomes) -> dict[str, Table]:
    """Coding by measure, by disturbance, and by convention."""
    return {
        "Coding by measure": _measures(found),
        "Coding under disturbance (%)": _disturbed(found),
        "Cheaper network by convention": _cheaper(found),
        "Energy by convention (nJ)": _energies(found),
        "Break-even by convention (spikes a synapse)": _even(found),
    }


def _measures(found: Outcomes) -> Table:
    rows = [["coding", "accuracy (%)", "vote (%)", "decision (ms)", "input spikes", "operations", "energy (nJ)"]]
    for coding in found.codings:
        percents = [_percent(found, coding, name) for name in ("accuracy", "accuracy by vote")]
        plain = [f"{found.mean(coding, name):,.0f}" for name in ("decision", "input spikes", "operations")]
        rows.append([coding, *percents, *plain, f"{1e9 * found.mean(coding, f'energy, {SHOWN}'):,.0f}"])
    caption = (
        f"Means over {len(found.of[found.codings[0]])} networks, ± standard deviation. Accuracy: of a fixed linear "
        "readout. Vote: of cells labelled by the class that they answer most. Decision: from when on the accuracy is "
        f"within {100 * NEAR:.0f} point of the final one. Input spikes, synaptic operations and energy are an image's; "
        f"the energy counts every addition and neuron update (convention {SHOWN!r})."
    )
    return Table(caption, rows)


def _disturbed(found: Outcomes) -> Table:
    kinds = found.disturbances()
    rows = [["coding", *kinds]]
    for coding in found.codings:
        rows.append([coding, *(f"{100 * found.mean(coding, f'accuracy, {kind}'):.1f}" for kind in kinds)])
    caption = (
        "Accuracy (%) with noise on the grey levels (standard deviation), input spikes deleted (probability) or moved "
        "(standard deviation). Networks and readouts have learned from undisturbed images only."
    )
    return Table(caption, rows)


def _percent(found: Outcomes, coding: str, name: str) -> str:
    return f"{100 * found.mean(coding, name):.1f} ± {100 * found.sd(coding, name):.1f}"


def _by_convention(found: Outcomes, cell: Callable[[Verdict], str], caption: str) -> Table:
    """What every convention says of the network of the first seed, for each coding."""
    judged = [found.of[coding][0].verdicts for coding in found.codings]
    rows = [[of[0].convention, *map(cell, of)] for of in zip(*judged, strict=True)]
    return Table(caption, [["convention", *found.codings], *rows])


def _cheaper(found: Outcomes) -> Table:
    caption = (
        "Which network needs less energy by every convention, and how many times less: the spiking one of the first "
        "seed, or an ordinary one with a dense layer of as many cells. What no convention counts: sending spikes, "
        "random numbers, the sorting of a rank order, and the weights of spikes in phase and burst codes."
    )
    return _by_convention(found, lambda verdict: f"{verdict.cheaper} {_times(verdict.ratio)}", caption)


def _energies(found: Outcomes) -> Table:
    table = _by_convention(
        found,
        lambda verdict: "" if verdict.snn is None else f"{1e9 * float(verdict.snn / joule):,.0f}",
        f"Energy an image of the spiking network of the first seed, in nJ, at the prices of {found.prices.name} "
        f"({found.prices.source}); the last row is that of the ordinary network by the first convention.",
    )
    ann = [f"{1e9 * float(found.of[coding][0].verdicts[0].ann / joule):,.0f}" for coding in found.codings]
    kept = [row for row in table.rows if any(row[1:])]
    return Table(table.caption, [*kept, ["the ordinary network", *ann]])


def _even(found: Outcomes) -> Table:
    table = _by_convention(
        found,
        lambda verdict: "none" if verdict.break_even is None else f"{verdict.break_even:.3g}",
        "How many spikes per synapse per image there may be until the spiking network needs as much energy as the "
        "ordinary one; none where its updates alone need more. The last row is how many there are.",
    )
    own = [f"{found.of[coding][0].numbers['spikes a synapse']:.3g}" for coding in found.codings]
    return Table(table.caption, [*table.rows, ["these networks", *own]])


def _times(ratio: float) -> str:
    return f"{max(ratio, 1 / ratio):.3g}" if 0 < ratio < np.inf else ""


def rasters(settings: Settings, data: Dataset, codings: Mapping[str, Coding], seed: int) -> dict[str, Any]:
    """The spikes of one image under every coding."""
    number = int(split(settings, data, seed).test[0])
    image = data.flat[number]
    rng = np.random.default_rng(seed)
    told = [code.encode(image, rng) for code in codings.values()]
    return {
        "raster image": image.reshape(data.shape),
        "raster codings": np.array(list(codings)),
        "raster coding": np.concatenate([np.full(len(spikes), number) for number, spikes in enumerate(told)]),
        "raster times": np.concatenate([np.asarray(spikes.times) for spikes in told]) * second,
        "raster pixels": np.concatenate([spikes.neurons for spikes in told]),
        "raster durations": np.array([float(spikes.duration) for spikes in told]) * second,
    }
