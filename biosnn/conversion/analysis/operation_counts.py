"""The operations of a converted network, layer by layer, for the energy ledger."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn.ann.layers import Convolution, Linear, Relu, Scale
from biosnn.conversion.build import OFF, ON
from biosnn.conversion.hybrid.cutting import Piece
from biosnn.conversion.hybrid.network import HybridNetwork
from biosnn.conversion.hybrid.outcome import HybridOutcome
from biosnn.conversion.membrane import leaks
from biosnn.conversion.network import SpikingNetwork
from biosnn.conversion.outcome import Outcome
from biosnn.conversion.populations import MAXIMUM, OUTPUT, Path, Population
from biosnn.energy import IF_UPDATE, LIF_UPDATE, LayerCounts, Ledger, Update
from biosnn.errors import ConversionError, field_error

COUNT = Update(additions=1, multiplications=0, reads=1, writes=1)
DECODE = Update(additions=0, multiplications=1, reads=1, writes=1)
"""What a spike and a neuron need whose rate is decoded: a counter that goes up, and is multiplied in the end."""


def ledger(snn: SpikingNetwork | HybridNetwork, outcome: Outcome | HybridOutcome) -> Ledger:
    """Count what a network did for the images that it was shown.

    A layer that several paths lead to has an entry for each. Under constant currents, the first layer multiplies once
    per image; a bias is one more addition in every step. Layers of a hybrid network that do not spike multiply once per
    image, too; where they take rates, each spike is counted, and each count multiplied once.

    Parameters
    ----------
    snn : SpikingNetwork or HybridNetwork
        The network.
    outcome : Outcome or HybridOutcome
        What it did.

    Returns
    -------
    Ledger
        Its inferences are the images.

    Raises
    ------
    ConversionError
        If the outcome is one of the other kind.
    """
    if isinstance(snn, HybridNetwork) and isinstance(outcome, HybridOutcome):
        return _hybrid(snn, outcome)
    if isinstance(snn, HybridNetwork) or isinstance(outcome, HybridOutcome):
        given = f"{type(snn).__name__} and {type(outcome).__name__}"
        raise ConversionError(field_error("ledger", "a network and its own outcome", given))
    return Ledger(tuple(_spiking(snn, snn.network.populations, outcome)))


def _spiking(whole: SpikingNetwork, populations: Iterable[Population], outcome: Outcome) -> list[LayerCounts]:
    """What populations of a network did that spike; those that they take values of may not be among them."""
    shared = {"steps": outcome.steps, "inferences": len(outcome.potentials)}
    pixels = whole.graph.input.neurons
    encoders = [name for name in outcome.spikes if name in (ON, OFF)]
    update = Update(additions=1, multiplications=1, reads=1, writes=1)
    entries = [LayerCounts.encoder(name, neurons=pixels, update=update, **shared) for name in encoders]
    for population in populations:
        for number, path in enumerate(population.paths):
            entries += _entries(whole, outcome, population, path, number, encoders, shared)
    # Images that ended early had fewer updates.
    share = [(entry, entry.updates // (outcome.steps * len(outcome.steps_used))) for entry in entries]
    return [replace(entry, updates=each * int(outcome.steps_used.sum())) for entry, each in share]


def _hybrid(net: HybridNetwork, outcome: HybridOutcome) -> Ledger:
    images, entries = len(outcome.outputs), []
    for stage, did in zip(net.stages, outcome.stages, strict=True):
        if stage.snn is None or did is None:
            entries += _analog(net, stage.piece, images)
            continue
        # The layers are those of the whole, so that they count alike wherever it is cut.
        entries += _spiking(net.whole, [net.whole.network[p.name] for p in stage.snn.network.populations], did)
        for end in stage.snn.network.ends:
            neurons, fired = stage.snn.network[end].neurons, int(did.spikes[end].sum())
            counted = LayerCounts.encoder(f"{end}, counted", neurons=neurons, update=COUNT, steps=1, inferences=images)
            entries.append(replace(counted, updates=fired))
            name = f"{end}, decoded"
            entries.append(LayerCounts.encoder(name, neurons=neurons, update=DECODE, steps=1, inferences=images))
    return Ledger(tuple(entries))


def _analog(net: HybridNetwork, piece: Piece, images: int) -> list[LayerCounts]:
    """The layers of the ordinary network that a stage computes, which are those that spikes would have replaced."""
    entries, whole, graph = [], net.whole, net.graph
    computed_here = {
        layer.name for layer in piece.graph.layers if isinstance(layer, Relu) or layer.name == graph.output
    }
    for population in whole.network.populations:
        for number, path in enumerate(population.paths if population.name in computed_here else ()):
            connection, macs = whole.connections[population.name, number], _macs(path)
            if path.source == graph.input.name:
                macs = int(connection.fan_out.sum())  # as where it drives neurons
            if not macs:
                continue
            entry = LayerCounts.analog(
                _name(population, path),
                macs,
                sources=1,
                neurons=0 if number else population.neurons,
                update=None,
                steps=1,
                inferences=images,
                passes=1,
                weights=connection.weights.size,
            )
            entries.append(replace(entry, sources=math.prod(whole.network.shape(path.source))))
    return entries


def _entries(
    snn: SpikingNetwork,
    outcome: Outcome,
    population: Population,
    path: Path,
    number: int,
    encoders: list[str],
    shared: dict[str, Any],
) -> list[LayerCounts]:
    connection = snn.connections[population.name, number]
    common = {"update": _update(snn, population, outcome), **shared, "weights": connection.weights.size}
    neurons = 0 if number else population.neurons
    name = _name(population, path)
    if path.source in outcome.spikes:
        fired = _total(outcome.spikes[path.source])
        common |= {"neurons": neurons, "macs": _macs(path), "most": snn.options.most}
        return [LayerCounts.spiking(name, fired, connection.fan_out, **common)]
    if path.source != snn.graph.input.name:  # decoded rates, or what an analog layer computed
        sources = math.prod(snn.network.shape(path.source))
        constant = LayerCounts.analog(name, _macs(path), sources=1, neurons=neurons, passes=1, **common)
        return [replace(constant, sources=sources)] if constant.macs or neurons else []
    if not encoders:
        sources = snn.graph.input.neurons
        return [LayerCounts.analog(name, connection.fan_out, sources=sources, neurons=neurons, passes=1, **common)]
    entries = []
    for place, side in enumerate(encoders):
        fired, size = _total(outcome.spikes[side]), 0 if place else neurons
        macs = 0 if place else _macs(path)  # positive and negative pixels are one input of the ordinary network
        called = name if len(encoders) == 1 else f"{name} ({side.removeprefix('input, ')})"
        entries.append(LayerCounts.spiking(called, fired, connection.fan_out, neurons=size, macs=macs, **common))
    return entries


def _name(population: Population, path: Path) -> str:
    if len(population.paths) == 1:
        return population.name
    name = f"{population.name} from {path.source}"
    if sum(other.source == path.source for other in population.paths) == 1:
        return name
    return f"{name}, {' '.join(layer.name for layer in path.layers) or 'directly'}"


def _total(spikes: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.asarray(spikes.sum(axis=0))


def _macs(path: Path) -> int:
    """Multiply-accumulates of the ordinary network; none for a shortcut or pooling."""
    return sum(layer.macs for layer in path.layers if isinstance(layer, Convolution | Linear | Scale))


def _update(snn: SpikingNetwork, population: Population, outcome: Outcome) -> Update:
    """What an update of a neuron does: with a leak it multiplies; a lasting input is one more variable to add.

    A spike that is taken back costs as one that is sent, and a burst as the spikes that it stands for.
    """
    plain = population.kind == MAXIMUM or (population.kind == OUTPUT and snn.options.output == "potential")
    update = LIF_UPDATE if leaks(snn.options.model) and not plain else IF_UPDATE
    if snn.options.model.spike_value and not plain:  # a second threshold, and a memory of what was sent
        update = replace(update, additions=update.additions + 1, reads=update.reads + 1)
    currents = np.any(population.bias) or np.any(snn.adjustment(population.name).bias)
    driven = currents or any(path.source not in outcome.spikes for path in population.paths)
    return replace(update, additions=update.additions + 1, reads=update.reads + 1) if driven else update
