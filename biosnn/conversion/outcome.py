"""What a converted network answered, and what that decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn.display import card, curve, number, paragraph, table
from biosnn.errors import ConversionError, field_error
from biosnn.measure import accuracy


def decisions(outputs: NDArray[Any]) -> NDArray[np.int64]:
    """The class that outputs decide for: the largest, or, of a single one, 1 where it is above 0 and else 0.

    Parameters
    ----------
    outputs : ndarray, shape (..., classes)
        Of an ordinary network before a softmax or sigmoid, or of a spiking one.

    Returns
    -------
    ndarray of int, shape (...)
    """
    single = outputs.shape[-1] == 1
    return np.asarray((outputs[..., 0] > 0).astype(np.int64) if single else outputs.argmax(axis=-1))


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a converted network answered.

    Parameters
    ----------
    potentials : ndarray of float32, shape (images, steps, classes)
        What is read of the output at the end of each step: membrane potentials, or spikes so far. Divided by the number
        of the step, potentials are what the ordinary network computes. Outputs of several axes are flat, channels
        first. A part of a network that hands its rates on has no classes.
    spikes : mapping of str to ndarray of int
        For each population that spikes, how often each neuron fired: shape (images, neurons) if each image was counted
        by itself, else (1, neurons). Neurons of layers of images are in the order (row, column, channel). Inputs that
        spike are "input, positive" and "input, negative". A spike that carries a value, such as -1 or a burst of 2,
        counts as many as it is, whatever its sign.
    sent : mapping of str to ndarray of int
        For each of them, in the same shape, the sum of what spikes carried, which is what rates stand for: the counts,
        where all spikes are alike. After a pre-run (`Options.pre_run`) only: what came in it is not told.
    by_step : mapping of str to ndarray of int, shape (steps,)
        For each of them, its spikes in each step, of all images.
    firsts : mapping of str to ndarray of int, shape (images, neurons)
        For each of them, if each image was counted by itself, the step of each neuron's first spike, from 0; -1 where
        it did not fire.
    steps_used : ndarray of int, shape (images,)
        For how many steps each image was shown: all, unless it ended early. The answer stays what it was then.
    labels : ndarray of int, shape (images,), or None
        The true classes.
    seconds : float
        How long processors worked (s), reading and writing included; 0 on targets other than ``cpp``.
    elapsed : float
        How long it took by the clock (s), from the first image to the last answer; code had been generated before.
    memory : int
        The most bytes that one process held; 0 on targets other than ``cpp``.
    """

    potentials: NDArray[np.float32]
    spikes: Mapping[str, NDArray[np.int64]]
    sent: Mapping[str, NDArray[np.int64]]
    by_step: Mapping[str, NDArray[np.int64]]
    firsts: Mapping[str, NDArray[np.int64]]
    steps_used: NDArray[np.int64]
    labels: NDArray[np.int64] | None
    seconds: float
    elapsed: float
    memory: int

    def __repr__(self) -> str:
        said = f", accuracy {self.accuracy:.1%}" if self.labels is not None else ""
        shown = f"{len(self.potentials):,} images, {self.steps} steps"
        return f"<Outcome: {shown}{said}, {self.spikes_an_image:,.1f} spikes an image>"

    def _repr_html_(self) -> str:
        shown = f"{len(self.potentials):,} images, each for {self.steps} steps; "
        shown += f"{number(self.spikes_an_image)} spikes an image."
        if self.steps_used.size and self.steps_used.min() < self.steps:
            shown += f" They ended early, after {self.steps_used.mean():.1f} steps on average."
        parts = [paragraph(shown)]
        if self.labels is not None:
            accuracies = self.latency_curve
            at = sorted({2**k for k in range(self.steps.bit_length())} | {self.steps})
            row = ("accuracy", *(f"{accuracies[T - 1]:.1%}" for T in at))
            parts += [table(("after steps", *map(str, at)), [row], numbers=range(1, len(at) + 1))]
            parts += [curve(accuracies.tolist(), "accuracy, 0 to 1, over steps")]
        rows = [
            (name, f"{counts.shape[-1]:,}", number(counts.sum() / len(self.potentials) / self.steps / counts.shape[-1]))
            for name, counts in self.spikes.items()
        ]
        head = ("population", "neurons", "spikes per neuron and step")
        return card("Outcome of a converted network", "", *parts, table(head, rows, numbers=(1, 2)))

    @property
    def steps(self) -> int:
        """How long each image was shown."""
        return int(self.potentials.shape[1])

    def decided(self, T: int | None = None) -> NDArray[np.int64]:
        """What is decided after T steps, by default all (see `decisions`); shape (images,)."""
        steps = self.steps if T is None else T
        if not 1 <= steps <= self.steps:
            raise ConversionError(field_error("Outcome, T", f"1 to {self.steps} steps", T))
        return decisions(self.potentials[:, steps - 1])

    @property
    def accuracy(self) -> float:
        """Fraction of the images that are correctly classified in the end."""
        return float(self.latency_curve[-1])

    @property
    def latency_curve(self) -> NDArray[np.float64]:
        """Accuracy after each step, shape (steps,).

        Raises
        ------
        ConversionError
            If no labels were given.
        """
        if self.labels is None:
            raise ConversionError(field_error("Outcome, labels", "labels, for an accuracy", None, "run(..., labels=)"))
        return np.asarray((decisions(self.potentials) == self.labels[:, None]).mean(axis=0))

    def agreement(self, decided: NDArray[np.int64], T: int | None = None) -> float:
        """Fraction of the images on which it decides as another network does."""
        return accuracy(self.decided(T), decided)

    def margin(self, agreement: float = 1.0) -> float:
        """The margin at which images can end early: the smallest that changes no decision on these images, or few.

        Parameters
        ----------
        agreement : float
            Fraction of the decisions that stay what they are after all steps.

        Returns
        -------
        float
            For `run` on other images, with as many steps.

        Raises
        ------
        ConversionError
            If there are no two outputs to compare, or ``agreement`` is no part.
        """
        if self.potentials.shape[-1] < 2:
            raise ConversionError(field_error("Outcome.margin", "two outputs or more", self.potentials.shape[-1]))
        if not 0 < agreement <= 1:
            raise ConversionError(field_error("Outcome.margin, agreement", "a number above 0, at most 1", agreement))
        ordered = np.sort(self.potentials, axis=-1)
        ahead = ordered[..., -1] - ordered[..., -2]
        kept = decisions(self.potentials) == self.decided()[:, None]
        # An image is lost if it is sure, at some step, of what it does not decide in the end: by its largest margin,
        # unless the true one has been as far ahead before.
        wrong = np.where(kept, 0.0, ahead)
        before = np.maximum.accumulate(np.where(kept, ahead, 0.0), axis=1)
        needed = np.where(wrong > before, wrong, 0.0).max(axis=1)
        allowed = int(np.floor((1 - agreement) * len(needed) + 1e-9))
        largest = np.sort(needed)[::-1]
        return float(np.nextafter(max(float(largest[min(allowed, len(largest) - 1)]), 1e-6), np.inf, dtype=np.float32))

    @property
    def spikes_an_image(self) -> float:
        """Spikes of all neurons for an image, those of the input included."""
        return float(sum(counts.sum() for counts in self.spikes.values()) / len(self.potentials))
