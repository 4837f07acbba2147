"""How many time steps an accuracy needs, and how sure that is: what other images would have given."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def steps_needed(curves: ArrayLike, marks: ArrayLike, target: ArrayLike) -> NDArray[np.float64]:
    """The first mark from which on a curve stays high enough.

    Parameters
    ----------
    curves : array_like, shape (..., marks)
        Accuracies.
    marks : array_like of int, shape (marks,)
        After how many steps each was measured.
    target : array_like, shape (...)
        How high.

    Returns
    -------
    ndarray, shape (...)
        Steps; infinite where the last accuracy is too low.
    """
    accuracy, after = np.asarray(curves), np.asarray(marks)
    below = accuracy < np.asarray(target)[..., None] - 1e-12
    # How many marks are left at the end, all of them high enough.
    good = np.cumprod(~below[..., ::-1], axis=-1).sum(axis=-1).astype(int)
    return np.where(good > 0, after[np.minimum(len(after) - good, len(after) - 1)].astype(float), np.inf)


def drawn_again(images: int, resamples: int, seed: int) -> NDArray[np.int64]:
    """Draw images again with replacement (bootstrap: Efron 1979, doi:10.1214/aos/1176344552).

    Parameters
    ----------
    images : int
        How many there are, and are drawn each time.
    resamples : int
        How often.
    seed : int
        Of the draw.

    Returns
    -------
    ndarray of int, shape (resamples, images)
        How often each image was drawn.
    """
    return np.random.default_rng(seed).multinomial(images, np.full(images, 1 / images), resamples)


def resampled_accuracy(right: ArrayLike, drawn: NDArray[np.int64]) -> NDArray[np.float64]:
    """The accuracy if other images had been drawn, the same for all networks.

    Parameters
    ----------
    right : array_like of bool, shape (..., images)
        Which images are correctly classified.
    drawn : ndarray of int, shape (resamples, images)
        By `drawn_again`.

    Returns
    -------
    ndarray, shape (resamples, ...)
    """
    told = np.asarray(right, dtype=float)
    return np.moveaxis(told @ drawn.T / told.shape[-1], -1, 0)


def share_of_steps(steps: ArrayLike, of: ArrayLike, longest: int) -> NDArray[np.float64]:
    """The steps needed, as a fraction of those that another network needs.

    Parameters
    ----------
    steps, of : array_like, shape (...)
        By `steps_needed`, of a network and of the other one.
    longest : int
        The last mark. Where that was not enough for the other one, the part is at most what is returned.

    Returns
    -------
    ndarray, shape (...)
    """
    return np.asarray(np.asarray(steps) / np.minimum(of, longest))
