"""Teach networks by images in any coding, and examine them under noise: the spikes of the inputs are made beforehand.

The network is that of `biosnn.learning.build` with inputs that are `Played`. A point of its program brings the spikes
of some presentations and the state to go on from, so that one build serves every coding, every seed and every
disturbance, and memory is bounded by the presentations of a piece.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from brian2 import Quantity
from numpy.typing import NDArray

from biosnn.coding import Coding, Spikes, noisy
from biosnn.engine import Point, network_state
from biosnn.engine.progress import Progress
from biosnn.errors import CodingError, field_error
from biosnn.learning.diehl_cook import Learner
from biosnn.learning.responses import Responses
from biosnn.learning.training import rates

Images = NDArray[np.floating]
LEARNING, EXAM = range(2)


@dataclass(frozen=True)
class Disturbance:
    """What happens to images and to the spikes that tell them.

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


@dataclass(frozen=True, eq=False)
class Exam:
    """Images shown to the frozen network: values from 0 to 1, shape (images, pixels), and what disturbs them."""

    images: Images
    disturbance: Disturbance = CLEAN


@dataclass(frozen=True, eq=False)
class CodedPupil:
    """A network to be taught.

    Parameters
    ----------
    coding : Coding
        How it is told the images.
    lessons : ndarray, shape (lessons, pixels)
        Images to learn from, in their order; values from 0 to 1.
    exams : sequence of Exam
        What the frozen network is shown then.
    seed : int
        Of everything that is random.
    weights : ndarray, shape (steps of a presentation,), optional
        What a spike weighs in each time step; by default 1.
    values : mapping of str to Quantity
        What else is this network's own, such as ``{"plastic.gain": 1}``.
    winners : int
        How many spikes the frozen network gives in answer at most, where the first take all.
    """

    coding: Coding
    lessons: Images
    exams: Sequence[Exam]
    seed: int
    weights: NDArray[np.float64] | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    winners: int = 1


@dataclass(frozen=True, eq=False)
class CodedRecord:
    """What a network did.

    Parameters
    ----------
    lessons : Responses
        While it learned.
    exams : sequence of Responses
        In each exam.
    inputs, inhibitory : ndarray of int, shape (exams, inputs) and (exams, neurons)
        Spikes of each input and of each inhibitory cell in each exam; none where there are no such cells.
    state : mapping of str to Quantity
        What it has come to.
    seconds : float
        How long a processor has worked (s); 0 where that is not known.
    """

    lessons: Responses
    exams: Sequence[Responses]
    inputs: NDArray[np.int64]
    inhibitory: NDArray[np.int64]
    state: Mapping[str, Quantity]
    seconds: float

    @property
    def weights(self) -> NDArray[Any]:
        """Weights of the inputs, shape (neurons, inputs)."""
        return np.asarray(self.state["plastic.w"]).reshape(-1, self.lessons.neurons).T


def present(
    coding: Coding, image: Images, steps: int, rng: np.random.Generator, disturbance: Disturbance = CLEAN
) -> Spikes:
    """The spikes that tell an image, disturbed.

    Parameters
    ----------
    coding : Coding
        How it is told.
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
        raise CodingError(field_error("present, coding", f"at most {steps} time steps an image", coding.length))
    values = noisy(image, disturbance.values, rng) if disturbance.values else image
    spikes = coding.encode(values, rng)
    if disturbance.spikes is not None:
        spikes = disturbance.spikes(spikes, rng)
    if spikes.shape != image.shape:
        expected = f"one neuron for each of {len(image)} pixels"
        raise CodingError(field_error("present, coding", expected, f"neurons of shape {spikes.shape}"))
    return spikes


def teach_coded(sim: Any, learner: Learner, pupils: Sequence[CodedPupil], *, piece: int) -> list[CodedRecord]:
    """Teach networks, as many at once as there are cores: learn, freeze, and be examined.

    Parameters
    ----------
    sim : Simulation
        An open session in which nothing has run.
    learner : Learner
        What each network is made of, with inputs that are `Played` and a playlist of one place.
    pupils : sequence of CodedPupil
        The networks.
    piece : int
        How many presentations are played at once, at most; fewer if their spikes are more than the inputs can hold. The
        spikes do not depend on it.

    Returns
    -------
    list of CodedRecord

    Raises
    ------
    CodingError
        If a coding does not fit: see `present`; its time step must be the network's.
    ModelError
        If the spikes of one image are more than the inputs can hold.
    """
    desks = [_Desk(learner, pupil) for pupil in pupils]
    total = sum(desk.total for desk in desks)
    prepared = None
    with Progress("learning in every coding") as shown:
        while now := [desk for desk in desks if desk.done < desk.total]:
            points = [desk.point(piece) for desk in now]
            # A network begins with what its program sets, and goes on with all of its state.
            program = partial(_program, sim, learner)
            prepared = prepared or sim.prepare(learner.network, program, points[0], resumable=True)
            done, size = sum(desk.done for desk in desks), sum(desk.playing for desk in now)

            def report(fraction: float, done: int = done, size: int = size) -> None:
                shown.update((done + fraction * size) / total, f"{done + fraction * size:,.0f} of {total:,} images")

            prepared.run(points, lambda number, now=now: now[number].read(sim), report=report)
    return [desk.record() for desk in desks]


def _program(sim: Any, learner: Learner) -> None:
    """Lessons and exams; how long each takes, a point says."""
    learner.pause(keepers=False, input_spikes=True)
    sim.run(learner.network, learner.protocol.period, "learning")
    learner.freeze()
    sim.run(learner.network, learner.protocol.period, "showing images to the frozen network")


class _Desk:
    """Where a network sits: what it has done so far, and what comes next."""

    def __init__(self, learner: Learner, pupil: CodedPupil) -> None:
        self.learner, self.pupil = learner, pupil
        dt = learner.excitatory.clock.dt
        if not np.isclose(float(pupil.coding.dt / dt), 1, rtol=1e-9, atol=0):
            raise CodingError(field_error("CodedPupil.coding", f"the network's time step of {dt}", pupil.coding.dt))
        self.parts = [Exam(pupil.lessons), *pupil.exams]
        self.total = sum(len(part.images) for part in self.parts)
        self.length = round(float(learner.protocol.period / dt))
        cells, inputs, none = len(learner.excitatory), len(learner.stage.inputs), np.empty(0, dtype=np.int64)
        self.answers = [Responses(0, cells, self.length, none, none, none) for _ in self.parts]
        self.inputs = np.zeros((len(self.parts), inputs), dtype=np.int64)
        self.inhibitory = np.zeros((len(self.parts), cells), dtype=np.int64)
        self.state: dict[str, Any] = {}
        # Presentations so far, and in the piece that is being played.
        self.done, self.playing, self.seconds = 0, 0, 0.0

    @property
    def part(self) -> int:
        """The part of the course that comes next: 0 for the lessons, then the exams."""
        ends = np.cumsum([len(part.images) for part in self.parts])
        return int(np.searchsorted(ends, self.done, side="right"))

    def point(self, most: int) -> Point:
        """The values of the next piece."""
        part, begin = self.part, self.done * self.length
        played, dt, pupil = self.learner.stage.inputs, self.learner.excitatory.clock.dt, self.pupil
        steps, neurons = self._spikes(part, most)
        durations = np.zeros(2)
        durations[EXAM if part else LEARNING] = self.playing
        values = {
            **rates(self.learner, learning=True),
            **pupil.values,
            **self.state,
            **played.spikes(steps, neurons, begin=begin),
            f"{played.name}.weights": np.ones(self.length) if pupil.weights is None else pupil.weights,
            "stage.winners": pupil.winners if part else 1,
        }
        seed = int(np.random.SeedSequence([pupil.seed, self.done]).generate_state(1)[0])
        return Point(values, seed, begin * dt, durations * self.learner.protocol.period)

    def _spikes(self, number: int, most: int) -> tuple[Any, Any]:
        """The spikes of the next images, as many as can be played at once."""
        part, first = self.parts[number], self.answers[number].presentations
        steps, neurons, left = [], [], self.learner.stage.inputs.capacity
        for place, image in enumerate(part.images[first : first + most]):
            rng = np.random.default_rng([self.pupil.seed, number, first + place])
            spikes = present(self.pupil.coding, image, self.length, rng, part.disturbance)
            left -= len(spikes)
            if left < 0 and place:  # what is too much for one image, the inputs refuse
                break
            steps.append(spikes.steps + place * self.length)
            neurons.append(spikes.neurons)
        self.playing = len(steps)
        return np.concatenate(steps), np.concatenate(neurons)

    def read(self, sim: Any) -> None:
        """Take down what the network did in a piece, whose results can be read."""
        part, learner = self.part, self.learner
        steps = np.rint(np.asarray(learner.spikes.t / learner.excitatory.clock.dt)).astype(np.int64)
        cells = np.asarray(learner.spikes.i, dtype=np.int64)
        size = {"presentations": self.playing, "neurons": len(learner.excitatory), "length": self.length}
        self.answers[part] += Responses.of(steps - self.done * self.length, cells, **size)
        self.inputs[part] += np.asarray(learner.input_count.count, dtype=np.int64)
        if learner.inhibitory_count is not None:
            self.inhibitory[part] += np.asarray(learner.inhibitory_count.count, dtype=np.int64)
        # What is played, each piece brings anew.
        played = f"{learner.stage.inputs.name}."
        self.state = {key: value for key, value in network_state(learner.network).items() if not key.startswith(played)}
        self.done += self.playing
        self.seconds += sim.usage.seconds

    def record(self) -> CodedRecord:
        """All that it has done."""
        lessons, *exams = self.answers
        return CodedRecord(lessons, exams, self.inputs[1:], self.inhibitory[1:], self.state, self.seconds)
