"""A converted network in Brian2: groups of neurons, projections between them, and images that drive the first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from brian2 import Network, Quantity, SpikeMonitor, StateMonitor
from numpy.typing import NDArray

from biosnn.ann.connections import order, spread
from biosnn.coding import TTFS, Bernoulli, Regular
from biosnn.conversion.connections import pixel_order
from biosnn.conversion.membrane import DT, Membrane
from biosnn.conversion.network import SpikingNetwork, largest_pixel
from biosnn.conversion.populations import MAXIMUM, OUTPUT, Population
from biosnn.conversion.spike_counters import CARRIED, INTERVAL, MOST_STEPS, SpikeCounter, keep_carried, spike_value
from biosnn.conversion.within_image.early_exit import EarlyExit
from biosnn.conversion.within_image.first_steps import BeginsAnew, HeldBack, Offset, parts_of
from biosnn.conversion.within_image.room import held_back
from biosnn.display import Brief
from biosnn.groups.build import neurons
from biosnn.groups.schedule import within_step
from biosnn.inputs import encoder, images, reset_on_image
from biosnn.inputs.restore import Restore, changing
from biosnn.projection import Dense, Pool2D, Projection
from biosnn.projection.clear import Clear

BEGIN = -7  # in the slot "start": after images have turned and driven
PICTURES = "pictures"
ON, OFF = "input, positive", "input, negative"
"""The groups of pixels that spike, among the populations."""
_CALLED = {ON: "pixels_on", OFF: "pixels_off"}


@dataclass(frozen=True, eq=False)
class Built(Brief):
    """The Brian2 objects of a converted network.

    Parameters
    ----------
    network : Network
        All of them.
    shown : int
        How many images are shown in one run.
    steps : int
        How long each is.
    groups : dict of str to NeuronGroup
        By the name of the population; those of the input are `ON` and `OFF`.
    output : StateMonitor, SpikeMonitor or None
        Of the output, if there is one.
    spike_counters : dict of str to SpikeCounter
        Spikes of each group.
    """

    network: Network
    shown: int
    steps: int
    groups: dict[str, Any]
    output: Any
    spike_counters: dict[str, SpikeCounter]


def build(
    snn: SpikingNetwork, steps: int, n_images: int, *, each: bool = False, early: bool = False, intervals: int = 1
) -> Built:
    """Make the Brian2 objects, in an open session.

    Parameters
    ----------
    snn : SpikingNetwork
        The network.
    steps : int
        How long an image is shown.
    n_images : int
        How many images are shown in one run.
    each : bool
        Whether the spikes of each neuron are counted for each image by itself.
    early : bool
        Whether an image ends as soon as the output is sure (see `early_exit`).
    intervals : int
        Into how many intervals an image is divided, in which spikes are counted by themselves (see `counter`): of the
        populations whose rates are handed on, for each image.

    Returns
    -------
    Built
    """
    membrane, period = Membrane.of(snn.options.model), steps * DT
    image_sequence = blank_images(snn, n_images, period)
    if intervals > 1:
        image_sequence.variables.add_array(INTERVAL, size=MOST_STEPS, dtype=np.int32)
    groups, onsets = pixel_groups(snn, image_sequence, period, n_images, period)
    projections: list[Any] = []
    late = held_back(snn)
    for number, population in enumerate(snn.network.populations):
        group = _population(snn, population, membrane, f"layer_{number}")
        groups[population.name] = group
        projections += joined(snn, population, groups, image_sequence, number, **_onto(snn, population, membrane))
        restore = reset_on_image(group, image_sequence, _state(snn, population, group), order=BEGIN)
        keep_carried(group)
        if population.name in late:
            HeldBack(group, image_sequence, late[population.name])
        if snn.options.pre_run:
            _begins_anew(snn, population, membrane, group, image_sequence, restore, projections)
    within_step(*groups.values(), *projections)
    if early:
        EarlyExit(groups[snn.graph.output], image_sequence)
    reads = None if snn.network.ends else _reads(groups[snn.graph.output], snn.options.output)
    apart = {name: n_images if each or name in snn.network.ends else 1 for name in groups}
    told = snn.options.pre_run
    spike_counters = spike_counters_of(
        groups, image_sequence, apart, intervals, firsts=each and intervals == 1, told=told
    )
    more = [made for made in (onsets, reads) if made is not None]
    network = Network(image_sequence, *groups.values(), *projections, *more)
    return Built(network, n_images, steps, groups, reads, spike_counters)


def _begins_anew(
    snn: SpikingNetwork,
    population: Population,
    membrane: Membrane,
    group: Any,
    image_sequence: Any,
    restore: Restore,
    projections: list[Any],
) -> None:
    """Let a population begin anew after the pre-run: neurons, shifted by offset spikes, and what max pooling counts."""
    pre_run, name = snn.options.pre_run, f"{group.name}_after_pre_run"
    if population.kind == MAXIMUM:
        cleared = [
            part for made in projections[-1].contained_objects if isinstance(made, Clear) for part in made.arrays
        ]
        parts = [(var, None, start, stop) for var, start, stop in cleared]
        BeginsAnew(group, image_sequence, pre_run, parts, None, name)
    elif population.kind != OUTPUT or snn.options.output == "counts":
        carried = group.variables.get(CARRIED)
        offset = Offset(group.variables[membrane.potential], carried, membrane.rest, membrane.quantum)
        BeginsAnew(group, image_sequence, pre_run, parts_of(restore), offset, name)


def _reads(output: Any, what: str) -> Any:
    if what == "potential":
        return StateMonitor(output, "v", record=True, when="end", name="read")
    return SpikeMonitor(output, name="read")


def blank_images(snn: SpikingNetwork, n_images: int, period: Quantity) -> Any:
    """An image sequence whose pixels a point of a prepared run sets."""
    blank = np.zeros((n_images, snn.graph.input.neurons), np.float32)
    return images(blank, period=period, name=PICTURES)


def spike_counters_of(
    groups: dict[str, Any],
    image_sequence: Any,
    images_apart: Mapping[str, int],
    intervals: int = 1,
    *,
    firsts: bool = False,
    told: int = 0,
) -> dict[str, SpikeCounter]:
    """Count the spikes of all groups that have some: of how many images by themselves, and in how many intervals.

    With ``firsts``, the step of each first spike is kept too. What spikes carried is summed after so many steps of an
    image as ``told`` says.
    """
    spiking = {name: group for name, group in groups.items() if group.thresholder}
    return {
        name: SpikeCounter(
            group, image_sequence, images_apart[name], f"tally_{number}", intervals, firsts=firsts, told=told
        )
        for number, (name, group) in enumerate(spiking.items())
    }


def relays(size: int, name: str, *, graded: bool = False) -> Any:
    """Neurons that pass each spike on in the step in which it comes: those that passed the gate of a maximum."""
    if graded:
        return neurons(size, "graded_relay", name=name)
    return neurons(size, "if_hard", name=name, values={"v_th": "0.5"})


def _population(snn: SpikingNetwork, population: Population, membrane: Membrane, name: str) -> Any:
    size = population.neurons
    if population.kind == MAXIMUM:
        return relays(size, name, graded=bool(snn.options.model.spike_value))
    values = _values(snn, population, membrane)
    if population.kind == OUTPUT and snn.options.output == "potential":
        return neurons(size, "integrator", name=name, values=values)
    return neurons(size, membrane.model, name=name, values=values)


def _values(snn: SpikingNetwork, population: Population, membrane: Membrane) -> dict[str, Any]:
    """What biases and thresholds make of a population: its constant drive, and the potential at which images begin."""
    shape, adjustment = population.shape, snn.adjustment(population.name)
    bias = population.bias.ravel()[order(shape)]
    if population.kind == OUTPUT and snn.options.output == "potential":
        return {"z": Quantity(bias / DT)}
    theta = spread(snn.thresholds[population.name] / adjustment.excitability, shape)
    drive = (bias + adjustment.of_neurons("bias", shape)) / theta
    begin = membrane.begin(adjustment.of_neurons("start", shape))
    return {membrane.drive: Quantity(drive * membrane.current), membrane.potential: begin}


def parameters(snn: SpikingNetwork) -> dict[str, Any]:
    """All that thresholds and adjustments decide in a network with a rate code, as values for a prepared program.

    Returns
    -------
    dict of str to Quantity or ndarray
        "group.variable" to what it is.
    """
    membrane = Membrane.of(snn.options.model)
    point_values: dict[str, Any] = {}
    for number, population in enumerate(snn.network.populations):
        if population.kind != MAXIMUM:
            layer_values = _values(snn, population, membrane)
            point_values |= {f"layer_{number}.{variable}": value for variable, value in layer_values.items()}
            weights = weights_of(snn, population, number, **_onto(snn, population, membrane))
            point_values |= {f"{name}.w": np.ravel(value) for name, value in weights.items()}
    return point_values


def _state(snn: SpikingNetwork, population: Population, group: Any) -> list[str] | None:
    """What is put back when an image comes: all that changes, and a lasting input that first spikes switch on."""
    if snn.options.input != "first spike" or snn.graph.input.name not in {path.source for path in population.paths}:
        return None
    return [*changing(group), *(name for name, entry in group.model.inputs.items() if entry.kind == "value")]


def pixel_groups(
    snn: SpikingNetwork, image_sequence: Any, period: Quantity, n_images: int, window: Quantity
) -> tuple[dict[str, Any], Any]:
    """The groups of pixels that spike: one for positive values and, if there are any, one for negative ones.

    Parameters
    ----------
    snn : SpikingNetwork
        The network.
    image_sequence : Images
        What they show.
    period : Quantity
        How long each image is shown.
    n_images : int
        How many images are shown in one run.
    window : Quantity
        Within which time a first spike comes.

    Returns
    -------
    (dict of str to NeuronGroup, Images or None)
        The groups, by the names `ON` and `OFF`, and the one that holds the onset of an image; none under constant
        currents, where it is not needed, unless spikes come in windows.
    """
    kinds = {"poisson": Bernoulli, "regular": Regular, "first spike": TTFS}
    if snn.options.input == "analog" and snn.options.code == "rate":
        return {}, None
    onsets = images(np.arange(n_images)[:, None] * period, period=period, name="onsets")
    groups: dict[str, Any] = {}
    if snn.options.input == "analog":
        return groups, onsets
    rate = {} if snn.options.input == "first spike" else {"rate": 1 / DT}
    model = encoder(kinds[snn.options.input](duration=window, dt=DT, **rate))
    for name, sign in ((ON, 1), (OFF, -1)):
        if name == ON or snn.lowest < 0:
            called = _CALLED[name]
            groups[name] = neurons(len(image_sequence), model, name=called)
            image_sequence.drive(groups[name], "x", float(sign), name=f"{called}_values")
            onsets.drive(groups[name], "onset", 1.0, Dense(), name=f"{called}_onsets")
    return groups, onsets


@dataclass(frozen=True)
class Onto:
    """A variable that something adds to, and the unit of a weight of one."""

    variable: str
    unit: Quantity


def _onto(snn: SpikingNetwork, population: Population, membrane: Membrane) -> dict[str, Onto]:
    """What spikes and pixels add to in a population with a rate code."""
    potential, drive = Onto(membrane.potential, membrane.quantum), Onto(membrane.drive, membrane.current)
    if population.kind == MAXIMUM or (population.kind == OUTPUT and snn.options.output == "potential"):
        potential, drive = Onto("v", Quantity(1.0)), Onto("z", 1 / DT)
    return {
        "spikes": potential,
        "pixels": drive if snn.options.input == "first spike" else potential,
        "currents": drive,
    }


def weights_of(
    snn: SpikingNetwork, population: Population, number: int, *, spikes: Onto, pixels: Onto, currents: Onto
) -> dict[str, Any]:
    """The weights of the synapses that arrive at a population, for each projection or drive by its name.

    Parameters
    ----------
    snn : SpikingNetwork
        The network.
    population : Population
        Where they arrive.
    number : int
        Of the population, for names.
    spikes, pixels, currents : Onto
        What the spikes of other populations add to, those of pixels, and pixels that are currents.
    """
    theta = snn.thresholds[population.name] / snn.adjustment(population.name).excitability
    if population.kind == OUTPUT and snn.options.output == "potential":
        theta = np.ones_like(theta)  # the potential is read as it is
    weights_by_name: dict[str, Any] = {}
    for k, path in enumerate(population.paths):
        connection, name = snn.connections[population.name, k], f"joint_{number}_{k}"
        ones = np.ones(connection.source[:1])
        if path.source != snn.graph.input.name:
            weights_by_name[name] = connection.scaled(snn.thresholds[path.source], theta) * spikes.unit
        elif snn.options.input == "analog":
            weights_by_name[name] = connection.scaled(ones, theta) * currents.unit
        else:
            weights = connection.scaled(ones * largest_pixel(snn), theta) * pixels.unit
            sides = ((ON, 1), (OFF, -1)) if snn.lowest < 0 else ((ON, 1),)
            weights_by_name |= {f"{name}_{_CALLED[side]}": sign * weights for side, sign in sides}
    return weights_by_name


def joined(
    snn: SpikingNetwork,
    population: Population,
    groups: dict[str, Any],
    image_sequence: Any,
    number: int,
    *,
    spikes: Onto,
    pixels: Onto,
    currents: Onto,
) -> list[Projection]:
    """The synapses that arrive at a population.

    Parameters
    ----------
    groups : dict of str to NeuronGroup
        That population, and all before it.
    image_sequence : Images
        What is shown.
    snn, population, number, spikes, pixels, currents
        As in `weights_of`.

    Returns
    -------
    list of Projection
        Those that spikes run; a drive by images is part of these.
    """
    group, projections = groups[population.name], []
    weights = weights_of(snn, population, number, spikes=spikes, pixels=pixels, currents=currents)
    for k, path in enumerate(population.paths):
        kind, name = snn.connections[population.name, k].kind, f"joint_{number}_{k}"
        if path.source != snn.graph.input.name:
            value = spike_value(groups[path.source])
            factor = f"{value}_pre*" if value else ""
            if value and isinstance(kind, Pool2D):  # it passes the change of the largest sum on
                kind, factor = replace(kind, spike_value=value), "change*"
            adds = f"{spikes.variable}_post += {factor}w"
            projections.append(Projection(groups[path.source], group, kind, weights[name], on_pre=adds, name=name))
            if population.kind == MAXIMUM:
                projections[-1].reset_regularly(events=image_sequence, order=BEGIN)
        elif snn.options.input == "analog":
            image_sequence.drive(group, currents.variable, weights[name], kind, onto=True, name=name)
        else:
            adds = f"{pixels.variable}_post += w"
            for source in (groups[side] for side in (ON, OFF) if side in groups):
                called = f"{name}_{source.name}"
                projections.append(Projection(source, group, kind, weights[called], on_pre=adds, name=called))
    return projections


def pixel_sequence(snn: SpikingNetwork, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Images as pixels in the order of the neurons, shape (n, pixels); of inputs that spike, at most 1."""
    flat = pixels.reshape(len(pixels), -1)[:, pixel_order(snn.network)]
    if snn.options.input == "analog":
        return flat
    clipped: NDArray[np.float32] = np.clip(flat / largest_pixel(snn), -1, 1)
    return clipped


def duration(images_shown: int, steps: int) -> Quantity:
    """How long it takes to show so many images."""
    return Quantity(images_shown * steps * DT)
