"""The network as an ANN, as it is converted, as others convert it, and with what might help."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from biosnn.ann import reference
from biosnn.conversion import (
    ConvertedNetwork,
    LayerReport,
    Options,
    Outcome,
    SpikingNetwork,
    convert,
    decisions,
    explain,
    ledger,
    run,
)
from biosnn.conversion.analysis.comparison import Bench, Tried, ended_early, what_might_help
from biosnn.conversion.analysis.few_steps import FewSteps, compare_recipes, steps_up_to
from biosnn.conversion.analysis.metrics import output_errors
from biosnn.conversion.analysis.recipes import AUTO, PLAIN
from biosnn.energy import HOROWITZ_45NM, Ledger, PriceTable, read_prices
from biosnn.engine import Simulation
from biosnn.engine.progress import Progress
from biosnn.study.ann_data import AnnData

from .tuned import tuned_rows

if TYPE_CHECKING:
    from .study import Settings

HARD, LARGEST = "hard reset", "largest activation of a layer"


@dataclass(frozen=True, eq=False)
class Compared:
    """What was measured.

    Parameters
    ----------
    data : AnnData
        The network and its images.
    snn : SpikingNetwork
        As it was converted.
    ann : ndarray, shape (images, classes)
        What the ANN answers.
    outcome : Outcome
        What the spiking network answers.
    errors : ndarray, shape (steps,)
        Root mean square difference of their outputs after each step, relative to the spread of the ANN's.
    layers : list of LayerReport
        Of the images that are explained.
    operations : Ledger
        Operations.
    explained : int
        How many these are.
    controls, remedies : mapping of str to Tried
        By what was changed. Controls are shown all images, remedies those that are explained.
    recipes : sequence of FewSteps
        How recipes do with few steps, on the images that are explained, and fine-tuning.
    why_not_tuned : str
        Why the network is not fine-tuned; "" if it is, or recipes are not compared.
    early : Outcome or None
        With images that end as soon as the network is sure.
    prices : PriceTable
        What operations cost.
    """

    data: AnnData
    snn: SpikingNetwork
    ann: NDArray[np.float32]
    outcome: Outcome
    errors: NDArray[np.float64]
    layers: list[LayerReport]
    operations: Ledger
    explained: int
    controls: Mapping[str, Tried]
    remedies: Mapping[str, Tried]
    recipes: Sequence[FewSteps]
    why_not_tuned: str
    early: Outcome | None
    prices: PriceTable

    @property
    def ann_accuracy(self) -> float:
        """Accuracy of the ANN on the images shown."""
        return float(np.mean(decisions(self.ann) == self.data.labels))

    @property
    def parts(self) -> list[str]:
        """The parts of the study that were done."""
        done = {
            "network": True,
            "rates": self.rates,
            "controls": bool(self.controls),
            "early": self.early is not None,
            "remedies": bool(self.remedies),
            "recipes": bool(self.recipes),
            "costs": True,
        }
        return [name for name, there in done.items() if there]

    @property
    def rates(self) -> bool:
        """Whether rates tell values, so that there is an answer at any time."""
        return self.snn.options.code == "rate"


def compare(settings: Settings, sim: Simulation, data: AnnData) -> Compared:
    """Run all of it."""
    prices = read_prices(settings.prices) if settings.prices else HOROWITZ_45NM
    options, steps = settings.conversion, settings.steps
    snn = data.converted or _converted(settings, sim, data)
    ann = reference(snn.graph).outputs(data.test)
    ann = ann.reshape(len(ann), -1)
    outcome = run(snn, data.test, steps, labels=data.labels, sim=sim)
    errors = output_errors(outcome, ann)
    some, rates = data.test[: settings.explained], snn.options.code == "rate"
    layers = explain(snn, some, run(snn, some, steps, each=True, sim=sim)) if rates else []
    bench = Bench(data.graph, data.calibration, data.test, data.labels, ann, sim)
    controls, remedies = {}, {}
    if settings.controls and rates:
        others: dict[str, dict[str, Any]] = {
            HARD: {"neuron": "if_hard", "pre_run": 0},  # what is left after a hard reset tells no offset
            LARGEST: {"method": "max", "per": "layer", "start": 0.0},
        }
        controls = {name: bench.tried(options, steps, **changed) for name, changed in others.items()}
    if settings.remedies and rates and data.converted is None and snn.recipe == PLAIN:
        fewer = bench.first(settings.explained)
        remedies["as it is"] = fewer.tried(options, steps)
        for name, changed in what_might_help(options, steps).items():
            remedies[name] = fewer.tried(options, changed.pop("steps", steps), **changed)
    recipes: Sequence[FewSteps] = ()
    why_not = ""
    if settings.recipes and rates and data.converted is None:
        with Progress("recipes") as bar:
            shown, labels = data.test[: settings.explained], data.labels[: settings.explained]
            few = steps_up_to(steps)
            recipes = compare_recipes(data.graph, data.calibration, shown, labels, few, sim, prices, report=bar.update)
            tuned, why_not = tuned_rows(data, settings.explained, few, sim, prices, bar.update)
            recipes = [*recipes, *tuned]
    early = None
    if settings.early and rates:
        early = ended_early(snn, data.test, steps, data.calibration[: settings.explained], data.labels, sim)
    operations = ledger(snn, outcome)
    return Compared(
        data,
        snn,
        ann,
        outcome,
        errors,
        layers,
        operations,
        len(some),
        controls,
        remedies,
        recipes,
        why_not,
        early,
        prices,
    )


def _converted(settings: Settings, sim: Simulation, data: AnnData) -> ConvertedNetwork:
    """By the recipe that is asked for; where it is not said and settings of the conversion are, by hand."""
    recipe = settings.recipe
    if recipe == AUTO and settings.conversion != Options():
        recipe = PLAIN
    return convert(
        data.graph, data.calibration, options=settings.conversion, steps=settings.steps, recipe=recipe, sim=sim
    )
