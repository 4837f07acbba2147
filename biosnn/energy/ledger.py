"""The layers of a network, counted over the same inferences."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from biosnn.energy.counts import LayerCounts
from biosnn.errors import EnergyError, field_error

_SIZES = ("name", "sources", "neurons", "weights", "macs", "update")
_COUNTS = ("inferences", "events", "analog_macs", "updates")


@dataclass(frozen=True)
class Ledger:
    """What a network did, layer by layer.

    ``ledger + other`` is the same network over the inferences of both.

    Parameters
    ----------
    layers : tuple of LayerCounts
        Its layers; all counted over the same number of inferences.

    Raises
    ------
    EnergyError
        If there are no layers, two of the same name, or different numbers of inferences.
    """

    layers: tuple[LayerCounts, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(self.layers))
        names = [layer.name for layer in self.layers]
        if not names or len(set(names)) < len(names):
            raise EnergyError(field_error("Ledger.layers", "layers, each with a name of its own", names))
        runs = sorted({layer.inferences for layer in self.layers})
        if len(runs) > 1:
            raise EnergyError(field_error("Ledger.layers", "the same number of inferences for each layer", runs))

    def __add__(self, other: object) -> Ledger:
        if not isinstance(other, Ledger):
            return NotImplemented
        if len(self.layers) != len(other.layers):
            got = f"{len(self.layers)} and {len(other.layers)} layers"
            raise EnergyError(field_error("Ledger + Ledger", "two runs of the same network", got))
        return Ledger(tuple(_sum(one, two) for one, two in zip(self.layers, other.layers, strict=True)))

    @property
    def inferences(self) -> int:
        """How many inferences were counted."""
        return self.layers[0].inferences

    def an_inference(self, count: str) -> float:
        """Sum of a count over the layers, an inference.

        Parameters
        ----------
        count : str
            An attribute of `LayerCounts` that is a count: ``"events"``, ``"additions"``, ``"weight_fetches"``, …
        """
        return float(sum(getattr(layer, count) for layer in self.layers) / self.inferences)

    @property
    def macs(self) -> int:
        """Multiply-accumulates per inference of the whole ANN."""
        return sum(layer.macs for layer in self.layers)

    @property
    def synapses(self) -> int:
        """Multiply-accumulates per inference of those layers of the ANN that spikes replace."""
        return sum(layer.macs for layer in self.layers if not layer.analog_macs)

    @property
    def spikes_a_synapse(self) -> float:
        """Spikes per synapse per inference: events for each multiply-accumulate that they replace.

        NaN if the network has no layer that spikes reach.
        """
        if not self.synapses:
            return math.inf if self.an_inference("events") else math.nan
        return self.an_inference("events") / self.synapses

    @property
    def silent(self) -> tuple[str, ...]:
        """Names of the layers that should be reached by spikes, and were not once in the whole run."""
        return tuple(layer.name for layer in self.layers if layer.macs and not layer.analog_macs and not layer.events)


def _sum(one: LayerCounts, two: LayerCounts) -> LayerCounts:
    for size in _SIZES:
        if getattr(one, size) != getattr(two, size):
            what = f"Ledger + Ledger: {size} of {one.name!r}"
            raise EnergyError(field_error(what, repr(getattr(one, size)), getattr(two, size)))
    if (one.active_macs is None) != (two.active_macs is None):
        got = (one.active_macs, two.active_macs)
        raise EnergyError(field_error(f"Ledger + Ledger: active_macs of {one.name!r}", "counted in both or none", got))
    counts = {count: getattr(one, count) + getattr(two, count) for count in _COUNTS}
    active = None if one.active_macs is None or two.active_macs is None else one.active_macs + two.active_macs
    return replace(one, **counts, active_macs=active)
