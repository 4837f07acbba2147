"""Show images to a converted network: many in one simulation, spread over the cores, its answer at every time step."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from biosnn.conversion.first_spikes import build_first_spikes
from biosnn.conversion.images import check_images
from biosnn.conversion.lowering import order
from biosnn.conversion.membrane import DT
from biosnn.conversion.network import Built, build, duration, frames
from biosnn.conversion.spiking import SpikingNetwork
from biosnn.conversion.tally import INTERVAL, MOST_STEPS
from biosnn.engine import Simulation, session
from biosnn.errors import ConversionError, field_error
from biosnn.measure import accuracy

Read = TypeVar("Read")

TOGETHER = 20
"""How many images one process shows before the next are handed out."""
MOST_COUNTS = 2**23
"""How many counts of intervals a process keeps: with few populations, those of so many images."""


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
        spike are "input, positive" and "input, negative".
    by_step : mapping of str to ndarray of int, shape (steps,)
        For each of them, its spikes in each step, of all images.
    took : ndarray of int, shape (images,)
        For how many steps each image was shown: all, unless it ended early. The answer stays what it was then.
    labels : ndarray of int, shape (images,), or None
        What is right.
    seconds : float
        How long processors worked (s), reading and writing included; 0 on targets other than ``cpp``.
    elapsed : float
        How long it took by the clock (s), from the first image to the last answer; code had been generated before.
    memory : int
        The most bytes that one process held; 0 on targets other than ``cpp``.
    """

    potentials: NDArray[np.float32]
    spikes: Mapping[str, NDArray[np.int64]]
    by_step: Mapping[str, NDArray[np.int64]]
    took: NDArray[np.int64]
    labels: NDArray[np.int64] | None
    seconds: float
    elapsed: float
    memory: int

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
        """Which part of the images is told right in the end."""
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
        """In which part of the images it decides as another network does."""
        return accuracy(self.decided(T), decided)

    def lead(self, agreement: float = 1.0) -> float:
        """The lead at which images can end early: the smallest that changes no decision on these images, or few.

        Parameters
        ----------
        agreement : float
            Which part of the decisions stays what it is after all steps.

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
            raise ConversionError(field_error("Outcome.lead", "two outputs or more", self.potentials.shape[-1]))
        if not 0 < agreement <= 1:
            raise ConversionError(field_error("Outcome.lead, agreement", "a number above 0, at most 1", agreement))
        ordered = np.sort(self.potentials, axis=-1)
        ahead = ordered[..., -1] - ordered[..., -2]
        kept = decisions(self.potentials) == self.decided()[:, None]
        # An image is lost if it is sure, at some step, of what it does not decide in the end: by its largest such lead,
        # unless the right one has been as far ahead before.
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


def run(
    snn: SpikingNetwork,
    images: ArrayLike,
    T: int = 64,
    *,
    labels: ArrayLike | None = None,
    each: bool = False,
    lead: float | None = None,
    sim: Simulation | None = None,
    target: str = "cpp",
    precision: str = "float32",
    seed: int = 1,
    jobs: int | None = None,
    report: Callable[[float], None] | None = None,
) -> Outcome:
    """Show images to a converted network.

    Parameters
    ----------
    snn : SpikingNetwork
        The network.
    images : array_like, shape (n, *shape of the input)
        As the ordinary network takes them.
    T : int
        For how many steps each is shown, and the answer after every step up to it is in the outcome. With a code of
        first spikes, for how many steps each layer has its window: there is an answer in the end only.
    labels : array_like of int, shape (n,), optional
        What is right.
    each : bool
        Whether the spikes of each neuron are kept for each image.
    lead : float, optional
        Go on to the next image as soon as the largest potential of the output is so far ahead of the second: as much as
        the ordinary network's output for the first would be ahead in one step, times steps. By default all images are
        shown for all steps. `Outcome.lead` finds one.
    sim : Simulation, optional
        An open session to run in, whose program so far is given up; by default one is opened.
    target, precision, seed
        Of the session; with ``sim``, only the precision counts.
    jobs : int, optional
        How many processes at once on ``cpp``; by default as many as there are cores.
    report : callable, optional
        Told now and then which fraction is done; by default a progress bar is.

    Returns
    -------
    Outcome

    Raises
    ------
    ConversionError
        If images or labels do not fit the network, or T is out of range.
    RunError
        If the simulation fails.
    """
    if not isinstance(snn, SpikingNetwork):
        do = "A hybrid network has a method run of its own."
        raise ConversionError(field_error("run", "a network whose layers all spike", type(snn).__name__, do))
    shown = check_images(snn.graph, images)
    right, steps = check_labels(labels, len(shown)), check_steps(T)
    if lead is not None:
        _check_lead(snn, lead)
    how = How(steps, each, lead, precision, jobs, report)
    if sim is None:
        with session(target, seed=seed) as opened:
            return _run(opened, snn, shown, right, how)
    return _run(sim, snn, shown, right, how)


@dataclass(frozen=True)
class How:
    """The parameters of `run`, and the steps up to which spikes are counted by themselves, the last being T."""

    T: int
    each: bool
    lead: float | None
    precision: str
    jobs: int | None
    report: Callable[[float], None] | None
    marks: tuple[int, ...] = ()


def _check_lead(snn: SpikingNetwork, lead: float) -> None:
    options = snn.options
    given = (options.code, options.input, options.output)
    if given != ("rate", "analog", "potential"):
        expected = "the code 'rate', the input 'analog' and the output 'potential' for images that end early"
        raise ConversionError(field_error("run, lead", expected, given))
    if snn.wiring.populations[-1].neurons < 2:
        raise ConversionError(field_error("run, lead", "a network of two outputs or more", 1))
    if not 0 < lead < float("inf"):
        raise ConversionError(field_error("run, lead", "a number above 0", lead))


def check_steps(T: object) -> int:
    """How many steps an image is shown; `ConversionError` if that cannot be."""
    if isinstance(T, bool) or not isinstance(T, int | np.integer) or not 1 <= T <= MOST_STEPS:
        raise ConversionError(field_error("run, T", f"1 to {MOST_STEPS} steps", T))
    return int(T)


def check_labels(labels: ArrayLike | None, images: int) -> NDArray[np.int64] | None:
    """What is right for each image; `ConversionError` if it does not fit."""
    if labels is None:
        return None
    found = np.asarray(labels)
    if found.shape != (images,) or found.dtype.kind not in "iu":
        given = f"{found.dtype} of shape {found.shape}"
        raise ConversionError(field_error("run, labels", f"{images} whole numbers, one for each image", given))
    return found.astype(np.int64)


def _run(
    sim: Simulation,
    snn: SpikingNetwork,
    images: NDArray[np.float32],
    labels: NDArray[np.int64] | None,
    how: How,
) -> Outcome:
    found, elapsed = in_parts(sim, snn, images, how, partial(read_part, sim, snn, how))
    return replace(joined(found, how.each), labels=labels, elapsed=elapsed)


def in_parts(
    sim: Simulation,
    snn: SpikingNetwork,
    images: NDArray[np.float32],
    how: How,
    read: Callable[[Built, slice], Read],
) -> tuple[list[Read], float]:
    """Show images, some in each process, and read each process as soon as it has ended.

    Parameters
    ----------
    sim : Simulation
        An open session.
    snn : SpikingNetwork
        The network.
    images : ndarray of float32
        As `check_images` gives them.
    how : How
        How.
    read : callable
        Given what was built, and which images were shown, reads what is wanted; asked in the order of the images.

    Returns
    -------
    (list, float)
        What was read, for each part of the images; and how long it took (s), when code had been generated.
    """
    return opened(sim, snn, images, how).show(images, read)


@dataclass(frozen=True, eq=False)
class Opened:
    """A program that is ready to show images; made by `opened`."""

    sim: Simulation
    snn: SpikingNetwork
    how: How
    built: Built
    prepared: Any

    def show(self, images: NDArray[np.float32], read: Callable[[Built, slice], Read]) -> tuple[list[Read], float]:
        """As `in_parts`, again and again."""
        starts = range(0, len(images), self.built.shown)
        parts = [slice(start, min(start + self.built.shown, len(images))) for start in starts]
        pixels = frames(self.snn, images)
        points = [
            _point(self.snn, self.built, pixels[part], self.how, self.sim.seed + k) for k, part in enumerate(parts)
        ]
        shown, begin = iter(parts), time.perf_counter()
        more = {"jobs": self.how.jobs, "report": self.how.report}
        found = self.prepared.run(points, lambda: read(self.built, next(shown)), **more)
        return found, time.perf_counter() - begin


def opened(sim: Simulation, snn: SpikingNetwork, images: NDArray[np.float32], how: How) -> Opened:
    """Build a network that is going to be shown images such as these, in a program that serves them all."""
    sim.reset(dt=DT, precision=how.precision)
    intervals = max(len(how.marks), 1)
    together = min(TOGETHER, len(images), _most_together(snn, how))
    if snn.options.code == "rate":
        built = build(snn, how.T, together, each=how.each, early=how.lead is not None, intervals=intervals)
    else:
        built = build_first_spikes(snn, how.T, together, each=how.each)
    example = _point(snn, built, frames(snn, images[:together]), how, sim.seed)
    program = partial(sim.run, built.network, duration(built.shown, built.steps))
    return Opened(sim, snn, how, built, sim.prepare(built.network, program, example))


def _most_together(snn: SpikingNetwork, how: How) -> int:
    """For how many images there is room to count the spikes of each interval."""
    if len(how.marks) <= 1:
        return TOGETHER
    apart = snn.wiring.hidden if how.each else [snn.wiring[name] for name in snn.wiring.ends]
    counted = sum(population.neurons for population in apart) * len(how.marks)
    return max(MOST_COUNTS // counted, 1) if counted else TOGETHER


def _point(snn: SpikingNetwork, built: Built, part: NDArray[np.float32], how: How, seed: int) -> dict[str, Any]:
    """Images to show in one run, the last of which may be fewer."""
    shown = np.resize(part, (built.shown, part.shape[1]))
    found = {"pictures.pixels": shown.ravel(), "seed": seed % 2**32, "durations": [duration(len(part), built.steps)]}
    if how.lead is not None:
        output = built.groups[snn.graph.output].name
        found |= {f"{output}._lead": how.lead, f"{output}._length": built.steps, f"{output}._images": len(part)}
    if len(how.marks) > 1:
        interval = np.searchsorted(how.marks, np.arange(MOST_STEPS), side="right")
        found[f"pictures.{INTERVAL}"] = np.minimum(interval, len(how.marks) - 1)
    return found


def read_part(sim: Simulation, snn: SpikingNetwork, how: How, built: Built, part: slice) -> Outcome:
    """Read what a process did with some images."""
    shown = part.stop - part.start
    tallies = {name: tally.read(shown) for name, tally in built.tallies.items()}
    spikes = {
        name: counted if how.each else counted.sum(axis=0, keepdims=True) for name, (counted, _) in tallies.items()
    }
    by_step = {name: steps[: built.steps] for name, (_, steps) in tallies.items()}
    took = np.full(shown, built.steps)
    if how.lead is not None:
        took = np.asarray(built.groups[snn.graph.output].variables["_took"].get_value(), np.int64)[:shown]
    if snn.wiring.ends:
        answers = np.empty((shown, built.steps, 0), np.float32)
    else:
        answers = _answers(snn, built, took)[..., np.argsort(order(snn.wiring.populations[-1].shape))]
    return Outcome(answers, spikes, by_step, took, None, sim.usage.seconds, 0.0, sim.usage.memory)


def _answers(snn: SpikingNetwork, built: Built, took: NDArray[np.int64]) -> NDArray[np.float32]:
    """What is read of the output's neurons, shape (images, steps, neurons); what an image left stays to its end."""
    classes, T, shown = len(built.groups[snn.graph.output]), built.steps, len(took)
    if snn.options.output == "potential":
        told = np.asarray(built.output.v[:], np.float32).T
        begins = np.append(0, np.cumsum(took)[:-1])
        return np.asarray(told[begins[:, None] + np.minimum(np.arange(T), took[:, None] - 1)])
    steps = np.round(np.asarray(built.output.t[:]) / float(DT)).astype(np.int64)
    spikes = np.zeros((shown * T, classes), np.float32)
    np.add.at(spikes, (steps, np.asarray(built.output.i[:])), 1)
    return spikes.reshape(shown, T, classes).cumsum(axis=1, dtype=np.float32)


def joined(parts: Sequence[Outcome], each: bool) -> Outcome:
    """What all parts did together."""

    def of_all(name: str, of: Callable[[Outcome], Mapping[str, Any]]) -> Any:
        found = [of(part)[name] for part in parts]
        return np.concatenate(found) if each else np.sum(found, axis=0)

    names = parts[0].spikes
    return Outcome(
        np.concatenate([part.potentials for part in parts]),
        {name: of_all(name, lambda part: part.spikes) for name in names},
        {name: np.sum([part.by_step[name] for part in parts], axis=0) for name in names},
        np.concatenate([part.took for part in parts]),
        None,
        sum(part.seconds for part in parts),
        0.0,
        max(part.memory for part in parts),
    )
