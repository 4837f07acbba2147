"""What a hybrid network answered: at some steps, where a spiking one answers at each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from biosnn.conversion.outcome import Outcome, decisions
from biosnn.display import card, paragraph, table
from biosnn.errors import ConversionError, field_error
from biosnn.measure import accuracy


@dataclass(frozen=True, eq=False)
class HybridOutcome:
    """What a hybrid network answered.

    Parameters
    ----------
    outputs : ndarray of float32, shape (images, marks, classes)
        What is read of the output at each mark, in units of the ordinary network's output.
    marks : ndarray of int, shape (marks,)
        After how many steps since the image came, of all stages that spike together.
    labels : ndarray of int, shape (images,), or None
        The true classes.
    stages : tuple of Outcome or None
        What each stage did; None of one that does not spike.
    before : int
        How many of the steps all stages took but the last that spikes.
    counts : mapping of str to ndarray of int, shape (marks, neurons)
        For each population of that last one, how often each neuron had fired at the marks, for all images.
    """

    outputs: NDArray[np.float32]
    marks: NDArray[np.int64]
    labels: NDArray[np.int64] | None
    stages: tuple[Outcome | None, ...]
    before: int
    counts: Mapping[str, NDArray[np.int64]]

    def __repr__(self) -> str:
        said = f", accuracy {self.accuracy:.1%}" if self.labels is not None else ""
        return f"<HybridOutcome: {len(self.outputs):,} images, {self.steps} steps{said}>"

    def _repr_html_(self) -> str:
        shown = paragraph(f"{len(self.outputs):,} images, each for {self.steps} steps.")
        if self.labels is None:
            return card("Outcome of a hybrid network", "", shown)
        marks, accuracies = self.marks.tolist(), self.latency_curve
        row = ("accuracy", *(f"{accuracy:.1%}" for accuracy in accuracies))
        answers = table(("after steps", *map(str, marks)), [row], numbers=range(1, len(marks) + 1))
        return card("Outcome of a hybrid network", "", shown, answers)

    @property
    def steps(self) -> int:
        """For how many steps an image was shown, of all stages that spike together."""
        return int(self.marks[-1])

    def decided(self, T: int | None = None) -> NDArray[np.int64]:
        """What is decided at a mark, by default the last (see `decisions`); shape (images,)."""
        return decisions(self.outputs[:, self._number(T)])

    def _number(self, T: int | None) -> int:
        places = np.flatnonzero(self.marks == (self.steps if T is None else T))
        if not places.size:
            raise ConversionError(field_error("HybridOutcome, T", f"one of the marks {self.marks.tolist()}", T))
        return int(places[0])

    @property
    def accuracy(self) -> float:
        """Fraction of the images that are correctly classified in the end."""
        return float(self.latency_curve[-1])

    @property
    def latency_curve(self) -> NDArray[np.float64]:
        """Accuracy at each mark, shape (marks,).

        Raises
        ------
        ConversionError
            If no labels were given.
        """
        if self.labels is None:
            expected = "labels, for an accuracy"
            raise ConversionError(field_error("HybridOutcome, labels", expected, None, "run(..., labels=)"))
        return np.asarray((decisions(self.outputs) == self.labels[:, None]).mean(axis=0))

    def T_for(self, accuracy: float) -> int | None:
        """The first mark from which on the accuracy is at least so large, if there is one."""
        return first_at(self.marks, self.latency_curve, accuracy)

    def agreement(self, decided: NDArray[np.int64], T: int | None = None) -> float:
        """Fraction of the images on which it decides as another network does."""
        return accuracy(self.decided(T), decided)

    @property
    def spikes_an_image(self) -> float:
        """Spikes of all neurons for an image, those of the input included."""
        return sum(stage.spikes_an_image for stage in self.stages if stage)

    @property
    def seconds(self) -> float:
        """How long processors simulated (s), reading and writing included; 0 on targets other than ``cpp``."""
        return sum(stage.seconds for stage in self.stages if stage)

    @property
    def elapsed(self) -> float:
        """How long it took by the clock (s), when code had been generated, of all stages that spike."""
        return sum(stage.elapsed for stage in self.stages if stage)

    def at(self, T: int) -> HybridOutcome:
        """What it would have been, had images ended at a mark.

        Raises
        ------
        ConversionError
            If that is none of the marks.
        """
        number = self._number(T)
        last = max(k for k, stage in enumerate(self.stages) if stage)
        stages = list(self.stages)
        did, steps = stages[last], T - self.before
        assert did is not None
        stages[last] = replace(
            did,
            potentials=did.potentials[:, :steps],
            spikes={name: counts[number][None] for name, counts in self.counts.items()},
            by_step={name: fired[:steps] for name, fired in did.by_step.items()},
            steps_used=np.minimum(did.steps_used, steps),
        )
        counts = {name: counted[: number + 1] for name, counted in self.counts.items()}
        kept = slice(number + 1)
        return replace(self, outputs=self.outputs[:, kept], marks=self.marks[kept], stages=tuple(stages), counts=counts)


def first_at(marks: NDArray[np.int64], curve: NDArray[np.float64], accuracy: float) -> int | None:
    """The first mark from which on a curve is at least so high, if there is one."""
    below = np.flatnonzero(curve < accuracy - 1e-12)
    first = int(below[-1]) + 1 if len(below) else 0
    return int(marks[first]) if first < len(marks) else None
