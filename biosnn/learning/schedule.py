"""Which images a network sees, in which order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from biosnn.errors import SettingsError, field_error

LESSONS, EXAM, EXHIBITS = range(3)
"""The three parts of a course: learning, the frozen network, and the frozen network with its inputs recorded."""


@dataclass(frozen=True)
class Course:
    """Which images are shown when; the lengths are the same for every seed, the images need not be.

    Parameters
    ----------
    train, test : ndarray of int
        Images of the dataset to learn from, and held out.
    lessons : int
        Presentations while learning. The training images are shown in random order, again and again.
    exhibits : int
        How many test images are shown once more at the end, with the spikes of the inputs recorded.
    seed : int
        Of the order, and of the network's random numbers.
    labelled : int
        How many of the training images, the first ones, the frozen network is shown for its neurons' labels. 0: all.
    """

    train: NDArray[np.int64]
    test: NDArray[np.int64]
    lessons: int
    exhibits: int
    seed: int
    labelled: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.labelled <= len(self.train):
            raise SettingsError(field_error("Course.labelled", f"from 0 to {len(self.train)} images", self.labelled))
        if self.lessons < 0:
            raise SettingsError(field_error("Course.lessons", "no negative number of presentations", self.lessons))
        if not 0 <= self.exhibits <= len(self.test):
            raise SettingsError(field_error("Course.exhibits", f"from 0 to {len(self.test)} images", self.exhibits))

    @property
    def known(self) -> NDArray[np.int64]:
        """The training images that give the neurons their labels."""
        return self.train[: self.labelled] if self.labelled else self.train

    @property
    def examined(self) -> int:
        """How many presentations the test has: training images, for the neurons' labels, and those held out."""
        return len(self.known) + len(self.test)

    @property
    def playlist(self) -> NDArray[np.int64]:
        """The images in order: lessons, training images, test images, exhibits."""
        rng = np.random.default_rng(self.seed)
        passes = -(-self.lessons // len(self.train))
        lessons = [rng.permutation(self.train) for _ in range(passes)] or [self.train[:0]]
        return np.concatenate([np.concatenate(lessons)[: self.lessons], self.known, self.test, self.shown_again])

    @property
    def shown_again(self) -> NDArray[np.int64]:
        """The test images that are shown once more."""
        return self.test[: self.exhibits]

    @property
    def length(self) -> int:
        """How many places the playlist has."""
        return self.lessons + self.examined + self.exhibits

    def piece(self, done: int, most: int) -> tuple[int, int]:
        """What comes after ``done`` presentations: a part of the course, and how many presentations of it.

        Raises
        ------
        SettingsError
            If nothing is left.
        """
        ends = np.cumsum([self.lessons, self.examined, self.exhibits])
        part = int(np.searchsorted(ends, done, side="right"))
        if part >= len(ends):
            raise SettingsError(field_error("Course.piece", f"less than {self.length} presentations done", done))
        return part, min(most, int(ends[part]) - done)
