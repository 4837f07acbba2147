"""Postsynaptic neurons of a model that are made to spike at given times, for rules that read the membrane."""

from typing import Any

import numpy as np
from brian2 import NeuronGroup, Quantity, SpikeGeneratorGroup, SpikeMonitor, second

from biosnn.catalogue import neuron_model
from biosnn.errors import QuantityError, SettingsError, field_error
from biosnn.groups.build import neurons, synapses
from biosnn.model import NeuronModel
from biosnn.model.expressions import identifiers
from biosnn.quantity import check_dimension

NONE = "none"
"""No neuron: spikes at given times, and nothing that a rule could read."""


def spiking_cells(name: str, jump: Quantity, trains: Any, dt: Quantity) -> tuple[NeuronGroup, list[Any]]:
    """Neurons whose membrane potential jumps so that they spike at the times of their trains (in seconds).

    Returns
    -------
    group, others
        The neurons, and what a network needs beside them; the last is the monitor of their spikes.
    """
    model = neuron_model(name)
    variable = _membrane(model)
    group = neurons(len(trains), model, name="cells")
    try:
        check_dimension("jump", jump, group.variables[variable].dim)
    except QuantityError as error:
        raise SettingsError(f"{error} It is added to {variable} of the neuron {name}.") from None
    indices = np.concatenate([np.full(len(train), k) for k, train in enumerate(trains)])
    # What jumps at the end of a time step is above threshold in the next one.
    times = np.concatenate(trains) * second - dt
    force = SpikeGeneratorGroup(len(trains), indices, times, name="force")
    each = list(range(len(trains)))
    jumps = synapses(force, group, "static", onto=variable, gain=jump, connect=(each, each), name="jumps")
    jumps.pre.order = 10  # after whatever reads the potential in that step
    return group, [force, jumps, SpikeMonitor(group, name="spikes_of_cells")]


def _membrane(model: NeuronModel) -> str:
    """The variable that is compared with the threshold, and to which a jump can be added."""
    compared = identifiers(model.threshold) & set(model.parsed.diff_eq_names)
    if not compared:
        expected = "a neuron that spikes when one of its differential equations crosses the threshold"
        raise SettingsError(field_error("neuron", expected, model.name))
    return "v" if "v" in compared else min(compared)


def check_spikes(name: str, monitor: SpikeMonitor, trains: Any, dt: Quantity) -> None:
    """Refuse neurons that have not spiked at the times given, and at no others: the window would be of other pairs."""
    found = monitor.spike_trains()
    for number, train in enumerate(trains):
        times = np.asarray(found[number] / second)
        if len(times) != len(train) or np.abs(times - train).max() > 0.5 * float(dt):
            expected = f"a neuron that spikes at the {len(train)} times it is made to, and at no others"
            given = f"{name} with {len(times)} spikes, at {np.round(1e3 * times[:8], 2).tolist()} ms"
            do = f"Wanted: {np.round(1e3 * train[:8], 2).tolist()} ms. Try another jump, a smaller dt or frequency."
            raise SettingsError(field_error("neuron", expected, given, do))
