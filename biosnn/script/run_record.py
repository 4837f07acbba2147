"""What a script has run and connected, kept for whoever wants to look at it afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_CONNECT = ("condition", "i", "j", "p", "n", "skip_if_invalid", "namespace")


class RunRecord:
    """What is kept of a script, if ``keep`` is set: it stays in memory.

    Attributes
    ----------
    objects : list
        All objects that were run.
    calls : list
        The synapses and the arguments of each call of ``connect``.
    """

    def __init__(self) -> None:
        self.keep = False
        self.objects: list[Any] = []
        self.calls: list[tuple[Any, dict[str, Any]]] = []

    def runs(self, network: Any) -> None:
        """A network is run."""
        if self.keep:
            self.objects += [obj for obj in network.objects if not any(obj is known for known in self.objects)]

    def connects(self, synapses: Any, arguments: Sequence[Any], named: Mapping[str, Any]) -> None:
        """Synapses are connected."""
        if self.keep:
            given = {**dict(zip(_CONNECT, arguments, strict=False)), **named}
            self.calls.append((synapses, {name: value for name, value in given.items() if value is not None}))
