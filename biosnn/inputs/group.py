"""What groups that drive a network have in common."""

from __future__ import annotations

from typing import Any

import numpy as np
from brian2 import Quantity
from brian2.core.spikesource import SpikeSource
from brian2.core.variables import Variables
from brian2.groups.group import Group
from brian2.groups.subgroup import Subgroup

from biosnn.errors import ModelError, field_error
from biosnn.inputs import check


class InputGroup(Group, SpikeSource):  # type: ignore[misc]
    """Neurons without equations, which spike: an ordinary group for monitors, ``Synapses`` and `Projection`.

    Parameters
    ----------
    n : int
        Number of neurons.
    dt : Quantity or str, optional
        Time step; by default the session's.
    when, order
        Where in the time step they spike.
    name : str
        Its name.

    Raises
    ------
    ModelError
        If the number of neurons is no whole number of at least 1, the time step no time above 0, or the name none that
        Brian2 takes.
    """

    add_to_magic_network = True

    def __init__(self, n: int, *, dt: Quantity | str | None, when: str, order: int, name: str) -> None:
        where = check.plain_name(type(self).__name__, name)
        n = check.count(where, n)
        Group.__init__(self, dt=check.time_step(where, dt), when=when, order=order, namespace={}, name=name)
        self.codeobj_class = None
        self._N, self.start, self.stop = n, 0, n
        self.variables = variables = Variables(self)
        variables.add_constant("N", value=self._N)
        variables.add_arange("i", self._N, constant=True, read_only=True)
        variables.add_array("_spikespace", size=self._N + 1, dtype=np.int32)
        variables.create_clock_variables(self._clock)
        self.events = {"spike": ""}

    def spikes_by(self, thresholder: Any) -> None:
        """Say what makes the neurons spike."""
        self.thresholder = {"spike": thresholder}
        self.contained_objects.append(thresholder)

    def __getitem__(self, item: Any) -> Subgroup:
        """Some neurons in a row, as a group."""
        if not isinstance(item, slice):
            raise ModelError(field_error(f"{self.name}[]", "a slice such as [:100]", item))
        start, stop, step = item.indices(self._N)
        if step != 1 or start >= stop:
            raise ModelError(field_error(f"{self.name}[]", "some neurons in a row", item))
        return Subgroup(self, start, stop)
