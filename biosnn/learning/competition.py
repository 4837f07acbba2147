"""Winner takes all: of a group, or of a position or map in it, only the first to spike in answer to an image do so.

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


class MapWinners(Task):
    """Leaves a group of feature maps the best spikes at each position, and of each map, in answer to an image.

    Of several neurons in one time step, the best are those farthest above their thresholds. A neuron of which no spike
    is left continues as if it had not reached its threshold. The group gets the variables ``winners`` (how many at a
    position) and ``winners_of_map`` (how many of a map; 0 for no limit), which points of a run may set.

    Parameters
    ----------
    group : NeuronGroup
        Neurons in the order (row, column, map), with the membrane potential ``v`` and the adaptive threshold ``theta``.
    maps : int
        How many maps there are; without rows and columns, as many as neurons.
    onsets : group
        Spikes in the step in which an image comes.
    winners, winners_of_map : int
        What these variables are at first.
    right : str
        A variable of the group that is 1 in a neuron whose answer would be rewarded. The group then gets the variable
        ``until_right``, 0 at first: if it is 1, a position answers no more once the reward has come.

    Raises
    ------
    ModelError
        If the group has no ``v`` or ``theta``, or refractoriness, which would hold the losers too.
    """

    def __init__(
        self, group: Any, maps: int, onsets: Any, *, winners: int = 1, winners_of_map: int = 0, right: str = ""
    ) -> None:
        for name in ("v", "theta"):
            if name not in group.variables:
                expected = "a membrane potential v and an adaptive threshold theta"
                raise ModelError(field_error(f"{group.name}, variables", expected, sorted(group.model.parsed.names)))
        if group.model.refractory:
            do = "A neuron spikes once per image, so none is needed."
            raise ModelError(field_error(f"{group.name}, refractory", "none", group.model.refractory, do))
        self.maps, variables = maps, group.variables
        told = {"until_right": 0} if right else {}
        for name, value in {"winners": winners, "winners_of_map": winners_of_map, **told}.items():
            variables.add_array(name, size=1, dtype=np.int32, scalar=True, index="0")
            variables[name].set_value(value)
        for name, size in (("_at_position", len(group) // maps), ("_of_map", maps)):
            variables.add_array(name, size=size, dtype=np.int32)
        self.theta = variables["theta"]
        self.indexed = self.theta.size == maps
        used = {
            "spikes": variables["_spikespace"],
            "v": variables["v"],
            "theta": self.theta,
            "winners": variables["winners"],
            "winners_of_map": variables["winners_of_map"],
            "at_position": variables["_at_position"],
            "of_map": variables["_of_map"],
            "onsets": onsets.variables["_spikespace"],
        }
        if right:
            used |= {"right": variables[right], "until_right": variables["until_right"]}
        self.used = used
        kwds = {**used, "maps": maps, "indexed": self.indexed, "rewarded": bool(right)}
        needed = {f"_{name}": var for name, var in used.items()}
        at = {"clock": group.clock, "when": "thresholds", "order": _ORDER, "name": f"{group.name}_winners"}
        Task.__init__(self, group, "map_winners", "biosnn.learning", needed, self.leave_best, kwds, **at)

    def leave_best(self) -> None:
        """Do it, on the targets that run in this process."""
        get = {name: var.get_value() for name, var in self.used.items()}
        at, of, spikes = get["at_position"], get["of_map"], get["spikes"]
        if get["onsets"][-1]:
            at[:], of[:] = 0, 0
        most, most_of_map = int(get["winners"].item()), int(get["winners_of_map"].item())
        candidates = spikes[: spikes[-1]].copy()
        theta = get["theta"][candidates % self.maps if self.indexed else candidates]
        height = get["v"][candidates].astype(float) - theta
        right = get["right"] if "right" in get and get["until_right"].item() else np.zeros(len(get["v"]))
        left = []
        for neuron in candidates[np.argsort(-height, kind="stable")]:
            position, of_map = divmod(int(neuron), self.maps)
            if at[position] < most and (most_of_map == 0 or of[of_map] < most_of_map):
                at[position] = most if right[neuron] else at[position] + 1
                of[of_map] += 1
                left.append(int(neuron))
        spikes[: len(left)] = sorted(left)
        spikes[-1] = len(left)
