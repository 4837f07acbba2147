"""Train a network of layers: one after the other, those before it being frozen, or all together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn.datasets import Dataset
from biosnn.errors import SettingsError, field_error
from biosnn.learning.checkpoint import Checkpoints, fingerprint
from biosnn.learning.history import TrainingHistory
from biosnn.learning.layers.build import build_layers
from biosnn.learning.layers.description import LayerSettings, Plastic
from biosnn.learning.layers.recording import MOST, PLACES, Recordings, capacity_of
from biosnn.learning.layers.sources import RecordedSpikes, Recording, ShownImages
from biosnn.learning.layers.trained import LayersTrained, names_of
from biosnn.learning.schedule import TrainingSchedule
from biosnn.learning.training import TrainingRun, train

PIECES = 60
"""Into how many pieces a long training is divided, as far as a piece has from 500 to 4,000 images. Learning rates are
those of its beginning."""


def train_layers(
    sim: Any,
    layers: LayerSettings,
    data: Dataset,
    images: Sequence[NDArray[np.int64]],
    *,
    seeds: Sequence[int] = (1,),
    together: bool = False,
    learning: Sequence[Sequence[bool]] | None = None,
    begin: Sequence[Mapping[str, Any]] | None = None,
    stages: Sequence[int] | None = None,
    places: int | None = None,
    checkpoints: Callable[[str, Sequence[str]], Checkpoints | None] = lambda _stage, _prints: None,
    recordings: Recordings | None = None,
) -> list[LayersTrained]:
    """Train networks of the same layers, each on its own images and with its own seed.

    One layer after the other learns, from as many presentations as it says. Those before it are frozen: what they
    answer to each image is worked out once, and played whenever the image is shown. Of each stage there is one program
    for all networks, and as many run at once as there are cores.

    Parameters
    ----------
    sim : Simulation
        An open session, whose program so far is given up.
    layers : LayerSettings
        What the networks are made of.
    data : Dataset
        All images.
    images : sequence of ndarray of int
        For each network those that it learns from, without labels.
    seeds : sequence of int
        Of each network.
    together : bool
        Whether all layers learn at once, from as many presentations as the last one says.
    learning : sequence of sequences of bool, optional
        Of each network, which of its layers learn; by default all. The weights of one that does not stay as they
        began, while its thresholds adapt: the control.
    begin : sequence of mappings, optional
        Weights that each network begins with, such as ``{"maps_1_synapses.w": kernel}``, if not with random ones, and
        thresholds, if they do not begin with 0.
    stages : sequence of int, optional
        Which of the layers that learn are trained, counted from 0. The others are as each network begins. By default
        all are.
    places : int
        How many images a piece shows, after which what was learned is kept; by default a sixtieth of them, from 500 to
        4,000. The result depends on it, as on a seed.
    checkpoints : callable, optional
        Given the name of a stage and the fingerprint of each network, returns where to keep what was reached.
    recordings : Recordings, optional
        Where the answers of frozen layers are kept; what is there is not worked out again.

    Returns
    -------
    list of LayersTrained
        One for each network.

    Raises
    ------
    ModelError, SettingsError
        If the layers cannot be built (see `build_layers`), there are not as many seeds as networks, or layers that are
        to learn together shall learn in part.
    """
    learns = [[True] * len(layers.plastic)] * len(images) if learning is None else [list(each) for each in learning]
    begins = [{}] * len(images) if begin is None else begin
    lengths = (len(seeds), len(learns), len(begins))
    if set(lengths) != {len(images)} or any(len(each) != len(layers.plastic) for each in learns):
        expected = f"for each of {len(images)} networks a seed, what it begins with, and which of its layers learn"
        raise SettingsError(field_error("train_layers", expected, f"{lengths}, {learns}"))
    found = [LayersTrained(layers, dict(given), seed, data.shape) for seed, given in zip(seeds, begins, strict=True)]
    recordings = Recordings() if recordings is None else recordings
    for number, stage in _trained(layers, learns, stages, together=together):
        schedules = [
            TrainingSchedule(own, own[:0], _presentations(layers, stage), 0, seed, tested=False)
            for own, seed in zip(images, seeds, strict=True)
        ]
        given = [] if together or not stage else _recorded(sim, data, found, schedules, stage, recordings)
        size = places or min(max(PLACES, schedules[0].n_training // PIECES), MOST)
        sim.reset()
        played = {"start": stage, "capacity": capacity_of([one for one, _ in given], size)} if given else {}
        built = build_layers(data, layers, places=size, together=together, stop=stage + 1, **played)
        runs = [
            TrainingRun(
                schedule,
                RecordedSpikes(given[network][0]) if given else ShownImages(),
                learning=learns[network][number],
                values={key: value for key, value in found[network].state.items() if built.has(key)},
            )
            for network, schedule in enumerate(schedules)
        ]
        keys = [one.key for one, _ in given] or [""] * len(runs)
        prints = [fingerprint(built, run, sim.target, size, key) for run, key in zip(runs, keys, strict=True)]
        histories = train(sim, built, runs, checkpoint=size, checkpoints=checkpoints(names_of(layers)[stage], prints))
        took = [seconds for _, seconds in given] or [0.0] * len(runs)
        found = [_after(*each) for each in zip(found, histories, took, strict=True)]
    return found


def _trained(
    layers: LayerSettings, learns: Sequence[Sequence[bool]], stages: Sequence[int] | None, *, together: bool
) -> list[tuple[int, int]]:
    """The layers that are trained, one after the other: their numbers among those that learn, and among all."""
    every = list(enumerate(layers.plastic))
    if stages is not None and not set(stages) <= set(range(len(every))):
        raise SettingsError(field_error("train_layers, stages", f"from 0 to {len(every) - 1}", list(stages)))
    if together and (stages is not None or any(len(set(each)) > 1 for each in learns)):
        given = f"learning={[list(each) for each in learns]}, stages={stages}"
        raise SettingsError(field_error("train_layers, together", "all layers that learn, or none of them", given))
    return every[-1:] if together else [each for each in every if stages is None or each[0] in stages]


def _presentations(layers: LayerSettings, stage: int) -> int:
    layer = layers.layers[stage]
    assert isinstance(layer, Plastic)
    return layer.presentations


def _recorded(
    sim: Any,
    data: Dataset,
    trained: Sequence[LayersTrained],
    schedules: Sequence[TrainingSchedule],
    depth: int,
    recordings: Recordings,
) -> list[tuple[Recording, float]]:
    """What each network's first layers answer to the images that it learns from, and how long that took (s)."""
    return [
        recordings.of(sim, one, data, np.unique(schedule.training), depth)
        for one, schedule in zip(trained, schedules, strict=True)
    ]


def _after(before: LayersTrained, history: TrainingHistory, took: float) -> LayersTrained:
    learned = {key: value for key, value in history.state.items() if key.endswith(("_synapses.w", "_thresholds.theta"))}
    return replace(
        before,
        state={**before.state, **learned},
        seconds=before.seconds + took + history.seconds,
        histories=(*before.histories, history),
    )
