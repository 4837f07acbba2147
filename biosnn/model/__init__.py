"""Neurons and synapses as equations with units: frozen, checked when constructed, read from and written to TOML."""

from biosnn.model.fields import Event, Given, Input, Parameter
from biosnn.model.neuron import NeuronModel
from biosnn.model.synapse import SynapseModel, Trace
from biosnn.model.text import Model, from_toml, to_toml

__all__ = [
    "Event",
    "Given",
    "Input",
    "Model",
    "NeuronModel",
    "Parameter",
    "SynapseModel",
    "Trace",
    "from_toml",
    "to_toml",
]
