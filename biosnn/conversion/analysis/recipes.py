"""Recipes: ways to convert a network for a given number of steps, and the one that is best for it.

The fewer the steps, the more is lost to spikes that come too early, too late or not at all. A recipe is a neuron model,
a way to find thresholds, and what is calibrated on images without labels. Nothing is trained, and weights stay.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from biosnn.ann.reference import reference
from biosnn.conversion.analysis.metrics import output_errors
from biosnn.conversion.analysis.remedies import Target, calibrate
from biosnn.conversion.analysis.trials import Trials, one_program
from biosnn.conversion.network import SpikingNetwork, as_table
from biosnn.conversion.outcome import decisions
from biosnn.display import Brief, card, number, paragraph, table
from biosnn.engine import Simulation
from biosnn.errors import ConversionError, field_error, unknown

Network = TypeVar("Network", bound=SpikingNetwork)
Report = Callable[[float, str], None]

AUTO, PLAIN = "auto", "plain"
FINE_TUNED = "fine-tuned"
"""The recipe that is training, with labels, and none of these (see `biosnn.training.fine_tune`)."""
IMAGE_STEPS = 1600
"""Images times steps that are shown for each layer that is calibrated: fewer images where there are many steps."""
FEWEST_IMAGES, MOST_IMAGES = 40, 128
"""The least and most images that are."""
JUDGED = 200
"""How many calibration images recipes are compared on."""
NEAR = 0.005
"""How much smaller that fraction may be than the best one's where a recipe needs fewer spikes."""


@dataclass(frozen=True)
class Recipe:
    """A way to convert a network.

    Parameters
    ----------
    name, about : str
        What it is called, and what it does in a few words.
    source : str
        Where it comes from.
    options : mapping of str to object
        What differs from the defaults of `Options` and `ThresholdSettings`.
    calibrates : tuple of str
        What is calibrated in each layer, as `calibrate` takes it.
    delay : float
        After which fraction of the steps the output is read.
    pre_run : float
        Which fraction of the steps is a pre-run, after which offset spikes shift where neurons begin.
    below : float
        It is tried only where fewer decisions than this are the ordinary network's with those before it.
    """

    name: str
    about: str
    source: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    calibrates: tuple[str, ...] = ()
    delay: float = 0.0
    pre_run: float = 0.0
    below: float = 1.0


RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe(PLAIN, "soft reset, thresholds by percentile", "Han, Srinivasan & Roy 2020; Rueckauer et al. 2017"),
        Recipe(
            "calibrated",
            "soft reset, with a bias per channel and a start per neuron",
            "Li, Deng, Dong, Gong & Gu 2021, arXiv:2106.06984",
            calibrates=("bias", "start of each neuron"),
        ),
        Recipe(
            "delayed",
            "soft reset, with a bias per channel, read after the first quarter of the steps",
            "Hwang et al. 2021, Front Neurosci 15:629000 (delayed evaluation)",
            calibrates=("bias",),
            delay=0.25,
        ),
        Recipe(
            "offset",
            "soft reset, with a bias per channel; halfway membranes begin anew, shifted by offset spikes",
            "Hao, Ding, Bu, Huang & Yu 2023, ICLR, arXiv:2302.10685",
            calibrates=("bias",),
            pre_run=0.5,
        ),
        Recipe(
            "signed",
            "spikes that are taken back, with a bias per channel",
            "Wang, Zhang, Chen & Qu 2022, IJCAI; Li et al. 2021",
            {"neuron": "if_signed", "method": "error"},
            ("bias",),
        ),
        Recipe(
            "burst",
            "up to two spikes per step that are taken back, with a bias per channel",
            "Li & Zeng 2022, arXiv:2204.13271; Wang et al. 2022; Li et al. 2021",
            {"neuron": "if_burst", "method": "error"},
            ("bias",),
        ),
        Recipe(
            "burst4",
            "up to four spikes per step that are taken back, with a bias per channel",
            "as burst",
            {"neuron": "if_burst", "preset": "up_to_four", "method": "error"},
            ("bias",),
            below=0.9,  # with few steps; with more, it costs spikes and adds little
        ),
    )
}
"""By name, from what needs the fewest spikes to what needs most."""
TRIED = (PLAIN, "calibrated", "signed", "burst", "burst4")
"""Those among which ``recipe="auto"`` chooses."""


@dataclass(frozen=True)
class Trial:
    """How a recipe did on calibration images.

    Parameters
    ----------
    recipe : str
        Its name.
    agreement : float
        Fraction of the images for which the network decides as the ordinary one does.
    error : float
        Of its outputs, relative to their spread.
    spikes : float
        Per image.
    seconds : float
        How long it took to convert and calibrate, building the program included, by the clock (s).
    """

    recipe: str
    agreement: float
    error: float
    spikes: float
    seconds: float


@dataclass(frozen=True, eq=False, repr=False)
class Choice(Brief):
    """Which recipe a network was converted by, and what was tried.

    Parameters
    ----------
    recipe : str
        Its name.
    steps : int
        For how many steps.
    images : int
        On how many calibration images recipes were compared.
    trials : tuple of Trial
        Of the recipes that were tried, in that order.
    """

    recipe: str
    steps: int
    images: int
    trials: tuple[Trial, ...]

    def rows(self) -> list[tuple[str, ...]]:
        """Each recipe that was tried: its name, agreement, error of outputs, spikes per image and time."""
        return [
            (
                trial.recipe + (", chosen" if trial.recipe == self.recipe else ""),
                f"{trial.agreement:.1%}",
                f"{trial.error:.1%}",
                number(trial.spikes),
                f"{trial.seconds:.1f} s",
            )
            for trial in self.trials
        ]

    @property
    def caption(self) -> str:
        """What was compared, in a sentence."""
        return (
            f"Recipes for {self.steps} steps, compared on {self.images} calibration images. Agreement: images for which"
            " the network decides as the ordinary one does."
        )

    def __str__(self) -> str:
        return f"{self.caption}\n{as_table(self.rows(), COLUMNS)}"

    def __repr__(self) -> str:
        return f"<Choice: {self.recipe}, of {len(self.trials)} tried for {self.steps} steps>"

    def _repr_html_(self) -> str:
        return card("Recipe", "", paragraph(self.caption), table(COLUMNS, self.rows(), numbers=range(1, len(COLUMNS))))


COLUMNS = ("recipe", "agreement", "output error", "spikes per image", "time")


def check_recipe(name: str, valid: Iterable[str] = (AUTO, *RECIPES)) -> None:
    """Refuse a recipe that there is not.

    Raises
    ------
    ConversionError
        With the names that there are.
    """
    if name == FINE_TUNED:
        do = "Call biosnn.training.fine_tune(network, images, labels, steps=4)."
        raise ConversionError(field_error("convert, recipe", "one that needs no labels and no training", name, do))
    if name not in valid:
        raise ConversionError("convert: " + unknown("recipe", name, list(valid)))


def options_of(recipe: Recipe, steps: int) -> dict[str, Any]:
    """What a recipe sets, as `convert` takes it."""
    fractions = {"delay": recipe.delay, "pre_run": recipe.pre_run}
    return {**recipe.options, "steps": steps, **{name: int(part * steps) for name, part in fractions.items()}}


def calibrated(
    recipe: Recipe, snn: Network, trials: Trials, images: NDArray[np.float32], report: Report | None = None
) -> Network:
    """Calibrate what a recipe does on images without labels, layer by layer, in the network's own simulation.

    Parameters
    ----------
    recipe : Recipe
        The recipe.
    snn : SpikingNetwork
        The network, converted with the recipe's options.
    trials : Trials
        Of it, for as many steps as it is to be used.
    images : ndarray of float32, shape (n, *shape of the input)
        Such as those that thresholds were found on; of which some are shown.
    report : callable, optional
        Told which fraction is done, and of what.
    """
    if not recipe.calibrates:
        return snn
    some = images[: int(np.clip(IMAGE_STEPS // trials.T, FEWEST_IMAGES, MOST_IMAGES))]
    return replace(snn, adjusted=calibrate(Target(snn, trials, some), recipe.calibrates, report=report).adjusted)


def of_trials(snn: Network, trials: Trials) -> Network:
    """A network as one that trials take: its populations, which were made anew, are the same as theirs."""
    return replace(snn, network=trials.snn.network)


def by_recipe(
    names: Sequence[str],
    make: Callable[[Recipe], Network],
    images: NDArray[np.float32],
    steps: int,
    sim: Simulation,
    report: Report | None = None,
) -> tuple[Network, Choice]:
    """Convert a network by the best of some recipes.

    The best has the fewest spikes among those whose decisions are as often the ordinary network's as with any, or less
    often by one in two hundred at most.

    Parameters
    ----------
    names : sequence of str
        Names of recipes, from what needs the fewest spikes on; no further one is tried when all decisions are the same.
    make : callable
        Converts the network with a recipe's options.
    images : ndarray of float32
        Calibration images. Where there are enough, recipes are compared on others than what they calibrate with.
    steps : int
        For how many steps.
    sim : Simulation
        An open session, whose program so far is given up.
    report : callable, optional
        Told which fraction is done, and of what.

    Returns
    -------
    (SpikingNetwork, Choice)
        The network, and what was tried.
    """
    judged = images[-min(JUDGED, len(images)) :]
    trials: list[Trial] = []
    made: dict[str, Network] = {}
    program: Trials | None = None
    for done, name in enumerate(names):
        if trials and max(trial.agreement for trial in trials) >= RECIPES[name].below:
            continue

        def told(fraction: float, doing: str, before: int = done) -> None:
            if report is not None:
                report((before + 0.8 * fraction) / len(names), f"{names[before]}: {doing}")

        began = time.perf_counter()
        told(0, "thresholds")
        snn = make(RECIPES[name])
        if program is None or not one_program(program.snn.options, snn.options):
            program = Trials(snn, steps, sim)
        snn = calibrated(RECIPES[name], of_trials(snn, program), program, images, told)
        trial = _judged(name, snn, program, judged, time.perf_counter() - began)
        trials.append(trial)
        made[name] = snn
    best = max(trial.agreement for trial in trials)
    chosen = min((trial for trial in trials if trial.agreement >= best - NEAR), key=lambda trial: trial.spikes)
    return made[chosen.recipe], Choice(chosen.recipe, steps, len(judged), tuple(trials))


def _judged(name: str, snn: SpikingNetwork, program: Trials, images: NDArray[np.float32], seconds: float) -> Trial:
    ann = reference(snn.graph).outputs(images).reshape(len(images), -1)
    (outcome,) = program.run([snn], images)
    agreement = outcome.agreement(decisions(ann))
    return Trial(name, agreement, float(output_errors(outcome, ann)[-1]), outcome.spikes_an_image, seconds)
