"""A script on the targets that simulate in this process, ``cython`` and ``numpy``: Brian2's own runs, as they are."""

from __future__ import annotations

from typing import Any

from brian2 import Network

from biosnn.engine.runtime import RuntimeSimulation
from biosnn.engine.state import brian_device
from biosnn.script.saying import Notes


class ScriptHere(RuntimeSimulation):
    """What a script does on the targets ``cython`` and ``numpy``.

    Attributes
    ----------
    seen : list or None
        All objects that were run, where somebody wants them.
    """

    queued = 0

    def _begin(self) -> None:
        self.notes = Notes()
        self.seen: list[Any] | None = None
        super()._begin()
        # Brian2 lets a device have a method in place of a network's.
        brian_device.runtime_device.network_run = self._network_run

    def _end(self, reason: str) -> None:  # noqa: ARG002
        del brian_device.runtime_device.network_run

    def forget(self) -> None:
        """Nothing: nothing is queued."""

    def _network_run(self, net: Any, *args: Any, level: int = 0, **kwds: Any) -> None:
        if self.seen is not None:
            self.seen += [obj for obj in net.objects if not any(obj is known for known in self.seen)]
        Network.run.original_function(net, *args, level=level + 1, **kwds)
