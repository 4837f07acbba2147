"""A converted network that codes values by times: at most one spike per neuron, one window of steps per layer.

While a layer has its window, the next one integrates: a spike switches on a drive that lasts until the window ends, and
so brings in proportion to the value that its time stands for. Then the next layer has its window. Up to the length of a
time step, the ReLU network is computed exactly (Stanojevic et al. 2022, arXiv:2212.12522; 2024, Nat Commun 15:6793).
"""

from __future__ import annotations

from typing import Any

from brian2 import Network, Quantity, StateMonitor

from biosnn.ann.connections import order, spread
from biosnn.conversion.build import BEGIN, Built, Onto, blank_images, joined, pixel_groups, relays, spike_counters_of
from biosnn.conversion.membrane import DT
from biosnn.conversion.network import SpikingNetwork
from biosnn.conversion.populations import MAXIMUM, OUTPUT, Population
from biosnn.conversion.windows import windows
from biosnn.groups.build import neurons
from biosnn.groups.schedule import within_step
from biosnn.inputs import reset_on_image
from biosnn.projection import Dense


def build_first_spikes(snn: SpikingNetwork, steps: int, n_images: int, *, each: bool = False) -> Built:
    """Make the Brian2 objects, in an open session.

    Parameters
    ----------
    snn : SpikingNetwork
        The network.
    steps : int
        The length of a window.
    shown, each
        As in `biosnn.conversion.build.build`.
    """
    turns = windows(snn.network)
    total = steps * turns[snn.graph.output]
    period = total * DT
    image_sequence = blank_images(snn, n_images, period)
    groups, onsets = pixel_groups(snn, image_sequence, period, n_images, steps * DT)
    projections: list[Any] = []
    lasting = Onto("z", 1 / (steps * DT))
    for number, population in enumerate(snn.network.populations):
        group = _population(snn, population, f"layer_{number}", steps, turns[population.name])
        groups[population.name] = group
        if population.kind not in (MAXIMUM, OUTPUT):
            onsets.drive(group, "onset", 1.0, Dense(), name=f"layer_{number}_onsets")
        spikes = Onto("v", Quantity(1.0)) if population.kind == MAXIMUM else lasting
        taken = {"spikes": spikes, "pixels": lasting, "currents": lasting}
        projections += joined(snn, population, groups, image_sequence, number, **taken)
        changing = [*group.equations.diff_eq_names, "z"]
        reset_on_image(group, image_sequence, changing, order=BEGIN - 2)  # after images have turned, before they drive
    within_step(*groups.values(), *projections)
    output = StateMonitor(groups[snn.graph.output], "v", record=True, when="end", name="read")
    spike_counters = spike_counters_of(
        groups, image_sequence, dict.fromkeys(groups, n_images if each else 1), firsts=each
    )
    network = Network(image_sequence, onsets, *groups.values(), *projections, output)
    return Built(network, n_images, total, groups, output, spike_counters)


def _population(snn: SpikingNetwork, population: Population, name: str, steps: int, window: int) -> Any:
    size, bias = population.neurons, population.bias.ravel()[order(population.shape)]
    if population.kind == MAXIMUM:
        return relays(size, name)
    if population.kind == OUTPUT:
        return neurons(size, "integrator", name=name, values={"v": bias})
    theta = spread(snn.thresholds[population.name], population.shape)
    values = {"steps": str(steps), "begins": str(window * steps), "v": bias / theta - 0.5 / steps}
    return neurons(size, "relu_first_spike", name=name, values=values)
