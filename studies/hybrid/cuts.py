"""Every cut of a network, each way: what the hybrid answers at each mark, and what it does for that."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn.ann import reference
from biosnn.conversion import HybridNetwork, HybridOutcome, Outcome, SpikingNetwork, convert, decisions, to_hybrid
from biosnn.conversion.hybrid.cutting import relus
from biosnn.conversion.hybrid.network import decoded, goes_on
from biosnn.conversion.running import How, Program, joined, read_part
from biosnn.energy import HOROWITZ_45NM, PriceTable, read_prices
from biosnn.errors import SettingsError, field_error
from biosnn.study.ann_data import Pictures

from .clamped import PROCESSES, Totals, last_layers, lean

OPTIONS = ("neuron", "preset", "start", "method", "per", "alpha", "steps")
FIRST, LAST, ALL = "first", "last", "all"


@dataclass(frozen=True, eq=False)
class Cut:
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
class Measured:
    """What was measured.

    Parameters
    ----------
    settings : Settings
        Of the study.
    pictures : Pictures
        The network and its images.
    whole : SpikingNetwork
        The network whose layers all spike.
    ann : ndarray, shape (images, classes)
        What the ANN answers.
    cuts : list of Cut
        First layers, last layers, and all.
    errors : ndarray, shape (layers, marks)
        Root mean square difference of decoded rates and activations, relative to that of the activations, where all
        layers spike.
    rates : ndarray, shape (layers,)
        Spikes a neuron and step, where all layers spike.
    prices : PriceTable
        What operations cost.
    seed : int
        Of what is drawn at random: images, again.
    """

    settings: Any
    pictures: Pictures
    whole: SpikingNetwork
    ann: NDArray[np.float32]
    cuts: list[Cut]
    errors: NDArray[np.float64]
    rates: NDArray[np.float64]
    prices: PriceTable
    seed: int

    @property
    def marks(self) -> NDArray[np.int64]:
        """The steps at which there are answers."""
        return self.cuts[0].outcome.marks

    @property
    def right(self) -> NDArray[np.bool_]:
        """Which images are told right, shape (cuts, marks, images)."""
        labels = self.pictures.labels[:, None]
        return np.array([(decisions(cut.outcome.outputs) == labels).T for cut in self.cuts])

    @property
    def ann_right(self) -> NDArray[np.bool_]:
        """Which images the ANN tells right, shape (images,)."""
        return np.asarray(decisions(self.ann) == self.pictures.labels)


def measure(settings: Any, sim: Any, pictures: Pictures) -> Measured:
    """Run all of it."""
    prices = read_prices(settings.prices) if settings.prices else HOROWITZ_45NM
    whole = pictures.converted or convert(
        pictures.graph,
        pictures.calibration,
        percentile=settings.percentile or None,
        **{name: getattr(settings, name) for name in OPTIONS},
    )
    options = whole.options
    if (options.code, options.input, options.output) != ("rate", "analog", "potential"):
        expected = "a network of the code 'rate', the input 'analog' and the output 'potential'"
        raise SettingsError(field_error("model", expected, settings.model))
    layers = len(relus(whole.graph))
    if layers < 2:
        raise SettingsError(field_error("model", "a network of two ReLU layers or more", layers))
    marks = marks_to(settings.steps, settings.marks)
    many = thinned(layers, settings.cuts)
    ann = reference(whole.graph).outputs(pictures.test)
    first = [to_hybrid(whole, f"first {k}") for k in (*many, layers)]
    how = How(settings.steps, True, None, "float32", None, None, marks)
    begun = first_layers(sim, whole, first, pictures, how)
    cuts = [Cut(FIRST, k, net, did) for k, net, did in zip(many, first, begun.outcomes, strict=False)]
    last = [to_hybrid(whole, f"last {k}") for k in many]
    for k, net, ended in zip(
        many, last, last_layers(sim, whole, last, pictures.test, replace(how, each=False)), strict=True
    ):
        did, totals, outputs = ended
        cuts.append(Cut(LAST, k, net, outcome_of(net, did, totals, outputs, pictures, np.array(marks))))
    cuts.append(Cut(ALL, layers, first[-1], begun.outcomes[-1]))
    ann = ann.reshape(len(ann), -1)
    return Measured(settings, pictures, whole, ann, cuts, begun.errors, begun.rates, prices, sim.seed)


def marks_to(T: int, each: int) -> tuple[int, ...]:
    """Steps up to T, so many in each doubling where there are as many."""
    grown = np.round(2 ** (np.arange(each * T.bit_length() + 1) / each)).astype(int)
    return (*sorted({int(mark) for mark in grown if mark < T}), T)


def thinned(layers: int, cuts: int) -> list[int]:
    """How many layers spike at each cut that is tried: some of 1 to one less than there are."""
    every = np.arange(1, layers)
    if not cuts or cuts >= len(every):
        return [int(k) for k in every]
    return sorted({int(k) for k in np.linspace(1, layers - 1, cuts).round()})


@dataclass(frozen=True, eq=False)
class Begun:
    """What comes of one run of the whole network.

    Parameters
    ----------
    outcomes : list of HybridOutcome
        Of each hybrid.
    errors : ndarray, shape (layers, marks)
        Of rates.
    rates : ndarray, shape (layers,)
        Spikes a neuron and step.
    """

    outcomes: list[HybridOutcome]
    errors: NDArray[np.float64]
    rates: NDArray[np.float64]


def first_layers(sim: Any, whole: SpikingNetwork, nets: list[HybridNetwork], pictures: Pictures, how: How) -> Begun:
    """What hybrids do whose first layers spike, and the whole network, which is the last of them: from one run."""
    marks, names = np.array(how.marks), relus(whole.graph)
    rests = [goes_on(net.stages[1].piece) if len(net.stages) > 1 else None for net in nets]
    computed, totals = reference(whole.graph), Totals({})

    def read(built: Any, part: slice) -> Any:
        counts = {name: tally.read_marks(part.stop - part.start) for name, tally in built.tallies.items()}
        totals.add(counts)
        values = {name: decoded(whole, name, counts[name], marks) for name in counts}
        outcome = read_part(sim, whole, how, built, part)
        shown = pictures.test[part]
        pixels = {whole.graph.input.name: shown}
        answers = [rest(pixels, values) if rest else _potentials(outcome, marks) for rest in rests]
        meant = computed.activations(shown, names)
        off = np.array([_squares(values[name] - meant[name][:, None]) for name in names])
        squares = np.array([float((meant[name] ** 2).sum()) for name in names])
        return lean(outcome), answers, off, squares

    program = Program(sim, whole, how, -(-len(pictures.test) // PROCESSES))
    found = program.run([whole], pictures.test, read)[0]
    did = joined([part[0] for part in found], False)
    outputs = [np.concatenate([part[1][k] for part in found]) for k in range(len(nets))]
    ended = zip(nets, outputs, strict=True)
    outcomes = [outcome_of(net, did, totals.counts, out, pictures, marks) for net, out in ended]
    errors = np.sqrt(np.sum([part[2] for part in found], axis=0) / np.sum([part[3] for part in found], axis=0)[:, None])
    shown = len(pictures.test) * how.T
    return Begun(outcomes, errors, np.array([totals.counts[name][-1].mean() / shown for name in names]))


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
    pictures: Pictures,
    marks: NDArray[np.int64],
) -> HybridOutcome:
    """The outcome of a hybrid with one stage that spikes, from what a larger network did that has its layers."""
    stages: list[Outcome | None] = []
    counts: dict[str, NDArray[np.int64]] = {}
    for stage in net.stages:
        if stage.snn is None:
            stages.append(None)
            continue
        own = [population.name for population in stage.snn.wiring.populations if population.name in totals]
        counts = {name: totals[name] for name in own}
        by_step = {name: did.by_step[name] for name in own}
        stages.append(replace(did, spikes={name: totals[name][-1:] for name in own}, by_step=by_step))
    return HybridOutcome(outputs, marks, pictures.labels, tuple(stages), 0, counts)
