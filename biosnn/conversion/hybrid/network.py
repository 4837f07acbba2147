"""A network of which some layers spike, while the others stay what they are and are computed from decoded rates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from biosnn.ann.connections import order, spread
from biosnn.ann.graph import Graph
from biosnn.ann.images import check_images
from biosnn.ann.reference import reference
from biosnn.conversion.build import Built
from biosnn.conversion.hybrid.cutting import Piece, chosen, cut
from biosnn.conversion.hybrid.outcome import HybridOutcome
from biosnn.conversion.network import POPULATION_COLUMNS, STEPS, Options, SpikingNetwork, as_table
from biosnn.conversion.outcome import Outcome
from biosnn.conversion.populations import population_network
from biosnn.conversion.running import RunSettings, check_labels, check_steps, in_parts, joined, read_part
from biosnn.display import Brief, bounded, card, paragraph, table
from biosnn.engine import Simulation, session
from biosnn.errors import ConversionError, field_error

Values = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class Stage(Brief):
    """A part of a hybrid network.

    Parameters
    ----------
    piece : Piece
        Its layers, and what it takes and gives.
    snn : SpikingNetwork or None
        What it does, if it spikes; otherwise ONNX Runtime computes it.
    """

    piece: Piece
    snn: SpikingNetwork | None


@dataclass(frozen=True, eq=False)
class HybridNetwork:
    """A network of which some layers spike; made by `convert` with ``spiking=``, or by `to_hybrid`.

    Stages take turns, each when the one before has ended: what spikes is shown constant values and fires for T steps,
    then the rates are decoded, and what is analog is computed from them. Two stages that spike take 2 T steps.

    Parameters
    ----------
    whole : SpikingNetwork
        The network with all its layers spiking, which has the thresholds.
    spiking : tuple of str
        The ReLUs that spike, in the order of computation.
    """

    whole: SpikingNetwork
    spiking: tuple[str, ...]

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """In the order in which they are computed."""
        return tuple(self._stage(piece) for piece in cut(self.whole.graph, self.spiking))

    def _stage(self, piece: Piece) -> Stage:
        if not piece.spikes:
            return Stage(piece, None)
        last = piece.gives == (self.graph.output,)
        populated = population_network(piece.graph, () if last else piece.gives)
        thresholds = {population.name: self.whole.thresholds[population.name] for population in populated.populations}
        return Stage(piece, replace(self.whole, network=populated, thresholds=thresholds))

    @property
    def graph(self) -> Graph:
        """The ordinary network."""
        return self.whole.graph

    @property
    def options(self) -> Options:
        """How its spiking layers were made."""
        return self.whole.options

    @property
    def lowest(self) -> float:
        """The smallest value of a pixel of calibration images."""
        return self.whole.lowest

    @property
    def highest(self) -> float:
        """The largest."""
        return self.whole.highest

    @property
    def neurons(self) -> int:
        """How many neurons spike."""
        return sum(stage.snn.neurons for stage in self.stages if stage.snn)

    def rows(self) -> list[tuple[str, str, str, str]]:
        """For each population of the whole, in words: its name, shape, thresholds, and where its synapses come from."""
        spiking_rows = {row[0]: row for stage in self.stages if stage.snn for row in stage.snn.rows()}
        rows = []
        for population in self.whole.network.populations:
            shape = " x ".join(map(str, population.shape))
            sources = ", ".join(path.source for path in population.paths)
            rows.append(spiking_rows.get(population.name, (population.name, shape, "analog", sources)))
        return rows

    def __str__(self) -> str:
        return as_table(self.rows())

    def __repr__(self) -> str:
        spiking = f"{len(self.spiking)} of {len(self.whole.network.hidden)} layers spike ({', '.join(self.spiking)})"
        return bounded(f"<HybridNetwork: {spiking}, {self.neurons:,} neurons>")

    def _repr_html_(self) -> str:
        about = f"{self.neurons:,} neurons spike, in the layers {', '.join(self.spiking)}; the others are analog."
        return card("Hybrid network", "", paragraph(about), table(POPULATION_COLUMNS, self.rows()))

    def run(
        self,
        images: ArrayLike,
        T: int = 64,
        *,
        labels: ArrayLike | None = None,
        marks: Sequence[int] | None = None,
        sim: Simulation | None = None,
        target: str = "cpp",
        precision: str = "float32",
        seed: int = 1,
        jobs: int | None = None,
        report: Callable[[float], None] | None = None,
    ) -> HybridOutcome:
        """Show images.

        Parameters
        ----------
        images, labels, sim, target, precision, seed, jobs, report
            As of `biosnn.conversion.run`.
        T : int
            For how many steps each stage that spikes is shown what it takes.
        marks : sequence of int, optional
            After how many steps of the last stage that spikes there is an answer; T is one of them. By default
            `marks_to` T. Earlier stages always take T steps.

        Raises
        ------
        ConversionError
            If images, labels or marks do not fit, or T is out of range.
        RunError
            If the simulation fails.
        """
        inputs = check_images(self.graph, images)
        classes = check_labels(labels, len(inputs), self.graph)
        steps = check_steps(T)
        told = marks_to(steps) if marks is None else check_marks(marks, steps)
        run_settings = RunSettings(steps, False, None, precision, jobs, report, told)
        if sim is None:
            with session(target, seed=seed) as opened:
                return _run(self, opened, inputs, classes, run_settings)
        return _run(self, sim, inputs, classes, run_settings)


def to_hybrid(whole: SpikingNetwork, spiking: str | Iterable[str]) -> HybridNetwork:
    """Let only some layers of a converted network spike.

    Parameters
    ----------
    whole : SpikingNetwork
        With all its layers spiking, which need not be run.
    spiking : str or iterable of str
        Which ReLU layers do: ``"first 6"``, ``"last 4"``, or their names (a list, or with commas).

    Raises
    ------
    ConversionError
        If there are no such layers, values are coded by first spikes, or layers that pixels do not reach at once are to
        take spikes of pixels.
    """
    options = whole.options
    if options.code != "rate":
        do = "Windows of first spikes have no rates to decode."
        raise ConversionError(field_error("convert, spiking", "the code 'rate'", options.code, do))
    for name in STEPS:
        if getattr(options, name):
            do = "A stage hands its rates on when its steps are over."
            raise ConversionError(field_error(f"convert, spiking: Options.{name}", "0", getattr(options, name), do))
    hybrid = HybridNetwork(whole, chosen(whole.graph, spiking))
    entrance = (whole.graph.input.name,)
    for piece in cut(whole.graph, hybrid.spiking):
        if piece.spikes and piece.takes != entrance and options.input != "analog":
            expected = f"'analog', as a layer that spikes takes the values of {', '.join(piece.takes)}"
            raise ConversionError(field_error("convert, spiking: Options.input", expected, options.input))
    return hybrid


def marks_to(T: int, each: int = 2) -> tuple[int, ...]:
    """Steps up to T, so many in each doubling where there are as many; of two: 1, 2, 3, 4, 6, 8, 11, 16, …"""
    grown = {int(2 ** (k / each) + 0.5) for k in range(each * T.bit_length() + 2)}
    return (*sorted(mark for mark in grown if mark < T), T)


def check_marks(marks: Sequence[int], T: int) -> tuple[int, ...]:
    """The marks as numbers that grow up to T; `ConversionError` if they are something else."""
    array = np.asarray(marks)
    if array.ndim != 1 or array.dtype.kind not in "iu" or not array.size or array.min() < 1 or array.max() > T:
        raise ConversionError(field_error("run, marks", f"steps from 1 to {T}", marks))
    return tuple(sorted({*map(int, array), T}))


def _run(
    net: HybridNetwork,
    sim: Simulation,
    images: NDArray[np.float32],
    labels: NDArray[np.int64] | None,
    run_settings: RunSettings,
) -> HybridOutcome:
    values: dict[str, NDArray[np.float32]] = {net.graph.input.name: images}
    did: list[Outcome | None] = []
    once = replace(run_settings, marks=(run_settings.T,))
    *earlier, last = [stage for stage in net.stages if stage.snn]
    for stage in net.stages[: net.stages.index(last)]:
        fed = stage.piece.fed(values)
        if stage.snn is None:
            did.append(None)
            values |= reference(stage.piece.graph).activations(fed, stage.piece.gives)
        else:
            parts, elapsed = in_parts(sim, stage.snn, fed, once, _reader(sim, stage.snn, once))
            did.append(replace(joined([part.outcome for part in parts], False), elapsed=elapsed))
            values |= {name: np.concatenate([part.told[name][:, -1] for part in parts]) for name in stage.piece.gives}
    assert last.snn is not None
    answer = _answerer(net, last, values, run_settings.marks)
    read = _reader(sim, last.snn, run_settings)

    def read_and_answer(built: Built, part: slice) -> tuple[Told, NDArray[np.float32]]:
        told = read(built, part)
        answers = answer(told, part)
        return replace(told, told={}), answers  # which need not be kept

    results, elapsed = in_parts(sim, last.snn, last.piece.fed(values), run_settings, read_and_answer)
    did.append(replace(joined([part.outcome for part, _ in results], False), elapsed=elapsed))
    did += [None] * (len(net.stages) - len(did))
    counts = {name: np.sum([part.counts[name] for part, _ in results], axis=0) for name in results[0][0].counts}
    before = run_settings.T * len(earlier)
    outputs = np.concatenate([answers for _, answers in results])
    return HybridOutcome(outputs, before + np.array(run_settings.marks), labels, tuple(did), before, counts)


@dataclass(frozen=True, eq=False)
class Told(Brief):
    """What some images made a stage do: its outcome, counts up to each mark, and what the rates of its ends stand for.

    Counts have the shape (marks, neurons), of all these images; values (images, marks, *shape of the layer).
    """

    outcome: Outcome
    counts: Mapping[str, NDArray[np.int64]]
    told: Values


def _reader(sim: Simulation, snn: SpikingNetwork, run_settings: RunSettings) -> Callable[[Built, slice], Told]:
    def read(built: Built, part: slice) -> Told:
        counts = {name: counter.read_marks(part.stop - part.start) for name, counter in built.spike_counters.items()}
        n_images, marks = part.stop - part.start, np.array(run_settings.marks)
        sent = {end: built.spike_counters[end].read_sums(n_images) for end in snn.network.ends}
        told = {end: decoded(snn, end, sent[end], marks) for end in snn.network.ends}
        return Told(
            read_part(sim, snn, run_settings, built, part), {name: c.sum(axis=0) for name, c in counts.items()}, told
        )

    return read


def decoded(snn: SpikingNetwork, name: str, sent: NDArray[np.int64], steps: NDArray[np.int64]) -> NDArray[np.float32]:
    """What rates stand for: how often neurons fired in so many steps, times their thresholds.

    Parameters
    ----------
    snn : SpikingNetwork
        The network.
    name : str
        The population.
    sent : ndarray of int, shape (images, marks, neurons)
        How often its neurons fired up to each mark; of spikes that carry a value, its sum.
    steps : ndarray of int, shape (marks,)
        The marks.

    Returns
    -------
    ndarray of float32, shape (images, marks, *shape of the population)
        As the ordinary network has it, channels first.
    """
    shape = snn.network.shape(name)
    rates = sent / steps[:, None] * spread(snn.thresholds[name], shape)
    laid = rates[..., np.argsort(order(shape))].reshape(*sent.shape[:2], *shape)
    return np.asarray(laid, np.float32)


def _answerer(
    net: HybridNetwork, last: Stage, values: Values, marks: tuple[int, ...]
) -> Callable[[Told, slice], NDArray[np.float32]]:
    """A function that gives the outputs for a part of the images at each mark, shape (images, marks, classes)."""
    if last is net.stages[-1]:
        # Counts stand for thresholds, of which the output has one for all classes.
        unit = 1.0 if net.options.output == "potential" else float(net.whole.thresholds[net.graph.output].max())
        scale = unit / np.array(marks, np.float32)[:, None]
        return lambda done, _: np.asarray(done.outcome.potentials[:, np.array(marks) - 1] * scale, np.float32)
    answers = analog_remainder(net.stages[-1].piece)
    return lambda done, part: answers({name: value[part] for name, value in values.items()}, done.told)


def analog_remainder(piece: Piece) -> Callable[[Values, Values], NDArray[np.float32]]:
    """The ordinary network from some layer on, which computes the rest from decoded rates.

    Parameters
    ----------
    piece : Piece
        Its layers, the last ones of a network.

    Returns
    -------
    callable
        Of the values of layers and pixels that stay, each of shape (images, *shape of the layer), and of those that
        rates tell at each mark, (images, marks, *shape of the layer): the outputs, (images, marks, classes). Layers
        that the piece does not take are passed over.
    """
    computed = reference(piece.graph)

    def answers(known: Values, told: Values) -> NDArray[np.float32]:
        images, marks = next(iter(told.values())).shape[:2]
        at_marks = [{**known, **{name: value[:, mark] for name, value in told.items()}} for mark in range(marks)]
        return np.stack([computed.outputs(piece.fed(now)).reshape(images, -1) for now in at_marks], axis=1)

    return answers
