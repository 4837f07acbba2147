"""A converted network as one that is trained by gradients: fine-tuning for few time steps.

In a converted network spikes pass all layers within a step (`biosnn.groups.schedule`). In training they take a step
per layer. So each layer here runs later than the input by its depth: constant inputs and biases arrive later by that,
and so do the spikes of connections that skip layers. Then every layer does in its own time what it does there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from biosnn.ann.connections import order, spread
from biosnn.ann.images import check_images
from biosnn.catalogue import neuron_model
from biosnn.conversion.build import pixel_sequence
from biosnn.conversion.membrane import DT, Membrane, leaks
from biosnn.conversion.network import STEPS, SpikingNetwork
from biosnn.conversion.populations import MAXIMUM, OUTPUT, Population
from biosnn.datasets import LabelledValues
from biosnn.errors import TrainingError, field_error
from biosnn.model import NeuronModel
from biosnn.projection import Pool2D, Sparse
from biosnn.quantity import format_quantity
from biosnn.training.network import BIAS, INPUT, OUTSIDE, Connection, Layer, TrainableNetwork, check_size

RANGE = 4.0
"""By which factor a trained threshold may grow or fall."""


def trainable(snn: SpikingNetwork, steps: int, *, thresholds: bool = True, lists: bool = True) -> TrainableNetwork:
    """Make a converted network one whose weights, biases and thresholds can be trained further.

    Before it is trained it computes what the converted network computes in so many steps, spike for spike. Train it
    with `LastPotential` (``scale=1/steps`` makes of it the cross entropy that ordinary networks are trained with) and
    with surrogate gradients: a spike moves a membrane potential at once, for which there is no exact one.

    Parameters
    ----------
    snn : SpikingNetwork
        A network that `biosnn.conversion.convert` made: with constant currents as input, a rate code, potentials as
        output, neurons without a leak, and average instead of max pooling.
    steps : int
        Time steps T for which each layer runs. The layers begin one after another, so that an example takes T - 1 steps
        and one for each layer.
    thresholds : bool
        Whether the threshold of each layer is trained, too.
    lists : bool
        Whether weights of synapses that are no convolution, but a list, are trained: shortcuts that change the size.

    Returns
    -------
    TrainableNetwork
        Weights are counted in thresholds. Biases, one for each neuron, are weights of connections from `BIAS`.

    Raises
    ------
    TrainingError
        If the network cannot be trained; the message says why.
    """
    check_size("trainable, steps", steps)
    membrane = _membrane(snn)
    names = names_of(snn)
    depths = _depths(snn)
    layers, connections = [], []
    for population in snn.network.populations:
        name, depth = names[population.name], depths[population.name]
        layers.append(_layer(snn, population, name, membrane, thresholds))
        connections += [
            Connection(
                names[source],
                name,
                weight,
                delay=depth - depths[source] - 1,
                name=f"{names[source]}_to_{name}{again}",
                **how,
            )
            for source, weight, again, how in _synapses(snn, population, membrane, lists)
        ]
    duration = (steps + max(depths.values()) - 1) * DT
    inputs = snn.graph.input.neurons
    return TrainableNetwork(inputs, layers, connections, dt=DT, duration=duration, input="values")


def labelled_images(snn: SpikingNetwork, images: ArrayLike, labels: ArrayLike) -> LabelledValues:
    """Images and their classes as the inputs of a network that `trainable` made.

    Parameters
    ----------
    snn : SpikingNetwork
        What it was made of.
    images : array_like, shape (n, *shape of the input)
    labels : array_like of int, shape (n,)

    Raises
    ------
    ConversionError, DataError
        If images have another shape, or labels do not fit them.
    """
    pixels = check_images(snn.graph, images)
    return LabelledValues(pixel_sequence(snn, pixels), np.asarray(labels))


def _membrane(snn: SpikingNetwork) -> Membrane:
    options, where = snn.options, "trainable, network"
    for name, expected in (
        ("code", "rate"),
        ("input", "analog"),
        ("output", "potential"),
        *((name, 0) for name in STEPS),
    ):
        if getattr(options, name) != expected:
            raise TrainingError(field_error(f"{where}, {name}", repr(expected), getattr(options, name)))
    if options.model.spike_value:
        do = "What a spike carries has no derivative: convert with neuron='if_soft'."
        raise TrainingError(
            field_error(f"{where}, neuron", "a model whose spikes are all alike", options.model.name, do)
        )
    if snn.network.ends:
        expected = "a network that spikes up to its output"
        raise TrainingError(field_error(where, expected, "the first layers of a hybrid"))
    for population in snn.network.populations:
        if population.kind == MAXIMUM:
            do = "Use average pooling."
            raise TrainingError(field_error(f"{where}, layer {population.name!r}", "sums", "max pooling", do))
    if leaks(options.model):
        do = "Convert with neuron='if_soft'."
        raise TrainingError(field_error(f"{where}, neuron", "a model without a leak", options.model.name, do))
    return Membrane.of(options.model)


def names_of(snn: SpikingNetwork) -> dict[str, str]:
    """The layers' names: those of the populations, where they are words."""
    names = {snn.graph.input.name: INPUT}
    for number, population in enumerate(snn.network.populations):
        plain = re.sub(r"\W", "_", population.name).strip("_")
        taken = not plain.isidentifier() or plain in (*OUTSIDE, *names.values())
        names[population.name] = f"layer_{number}" if taken else plain
    return names | {BIAS: BIAS}


def _depths(snn: SpikingNetwork) -> dict[str, int]:
    """How many layers there are on the longest way from the input to each population."""
    depths = {snn.graph.input.name: 0, BIAS: 0}
    for population in snn.network.populations:
        depths[population.name] = 1 + max(depths[path.source] for path in population.paths)
    return depths


def _layer(snn: SpikingNetwork, population: Population, name: str, membrane: Membrane, thresholds: bool) -> Layer:
    if population.kind == OUTPUT:
        return Layer(name, population.neurons, neuron_model("integrator"))
    model = _begun(snn, population, membrane)
    bounds = (format_quantity(membrane.quantum / RANGE), format_quantity(membrane.quantum * RANGE))
    return Layer(name, population.neurons, model, {membrane.threshold: bounds} if thresholds else {})


def _begun(snn: SpikingNetwork, population: Population, membrane: Membrane) -> NeuronModel:
    """The model with the membrane potential at which the population begins."""
    start = np.unique(snn.adjustment(population.name).start)
    if len(start) > 1:
        where, expected = f"trainable, layer {population.name!r}", "neurons that all begin at the same potential"
        raise TrainingError(field_error(where, expected, f"{start[0]} to {start[-1]}"))
    begin = membrane.model.initial.get(membrane.potential, "")
    if begin not in membrane.model.parameters:
        expected = f"a parameter that {membrane.potential} begins with"
        raise TrainingError(field_error(f"trainable, neuron {membrane.model.name!r}", expected, begin or "none"))
    return membrane.model.with_values("", **{begin: format_quantity(membrane.begin(float(start[0])))})


def _synapses(
    snn: SpikingNetwork, population: Population, membrane: Membrane, lists: bool
) -> list[tuple[str, Any, str, Mapping[str, Any]]]:
    """Sources, weights, a number where a source has several, and further fields of the connections to a population."""
    theta, adjustment = snn.thresholds[population.name], snn.adjustment(population.name)
    how: dict[str, Any] = {"onto": membrane.potential, "gain": membrane.quantum}
    if population.kind == OUTPUT:
        theta, how = np.ones_like(theta), {"onto": "v"}
        bias = population.bias.ravel()[order(population.shape)]
    else:
        theta = theta / adjustment.excitability
        bias = population.bias.ravel()[order(population.shape)] + adjustment.of_neurons("bias", population.shape)
    found: list[tuple[str, Any, str, Mapping[str, Any]]] = []
    for k, path in enumerate(population.paths):
        connection = snn.connections[population.name, k]
        pixels = path.source == snn.graph.input.name
        source = np.ones(connection.source[:1]) if pixels else snn.thresholds[path.source]
        weight = connection.scaled(source, theta)
        before = sum(path.source == other.source for other in population.paths[:k])
        fixed = isinstance(connection.kind, Pool2D if lists else Pool2D | Sparse)  # pooling has no weights
        kind = {"kind": connection.kind, "trained": not fixed}
        found.append((path.source, weight, f"_{before + 1}" if before else "", {**how, **kind}))
    drive = bias / spread(theta, population.shape)
    return [*found, (BIAS, drive[None, :], "", how)]
