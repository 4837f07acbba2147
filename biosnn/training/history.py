"""What trainings and evaluations come to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from biosnn.display import Brief, card, curve, number, table
from biosnn.training.batch import Floats


@dataclass(frozen=True)
class Epoch(Brief):
    """What an epoch came to.

    Parameters
    ----------
    loss, accuracy : float
        Mean over the training examples, as they were when each batch was trained.
    validation_loss, validation_accuracy : float or None
        After the epoch; None without validation data.
    spikes : mapping of str to float
        Spikes per example of each layer.
    clipped : int
        How many jumps of adjoints at spikes were cut.
    silent : mapping of str to int
        Neurons of each layer that have not spiked in the epoch.
    """

    loss: float
    accuracy: float
    validation_loss: float | None = None
    validation_accuracy: float | None = None
    spikes: Mapping[str, float] = field(default_factory=dict)
    clipped: int = 0
    silent: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class TrainingResult:
    """What a training came to; the network itself has the weights of the best epoch.

    Parameters
    ----------
    epochs : tuple of Epoch
        One after the other.
    best : int
        The number of the epoch, from 0, whose weights were kept: of the lowest validation loss, or the last one.
    """

    epochs: tuple[Epoch, ...]
    best: int

    def __repr__(self) -> str:
        best = self.epochs[self.best] if self.epochs else None
        came = f"; best of epoch {self.best}: loss {best.loss:.4g}, accuracy {self.accuracy:.1%}" if best else ""
        return f"<TrainingResult: {len(self.epochs)} epochs{came}>"

    def _repr_html_(self) -> str:
        rows = [
            (
                f"{k} (kept)" if k == self.best else str(k),
                number(one.loss),
                f"{one.accuracy:.1%}",
                "" if one.validation_loss is None else number(one.validation_loss),
                "" if one.validation_accuracy is None else f"{one.validation_accuracy:.1%}",
            )
            for k, one in enumerate(self.epochs)
        ]
        head = ("epoch", "loss", "accuracy", "validation loss", "validation accuracy")
        course = curve([one.accuracy for one in self.epochs], "accuracy, 0 to 1, over epochs")
        return card("Training", "", course, table(head, rows[-20:], numbers=range(1, 5)))

    @property
    def accuracy(self) -> float:
        """Of the best epoch, on the validation data if there are some."""
        chosen = self.epochs[self.best]
        return chosen.accuracy if chosen.validation_accuracy is None else chosen.validation_accuracy


@dataclass(frozen=True)
class Evaluation(Brief):
    """What a network answers to some data.

    Parameters
    ----------
    loss, accuracy : float
        Means over the examples.
    decisions : array of int, shape (examples,)
        The class of each; -1 where the network gave none.
    features : array, shape (examples, classes)
        What the loss reads of each.
    spikes : mapping of str to array of shape (neurons,)
        Spikes per example of each neuron.
    """

    loss: float
    accuracy: float
    decisions: NDArray[np.int64]
    features: Floats
    spikes: Mapping[str, Floats]
