"""What do layers of local plasticity learn, and is it better than k-means?

Cells with on- and off-centres see an image and send one spike each, the sooner the stronger the contrast. Feature maps
learn kernels from these spikes, their spikes are pooled, and cells compete for the image and learn from what is pooled:
one layer after the other, by a local rule, without labels. How well the answers tell the class is held against k-means
with as many centres, on pixels and in the same architecture, and against the same network without plasticity.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

from brian2 import Quantity, ms
from scipy import sparse

from biosnn.catalogue import synapse_model
from biosnn.datasets import names
from biosnn.engine import Simulation
from biosnn.errors import SettingsError, field_error
from biosnn.learning import Checkpoints
from biosnn.learning.layers import (
    Cells,
    Contrast,
    Convolution,
    LayerSettings,
    LayersTrained,
    Pool,
    Recordings,
    respond,
    train_layers,
)
from biosnn.study import Claim, Result, setting

from .baselines import of_pixels
from .images import Parts, parts_of
from .networks import kinds_of
from .outcome import Answers, result_of
from .robustness import robustness

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
equally often. One image is 32 ms of simulated time by default.

Labels are used afterwards only: each cell gets the class that it answers most among training images, of which the best
cell answers each, and the class whose cells answer a new image most, on average over all cells of the class, is the
decision (vote: Diehl & Cook 2015). A linear readout of the cells, and of the pooled maps, is supervised and named so.
Cells that learn by reward are told after each answer whether it was right: those that were wrong turn away from the
image, and the next best one tries, until one is right and turns towards it; in a test the first one decides. With
``judged=validation`` a sixth of the training images is kept from learning and labels, and the test images are not read;
with ``judged=test`` they are, once, when everything is learned.
"""

SIZED: dict[str, dict[str, str]] = {
    "mnist": {
        "strength": "1",
        "centre": "1",
        "surround": "2",
        "maps": "128",
        "kernel": "7",
        "pool": "4",
        "cells": "1600",
        "winners": "3",
        "map_presentations": "4000",
        "presentations": "480000",
        "judged": "test",
    },
    "fashion-mnist": {
        "contrast": "intensity",
        "coding": "rate",
        "strength": "0.4",
        "maps": "128",
        "kernel": "5",
        "pool": "4",
        "counts": "on",
        "map_adaptation": "0.1",
        "cells": "1600",
        "winners": "3",
        "map_presentations": "4000",
        "presentations": "480000",
        "later": "20 ms",
        "judged": "test",
    },
}
CELLS = 100
"""How many cells compete for the digits."""
ADAPTATION = {"digits": 0.006, "mnist": 0.0005, "fashion-mnist": 0.0005}
"""The rise of a cell's threshold, for each of the cells: of more of them each answers less often."""
MANY = 1600
"""Above how many cells only one network learns."""


def _of_many(cells: int, known: dict[str, Any]) -> dict[str, str]:
    """The defaults that follow from how many cells there are."""
    adaptation = {"adaptation": f"{ADAPTATION[known['dataset']] * cells:g}"}
    return adaptation if cells <= MANY else {**adaptation, "networks": "1"}


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
    map_learners: int = setting(1, "how many maps at a position learn from an image: 1 for winner takes all", minimum=1)
    winners_of_map: int = setting(0, "answers of a map to an image while it learns; 0: no limit", minimum=0)
    map_adaptation: float = setting(0.02, "rise of a map's threshold with an answer; 0: no homeostasis", minimum=0.0)
    map_presentations: int = setting(2000, "images that the maps learn from", minimum=1)
    maps_2: int = setting(0, "how many feature maps of feature maps, after the first pooling; 0: none", minimum=0)
    kernel_2: int = setting(3, "rows and columns of their kernels", minimum=1)
    threshold_2: float = setting(0.5, "their threshold", minimum=0.001)
    pool_2: int = setting(1, "rows and columns of the windows in which they are pooled; 1: no pooling", minimum=1)
    pool: int = setting(2, "rows and columns of the windows that are pooled; 1: no pooling", minimum=1)
    pooling: str = setting("max", "whether the first spike of a window passes, or all", choices=("max", "average"))

    cells: int = setting(CELLS, "how many cells compete", minimum=2)
    learners: int = setting(1, "how many of them learn from an image: 1 for winner takes all", minimum=1)
    winners: int = setting(1, "how many of them answer an image of the test, and vote", minimum=1)
    code_winners: int = setting(
        0,
        "how many answer where a linear readout or few labels use the answers; 0: a sixteenth of the cells",
        minimum=0,
    )
    adaptation: float = setting(
        ADAPTATION["digits"] * CELLS, "rise of a cell's threshold with an answer; 0: no homeostasis", minimum=0.0
    )
    presentations: int = setting(60000, "images that the cells learn from", minimum=1)
    rule: str = setting("stdp_oja", "model of the plastic synapses: a name of the catalogue or a file")
    eta: float = setting(0.2, "learning rate of the cells when they begin, if the rule has an eta", minimum=0.0)
    map_eta: float = setting(0.1, "learning rate of the maps when they begin, if the rule has an eta", minimum=0.0)
    counts: bool = setting(False, "count the spikes of an input, instead of asking whether it has spiked")

    n_labelling: int = setting(0, "how many training images give cells their labels; 0: all", minimum=0)
    reward: bool = setting(True, "also: cells that stand for classes and learn by reward, which decide by their spike")
    reward_cells: int = setting(0, "how many those are; 0: as many as the others", minimum=0)
    reward_presentations: int = setting(0, "images that they learn from; 0: as many as the others", minimum=0)
    eta_minus: float = setting(
        0.2, "their learning rate of a punished answer, in units of that of a rewarded", minimum=0.0
    )
    tries: int = setting(
        20,
        "how many of them answer an image at most while they learn: the best, until one is right",
        minimum=1,
    )
    controls: bool = setting(True, "also: without plasticity, with random kernels, with kernels of k-means")
    baselines: bool = setting(True, "also: k-means, principal components, logistic regression, and few labels")
    robustness: bool = setting(True, "also: noise and lost spikes")
    first: Quantity = setting(20 * ms, "when the maps answer an image", minimum=1 * ms)
    later: Quantity = setting(10 * ms, "how much later each further layer that learns does", minimum=1 * ms)
    dt: Quantity = setting(1 * ms, "time step", minimum=0.1 * ms)

    CONDITIONAL_DEFAULTS: ClassVar[dict[str, Any]] = {"dataset": SIZED, "cells": _of_many}


def layers_of(settings: Settings) -> LayerSettings:
    """The network that the settings describe."""
    found: list[Any] = []
    for maps, kernel, threshold, pool in (
        (settings.maps, settings.kernel, settings.threshold, settings.pool),
        (settings.maps_2, settings.kernel_2, settings.threshold_2, settings.pool_2),
    ):
        if maps:
            found.append(_maps(settings, maps, kernel, threshold))
        if maps and pool > 1:
            found.append(Pool(pool, settings.pooling))
    cells = Cells(
        settings.cells,
        winners=settings.winners,
        learners=settings.learners,
        rule=settings.rule,
        rule_values=_of_rule(settings.rule, settings.eta, counts=settings.counts),
        adaptation=settings.adaptation,
        presentations=settings.presentations,
    )
    contrast = Contrast(settings.contrast, settings.coding, settings.strength, settings.centre, settings.surround)
    return LayerSettings((*found, cells), contrast, settings.first, settings.later)


def _maps(settings: Settings, maps: int, kernel: int, threshold: float) -> Convolution:
    return Convolution(
        maps,
        kernel,
        threshold=threshold,
        winners_of_map=settings.winners_of_map,
        learners=settings.map_learners,
        rule=settings.rule,
        rule_values=_of_rule(settings.rule, settings.map_eta, counts=settings.counts),
        adaptation=settings.map_adaptation,
        presentations=settings.map_presentations,
    )


def _of_rule(name: str, eta: float, *, counts: bool) -> dict[str, float]:
    """What the settings say of the parameters that a rule has."""
    parameters = synapse_model(name).parameters
    if counts and "x_keep" not in parameters:
        expected = f"off, as the rule {name!r} has no parameter x_keep"
        raise SettingsError(field_error("counts", expected, "on"))
    return {key: value for key, value in (("eta", eta), ("x_keep", float(counts))) if key in parameters}


def run(settings: Settings, sim: Simulation) -> Result:
    """Let networks learn, ask what their layers answer, and hold it against simpler methods."""
    _check(settings)
    parts, layers = parts_of(settings, sim.seed), layers_of(settings)
    layers.shapes(parts.data.shape)  # refuses windows that are too large, before anything is computed
    sim.reset(dt=settings.dt, precision="float32")
    told = _told(settings, parts.data.classes) if settings.reward else None
    kinds = kinds_of(settings, layers, parts, sim.seed)
    recordings = Recordings()
    trained = train_layers(
        sim,
        layers,
        parts.data,
        [parts.learned] * len(kinds),
        seeds=[kind.seed for kind in kinds],
        learning=[kind.learning for kind in kinds],
        begin=[kind.begin for kind in kinds],
        checkpoints=partial(_kept, sim, ""),
        recordings=recordings,
    )
    shown, depth = parts.shown, len(layers.layers) - 1
    answers = _votes(sim, parts, trained, recordings)
    # Controls, which come last, are judged by their vote only.
    winners = settings.code_winners or max(settings.cells // 16, 1)
    more = [_with_winners(one, winners) for one in trained[: settings.networks]]
    coded = respond(sim, more, parts.data, shown, recordings=recordings)
    pooled = respond(sim, trained, parts.data, shown, depth=depth, recordings=recordings) if settings.maps else None
    rewarded = _rewarded(sim, parts, trained[0], told, recordings) if told else None
    learned = of_pixels(settings, parts, sim.seed) if settings.baselines else None
    curves = robustness(sim, parts, trained[0], answers[0], learned, sim.seed) if settings.robustness else {}
    return result_of(settings, parts, kinds, trained, Answers(answers, coded, pooled, rewarded, learned, curves))


def _check(settings: Settings) -> None:
    if settings.maps_2 and not settings.maps:
        raise SettingsError(field_error("maps_2", "0, as there are no maps that they could look at", settings.maps_2))


def _told(settings: Settings, classes: int) -> Cells:
    """Cells that learn by reward."""
    size = settings.reward_cells or settings.cells
    return Cells(
        size,
        winners=1,
        classes=classes,
        tries=settings.tries,
        rule="rstdp_order",
        rule_values={
            **_of_rule("rstdp_order", settings.eta / 2, counts=settings.counts),
            "eta_minus": settings.eta_minus * settings.eta / 2,
        },
        adaptation=settings.adaptation * size / settings.cells,
        presentations=settings.reward_presentations or settings.presentations,
    )


def _rewarded(sim: Simulation, parts: Parts, first: LayersTrained, cells: Cells, recordings: Recordings) -> Any:
    """The answers of cells that see what the first network's maps answer, and learn by reward."""
    layers = replace(first.layers, layers=(*first.layers.layers[:-1], cells))
    begin = {key: value for key, value in first.state.items() if not key.startswith("cells")}
    trained = train_layers(
        sim,
        layers,
        parts.data,
        [parts.learned],
        seeds=[first.seed],
        begin=[begin],
        stages=[len(layers.plastic) - 1],
        checkpoints=partial(_kept, sim, "reward "),
        recordings=recordings,
    )
    return respond(sim, trained, parts.data, parts.judged, recordings=recordings)[0]


def _votes(sim: Simulation, parts: Parts, trained: list[LayersTrained], recordings: Recordings) -> list[Any]:
    """Answers of the best cell, as when it learned, to images that label, and of those that vote to the judged ones."""
    alone = [_with_winners(one, 1) for one in trained]
    label = respond(sim, alone, parts.data, parts.labelling, recordings=recordings)
    judged = respond(sim, trained, parts.data, parts.judged, recordings=recordings)
    return [sparse.vstack(both, "csr") for both in zip(label, judged, strict=True)]


def _with_winners(trained: LayersTrained, winners: int) -> LayersTrained:
    """The same network, of which so many cells answer."""
    *before, cells = trained.layers.layers
    assert isinstance(cells, Cells)
    return replace(trained, layers=replace(trained.layers, layers=(*before, replace(cells, winners=winners))))


def _kept(sim: Simulation, kind: str, stage: str, fingerprints: Any) -> Checkpoints | None:
    if sim.checkpoint_folder is None:
        return None
    return Checkpoints(sim.checkpoint_folder / f"{kind}{stage}", fingerprints)


def _answers(result: Result) -> bool:
    """The activity floor: every image gets an answer, of the maps too if there are some, and most cells give some.

    Cells answer even if the maps say nothing, as the urgency grows.
    """
    values = result.values
    heard = values.get("spikes per image, pooled maps", 1) >= 1
    return bool(heard and values["images without answer"] < 0.01 and values["silent cells"] < 0.5)


def _allowed(result: Result) -> float:
    return 0.05 if result.arrays["cell fields"].shape[1] < 28 else 0.0


CLAIMS = [
    Claim(
        "cells stand for classes",
        "the vote is at least ten points better than to name the same class always",
        lambda result: bool(result.values["accuracy"] > result.values["chance"] + 0.1),
        _answers,
    ),
    Claim(
        "better than k-means",
        "on images of 28x28 pixels the vote of the cells is more often right than k-means with as many centres; on the "
        "digits of 8x8 pixels, of which k-means is nearly as good as anything, at most five points less",
        lambda result: result.values["accuracy"] > result.values["k-means of pixels"] - _allowed(result),
        _answers,
    ),
    Claim(
        "plasticity matters",
        "the same network without plasticity is at least five points worse",
        lambda result: result.values["accuracy"] > result.values["accuracy without plasticity"] + 0.05,
        _answers,
    ),
    Claim(
        "kernels are worth learning",
        "a linear readout of the maps is at least a point better than one of maps with random kernels",
        lambda result: bool(
            result.values["accuracy, linear readout of maps"]
            > result.values["accuracy, linear readout of maps, random kernels"] + 0.01
        ),
        _answers,
    ),
    Claim(
        "few labels are enough",
        "with 10 labelled images the weighted vote is at least five points better than logistic regression of pixels",
        lambda result: bool(
            result.values["weighted vote, 10 labels"] > result.values["logistic regression, 10 labels"] + 0.05
        ),
        _answers,
    ),
    Claim(
        "a reward teaches",
        "cells that are told whether they were right decide better than the vote of those that learned without labels",
        lambda result: result.values["accuracy, decision by reward"] > result.values["accuracy of the first network"],
        _answers,
    ),
]
