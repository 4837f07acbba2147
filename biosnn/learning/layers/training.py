"""Train a network of layers: one after the other, those before it being frozen, or all together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from brian2 import Quantity
from numpy.typing import NDArray

from biosnn.datasets import Dataset
from biosnn.display import Brief
from biosnn.errors import ModelError, SettingsError, field_error
from biosnn.learning.checkpoint import Checkpoints, fingerprint
from biosnn.learning.history import TrainingHistory
from biosnn.learning.layers.build import PICTURES, LayeredNetwork, build_layers, name_of
from biosnn.learning.layers.description import Cells, LayerSettings, Plastic
from biosnn.learning.network import PlasticNetwork
from biosnn.learning.schedule import Piece, TrainingSchedule
from biosnn.learning.sources import Images, InputSource
from biosnn.learning.training import TrainingRun, train

PLACES, PIECES, MOST = 500, 60, 4000
"""How many images a piece of a training shows at least, into how many pieces a long one is divided, and the most images
of a piece. Learning rates are those of its beginning."""


@dataclass(frozen=True)
class ShownImages(InputSource):
    """Images that the network's own `biosnn.inputs.images` show, in the order that each piece brings."""

    repeats = True
    timed = False
    brings = f"{PICTURES}."

    def check(self, built: PlasticNetwork, schedule: TrainingSchedule) -> None:
        if not isinstance(built, LayeredNetwork):
            raise ModelError(field_error("ShownImages, network", "a LayeredNetwork", type(built).__name__))
        if schedule.disturbances:
            do = "Give the dataset disturbed images as well."
            raise ModelError(field_error("ShownImages, disturbances", "none", len(schedule.disturbances), do))

    def prepare(
        self,
        built: PlasticNetwork,
        schedule: TrainingSchedule,
        piece: Piece,
        start: int,
        so_far: Images,  # noqa: ARG002
    ) -> tuple[int, dict[str, Any]]:
        assert isinstance(built, LayeredNetwork)
        count = min(piece.count, built.places)
        order = np.resize(schedule.order[piece.done : piece.done + count], built.places)
        steps = start + np.arange(built.places, dtype=np.int64) * built.steps
        return count, {f"{PICTURES}.presentation_order": order.astype(np.int32), f"{PICTURES}._steps": steps}

    def shown(self, built: PlasticNetwork, due: Images) -> tuple[Images, NDArray[np.float64]]:  # noqa: ARG002
        return due, np.zeros(len(due))


@dataclass(frozen=True, eq=False)
class LayersTrained(Brief):
    """What a network of layers has come to.

    Parameters
    ----------
    layers : LayerSettings
        What it is made of.
    state : mapping of str to Quantity
        Weights and thresholds of its layers, by the names of their groups: ``maps_1_synapses.w`` and
        ``cells_thresholds.theta``.
    seed : int
        Of its random numbers.
    image : tuple of int
        Rows and columns of an image.
    seconds : float
        How long a processor worked on it (s).
    histories : tuple of TrainingHistory
        Of each layer that learned.
    """

    layers: LayerSettings
    state: Mapping[str, Quantity]
    seed: int
    image: tuple[int, int]
    seconds: float = 0.0
    histories: tuple[TrainingHistory, ...] = field(default=(), repr=False)

    def weights(self, layer: int) -> NDArray[np.float64]:
        """The weights of a layer that learns, counted from 0.

        Returns
        -------
        ndarray
            Of feature maps, shape (rows, columns, channels, maps); of cells, (rows, columns, channels, cells).
        """
        name, made = names_of(self.layers)[layer], self.layers.layers[layer]
        w = np.asarray(self.state[f"{name}_synapses.w"], float)
        before = self.layers.shapes(self.image)[layer]
        if isinstance(made, Cells):
            return w.reshape(*before, made.size)
        return w.reshape(made.kernel, made.kernel, before[2], made.maps)  # type: ignore[union-attr]


def names_of(layers: LayerSettings) -> tuple[str, ...]:
    """The names of the groups of a network's layers."""
    return tuple(name_of(layer, number) for number, layer in enumerate(layers.layers))


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
    places: int | None = None,
    checkpoints: Callable[[str, Sequence[str]], Checkpoints | None] = lambda _stage, _prints: None,
) -> list[LayersTrained]:
    """Train networks of the same layers, each on its own images and with its own seed.

    One layer after the other learns, from as many presentations as it says; those before it answer as they have
    learned. Of each stage there is one program for all networks, and as many run at once as there are cores.

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
        Weights that each network begins with, such as ``{"maps_1_synapses.w": kernel}``, if not with random ones.
    places : int
        How many images a piece shows, after which what was learned is kept; by default a sixtieth of them, from 500 to
        4,000. The result depends on it, as on a seed.
    checkpoints : callable, optional
        Given the name of a stage and the fingerprint of each network, returns where to keep what was reached.

    Returns
    -------
    list of LayersTrained
        One for each network.

    Raises
    ------
    ModelError, SettingsError
        If the layers cannot be built (see `build_layers`), or there are not as many seeds as networks.
    """
    learns = [[True] * len(layers.plastic)] * len(images) if learning is None else [list(each) for each in learning]
    begins = [{}] * len(images) if begin is None else begin
    lengths = (len(seeds), len(learns), len(begins))
    if set(lengths) != {len(images)} or any(len(each) != len(layers.plastic) for each in learns):
        expected = f"for each of {len(images)} networks a seed, what it begins with, and which of its layers learn"
        raise SettingsError(field_error("train_layers", expected, f"{lengths}, {learns}"))
    found = [LayersTrained(layers, dict(given), seed, data.shape) for seed, given in zip(seeds, begins, strict=True)]
    stages = list(enumerate(layers.plastic))
    for number, stage in stages[-1:] if together else stages:
        part, layer = replace(layers, layers=layers.layers[: stage + 1]), layers.layers[stage]
        assert isinstance(layer, Plastic)
        size = places or min(max(PLACES, layer.presentations // PIECES), MOST)
        sim.reset()
        built = build_layers(data, part, places=size, together=together)
        none = np.empty(0, np.int64)
        runs = [
            TrainingRun(
                TrainingSchedule(own, none, layer.presentations, 0, seed, tested=False),
                ShownImages(),
                learning=does[number],
                values=_of_groups(built, before.state),
            )
            for own, seed, does, before in zip(images, seeds, learns, found, strict=True)
        ]
        kept = checkpoints(names_of(layers)[stage], [fingerprint(built, run, sim.target, size) for run in runs])
        histories = train(sim, built, runs, checkpoint=size, checkpoints=kept)
        found = [_after(before, history) for before, history in zip(found, histories, strict=True)]
    return found


def _of_groups(built: LayeredNetwork, state: Mapping[str, Any]) -> dict[str, Any]:
    """What of a state is of the groups that there are."""
    names = {obj.name for obj in built.network.objects}
    return {key: value for key, value in state.items() if key.partition(".")[0] in names}


def _after(before: LayersTrained, history: TrainingHistory) -> LayersTrained:
    learned = {key: value for key, value in history.state.items() if key.endswith(("_synapses.w", "_thresholds.theta"))}
    return replace(
        before,
        state={**before.state, **learned},
        seconds=before.seconds + history.seconds,
        histories=(*before.histories, history),
    )


def respond(
    sim: Any, trained: Sequence[LayersTrained], data: Dataset, images: NDArray[np.int64], *, depth: int | None = None
) -> list[Any]:
    """Show images to networks that have learned, and count the spikes of a layer.

    Parameters
    ----------
    sim : Simulation
        An open session, whose program so far is given up.
    trained : sequence of LayersTrained
        Networks of the same layers.
    data : Dataset
        The images.
    images : ndarray of int
        Which are shown.
    depth : int, optional
        How many layers there are up to the one that is counted; by default all.

    Returns
    -------
    list of csr_array of int, shape (images, neurons)
        One for each network.
    """
    layers = trained[0].layers
    part = replace(layers, layers=layers.layers[:depth])
    size = min(max(PLACES, len(images) // 16), MOST)
    sim.reset()
    built = build_layers(data, part, places=size)
    runs = [
        TrainingRun(
            TrainingSchedule(images[:0], images, 0, 0, each.seed),
            ShownImages(),
            learning=False,
            values=_of_groups(built, each.state),
        )
        for each in trained
    ]
    return [history.responses for history in train(sim, built, runs, checkpoint=size)]
