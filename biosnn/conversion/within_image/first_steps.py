"""The first steps of each image, inside the generated code: spikes held back in them, and neurons that begin anew.

A *pre-run* ends with the membranes put back to where an image begins, but for offset spikes: with soft reset, the
residual membrane potential tells whether a neuron has sent a spike too many (below rest) or too few (at the threshold
or above). The neuron begins anew a threshold lower, or higher, so that the rest of the image has a spike fewer, or one
more (Hao, Ding, Bu, Huang & Yu 2023, ICLR, arXiv:2302.10685).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from brian2 import Quantity

from biosnn.codegen.code_objects import Task
from biosnn.inputs.restore import Restore

_TURNED = ("_turns", "_steps", "_early", "t_in_timesteps")


class FirstSteps(Task):
    """Does something to a group in the first steps of each image.

    Parameters
    ----------
    group : Group
        The group.
    image_sequence : Images
        The images.
    steps : int
        In how many steps. It is no part of the program, which is the same for any number.
    needed : mapping of str to Variable
        What else the template needs.
    kwds : mapping
        What it is told: whether it ``discards`` spikes, or else the ``parts`` that begin anew, and what is ``sent``.
    **when
        ``name``, ``when`` and ``order``.
    """

    def __init__(
        self,
        group: Any,
        image_sequence: Any,
        steps: int,
        needed: Mapping[str, Any],
        kwds: Mapping[str, Any],
        **when: Any,
    ) -> None:
        number = f"_number_{when['name']}"
        group.variables.add_array(number, size=1, dtype=np.int64, values=steps, scalar=True, index="0")
        self.number = group.variables[number]
        self.turned = {name: image_sequence.variables[name] for name in _TURNED}
        all_needed = {"_number": self.number, **self.turned, **needed}
        told = {"number": self.number, "spikes": None, "discards": False, "parts": (), "sent": None, **kwds}
        at = {"clock": group.clock, **when}
        Task.__init__(self, group, "first_steps", "biosnn.conversion", all_needed, self.do, told, **at)
        group.contained_objects.append(self)

    def left(self) -> int:
        """How many of the first steps are left, this one included; 0 when they are over, or no image is shown yet."""
        get = {name: var.get_value() for name, var in self.turned.items()}
        turn = int(get["_turns"].item()) - 1
        if turn < 0:
            return 0
        step = int(get["t_in_timesteps"].item()) + int(get["_early"].item()) - int(get["_steps"][turn])
        return max(int(self.number.get_value().item()) - step, 0)

    def do(self) -> None:
        """Do it, on the targets that run in this process."""
        raise NotImplementedError


class HeldBack(FirstSteps):
    """Lets a group send nothing in the first steps of each image: its charge stays on the membrane, as nobody is reset.

    This has to come before the order within a step is made.
    """

    def __init__(self, group: Any, image_sequence: Any, steps: int) -> None:
        self.spikes = group.variables["_spikespace"]
        needed, kwds = {"_spikes_now": self.spikes}, {"discards": True, "spikes": self.spikes}
        at = {"when": "thresholds", "order": 1, "name": f"{group.name}_held_back"}  # between threshold and reset
        FirstSteps.__init__(self, group, image_sequence, steps, needed, kwds, **at)

    def do(self) -> None:
        """Do it, on the targets that run in this process."""
        if self.left():
            self.spikes.get_value()[-1] = 0


@dataclass(frozen=True)
class Offset:
    """How a membrane tells spikes that were sent too many or too few.

    Parameters
    ----------
    potential, carried : Variable
        The membrane potential, and what the last spike of each neuron carried; None where all spikes are alike.
    rest, quantum : Quantity
        Below ``rest`` there was a spike too many, and at ``rest`` plus ``quantum`` one too few.
    """

    potential: Any
    carried: Any
    rest: Quantity
    quantum: Quantity


class BeginsAnew(FirstSteps):
    """Lets the neurons of a group begin anew after the first steps of each image.

    Parameters
    ----------
    group, image_sequence, steps
        As in `FirstSteps`.
    parts : sequence of (Variable, Variable or None, int, int)
        What begins anew: a variable, what it was in the beginning (none: zero), the first and last (exclusive) element.
    offset : Offset, optional
        By what membranes are shifted then; by default they are not.
    name : str
        Of the task.
    """

    def __init__(
        self,
        group: Any,
        image_sequence: Any,
        steps: int,
        parts: Sequence[tuple[Any, Any, int, int]],
        offset: Offset | None,
        name: str,
    ) -> None:
        self.parts, self.offset = list(parts), offset
        needed = {f"_array_{number}": var for number, (var, _, _, _) in enumerate(parts)}
        needed |= {f"_kept_{number}": kept for number, (_, kept, _, _) in enumerate(parts) if kept is not None}
        kwds: dict[str, Any] = {"parts": self.parts}
        if offset is not None:
            group.variables.add_array(f"_sent_{name}", size=len(group), dtype=np.int32)
            self.sent, self.spikes = group.variables[f"_sent_{name}"], group.variables["_spikespace"]
            needed |= {"_sent_so_far": self.sent, "_spikes_now": self.spikes, "_potential": offset.potential}
            needed |= {} if offset.carried is None else {"_carried_now": offset.carried}
            low, quantum = (float(np.asarray(value)) for value in (offset.rest, offset.quantum))
            kwds |= {"sent": self.sent, "spikes": self.spikes, "neurons": len(group), "potential": offset.potential}
            kwds |= {"carried": offset.carried, "low": repr(low), "quantum": repr(quantum)}
        FirstSteps.__init__(self, group, image_sequence, steps, needed, kwds, when="end", order=20, name=name)

    def do(self) -> None:
        """Do it, on the targets that run in this process."""
        left, shift = self.left(), None
        if left and self.offset is not None:
            self._count(self.offset)
        if left != 1:
            return
        if self.offset is not None:
            shift = self._shift(self.offset)
        for var, kept, start, stop in self.parts:
            var.get_value()[start:stop] = 0 if kept is None else kept.get_value()
        if self.offset is not None and shift is not None:
            v = self.offset.potential.get_value()
            v += (shift * float(np.asarray(self.offset.quantum))).astype(v.dtype)
            self.sent.get_value()[:] = 0

    def _count(self, offset: Offset) -> None:
        spikes = self.spikes.get_value()
        fired = spikes[: spikes[-1]]
        self.sent.get_value()[fired] += 1 if offset.carried is None else offset.carried.get_value()[fired]

    def _shift(self, offset: Offset) -> Any:
        """In thresholds. Of who has sent nothing, no spike was too many."""
        v, low = offset.potential.get_value(), float(np.asarray(offset.rest))
        many = (v < low) & (self.sent.get_value() > 0)
        return (v >= low + float(np.asarray(offset.quantum))).astype(np.int32) - many


def parts_of(restore: Restore) -> list[tuple[Any, Any, int, int]]:
    """What begins anew with each image, as `BeginsAnew` takes it."""
    return [(var, kept, start, stop) for var, kept, start, stop in restore.parts]
