"""A script on the targets that simulate in this process, ``cython`` and ``numpy``: Brian2's own runs, as they are."""

from __future__ import annotations

from typing import Any

from brian2 import Network, Synapses

from biosnn.engine.runtime import RuntimeSimulation
from biosnn.engine.state import brian_device
from biosnn.script.notes import Notes
from biosnn.script.run_record import RunRecord


class InProcessScript(RuntimeSimulation):
    """What a script does on the targets ``cython`` and ``numpy``.

    Attributes
    ----------
    record : RunRecord
        What was run.
    """

    queued = 0

    def _begin(self) -> None:
        self.notes = Notes()
        self.record = RunRecord()
        super()._begin()
        # Brian2 lets a device have a method in place of a network's.
        brian_device.runtime_device.network_run = self._network_run
        brian_device.runtime_device.synapses_connect = self._connect

    def _close(self) -> None:
        del brian_device.runtime_device.network_run, brian_device.runtime_device.synapses_connect

    def forget(self) -> None:
        """Nothing: nothing is queued."""

    def _network_run(self, net: Any, *args: Any, level: int = 0, **kwds: Any) -> None:
        self.record.runs(net)
        Network.run.original_function(net, *args, level=level + 1, **kwds)

    def _connect(self, synapses: Any, *args: Any, level: int = 0, **kwds: Any) -> None:
        self.record.connects(synapses, args, kwds)
        Synapses.connect.original_function(synapses, *args, level=level + 1, **kwds)
