"""The two groups that a projection joins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from brian2 import NeuronGroup, Subgroup
from brian2.core.spikesource import SpikeSource

from biosnn.errors import ModelError, field_error


@dataclass(frozen=True)
class Endpoints:
    """Source and target, either of which may be a part of a group.

    Parameters
    ----------
    source, target : group
        A NeuronGroup, PoissonGroup, SpikeGeneratorGroup or Subgroup.
    """

    source: Any
    target: Any

    @classmethod
    def of(cls, where: str, source: Any, target: Any) -> Endpoints:
        """Check the two groups.

        Raises
        ------
        ModelError
            If one is not a group of neurons that spikes (only the target need not).
        """
        for side, group in (("source", source), ("target", target)):
            whole = group.source if isinstance(group, Subgroup) else group
            neurons = isinstance(whole, NeuronGroup | SpikeSource)
            if not neurons or (side == "source" and "_spikespace" not in whole.variables):
                spiking = " that spike" if side == "source" else ""
                expected = f"a group of neurons{spiking}, or a part of one"
                raise ModelError(field_error(f"{where}, {side}", expected, group))
        return cls(source, target)

    def whole(self, side: str) -> Any:
        """The group that the source ("pre") or target ("post") is, or is a part of."""
        group = self.source if side == "pre" else self.target
        return group.source if isinstance(group, Subgroup) else group

    def span(self, side: str) -> tuple[int, int]:
        """First and last neuron (exclusive) within the whole group."""
        group = self.source if side == "pre" else self.target
        start = int(getattr(group, "start", 0))
        return start, start + len(group)

    @property
    def same(self) -> int | None:
        """What is added to the index of a source to have that of the same neuron among the targets, if it is there."""
        if self.whole("pre").name != self.whole("post").name:  # a part of a group may know it by a proxy
            return None
        return self.span("pre")[0] - self.span("post")[0]

    def spikes(self, side: str) -> Any:
        """The variable that holds the spikes of the present step.

        Raises
        ------
        ModelError
            If the group never spikes.
        """
        group = self.whole(side)
        if "_spikespace" not in group.variables:
            raise ModelError(
                field_error(group.name, "neurons that spike, since statements run at their spikes", "no threshold")
            )
        return group.variables["_spikespace"]

    def numbers(self, side: str) -> dict[str, int]:
        """What templates ask for: where the two groups begin and end, and where in a list of spikes their number is."""
        (source_start, source_stop), (target_start, target_stop) = self.span("pre"), self.span("post")
        return {
            "sources": source_stop - source_start,
            "targets": target_stop - target_start,
            "source_start": source_start,
            "source_stop": source_stop,
            "target_start": target_start,
            "target_stop": target_stop,
            "spikespace": len(self.whole("post" if side == "post" else "pre")),
        }
