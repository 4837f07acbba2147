"""A converted network: `convert` makes one, from a file to thresholds."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from biosnn.conversion.adjustment import Adjustment
from biosnn.conversion.balance import Balance, balanced
from biosnn.conversion.graph import Graph
from biosnn.conversion.images import check_images
from biosnn.conversion.lowering import Lowered, lowered
from biosnn.conversion.membrane import Membrane
from biosnn.conversion.reading import read_network
from biosnn.conversion.windows import aligned
from biosnn.conversion.wiring import MAXIMUM, OUTPUT, RELU, Population, Wiring, wiring
from biosnn.errors import ConversionError, field_error
from biosnn.model import NeuronModel
from biosnn.shelf import neuron_model

if TYPE_CHECKING:
    from biosnn.conversion.hybrid_network import HybridNetwork
    from biosnn.conversion.outcome import Outcome

INPUTS = ("analog", "poisson", "regular", "first spike")
OUTPUTS = ("potential", "counts")
CODES = ("rate", "first spike")


@dataclass(frozen=True)
class Options:
    """How a network is made to spike. The defaults are what lost little wherever it was tried.

    Parameters
    ----------
    balance : Balance
        How thresholds are found.
    code : {"rate", "first spike"}
        What tells a value: how often a neuron fires, or when it fires its only spike, which takes a window of time for
        each layer. The second has a neuron of its own, ``relu_first_spike``, so that ``neuron``, ``preset``, ``start``
        and ``output`` are for the first.
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

    Raises
    ------
    ConversionError, ModelError
        If a field makes no sense.
    """

    balance: Balance = field(default_factory=Balance)
    code: str = "rate"
    neuron: str | Path | NeuronModel = "if_soft"
    preset: str = ""
    start: float = 0.5
    input: str = "analog"
    output: str = "potential"

    def __post_init__(self) -> None:
        for name, valid in (("code", CODES), ("input", INPUTS), ("output", OUTPUTS)):
            if getattr(self, name) not in valid:
                raise ConversionError(field_error(f"Options.{name}", ", ".join(valid), getattr(self, name)))
        if not -1 <= self.start <= 1:
            raise ConversionError(field_error("Options.start", "a number from -1 to 1, in thresholds", self.start))
        if self.code == "first spike":
            for name in ("neuron", "preset", "start", "output"):
                if getattr(self, name) != getattr(type(self), name):
                    do = "Neurons of first spikes are of a model of their own, and their output is a potential."
                    expected = f"its default with code='first spike', {getattr(type(self), name)!r}"
                    raise ConversionError(field_error(f"Options.{name}", expected, getattr(self, name), do))
        else:
            Membrane.of(self.model)

    @cached_property
    def model(self) -> NeuronModel:
        """The model of the neurons, with the preset's values."""
        if self.code == "first spike":
            return neuron_model("relu_first_spike")
        return neuron_model(self.neuron).with_values(self.preset)


@dataclass(frozen=True, eq=False)
class SpikingNetwork:
    """A network that spikes: populations of neurons, synapses with rules, thresholds; made by `convert`.

    Parameters
    ----------
    wiring : Wiring
        The network as populations and paths.
    thresholds : mapping of str to ndarray of float32
        For each population the activation that a spike stands for: one a channel, or one a neuron.
    lowest, highest : float
        The smallest and largest value of a pixel of calibration images.
    options : Options
        How it was made.
    adjusted : mapping of str to Adjustment
        Populations that a remedy has changed since, by name (see `biosnn.conversion.remedies`).
    """

    wiring: Wiring
    thresholds: Mapping[str, NDArray[np.float32]]
    lowest: float
    highest: float
    options: Options
    adjusted: Mapping[str, Adjustment] = field(default_factory=dict)

    @property
    def graph(self) -> Graph:
        """The ordinary network."""
        return self.wiring.graph

    @cached_property
    def joints(self) -> Mapping[tuple[str, int], Lowered]:
        """For each population and each of its paths, by number: a kind of projection and its weights."""
        found = {}
        for population in self.wiring.populations:
            for number, path in enumerate(population.paths):
                found[population.name, number] = lowered(self.wiring, population, path)
        return found

    @property
    def neurons(self) -> int:
        """How many neurons spike."""
        return sum(population.neurons for population in self.wiring.hidden)

    def with_thresholds(self, factor: float | Mapping[str, Any]) -> SpikingNetwork:
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
        return self.adjusted.get(name) or Adjustment.none(self.wiring[name].shape[0], start)

    def with_adjustment(self, name: str, **changes: ArrayLike) -> SpikingNetwork:
        """Return the network with a population changed.

        Parameters
        ----------
        name : str
            Of the population: one whose rates tell values.
        **changes : float or array_like, shape (channels,)
            Fields of `Adjustment`.

        Raises
        ------
        ConversionError
            If the population is unknown or none that can be changed, or a number makes no sense.
        """
        changeable = [p.name for p in self.wiring.hidden if p.kind == RELU and self.options.code == "rate"]
        if name not in changeable:
            raise ConversionError(field_error("with_adjustment", f"a population among {changeable}", name))
        old = self.adjustment(name)
        new = {key: np.broadcast_to(np.asarray(value, np.float32), old.start.shape) for key, value in changes.items()}
        return replace(self, adjusted={**self.adjusted, name: replace(old, **new)})

    def run(self, images: ArrayLike, T: int = 64, **more: Any) -> Outcome:
        """Show images, each for T steps; see `biosnn.conversion.run`, which tells the other parameters."""
        from biosnn.conversion.running import run

        return run(self, images, T, **more)

    def rows(self) -> list[tuple[str, str, str, str]]:
        """For each population, in words: its name, shape, thresholds, and where its synapses come from."""
        return [
            (p.name, " x ".join(map(str, p.shape)), self._threshold(p), self._sources(p))
            for p in self.wiring.populations
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
            joint = self.joints[population.name, number]
            shape = " x ".join(map(str, joint.weights.shape)) or "1"
            said.append(f"{path.source} ({type(joint.kind).__name__}, {shape})")
        return ", ".join(said)

    def __str__(self) -> str:
        rows = [("population", "shape", "threshold", "synapses from"), *self.rows()]
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        return "\n".join("  ".join([*(f"{row[k]:{widths[k]}}" for k in range(3)), row[3]]) for row in rows)


@overload
def convert(
    network: str | os.PathLike[str] | Graph | Any,
    calibration: ArrayLike,
    *,
    example: Any = None,
    options: Options | None = None,
    spiking: None = None,
    **settings: Any,
) -> SpikingNetwork: ...


@overload
def convert(
    network: str | os.PathLike[str] | Graph | Any,
    calibration: ArrayLike,
    *,
    example: Any = None,
    options: Options | None = None,
    spiking: str | Iterable[str],
    **settings: Any,
) -> HybridNetwork: ...


def convert(
    network: str | os.PathLike[str] | Graph | Any,
    calibration: ArrayLike,
    *,
    example: Any = None,
    options: Options | None = None,
    spiking: str | Iterable[str] | None = None,
    **settings: Any,
) -> SpikingNetwork | HybridNetwork:
    """Convert a trained ordinary network (ANN) into a spiking one.

    Every ReLU becomes a population of neurons whose firing rates stand for its activations; weights stay what they are,
    counted in thresholds, which come from calibration images. Nothing is trained.

    Parameters
    ----------
    network : path, Graph or torch module
        A file that `read_network` reads, what it returns, or a PyTorch module, which is exported first.
    calibration : array_like, shape (n, *shape of the input)
        Images such as those it was trained on, some hundreds; no labels are needed.
    example : array_like, optional
        For a PyTorch module, an input; by default the first calibration image.
    options : Options, optional
        How.
    spiking : str or iterable of str, optional
        Which ReLU layers spike, if not all: ``"first 6"``, ``"last 4"``, or names. The others stay what they are.
    **settings
        Fields of `Options`, or of `Balance`, by their names.

    Returns
    -------
    SpikingNetwork or HybridNetwork
        The second with ``spiking``.

    Raises
    ------
    ConversionError
        If the network cannot be read or made to spike, images do not fit it, or a setting makes no sense. The message
        names the layer, and what to do.

    Examples
    --------
    >>> snn = biosnn.convert("network.onnx", calibration=images[:500])
    >>> snn.run(images[500:], T=64, labels=labels[500:]).accuracy
    """
    chosen = _options(options or Options(), settings)
    graph = network if isinstance(network, Graph) else _read(network, calibration, example)
    images = check_images(graph, calibration)
    wired = wired_for(graph, chosen)
    thresholds = balanced(wired, images, chosen.balance)
    found = SpikingNetwork(wired, thresholds, float(images.min()), float(images.max()), chosen)
    if spiking is None:
        return found
    from biosnn.conversion.hybrid_network import hybrid

    return hybrid(found, spiking)


def wired_for(graph: Graph, options: Options) -> Wiring:
    """A network as populations that can tell their values in the code of these options."""
    wired = wiring(graph)
    return aligned(wired) if options.code == "first spike" else wired


def _read(network: Any, calibration: ArrayLike, example: Any) -> Graph:
    if isinstance(network, str | os.PathLike):
        return read_network(network)
    return read_network(network, example=np.asarray(calibration)[:1] if example is None else example)


def _options(options: Options, settings: Mapping[str, Any]) -> Options:
    own, of_balance = ({f.name for f in fields(kind)} for kind in (Options, Balance))
    for name in settings:
        if name not in own | of_balance:
            valid = ", ".join(sorted((own | of_balance) - {"balance"}))
            raise ConversionError(field_error("convert", f"settings among {valid}", name))
    balance = {name: value for name, value in settings.items() if name in of_balance}
    rest = {name: value for name, value in settings.items() if name in own}
    if balance:
        rest["balance"] = replace(rest.get("balance", options.balance), **balance)
    return replace(options, **rest)


def largest_pixel(snn: SpikingNetwork) -> float:
    """What a pixel that fires in every step stands for.

    Raises
    ------
    ConversionError
        If all pixels of all calibration images were zero.
    """
    found = max(abs(snn.lowest), abs(snn.highest))
    if not 0 < found < math.inf:
        raise ConversionError(field_error("Calibration images", "a pixel other than 0", found))
    return found
