"""A network of layers in Brian2: images, contrast cells, and each layer with its synapses and its competition."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from brian2 import Hz, Network, Quantity, SpikeMonitor, defaultclock, ms, second
from numpy.typing import NDArray

from biosnn.catalogue import neuron_model, synapse_model
from biosnn.datasets import Dataset
from biosnn.display import Brief
from biosnn.errors import DataError, ModelError, SettingsError, field_error
from biosnn.groups.build import neurons, synapses
from biosnn.inputs import images, playback
from biosnn.learning.competition import MapWinners
from biosnn.learning.homeostasis import adapt_thresholds, forget_traces, reset_state
from biosnn.learning.layers.description import (
    CODINGS,
    KINDS,
    Cells,
    Contrast,
    Convolution,
    Layer,
    LayerSettings,
    Plastic,
    Pool,
    Shape,
)
from biosnn.learning.layers.reward import RIGHT, tell_classes
from biosnn.learning.network import FROZEN, check_rule, only_learning
from biosnn.learning.presenter import Protocol
from biosnn.model import to_toml
from biosnn.projection import Conv2D, Dense, Projection
from biosnn.quantity import parse_quantity

LEAST = 0.02
"""The fraction of its learning rate that a layer ends with."""
INHIBITION, FADED = 100.0, 0.1
"""The inhibition of a map when an image comes, and what is left of it when the map answers."""
OUT_OF_REACH, URGENCY = 1e4, 1e-3
"""The threshold of cells, which only the urgency reaches, and what that is when an image comes."""
TIMED = ("v_th", "u_0", "tau_u")
"""The parameters of neurons that say when they answer."""
PICTURES, CONTRAST, PLAYED = "pictures", "contrast", "recorded"


@dataclass(frozen=True, eq=False)
class LayeredNetwork(Brief):
    """A network up to its last layer that learns; what `biosnn.learning.train` takes.

    Parameters
    ----------
    network : Network
        Everything.
    pictures : Images
        What shows the images, in the order that a piece of the training brings.
    parts, names : tuple
        The layers that it has, and the names of their groups.
    excitatory : NeuronGroup
        The last layer.
    plastic : Projection
        The synapses that learn.
    spikes, input_spikes, input_count : SpikeMonitor
        Of the last layer, and of the inputs: contrast cells, or neurons that play what a layer has answered before.
    data, protocol, layers
        What it was built from; the layers are those of the whole network.
    places : int
        How many images a piece of a training shows at most.
    together : bool
        Whether all layers learn, and not the last one only.
    """

    network: Network
    pictures: Any
    parts: tuple[Layer, ...]
    names: tuple[str, ...]
    excitatory: Any
    plastic: Any
    spikes: SpikeMonitor
    input_spikes: SpikeMonitor
    input_count: SpikeMonitor
    data: Dataset
    protocol: Protocol
    layers: LayerSettings
    places: int
    together: bool = False
    inhibitory_count: None = None
    presenter: None = None

    @property
    def stands_still(self) -> bool:
        """Whether the network without learning stays as it is: each image finds it as it was before the one before."""
        return True

    @property
    def identity(self) -> list[Any]:
        """Texts and arrays that say what it is made of."""
        # A network keeps its objects in no order.
        models = sorted(f"{obj.name}: {to_toml(obj.model)}" for obj in self.network.objects if hasattr(obj, "model"))
        which = [*text_of(self.layers), *self.names, self.inputs.name, str(self.protocol.period)]
        return [*models, *which, self.data.images, self.data.labels]

    @property
    def played(self) -> bool:
        """Whether its inputs play what a layer has answered before."""
        return bool(self.inputs.name == PLAYED)

    def has(self, key: str) -> bool:
        """Whether a part of a state, such as ``cells_synapses.w``, is of a group of this network."""
        return key.partition(".")[0] in {obj.name for obj in self.network.objects}

    def scaled_weights(self, values: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG002 - nothing is scaled here
        """What of a point's values is to be otherwise when a test begins."""
        return {}

    @property
    def inputs(self) -> Any:
        """The contrast cells, or what plays the spikes of a layer."""
        return self.input_count.source

    @property
    def settings(self) -> LayerSettings:
        """The layers."""
        return self.layers

    @property
    def steps(self) -> int:
        """How many time steps a presentation has."""
        return self.step_of(self.protocol.period)

    def step_of(self, time: Any) -> int:
        """The time step of a time, a quantity or in seconds."""
        return round(float(time) / float(self.excitatory.clock.dt))

    def pause(self, *, learning: bool, input_spikes: bool) -> None:
        """Say what pauses from the next run on: what only changes weights, the recording of the inputs."""
        for layer, name in zip(self.parts, self.names, strict=True):
            if isinstance(layer, Plastic):
                for pathway in only_learning(self.network[f"{name}_synapses"]):
                    pathway.active = not learning
        self.input_spikes.active = not input_spikes

    def freeze(self) -> None:
        """Learning ends with the values that a piece of the test brings, and what only learns pauses."""
        self.pause(learning=True, input_spikes=True)

    def phase_values(self, learning: bool, done: float, winners: int) -> dict[str, Any]:  # noqa: ARG002 - layers say it
        """Learning rates, adaptation and competition, when a fraction of the training is done; 1 after it."""
        left = LEAST + (1 - LEAST) * (1 - done) if done < 1 else 0.0
        values: dict[str, Any] = {}
        for layer, name in zip(self.parts, self.names, strict=True):
            if isinstance(layer, Plastic):
                own = left if name == self.names[-1] or self.together else 0.0
                values |= _of_layer(self, layer, name, own, learning=learning)
        if self.parts and isinstance(self.parts[-1], Cells):
            cells, name = self.parts[-1], self.names[-1]
            tried = cells.tries if cells.classes else cells.learners
            values[f"{name}.winners"] = cells.winners if done >= 1 else tried
            if cells.classes:
                values[f"{name}.until_right"] = int(done < 1)
        return values


def _of_layer(built: LayeredNetwork, layer: Plastic, name: str, left: float, *, learning: bool) -> dict[str, Any]:
    """What a layer does in a phase: the fraction that is left of its rates, and how its neurons compete."""
    model = built.network[f"{name}_synapses"].model
    values: dict[str, Any] = {}
    for rate, frozen in model.presets[FROZEN].items():  # from its own value to that which stops it
        own, stopped = parse_quantity(model.parameters[rate].value), parse_quantity(frozen)
        values[f"{name}_synapses.{rate}"] = own * left + stopped * (1 - left) if learning else stopped
    if layer.adaptation:
        values[f"{name}_thresholds.eta"] = left * layer.adaptation
    if isinstance(layer, Convolution):
        values[f"{name}.winners_of_map"] = layer.winners_of_map if left else 0
        values[f"{name}.winners"] = layer.learners if left else 1
    return values


def build_layers(
    data: Dataset,
    layers: LayerSettings,
    *,
    places: int,
    together: bool = False,
    start: int = 0,
    stop: int | None = None,
    capacity: int = 0,
) -> LayeredNetwork:
    """Build a network of layers, or some of its layers, in an open session.

    Parameters
    ----------
    data : Dataset
        All images that it will ever see.
    layers : LayerSettings
        What it is made of.
    places : int
        How many images a piece of a training shows at most.
    together : bool
        Whether all layers learn at the same time, and not the last one only.
    start, stop : int, optional
        The first layer that is built, and the first that is not; by default all are.
    capacity : int
        If not 0, what comes before the first layer are no contrast cells, but neurons that play spikes, in a piece of
        the training at most so many.

    Raises
    ------
    DataError
        If the images are in colour.
    ModelError
        If a model does not fit: a rule has no preset "frozen" or no weight ``w``, a neuron lacks ``v`` or ``theta``.
    SettingsError
        If a window is larger than what it looks at, times are no multiples of the time step, or layers are left out
        without anything that is played in their place.
    """
    if start and not capacity:
        raise SettingsError(field_error("build_layers, capacity", "at least 1, as the first layers are left out", 0))
    shapes = _checked(data, layers)
    pictures, source = _inputs(data, layers, places, shapes[start], capacity)
    parts = layers.layers[start:stop]
    objects: list[Any] = [pictures, source]
    inputs, names, plastic = source, [], None
    for number, layer in enumerate(parts, start):
        before, shape = shapes[number], shapes[number + 1]
        name = name_of(layer, number)
        if isinstance(layer, Pool):
            group, more = _pool(layer, source, before, shape, layers.period, name)
        else:
            group, more = _learns(layer, source, before, shape, name, pictures, data.labels, layers, number)
            plastic = more[0]
        objects += [group, *more]
        names.append(name)
        source = group
    monitors = {
        "spikes": SpikeMonitor(source, name="spikes"),
        "input_spikes": SpikeMonitor(inputs, name="input_spikes"),
        "input_count": SpikeMonitor(inputs, record=False, name="input_count"),
    }
    shown = {"shown": layers.period, "rest": 0 * ms, "rate": 0 * Hz}
    return LayeredNetwork(
        network=Network(*objects, *monitors.values()),
        pictures=pictures,
        parts=parts,
        names=tuple(names),
        excitatory=source,
        plastic=plastic,
        data=data,
        protocol=Protocol(**shown, minimum_spikes=0, intensity_step=1 * Hz, times=0),
        layers=layers,
        places=places,
        together=together,
        **monitors,
    )


def _checked(data: Dataset, layers: LayerSettings) -> list[Shape]:
    """The shapes of the layers, when all that can be seen beforehand has been checked."""
    if data.channels != 1:
        raise DataError(field_error(f"Dataset {data.name!r}", "grey levels", "images in colour"))
    step = float(defaultclock.dt)
    for name in ("first", "later", "last"):
        steps = float(getattr(layers, name)) / step
        if abs(steps - round(steps)) > 1e-6:
            expected = f"a multiple of the time step of {defaultclock.dt}"
            raise SettingsError(field_error(f"LayerSettings.{name}", expected, getattr(layers, name)))
    for layer in layers.layers:
        if isinstance(layer, Plastic):
            _check_models(layer)
    return layers.shapes(data.shape)


def _inputs(data: Dataset, layers: LayerSettings, places: int, shape: Shape, capacity: int) -> tuple[Any, Any]:
    """What shows the images, and the contrast cells that see them or what plays the spikes of a layer."""
    flat = data.images.reshape(len(data.images), -1)
    if capacity:
        flat = np.zeros((len(flat), 1), flat.dtype)  # nobody sees them, but they turn
    order = np.zeros(places, int)
    pictures = images(flat, period=layers.period, presentation_order=order, name=PICTURES)
    if capacity:
        return pictures, playback(math.prod(shape), capacity, name=PLAYED)
    return pictures, _contrast(layers.contrast, data, pictures, layers.period)


def text_of(layers: LayerSettings, depth: int | None = None) -> list[str]:
    """What the contrast and the first layers, so many of them, are made of, down to the last value."""
    texts = [repr(layers.contrast), str([float(each) for each in (layers.first, layers.later, layers.last)])]
    for layer in layers.layers[:depth]:
        values = {each.name: getattr(layer, each.name) for each in fields(layer)}
        if isinstance(layer, Plastic):
            values |= {"rule": to_toml(synapse_model(layer.rule)), "neuron": to_toml(neuron_model(layer.neuron))}
        texts.append(f"{type(layer).__name__} {values}")
    return texts


def name_of(layer: Layer, number: int) -> str:
    """The name of the group of a layer, of which there are so many before it."""
    return {Pool: f"pool_{number + 1}", Cells: "cells", Convolution: f"maps_{number + 1}"}[type(layer)]


def difference_of_gaussians(centre: float, surround: float) -> NDArray[np.float64]:
    """A kernel with an excited centre and an inhibited surround, which adds up to 0; shape (size, size)."""
    reach = math.ceil(1.5 * surround)
    along = np.arange(-reach, reach + 1)
    distance = along[:, None] ** 2 + along[None, :] ** 2
    parts = [np.exp(-distance / (2 * sd**2)) for sd in (centre, surround)]
    return np.asarray(parts[0] / parts[0].sum() - parts[1] / parts[1].sum())


def _contrast(contrast: Contrast, data: Dataset, pictures: Any, period: Quantity) -> Any:
    """The cells that see the image, driven once per image."""
    rows, columns = data.shape
    model = "if_first_spike" if contrast.coding == CODINGS[0] else "if_soft"
    cells = neurons(rows * columns * contrast.channels, model, name=CONTRAST)
    reset_state(cells, sorted(cells.model.parsed.diff_eq_names), period)
    drive = contrast.strength / (data.brightest * Quantity(defaultclock.dt))
    if contrast.kind == KINDS[0]:
        kernel = difference_of_gaussians(contrast.centre, contrast.surround)
        both = np.stack([kernel, -kernel], axis=-1)[:, :, None, :]
        size = len(kernel)
        pictures.drive(cells, "z", both * drive, Conv2D((rows, columns, 1), 2, size, padding=size // 2))
    else:
        pictures.drive(cells, "z", drive)
    return cells


def _pool(layer: Pool, source: Any, before: Shape, shape: Shape, period: Quantity, name: str) -> tuple[Any, list[Any]]:
    relay = ("if_first_spike", "relay") if layer.mode == "max" else ("if_soft", "")
    group = neurons(math.prod(shape), relay[0], preset=relay[1], name=name)
    reset_state(group, sorted(group.model.parsed.diff_eq_names), period)
    joint = Projection(source, group, layer.connect(before), 1.0, on_pre="v_post += w", name=f"{name}_windows")
    return group, [joint]


def _learns(
    layer: Convolution | Cells,
    source: Any,
    before: Shape,
    shape: Shape,
    name: str,
    pictures: Any,
    labels: NDArray[np.int64],
    layers: LayerSettings,
    number: int,
) -> tuple[Any, list[Any]]:
    model, values, period = neuron_model(layer.neuron), dict(layer.neuron_values), layers.period
    values = {**_timing(layer, layers.answers_at(number), model), **values}
    group = neurons(math.prod(shape), model, name=name, values=values)
    told: list[Any] = []
    rewarded = isinstance(layer, Cells) and layer.classes > 0
    if isinstance(layer, Cells) and rewarded:
        told = tell_classes(group, pictures, labels, layer.classes, period)
    seen = math.prod(before) if isinstance(layer, Cells) else layer.kernel**2 * before[2]
    rule = synapse_model(layer.rule)
    begin = {"w_0": math.sqrt(3 / seen)} if "w_0" in rule.parameters else {}  # so that the squares add up to one
    connect = Dense() if isinstance(layer, Cells) else layer.connect(before)
    plastic = synapses(
        source, group, rule, onto="v", connect=connect, name=f"{name}_synapses", values={**begin, **layer.rule_values}
    )
    changing = sorted(set(group.model.parsed.diff_eq_names) - {"theta"})
    reset_state(group, changing, period)
    forget_traces(plastic, period)
    adapting = adapt_thresholds(group, shape[2], period, eta=layer.adaptation) if layer.adaptation else []
    competition = MapWinners(group, shape[2], pictures, right=RIGHT if rewarded else "")
    return group, [plastic, *adapting, competition, *told]


def _timing(layer: Convolution | Cells, answers_at: Quantity, model: Any) -> dict[str, Any]:
    """When a layer answers: maps when an inhibition has faded, cells when the urgency reaches their threshold."""
    if not set(TIMED) <= set(model.parameters):
        return {}
    dt, steps = float(defaultclock.dt), float(answers_at / defaultclock.dt)
    if isinstance(layer, Convolution):
        factor = (FADED / INHIBITION) ** (1 / steps)  # per step, as the explicit method has it
        return {"v_th": layer.threshold, "u_0": -INHIBITION, "tau_u": dt / (factor - 1) * second}
    factor = (OUT_OF_REACH / URGENCY) ** (1 / steps)
    return {"v_th": OUT_OF_REACH, "u_0": URGENCY, "tau_u": dt / (factor - 1) * second}


def _check_models(layer: Plastic) -> None:
    cell = neuron_model(layer.neuron)
    if not {"v", "theta"} <= set(cell.parsed.names):
        expected = "a membrane potential v and an adaptive threshold theta"
        raise ModelError(field_error(f"neuron {cell.name!r}, equations", expected, sorted(cell.parsed.names)))
    check_rule(synapse_model(layer.rule))
