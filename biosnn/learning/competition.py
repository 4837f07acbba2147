"""The winner takes all: of a group, only the neuron that is the first to spike in answer to an image does so.

With codes in which time tells the value, one spike is the answer. Inhibition that begins a time step or two later would
let all those spike that reach their threshold in the meantime, learn the same, and become alike.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from biosnn.codeobjects import Task
from biosnn.errors import ModelError, field_error

# After the thresholds, before anything that spikes do.
_ORDER = 1


class FirstSpike(Task):
    """Leaves a group its first spike in answer to an image. Of several in one step, that farthest above its threshold.

    Parameters
    ----------
    group : NeuronGroup
        With the membrane potential ``v``, and, if its threshold adapts, its adaptive part ``theta``.
    answers : Variable
        How many spikes in answer to the image there were in earlier steps.

    Raises
    ------
    ModelError
        If the group has no ``v``, or refractoriness, which would hold the losers too.
    """

    def __init__(self, group: Any, answers: Any) -> None:
        if "v" not in group.variables:
            names = sorted(group.model.parsed.diff_eq_names)
            raise ModelError(field_error(f"{group.name}, state variables", "a membrane potential v", names))
        if group.model.refractory:
            do = "The first spike ends the answer, so none is needed."
            raise ModelError(field_error(f"{group.name}, refractory", "none", group.model.refractory, do))
        self.spikes, self.answers = group.variables["_spikespace"], answers
        self.v, self.theta = group.variables["v"], group.variables.get("theta")
        needed = {"_spikes": self.spikes, "_answers": answers, "_height": self.v}
        if self.theta is not None:
            needed["_lower"] = self.theta
        kwds = {"spikes": self.spikes, "answers": answers, "v": self.v, "theta": self.theta}
        at = {"clock": group.clock, "when": "thresholds", "order": _ORDER, "name": f"{group.name}_first_spike"}
        Task.__init__(self, group, "first_spike", "biosnn.learning", needed, self.leave_one, kwds, **at)

    def leave_one(self) -> None:
        """Do it, on the targets that run in this process."""
        spikes = self.spikes.get_value()
        count = int(spikes[-1])
        if not count:
            return
        if int(self.answers.get_value().item()) > 0:
            spikes[-1] = 0
            return
        height = self.v.get_value()[spikes[:count]]
        if self.theta is not None:
            height = height - self.theta.get_value()[spikes[:count]]
        spikes[0], spikes[-1] = spikes[int(np.argmax(height))], 1
