"""What the trainer asks of a network that learns, whatever it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from brian2 import Network, SpikeMonitor

from biosnn.datasets import Dataset
from biosnn.errors import ModelError, field_error
from biosnn.learning.presenter import Protocol as ImageProtocol
from biosnn.model import SynapseModel
from biosnn.model.statements import written_names
from biosnn.projection import Projection

FROZEN = "frozen"
"""The preset that stops what a model learns."""


def check_rule(rule: SynapseModel) -> None:
    """Refuse a rule that a network cannot learn by.

    Raises
    ------
    ModelError
        If it has no weight ``w``, or no preset "frozen".
    """
    where = f"rule {rule.name!r}"
    if "w" not in rule.parsed.names:
        raise ModelError(field_error(f"{where}, equations", "a weight w", sorted(rule.parsed.names)))
    if FROZEN not in rule.presets:
        do = 'Give the parameter values that stop learning, such as: [presets] frozen = { eta = "0" }.'
        raise ModelError(field_error(f"{where}, presets", f"one named {FROZEN!r}", sorted(rule.presets), do))


def only_learning(plastic: Any) -> list[Any]:
    """The pathways of a projection whose statements write to nothing but the weight, so that they can pause in a test.

    A weight that the preset "frozen" stops stays as it is without them.
    """
    if not isinstance(plastic, Projection):
        return []
    known = set(plastic.variables) - {"w"}
    return [each for each in plastic.pathways.values() if not known & written_names(each.statements)]


class PlasticNetwork(Protocol):
    """A network that sees images and learns; `DiehlCookNetwork` and `biosnn.learning.layers.LayeredNetwork` are such.

    Attributes
    ----------
    network : Network
        Everything.
    data : Dataset
        All images that it will ever see.
    protocol : biosnn.learning.Protocol
        How an image is shown.
    settings
        What it was built from.
    excitatory, inputs : group
        The neurons whose answers count, and those that see the images.
    plastic : Synapses or Projection
        The synapses that learn.
    presenter
        What shows the images, if its source knows it.
    spikes, input_spikes, input_count, inhibitory_count : SpikeMonitor or None
        Of these neurons, and of inhibitory ones.
    steps : int
        How many time steps a presentation has.
    stands_still : bool
        Whether the network without learning stays as it is, whatever it is shown.
    identity : list
        Texts and arrays that say what it is made of.
    """

    @property
    def network(self) -> Network: ...
    @property
    def data(self) -> Dataset: ...
    @property
    def protocol(self) -> ImageProtocol: ...
    @property
    def settings(self) -> Any: ...
    @property
    def excitatory(self) -> Any: ...
    @property
    def plastic(self) -> Any: ...
    @property
    def presenter(self) -> Any: ...
    @property
    def spikes(self) -> SpikeMonitor: ...
    @property
    def input_spikes(self) -> SpikeMonitor: ...
    @property
    def input_count(self) -> SpikeMonitor: ...
    @property
    def inhibitory_count(self) -> SpikeMonitor | None: ...
    @property
    def inputs(self) -> Any: ...
    @property
    def steps(self) -> int: ...
    @property
    def stands_still(self) -> bool: ...
    @property
    def identity(self) -> list[Any]: ...
    def step_of(self, time: Any) -> int:
        """The time step of a time, a quantity or in seconds."""

    def pause(self, *, learning: bool, input_spikes: bool) -> None:
        """Say what pauses from the next run on: what only changes weights, the recording of the inputs."""

    def freeze(self) -> None:
        """Stop all learning from the next run on."""

    def phase_values(self, learning: bool, done: float, winners: int) -> dict[str, Any]:
        """Learning rates and competition as a point's values, when a fraction of the training is done; 1 after it."""

    def scaled_weights(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """What of a point's values is to be otherwise when a test begins."""
