"""Where the spikes of the inputs come from, and how presentations are prepared: what trainings differ in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from brian2 import second
from numpy.typing import NDArray

from biosnn.coding import Coding
from biosnn.display import Brief
from biosnn.errors import CodingError, ModelError, field_error
from biosnn.learning.network import PlasticNetwork
from biosnn.learning.presentation import present
from biosnn.learning.presenter import Played
from biosnn.learning.schedule import TRAINING, Piece, TrainingSchedule

Images = NDArray[np.int64]


class InputSource(ABC):
    """Where the spikes of the inputs come from.

    Attributes
    ----------
    repeats : bool
        Whether the test runs in pieces that all begin from the state after training, with the weights scaled once more,
        and then repeats images that got too few spikes. Else each piece continues from the one before.
    timed : bool
        Whether the time of an answer counts, so that it is kept.
    brings : tuple of str
        With which variables of the network, by the beginning of their names, each piece comes.
    """

    repeats: bool
    timed: bool
    brings: tuple[str, ...]

    @abstractmethod
    def check(self, built: PlasticNetwork, schedule: TrainingSchedule) -> None:
        """See that the network and the schedule are made for this source.

        Raises
        ------
        CodingError, ModelError
            If they are not.
        """

    @abstractmethod
    def prepare(
        self, built: PlasticNetwork, schedule: TrainingSchedule, piece: Piece, start: int, so_far: Images
    ) -> tuple[int, dict[str, Any]]:
        """How many presentations of a piece can run, and the values of the point that bring them.

        It is given the time step at which the piece starts, and which images have been shown so far.
        """

    @abstractmethod
    def shown(self, built: PlasticNetwork, due: Images) -> tuple[Images, NDArray[np.float64]]:
        """The images that a piece has shown when these were due, and by how many hertz faster the inputs fired."""


@dataclass(frozen=True)
class PresentedImages(InputSource):
    """Spikes made while the network runs, by Poisson processes or an encoder's neurons; see `ImagePresenter`."""

    repeats = True
    timed = False
    brings = ("presenter.presentation_order",)

    def check(self, built: PlasticNetwork, schedule: TrainingSchedule) -> None:
        if isinstance(built.settings.coding, Played):
            do = "Give the run EncodedImages(coding) as its source."
            raise ModelError(field_error("PresentedImages, inputs", "inputs that make spikes", "Played", do))
        if schedule.disturbances:
            names = ", ".join(what.name for what in schedule.disturbances)
            raise CodingError(field_error("PresentedImages, disturbances", "none", names, "Use EncodedImages."))

    def prepare(
        self,
        built: PlasticNetwork,
        schedule: TrainingSchedule,
        piece: Piece,
        start: int,  # noqa: ARG002
        so_far: Images,
    ) -> tuple[int, dict[str, Any]]:
        order, place, boost = schedule.order, piece.done - 1, 0.0
        values: dict[str, Any] = {}
        if piece.again:
            order = np.pad(so_far[list(piece.again)], (0, schedule.length - piece.count), mode="edge")
            place, boost = -1, piece.boost
        if schedule.parts[piece.part].phase != TRAINING:
            # The state may be that after training. An image shown again takes one of its presentations more, so that
            # the presenter may not have reached their end.
            values = {"presenter.place": np.array([place]), "presenter.boost": np.zeros(1) / second}
        values |= {self.brings[0]: built.presenter.filled(order), "presenter.first_boost": boost / second}
        return piece.count, values

    def shown(
        self,
        built: PlasticNetwork,
        due: Images,  # noqa: ARG002 - an image that was shown again has put off the others
    ) -> tuple[Images, NDArray[np.float64]]:
        log = built.presenter.log
        return np.asarray(log.image[0], dtype=np.int64), np.asarray(log.boost[0])


@dataclass(frozen=True, eq=False)
class EncodedImages(Brief, InputSource):
    """Spikes that are made beforehand, by any coding, and played; the network's inputs are `Played`.

    Parameters
    ----------
    coding : Coding
        How the images are presented to the network.
    weights : ndarray, shape (steps of a presentation,), optional
        What a spike weighs in each time step; by default 1.
    """

    coding: Coding
    weights: NDArray[np.float64] | None = None

    repeats = False
    timed = True
    brings = ("inputs.",)

    def check(self, built: PlasticNetwork, schedule: TrainingSchedule) -> None:  # noqa: ARG002
        if not isinstance(built.settings.coding, Played):
            do = "Build the network with coding=Played(capacity)."
            raise ModelError(field_error("EncodedImages, inputs", "Played", built.settings.coding or "Poisson", do))
        dt = built.excitatory.clock.dt
        if not np.isclose(float(self.coding.dt / dt), 1, rtol=1e-9, atol=0):
            expected = f"the network's time step of {dt}"
            raise CodingError(field_error("EncodedImages.coding", expected, self.coding.dt))

    def prepare(
        self,
        built: PlasticNetwork,
        schedule: TrainingSchedule,
        piece: Piece,
        start: int,
        so_far: Images,  # noqa: ARG002
    ) -> tuple[int, dict[str, Any]]:
        """As many as the inputs can play at once. The spikes do not depend on how the schedule is cut."""
        part, length, played = schedule.parts[piece.part], built.steps, built.presenter.inputs
        first, left = piece.done - schedule.bounds(piece.part)[0], played.capacity
        steps, neurons = [], []
        for place, image in enumerate(built.data.take(part.images[first : first + piece.count]).flat):
            rng = np.random.default_rng([schedule.seed, piece.part, first + place])
            spikes = present(self.coding, image, length, rng, part.disturbance)
            left -= len(spikes)
            if left < 0 and place:  # what is too much for one image, the inputs refuse
                break
            steps.append(spikes.steps + place * length)
            neurons.append(spikes.neurons)
        values = played.spikes(np.concatenate(steps), np.concatenate(neurons), begin=start)
        return len(steps), {**values, "inputs.weights": np.ones(length) if self.weights is None else self.weights}

    def shown(
        self,
        built: PlasticNetwork,  # noqa: ARG002
        due: Images,
    ) -> tuple[Images, NDArray[np.float64]]:
        return due, np.zeros(len(due))
