"""What engines are given, held against the network: compiled code would read beyond an array that is too short."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from biosnn.errors import TrainingError, field_error
from biosnn.training.batch import ConstantInputs, Floats, Inputs, SpikeList
from biosnn.training.network import TrainableNetwork


def check_inputs(network: TrainableNetwork, inputs: Inputs) -> None:
    """Refuse inputs that are not what the network's are.

    Raises
    ------
    TrainingError
        With the first thing that is wrong.
    """
    kind = "values" if isinstance(inputs, ConstantInputs) else "spikes"
    if kind != network.input:
        raise TrainingError(field_error("inputs", f"{network.input}, as the network's inputs are", kind))
    if isinstance(inputs, SpikeList):
        check_spikes(network, inputs)
        return
    if inputs.values.ndim != 2 or inputs.values.shape[1] != network.inputs or not len(inputs):
        expected = f"the shape (examples, {network.inputs}), one example at least"
        raise TrainingError(field_error("inputs, values", expected, inputs.values.shape))
    if not np.all(np.isfinite(inputs.values)):
        raise TrainingError(field_error("inputs, values", "finite numbers", "others"))


def check_spikes(network: TrainableNetwork, spikes: SpikeList) -> None:
    """Refuse input spikes that are of no input or time step, or not in the order of their steps.

    Raises
    ------
    TrainingError
        With the first one that is wrong.
    """
    for name, values, size in (("neuron", spikes.neuron, network.inputs), ("step", spikes.step, network.steps)):
        wrong = values[(values < 0) | (values >= size)]
        if wrong.size:
            raise TrainingError(field_error(f"spikes, {name}", f"from 0 to {size - 1}", int(wrong[0])))
    indptr = np.asarray(spikes.indptr)
    if len(indptr) < 2 or indptr[0] != 0 or np.any(np.diff(indptr) < 0):
        raise TrainingError(field_error("spikes, indptr", "numbers that grow from 0, one more than examples", indptr))
    if not indptr[-1] == len(spikes.neuron) == len(spikes.step):
        expected, given = f"{indptr[-1]} neurons and steps", f"{len(spikes.neuron)} and {len(spikes.step)}"
        raise TrainingError(field_error("spikes", expected, given))
    falling = np.flatnonzero(np.diff(spikes.step) < 0) + 1
    begins = np.zeros(len(spikes.step) + 1, bool)
    begins[indptr] = True
    if not np.all(begins[falling]):
        raise TrainingError("spikes, step: expected those of an example in the order of their steps.")


def check_slopes(
    network: TrainableNetwork, examples: int, by_features: Floats, by_counts: Mapping[str, Floats]
) -> None:
    """Refuse derivatives of a loss that are not those of the last forward pass.

    Raises
    ------
    TrainingError
        If there was none, or a shape is another one.
    """
    if not examples:
        raise TrainingError("backward: there was no forward pass to go back through.")
    shapes = {name: (examples, network.layer(name).size) for name in (network.output, *by_counts)}
    given = {"by_features": (by_features, shapes[network.output])}
    given |= {f"by_counts, {name}": (values, shapes[name]) for name, values in by_counts.items()}
    for name, (values, shape) in given.items():
        if np.shape(values) != shape:
            raise TrainingError(field_error(f"backward, {name}", f"the shape {shape}", np.shape(values)))
