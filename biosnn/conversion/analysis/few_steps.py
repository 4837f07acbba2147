"""Recipes compared over the number of steps: what each loses, and what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from biosnn.ann.graph import Graph
from biosnn.ann.images import check_images
from biosnn.ann.reference import reference
from biosnn.conversion.analysis.operation_counts import ledger
from biosnn.conversion.analysis.recipes import RECIPES, Report, calibrated, check_recipe, of_trials
from biosnn.conversion.analysis.trials import Trials, one_program
from biosnn.conversion.converting import convert_with
from biosnn.conversion.network import SpikingNetwork
from biosnn.conversion.outcome import Outcome, decisions
from biosnn.energy import PriceTable, verdicts
from biosnn.engine import Simulation


@dataclass(frozen=True)
class FewSteps:
    """How a recipe did with so many steps.

    Parameters
    ----------
    recipe : str
        Its name.
    steps : int
        Time steps per image, those of a delay before the output is read included.
    accuracy, agreement : float
        Fraction of the images correctly classified, and of those decided as the ordinary network does.
    spikes, energy : float
        Per image; the energy in joules, by the first convention that has one.
    """

    recipe: str
    steps: int
    accuracy: float
    agreement: float
    spikes: float
    energy: float


def steps_up_to(most: int) -> list[int]:
    """1, 2, 4, … and the most."""
    return sorted({1 << k for k in range(most.bit_length())} | {most})


def compare_recipes(
    graph: Graph,
    calibration: ArrayLike,
    images: ArrayLike,
    labels: ArrayLike,
    steps: Sequence[int],
    sim: Simulation,
    prices: PriceTable,
    *,
    recipes: Sequence[str] = tuple(RECIPES),
    report: Report | None = None,
) -> list[FewSteps]:
    """Convert a network by several recipes for several numbers of steps, and show images to each.

    Parameters
    ----------
    graph : Graph
        The ordinary network.
    calibration : array_like, shape (n, *shape of the input)
        Images without labels.
    images : array_like, shape (n, *shape of the input)
        Images for the test.
    labels : array_like of int, shape (n,)
        Their true classes.
    steps : sequence of int
        For how many steps, each by itself: thresholds and calibration are for these.
    sim : Simulation
        An open session, whose program so far is given up.
    prices : PriceTable
        What operations cost.
    recipes : sequence of str
        Names of recipes.
    report : callable, optional
        Told which fraction is done, and of what.

    Returns
    -------
    list of FewSteps
        For each recipe, and each number of steps.

    Raises
    ------
    ConversionError
        If a recipe is unknown, or images do not fit the network.
    """
    for name in recipes:
        check_recipe(name, RECIPES)
    given, shown = check_images(graph, calibration), check_images(graph, images)
    decided = decisions(reference(graph).outputs(shown).reshape(len(shown), -1))
    trials: Trials | None = None
    rows: list[FewSteps] = []
    for name in recipes:
        for number, T in enumerate(steps):
            if report is not None:
                report((len(rows) + 0.5) / (len(recipes) * len(steps)), f"{name}, {T} steps")
            snn = convert_with(graph, given, RECIPES[name], T)
            if trials is None or not one_program(trials.snn.options, snn.options):
                trials = Trials(snn, max(steps[number:]), sim)
            at_T = trials.for_steps(T)
            snn = calibrated(RECIPES[name], of_trials(snn, trials), at_T, given)
            (outcome,) = at_T.run([snn], shown, labels)
            rows.append(as_row(name, snn, outcome, decided, prices))
    return rows


def as_row(
    name: str, snn: SpikingNetwork, outcome: Outcome, decided: NDArray[np.int64], prices: PriceTable
) -> FewSteps:
    """What an outcome, of images with labels, says of a recipe; ``decided`` is what the ordinary network decides."""
    energies = verdicts(ledger(snn, outcome), prices)
    energy = next(float(verdict.snn) for verdict in energies if verdict.snn is not None)
    agreement = outcome.agreement(decided)
    return FewSteps(name, outcome.steps, outcome.accuracy, agreement, outcome.spikes_an_image, energy)
