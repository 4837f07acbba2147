"""Labelled examples as what engines are given: spikes by time steps, or values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from biosnn.datasets import LabelledSpikeTrains, LabelledValues
from biosnn.errors import TrainingError, field_error
from biosnn.training.batch import ConstantInputs, Inputs, SpikeList
from biosnn.training.network import TrainableNetwork

Labelled = LabelledSpikeTrains | LabelledValues
"""Examples that a network is trained with."""


def spike_list(network: TrainableNetwork, data: LabelledSpikeTrains, name: str) -> SpikeList:
    """The spikes of examples by time steps.

    Raises
    ------
    TrainingError
        If they are not of this network's inputs, classes or duration.
    """
    if data.size != network.inputs:
        raise TrainingError(field_error(name, f"spike trains of {network.inputs} inputs", f"of {data.size}"))
    _check_labels(network, data, name)
    step = np.floor(np.asarray(data.times, np.float64) / network.dt + 1e-6).astype(np.int32)
    if step.size and step.max() >= network.steps:
        do = "Let the network be simulated for as long as an example lasts."
        expected, last = f"spikes within the {network.duration:g} s of the network", float(np.max(data.times))
        raise TrainingError(field_error(f"{name}, times", expected, f"{last:g} s", do))
    return SpikeList(np.asarray(data.indptr, np.int64), np.asarray(data.neurons, np.int32), step)


def inputs_of(network: TrainableNetwork, data: Labelled, name: str) -> Inputs:
    """What examples give to a network's inputs.

    Raises
    ------
    TrainingError
        If they are not of this network's inputs, classes or duration.
    """
    kinds = {"spikes": LabelledSpikeTrains, "values": LabelledValues}
    if not isinstance(data, kinds[network.input]):
        expected = f"{kinds[network.input].__name__}, as the network's inputs are {network.input}"
        raise TrainingError(field_error(name, expected, type(data).__name__))
    if isinstance(data, LabelledSpikeTrains):
        return spike_list(network, data, name)
    if data.size != network.inputs:
        raise TrainingError(field_error(name, f"values of {network.inputs} inputs", f"of {data.size}"))
    _check_labels(network, data, name)
    return ConstantInputs(data.values.reshape(len(data), -1))


def _check_labels(network: TrainableNetwork, data: Labelled, name: str) -> None:
    classes = network.layer(network.output).size
    if data.labels.max() >= classes:
        expected = f"classes below the {classes} neurons of layer {network.output!r}"
        raise TrainingError(field_error(f"{name}, labels", expected, int(data.labels.max())))


def take(inputs: Inputs, chosen: NDArray[np.int64]) -> Inputs:
    """Some of the examples, in this order."""
    if isinstance(inputs, ConstantInputs):
        return ConstantInputs(inputs.values[chosen])
    lengths = np.diff(inputs.indptr)[chosen]
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    places = np.arange(indptr[-1]) + np.repeat(inputs.indptr[chosen] - indptr[:-1], lengths)
    return SpikeList(indptr, inputs.neuron[places], inputs.step[places])
