"""What does a trained network lose by conversion to spikes, and where?

An ordinary network (ANN) is converted: every ReLU becomes a population of integrate-and-fire neurons whose rates stand
for its activations. Nothing is trained again. The study measures what is left of its accuracy after every time step,
and tells layer by layer what was lost and what would help.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from biosnn.conversion import Options
from biosnn.conversion.analysis.recipes import AUTO, RECIPES
from biosnn.engine import Simulation
from biosnn.errors import SettingsError, field_error
from biosnn.study import Claim, Part, Result, nested, run_parts, setting
from biosnn.study.ann_data import CONVERSION, CONVERSION_RENAMED, AnnDataSettings, load_ann_data

from .compare import compare
from .outcome import (
    RESIDUAL,
    controls_told,
    costs_told,
    early_told,
    network_told,
    rates_told,
    recipes_told,
    remedies_told,
)

TARGET = "cpp"
ANSWER = (
    "The converted network classifies {accuracy|%} of the images correctly, with {spikes an image} spikes per"
    " image; the ordinary network {accuracy of the ANN|%}."
)

METHOD = """
After Han, Srinivasan & Roy 2020 (RMP-SNN) and Rueckauer et al. 2017. Neurons integrate without a leak; a spike takes
the threshold off the membrane potential and keeps the rest (soft reset). A threshold stands for the activation that few
calibration images exceed, in each channel by itself. A membrane begins each image at half a threshold, which makes
rates round. Pixels and biases are constant currents; the output integrates and never fires. Within a time step, spikes
pass through all layers.

With few steps, a recipe makes the network ready: neurons that take back what they have sent too early, bursts, and what
is calibrated layer by layer on images without labels (biosnn.conversion.analysis.recipes). Steps are counted from the
onset of an image to the decision, those of a delay included.

The ANN is run by ONNX Runtime on the same images. Calibration images come from the training images and have no labels.
What is tried in the end, to see what would help, is shown the images that are explained, not all.
"""


@dataclass(frozen=True)
class Settings(AnnDataSettings):
    """What can be changed."""

    conversion: Options = nested(Options(), CONVERSION, leave_out=("balance.steps",))
    explained: int = setting(100, "how many test images are explained, layer by layer", minimum=2)
    steps: int = setting(64, "time steps per image, or per layer if the code is of first spikes", minimum=1)

    controls: bool = setting(True, "also convert as others do: hard reset, and the largest activation of a layer")
    early: bool = setting(
        True, "also end images as soon as the network is sure, by a margin found on calibration images"
    )
    recipe: str = setting(
        AUTO,
        "how the network is made ready for so few steps; auto: the best on calibration images, or plain where settings"
        " of the conversion are given",
        choices=(AUTO, *RECIPES),
    )
    recipes: bool = setting(
        False,
        "also compare all recipes after 1, 2, 4, … steps, and fine-tuning, on the images that are explained (minutes)",
    )
    remedies: bool = setting(True, "also try what might help plain rates, on the images that are explained")
    prices: str = setting("", "file of energy prices (biosnn.energy.read_prices); none: those of 45 nm")

    RENAMED: ClassVar[dict[str, str]] = CONVERSION_RENAMED


def run(settings: Settings, sim: Simulation) -> Result:
    """Convert the network, show it images, explain what was lost, and try what would help."""
    data = load_ann_data(settings)
    if len(data.test) < settings.explained:
        expected = f"at most the {len(data.test)} images shown"
        raise SettingsError(field_error("explained", expected, settings.explained))
    found = compare(settings, sim, data)
    return run_parts(PARTS, found.parts, settings, found)


def _fires(result: Result) -> bool:
    """The minimum activity: every layer fires, and the ANN itself knows something."""
    return bool(result.arrays["rate"].min() > 1e-4 and result.values["accuracy of the ANN"] > 0.3)


KEEPS = Claim(
    "keeps the accuracy",
    "the spiking network is at most a point less accurate than the ANN on the same images",
    lambda result: result.values["points lost"] <= 1.0,
    _fires,
)
MORE = Claim(
    "more steps tell more",
    "the outputs are nearer to the ANN's after all steps than after a quarter of them",
    lambda result: result.values["output error"] < result.values["output error after a quarter"],
    _fires,
)
MATTERS = Claim(
    RESIDUAL,
    "with hard reset, which forgets what is above the threshold, the outputs are further off",
    lambda result: result.values["output error"] < result.values["output error with hard reset"],
    _fires,
)

PARTS = (
    Part("network", network_told, [KEEPS]),
    Part("rates", rates_told, [MORE]),
    Part("controls", controls_told, [MATTERS]),
    Part("early", early_told),
    Part("remedies", remedies_told),
    Part("recipes", recipes_told),
    Part("costs", costs_told),
)
CLAIMS = [claim for part in PARTS for claim in part.claims]
