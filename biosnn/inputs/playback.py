"""Spikes that are known beforehand, played inside the generated code."""

from __future__ import annotations

from typing import Any

import numpy as np
from brian2 import Quantity
from numpy.typing import ArrayLike, NDArray

from biosnn.codegen.code_objects import Task
from biosnn.errors import ModelError, field_error
from biosnn.inputs import check
from biosnn.inputs.group import InputGroup

_PLAYED = ("_spikespace", "step", "neuron", "count", "begin", "at", "weights", "weight", "t_in_timesteps")


class Playback(InputGroup):
    """Neurons that spike at given times; made by `playback`.

    An ordinary group for monitors, ``Synapses`` and `Projection`. What is played is held in variables of a fixed size,
    so that one program plays whatever spikes its points bring (`Playback.spikes`).

    Attributes
    ----------
    step, neuron : int array, shape (capacity,)
        When each spike comes, in time steps since ``begin``, and which neuron it is of; sorted by step. Only the first
        ``count`` of them are played.
    count : int
        How many spikes there are.
    begin : int
        The time step that they count from.
    at : int
        How many of them have been played.
    weights : array, shape (cycle,)
        What a spike weighs in each time step of a cycle, for codes in which that differs. Cycles follow each other from
        ``begin`` on.
    weight : array, shape (n,)
        What the last spike of each neuron weighed. A synapse model reads it as ``weight_pre``.
    """

    def __init__(self, n: int, capacity: int, cycle: int, *, dt: Quantity | str | None, name: str) -> None:
        InputGroup.__init__(self, n, dt=dt, when="thresholds", order=0, name=name)
        self.capacity = check.count(f"{self.name}, capacity", capacity)
        self.cycle = check.count(f"{self.name}, cycle", cycle)
        variables = self.variables
        # An index of its own, through which Brian2 reads and sets single places.
        variables.add_arange("_place", self.capacity, constant=True, read_only=True, index="_place")
        for variable in ("step", "neuron"):
            variables.add_array(variable, size=self.capacity, dtype=np.int32, index="_place")
        for variable in ("count", "begin", "at"):
            variables.add_array(variable, size=1, dtype=np.int32, scalar=True, index="0")
        variables.add_arange("_moment", self.cycle, constant=True, read_only=True, index="_moment")
        variables.add_array("weights", size=self.cycle, values=np.ones(self.cycle), dtype=np.float64, index="_moment")
        variables.add_array("weight", size=self._N, dtype=np.float64)
        self.spikes_by(_Play(self))
        self._enable_group_attributes()

    def spikes(self, steps: ArrayLike, neurons: ArrayLike, begin: int = 0) -> dict[str, Any]:
        """What is to be played, as values for a point of `Simulation.prepare` or `Simulation.sweep`.

        Parameters
        ----------
        steps : array of int, shape (spikes,)
            When each spike comes, in time steps since ``begin``; in any order.
        neurons : array of int, shape (spikes,)
            Which neuron it is of. One that is named twice for a step spikes once in it.
        begin : int
            The time step that they count from: that at which the point begins.

        Returns
        -------
        dict of str to array
            By the names of the variables, with that of the group: ``"inputs.step"``, ….

        Raises
        ------
        ModelError
            If there are more spikes than fit, not one neuron for each step, or one of either is out of range.
        """
        step = self._whole("steps", steps, np.iinfo(np.int32).max)
        neuron = self._whole("neurons", neurons, self._N - 1)
        if len(step) != len(neuron):
            raise ModelError(field_error(f"{self.name}, neurons", f"one for each of {len(step)} steps", len(neuron)))
        # Sorted by step, then by neuron, each pair once.
        pairs = step.astype(np.int64) * self._N + neuron
        if np.any(np.diff(pairs) <= 0):
            pairs = np.sort(pairs)
            pairs = pairs[np.diff(pairs, prepend=-1) > 0]  # np.unique is ten times slower where most are different
        if len(pairs) > self.capacity:
            do = "Make the group with a larger capacity, or play fewer presentations at once."
            raise ModelError(field_error(f"{self.name}, spikes", f"at most {self.capacity}", len(pairs), do))
        values = {"step": pairs // self._N, "neuron": pairs % self._N}
        padded = {key: np.pad(value, (0, self.capacity - len(pairs))) for key, value in values.items()}
        arrays = {**padded, "count": [len(pairs)], "begin": [begin], "at": [0]}
        return {f"{self.name}.{key}": np.asarray(value, dtype=np.int32) for key, value in arrays.items()}

    def load(self, steps: ArrayLike, neurons: ArrayLike, begin: int = 0) -> None:
        """Set what is to be played from the next run on; as `Playback.spikes`."""
        for key, value in self.spikes(steps, neurons, begin).items():
            self.variables[key.rpartition(".")[2]].set_value(value)

    def _whole(self, what: str, given: Any, last: int) -> NDArray[Any]:
        whole = np.asarray(given)
        where = f"{self.name}, {what}"
        if whole.ndim != 1 or (whole.size and whole.dtype.kind not in "iu"):
            raise ModelError(field_error(where, "an array of whole numbers", f"{whole.dtype} of shape {whole.shape}"))
        if whole.size and (whole.min() < 0 or whole.max() > last):
            raise ModelError(field_error(where, f"from 0 to {last}", f"{whole.min()} to {whole.max()}"))
        return whole


class _Play(Task):
    """Lets the neurons spike whose time has come."""

    def __init__(self, group: Playback) -> None:
        self.group = group
        needed = {name: group.variables[name] for name in _PLAYED}
        kwds = {"eventspace_variable": group.variables["_spikespace"], "neurons": len(group)}
        at = {"clock": group.clock, "when": group.when, "order": group.order, "name": f"{group.name}_play"}
        Task.__init__(self, group, "play", "biosnn.inputs", needed, self.play, kwds, **at)

    def play(self) -> None:
        """Do it, on the targets that run in this process."""
        get = {name: self.group.variables[name].get_value() for name in _PLAYED}
        now = int(get["t_in_timesteps"].item()) - int(get["begin"].item())
        count, at = int(get["count"].item()), int(get["at"].item())
        step = get["step"][:count]
        first = at + int(np.searchsorted(step[at:], now))  # what was to come earlier is late, and left out
        last = first + int(np.searchsorted(step[first:], now, side="right"))
        get["weight"][get["neuron"][first:last]] = get["weights"][now % self.group.cycle]
        spikes = get["_spikespace"]
        spikes[: last - first] = get["neuron"][first:last]
        spikes[-1] = last - first
        get["at"][...] = last


def playback(
    n: int, capacity: int, *, cycle: int = 1, dt: Quantity | str | None = None, name: str = "playback*"
) -> Playback:
    """Neurons whose spikes are known beforehand, such as those of a coding; what is played can differ from run to run.

    Unlike those of Brian2's ``SpikeGeneratorGroup``, the spikes are no part of the program: one build plays all.

    Parameters
    ----------
    n : int
        Number of neurons.
    capacity : int
        How many spikes there can be at most.
    cycle : int
        How many time steps it takes until the weights of the spikes repeat; all are 1 unless ``weights`` is set.
    dt : Quantity or str, optional
        Time step of the group; by default the session's.
    name : str
        Its name.

    Returns
    -------
    Playback

    Raises
    ------
    ModelError
        If ``n``, the capacity or the cycle is no whole number of at least 1, the time step is not above 0, or the name
        is none that Brian2 takes.

    Examples
    --------
    >>> inputs = playback(64, capacity=1000)
    >>> inputs.load(spikes.steps, spikes.neurons)
    """
    check.plain_name("playback", name)
    return Playback(n, capacity, cycle, dt=dt, name=name)
