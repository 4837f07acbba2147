"""The network of Diehl & Cook 2015: inputs, excitatory cells that learn, inhibitory cells that make them compete."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from brian2 import Network, Quantity, SpikeMonitor

from biosnn.catalogue import neuron_model, synapse_model
from biosnn.datasets import Dataset
from biosnn.display import Brief
from biosnn.groups.build import neurons, synapses
from biosnn.learning.competition import FirstSpike
from biosnn.learning.homeostasis import forget_traces, normalise_weights, reset_state, scaled
from biosnn.learning.network import FROZEN, check_rule, only_learning
from biosnn.learning.presenter import ImagePresenter, Inputs, Protocol, count_answers, set_up
from biosnn.model import NeuronModel, SynapseModel, to_toml
from biosnn.projection import Dense, Lateral, OneToOne, Projection
from biosnn.quantity import format_quantity, parse_quantity

_DELAY_SEED = 0
"""Delays are the same whatever the seed of a run: they are part of the program, which all seeds share."""
M = TypeVar("M", NeuronModel, SynapseModel)


@dataclass(frozen=True)
class NetworkSettings(Brief):
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
    reset_state : tuple of str
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
    reset_state: tuple[str, ...]
    coding: Inputs = ""


@dataclass(frozen=True)
class DiehlCookNetwork(Brief):
    """A network that sees images and learns.

    Parameters
    ----------
    network : Network
        Everything.
    presenter : ImagePresenter
        What shows the images.
    excitatory : NeuronGroup
        The cells that learn.
    inhibitory : NeuronGroup or None
        Those that let them compete.
    plastic : Projection
        From the inputs to the excitatory cells, with their weights ``w``.
    spikes, input_spikes : SpikeMonitor
        Of the excitatory cells, and of the inputs (see `DiehlCookNetwork.pause`).
    input_count, inhibitory_count : SpikeMonitor or None
        How many spikes the inputs and the inhibitory cells had, without their times.
    weight_normalisation : list
        What keeps the sum of weights.
    data, protocol, settings
        What it was built from.
    """

    network: Network
    presenter: ImagePresenter
    excitatory: Any
    inhibitory: Any
    plastic: Projection
    spikes: SpikeMonitor
    input_spikes: SpikeMonitor
    input_count: SpikeMonitor
    inhibitory_count: SpikeMonitor | None
    weight_normalisation: list[Any]
    data: Dataset
    protocol: Protocol
    settings: NetworkSettings

    @property
    def steps(self) -> int:
        """How many time steps a presentation has."""
        return self.step_of(self.protocol.period)

    @property
    def inputs(self) -> Any:
        """The neurons that show the images."""
        return self.presenter.inputs

    @property
    def identity(self) -> list[Any]:
        """Texts and arrays that say what it is made of."""
        groups = (self.excitatory, self.inhibitory, self.plastic, self.inputs)
        models = [to_toml(group.model) for group in groups if hasattr(group, "model")]
        return [*models, *texts_of(self.protocol), *texts_of(self.settings), self.data.images, self.data.labels]

    def phase_values(self, learning: bool, done: float, winners: int) -> dict[str, Any]:  # noqa: ARG002
        """Learning rates and competition as a point's values, when a fraction of the training is done."""
        model = self.plastic.model
        frozen: Mapping[str, str] = model.presets[FROZEN]
        values = {name: model.parameters[name].value if learning else text for name, text in frozen.items()}
        rates = {f"{self.plastic.name}.{name}": parse_quantity(text) for name, text in values.items()}
        return {**rates, "presenter.winners": winners}

    def scaled_weights(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The weights as the first image of the test finds them: scaled, as before every image of the training.

        The cells that answered the last one have gained by it, and unscaled they would win every image of the test.
        """
        total, key = self.settings.weight_total, f"{self.plastic.name}.w"
        if not total or key not in values:
            return {}
        return {key: scaled(values[key], len(self.excitatory), total)}

    def step_of(self, time: Any) -> int:
        """The time step of a time, a quantity or in seconds."""
        return round(float(time) / float(self.excitatory.clock.dt))

    @property
    def stands_still(self) -> bool:
        """Whether the frozen network stays as it is, whatever it is shown."""
        return all(FROZEN in group.model.presets for group in (self.excitatory, self.plastic))

    def pause(self, *, learning: bool, input_spikes: bool) -> None:
        """Say what pauses from the next run on: what only changes weights, the recording of the inputs."""
        for one in (*self.weight_normalisation, *only_learning(self.plastic)):
            one.active = not learning
        self.input_spikes.active = not input_spikes

    def freeze(self) -> None:
        """Stop all learning from the next run on: weights, thresholds, scaling, and showing images again."""
        for group in (self.excitatory, self.plastic):
            for name, text in group.model.presets.get(FROZEN, {}).items():
                setattr(group, name, parse_quantity(text))
        self.pause(learning=True, input_spikes=True)
        self.presenter.group.minimum_spikes = 0


def texts_of(instance: Any) -> list[str]:
    """The fields of a dataclass as texts, for `DiehlCookNetwork.identity`."""
    values = [getattr(instance, field.name) for field in fields(instance)]
    return [str(format_quantity(value)) if hasattr(value, "dim") else repr(value) for value in values]


def build(data: Dataset, protocol: Protocol, settings: NetworkSettings, presentations: int) -> DiehlCookNetwork:
    """Build the network.

    Parameters
    ----------
    data : Dataset
        All images that it will ever see.
    protocol : Protocol
        How they are shown.
    settings : NetworkSettings
        What the network is made of.
    presentations : int
        How many places the presentation order has.

    Returns
    -------
    DiehlCookNetwork
        Fill the presenter's presentation order before the first run.

    Raises
    ------
    ModelError
        If a model does not fit: the rule has no preset "frozen" or no weight ``w``, or a cell lacks a spike input.
    """
    rule, cell = _rule(settings), _preset(neuron_model(settings.neuron), settings.neuron_preset)
    presenter = set_up(data, protocol, presentations, settings.coding)
    excitatory = neurons(settings.size, cell, name="excitatory")
    plastic = synapses(
        presenter.inputs,
        excitatory,
        rule,
        onto="g_exc",
        gain=Quantity(settings.input_gain),
        connect=Dense(),
        delay=_delays(settings, len(presenter.inputs)),
        name="plastic",
    )
    normalisation = normalise_weights(plastic, settings.weight_total, protocol.period) if settings.weight_total else []
    reset_state(excitatory, settings.reset_state, protocol.period)
    competitors = _competition(settings, presenter, excitatory, plastic, protocol)
    inhibitory = next((group for group in competitors if group.name == "inhibitory"), None)
    monitors = {
        "spikes": SpikeMonitor(excitatory, name="spikes"),
        "input_spikes": SpikeMonitor(presenter.inputs, name="input_spikes"),
        "input_count": SpikeMonitor(presenter.inputs, record=False, name="input_count"),
    }
    if inhibitory is not None:
        monitors["inhibitory_count"] = SpikeMonitor(inhibitory, record=False, name="inhibitory_count")
    counter = count_answers(presenter, excitatory)
    network = Network(*presenter.objects, excitatory, plastic, *competitors, counter, *monitors.values())
    return DiehlCookNetwork(
        network=network,
        presenter=presenter,
        excitatory=excitatory,
        inhibitory=inhibitory,
        plastic=plastic,
        weight_normalisation=normalisation,
        data=data,
        protocol=protocol,
        settings=settings,
        **{"inhibitory_count": None, **monitors},
    )


def _competition(
    settings: NetworkSettings, presenter: ImagePresenter, excitatory: Any, plastic: Any, protocol: Protocol
) -> list[Any]:
    """What lets few cells answer an image."""
    if not settings.inhibitory:
        forget_traces(plastic, protocol.period)
        return [FirstSpike(excitatory, presenter.group)]
    inhibitory = neurons(settings.size, settings.inhibitory, name="inhibitory")
    # An excitatory cell excites its inhibitory partner, which inhibits all excitatory cells but this one.
    excite = synapses(
        excitatory, inhibitory, onto="g_exc", gain=Quantity(settings.excitation), connect=OneToOne(), name="excite"
    )
    inhibit = synapses(
        inhibitory, excitatory, onto="g_inh", gain=Quantity(settings.inhibition), connect=Lateral(), name="inhibit"
    )
    return [inhibitory, excite, inhibit]


def _delays(settings: NetworkSettings, inputs: int) -> Quantity | None:
    """A delay for each synapse of the inputs, drawn from a uniform distribution."""
    if settings.delays == 0 * settings.delays:
        return None
    return np.random.default_rng(_DELAY_SEED).uniform(0, 1, (inputs, settings.size)) * settings.delays


def _preset(model: M, preset: str) -> M:
    return model.with_values(preset) if preset in model.presets else model


def _rule(settings: NetworkSettings) -> SynapseModel:
    rule = synapse_model(settings.rule)
    check_rule(rule)
    return _preset(rule, settings.rule_preset)
