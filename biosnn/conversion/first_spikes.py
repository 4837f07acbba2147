"""A converted network that tells values by times: at most one spike a neuron, one window of steps a layer.

While a layer has its window, the next one integrates: a spike switches on a drive that lasts until the window ends, and
so brings in proportion to the value that its time stands for. Then the next layer has its window. Up to the length of a
time step, the ReLU network is computed exactly (Stanojevic et al. 2022, arXiv:2212.12522; 2024, Nat Commun 15:6793).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from brian2 import Network, Quantity, StateMonitor

from biosnn.build import neurons
from biosnn.conversion.lowering import order, spread
from biosnn.conversion.membrane import DT
from biosnn.conversion.network import BEGIN, OFF, ON, Built, blank_pictures, pixel_groups, tallies_of
from biosnn.conversion.spiking import SpikingNetwork, largest_pixel
from biosnn.conversion.windows import windows
from biosnn.conversion.wiring import MAXIMUM, OUTPUT, Population
from biosnn.inputs import begin_anew
from biosnn.projection import Dense, Projection
from biosnn.schedule import within_step


def build_first_spikes(snn: SpikingNetwork, steps: int, shown: int, *, each: bool = False) -> Built:
    """Make the Brian2 objects, in an open session.

    Parameters
    ----------
    snn : SpikingNetwork
        The network.
    steps : int
        The length of a window.
    shown, each
        As in `biosnn.conversion.network.build`.
    """
    turns = windows(snn.wiring)
    total = steps * turns[snn.graph.output]
    period = total * DT
    pictures = blank_pictures(snn, shown, period)
    groups, onsets = pixel_groups(snn, pictures, period, shown, steps * DT)
    projections: list[Any] = []
    for number, population in enumerate(snn.wiring.populations):
        group = _population(snn, population, f"layer_{number}", steps, turns[population.name])
        groups[population.name] = group
        if population.kind not in (MAXIMUM, OUTPUT):
            onsets.drive(group, "onset", 1.0, Dense(), name=f"layer_{number}_onsets")
        projections += _joined(snn, population, groups, pictures, number, steps)
        changing = [*group.equations.diff_eq_names, "z"]
        begin_anew(group, pictures, changing, order=BEGIN - 2)  # after images have turned, before they drive
    within_step(*groups.values(), *projections)
    output = StateMonitor(groups[snn.graph.output], "v", record=True, when="end", name="read")
    tallies = tallies_of(groups, pictures, shown if each else 1)
    network = Network(pictures, onsets, *groups.values(), *projections, output)
    return Built(network, shown, total, groups, output, tallies)


def _population(snn: SpikingNetwork, population: Population, name: str, steps: int, window: int) -> Any:
    size, bias = population.neurons, population.bias.ravel()[order(population.shape)]
    if population.kind == MAXIMUM:
        return neurons(size, "if_hard", name=name, values={"v_th": "0.5"})
    if population.kind == OUTPUT:
        return neurons(size, "integrator", name=name, values={"v": bias})
    theta = spread(snn.thresholds[population.name], population.shape)
    values = {"steps": str(steps), "begins": str(window * steps), "v": bias / theta - 0.5 / steps}
    return neurons(size, "relu_first_spike", name=name, values=values)


def _joined(
    snn: SpikingNetwork, population: Population, groups: dict[str, Any], pictures: Any, number: int, steps: int
) -> list[Projection]:
    group, graph = groups[population.name], snn.graph
    theta = snn.thresholds[population.name]
    theta = np.ones_like(theta) if population.kind == OUTPUT else theta
    a_step = 1 / (steps * DT)
    found: list[Projection] = []
    for k, path in enumerate(population.paths):
        joint, name = snn.joints[population.name, k], f"joint_{number}_{k}"
        if path.source != graph.input.name:
            weights = joint.scaled(snn.thresholds[path.source], theta)
            maximum = population.kind == MAXIMUM
            adds, unit = ("v_post += w", 1) if maximum else ("z_post += w", a_step)
            made = Projection(groups[path.source], group, joint.kind, weights * unit, on_pre=adds, name=name)
            if maximum:
                made.forget_regularly(events=pictures, order=BEGIN)
            found.append(made)
            continue
        ones = np.ones(graph.input.shape[:1])
        if snn.options.input == "analog":
            pictures.drive(group, "z", joint.scaled(ones, theta) * a_step, joint.kind, onto=True, name=name)
            continue
        scaled = Quantity(joint.scaled(ones * largest_pixel(snn), theta) * a_step)
        for side, sign in ((ON, 1), (OFF, -1)):
            if side in groups:
                joined = (groups[side], group, joint.kind, sign * scaled)
                found.append(Projection(*joined, on_pre="z_post += w", name=f"{name}_{groups[side].name}"))
    return found
