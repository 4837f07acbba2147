"""State put back to what it was when the simulation began, inside the generated code, whenever something happens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from biosnn.codegen.code_objects import Task
from biosnn.codegen.divisible import written
from biosnn.errors import ModelError, field_error, unknown


class Restore(Task):
    """Puts arrays back to what they were at the first of some events.

    Parameters
    ----------
    group : Group
        Whose it is; it gets the variables that keep the values.
    arrays : sequence of (Variable, int, int)
        The variables, and the first and last (exclusive) of their elements.
    events : Variable
        A list of spikes: nothing is done in steps in which there are none. At the first one values are kept.
    **when
        ``name``, ``clock``, ``when`` and ``order``.
    """

    def __init__(self, group: Any, arrays: Sequence[tuple[Any, int, int]], events: Any, **when: Any) -> None:
        self.events = events
        begun = f"_begun_{when['name']}"
        group.variables.add_array(begun, size=1, dtype=np.int32, scalar=True, index="0")
        self.begun = group.variables[begun]
        needed = {"_events": events, "_begun": self.begun}
        self.parts = []
        for number, (var, start, stop) in enumerate(arrays):
            name = f"_kept_{number}_{when['name']}"
            group.variables.add_array(name, size=stop - start, dtype=var.dtype, dimensions=var.dim)
            self.parts.append((var, group.variables[name], start, stop))
            needed |= {f"_array_{number}": var, f"_kept_{number}": group.variables[name]}
        kwds = {"parts": self.parts, "events": events, "begun": self.begun}
        Task.__init__(self, group, "restore", "biosnn.inputs", needed, self.restore, kwds, **when)

    def restore(self) -> None:
        """Do it, on the targets that run in this process."""
        if self.events.get_value()[-1] == 0:
            return
        begun = self.begun.get_value()
        for var, kept, start, stop in self.parts:
            if begun[0]:
                var.get_value()[start:stop] = kept.get_value()
            else:
                kept.get_value()[:] = var.get_value()[start:stop]
        begun[0] = 1


def changing(group: Any) -> list[str]:
    """The variables of neurons that change by themselves: by equations, resets, events and refractoriness."""
    texts = getattr(group, "event_codes", {}).values()
    by_events = [name for text in texts for name in written(text) if name in group.variables]
    resting = [name for name in ("lastspike", "not_refractory") if name in group.variables]
    return list(dict.fromkeys([*group.equations.diff_eq_names, *by_events, *resting]))


def reset_on_image(group: Any, events: Any, names: Sequence[str] | None = None, *, order: int = 0) -> Restore:
    """Let neurons begin anew in each time step in which another group spikes, as they were at the first such step.

    Parameters
    ----------
    group : NeuronGroup
        The neurons.
    events : group
        Such as `images`, which spike when the image changes.
    names : sequence of str, optional
        The variables; by default all that equations, resets and other events change, and those that refractoriness
        needs.
    order : int
        Within the slot "start".

    Returns
    -------
    Restore
        Part of the group: a Network takes it along.

    Raises
    ------
    ModelError
        If the group has no such variable.
    """
    if names is None:
        names = changing(group)
    for name in names:
        if name not in group.variables or not hasattr(group.variables[name], "get_value"):
            raise ModelError(f"{group.name}: " + unknown("variable", name, group.variables))
    if "_spikespace" not in getattr(events, "variables", ()):
        raise ModelError(field_error(f"{group.name}, events", "a group that spikes", events))
    arrays = [(group.variables[name], 0, group.variables[name].size) for name in names]
    at = {"clock": group.clock, "when": "start", "order": order, "name": f"{group.name}_begins_anew"}
    restore = Restore(group, arrays, events.variables["_spikespace"], **at)
    group.contained_objects.append(restore)
    return restore
