"""Which images the networks learn from, which label their cells, and which the decisions are judged on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from biosnn.datasets import Dataset, load, stratified_split
from biosnn.errors import SettingsError, field_error

if TYPE_CHECKING:
    from .study import Settings


FEWEST = 50
"""How many images give labels at least: supervised readouts choose their penalty on a fifth of them."""


@dataclass(frozen=True)
class Parts:
    """Images of a dataset by what they are for; what is for nothing is not in it.

    Parameters
    ----------
    data : Dataset
        All images that are looked at.
    learned, labelling, judged : ndarray of int
        Those that networks learn from, those of them whose labels are used, and those that decisions are judged on.
    """

    data: Dataset
    learned: NDArray[np.int64]
    labelling: NDArray[np.int64]
    judged: NDArray[np.int64]

    @property
    def shown(self) -> NDArray[np.int64]:
        """What networks are shown when they have learned."""
        return np.concatenate([self.labelling, self.judged])

    def pixels(self, images: NDArray[np.int64]) -> NDArray[np.float32]:
        """Intensities from 0 to 1, shape (images, pixels)."""
        flat = self.data.images[images].reshape(len(images), -1)
        return flat.astype(np.float32) / np.float32(self.data.brightest)


def parts_of(settings: Settings, seed: int) -> Parts:
    """Divide the images. With ``judged=validation`` test images are not even read."""
    data = load(settings.dataset, test_images=settings.judged == "test")
    if not data.for_training:
        if settings.judged == "test":
            do = "Leave it out: a sixth of the images is kept from learning."
            expected = f"validation, as {data.name} has no test images of its own"
            raise SettingsError(field_error("judged", expected, settings.judged, do))
        training = len(data.labels)
    else:
        training = data.for_training
    if settings.judged == "validation":
        learned, judged = stratified_split(data.labels, training // 6, seed)
    else:
        learned = np.random.default_rng(seed).permutation(training)
        judged = np.arange(training, len(data.labels))
    if settings.n_labelling and not FEWEST <= settings.n_labelling <= len(learned):
        expected = f"0, or from {FEWEST} to {len(learned)} images"
        raise SettingsError(field_error("n_labelling", expected, settings.n_labelling))
    return Parts(data, learned, learned[: settings.n_labelling or None], judged)
