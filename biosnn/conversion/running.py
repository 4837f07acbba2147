"""Show images to a converted network: many in one simulation, spread over the cores, its answer at every time step."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from biosnn.ann.connections import order
from biosnn.ann.graph import Graph
from biosnn.ann.images import check_images
from biosnn.conversion.build import Built, build, duration, parameters, pixel_sequence
from biosnn.conversion.first_spikes import build_first_spikes
from biosnn.conversion.membrane import DT
from biosnn.conversion.network import SpikingNetwork
from biosnn.conversion.outcome import Outcome
from biosnn.conversion.spike_counters import INTERVAL, MOST_STEPS
from biosnn.conversion.within_image.room import check_room
from biosnn.engine import Point, Simulation, session
from biosnn.errors import ConversionError, field_error
from biosnn.seeds import derived_seed

Read = TypeVar("Read")

TOGETHER = 20
"""How many images one process shows before the next are handed out."""
MOST_COUNTS = 2**23
"""How many counts of intervals a process keeps: with few populations, those of so many images."""


def run(
    snn: SpikingNetwork,
    images: ArrayLike,
    T: int = 64,
    *,
    labels: ArrayLike | None = None,
    each: bool = False,
    margin: float | None = None,
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
        The true classes.
    each : bool
        Whether the spikes of each neuron are kept for each image.
    margin : float, optional
        Go on to the next image as soon as the largest potential of the output is so far ahead of the second: as much as
        the ordinary network's output for the first would be ahead in one step, times steps. By default all images are
        shown for all steps. `Outcome.margin` finds one.
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
    inputs = check_images(snn.graph, images)
    classes, steps = check_labels(labels, len(inputs), snn.graph), check_steps(T)
    check_room(snn, steps, "run, T")
    if margin is not None:
        _check_margin(snn, margin)
    run_settings = RunSettings(steps, each, margin, precision, jobs, report)
    if sim is None:
        with session(target, seed=seed) as opened:
            return _run(opened, snn, inputs, classes, run_settings)
    return _run(sim, snn, inputs, classes, run_settings)


@dataclass(frozen=True)
class RunSettings:
    """The parameters of `run`, and the steps up to which spikes are counted by themselves, the last being T."""

    T: int
    each: bool
    margin: float | None
    precision: str
    jobs: int | None
    report: Callable[[float], None] | None
    marks: tuple[int, ...] = ()


def _check_margin(snn: SpikingNetwork, margin: float) -> None:
    options = snn.options
    given = (options.code, options.input, options.output, options.reads_after, options.delay_per_layer)
    if given != ("rate", "analog", "potential", 0, 0):
        expected = "the code 'rate', the input 'analog', the output 'potential' and no delay for images that end early"
        raise ConversionError(field_error("run, margin", expected, given))
    if snn.network.populations[-1].neurons < 2:
        raise ConversionError(field_error("run, margin", "a network of two outputs or more", 1))
    if not 0 < margin < float("inf"):
        raise ConversionError(field_error("run, margin", "a number above 0", margin))


def check_steps(T: object) -> int:
    """How many steps per image is shown; `ConversionError` if that cannot be."""
    if isinstance(T, bool) or not isinstance(T, int | np.integer) or not 1 <= T <= MOST_STEPS:
        raise ConversionError(field_error("run, T", f"1 to {MOST_STEPS} steps", T))
    return int(T)


def check_labels(labels: ArrayLike | None, images: int, graph: Graph) -> NDArray[np.int64] | None:
    """The true class of each image; `ConversionError` if it does not fit, or is no output of the network."""
    if labels is None:
        return None
    classes_given = np.asarray(labels)
    if classes_given.shape != (images,) or classes_given.dtype.kind not in "iu":
        given = f"{classes_given.dtype} of shape {classes_given.shape}"
        do = "If a row has a 1 at its class, use labels.argmax(axis=1)." if classes_given.ndim == 2 else ""
        raise ConversionError(field_error("run, labels", f"{images} whole numbers, one for each image", given, do))
    outputs = graph[graph.output].neurons
    classes = max(outputs, 2)  # a single output is of two
    wrong = (classes_given < 0) | (classes_given >= classes)
    if wrong.any():
        first = int(np.argmax(wrong))
        expected = f"classes from 0 to {classes - 1}, as the network has {outputs} outputs"
        do = "Number the classes as the network was trained on them."
        raise ConversionError(field_error(f"labels[{first}]", expected, int(classes_given[first]), do))
    return classes_given.astype(np.int64)


def _run(
    sim: Simulation,
    snn: SpikingNetwork,
    images: NDArray[np.float32],
    labels: NDArray[np.int64] | None,
    run_settings: RunSettings,
) -> Outcome:
    parts, elapsed = in_parts(sim, snn, images, run_settings, partial(read_part, sim, snn, run_settings))
    return replace(joined(parts, run_settings.each), labels=labels, elapsed=elapsed)


def in_parts(
    sim: Simulation,
    snn: SpikingNetwork,
    images: NDArray[np.float32],
    run_settings: RunSettings,
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
    run_settings : RunSettings
        How.
    read : callable
        Given what was built, and which images were shown, reads what is wanted; asked in the order of the images.

    Returns
    -------
    (list, float)
        What was read, for each part of the images; and how long it took (s), when code had been generated.
    """
    program = Program(sim, snn, run_settings, min(TOGETHER, len(images)))
    begin = time.perf_counter()
    return program.run([snn], images, read)[0], time.perf_counter() - begin


class Program:
    """A converted network, ready to run on any images; if it is varied, with any thresholds and adjustments.

    Parameters
    ----------
    sim : Simulation
        An open session.
    snn : SpikingNetwork
        The network.
    run_settings : RunSettings
        How images are shown.
    together : int
        At most how many in one process.
    varied : bool
        Whether networks differ in thresholds and adjustments; then they are written for each process.
    """

    def __init__(
        self, sim: Simulation, snn: SpikingNetwork, run_settings: RunSettings, together: int, *, varied: bool = False
    ) -> None:
        self.sim, self.run_settings, self.varied = sim, run_settings, varied
        sim.reset(dt=DT, precision=run_settings.precision)
        intervals = max(len(run_settings.marks), 1)
        together = min(together, _most_together(snn, run_settings))
        if snn.options.code == "rate":
            built = build(
                snn,
                run_settings.T,
                together,
                each=run_settings.each,
                early=run_settings.margin is not None,
                intervals=intervals,
            )
        else:
            built = build_first_spikes(snn, run_settings.T, together, each=run_settings.each)
        self.built, blank = built, np.zeros((1, snn.graph.input.neurons), np.float32)
        total_time = duration(built.shown, built.steps)
        example = self._point(snn, blank, 0, parameters(snn) if varied else {})
        self.prepared = sim.prepare(built.network, lambda: sim.run(built.network, total_time), example)

    def run(
        self,
        networks: Sequence[SpikingNetwork],
        images: NDArray[np.float32],
        read: Callable[[Built, slice], Read],
        steps: int | None = None,
    ) -> list[list[Read]]:
        """Show images to networks; for each of these, what was read of each part of the images.

        Images are shown for as many steps as the program was made for, or, if it is varied, for fewer.
        """
        together, points, built = self.built.shown, [], replace(self.built, steps=steps or self.built.steps)
        parts = [slice(start, min(start + together, len(images))) for start in range(0, len(images), together)]
        for snn in networks:
            pixels = pixel_sequence(snn, images)
            shared_values = parameters(snn) if self.varied else {}  # which the points of a network share
            points += [
                self._point(snn, pixels[part], number, shared_values, steps) for number, part in enumerate(parts)
            ]
        all_parts = parts * len(networks)
        outcomes = self.prepared.run(
            points,
            lambda number: read(built, all_parts[number]),
            jobs=self.run_settings.jobs,
            report=self.run_settings.report,
        )
        return [outcomes[start : start + len(parts)] for start in range(0, len(outcomes), len(parts))]

    def _point(
        self,
        snn: SpikingNetwork,
        part: NDArray[np.float32],
        number: int,
        shared_values: Mapping[str, Any],
        steps: int | None = None,
    ) -> Point:
        """Images to show in one run, the last of which may be fewer."""
        built, run_settings = self.built, self.run_settings
        filled, lasts = np.resize(part, (built.shown, part.shape[1])), [duration(len(part), steps or built.steps)]
        point_values = {"pictures.pixels": filled.ravel(), **shared_values}
        if self.varied:
            point_values["pictures._steps"] = np.arange(built.shown) * (steps or built.steps)
        if run_settings.margin is not None:
            output = built.groups[snn.graph.output].name
            point_values |= {
                f"{output}._margin": run_settings.margin,
                f"{output}._length": built.steps,
                f"{output}._images": len(part),
            }
        if len(run_settings.marks) > 1:
            interval = np.searchsorted(run_settings.marks, np.arange(MOST_STEPS), side="right")
            point_values[f"pictures.{INTERVAL}"] = np.minimum(interval, len(run_settings.marks) - 1)
        return Point(point_values, seed=derived_seed(self.sim.seed, number), durations=lasts)


def _most_together(snn: SpikingNetwork, run_settings: RunSettings) -> int:
    """For how many images there is room to count the spikes of each interval."""
    apart = snn.network.ends
    if run_settings.each and len(run_settings.marks) > 1:
        apart = tuple(population.name for population in snn.network.hidden)
    counted = sum(snn.network[name].neurons for name in apart) * max(len(run_settings.marks), 1)
    return max(MOST_COUNTS // counted, 1) if counted else MOST_COUNTS


def read_part(sim: Simulation, snn: SpikingNetwork, run_settings: RunSettings, built: Built, part: slice) -> Outcome:
    """Read what a process did with some images."""
    n_images = part.stop - part.start
    spike_counters = {name: counter.read(n_images) for name, counter in built.spike_counters.items()}
    sums = {name: counter.read_sums(n_images)[:, -1] for name, counter in built.spike_counters.items()}
    spikes, sent = (
        {
            name: counted if run_settings.each else counted.sum(axis=0, keepdims=True)
            for name, counted in of_each.items()
        }
        for of_each in ({name: counts for name, (counts, _) in spike_counters.items()}, sums)
    )
    by_step = {name: steps[: built.steps] for name, (_, steps) in spike_counters.items()}
    firsts = {
        name: counter.read_firsts(n_images)
        for name, counter in built.spike_counters.items()
        if counter.firsts is not None
    }
    steps_used = np.full(n_images, built.steps)
    if run_settings.margin is not None:
        steps_used = np.asarray(built.groups[snn.graph.output].variables["_steps_used"].get_value(), np.int64)[
            :n_images
        ]
    if snn.network.ends:
        answers = np.empty((n_images, built.steps, 0), np.float32)
    else:
        answers = _answers(snn, built, steps_used)[..., np.argsort(order(snn.network.populations[-1].shape))]
        answers = _after(snn.options.reads_after, answers)
    return Outcome(answers, spikes, sent, by_step, firsts, steps_used, None, sim.usage.seconds, 0.0, sim.usage.memory)


def _answers(snn: SpikingNetwork, built: Built, steps_used: NDArray[np.int64]) -> NDArray[np.float32]:
    """What is read of the output's neurons, shape (images, steps, neurons); what an image left stays to its end."""
    classes, T, n_images = len(built.groups[snn.graph.output]), built.steps, len(steps_used)
    if snn.options.output == "potential":
        told = np.asarray(built.output.v[:], np.float32).T
        begins = np.append(0, np.cumsum(steps_used)[:-1])
        return np.asarray(told[begins[:, None] + np.minimum(np.arange(T), steps_used[:, None] - 1)])
    steps = np.round(np.asarray(built.output.t[:]) / float(DT)).astype(np.int64)
    spikes = np.zeros((n_images * T, classes), np.float32)
    np.add.at(spikes, (steps, np.asarray(built.output.i[:])), 1)
    return spikes.reshape(n_images, T, classes).cumsum(axis=1, dtype=np.float32)


def _after(delay: int, answers: NDArray[np.float32]) -> NDArray[np.float32]:
    """What was told after the delay, in such a measure that potentials over the number of the step stay outputs."""
    if not 0 < delay < answers.shape[1]:
        return answers
    steps = np.arange(1, answers.shape[1] + 1, dtype=np.float32)[delay:, None]
    later = (answers[:, delay:] - answers[:, delay - 1 : delay]) * (steps / (steps - delay))
    return np.concatenate([answers[:, :delay], later], axis=1)


def joined(parts: Sequence[Outcome], each: bool) -> Outcome:
    """What all parts did together."""

    def of_all(name: str, of: Callable[[Outcome], Mapping[str, Any]]) -> Any:
        pieces = [of(part)[name] for part in parts]
        return np.concatenate(pieces) if each else np.sum(pieces, axis=0)

    names = parts[0].spikes
    return Outcome(
        np.concatenate([part.potentials for part in parts]),
        {name: of_all(name, lambda part: part.spikes) for name in names},
        {name: of_all(name, lambda part: part.sent) for name in names},
        {name: np.sum([part.by_step[name] for part in parts], axis=0) for name in names},
        {name: np.concatenate([part.firsts[name] for part in parts]) for name in parts[0].firsts},
        np.concatenate([part.steps_used for part in parts]),
        None,
        sum(part.seconds for part in parts),
        0.0,
        max(part.memory for part in parts),
    )
