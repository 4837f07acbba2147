"""Fine-tuning in one call: a network converted for few steps, trained further with labels, and converted still."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from biosnn.ann.connections import Connection, order, spread
from biosnn.ann.graph import Graph
from biosnn.ann.images import check_images
from biosnn.ann.layers import Add, Convolution, Layer, Linear, Relu, Scale, Select, Shape
from biosnn.ann.layouts import TO_FIRST, arrangement
from biosnn.conversion.analysis.recipes import FINE_TUNED
from biosnn.conversion.converting import ConvertedNetwork, convert
from biosnn.conversion.network import SpikingNetwork, population_network_for
from biosnn.conversion.populations import OUTPUT, Path, Population
from biosnn.conversion.running import check_labels
from biosnn.engine import Simulation, session
from biosnn.errors import TrainingError, field_error
from biosnn.projection import Conv2D, OneToOne, Sparse
from biosnn.training.converted import labelled_images, names_of, trainable
from biosnn.training.losses import LastPotential
from biosnn.training.methods import Surrogate
from biosnn.training.network import BIAS, TrainableNetwork
from biosnn.training.optimizers import Adam
from biosnn.training.train import train

CALIBRATION = 500
"""On how many of the images thresholds are found."""


def fine_tune(
    network: str | os.PathLike[str] | Graph | SpikingNetwork | Any,
    images: ArrayLike,
    labels: ArrayLike | None,
    *,
    steps: int,
    epochs: int = 4,
    batch: int = 32,
    rate: float = 1e-3,
    sim: Simulation | None = None,
    target: str = "cpp",
    seed: int = 1,
    precision: str | None = None,
) -> ConvertedNetwork:
    """Convert a network for so few steps, and train its weights and biases further by gradients.

    It is training, unlike the recipes of `biosnn.conversion.convert`: it needs labels, and takes minutes where these
    take seconds; a progress bar tells how many. Surrogate gradients of the cross entropy of potentials after all steps,
    with Adam, whose rate halves with each epoch.

    Parameters
    ----------
    network : path, Graph, torch module or SpikingNetwork
        As `biosnn.conversion.convert` takes it; or what that has made already, by the recipe "plain".
    images : array_like, shape (n, *shape of the input)
        Images to learn from; thresholds are found on the first of them.
    labels : array_like of int, shape (n,)
        Their classes.
    steps : int
        For how many steps the network is meant.
    epochs, batch, rate
        How often all images are gone through, how many in a step of the optimizer, and how far that goes in the first
        epoch.
    sim : Simulation, optional
        An open session; by default one is opened.
    target, seed
        Of the session.
    precision : {"float64", "float32"}, optional
        While it is trained; by default "float32" on ``cpp``, else the only one there is.

    Returns
    -------
    ConvertedNetwork
        It runs, is saved and explained as others. Its graph has the trained weights, and a bias for each neuron.
        Weights of synapses in lists, as some shortcuts become, and thresholds stay what they were.

    Raises
    ------
    TrainingError
        If there are no labels, or the network cannot be trained; the message says why.
    ConversionError
        If the network cannot be converted, or images and labels do not fit it.

    Examples
    --------
    >>> snn = biosnn.training.fine_tune("network.onnx", images, labels, steps=4)
    >>> snn.run(test, T=4, labels=test_labels).accuracy
    """
    if labels is None:
        do = "Fine-tuning is training. Without labels, take a recipe: biosnn.convert(network, images, steps=4)."
        raise TrainingError(field_error("fine_tune, labels", "the class of each image", None, do))
    snn: SpikingNetwork
    if isinstance(network, SpikingNetwork):
        snn = network
    else:
        snn = convert(network, np.asarray(images)[:CALIBRATION], steps=steps, recipe="plain")
    learned = check_images(snn.graph, images)
    classes = check_labels(labels, len(learned), snn.graph)
    trained = trainable(snn, steps, thresholds=False, lists=False)
    data = labelled_images(snn, learned, np.asarray(classes))
    with ExitStack() as stack:
        opened = stack.enter_context(session(target, seed=seed)) if sim is None else sim
        train(
            opened,
            trained,
            data,
            loss=LastPotential(1 / steps),
            method=Surrogate(),
            optimizer=Adam(rate=rate, decay=0.5),
            batch=min(batch, len(learned)),
            epochs=epochs,
            precision=precision or ("float32" if opened.target == "cpp" else "float64"),
        )
    return with_weights(snn, trained)


def with_weights(snn: SpikingNetwork, network: TrainableNetwork) -> ConvertedNetwork:
    """A converted network with the weights and biases that a trainable one made of it has now.

    Parameters
    ----------
    snn : SpikingNetwork
        The converted network.
    network : TrainableNetwork
        What `trainable` made of it, with ``thresholds=False`` and ``lists=False``.
    """
    kept = network.parameters or [c.name for c in network.connections if c.trained and isinstance(c.kind, Sparse)]
    if kept:
        expected = "a network that trainable made with thresholds=False and lists=False"
        raise TrainingError(field_error("with_weights, network", expected, list(kept)))
    names = names_of(snn)
    layers: list[Layer] = [snn.graph.input]
    for population in snn.network.populations:
        ends = []
        for k, path in enumerate(population.paths):
            made = _path(snn, network, names, population, k, path)
            layers += made
            ends.append(made[-1].name if made else path.source)
        currents = network.weights[f"{BIAS}_to_{names[population.name]}"][0] * spread(
            _theta(snn, population), population.shape
        )
        layers += _ended(population, ends, _laid(currents, population.shape))
    populated = population_network_for(Graph(tuple(layers), snn.graph.output), snn.options)
    adjusted = {name: replace(old, bias=np.zeros_like(old.bias)) for name, old in snn.adjusted.items()}
    return ConvertedNetwork(populated, snn.thresholds, snn.lowest, snn.highest, snn.options, adjusted, FINE_TUNED)


def _theta(snn: SpikingNetwork, population: Population) -> NDArray[Any]:
    """What an input of one threshold stands for."""
    if population.kind == OUTPUT:
        return np.ones(population.shape[0])
    return np.asarray(snn.thresholds[population.name] / snn.adjustment(population.name).excitability, float)


def _laid(values: NDArray[Any], shape: Shape) -> NDArray[Any]:
    """The values of neurons in the shape of the layer."""
    flat = np.empty(values.size)
    flat[order(shape)] = values
    return flat.reshape(shape)


def _ended(population: Population, ends: list[str], bias: NDArray[Any]) -> list[Layer]:
    """The sum of all paths, biases, and the ReLU."""
    name, layers = population.name, list[Layer]()
    if len(ends) > 1:
        layers.append(Add(name=f"{name}_sum", inputs=tuple(ends)))
        ends = [f"{name}_sum"]
    last = name if population.kind == OUTPUT else f"{name}_currents"
    layers.append(Scale(name=last, inputs=(ends[0],), weight=np.ones((1,) * bias.ndim), bias=bias))
    return layers if population.kind == OUTPUT else [*layers, Relu(name=name, inputs=(last,))]


def _path(
    snn: SpikingNetwork, network: TrainableNetwork, names: Any, population: Population, k: int, path: Path
) -> list[Layer]:
    """The layers of a path: as they were, or one with the trained weights."""
    pixels = path.source == snn.graph.input.name
    before = sum(path.source == other.source for other in population.paths[:k])
    called = f"{names[path.source]}_to_{names[population.name]}" + (f"_{before + 1}" if before else "")
    trained = next(connection for connection in network.connections if connection.name == called)
    connection, name = snn.connections[population.name, k], f"{population.name}_path_{k}"
    if not trained.trained:
        return _as_it_was(path, name)
    source = np.ones(connection.source[:1]) if pixels else np.asarray(snn.thresholds[path.source], float)
    found = replace(connection, weights=network.weights[called].reshape(connection.weights.shape))
    # As weights are scaled for thresholds, so they are scaled back.
    weights = found.scaled(1 / source, 1 / _theta(snn, population))
    first: list[Layer] = []
    if pixels and snn.network.channels_last:
        if not path.layers or arrangement(path.layers[0], snn.graph.input.shape) != TO_FIRST:
            do = "Export the network for images with channels first."
            expected = "images whose channels are moved to the front at once"
            raise TrainingError(field_error(f"fine_tune, layer {population.name!r}", expected, "channels last", do))
        first = [replace(path.layers[0], name=f"{name}_channels", inputs=(path.source,), shape=())]
    begin = first[-1].name if first else path.source
    return [*first, *_trained(name, begin, connection, weights)]


def _as_it_was(path: Path, name: str) -> list[Layer]:
    layers: list[Layer] = []
    for number, layer in enumerate(path.layers):
        inputs = (layers[-1].name if layers else path.source,)
        silent = {"bias": np.zeros_like(layer.bias)} if hasattr(layer, "bias") else {}
        layers.append(replace(layer, name=f"{name}_{number}", inputs=inputs, shape=(), **silent))
    return layers


def _trained(name: str, source: str, connection: Connection, weights: NDArray[Any]) -> list[Layer]:
    kind, shapes = connection.kind, (connection.source, connection.target)
    if isinstance(kind, Conv2D):
        windows = kind.windows
        kernel, before = weights.transpose(3, 2, 0, 1), windows.before
        after = tuple(
            (out - 1) * s + (n - 1) * d + 1 - size - b
            for out, s, n, d, size, b in zip(
                windows.output, windows.stride, windows.kernel, windows.dilation, windows.input, before, strict=True
            )
        )
        padding = (before[0], before[1], max(after[0], 0), max(after[1], 0))
        more: dict[str, Any] = {"stride": windows.stride, "dilation": windows.dilation, "groups": kind.groups}
        zero = np.zeros(len(kernel))
        return [Convolution(name=name, inputs=(source,), weight=kernel, bias=zero, padding=padding, **more)]
    from_neurons, to_neurons = (order(shape) for shape in shapes)
    if isinstance(kind, OneToOne):
        # Neurons of the same number, whose values may lie elsewhere in the two layers.
        place = _laid(from_neurons, connection.target).astype(np.int64)
        moved = Select(name=f"{name}_moved", inputs=(source,), source=place)
        gain = _laid(weights, connection.target)
        return [moved, Scale(name=name, inputs=(moved.name,), weight=gain, bias=np.zeros((1,) * gain.ndim))]
    matrix = np.empty(weights.T.shape)
    matrix[np.ix_(to_neurons, from_neurons)] = weights.T
    linear = Linear(name=f"{name}_flat", inputs=(source,), weight=matrix, bias=np.zeros(len(matrix)))
    flat = np.arange(len(matrix)).reshape(connection.target)
    return [linear, Select(name=name, inputs=(linear.name,), source=flat)] if flat.ndim > 1 else [linear]
