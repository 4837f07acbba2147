"""Part 3, depth: how much of an image is left after each of several layers of LIF neurons, under each coding.

The network has learned nothing: its weights are random, so that what a layer loses is lost to integration, threshold
and leak, not to learning that suits one coding more than another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from brian2 import Mohm, Network, SpikeMonitor, ms, mV, pF, second
from numpy.typing import NDArray

import biosnn
from biosnn.coding import Coding
from biosnn.datasets import Dataset
from biosnn.engine import Point
from biosnn.errors import CodingError, field_error
from biosnn.inputs import playback
from biosnn.learning import present
from biosnn.measure import accuracy, decode, layer_activity, survival

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
GAINS = (1.5, 1.75, 2.0, 2.5, 3.0, 4.0)


@dataclass(frozen=True, eq=False)
class Depth:
    """What is left in each layer; layer 0 are the inputs.

    Parameters
    ----------
    codings : tuple of str
    chance : float
        Accuracy of always naming the class that is most frequent in training.
    gains : ndarray, shape (gains,)
        Gains of the later layers that were tried.
    gain : ndarray, shape (codings,)
        That which each coding is given.
    scale : ndarray, shape (codings,)
        Gain of the first layer: standard deviation of what one spike of every pixel adds up to, in thresholds.
    tried : ndarray, shape (codings, gains)
        Accuracy of counts with each gain, the mean over the layers after the first, on images that are not those of the
        test.
    ratio : ndarray, shape (codings, gains)
        With each gain, spikes of the last layer for each of the first.
    spikes : ndarray, shape (codings, seeds, layers + 1)
        Spikes a neuron an image.
    survival : ndarray, the same shape
        Spikes for each spike of the first layer, r_l/r_1.
    silent : ndarray, the same shape
        Share of neurons that no image makes spike.
    reached : ndarray, the same shape
        Share of images that make any neuron spike.
    latency : ndarray, the same shape
        Median time (s) of a neuron's first spike after the onset of an image; NaN in a silent layer.
    counts : ndarray, the same shape
        Accuracy of a linear decoder of spike counts.
    firsts : ndarray, the same shape
        Accuracy of a linear decoder of how early first spikes are.
    """

    codings: tuple[str, ...]
    chance: float
    gains: Floats
    gain: Floats
    scale: Floats
    tried: Floats
    ratio: Floats
    spikes: Floats
    survival: Floats
    silent: Floats
    reached: Floats
    latency: Floats
    counts: Floats
    firsts: Floats


FIRST_LAYER = "1"
LAYERED = ("spikes", "survival", "silent", "reached", "latency", "counts", "firsts")


def run_depth(
    codings: Mapping[str, Coding],
    data: Dataset,
    settings: Any,
    sim: Any,
    *,
    seeds: int = 3,
    gains: Sequence[float] = GAINS,
) -> Depth:
    """Send images through layers of LIF neurons, and see what is left of them.

    Weights between layers are normal with mean 0 and standard deviation g/sqrt(sources), in units of the weight that
    brings a resting neuron just to its threshold. One rule sets g for all codings, and gives each what suits it:

    - The first layer's g is such that its neurons spike once an image on average. So no coding is at a disadvantage
      because it has few spikes, or at an advantage because it has many.
    - That of all later layers is the least among ``gains`` with which a linear decoder of spike counts names as many
      classes as with the best, but for one standard error, on average over these layers, on images that are not those
      of the test (the one-standard-error rule: Hastie, Tibshirani & Friedman 2009, The Elements of Statistical
      Learning, section 7.10). A larger gain costs spikes, and so has to show that it is better.

    An image lasts twice ``depth_duration``: its spikes come in the first half, and the second half is for what is still
    on its way. Then every neuron is put to rest, and the next image begins. A spike takes one time step to the next
    layer. Two thirds of the images are for decoders to learn from, one third for the test.

    Parameters
    ----------
    codings : mapping of str to Coding
        With a neuron for each pixel, and no longer than ``depth_duration``.
    data : Dataset
    settings : object
        Has ``depth_layers``, ``depth_width`` (neurons a layer), ``depth_images``, ``depth_duration`` and ``dt``.
    sim : Simulation
        An open session; it begins a new program.
    seeds : int
        How many networks each coding gets. A seed decides on weights, images and the chance in codings.
    gains : sequence of float
        What is tried for the later layers.

    Raises
    ------
    CodingError
        If a coding lasts too long or has other neurons than one for each pixel.
    """
    sim.reset(dt=settings.dt)
    bench = _Bench(codings, data, settings, sim, seeds)
    scale = bench.calibrate()
    tried, ratio = bench.tune(scale, np.sort(gains))
    gain = np.sort(gains)[_least(tried, bench.learned - bench.tuned)]
    table = bench.measure(scale, gain)
    return Depth(tuple(codings), bench.chance, np.sort(gains), gain, scale, tried, ratio, **table)


def depth_arrays(depth: Depth) -> dict[str, Any]:
    """The arrays of a result: ``"depth spikes"`` and so on, as in `Depth`."""
    arrays = {f"depth {field.name}": np.asarray(getattr(depth, field.name)) for field in fields(depth)}
    return {**arrays, "depth latency": depth.latency * second}


def depth_values(depth: Depth) -> dict[str, float]:
    """A few numbers: of each coding, what the last layer tells.

    The accuracy is that of the linear decoder, of counts or of first spikes, that is better on average over the seeds.
    """
    last = depth.counts.shape[-1] - 1
    best = np.maximum(depth.counts.mean(axis=1), depth.firsts.mean(axis=1))
    found = {"chance in depth": depth.chance}
    for number, name in enumerate(depth.codings):
        found[f"accuracy after {last} layers of {name}"] = float(best[number, last])
    return found


# ---- the network ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Shown:
    """Images as they are shown to one network: their classes, and the steps, neurons and numbers of the spikes."""

    labels: Whole
    steps: Whole
    neurons: Whole

    def take(self, first: int, window: int) -> _Shown:
        """The first few images."""
        kept = self.steps < first * window
        return _Shown(self.labels[:first], self.steps[kept], self.neurons[kept])


class _Bench:
    """The network, and what is shown to it."""

    def __init__(self, codings: Mapping[str, Coding], data: Dataset, settings: Any, sim: Any, seeds: int) -> None:
        self.sim, self.seeds = sim, seeds
        self.layers, self.width = settings.depth_layers, settings.depth_width
        self.half = round(float(settings.depth_duration / settings.dt))
        self.window, self.dt = 2 * self.half, settings.dt
        self.pixels = int(np.prod(data.images.shape[1:]))
        images = min(settings.depth_images, len(data.labels))
        self.learned = max(2 * images // 3, 1)
        # Of those to learn from, the first ones train the decoder while gains are tried, and the others test it.
        self.tuned = max(2 * self.learned // 3, 1)
        chosen = [np.random.default_rng([sim.seed, s]).permutation(len(data.labels))[:images] for s in range(seeds)]
        self.shown = [[self._show(name, c, data, chosen[s], s) for s in range(seeds)] for name, c in codings.items()]
        blind = [self._accuracy(shown.labels, np.zeros((images, 1)), self.learned) for shown in self.shown[0]]
        self.chance = float(np.mean(blind))
        self._build(max(len(shown.steps) for row in self.shown for shown in row))

    def _show(self, name: str, coding: Coding, data: Dataset, chosen: Whole, seed: int) -> _Shown:
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
        return _Shown(data.labels[chosen], *np.divmod(pairs, self.pixels))

    def _build(self, capacity: int) -> None:
        self.inputs = playback(self.pixels, capacity=max(capacity, 1), name="pixels")
        # All layers are one group, of which each projection sees a part: one loop instead of many.
        self.cells = biosnn.neurons(self.layers * self.width, "lif_exp", values={**LIF, "v": LIF["v_rest"]}, name="lif")
        self.cells.run_regularly("v = v_rest; I_exc = 0*amp", dt=self.window * self.dt, when="start")
        parts = [self.cells[n * self.width : (n + 1) * self.width] for n in range(self.layers)]
        kind = {"onto": "I_exc", "gain": ONE, "connect": biosnn.Dense()}
        self.ways = [
            biosnn.synapses(before, after, "static", name=f"way_{number}", **kind)
            for number, (before, after) in enumerate(zip([self.inputs, *parts], parts, strict=False))
        ]
        self.monitor = SpikeMonitor(self.cells)
        self.network = Network(self.inputs, self.cells, *self.ways, self.monitor)
        self.prepared: Any = None

    def weights(self, seed: int, first: float, later: float) -> dict[str, Floats]:
        """Normal weights of a network, which differ between gains by their scale only."""
        rng, found = np.random.default_rng([self.sim.seed, seed]), {}
        for number, way in enumerate(self.ways):
            sources = self.width if number else self.pixels
            drawn = rng.normal(0, (later if number else first) / np.sqrt(sources), sources * self.width)
            found[f"{way.name}.w"] = drawn
        return found

    def run(self, points: Sequence[tuple[_Shown, dict[str, Floats]]]) -> list[_Answer]:
        """Show images to networks."""
        full = [
            Point(
                {**self.inputs.spikes(shown.steps, shown.neurons), **weights},
                durations=np.array([len(shown.labels)]) * self.window * self.dt,
            )
            for shown, weights in points
        ]

        def program() -> None:
            self.sim.run(self.network, self.window * self.dt, "sending images through layers")

        self.prepared = self.prepared or self.sim.prepare(self.network, program, full[0])
        answers: list[_Answer] = self.prepared.run(full, lambda number: self._read(points[number][0]))
        return answers

    def _read(self, shown: _Shown) -> _Answer:
        steps = np.rint(np.asarray(self.monitor.t / self.dt)).astype(np.int64)
        cells = np.asarray(self.monitor.i[:], dtype=np.int64)
        images = len(shown.labels)
        layers = [_counted(shown.steps, shown.neurons, images, self.pixels, self.window)]
        found = _counted(steps, cells, images, self.layers * self.width, self.window)
        parts = [slice(n * self.width, (n + 1) * self.width) for n in range(self.layers)]
        return _Answer(shown.labels, [*layers, *((found[0][:, part], found[1][:, part]) for part in parts)])

    # ---- one rule for all codings ----------------------------------------------------------------------------------

    def calibrate(self) -> Floats:
        """The gain of the first layer for each coding."""
        few = min(CALIBRATED_BY, self.learned)
        points = [
            (shown.take(few, self.window), self.weights(seed, scale, 0))
            for row in self.shown
            for scale in SCALES
            for seed, shown in enumerate(row)
        ]
        rates = np.array([answer.layers[1][0].mean() for answer in self.run(points)])
        rates = rates.reshape(-1, len(SCALES), self.seeds).mean(axis=2)
        # More weight may mean fewer spikes by chance; the interpolation wants numbers that rise.
        rising = np.maximum.accumulate(rates, axis=1)
        # A neuron that nothing brings to the target takes the largest.
        return np.array([np.exp(np.interp(TARGET, row, np.log(SCALES))) for row in rising])

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
            (shown, self.weights(seed, scale[number], gain[number]))
            for number, row in enumerate(self.shown)
            for seed, shown in enumerate(row)
        ]
        found = [self._measured(answer) for answer in self.run(points)]
        shape = (len(self.shown), self.seeds, self.layers + 1)
        return {name: np.reshape([one[name] for one in found], shape) for name in LAYERED}

    def _measured(self, answer: _Answer) -> dict[str, list[float]]:
        counts = {str(layer): counts for layer, (counts, _) in enumerate(answer.layers)}
        firsts = {str(layer): first for layer, (_, first) in enumerate(answer.layers)}
        # With one step for a whole image, rates are spikes an image.
        found = layer_activity(
            counts, steps=1, firsts=firsts, labels=answer.labels, learned=self.learned, first=FIRST_LAYER
        )
        early = [1 - first / self.window for first in firsts.values()]
        return {
            "spikes": [layer.rate for layer in found],
            "survival": [layer.survival for layer in found],
            "silent": [layer.silent for layer in found],
            "reached": [layer.reached for layer in found],
            "latency": [layer.latency * float(self.dt) for layer in found],
            "counts": [layer.decoded for layer in found],
            "firsts": [self._accuracy(answer.labels, seen, self.learned) for seen in early],
        }

    def _accuracy(self, labels: Whole, seen: Floats | Whole, learned: int) -> float:
        """Accuracy of a linear decoder, learned from the first images and tested on the others."""
        return accuracy(decode(seen, labels, learned), labels[learned:])


@dataclass(frozen=True, eq=False)
class _Answer:
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


def _least(tried: Floats, images: int) -> Whole:
    """The place of the first accuracy that is within one standard error of the best, for each row."""
    best = tried.max(axis=1, keepdims=True)
    return np.asarray(np.argmax(tried >= best - np.sqrt(best * (1 - best) / max(images, 1)), axis=1))


def _counted(steps: Whole, neurons: Whole, images: int, size: int, window: int) -> tuple[Whole, Whole]:
    """Spike counts and first steps of each neuron in each image; the length of the window where there is none."""
    image, step = np.divmod(steps, window)
    cell = image * size + neurons
    first = np.full(images * size, window)
    np.minimum.at(first, cell, step)
    return np.bincount(cell, minlength=images * size).reshape(images, size), first.reshape(images, size)
