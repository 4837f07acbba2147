"""Every cut of a network, each way, from two programs: what each hybrid answers at each mark, and what it does for it.

First layers that spike do the same whatever follows, so that one run of the whole network has the answers of all
hybrids whose first layers spike. Those whose last layers spike share the program of `biosnn.conversion.hybrid.clamped`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from biosnn.ann.images import check_images
from biosnn.ann.reference import reference
from biosnn.conversion.hybrid.clamped import PROCESSES, Totals, last_layers, lean
from biosnn.conversion.hybrid.cutting import relus
from biosnn.conversion.hybrid.network import HybridNetwork, analog_remainder, check_marks, decoded, marks_to, to_hybrid
from biosnn.conversion.hybrid.outcome import HybridOutcome
from biosnn.conversion.network import SpikingNetwork
from biosnn.conversion.outcome import Outcome
from biosnn.conversion.running import Program, RunSettings, check_labels, joined, read_part
from biosnn.display import Brief
from biosnn.engine import Simulation
from biosnn.errors import ConversionError, field_error

FIRST, LAST, ALL = "first", "last", "all"


@dataclass(frozen=True, eq=False)
class Cut(Brief):
    """A hybrid, and what it did.

    Parameters
    ----------
    side : {"first", "last", "all"}
        Which layers spike.
    layers : int
        How many ReLU layers do.
    net : HybridNetwork
        The hybrid.
    outcome : HybridOutcome
        What it did.
    """

    side: str
    layers: int
    net: HybridNetwork
    outcome: HybridOutcome

    @property
    def name(self) -> str:
        """What it is called."""
        return self.side if self.side == ALL else f"{self.side} {self.layers}"


@dataclass(frozen=True, eq=False)
class Cuts(Brief):
    """What hybrids did that a network was cut into.

    Parameters
    ----------
    cuts : list of Cut
        First layers that spike, last layers, and all.
    errors : ndarray, shape (layers, marks)
        Root mean square difference of decoded rates and activations, relative to that of the activations, where all
        layers spike.
    rates : ndarray, shape (layers,)
        Spikes per neuron and step, where all layers spike.
    """

    cuts: list[Cut]
    errors: NDArray[np.float64]
    rates: NDArray[np.float64]


def try_cuts(
    whole: SpikingNetwork,
    images: ArrayLike,
    labels: ArrayLike,
    T: int,
    *,
    sim: Simulation,
    marks: Sequence[int] | None = None,
    cuts: int = 0,
) -> Cuts:
    """Cut a network behind its ReLU layers, and let either side spike.

    Parameters
    ----------
    whole : SpikingNetwork
        The network with all its layers spiking, under constant currents, of two ReLU layers or more.
    images : array_like, shape (n, *shape of the input)
        What is shown.
    labels : array_like of int, shape (n,)
        The true classes.
    T : int
        For how many steps each image is shown.
    sim : Simulation
        An open session, whose program so far is given up.
    marks : sequence of int, optional
        After how many steps there is an answer; by default `marks_to` T.
    cuts : int
        About how many cuts each way; 0: all.

    Returns
    -------
    Cuts

    Raises
    ------
    ConversionError
        If the network has other options or fewer layers, or images, labels or marks do not fit.
    """
    options, layers = whole.options, len(relus(whole.graph))
    given = (options.code, options.input, options.output)
    if given != ("rate", "analog", "potential"):
        expected = "a network of the code 'rate', the input 'analog' and the output 'potential'"
        raise ConversionError(field_error("try_cuts", expected, given))
    if layers < 2:
        raise ConversionError(field_error("try_cuts", "a network of two ReLU layers or more", layers))
    inputs = check_images(whole.graph, images)
    classes = check_labels(labels, len(inputs), whole.graph)
    assert classes is not None
    told = marks_to(T) if marks is None else check_marks(marks, T)
    many = thinned(layers, cuts)
    first = [to_hybrid(whole, f"first {k}") for k in (*many, layers)]
    run_settings = RunSettings(T, True, None, "float32", None, None, told)
    begun = first_layers(sim, whole, first, inputs, classes, run_settings)
    tried = [Cut(FIRST, k, net, did) for k, net, did in zip(many, first, begun.outcomes, strict=False)]
    last = [to_hybrid(whole, f"last {k}") for k in many]
    ended = last_layers(sim, whole, last, inputs, replace(run_settings, each=False))
    for k, net, (did, totals, outputs) in zip(many, last, ended, strict=True):
        tried.append(Cut(LAST, k, net, outcome_of(net, did, totals, outputs, classes, np.array(told))))
    tried.append(Cut(ALL, layers, first[-1], begun.outcomes[-1]))
    return Cuts(tried, begun.errors, begun.rates)


def thinned(layers: int, cuts: int) -> list[int]:
    """How many layers spike at each cut that is tried: some of 1 to one less than there are."""
    every = np.arange(1, layers)
    if not cuts or cuts >= len(every):
        return [int(k) for k in every]
    return sorted({int(k) for k in np.linspace(1, layers - 1, cuts).round()})


@dataclass(frozen=True, eq=False)
class Begun(Brief):
    """What comes of one run of the whole network.

    Parameters
    ----------
    outcomes : list of HybridOutcome
        Of each hybrid.
    errors : ndarray, shape (layers, marks)
        Of rates.
    rates : ndarray, shape (layers,)
        Spikes per neuron and step.
    """

    outcomes: list[HybridOutcome]
    errors: NDArray[np.float64]
    rates: NDArray[np.float64]


def first_layers(
    sim: Simulation,
    whole: SpikingNetwork,
    nets: list[HybridNetwork],
    images: NDArray[np.float32],
    labels: NDArray[np.int64],
    run_settings: RunSettings,
) -> Begun:
    """What hybrids do whose first layers spike, and the whole network, which is the last of them: from one run."""
    marks, names = np.array(run_settings.marks), relus(whole.graph)
    rests = [analog_remainder(net.stages[1].piece) if len(net.stages) > 1 else None for net in nets]
    computed, totals = reference(whole.graph), Totals({})

    def read(built: Any, part: slice) -> Any:
        counters, n_images = built.spike_counters, part.stop - part.start
        totals.add({name: counter.read_marks(n_images) for name, counter in counters.items()})
        values = {name: decoded(whole, name, counter.read_sums(n_images), marks) for name, counter in counters.items()}
        outcome = read_part(sim, whole, run_settings, built, part)
        part_images = images[part]
        pixels = {whole.graph.input.name: part_images}
        answers = [rest(pixels, values) if rest else _potentials(outcome, marks) for rest in rests]
        meant = computed.activations(part_images, names)
        off = np.array([_squares(values[name] - meant[name][:, None]) for name in names])
        squares = np.array([float((meant[name] ** 2).sum()) for name in names])
        return lean(outcome), answers, off, squares

    program = Program(sim, whole, run_settings, -(-len(images) // PROCESSES))
    parts = program.run([whole], images, read)[0]
    did = joined([part[0] for part in parts], False)
    outputs = [np.concatenate([part[1][k] for part in parts]) for k in range(len(nets))]
    ended = zip(nets, outputs, strict=True)
    outcomes = [outcome_of(net, did, totals.counts, out, labels, marks) for net, out in ended]
    errors = np.sqrt(np.sum([part[2] for part in parts], axis=0) / np.sum([part[3] for part in parts], axis=0)[:, None])
    neuron_steps = len(images) * run_settings.T
    return Begun(outcomes, errors, np.array([totals.counts[name][-1].mean() / neuron_steps for name in names]))


def _squares(off: NDArray[np.float32]) -> NDArray[np.float64]:
    """Sums of squares at each mark."""
    return np.asarray((off.reshape(*off.shape[:2], -1) ** 2).sum(axis=(0, 2)), float)


def _potentials(outcome: Outcome, marks: NDArray[np.int64]) -> NDArray[np.float32]:
    return np.asarray(outcome.potentials[:, marks - 1] / marks[:, None], np.float32)


def outcome_of(
    net: HybridNetwork,
    did: Outcome,
    totals: dict[str, NDArray[np.int64]],
    outputs: NDArray[np.float32],
    labels: NDArray[np.int64],
    marks: NDArray[np.int64],
) -> HybridOutcome:
    """The outcome of a hybrid with one stage that spikes, from what a larger network did that has its layers."""
    stages: list[Outcome | None] = []
    counts: dict[str, NDArray[np.int64]] = {}
    for stage in net.stages:
        if stage.snn is None:
            stages.append(None)
            continue
        names = [population.name for population in stage.snn.network.populations if population.name in totals]
        counts = {name: totals[name] for name in names}
        by_step = {name: did.by_step[name] for name in names}
        spikes = {name: totals[name][-1:] for name in names}
        stages.append(replace(did, spikes=spikes, sent={}, by_step=by_step))  # what was sent has been decoded
    return HybridOutcome(outputs, marks, labels, tuple(stages), 0, counts)
