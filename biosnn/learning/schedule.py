"""Which images a network sees, in which order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from biosnn.display import Brief
from biosnn.errors import SettingsError, field_error
from biosnn.learning.presentation import CLEAN, Disturbance

TRAINING, TEST, RECORDED = range(3)
"""The three phases of a schedule: learning, the frozen network, and the frozen network with its inputs recorded."""


@dataclass(frozen=True, eq=False)
class Part(Brief):
    """Images of a schedule that are shown in the same way.

    Parameters
    ----------
    phase : int
        `TRAINING`, `TEST` or `RECORDED`.
    images : ndarray of int
        Images of the dataset, in their order.
    disturbance : Disturbance
        What happens to them.
    """

    phase: int
    images: NDArray[np.int64]
    disturbance: Disturbance = CLEAN


@dataclass(frozen=True)
class Piece(Brief):
    """Presentations that run at once: how many there were before, which part of the schedule it is, how many they are.

    One of images shown again has the presentations that it repeats, and by how many hertz the inputs fire faster.
    """

    done: int
    part: int
    count: int
    again: tuple[int, ...] = ()
    boost: float = 0.0


@dataclass(frozen=True)
class TrainingSchedule(Brief):
    """Which images are shown when; the lengths are the same for every seed, the images need not be.

    Parameters
    ----------
    train, test : ndarray of int
        Images of the dataset to learn from, and held out.
    n_training : int
        Presentations while learning. The training images are shown again and again.
    n_recorded : int
        How many test images are shown once more at the end, with the spikes of the inputs recorded.
    seed : int
        Of the order, and of the network's random numbers.
    n_labelling : int
        How many of the training images, the first ones, the frozen network is shown for its neurons' labels. 0: all.
    shuffled : bool
        Whether the training images are shown in another random order each time.
    disturbances : tuple of Disturbance
        The test is held under each of these, and images that label neurons are a part by themselves. Without any, those
        and the test are one part.
    n_disturbed : int
        How many of the test images, the first ones, are shown disturbed. 0: all.
    tested : bool
        Whether there is a test, and images that label neurons; feature maps have none.
    """

    train: NDArray[np.int64]
    test: NDArray[np.int64]
    n_training: int
    n_recorded: int
    seed: int
    n_labelling: int = 0
    shuffled: bool = True
    disturbances: tuple[Disturbance, ...] = ()
    n_disturbed: int = 0
    tested: bool = True

    def __post_init__(self) -> None:
        if self.n_training < 0:
            expected = "no negative number of presentations"
            raise SettingsError(field_error("TrainingSchedule.n_training", expected, self.n_training))
        most = {"n_recorded": len(self.test), "n_labelling": len(self.train), "n_disturbed": len(self.test)}
        for name, images in most.items():
            if not 0 <= getattr(self, name) <= images:
                expected = f"from 0 to {images} images"
                raise SettingsError(field_error(f"TrainingSchedule.{name}", expected, getattr(self, name)))

    @property
    def training(self) -> NDArray[np.int64]:
        """The images that are shown while the network learns."""
        if not self.n_training:
            return self.train[:0]
        if not self.shuffled:
            return np.resize(self.train, self.n_training)
        # Each pass shows every image once, in an order of its own; the last pass may end early.
        rng = np.random.default_rng(self.seed)
        passes = -(-self.n_training // len(self.train))
        orders: list[NDArray[np.int64]] = [rng.permutation(self.train) for _ in range(passes)]
        return np.concatenate(orders)[: self.n_training]

    @property
    def labelling(self) -> NDArray[np.int64]:
        """The training images that give the neurons their labels."""
        return self.train[: self.n_labelling] if self.n_labelling else self.train

    @property
    def recorded(self) -> NDArray[np.int64]:
        """The test images that are shown once more."""
        return self.test[: self.n_recorded]

    @cached_property
    def parts(self) -> list[Part]:
        """Training, what the frozen network is shown, and what is recorded."""
        tests = [Part(TEST, np.concatenate([self.labelling, self.test]) if self.tested else self.test[:0])]
        if self.disturbances:
            few = self.test[: self.n_disturbed or None]
            tested = [(self.test if what == CLEAN else few, what) for what in self.disturbances]
            tests = [Part(TEST, self.labelling), *(Part(TEST, images, what) for images, what in tested)]
        return [Part(TRAINING, self.training), *tests, Part(RECORDED, self.recorded)]

    @property
    def ends(self) -> NDArray[np.int64]:
        """How many presentations there have been at the end of each part."""
        return np.cumsum([len(part.images) for part in self.parts])

    def bounds(self, part: int) -> tuple[int, int]:
        """The first presentation of a part, and the first after it."""
        ends = self.ends
        return (int(ends[part - 1]) if part else 0), int(ends[part])

    @property
    def n_test(self) -> int:
        """How many presentations the test has: training images, for the neurons' labels, and those held out."""
        return self.length - self.n_training - self.n_recorded

    @property
    def order(self) -> NDArray[np.int64]:
        """The presentation order: training, training images for the labels, test images, recorded presentations."""
        return np.concatenate([part.images for part in self.parts])

    @property
    def length(self) -> int:
        """How many presentations there are."""
        return int(self.ends[-1])

    def piece(self, done: int, most: int) -> Piece:
        """What comes after ``done`` presentations, within one part.

        Raises
        ------
        SettingsError
            If nothing is left.
        """
        ends = self.ends
        # At the end of a part the next one has begun; "right" also passes over parts without images.
        part = int(np.searchsorted(ends, done, side="right"))
        if part >= len(ends):
            raise SettingsError(
                field_error("TrainingSchedule.piece", f"less than {self.length} presentations done", done)
            )
        return Piece(done, part, min(most, int(ends[part]) - done))
