"""Winner takes all: of a group, only the neurons that are the first to spike in answer to an image do so.

With codes in which time is the value, one spike is the answer. Inhibition that begins a time step or two later would
let all those spike that reach their threshold in the meantime, learn the same, and become alike.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from biosnn.codegen.code_objects import Task
from biosnn.errors import ModelError, field_error

# After the thresholds, before anything that spikes do.
_ORDER = 1


class FirstSpike(Task):
    """Leaves a group its first spikes in answer to an image. Of several in one step, those farthest above threshold.

    It leaves as many as the presenter's ``winners`` says, one by default. A neuron of which no spike was left continues
    as if it had not reached its threshold.

    Parameters
    ----------
    group : NeuronGroup
        With the membrane potential ``v``, and, if its threshold adapts, its adaptive part ``theta``.
    presenter : NeuronGroup
        The neuron that counts the answers to an image; see `biosnn.learning.ImagePresenter`.

    Raises
    ------
    ModelError
        If the group has no ``v``, or refractoriness, which would hold the losers too.
    """

    def __init__(self, group: Any, presenter: Any) -> None:
        if "v" not in group.variables:
            names = sorted(group.model.parsed.diff_eq_names)
            raise ModelError(field_error(f"{group.name}, state variables", "a membrane potential v", names))
        if group.model.refractory:
            do = "The first spike ends the answer, so none is needed."
            raise ModelError(field_error(f"{group.name}, refractory", "none", group.model.refractory, do))
        self.spikes, self.v, self.theta = (group.variables.get(name) for name in ("_spikespace", "v", "theta"))
        self.answers, self.winners = presenter.variables["answers"], presenter.variables["winners"]
        kwds = {name: getattr(self, name) for name in ("spikes", "answers", "winners", "v", "theta")}
        needed = {f"_{name}": var for name, var in kwds.items() if var is not None}
        at = {"clock": group.clock, "when": "thresholds", "order": _ORDER, "name": f"{group.name}_first_spike"}
        Task.__init__(self, group, "first_spike", "biosnn.learning", needed, self.leave_some, kwds, **at)

    def leave_some(self) -> None:
        """Do it, on the targets that run in this process."""
        spikes = self.spikes.get_value()
        count = int(spikes[-1])
        left = int(self.winners.get_value().item()) - int(self.answers.get_value().item())
        if count <= left:
            return
        spikes[-1] = max(left, 0)
        if left <= 0:
            return
        height = self.v.get_value()[spikes[:count]]
        if self.theta is not None:
            height = height - self.theta.get_value()[spikes[:count]]
        spikes[:left] = np.sort(spikes[:count][np.argsort(-height, kind="stable")[:left]])
