"""The network of Diehl & Cook 2015: inputs, excitatory cells that learn, inhibitory cells that make them compete."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from brian2 import Network, Quantity, SpikeMonitor

from biosnn.catalogue import neuron_model, synapse_model
from biosnn.datasets import Dataset
from biosnn.errors import ModelError, field_error
from biosnn.groups.build import neurons, synapses
from biosnn.learning.competition import FirstSpike
from biosnn.learning.homeostasis import forget_traces, keep_weight_sum, settle
from biosnn.learning.presenter import Inputs, Protocol, Stage, count_answers, set_up
from biosnn.model import NeuronModel, SynapseModel
from biosnn.projection import Dense, Lateral, OneToOne, Projection
from biosnn.quantity import parse_quantity

FROZEN = "frozen"
_DELAY_SEED = 0
"""Delays are the same whatever the seed of a run: they are part of the program, which all seeds share."""
M = TypeVar("M", NeuronModel, SynapseModel)


@dataclass(frozen=True)
class Circuit:
    """What the network is made of.

    Parameters
    ----------
    size : int
        Number of excitatory cells, and of inhibitory ones.
    neuron : str, Path or NeuronModel
        Model of the excitatory cells. It has the dimensionless spike inputs ``g_exc`` and ``g_inh``. Its preset
        "frozen", if it has one, stops its adaptation.
    neuron_preset : str
        Preset of the neuron that learning begins with, if the model has it.
    rule : str, Path or SynapseModel
        Model of the synapses from the inputs, with weight ``w``. Its preset "frozen" stops learning.
    rule_preset : str
        Preset of the rule that learning begins with, if the model has it.
    inhibitory : str, Path or NeuronModel
        Model of the inhibitory cells, with the spike input ``g_exc``; "" for none. The first spike in answer to an
        image is the only one then (`FirstSpike`), and the traces of the rule begin anew with each image.
    input_gain : float
        Conductance that an input spike adds at a weight of one.
    weight_total : float
        What the input weights of a cell are scaled to add up to before each image; 0 leaves them alone.
    excitation : float
        Conductance that a spike of an excitatory cell adds to its inhibitory partner.
    inhibition : float
        Conductance that a spike of an inhibitory cell adds to all excitatory cells but its partner.
    delays : Quantity
        Longest delay of an input spike; each synapse draws one between 0 and this. 0 for none.
    settle : tuple of str
        State variables of the excitatory cells put back to their start before each image.
    coding : str, Path, NeuronModel or Played
        Model of the inputs, with the value inputs ``x`` and ``onset``; "" for Poisson spike trains; `Played` for spikes
        that are known beforehand. See `biosnn.learning.set_up`.
    """

    size: int
    neuron: str | Path | NeuronModel
    neuron_preset: str
    rule: str | Path | SynapseModel
    rule_preset: str
    inhibitory: str | Path | NeuronModel
    input_gain: float
    weight_total: float
    excitation: float
    inhibition: float
    delays: Quantity
    settle: tuple[str, ...]
    coding: Inputs = ""


@dataclass(frozen=True)
class Learner:
    """A network that sees images and learns.

    Parameters
    ----------
    network : Network
        Everything.
    stage : Stage
        What shows the images.
    excitatory : NeuronGroup
        The cells that learn.
    inhibitory : NeuronGroup or None
        Those that let them compete.
    plastic : Projection
        From the inputs to the excitatory cells, with their weights ``w``.
    spikes, input_spikes : SpikeMonitor
        Of the excitatory cells, and of the inputs (see `Learner.pause`).
    input_count, inhibitory_count : SpikeMonitor or None
        How many spikes the inputs and the inhibitory cells had, without their times.
    keepers : list
        What keeps the sum of weights.
    data, protocol, circuit
        What it was built from.
    """

    network: Network
    stage: Stage
    excitatory: Any
    inhibitory: Any
    plastic: Projection
    spikes: SpikeMonitor
    input_spikes: SpikeMonitor
    input_count: SpikeMonitor
    inhibitory_count: SpikeMonitor | None
    keepers: list[Any]
    data: Dataset
    protocol: Protocol
    circuit: Circuit

    @property
    def stands_still(self) -> bool:
        """Whether the frozen network stays as it is, whatever it is shown."""
        return all(FROZEN in group.model.presets for group in (self.excitatory, self.plastic))

    def pause(self, *, keepers: bool, input_spikes: bool) -> None:
        """Say what pauses from the next run on: the keeping of the sum of weights, the recording of the inputs."""
        for keeper in self.keepers:
            keeper.active = not keepers
        self.input_spikes.active = not input_spikes

    def freeze(self) -> None:
        """Stop all learning from the next run on: weights, thresholds, scaling, and showing images again."""
        for group in (self.excitatory, self.plastic):
            for name, text in group.model.presets.get(FROZEN, {}).items():
                setattr(group, name, parse_quantity(text))
        self.pause(keepers=True, input_spikes=True)
        self.stage.stage.fewest_spikes = 0


def build(data: Dataset, protocol: Protocol, circuit: Circuit, playlist: int) -> Learner:
    """Build the network.

    Parameters
    ----------
    data : Dataset
        All images that it will ever see.
    protocol : Protocol
        How they are shown.
    circuit : Circuit
        What the network is made of.
    playlist : int
        How many places the playlist has.

    Returns
    -------
    Learner
        Fill ``stage``'s playlist before the first run.

    Raises
    ------
    ModelError
        If a model does not fit: the rule has no preset "frozen" or no weight ``w``, or a cell lacks a spike input.
    """
    rule, cell = _rule(circuit), _preset(neuron_model(circuit.neuron), circuit.neuron_preset)
    stage = set_up(data, protocol, playlist, circuit.coding)
    excitatory = neurons(circuit.size, cell, name="excitatory")
    plastic = synapses(
        stage.inputs,
        excitatory,
        rule,
        onto="g_exc",
        gain=Quantity(circuit.input_gain),
        connect=Dense(),
        delay=_delays(circuit, len(stage.inputs)),
        name="plastic",
    )
    keepers = keep_weight_sum(plastic, circuit.weight_total, protocol.period) if circuit.weight_total else []
    settle(excitatory, circuit.settle, protocol.period)
    competitors = _competition(circuit, stage, excitatory, plastic, protocol)
    inhibitory = next((group for group in competitors if group.name == "inhibitory"), None)
    monitors = {
        "spikes": SpikeMonitor(excitatory, name="spikes"),
        "input_spikes": SpikeMonitor(stage.inputs, name="input_spikes"),
        "input_count": SpikeMonitor(stage.inputs, record=False, name="input_count"),
    }
    if inhibitory is not None:
        monitors["inhibitory_count"] = SpikeMonitor(inhibitory, record=False, name="inhibitory_count")
    counter = count_answers(stage, excitatory)
    network = Network(*stage.objects, excitatory, plastic, *competitors, counter, *monitors.values())
    return Learner(
        network=network,
        stage=stage,
        excitatory=excitatory,
        inhibitory=inhibitory,
        plastic=plastic,
        keepers=keepers,
        data=data,
        protocol=protocol,
        circuit=circuit,
        **{"inhibitory_count": None, **monitors},
    )


def _competition(circuit: Circuit, stage: Stage, excitatory: Any, plastic: Any, protocol: Protocol) -> list[Any]:
    """What lets few cells answer an image."""
    if not circuit.inhibitory:
        forget_traces(plastic, protocol.period)
        return [FirstSpike(excitatory, stage.stage)]
    inhibitory = neurons(circuit.size, circuit.inhibitory, name="inhibitory")
    # An excitatory cell excites its inhibitory partner, which inhibits all excitatory cells but this one.
    excite = synapses(
        excitatory, inhibitory, onto="g_exc", gain=Quantity(circuit.excitation), connect=OneToOne(), name="excite"
    )
    inhibit = synapses(
        inhibitory, excitatory, onto="g_inh", gain=Quantity(circuit.inhibition), connect=Lateral(), name="inhibit"
    )
    return [inhibitory, excite, inhibit]


def _delays(circuit: Circuit, inputs: int) -> Quantity | None:
    """A delay for each synapse of the inputs, drawn from a uniform distribution."""
    if circuit.delays == 0 * circuit.delays:
        return None
    return np.random.default_rng(_DELAY_SEED).uniform(0, 1, (inputs, circuit.size)) * circuit.delays


def _preset(model: M, preset: str) -> M:
    return model.with_values(preset) if preset in model.presets else model


def _rule(circuit: Circuit) -> SynapseModel:
    rule = synapse_model(circuit.rule)
    where = f"rule {rule.name!r}"
    if "w" not in rule.parsed.names:
        raise ModelError(field_error(f"{where}, equations", "a weight w", sorted(rule.parsed.names)))
    if FROZEN not in rule.presets:
        do = 'Give the parameter values that stop learning, such as: [presets] frozen = { eta = "0" }.'
        raise ModelError(field_error(f"{where}, presets", f"one named {FROZEN!r}", sorted(rule.presets), do))
    return _preset(rule, circuit.rule_preset)
