"""The two groups that a projection joins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from brian2 import Subgroup

from biosnn.errors import ModelError, field_error


@dataclass(frozen=True)
class Ends:
    """Source and target, either of which may be a part of a group.

    Parameters
    ----------
    source, target : group
        A NeuronGroup, PoissonGroup, SpikeGeneratorGroup or Subgroup.
    """

    source: Any
    target: Any

    @classmethod
    def of(cls, where: str, source: Any, target: Any) -> Ends:
        """Check the two groups.

        Raises
        ------
        ModelError
            If one is not a group of neurons that spikes (only the target need not).
        """
        for side, group in (("source", source), ("target", target)):
            whole = getattr(group, "source", group) if isinstance(group, Subgroup) else group
            if not hasattr(whole, "variables") or (side == "source" and "_spikespace" not in whole.variables):
                expected = "a group of neurons that spike, or a part of one" if side == "source" else "a group"
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

    def spikes(self, side: str) -> Any:
        """The variable that holds the spikes of the present step."""
        return self.whole(side).variables["_spikespace"]

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
