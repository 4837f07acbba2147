"""The spikes that encode an image, and what may disturb them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from biosnn.coding import Coding, Spikes, noisy
from biosnn.errors import CodingError, field_error


@dataclass(frozen=True)
class Disturbance:
    """What happens to images and to the spikes that encode them.

    Parameters
    ----------
    name : str
        What it is called.
    values : float
        Standard deviation of the noise that is added to values from 0 to 1.
    spikes : callable, optional
        ``spikes(spikes, rng)`` returns what is left of the spikes of an image, such as `biosnn.coding.jitter` does.
    """

    name: str
    values: float = 0.0
    spikes: Callable[[Spikes, np.random.Generator], Spikes] | None = None


CLEAN = Disturbance("none")
"""No disturbance: images are shown as they are."""


def present(
    coding: Coding,
    image: NDArray[np.floating],
    steps: int,
    rng: np.random.Generator,
    disturbance: Disturbance = CLEAN,
) -> Spikes:
    """The spikes that encode an image, disturbed.

    Parameters
    ----------
    coding : Coding
        How it is encoded.
    image : ndarray, shape (pixels,)
        Values from 0 to 1.
    steps : int
        For how many time steps of the coding it is shown.
    rng : Generator
        Where chance comes from.
    disturbance : Disturbance
        What happens to it.

    Raises
    ------
    CodingError
        If the coding has other neurons than one for each pixel, or takes longer than an image is shown.
    """
    if coding.length > steps:
        raise CodingError(field_error("present, coding", f"at most {steps} time steps per image", coding.length))
    values = noisy(image, disturbance.values, rng) if disturbance.values else image
    spikes = coding.encode(values, rng)
    if disturbance.spikes is not None:
        spikes = disturbance.spikes(spikes, rng)
    if spikes.shape != image.shape:
        expected = f"one neuron for each of {len(image)} pixels"
        raise CodingError(field_error("present, coding", expected, f"neurons of shape {spikes.shape}"))
    return spikes
