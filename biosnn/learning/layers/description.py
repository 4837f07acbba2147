"""A network of layers that learn without labels, as a description: contrast, feature maps, pooling, competing cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from brian2 import Quantity, ms

from biosnn.display import Brief
from biosnn.errors import SettingsError, field_error
from biosnn.model import NeuronModel, SynapseModel
from biosnn.projection import Conv2D, Pool2D
from biosnn.quantity import check_dimension

Shape: TypeAlias = tuple[int, int, int]
"""Rows, columns, and channels or maps."""
KINDS = ("on and off", "intensity")
CODINGS = ("first spike", "rate")
MODES = ("max", "average")


@dataclass(frozen=True)
class Contrast(Brief):
    """The cells that see an image, and the spikes that they send.

    Parameters
    ----------
    kind : {"on and off", "intensity"}
        For each pixel a cell whose centre is excited and one whose centre is inhibited, by a difference of two
        Gaussians; or one cell for its intensity as it is. Such cells in retina and thalamus: Enroth-Cugell & Robson
        1966, J Physiol 187:517; as the input of first spikes: Van Rullen & Thorpe 2001, Neural Comput 13:1255.
    coding : {"first spike", "rate"}
        One spike, the sooner the stronger the contrast, or regular spikes at a rate in proportion to it.
    strength : float
        Spikes per time step at a contrast of one; the first of them comes when so much has been collected.
    centre, surround : float
        Standard deviations of the Gaussians, in pixels.
    """

    kind: str = "on and off"
    coding: str = "first spike"
    strength: float = 2.0
    centre: float = 1.0
    surround: float = 2.0

    def __post_init__(self) -> None:
        _one_of("Contrast.kind", self.kind, KINDS)
        _one_of("Contrast.coding", self.coding, CODINGS)
        _above("Contrast.strength", self.strength)
        if not 0 < self.centre < self.surround:
            expected = "a centre above 0 and smaller than the surround"
            raise SettingsError(field_error("Contrast.centre", expected, (self.centre, self.surround)))

    @property
    def channels(self) -> int:
        """How many cells a pixel has."""
        return 2 if self.kind == KINDS[0] else 1


@dataclass(frozen=True, kw_only=True)
class Plastic(Brief):
    """What layers that learn have in common.

    Parameters
    ----------
    rule : str, Path or SynapseModel
        Model of the plastic synapses, with weight ``w`` and a preset "frozen" that stops learning. What that preset
        stops falls from its value to a fiftieth of it while the layer learns.
    rule_values : mapping of str to value
        Parameters of the rule that are not its own.
    neuron : str, Path or NeuronModel
        Model of the neurons, with a membrane potential ``v`` that spikes add to, and an adaptive threshold ``theta``.
    neuron_values : mapping of str to value
        Parameters of the neurons that are not their own.
    adaptation : float
        By how much a threshold rises with each answer. It falls by as much as all rise on average, so that all answer
        equally often in the end; 0 for none. It decreases as the rates of the rule do.
    presentations : int
        How many images the layer learns from.
    learners : int
        How many neurons at a position, or how many cells, answer an image while the layer learns, and learn from it: 1
        for winner takes all. Not for cells that are told, of which as many answer as `Cells.tries` says.
    """

    rule: str | Path | SynapseModel = "stdp_oja"
    rule_values: Mapping[str, Any] = field(default_factory=dict)
    neuron: str | Path | NeuronModel = "if_first_spike"
    neuron_values: Mapping[str, Any] = field(default_factory=dict)
    adaptation: float = 0.0
    presentations: int = 1
    learners: int = 1

    def __post_init__(self) -> None:
        where = type(self).__name__
        _at_least(f"{where}.learners", self.learners, 1)
        _at_least(f"{where}.presentations", self.presentations, 1)
        if not self.adaptation >= 0:
            raise SettingsError(field_error(f"{where}.adaptation", "no negative number", self.adaptation))


@dataclass(frozen=True)
class Convolution(Plastic):
    """Feature maps: neurons that look at windows of the layer before, with one kernel for all of a map.

    Of those at one position one answers an image when it has learned, the farthest above its threshold.

    Parameters
    ----------
    maps, kernel, stride, padding : int
        How many maps there are, and how large windows are, how far apart, and how much of them lies beyond the border.
    threshold : float
        What the weighted input has to exceed, so that an empty window gets no answer.
    winners_of_map : int
        How many neurons of a map answer an image at most while it learns; 0 for no limit.
    """

    maps: int = 64
    kernel: int = 7
    stride: int = 1
    padding: int = 0
    threshold: float = 2.0
    winners_of_map: int = 0
    adaptation: float = field(default=0.02, kw_only=True)
    presentations: int = field(default=4000, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("maps", "kernel", "stride"):
            _at_least(f"Convolution.{name}", getattr(self, name), 1)
        _at_least("Convolution.padding", self.padding, 0)
        _at_least("Convolution.winners_of_map", self.winners_of_map, 0)
        _above("Convolution.threshold", self.threshold)

    def connect(self, shape: Shape) -> Conv2D:
        """What connects to what."""
        if min(shape[:2]) + 2 * self.padding < self.kernel:
            expected = f"at most {min(shape[:2]) + 2 * self.padding}, as the layer before has {shape[:2]} positions"
            raise SettingsError(field_error("Convolution.kernel", expected, self.kernel))
        return Conv2D(shape, self.maps, self.kernel, stride=self.stride, padding=self.padding)

    def output(self, shape: Shape) -> Shape:
        """The shape of the layer."""
        rows, columns = ((size + 2 * self.padding - self.kernel) // self.stride + 1 for size in shape[:2])
        return rows, columns, self.maps


@dataclass(frozen=True)
class Pool(Brief):
    """Pooling of spikes within windows of each map.

    Parameters
    ----------
    size : int
        Rows and columns of a window.
    mode : {"max", "average"}
        The first spike of a window passes, or all of them do, one after another.
    """

    size: int = 4
    mode: str = "max"

    def __post_init__(self) -> None:
        _at_least("Pool.size", self.size, 1)
        _one_of("Pool.mode", self.mode, MODES)

    def connect(self, shape: Shape) -> Pool2D:
        """What connects to what."""
        if min(shape[:2]) < self.size:
            expected = f"at most {min(shape[:2])}, as the layer before has {shape[:2]} positions"
            raise SettingsError(field_error("Pool.size", expected, self.size))
        return Pool2D(shape, self.size, self.size)

    def output(self, shape: Shape) -> Shape:
        """The shape of the layer."""
        return shape[0] // self.size, shape[1] // self.size, shape[2]


@dataclass(frozen=True)
class Cells(Plastic):
    """Cells that see all of the layer before and compete for the image: the best of them answer.

    An urgency that is the same in all and grows makes the best ones answer, however weak the input is.

    Parameters
    ----------
    size : int
        How many cells.
    winners : int
        How many answer an image when the network is tested.
    classes : int
        For cells that are told by a reward whether their answer is right: how many classes there are, which the cells
        stand for in turn. The rule is then one such as ``rstdp_order``, which reads the cells' variable ``right``. 0
        for cells that learn without labels.
    tries : int
        How many of the cells that are told answer an image at most while they learn: the best ones, in their order,
        until one of them is right. Each that was wrong is punished. With 1, the reward of the first decides.
    """

    size: int = 400
    winners: int = 3
    classes: int = 0
    tries: int = 20
    adaptation: float = field(default=1.6, kw_only=True)
    presentations: int = field(default=60000, kw_only=True)
    rule_values: Mapping[str, Any] = field(default_factory=lambda: {"eta": 0.2}, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        _at_least("Cells.size", self.size, 2)
        _at_least("Cells.winners", self.winners, 1)
        _at_least("Cells.classes", self.classes, 0)
        _at_least("Cells.tries", self.tries, 1)
        if self.classes > self.size:
            expected = f"at most {self.size}, as each needs a cell that stands for it"
            raise SettingsError(field_error("Cells.classes", expected, self.classes))

    def output(self, shape: Shape) -> Shape:  # noqa: ARG002 - the same for all layers
        """The shape of the layer."""
        return 1, 1, self.size


Layer: TypeAlias = Convolution | Pool | Cells


@dataclass(frozen=True)
class LayerSettings(Brief):
    """A network of layers that learn.

    Parameters
    ----------
    layers : tuple of Convolution, Pool and Cells
        From the one that sees the contrast on; cells come last.
    contrast : Contrast
        What it sees.
    first, later, last : Quantity
        After which time the first layer that learns answers an image, how much later each further one does, and how
        much later than the last one the next image comes.
    """

    layers: tuple[Layer, ...]
    contrast: Contrast = field(default_factory=Contrast)
    first: Quantity = field(default_factory=lambda: 20 * ms)
    later: Quantity = field(default_factory=lambda: 10 * ms)
    last: Quantity = field(default_factory=lambda: 2 * ms)

    def __post_init__(self) -> None:
        for name in ("first", "later", "last"):
            check_dimension(f"LayerSettings.{name}", getattr(self, name), ms)
            if not getattr(self, name) > 0 * ms:
                raise SettingsError(field_error(f"LayerSettings.{name}", "a time above 0", getattr(self, name)))
        if not self.plastic:
            raise SettingsError(field_error("LayerSettings.layers", "a layer that learns", self.layers))
        for number, layer in enumerate(self.layers):
            if isinstance(layer, Cells) and number < len(self.layers) - 1:
                raise SettingsError(field_error("LayerSettings.layers", "cells as the last layer", self.layers))

    @property
    def plastic(self) -> tuple[int, ...]:
        """Which layers learn, in their order."""
        return tuple(number for number, layer in enumerate(self.layers) if isinstance(layer, Plastic))

    @property
    def period(self) -> Quantity:
        """From one image to the next."""
        return self.answers_at(len(self.layers)) - self.later + self.last

    def answers_at(self, number: int) -> Quantity:
        """When a layer that learns answers an image; the one that would come after the last, if it is given that."""
        return self.first + sum(each < number for each in self.plastic) * self.later

    def shapes(self, image: tuple[int, int]) -> list[Shape]:
        """The shapes of the contrast cells and of each layer, for images of so many rows and columns.

        Raises
        ------
        SettingsError
            If a window is larger than what it looks at.
        """
        found: list[Shape] = [(*image, self.contrast.channels)]
        for layer in self.layers:
            if not isinstance(layer, Cells):
                layer.connect(found[-1])
            found.append(layer.output(found[-1]))
        return found


def _one_of(where: str, value: Any, valid: tuple[str, ...]) -> None:
    if value not in valid:
        raise SettingsError(field_error(where, f"one of {', '.join(map(repr, valid))}", value))


def _at_least(where: str, value: Any, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise SettingsError(field_error(where, f"a whole number of at least {least}", value))


def _above(where: str, value: Any) -> None:
    if not 0 < value < float("inf"):
        raise SettingsError(field_error(where, "a number above 0", value))
