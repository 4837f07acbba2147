"""Hybrids whose last layers spike, all in one program: the whole network with a current of its own for each neuron.

What spikes gets the constant current that the ANN's values bring it; what is analog is kept silent. Biases are part of
these currents.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn.ann.graph import Graph
from biosnn.ann.layers import Input, Layer, Relu, Scale, Select
from biosnn.ann.reference import Reference, reference
from biosnn.conversion.hybrid.network import HybridNetwork
from biosnn.conversion.network import SpikingNetwork
from biosnn.conversion.outcome import Outcome
from biosnn.conversion.populations import OUTPUT, RELU, Path, Population, PopulationNetwork
from biosnn.conversion.running import Program, RunSettings, joined, read_part
from biosnn.display import Brief
from biosnn.engine import Simulation

ENTRANCE = "currents"
MOST_CURRENTS = 2**25
"""How many currents are kept at a time."""
PROCESSES = 4
"""Into how many processes images are divided at least; each takes time to begin and to read."""


def clamped(whole: SpikingNetwork) -> SpikingNetwork:
    """The network whose input is a current for each neuron, layer after layer, in the ANN's units."""
    entrance, start = whole.graph.input.name, 0
    populations: list[Population] = []
    for population in whole.network.populations:
        inner = tuple(path for path in population.paths if path.source != entrance)
        if population.kind == RELU:
            places = start + np.arange(population.neurons).reshape(population.shape)
            current = Select(name=f"{population.name}, own", inputs=(ENTRANCE,), shape=population.shape, source=places)
            bias = np.zeros_like(population.bias)
            populations.append(replace(population, paths=(Path(ENTRANCE, (current,)), *inner), bias=bias))
            start += population.neurons
        else:
            populations.append(replace(population, paths=inner))
    output = whole.graph[whole.graph.output]
    end = Select(name=output.name, inputs=(ENTRANCE,), source=np.arange(output.neurons).reshape(output.shape) % start)
    graph = Graph((Input(name=ENTRANCE, shape=(start,)), end), output.name)
    return replace(whole, network=PopulationNetwork(graph, tuple(populations)))


class Currents:
    """What a hybrid whose last layers spike sends into the clamped network.

    Parameters
    ----------
    whole : SpikingNetwork
        The network.
    net : HybridNetwork
        The hybrid: analog layers come first.
    """

    def __init__(self, whole: SpikingNetwork, net: HybridNetwork) -> None:
        self.whole, (first, last) = whole, net.stages
        self.before, self.piece = first.piece, last.piece
        self.first: Reference = reference(first.piece.graph)
        graph = last.piece.graph
        spiking = {layer.name for layer in graph.layers if isinstance(layer, Relu)}
        output = graph[graph.output]
        self.end = output.inputs[0] if isinstance(output, Relu) else output.name
        self.sums = {name: graph[name].inputs[0] for name in spiking - {output.name}}
        self.silent = reference(_silent(graph, self.end))

    def of(self, images: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Currents for images, shape (images, neurons), and what they bring to the output, shape (images, classes)."""
        values = {self.whole.graph.input.name: images}
        values |= self.first.activations(self.before.fed(values), self.before.gives)
        activations = self.silent.activations(self.piece.fed(values), [*self.sums.values(), self.end])
        currents = []
        for population in self.whole.network.populations:
            size = (len(images), population.neurons)
            if population.name in self.sums:
                currents.append(activations[self.sums[population.name]].reshape(size))
            elif population.kind == RELU:
                theta = self.whole.thresholds[population.name]
                below = np.broadcast_to(-theta.reshape(-1, *[1] * (len(population.shape) - 1)), population.shape)
                currents.append(np.broadcast_to(below.ravel(), size))
            elif population.kind == OUTPUT:
                direct = activations[self.end].reshape(size) - population.bias.ravel()
        return np.concatenate(currents, axis=1), direct


def _silent(graph: Graph, output: str) -> Graph:
    """The layers of a graph, in which nothing comes out of a ReLU."""
    zero = np.zeros((1, 1, 1))
    layers: list[Layer] = []
    for layer in graph.layers:
        if isinstance(layer, Relu) and layer.name == graph.output and layer.name != output:
            continue
        if isinstance(layer, Relu):
            none = zero.reshape((1,) * len(layer.shape))
            layers.append(Scale(name=layer.name, inputs=layer.inputs, weight=none, bias=none))
        else:
            layers.append(layer)
    return Graph(tuple(layers), output)


def last_layers(
    sim: Simulation,
    whole: SpikingNetwork,
    nets: list[HybridNetwork],
    images: NDArray[np.float32],
    run_settings: RunSettings,
) -> list[tuple[Outcome, dict[str, NDArray[np.int64]], NDArray[np.float32]]]:
    """What hybrids do whose last layers spike.

    Parameters
    ----------
    sim : Simulation
        An open session.
    whole : SpikingNetwork
        The network.
    nets : list of HybridNetwork
        Hybrids of it, in which analog layers come first.
    images : ndarray of float32
        Images.
    run_settings : RunSettings
        How they are shown.

    Returns
    -------
    list of (Outcome, dict, ndarray)
        For each what the clamped network did; how often each of its neurons had fired at the marks, shape
        (marks, neurons); and its outputs, shape (images, marks, classes).
    """
    if not nets:
        return []
    snn, marks = clamped(whole), np.array(run_settings.marks)
    size = max(MOST_CURRENTS // snn.graph.input.neurons, 1)
    parts = [images[start : start + size] for start in range(0, len(images), size)]
    sources = [Currents(whole, net) for net in nets]
    program = Program(sim, snn, run_settings, min(-(-len(images) // PROCESSES), max(size // 8, 1)))

    results = []
    for source in sources:
        totals, did, outputs = Totals({}), [], []

        def read(built: Any, part: slice, totals: Totals = totals) -> Outcome:
            n_images = part.stop - part.start
            totals.add({name: counter.read_marks(n_images) for name, counter in built.spike_counters.items()})
            return read_part(sim, snn, run_settings, built, part)

        for part in parts:
            currents, direct = source.of(part)
            here = program.run([snn], currents, read)[0]
            told = np.concatenate([outcome.potentials[:, marks - 1] for outcome in here])
            outputs.append(np.asarray(told / marks[:, None] + direct[:, None], np.float32))
            did += [lean(outcome) for outcome in here]
        results.append((joined(did, False), totals.counts, np.concatenate(outputs)))
    return results


@dataclass(frozen=True, eq=False)
class Totals(Brief):
    """How often each neuron fired up to each mark, for all images: shape (marks, neurons) for each population."""

    counts: dict[str, NDArray[np.int64]]

    def add(self, counts: dict[str, NDArray[np.int64]]) -> None:
        """Count some images more, given shape (images or 1, marks, neurons)."""
        for name, counted in counts.items():
            self.counts[name] = self.counts.get(name, 0) + counted.sum(axis=0)


def lean(outcome: Outcome) -> Outcome:
    """Without what takes memory and has been used."""
    none = {name: counts[:1, :0] for name, counts in outcome.spikes.items()}
    return replace(outcome, spikes=none, sent=none, firsts={}, potentials=outcome.potentials[..., :0])
