"""Show images to a converted network: many in one simulation, spread over the cores, its answer at every time step."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from biosnn.conversion.first_spikes import build_first_spikes
from biosnn.conversion.images import check_images
from biosnn.conversion.membrane import DT
from biosnn.conversion.network import Built, build, duration, frames
from biosnn.conversion.spiking import SpikingNetwork
from biosnn.conversion.tally import MOST_STEPS
from biosnn.engine import Simulation, session
from biosnn.errors import ConversionError, field_error
from biosnn.measure import accuracy

TOGETHER = 20
"""How many images one process shows before the next are handed out."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a converted network answered.

    Parameters
    ----------
    potentials : ndarray of float32, shape (images, steps, classes)
        What is read of the output at the end of each step: membrane potentials, or spikes so far. Divided by the number
        of the step, potentials are what the ordinary network computes.
    spikes : mapping of str to ndarray of int
        For each population that spikes, how often each neuron fired: shape (images, neurons) if each image was counted
        by itself, else (1, neurons). Neurons of layers of images are in the order (row, column, channel). Inputs that
        spike are "on" and "off".
    by_step : mapping of str to ndarray of int, shape (steps,)
        For each of them, its spikes in each step, of all images.
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
    labels: NDArray[np.int64] | None
    seconds: float
    elapsed: float
    memory: int

    @property
    def steps(self) -> int:
        """How long each image was shown."""
        return int(self.potentials.shape[1])

    def decided(self, T: int | None = None) -> NDArray[np.int64]:
        """The class of the largest output after T steps, by default all; shape (images,)."""
        steps = self.steps if T is None else T
        if not 1 <= steps <= self.steps:
            raise ConversionError(field_error("Outcome, T", f"1 to {self.steps} steps", T))
        return np.asarray(self.potentials[:, steps - 1].argmax(axis=-1))

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
        right = self.potentials.argmax(axis=-1) == self.labels[:, None]
        return np.asarray(right.mean(axis=0))

    def agreement(self, decided: NDArray[np.int64], T: int | None = None) -> float:
        """In which part of the images it decides as another network does."""
        return accuracy(self.decided(T), decided)

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
    shown = check_images(snn.graph, images)
    right = _labels(labels, len(shown))
    if isinstance(T, bool) or not isinstance(T, int | np.integer) or not 1 <= T <= MOST_STEPS:
        raise ConversionError(field_error("run, T", f"1 to {MOST_STEPS} steps", T))
    if sim is None:
        with session(target, seed=seed) as opened:
            return _run(opened, snn, shown, right, int(T), each, precision, jobs, report)
    return _run(sim, snn, shown, right, int(T), each, precision, jobs, report)


def _labels(labels: ArrayLike | None, images: int) -> NDArray[np.int64] | None:
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
    T: int,
    each: bool,
    precision: str,
    jobs: int | None,
    report: Callable[[float], None] | None,
) -> Outcome:
    sim.reset(dt=DT, precision=precision)
    pixels = frames(snn, images)
    make = build if snn.options.code == "rate" else build_first_spikes
    built = make(snn, T, min(TOGETHER, len(pixels)), each=each)
    parts = [pixels[start : start + built.shown] for start in range(0, len(pixels), built.shown)]
    points = [_point(built, part, sim.seed + number) for number, part in enumerate(parts)]
    prepared = sim.prepare(built.network, lambda: sim.run(built.network, duration(built.shown, built.steps)), points[0])
    counts = iter(len(part) for part in parts)
    begin = time.perf_counter()
    found = prepared.run(points, lambda: _read(sim, snn, built, next(counts)), jobs=jobs, report=report)
    return replace(_joined(found, each), labels=labels, elapsed=time.perf_counter() - begin)


def _point(built: Built, part: NDArray[np.float32], seed: int) -> dict[str, Any]:
    """Images to show in one run, the last of which may be fewer."""
    shown = np.resize(part, (built.shown, part.shape[1]))
    return {"pictures.pixels": shown.ravel(), "seed": seed % 2**32, "durations": [duration(len(part), built.steps)]}


def _read(sim: Simulation, snn: SpikingNetwork, built: Built, shown: int) -> Outcome:
    tallies = {name: tally.read(shown) for name, tally in built.tallies.items()}
    spikes = {name: counts for name, (counts, _) in tallies.items()}
    by_step = {name: steps[: built.steps] for name, (_, steps) in tallies.items()}
    seconds, memory = sim.usage.seconds, sim.usage.memory
    return Outcome(_answers(snn, built, shown), spikes, by_step, None, seconds, 0.0, memory)


def _answers(snn: SpikingNetwork, built: Built, shown: int) -> NDArray[np.float32]:
    """What is read of the output, shape (images, steps, classes)."""
    classes, T = len(built.groups[snn.graph.output]), built.steps
    if snn.options.output == "potential":
        potentials = np.asarray(built.output.v[:], np.float32)[:, : shown * T]
        return np.ascontiguousarray(potentials.T.reshape(shown, T, classes))
    steps = np.round(np.asarray(built.output.t[:]) / float(DT)).astype(np.int64)
    spikes = np.zeros((shown * T, classes), np.float32)
    np.add.at(spikes, (steps, np.asarray(built.output.i[:])), 1)
    return spikes.reshape(shown, T, classes).cumsum(axis=1, dtype=np.float32)


def _joined(parts: Sequence[Outcome], each: bool) -> Outcome:
    def of_all(name: str, of: Callable[[Outcome], Mapping[str, Any]]) -> Any:
        found = [of(part)[name] for part in parts]
        return np.concatenate(found) if each else np.sum(found, axis=0)

    names = parts[0].spikes
    return Outcome(
        np.concatenate([part.potentials for part in parts]),
        {name: of_all(name, lambda part: part.spikes) for name in names},
        {name: np.sum([part.by_step[name] for part in parts], axis=0) for name in names},
        None,
        sum(part.seconds for part in parts),
        0.0,
        max(part.memory for part in parts),
    )
