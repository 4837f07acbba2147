"""What may happen to spikes and values on their way: they come late, get lost, or waver."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from brian2 import Quantity, second
from numpy.typing import ArrayLike

from biosnn.coding import check
from biosnn.coding.check import Values
from biosnn.coding.spikes import Spikes


def jitter(spikes: Spikes, sd: Quantity, rng: np.random.Generator) -> Spikes:
    """Move each spike by a random time.

    Parameters
    ----------
    spikes : Spikes
        As they were.
    sd : Quantity
        Standard deviation of a normal distribution of mean 0. What it draws is rounded to whole steps.
    rng : Generator
        Where chance comes from.

    Returns
    -------
    Spikes
        As many as before of each neuron. One that would leave the duration stays in its first or last step.

    Raises
    ------
    CodingError, QuantityError
        If ``sd`` is no time from 0 on, or the generator none.
    """
    width = float(check.quantity("jitter, sd", sd, second, zero=True) / spikes.dt)
    moved = spikes.steps + np.rint(check.generator("jitter", rng).normal(0, width, len(spikes)))
    return replace(spikes, steps=np.clip(moved, 0, spikes.length - 1).astype(np.int64))


def delete(spikes: Spikes, probability: float, rng: np.random.Generator) -> Spikes:
    """Lose spikes at random.

    Parameters
    ----------
    spikes : Spikes
        As they were.
    probability : float
        With which each of them is lost, independently.
    rng : Generator
        Where chance comes from.

    Returns
    -------
    Spikes
        Those that are left.

    Raises
    ------
    CodingError, QuantityError
        If the probability is not a plain number from 0 to 1, or the generator none.
    """
    lost = check.number("delete, probability", probability, "a number from 0 to 1", lambda p: 0 <= p <= 1)
    kept = check.generator("delete", rng).random(len(spikes)) >= lost
    return replace(spikes, steps=spikes.steps[kept], neurons=spikes.neurons[kept])


def noisy(values: ArrayLike, sd: float, rng: np.random.Generator) -> Values:
    """Add noise to values.

    Parameters
    ----------
    values : array_like
        From 0 to 1.
    sd : float
        Standard deviation of a normal distribution of mean 0.
    rng : Generator
        Where chance comes from.

    Returns
    -------
    ndarray
        In the same shape; what would leave 0 to 1 is cut off there.

    Raises
    ------
    CodingError, QuantityError
        If values are outside 0 to 1, ``sd`` is not a plain number from 0 on, or the generator none.
    """
    clean = check.values("noisy, values", values)
    width = check.number("noisy, sd", sd, "a finite number from 0 on", lambda sd: 0 <= sd < np.inf)
    return np.clip(clean + check.generator("noisy", rng).normal(0, width, clean.shape), 0, 1)
