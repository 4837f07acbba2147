"""Where a network of layers gets its spikes from: images, or what the layers before have answered to them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn.display import Brief
from biosnn.errors import DataError, ModelError, SettingsError, field_error
from biosnn.learning.layers.build import PICTURES, PLAYED, LayeredNetwork
from biosnn.learning.network import PlasticNetwork
from biosnn.learning.responses import Responses
from biosnn.learning.schedule import Piece, TrainingSchedule
from biosnn.learning.sources import Images, InputSource


@dataclass(frozen=True, eq=False)
class Recording(Brief):
    """Spikes of a layer in answer to images.

    Parameters
    ----------
    depth : int
        How many layers there are up to this one: 0 for the contrast cells.
    images : ndarray of int, shape (presentations,)
        The image of each presentation.
    spikes : Responses
        What the layer answers.
    key : str
        Stands for all that the spikes depend on.
    seconds : float
        How long a processor worked on it (s).
    """

    depth: int
    images: NDArray[np.int64]
    spikes: Responses
    key: str = ""
    seconds: float = field(default=0.0, repr=False)  # is not what a result depends on

    def counts(self, images: NDArray[np.int64]) -> Any:
        """How often each neuron spikes in answer to each of these images: csr_array, shape (images, neurons)."""
        return self.spikes.counts()[self.rows(images)]

    def rows(self, images: NDArray[np.int64]) -> NDArray[np.int64]:
        """The presentation of each image.

        Raises
        ------
        DataError
            If one was not recorded.
        """
        order = np.argsort(self.images, kind="stable")
        place = np.searchsorted(self.images, images, sorter=order)
        found = order[np.minimum(place, len(order) - 1)] if len(order) else np.zeros(len(images), np.int64)
        missing = images[self.images[found] != images] if len(order) else images
        if len(missing):
            raise DataError(field_error("Recording, images", f"{len(self.images)} recorded ones", int(missing[0])))
        return np.asarray(found)

    def without(self, fraction: float, seed: int) -> Recording:
        """The same in which each spike is lost with a probability, independently of the others.

        Raises
        ------
        SettingsError
            If the fraction is not from 0 to 1.
        """
        if not 0 <= fraction <= 1:
            raise SettingsError(field_error("Recording.without, fraction", "from 0 to 1", fraction))
        s = self.spikes
        left = np.random.default_rng(seed).random(len(s.row)) >= fraction
        spikes = replace(s, row=s.row[left], step=s.step[left], neuron=s.neuron[left])
        return replace(self, spikes=spikes, key=f"{self.key} without {fraction} {seed}")


@dataclass(frozen=True)
class ShownImages(InputSource):
    """Images that the network's own `biosnn.inputs.images` show, in the order that each piece brings.

    Parameters
    ----------
    timed : bool
        Whether the time of each answer is kept.
    """

    timed: bool = False

    repeats = True
    brings = (f"{PICTURES}.",)

    def check(self, built: PlasticNetwork, schedule: TrainingSchedule) -> None:
        _check(type(self).__name__, built, schedule, played=False)

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
        return count, _shown(built, schedule.order[piece.done : piece.done + count], start)

    def shown(self, built: PlasticNetwork, due: Images) -> tuple[Images, NDArray[np.float64]]:  # noqa: ARG002
        return due, np.zeros(len(due))


@dataclass(frozen=True, eq=False)
class RecordedSpikes(Brief, InputSource):
    """Spikes that frozen layers have answered with, played to the layers after them.

    Parameters
    ----------
    recording : Recording
        Of all images of the schedule.
    timed : bool
        Whether the time of each answer is kept.
    """

    recording: Recording
    timed: bool = False

    repeats = True
    brings = (f"{PICTURES}.", f"{PLAYED}.")

    def check(self, built: PlasticNetwork, schedule: TrainingSchedule) -> None:
        _check(type(self).__name__, built, schedule, played=True)
        found, needed = self.recording.spikes, (built.steps, len(built.inputs))
        if (found.steps, found.neurons) != needed:
            expected = f"{needed[0]} time steps a presentation and {needed[1]} neurons"
            raise DataError(field_error("RecordedSpikes, recording", expected, (found.steps, found.neurons)))
        self.recording.rows(np.unique(schedule.order))

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
        images = schedule.order[piece.done : piece.done + count]
        found = self.recording.spikes
        rows = self.recording.rows(images)
        first, last = np.searchsorted(found.row, rows), np.searchsorted(found.row, rows, side="right")
        many = last - first
        place = np.repeat(np.arange(count), many)
        spike = np.arange(len(place)) - np.repeat(np.cumsum(many) - many, many) + np.repeat(first, many)
        steps = found.step[spike].astype(np.int64) + place * built.steps
        return count, {**_shown(built, images, start), **built.inputs.spikes(steps, found.neuron[spike], begin=start)}

    def shown(self, built: PlasticNetwork, due: Images) -> tuple[Images, NDArray[np.float64]]:  # noqa: ARG002
        return due, np.zeros(len(due))


def _shown(built: LayeredNetwork, images: NDArray[np.int64], start: int) -> dict[str, Any]:
    """What lets the network's images turn in this order from a time step on."""
    order = np.resize(images, built.places)
    steps = start + np.arange(built.places, dtype=np.int64) * built.steps
    return {f"{PICTURES}.presentation_order": order.astype(np.int32), f"{PICTURES}._steps": steps}


def _check(name: str, built: PlasticNetwork, schedule: TrainingSchedule, *, played: bool) -> None:
    if not isinstance(built, LayeredNetwork) or built.played != played:
        expected = f"a LayeredNetwork {'built with a capacity' if played else 'that sees images'}"
        raise ModelError(field_error(f"{name}, network", expected, type(built).__name__))
    if schedule.disturbances:
        do = "Give the dataset disturbed images as well."
        raise ModelError(field_error(f"{name}, disturbances", "none", len(schedule.disturbances), do))
