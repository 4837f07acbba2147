"""Layers of neurons with random weights. Where does activity die out, and does theory predict it?

Nothing is learned and nothing is converted here, so that only the neuron and the scale of weights can be at fault.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from brian2 import Network, SpikeMonitor, ms, second
from numpy.typing import NDArray

from biosnn.display import Brief
from biosnn.engine import Point, Simulation
from biosnn.groups.build import neurons, synapses
from biosnn.inputs import playback
from biosnn.measure import extinction_depth, layer_activity
from biosnn.projection import Conv2D, Dense, OneToOne
from biosnn.propagation.limits import check_least
from biosnn.theory import binary_depth, critical_gain, mean_field

Floats = NDArray[np.float64]

DT = 1 * ms
# A step: leak, spikes of the step before arrive, threshold, reset. In Brian2's own order spikes arrive between
# threshold and reset, so that a hard reset wipes out what has just come, and leak a step before they count.
ORDER = ["start", "groups", "synapses", "thresholds", "resets", "end"]
HE, CRITICAL = 2.0, critical_gain(1)
GAINS = {"He": HE, "critical": CRITICAL}
# A chain of integrate-and-fire neurons that goes along: its drive and weights, in thresholds.
CHAIN, CHAIN_WEIGHT = 8, 0.9
NARROWED = ("binary", "hard")
# Each input spikes with one of two probabilities per step; which one makes the class.
RATES = (0.25, 0.75)
P0, SQUARED = float(np.mean(RATES)), float(np.mean(np.square(RATES)))


@dataclass(frozen=True)
class Kind:
    """A kind of neuron: a model of the catalogue, its reset, and its membrane time constant (steps) if it has one."""

    model: str
    reset: str
    tau: float | None = None

    @property
    def decay(self) -> float:
        """What a step leaves of the potential."""
        return float(np.exp(-1 / self.tau)) if self.tau else 1.0


def kinds(tau: float) -> dict[str, Kind]:
    """What is compared: with a leak that leaves nothing, lif_soft is a binary neuron, and if_soft without a leak."""
    return {
        "binary": Kind("lif_soft", "soft", 1e-3),
        "hard": Kind("if_hard", "hard"),
        "soft": Kind("lif_soft", "soft", 1e9),
        "leak": Kind("lif_soft", "soft", tau),
    }


LEAST = {
    "layers": 3,
    "width": 20,
    "steps": 5,
    "classes": 2,
    "inputs": 12,
    "seeds": 2,
    "tau": 0.1,
    "thresholds": 0.01,
}
"""What a field of `RandomNetworks`, or each of its elements, is at least."""


@dataclass(frozen=True)
class RandomNetworks:
    """Random networks of several kinds of neurons, gains and thresholds.

    Parameters
    ----------
    layers : int
        Layers of the random networks.
    width : int
        Neurons per layer of the random networks.
    steps : int
        Time steps that an input lasts in random networks.
    classes : int
        Classes of inputs to random networks.
    inputs : int
        Inputs to each random network; two thirds train the decoder.
    seeds : int
        Random networks of each sort.
    tau : float
        Membrane time constant of leaky neurons in random networks (steps).
    thresholds : tuple of float
        Thresholds tried at the weights of He.

    Raises
    ------
    SettingsError
        If a number is too small (`LEAST`).
    """

    layers: int = 50
    width: int = 128
    steps: int = 50
    classes: int = 4
    inputs: int = 48
    seeds: int = 3
    tau: float = 10.0
    thresholds: tuple[float, ...] = (0.5, 0.6, 0.75, 1.0, 1.4, 2.0, 2.8)

    def __post_init__(self) -> None:
        check_least(self, LEAST)


@dataclass(frozen=True)
class Case:
    """A network at one point: kind of neuron, gain n s**2, threshold, active neurons per layer, seed, inputs."""

    kind: str
    gain: float
    theta: float
    width: int
    seed: int
    inputs: int


@dataclass(frozen=True, eq=False)
class RandomResult(Brief):
    """What came out; layers are 1, 2 and so on, ``kinds`` and ``gains`` in the order of their names.

    Parameters
    ----------
    kinds, gains : tuple of str
    thresholds, widths : ndarray
    decoded_at : ndarray of int
        Layers at which a decoder was tried.
    rate, silent, reached, survival, latency : ndarray, shape (kinds, gains, seeds, layers)
        As in `biosnn.measure.LayerActivity`; latency counts from the step in which the input could first arrive.
    theory : ndarray, shape (kinds, gains, layers)
    decoded, information : ndarray, shape (kinds, gains, seeds, layers of decoded_at)
    scan : ndarray, shape (kinds, thresholds, seeds, layers)
        Rates at the weights of He.
    scan_theory : ndarray, shape (kinds, thresholds, layers)
    narrow : ndarray, shape (2, widths, seeds, layers)
        Rates at the weights of He in narrower layers, of the kinds `NARROWED`.
    same : float
        Largest difference of a rate, where twice the threshold has twice the weights.
    chain : ndarray, shape (2, neurons)
        Rates along a chain with soft and with hard reset, at a drive and weights of 0.9.
    """

    kinds: tuple[str, ...]
    gains: tuple[str, ...]
    thresholds: Floats
    widths: NDArray[np.int64]
    decoded_at: NDArray[np.int64]
    rate: Floats
    silent: Floats
    reached: Floats
    survival: Floats
    latency: Floats
    theory: Floats
    decoded: Floats
    information: Floats
    scan: Floats
    scan_theory: Floats
    narrow: Floats
    same: float
    chain: Floats

    @property
    def measured_depth(self) -> Floats:
        """Where the rate falls under 1 % in the scan: shape (kinds, thresholds, seeds)."""
        return np.asarray(extinction_depth(self.scan))

    @property
    def predicted_depth(self) -> Floats:
        """The same by theory: shape (kinds, thresholds)."""
        return np.asarray(extinction_depth(self.scan_theory))


def run_random(wanted: RandomNetworks, sim: Simulation) -> RandomResult:
    """Simulate all sorts of random networks, and predict them.

    Weights are normal with mean 0 and standard deviation sqrt(gain/width). A spike takes one step per layer; so layer l
    is looked at from l steps after the onset of an input, for as many steps as the input lasts. Then all neurons are
    put to rest, and the next input begins. Networks of one seed differ in neuron, gain and threshold only.

    Parameters
    ----------
    wanted : RandomNetworks
        Which networks.
    sim : Simulation
        An open session, whose program so far is given up; its seed is that of weights and inputs.
    """
    known, width, seeds = kinds(wanted.tau), wanted.width, range(wanted.seeds)
    widths = np.array([width // 4, width // 2, width])
    full, few = wanted.inputs, wanted.classes
    main = [Case(kind, gain, 1, width, s, full) for kind in known for gain in GAINS.values() for s in seeds]
    scan = [Case(k, HE, t, width, s, few) for k in known for t in wanted.thresholds for s in seeds]
    narrow = [Case(kind, HE, 1, int(n), s, few) for kind in NARROWED for n in widths for s in seeds]
    pair = [Case("soft", HE, 1, width, 0, few), Case("soft", 4 * HE, 2, width, 0, few)]
    answers = _simulate(wanted, sim, known, {*main, *scan, *narrow, *pair})
    at = _decoded_at(wanted.layers)
    table = [_measures(wanted, answers[case], at) for case in main]
    shape = (len(known), len(GAINS), len(seeds))
    by_name = {name: np.reshape([one[name] for one in table], (*shape, -1)) for name in table[0]}

    def rates(cases: Sequence[Case], sorts: int) -> Floats:
        shape = (sorts, -1, len(seeds), wanted.layers)
        return np.reshape([answers[case].counts.mean(axis=(0, 2)) / wanted.steps for case in cases], shape)

    one, two = (answers[case].counts.mean(axis=(0, 2)) / wanted.steps for case in pair)
    return RandomResult(
        kinds=tuple(known),
        gains=tuple(GAINS),
        thresholds=np.array(wanted.thresholds),
        widths=widths,
        decoded_at=at,
        theory=np.array([[predict(wanted, k, g, 1) for g in GAINS.values()] for k in known.values()]),
        scan=rates(scan, len(known)),
        scan_theory=np.array([[predict(wanted, k, HE, t) for t in wanted.thresholds] for k in known.values()]),
        narrow=rates(narrow, len(NARROWED)),
        same=float(np.abs(one - two).max()),
        chain=np.array([answers[Case(kind, HE, 1, width, 0, full)].chain for kind in ("soft", "hard")]),
        **by_name,
    )


def predict(wanted: RandomNetworks, kind: Kind, gain: float, theta: float) -> Floats:
    """Rates by theory: the recursion of binary neurons, the mean field of others."""
    if kind.decay == 0:
        return binary_depth(P0, gain, theta, wanted.layers)
    return mean_field(
        P0,
        gain,
        theta,
        wanted.layers,
        steps=wanted.steps,
        reset=kind.reset,
        decay=kind.decay,
        squared=SQUARED,
    )


def _decoded_at(layers: int) -> NDArray[np.int64]:
    some = np.array([1, 2, 3, 5, 8, 12, 20, 30, 40, 50])
    return np.append(some[some < layers], layers)


# ---- the networks --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Answer:
    """Spike counts and first steps (from 1), both of shape (inputs, layers, neurons), the classes of the inputs, and
    rates along the chain."""

    counts: NDArray[np.int64]
    firsts: NDArray[np.int64]
    labels: NDArray[np.int64]
    chain: Floats


def _simulate(wanted: RandomNetworks, sim: Simulation, known: dict[str, Kind], cases: set[Case]) -> dict[Case, _Answer]:
    """One program for each model, at the points that need it."""
    answers: dict[Case, _Answer] = {}
    for model in sorted({kind.model for kind in known.values()}):
        bench = _Bench(wanted, sim, model)
        some = sorted((case for case in cases if known[case.kind].model == model), key=repr)
        answers |= dict(zip(some, bench.run(some, known), strict=True))
    return answers


class _Bench:
    """All layers as one group, with inputs before it."""

    def __init__(self, wanted: RandomNetworks, sim: Simulation, model: str) -> None:
        sim.reset(dt=DT)
        self.wanted, self.sim = wanted, sim
        self.layers, self.width, self.steps = wanted.layers, wanted.width, wanted.steps
        # After the last step of an input, its last spikes need one step per layer.
        self.window = self.steps + self.layers + 1
        size = self.layers * self.width
        self.inputs = playback(self.width, capacity=self.width * self.steps * wanted.inputs, name="inputs")
        self.cells = neurons(size, model, name="cells")
        # Also what was still in transit is discarded.
        self.cells.run_regularly("v = 0", dt=self.window * DT, when="before_thresholds")
        first = synapses(self.inputs, self.cells[: self.width], "static", connect=Dense(), onto="v", name="first")
        # Layers side by side are the channels of one pixel, in as many groups as there are steps from layer to layer.
        inner = size - self.width
        block = Conv2D((1, 1, inner), channels=inner, kernel=1, groups=self.layers - 1)
        later = synapses(self.cells[:inner], self.cells[self.width :], "static", connect=block, onto="v", name="later")
        chain = neurons(CHAIN, model, name="chain")
        chain.z[0] = CHAIN_WEIGHT / DT
        along = synapses(chain[:-1], chain[1:], "static", connect=OneToOne(), onto="v", gain=CHAIN_WEIGHT, name="along")
        self.monitor, self.chain = SpikeMonitor(self.cells), SpikeMonitor(chain, record=False)
        self.network = Network(self.inputs, self.cells, first, later, chain, along, self.monitor, self.chain)
        self.network.schedule = ORDER

    def run(self, cases: Sequence[Case], known: dict[str, Kind]) -> list[_Answer]:
        """Let networks answer their inputs."""
        example = self._point(cases[0], known)

        def program() -> None:
            self.sim.run(self.network, self.window * DT, "sending spikes through random layers")

        prepared, answers = self.sim.prepare(self.network, program, example), []
        # The weights of a few points at a time are enough for memory.
        for start in range(0, len(cases), 8):
            part = cases[start : start + 8]
            points = [self._point(case, known) for case in part]
            answers += prepared.run(points, partial(self._read, part))
        return answers

    def _point(self, case: Case, known: dict[str, Kind]) -> Point:
        spikes, _ = self._shown(case)
        rng = np.random.default_rng([self.sim.seed, 1, case.seed])
        part, whole = np.arange(self.width) < case.width, (self.layers - 1, self.width)
        scale = np.sqrt(case.gain / case.width)
        first, later = rng.normal(0, scale, (self.width, self.width)), rng.normal(0, scale, (self.width, *whole))
        if case.width < self.width:
            # Neurons that do not take part get no weight, and so never spike.
            first, later = first * part, later * part
        values = {"first.w": first.ravel(), "later.w": later.ravel(), "cells.v_th": case.theta}
        if known[case.kind].tau:
            values["cells.tau_m"] = values["chain.tau_m"] = known[case.kind].tau * DT
        durations = np.array([case.inputs * self.window]) * DT
        return Point({**self.inputs.spikes(*spikes), **values}, durations=durations)

    def _shown(self, case: Case) -> tuple[tuple[Any, Any], NDArray[np.int64]]:
        """Steps and neurons of the inputs' spikes, and the classes."""
        rng = np.random.default_rng([self.sim.seed, 2, case.seed])
        classes = self.wanted.classes
        patterns = rng.permuted(np.resize(RATES, (classes, case.width)), axis=1)
        labels = np.arange(case.inputs) % classes
        spikes = rng.random((case.inputs, self.steps, case.width)) < patterns[labels][:, None, :]
        image, step, neuron = np.nonzero(spikes)
        return (image * self.window + step, neuron), labels

    def _read(self, part: Sequence[Case], number: int) -> _Answer:
        case = part[number]
        step = np.rint(np.asarray(self.monitor.t) / float(DT / second)).astype(np.int64)
        layer, neuron = np.divmod(np.asarray(self.monitor.i[:], dtype=np.int64), self.width)
        image, step = np.divmod(step, self.window)
        step -= layer + 1  # an input's first spikes reach layer l, counted from 0, l + 1 steps after they were played
        kept = (step >= 0) & (step < self.steps)
        shape = (case.inputs, self.layers, case.width)
        place = ((image * self.layers + layer) * case.width + neuron)[kept]
        firsts = np.full(np.prod(shape), self.steps)
        firsts[place[::-1]] = step[kept][::-1]  # they come in order of time, so that the first one is written last
        counts = np.bincount(place, minlength=int(np.prod(shape)))
        chain = np.asarray(self.chain.count[:]) / (case.inputs * self.window)
        return _Answer(counts.reshape(shape), firsts.reshape(shape) + 1, self._shown(case)[1], chain)


def _measures(wanted: RandomNetworks, answer: _Answer, at: NDArray[np.int64]) -> dict[str, list[float]]:
    """Measures of all layers, and those of a decoder in some."""
    names = [str(layer + 1) for layer in range(wanted.layers)]
    counts = {name: answer.counts[:, number] for number, name in enumerate(names)}
    firsts = {name: answer.firsts[:, number] for number, name in enumerate(names)}
    layers = layer_activity(counts, steps=wanted.steps, firsts=firsts)
    told = layer_activity({str(n): counts[str(n)] for n in at}, steps=wanted.steps, labels=answer.labels)
    measures = {
        name: [getattr(one, name) for one in layers] for name in ("rate", "silent", "reached", "survival", "latency")
    }
    return {**measures, **{name: [getattr(one, name) for one in told] for name in ("decoded", "information")}}
