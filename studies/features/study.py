"""What do layers of local plasticity learn, and is it better than k-means?

Cells with on- and off-centres see an image and send one spike each, the sooner the stronger the contrast. Feature maps
learn kernels from these spikes, their spikes are pooled, and cells compete for the image and learn from what is pooled:
one layer after the other, by a local rule, without labels. How well the answers tell the class is held against k-means
with as many centres, on pixels and in the same architecture, and against the same network without plasticity.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from brian2 import Quantity, ms

from biosnn.datasets import names
from biosnn.engine import Simulation
from biosnn.learning import Checkpoints
from biosnn.learning.layers import Cells, Contrast, Convolution, LayerSettings, Pool, respond, train_layers
from biosnn.study import Claim, Result, setting

from .images import parts_of
from .networks import kinds_of
from .outcome import result_of

TARGET = "cpp"
ANSWER = [
    "{accuracy|%} of the images are correctly classified by the vote of cells that learned without labels",
    "; k-means with as many centres reaches {k-means of pixels|%} on pixels.",
]

METHOD = """
The first layer is a difference of Gaussians for each pixel, or the pixel's intensity. Of the neurons of all feature
maps at one position only the best answers; a map has one kernel for all positions (Kheradpisheh, Ganjtabesh, Thorpe &
Masquelier 2018). The rule is Oja's, taken at the spikes of winners: the weights of a winner turn towards what has just
spiked. Thresholds rise with every answer and fall by what all rise on average, so that all maps, and all cells, answer
equally often. One image is 40 ms of simulated time.

Labels are used afterwards only: each cell gets the class that it answers most among training images, and the class of
most of the cells that answer is the decision (vote). A linear readout of the cells, and of the pooled maps, is
supervised and named so. With ``judged=validation`` a sixth of the training images is kept from learning and labels, and
the test images are not looked at; with ``judged=test`` they are, once, when everything is learned.
"""

SIZED: dict[str, dict[str, str]] = {
    "mnist": {
        "maps": "64",
        "kernel": "7",
        "pool": "4",
        "cells": "1600",
        "centre": "1",
        "surround": "2",
        "map_presentations": "4000",
        "presentations": "120000",
        "n_labelling": "0",
        "judged": "test",
        "networks": "1",
    },
    "fashion-mnist": {
        "contrast": "intensity",
        "coding": "rate",
        "strength": "0.4",
        "maps": "64",
        "kernel": "5",
        "pool": "4",
        "pooling": "average",
        "counts": "on",
        "map_adaptation": "0.1",
        "adaptation": "8",
        "cells": "1600",
        "map_presentations": "4000",
        "presentations": "120000",
        "n_labelling": "0",
        "judged": "test",
        "networks": "1",
    },
}


@dataclass(frozen=True)
class Settings:
    """What can be changed; README.md tells how the defaults were chosen."""

    dataset: str = setting("digits", "which images", choices=names(colour=False))
    judged: str = setting(
        "validation",
        "which images the decisions are judged on: a sixth of the training images, kept from it, or the test images",
        choices=("validation", "test"),
    )
    networks: int = setting(3, "how many networks learn, each with a seed of its own", minimum=1)

    contrast: str = setting("on and off", "what the first cells see", choices=("on and off", "intensity"))
    coding: str = setting("first spike", "how they tell it", choices=("first spike", "rate"))
    strength: float = setting(2.0, "spikes per time step at full contrast", minimum=0.001)
    centre: float = setting(0.5, "standard deviation of the centre (pixels)", minimum=0.1)
    surround: float = setting(1.0, "standard deviation of the surround (pixels)", minimum=0.1)

    maps: int = setting(32, "how many feature maps; 0: cells see the contrast itself", minimum=0)
    kernel: int = setting(3, "rows and columns of their kernels", minimum=1)
    threshold: float = setting(2.0, "threshold of the maps, which an empty window does not reach", minimum=0.001)
    winners_of_map: int = setting(0, "answers of a map to an image while it learns; 0: no limit", minimum=0)
    map_adaptation: float = setting(0.02, "rise of a map's threshold with an answer; 0: no homeostasis", minimum=0.0)
    map_presentations: int = setting(2000, "images that the maps learn from", minimum=1)
    pool: int = setting(2, "rows and columns of the windows that are pooled; 1: no pooling", minimum=1)
    pooling: str = setting("max", "whether the first spike of a window passes, or all", choices=("max", "average"))

    cells: int = setting(100, "how many cells compete", minimum=2)
    winners: int = setting(3, "how many of them answer an image of the test", minimum=1)
    adaptation: float = setting(1.6, "rise of a cell's threshold with an answer; 0: no homeostasis", minimum=0.0)
    presentations: int = setting(10000, "images that the cells learn from", minimum=1)
    rule: str = setting("stdp_oja", "model of the plastic synapses: a name of the catalogue or a file")
    eta: float = setting(0.2, "learning rate of the cells when they begin", minimum=0.0)
    map_eta: float = setting(0.1, "learning rate of the maps when they begin", minimum=0.0)
    counts: bool = setting(False, "count the spikes of an input, instead of asking whether it has spiked")

    n_labelling: int = setting(0, "how many training images give cells their labels; 0: all", minimum=0)
    controls: bool = setting(True, "also: without plasticity, with random kernels, with kernels of k-means")
    baselines: bool = setting(True, "also: k-means, logistic regression and few labels")
    dt: Quantity = setting(1 * ms, "time step", minimum=0.1 * ms)

    CONDITIONAL_DEFAULTS: ClassVar[dict[str, Any]] = {"dataset": SIZED}


def layers_of(settings: Settings) -> LayerSettings:
    """The network that the settings describe."""
    counted = {"x_keep": 1} if settings.counts else {}
    own = settings.rule == "stdp_oja"
    found: list[Any] = []
    if settings.maps:
        found.append(
            Convolution(
                settings.maps,
                settings.kernel,
                threshold=settings.threshold,
                winners_of_map=settings.winners_of_map,
                rule=settings.rule,
                rule_values={"eta": settings.map_eta, **counted} if own else {},
                adaptation=settings.map_adaptation,
                presentations=settings.map_presentations,
            )
        )
        if settings.pool > 1:
            found.append(Pool(settings.pool, settings.pooling))
    cells = Cells(
        settings.cells,
        winners=settings.winners,
        rule=settings.rule,
        rule_values={"eta": settings.eta, **counted} if own else {},
        adaptation=settings.adaptation,
        presentations=settings.presentations,
    )
    contrast = Contrast(settings.contrast, settings.coding, settings.strength, settings.centre, settings.surround)
    return LayerSettings((*found, cells), contrast)


def run(settings: Settings, sim: Simulation) -> Result:
    """Let networks learn, ask what their layers answer, and hold it against simpler methods."""
    parts, layers = parts_of(settings, sim.seed), layers_of(settings)
    sim.reset(dt=settings.dt, precision="float32")
    kinds = kinds_of(settings, layers, parts, sim.seed)
    trained = train_layers(
        sim,
        layers,
        parts.data,
        [parts.learned] * len(kinds),
        seeds=[kind.seed for kind in kinds],
        learning=[kind.learning for kind in kinds],
        begin=[kind.begin for kind in kinds],
        checkpoints=partial(_kept, sim),
    )
    shown = parts.shown
    answers = respond(sim, trained, parts.data, shown)
    pooled = respond(sim, trained, parts.data, shown, depth=len(layers.layers) - 1) if settings.maps else None
    return result_of(settings, parts, kinds, trained, answers, pooled)


def _kept(sim: Simulation, stage: str, fingerprints: Any) -> Checkpoints | None:
    if sim.checkpoint_folder is None:
        return None
    return Checkpoints(sim.checkpoint_folder / stage, fingerprints)


def _answers(result: Result) -> bool:
    """The activity floor: every image gets an answer, and most cells give some."""
    values = result.values
    return bool(values["images without answer"] < 0.01 and values["silent cells"] < 0.5)


CLAIMS = [
    Claim(
        "better than k-means",
        "the vote of the cells is more often right than k-means of the pixels with as many centres",
        lambda result: result.values["accuracy"] > result.values["k-means of pixels"],
        _answers,
    ),
    Claim(
        "plasticity matters",
        "the same network without plasticity is at least five points worse",
        lambda result: result.values["accuracy"] > result.values["accuracy without plasticity"] + 0.05,
        _answers,
    ),
    Claim(
        "few labels are enough",
        "with 100 labelled images the weighted vote is ten points better than logistic regression of pixels",
        lambda result: bool(
            result.values["weighted vote, 100 labels"] > result.values["logistic regression, 100 labels"] + 0.1
        ),
        _answers,
    ),
]
