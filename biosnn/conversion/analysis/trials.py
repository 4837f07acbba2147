"""A converted network tried with other thresholds and adjustments, in one program."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import fields, replace
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from biosnn.ann.images import check_images
from biosnn.ann.layers import Layer
from biosnn.conversion.network import STEPS, Options, SpikingNetwork
from biosnn.conversion.outcome import Outcome
from biosnn.conversion.populations import PopulationNetwork
from biosnn.conversion.running import Program, RunSettings, check_labels, check_steps, joined, read_part
from biosnn.conversion.within_image.room import check_room
from biosnn.engine import Simulation
from biosnn.errors import ConversionError, field_error

TOGETHER = 40
"""How many images one process shows: more than usual, as there are many processes, and short ones."""


def one_program(options: Options, others: Options) -> bool:
    """Whether one program can simulate two networks of the same layers: they may differ in thresholds and start."""
    return all(getattr(options, name) == getattr(others, name) for name in ("code", "model", "input", "output", *STEPS))


def _same_layers(populated: PopulationNetwork, others: PopulationNetwork) -> bool:
    """Whether populations, paths, weights and everything else that a layer has are the same."""
    if [p.name for p in populated.populations] != [p.name for p in others.populations]:
        return False
    layers, known = populated.graph.layers, others.graph.layers
    return len(layers) == len(known) and all(map(_same, layers, known))


def _same(layer: Layer, other: Layer) -> bool:
    return layer is other or (
        type(layer) is type(other)
        and all(np.array_equal(getattr(layer, part.name), getattr(other, part.name)) for part in fields(layer))
    )


class Trials:
    """A converted network as one program, to be tried with other thresholds and adjustments without building it anew.

    Parameters
    ----------
    snn : SpikingNetwork
        The network, whose rates code values.
    T : int
        For how many steps images are shown.
    sim : Simulation
        An open session, whose program so far is given up. Trials end when it gets another program.
    each : bool
        Whether the spikes of each neuron are kept for each image.
    precision : str
        Of the program.

    Raises
    ------
    ConversionError
        If the network is one of first spikes, or T is out of range or leaves no step to read the output.
    """

    def __init__(
        self, snn: SpikingNetwork, T: int, sim: Simulation, *, each: bool = False, precision: str = "float32"
    ) -> None:
        if snn.options.code != "rate":
            raise ConversionError(field_error("Trials", "a network of the code 'rate'", snn.options.code))
        self.snn, self.T = snn, check_steps(T)
        check_room(snn, self.T, "Trials, T")
        self.sim, self.run_settings = sim, RunSettings(self.T, each, None, precision, None, None)
        self._program = Program(sim, snn, self.run_settings, TOGETHER, varied=True)

    def for_steps(self, T: int) -> Trials:
        """The same trials, in which images are shown for fewer steps: there is one program for all.

        Raises
        ------
        ConversionError
            If T is above that of these trials.
        """
        if check_steps(T) > self.run_settings.T:
            raise ConversionError(field_error("Trials.for_steps", f"at most {self.run_settings.T} steps", T))
        check_room(self.snn, T, "Trials.for_steps")
        fewer = copy(self)
        fewer.T = T
        return fewer

    def variant(self, snn: SpikingNetwork) -> SpikingNetwork:
        """A network that was converted by itself, with other thresholds or another start, as one for these trials.

        Raises
        ------
        ConversionError
            If its populations or weights are others.
        """
        if not _same_layers(snn.network, self.snn.network):
            names = [population.name for population in snn.network.populations]
            raise ConversionError(field_error("Trials.variant", "the layers and weights of the trials", names))
        base = self.snn
        return replace(snn, network=base.network, lowest=base.lowest, highest=base.highest)

    def run(
        self, networks: Sequence[SpikingNetwork], images: ArrayLike, labels: ArrayLike | None = None
    ) -> list[Outcome]:
        """Show the same images to several networks.

        Parameters
        ----------
        networks : sequence of SpikingNetwork
            The network itself, or others that differ in thresholds, start and adjustments, as `variant` makes them, and
            `SpikingNetwork.with_thresholds` and ``with_adjustment``.
        images, labels
            As for `run`.

        Returns
        -------
        list of Outcome
            Without the time by the clock, as networks run side by side.

        Raises
        ------
        ConversionError
            If a network has other layers, synapses or options.
        """
        inputs = check_images(self.snn.graph, images)
        classes = check_labels(labels, len(inputs), self.snn.graph)
        for snn in networks:
            if snn.network is not self.snn.network or not one_program(snn.options, self.snn.options):
                do = "Make others by Trials.variant, with_thresholds or with_adjustment."
                raise ConversionError(
                    field_error("Trials.run", "variants of the network of the trials", snn.options, do)
                )
        read = partial(read_part, self.sim, self.snn, self.run_settings)
        return [
            replace(joined(parts, self.run_settings.each), labels=classes)
            for parts in self._program.run(networks, inputs, read, self.T)
        ]
