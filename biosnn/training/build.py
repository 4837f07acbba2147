"""Networks that are trained, made in one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from brian2 import ms

from biosnn import catalogue
from biosnn.errors import TrainingError, field_error
from biosnn.model import NeuronModel
from biosnn.training.network import INPUT, Connection, Layer, TrainableNetwork, check_size


def feedforward(
    sizes: Sequence[int],
    model: NeuronModel | str = "lif_exp_trainable",
    readout: NeuronModel | str = "leaky_readout",
    *,
    weights: Sequence[tuple[float, float]] | None = None,
    recurrent: tuple[float, float] | None = None,
    trained: Mapping[str, tuple[Any, Any]] | None = None,
    onto: str = "",
    gain: Any = 1.0,
    dt: Any = 0.1 * ms,
    duration: Any = 20 * ms,
    seed: int = 1,
) -> TrainableNetwork:
    """Layers that follow each other, each neuron of one joined with each of the next.

    Parameters
    ----------
    sizes : sequence of int
        How many inputs, neurons of each hidden layer, and output neurons, such as ``[784, 350, 10]``. The layers are
        called ``hidden``, or ``hidden_1``, ``hidden_2`` and so on, and ``output``.
    model : NeuronModel or str
        Of hidden neurons.
    readout : NeuronModel or str
        Of output neurons. The model of the hidden ones lets them spike, too.
    weights : sequence of pair, optional
        Mean and standard deviation of the normal distribution of each connection's weights at the beginning. By default
        they are such that a few of n sources that spike at about the same time reach a threshold of 1: 2.5/sqrt(n) and
        1.5/sqrt(n); those to an output that does not spike have the mean 0.
    recurrent : pair, optional
        The same for connections of each hidden layer with itself, whose spikes arrive a step later; none by default.
    trained : mapping, optional
        Parameters of the hidden layers that are trained, with their bounds; see `Layer`.
    onto : str
        The variable that spikes add to; needed for models with several.
    gain : Quantity or float
        What a weight of one adds, in the unit of that variable.
    dt, duration : Quantity
        See `TrainableNetwork`.
    seed : int
        Of the weights.

    Returns
    -------
    TrainableNetwork

    Raises
    ------
    TrainingError, NotFoundError
        If a size, a model or a distribution is wrong.
    """
    if len(sizes) < 2:
        raise TrainingError(field_error("feedforward, sizes", "the numbers of inputs and of outputs at least", sizes))
    for size in sizes:
        check_size("feedforward, sizes", size)
    hidden, output = catalogue.neuron_model(model), catalogue.neuron_model(readout)
    names = ["hidden"] if len(sizes) == 3 else [f"hidden_{k}" for k in range(1, len(sizes) - 1)]
    models = [*[hidden] * len(names), output]
    layers = [
        Layer(name, size, one, trained or {} if name != "output" else {})
        for name, size, one in zip([*names, "output"], sizes[1:], models, strict=True)
    ]
    given = weights or [_usual(n, bool(one.threshold)) for n, one in zip(sizes[:-1], models, strict=True)]
    if len(given) != len(layers) or any(len(pair) != 2 or not pair[1] >= 0 for pair in given):
        expected = f"a mean and a standard deviation for each of {len(layers)} connections"
        raise TrainingError(field_error("feedforward, weights", expected, weights))
    random = np.random.default_rng(seed)
    settings = {"onto": onto, "gain": gain}
    connections = [
        Connection(source, layer.name, random.normal(*pair, (n, layer.size)), **settings)
        for source, n, layer, pair in zip([INPUT, *names], sizes[:-1], layers, given, strict=True)
    ]
    if recurrent is not None:
        connections += [
            Connection(layer.name, layer.name, random.normal(*recurrent, (layer.size,) * 2), delay=1, **settings)
            for layer in layers[:-1]
        ]
    return TrainableNetwork(sizes[0], layers, connections, dt=dt, duration=duration)


def _usual(sources: int, spikes: bool) -> tuple[float, float]:
    """Mean and standard deviation of weights from so many sources."""
    return (2.5 / np.sqrt(sources) if spikes else 0.0, 1.5 / np.sqrt(sources))
