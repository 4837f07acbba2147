"""The network of `biosnn.propagation.coded_layers`, one program for all codings, and what is shown to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from brian2 import Mohm, Network, Quantity, SpikeMonitor, ms, mV, pF
from numpy.typing import NDArray

from biosnn.coding import Coding
from biosnn.datasets import Dataset
from biosnn.display import Brief
from biosnn.engine import Point, Simulation
from biosnn.errors import CodingError, field_error
from biosnn.groups.build import neurons, synapses
from biosnn.inputs import playback
from biosnn.learning import present
from biosnn.measure import accuracy, decode, layer_activity, survival
from biosnn.projection import Dense
from biosnn.propagation.limits import check_least

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

# The catalogue's `lif_exp`, at rest below its threshold. A weight of one brings it from rest just to the threshold: the
# potential peaks (tau_m/tau_exc)**(-tau_m/(tau_m - tau_exc)) = 4**(-4/3) = 0.157 of R I after a jump I of the current.
LIF = {
    "C": 200 * pF,
    "R": 100 * Mohm,
    "v_rest": -60 * mV,
    "v_th": -50 * mV,
    "v_reset": -60 * mV,
    "t_ref": 2 * ms,
    "tau_exc": 5 * ms,
}
ONE = 10 * mV / (100 * Mohm) * 4 ** (4 / 3)
# Spikes of a neuron of the first layer and an image to which every coding is brought, and the weights tried for it.
TARGET = 1.0
SCALES = 2.0 ** np.arange(-5, 4)
CALIBRATED_BY = 24
FIRST_LAYER = "1"
LAYERED = ("spikes", "survival", "silent", "reached", "latency", "counts", "firsts")
LEAST = {"layers": 1, "width": 1, "images": 3, "duration": 1 * ms}
"""What a field of `CodedLayers` is at least."""


@dataclass(frozen=True)
class CodedLayers:
    """Layers of LIF neurons with random weights, through which images go.

    Parameters
    ----------
    layers : int
        How many layers.
    width : int
        How many neurons per layer.
    images : int
        How many images go through them.
    duration : Quantity
        How long each is shown.

    Raises
    ------
    SettingsError, QuantityError
        If a number is too small (`LEAST`), or has another dimension.
    """

    layers: int = 10
    width: int = 100
    images: int = 300
    # A quantity is an array, which dataclasses take for a mutable default.
    duration: Quantity = field(default_factory=lambda: 50 * ms)

    def __post_init__(self) -> None:
        check_least(self, LEAST)


@dataclass(frozen=True, eq=False)
class Shown(Brief):
    """Images as they are shown to one network: their classes, and the steps, neurons and numbers of the spikes."""

    labels: Whole
    steps: Whole
    neurons: Whole

    def take(self, first: int, window: int) -> Shown:
        """The first few images."""
        kept = self.steps < first * window
        return Shown(self.labels[:first], self.steps[kept], self.neurons[kept])


class Bench:
    """The network, and what is shown to it."""

    def __init__(
        self,
        codings: Mapping[str, Coding],
        data: Dataset,
        wanted: CodedLayers,
        sim: Simulation,
        seeds: int,
        dt: Quantity,
    ) -> None:
        self.sim, self.seeds = sim, seeds
        self.layers, self.width = wanted.layers, wanted.width
        self.half = round(float(wanted.duration / dt))
        self.window, self.dt = 2 * self.half, dt
        self.pixels = int(np.prod(data.images.shape[1:]))
        images = min(wanted.images, len(data.labels))
        self.learned = max(2 * images // 3, 1)
        # Of those that train the decoder, the first train it while gains are tried, and the others validate.
        self.tuned = max(2 * self.learned // 3, 1)
        chosen = [np.random.default_rng([sim.seed, s]).permutation(len(data.labels))[:images] for s in range(seeds)]
        self.shown = [[self._show(name, c, data, chosen[s], s) for s in range(seeds)] for name, c in codings.items()]
        blind = [self._accuracy(presented.labels, np.zeros((images, 1)), self.learned) for presented in self.shown[0]]
        self.chance = float(np.mean(blind))
        self._build(max(len(presented.steps) for row in self.shown for presented in row))

    def _show(self, name: str, coding: Coding, data: Dataset, chosen: Whole, seed: int) -> Shown:
        if coding.length > self.half:
            expected = f"a duration of at most {self.half * self.dt}"
            raise CodingError(field_error(f"run_depth, {name}", expected, coding.duration, "Shorten it."))
        told = []
        for place, image in enumerate(chosen):
            rng = np.random.default_rng([self.sim.seed, seed, place])
            told.append(present(coding, data.images[image].ravel() / data.brightest, self.half, rng))
        steps = np.concatenate([spikes.steps + place * self.window for place, spikes in enumerate(told)])
        # A neuron that is named twice in a step spikes once.
        pairs = np.unique(steps * self.pixels + np.concatenate([spikes.neurons for spikes in told]))
        return Shown(data.labels[chosen], *np.divmod(pairs, self.pixels))

    def _build(self, capacity: int) -> None:
        self.inputs = playback(self.pixels, capacity=max(capacity, 1), name="pixels")
        # All layers are one group, of which each projection sees a part: one loop instead of many.
        self.cells = neurons(self.layers * self.width, "lif_exp", values={**LIF, "v": LIF["v_rest"]}, name="lif")
        self.cells.run_regularly("v = v_rest; I_exc = 0*amp", dt=self.window * self.dt, when="start")
        parts = [self.cells[n * self.width : (n + 1) * self.width] for n in range(self.layers)]
        kind = {"onto": "I_exc", "gain": ONE, "connect": Dense()}
        self.ways = [
            synapses(before, after, "static", name=f"way_{number}", **kind)
            for number, (before, after) in enumerate(zip([self.inputs, *parts], parts, strict=False))
        ]
        self.monitor = SpikeMonitor(self.cells)
        self.network = Network(self.inputs, self.cells, *self.ways, self.monitor)
        self.prepared: Any = None

    def weights(self, seed: int, first: float, later: float) -> dict[str, Floats]:
        """Normal weights of a network, which differ between gains by their scale only."""
        rng, weights = np.random.default_rng([self.sim.seed, seed]), {}
        for number, way in enumerate(self.ways):
            sources = self.width if number else self.pixels
            drawn = rng.normal(0, (later if number else first) / np.sqrt(sources), sources * self.width)
            weights[f"{way.name}.w"] = drawn
        return weights

    def run(self, points: Sequence[tuple[Shown, dict[str, Floats]]]) -> list[Answer]:
        """Show images to networks."""
        full = [
            Point(
                {**self.inputs.spikes(presented.steps, presented.neurons), **weights},
                durations=np.array([len(presented.labels)]) * self.window * self.dt,
            )
            for presented, weights in points
        ]

        def program() -> None:
            self.sim.run(self.network, self.window * self.dt, "sending images through layers")

        self.prepared = self.prepared or self.sim.prepare(self.network, program, full[0])
        answers: list[Answer] = self.prepared.run(full, lambda number: self._read(points[number][0]))
        return answers

    def _read(self, presented: Shown) -> Answer:
        steps = np.rint(np.asarray(self.monitor.t / self.dt)).astype(np.int64)
        cells = np.asarray(self.monitor.i[:], dtype=np.int64)
        images = len(presented.labels)
        layers = [_counted(presented.steps, presented.neurons, images, self.pixels, self.window)]
        counts = _counted(steps, cells, images, self.layers * self.width, self.window)
        parts = [slice(n * self.width, (n + 1) * self.width) for n in range(self.layers)]
        return Answer(presented.labels, [*layers, *((counts[0][:, part], counts[1][:, part]) for part in parts)])

    # ---- one rule for all codings ----------------------------------------------------------------------------------

    def calibrate(self) -> Floats:
        """The gain of the first layer for each coding."""
        few = min(CALIBRATED_BY, self.learned)
        points = [
            (presented.take(few, self.window), self.weights(seed, scale, 0))
            for row in self.shown
            for scale in SCALES
            for seed, presented in enumerate(row)
        ]
        rates = np.array([answer.layers[1][0].mean() for answer in self.run(points)])
        rates = rates.reshape(-1, len(SCALES), self.seeds).mean(axis=2)
        # More weight may mean fewer spikes by chance; the interpolation needs a rising curve.
        rising = np.maximum.accumulate(rates, axis=1)
        # A layer that no gain brings to the target takes the largest.
        return np.array([np.exp(np.interp(TARGET, curve, np.log(SCALES))) for curve in rising])

    def tune(self, scale: Floats, gains: Floats) -> tuple[Floats, Floats]:
        """With each gain of the later layers, the accuracy on images that are not those of the test, and survival."""
        points = [
            (row[0].take(self.learned, self.window), self.weights(0, scale[number], gain))
            for number, row in enumerate(self.shown)
            for gain in gains
        ]
        answers = self.run(points)
        tried = [
            np.mean([self._accuracy(answer.labels, counts, self.tuned) for counts, _ in answer.later])
            for answer in answers
        ]
        ratio = [answer.survival for answer in answers]
        shape = (len(self.shown), len(gains))
        return np.reshape(tried, shape), np.reshape(ratio, shape)

    def measure(self, scale: Floats, gain: Floats) -> dict[str, Floats]:
        """All measures of all layers."""
        points = [
            (presented, self.weights(seed, scale[number], gain[number]))
            for number, row in enumerate(self.shown)
            for seed, presented in enumerate(row)
        ]
        measured = [self._measured(answer) for answer in self.run(points)]
        shape = (len(self.shown), self.seeds, self.layers + 1)
        return {name: np.reshape([one[name] for one in measured], shape) for name in LAYERED}

    def _measured(self, answer: Answer) -> dict[str, list[float]]:
        counts = {str(layer): counts for layer, (counts, _) in enumerate(answer.layers)}
        firsts = {str(layer): first for layer, (_, first) in enumerate(answer.layers)}
        # With one step for a whole image, rates are spikes per image.
        activity = layer_activity(
            counts, steps=1, firsts=firsts, labels=answer.labels, learned=self.learned, first=FIRST_LAYER
        )
        early = [1 - first / self.window for first in firsts.values()]
        return {
            "spikes": [layer.rate for layer in activity],
            "survival": [layer.survival for layer in activity],
            "silent": [layer.silent for layer in activity],
            "reached": [layer.reached for layer in activity],
            "latency": [layer.latency * float(self.dt) for layer in activity],
            "counts": [layer.decoded for layer in activity],
            "firsts": [self._accuracy(answer.labels, seen, self.learned) for seen in early],
        }

    def _accuracy(self, labels: Whole, seen: Floats | Whole, learned: int) -> float:
        """Accuracy of a linear decoder, learned from the first images and tested on the others."""
        return accuracy(decode(seen, labels, learned), labels[learned:])


@dataclass(frozen=True, eq=False)
class Answer(Brief):
    """Of each layer, from the inputs on: spike counts and steps of first spikes, both of shape (images, neurons)."""

    labels: Whole
    layers: Sequence[tuple[Whole, Whole]]

    @property
    def later(self) -> Sequence[tuple[Whole, Whole]]:
        """The layers after the first, on which the gain of the later ones has an effect."""
        return self.layers[2:] or self.layers[1:]

    @property
    def survival(self) -> float:
        """Spikes of the last layer for each spike of the first; NaN where that is silent."""
        return float(survival([counts.mean() for counts, _ in self.layers[1:]])[-1])


def least(tried: Floats, images: int) -> Whole:
    """The place of the first accuracy that is within one standard error of the best, for each row."""
    best = tried.max(axis=1, keepdims=True)  # the standard error of a fraction p of n images is sqrt(p (1 - p)/n)
    return np.asarray(np.argmax(tried >= best - np.sqrt(best * (1 - best) / max(images, 1)), axis=1))


def _counted(steps: Whole, neurons: Whole, images: int, size: int, window: int) -> tuple[Whole, Whole]:
    """Spike counts and first steps of each neuron in each image; the length of the window where there is none."""
    image, step = np.divmod(steps, window)
    cell = image * size + neurons
    first = np.full(images * size, window)
    np.minimum.at(first, cell, step)
    return np.bincount(cell, minlength=images * size).reshape(images, size), first.reshape(images, size)
