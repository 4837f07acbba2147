"""A converted network: populations of neurons, connections with rules, thresholds, and how it was made."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from biosnn.ann.connections import Connection, order
from biosnn.ann.graph import Graph
from biosnn.ann.layers import Shape
from biosnn.catalogue import neuron_model
from biosnn.conversion.connections import path_connection
from biosnn.conversion.membrane import Membrane, leaks
from biosnn.conversion.populations import MAXIMUM, OUTPUT, RELU, Population, PopulationNetwork, population_network
from biosnn.conversion.thresholds import ThresholdSettings
from biosnn.conversion.windows import aligned
from biosnn.display import Brief, bounded, card, paragraph, table
from biosnn.errors import ConversionError, field_error
from biosnn.model import NeuronModel

INPUTS = ("analog", "poisson", "regular", "first spike")
OUTPUTS = ("potential", "counts")
CODES = ("rate", "first spike")
STEPS = ("delay", "pre_run", "delay_per_layer")
"""The options that count time steps; 0 for none."""


@dataclass(frozen=True)
class Options:
    """How a network is made to spike. The defaults are what lost little wherever it was tried.

    Parameters
    ----------
    balance : ThresholdSettings
        How thresholds are found.
    code : {"rate", "first spike"}
        How a value is coded: how often a neuron fires, or when it fires its only spike, which takes a window of time
        for each layer. The second has a neuron of its own, ``relu_first_spike``, so that ``neuron``, ``preset``,
        ``start`` and ``output`` are for the first.
    neuron : str, Path or NeuronModel
        What a ReLU becomes: a name of the catalogue (``if_soft``: residual membrane potential; ``if_hard``;
        ``lif_soft``, with a leak), a ``.toml`` file, or a model.
    preset : str
        One of its presets.
    start : float
        The membrane potential at which each image begins, in thresholds. Half a threshold makes rates round instead of
        being cut off (Deng & Gu 2021; Bu et al. 2022).
    input : {"analog", "poisson", "regular", "first spike"}
        What pixels do: drive the first layer as constant currents, fire at random or regularly at a rate in
        proportion to their values, or fire once, the sooner the larger, and drive the first layer from then on.
    output : {"potential", "counts"}
        What is read: the membrane potentials of neurons that integrate, or the spikes of neurons like the others.
    delay : int
        From which step on it is read: what the output was told in the first ones, in which spikes have not settled, is
        left out. Steps are counted from the onset of the image, those of the delay included. Before it, what there is
        is read.
    pre_run : int
        After so many steps membranes begin anew, shifted by a threshold where the residual potential tells that a
        neuron has sent a spike too many or too few (offset spikes), and the output is read from there on. These steps
        and their spikes count as all others do; rates are those after them. The paper has one layer after the other
        make its pre-run (Hao et al. 2023, arXiv:2302.10685); here all do at once, which takes less time.
    delay_per_layer : int
        Each layer fires so many steps later than the one before it, and integrates until then: nothing that arrives is
        lost. In the last layer that spikes, this must leave a step of the image.

    Raises
    ------
    ConversionError, ModelError
        If a field makes no sense.
    """

    balance: ThresholdSettings = field(default_factory=ThresholdSettings)
    code: str = "rate"
    neuron: str | Path | NeuronModel = "if_soft"
    preset: str = ""
    start: float = 0.5
    input: str = "analog"
    output: str = "potential"
    delay: int = 0
    pre_run: int = 0
    delay_per_layer: int = 0

    def __post_init__(self) -> None:
        for name, valid in (("code", CODES), ("input", INPUTS), ("output", OUTPUTS)):
            if getattr(self, name) not in valid:
                raise ConversionError(field_error(f"Options.{name}", ", ".join(valid), getattr(self, name)))
        if not -1 <= self.start <= 1:
            raise ConversionError(field_error("Options.start", "a number from -1 to 1, in thresholds", self.start))
        for name in STEPS:
            given = getattr(self, name)
            if isinstance(given, bool) or not isinstance(given, int) or given < 0:
                raise ConversionError(field_error(f"Options.{name}", "a whole number of steps, 0 or more", given))
        if self.code == "first spike":
            for name in ("neuron", "preset", "start", "output", *STEPS):
                if getattr(self, name) != getattr(type(self), name):
                    do = "Neurons of first spikes are of a model of their own, and their output is a potential."
                    expected = f"its default with code='first spike', {getattr(type(self), name)!r}"
                    raise ConversionError(field_error(f"Options.{name}", expected, getattr(self, name), do))
        elif isinstance(self.neuron, NeuronModel):
            self.check_neuron()
        if self.pre_run and self.delay_per_layer:
            do = "A pre-run is one of all layers at once."
            raise ConversionError(field_error("Options.delay_per_layer", "0 with a pre-run", self.delay_per_layer, do))
        if self.pre_run and self.input == "first spike":
            do = "A pixel that has fired in the pre-run does not fire again."
            raise ConversionError(field_error("Options.pre_run", "0 with input='first spike'", self.pre_run, do))

    def check_neuron(self) -> None:
        """Look at the neuron model, which may be in a file: options are often made before it is time to open one.

        Raises
        ------
        ConversionError, ModelError
            If there is none, or it cannot stand for a ReLU.
        """
        if self.code != "rate":
            return
        membrane = Membrane.of(self.model)
        if self.pre_run and (leaks(self.model) or not membrane.keeps_rest):
            expected = "a neuron without a leak whose reset takes the threshold off"
            do = "Only there does the residual potential tell offset spikes: take if_soft, or pre_run=0."
            raise ConversionError(field_error("Options.pre_run, neuron", expected, self.model.name, do))
        if self.delay_per_layer and self.model.refractory:
            do = "A neuron that is held back would be refractory: take if_soft, or delay_per_layer=0."
            expected = "a neuron that is never refractory"
            raise ConversionError(field_error("Options.delay_per_layer, neuron", expected, self.model.name, do))

    @property
    def reads_after(self) -> int:
        """After how many steps the output is read."""
        return max(self.delay, self.pre_run)

    @property
    def most(self) -> int:
        """The most spikes that a neuron sends in a step."""
        return Membrane.of(self.model).most if self.code == "rate" else 1

    @cached_property
    def model(self) -> NeuronModel:
        """The model of the neurons, with the preset's values."""
        if self.code == "first spike":
            return neuron_model("relu_first_spike")
        return neuron_model(self.neuron).with_values(self.preset)


@dataclass(frozen=True, eq=False)
class Adjustment(Brief):
    """How the neurons of a population differ from those that `convert` makes.

    A bias and a start are one per channel, or one per neuron, in the shape of the layer.

    Parameters
    ----------
    excitability : ndarray of float32, shape (channels,)
        Factor of all that comes in, bias included: 2 is a threshold half as high, while a spike still stands for what
        it stood for. It is what neurons regulate themselves (intrinsic plasticity).
    bias : ndarray of float32, shape (channels,) or (channels, ...)
        A constant current on top of the bias, in units of the activation per step.
    start : ndarray of float32, shape (channels,) or (channels, ...)
        The membrane potential at which an image begins, in thresholds.

    Raises
    ------
    ConversionError
        If a number is not finite, an excitability is not above 0, or shapes differ.
    """

    excitability: NDArray[np.float32]
    bias: NDArray[np.float32]
    start: NDArray[np.float32]

    def __post_init__(self) -> None:
        for part in fields(self):
            value = np.asarray(getattr(self, part.name), np.float32)
            where = f"Adjustment.{part.name}"
            apart = part.name != "excitability" and value.ndim > 1  # a number for each neuron
            if value.shape[: 1 if apart else None] != np.shape(self.excitability) or value.ndim == 0:
                raise ConversionError(field_error(where, "a number for each channel", f"shape {value.shape}"))
            if not np.all(np.isfinite(value)) or (part.name == "excitability" and not np.all(value > 0)):
                expected = "numbers above 0" if part.name == "excitability" else "finite numbers"
                raise ConversionError(field_error(where, expected, value))
            object.__setattr__(self, part.name, value)

    @classmethod
    def none(cls, channels: int, start: float) -> Adjustment:
        """That of a network as it was converted."""
        ones = np.ones(channels, np.float32)
        return cls(ones, 0 * ones, start * ones)

    def of_layer(self, name: str, shape: Shape) -> NDArray[np.float32]:
        """A field for each neuron of a population of this shape, channels first."""
        value: NDArray[np.float32] = getattr(self, name)
        each = value if value.ndim > 1 else value.reshape(-1, *[1] * (len(shape) - 1))
        return np.broadcast_to(each, shape)

    def of_neurons(self, name: str, shape: Shape) -> NDArray[np.float32]:
        """The same, flat in the order of the neurons."""
        return np.asarray(self.of_layer(name, shape).ravel()[order(shape)])


POPULATION_COLUMNS = ("population", "shape", "threshold", "synapses from")


@dataclass(frozen=True, eq=False)
class SpikingNetwork:
    """A network that spikes: populations of neurons, synapses with rules, thresholds.

    Parameters
    ----------
    network : PopulationNetwork
        The network as populations and paths.
    thresholds : mapping of str to ndarray of float32
        For each population the activation that a spike stands for: one per channel, or one per neuron.
    lowest, highest : float
        The smallest and largest value of a pixel of calibration images.
    options : Options
        How it was made.
    adjusted : mapping of str to Adjustment
        Populations that a remedy has changed since, by name (see `biosnn.conversion.analysis.remedies`).
    recipe : str
        By which it was converted (see `biosnn.conversion.analysis.recipes`).
    """

    network: PopulationNetwork
    thresholds: Mapping[str, NDArray[np.float32]]
    lowest: float
    highest: float
    options: Options
    adjusted: Mapping[str, Adjustment] = field(default_factory=dict)
    recipe: str = "plain"

    @property
    def graph(self) -> Graph:
        """The ordinary network."""
        return self.network.graph

    @cached_property
    def connections(self) -> Mapping[tuple[str, int], Connection]:
        """For each population and each of its paths, by number: a kind of projection and its weights."""
        connections = {}
        for population in self.network.populations:
            for number, path in enumerate(population.paths):
                connections[population.name, number] = path_connection(self.network, population, path)
        return connections

    @property
    def neurons(self) -> int:
        """How many neurons spike."""
        return sum(population.neurons for population in self.network.hidden)

    def with_thresholds(self, factor: float | Mapping[str, Any]) -> Self:
        """Return the network with other thresholds.

        Parameters
        ----------
        factor : float or mapping of str to float or ndarray
            Of all thresholds, or of those of the populations that are named.

        Raises
        ------
        ConversionError
            If a factor is not above 0, or a population is unknown.
        """
        factors = factor if isinstance(factor, Mapping) else dict.fromkeys(self.thresholds, factor)
        for name, value in factors.items():
            if name not in self.thresholds:
                known = ", ".join(self.thresholds)
                raise ConversionError(field_error("with_thresholds", f"populations among {known}", name))
            if not np.all((np.asarray(value) > 0) & np.isfinite(value)):
                raise ConversionError(field_error(f"with_thresholds, {name}", "factors above 0", value))
        changed = {
            name: np.asarray(value * np.asarray(factors.get(name, 1.0)), np.float32)
            for name, value in self.thresholds.items()
        }
        return replace(self, thresholds=changed)

    def adjustment(self, name: str) -> Adjustment:
        """What is special about a population; of one that nothing has changed, nothing."""
        start = self.options.start
        return self.adjusted.get(name) or Adjustment.none(self.network[name].shape[0], start)

    def with_adjustment(self, name: str, **changes: ArrayLike) -> Self:
        """Return the network with a population changed.

        Parameters
        ----------
        name : str
            Of the population: one whose rates code values.
        **changes : float or array_like, shape (channels,), or that of the layer
            Fields of `Adjustment`.

        Raises
        ------
        ConversionError
            If the population is unknown or none that can be changed, or a number makes no sense.
        """
        changeable = [p.name for p in self.network.hidden if p.kind == RELU and self.options.code == "rate"]
        if name not in changeable:
            raise ConversionError(field_error("with_adjustment", f"a population among {changeable}", name))
        old, shape = self.adjustment(name), self.network[name].shape
        arrays = {key: np.asarray(value, np.float32) for key, value in changes.items()}
        new = {
            key: value if value.shape == shape else np.broadcast_to(value, shape[:1]) for key, value in arrays.items()
        }
        return replace(self, adjusted={**self.adjusted, name: replace(old, **new)})

    def rows(self) -> list[tuple[str, str, str, str]]:
        """For each population, in words: its name, shape, thresholds, and where its synapses come from."""
        return [
            (p.name, " x ".join(map(str, p.shape)), self._threshold(p), self._sources(p))
            for p in self.network.populations
        ]

    def _threshold(self, population: Population) -> str:
        if population.kind == MAXIMUM:
            return "passes the most active on"
        if population.kind == OUTPUT and self.options.output == "potential":
            return "integrates"
        theta = self.thresholds[population.name]
        low, high = f"{theta.min():.3g}", f"{theta.max():.3g}"
        return low if low == high else f"{low} to {high}"

    def _sources(self, population: Population) -> str:
        said = []
        for number, path in enumerate(population.paths):
            connection = self.connections[population.name, number]
            shape = " x ".join(map(str, connection.weights.shape)) or "1"
            said.append(f"{path.source} ({type(connection.kind).__name__}, {shape})")
        return ", ".join(said)

    def __str__(self) -> str:
        return as_table(self.rows())

    def __repr__(self) -> str:
        first, last = self.graph.input, self.network.populations[-1]
        way = f"from {first.name} ({' x '.join(map(str, first.shape))}) to {last.name} ({last.neurons})"
        made = f"{self.options.neuron}, {self.options.code} code, recipe {self.recipe}"
        populations = f"{len(self.network.populations)} populations, {self.neurons:,} neurons that spike"
        return bounded(f"<{type(self).__name__}: {populations}, {way}; {made}>")

    def _repr_html_(self) -> str:
        about = f"{self.neurons:,} neurons that spike: {self.options.neuron}, {self.options.code} code."
        return card("Converted network", "", paragraph(about), table(POPULATION_COLUMNS, self.rows()))


def population_network_for(graph: Graph, options: Options) -> PopulationNetwork:
    """A network as populations that can code their values as these options say."""
    populated = population_network(graph)
    return aligned(populated) if options.code == "first spike" else populated


def largest_pixel(snn: SpikingNetwork) -> float:
    """What a pixel that fires in every step stands for.

    Raises
    ------
    ConversionError
        If all pixels of all calibration images were zero.
    """
    largest = max(abs(snn.lowest), abs(snn.highest))
    if not 0 < largest < math.inf:
        raise ConversionError(field_error("Calibration images", "a pixel other than 0", largest))
    return largest


def as_table(rows: Iterable[tuple[str, ...]], columns: tuple[str, ...] = POPULATION_COLUMNS) -> str:
    """Rows, one per line, below a heading; by default populations, as `SpikingNetwork.rows` lists them."""
    lines = [columns, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(columns))]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)
