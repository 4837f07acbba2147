"""Spikes counted inside the generated code: of each neuron, for each image or for all, and of each step of an image.

The time of an image may be divided by marks; then spikes of each interval between them are counted by themselves.
Spikes that carry a value count as many as it is, whatever its sign, and their values are summed beside: a neuron that
sent two and took one back has fired three times, and told 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from brian2.groups.group import CodeRunner
from numpy.typing import NDArray

from biosnn.codegen.code_objects import Task

MOST_STEPS = 4096
"""The steps of an image that are counted separately; those after it count together with the last."""
INTERVAL = "_interval"
"""The variable of the images that says for each step, counted from 0, in which interval it lies."""
_NEEDED = ("_turns", "_steps", "_early", "t_in_timesteps")


CARRIED = "_carried"
"""The variable of neurons that keeps what their last spike carried, until it is counted."""


def spike_value(group: Any) -> str:
    """The variable of a group that says what its spikes carry; "" where all are alike."""
    return str(getattr(getattr(group, "model", None), "spike_value", ""))


def keep_carried(group: Any) -> None:
    """Let the neurons of a group keep what a spike carried: it is known before the reset, and counted after it.

    This has to come before the order within a step is made.
    """
    if not spike_value(group):
        return
    group.variables.add_array(CARRIED, size=len(group), dtype=np.int32)
    keeper = CodeRunner(
        group,
        "reset",  # Brian2's template for "run these statements for each neuron that has just spiked"
        code=f"{CARRIED} = int({spike_value(group)})",
        clock=group.clock,
        when="before_resets",
        name=f"{group.name}_keeps_carried",
        needed_variables=["_spikespace"],
        template_kwds={"eventspace_variable": group.variables["_spikespace"]},
    )
    group.contained_objects.append(keeper)


class SpikeCounter(Task):
    """Counts the spikes of a group.

    Parameters
    ----------
    group : group
        Whose spikes.
    image_sequence : Images
        Whose images they answer.
    images : int
        For how many images spikes are counted by themselves; 1 for all together.
    name : str
        Of the task.
    intervals : int
        In how many intervals of an image spikes are counted by themselves. If there are several, the images have a
        variable `INTERVAL`, which a run must set.
    firsts : bool
        Whether the step of each neuron's first spike is kept for each image; then there is one interval only.
    told : int
        After how many steps of an image what spikes carried is summed.
    """

    def __init__(
        self,
        group: Any,
        image_sequence: Any,
        images: int,
        name: str,
        intervals: int = 1,
        *,
        firsts: bool = False,
        told: int = 0,
    ) -> None:
        self.group_size, self.images, self.intervals = len(group), images, intervals
        self.spikes = group.variables["_spikespace"]
        arrays = {"_counts": (images * intervals * len(group), np.int32), "_by_step": (MOST_STEPS, np.int64)}
        graded = CARRIED in group.variables
        if firsts:
            arrays["_firsts"] = (images * len(group), np.int32)
        if graded or told:
            arrays["_sums"] = (images * intervals * len(group), np.int32)
        for what, (size, dtype) in arrays.items():
            group.variables.add_array(f"{what}_{name}", size=size, dtype=dtype)
        self.counts, self.by_step = (group.variables[f"{what}_{name}"] for what in ("_counts", "_by_step"))
        self.firsts = group.variables[f"_firsts_{name}"] if firsts else None
        self.sums = group.variables[f"_sums_{name}"] if graded or told else None
        group.variables.add_array(f"_told_{name}", size=1, dtype=np.int64, values=told, scalar=True, index="0")
        self.told = group.variables[f"_told_{name}"]
        self.carried = group.variables[CARRIED] if graded else None
        self.turned = {
            what: image_sequence.variables[what] for what in (*_NEEDED, *([INTERVAL] if intervals > 1 else []))
        }
        needed = {"_spikes_now": self.spikes, "_counts": self.counts, "_by_step": self.by_step, **self.turned}
        needed |= {"_firsts": self.firsts} if firsts else {}
        needed |= {} if self.sums is None else {"_sums": self.sums, "_told": self.told}
        needed |= {"_carried_now": self.carried} if graded else {}
        kwds = {"spikes": self.spikes, "counts": self.counts, "by_step": self.by_step, "most": MOST_STEPS}
        kwds |= {"neurons": len(group), "each": images > 1, "intervals": intervals, "firsts": self.firsts}
        kwds |= {"sums": self.sums, "carried": self.carried, "told": self.told}
        at = {"clock": group.clock, "when": "end", "order": 0, "name": name}
        Task.__init__(self, group, "count_spikes", "biosnn.conversion", needed, self.count, kwds, **at)
        group.contained_objects.append(self)

    def count(self) -> None:
        """Do it, on the targets that run in this process."""
        get = {what: var.get_value() for what, var in self.turned.items()}
        turn = int(get["_turns"].item()) - 1
        spikes = self.spikes.get_value()
        if turn < 0:
            return
        step = int(get["t_in_timesteps"].item()) + int(get["_early"].item()) - int(get["_steps"][turn])
        row = turn * self.intervals if self.images > 1 else 0
        if self.intervals > 1:
            row += int(get[INTERVAL][min(step, MOST_STEPS - 1)])
        counts, fired = self.counts.get_value(), row * self.group_size + spikes[: spikes[-1]]
        if self.firsts is not None:
            self.firsts.get_value()[fired[counts[fired] == 0]] = step
        values = np.ones(len(fired), np.int32)
        if self.carried is not None:
            values = self.carried.get_value()[spikes[: spikes[-1]]]
        if self.sums is not None and step >= int(self.told.get_value().item()):
            self.sums.get_value()[fired] += values
        counts[fired] += np.abs(values)
        self.by_step.get_value()[min(step, MOST_STEPS - 1)] += np.abs(values).sum()

    def read(self, n_images: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The counts of so many images, shape (images or 1, neurons), and those of each step."""
        return self.read_marks(n_images)[:, -1], np.array(self.by_step.get_value(), np.int64)

    def read_firsts(self, n_images: int) -> NDArray[np.int64]:
        """When each neuron fired first in an image, in steps from 0; -1 if it did not. Shape (images, neurons)."""
        assert self.firsts is not None
        steps = np.array(self.firsts.get_value(), np.int64).reshape(self.images, self.group_size)[:n_images]
        return np.where(self.read_marks(n_images)[:, -1] > 0, steps, -1)

    def read_marks(self, n_images: int) -> NDArray[np.int64]:
        """The counts from the beginning of an image to the end of each interval, (images or 1, intervals, neurons)."""
        return self._up_to_marks(self.counts, n_images)

    def read_sums(self, n_images: int) -> NDArray[np.int64]:
        """The sums of what spikes carried, as `read_marks`; the counts, where all spikes are alike."""
        return self._up_to_marks(self.counts if self.sums is None else self.sums, n_images)

    def _up_to_marks(self, counted: Any, n_images: int) -> NDArray[np.int64]:
        counts = np.array(counted.get_value()).reshape(self.images, self.intervals, self.group_size)
        return counts[:n_images].cumsum(axis=1, dtype=np.int64)
