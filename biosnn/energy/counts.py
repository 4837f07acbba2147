"""What one layer did in a run, counted: additions that spikes caused, updates of neurons, multiply-accumulates."""

from __future__ import annotations

from dataclasses import dataclass, fields
from numbers import Integral

import numpy as np
from numpy.typing import ArrayLike, NDArray

from biosnn.errors import EnergyError, field_error


def whole(where: str, value: object, least: int = 0) -> int:
    """Return a number as an int; `EnergyError` if it is not whole, or less than ``least``."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise EnergyError(field_error(where, f"a whole number, at least {least}", value))
    return int(value)


@dataclass(frozen=True)
class Update:
    """What one update of one neuron does, beside the additions that spikes cause.

    Parameters
    ----------
    additions, multiplications : int
        Its arithmetic. A comparison with the threshold counts as an addition.
    reads, writes : int
        How many state variables it reads from and writes to memory.

    Raises
    ------
    EnergyError
        If one of them is not a whole number, or negative.
    """

    additions: int
    multiplications: int
    reads: int
    writes: int

    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(self, field.name, whole(f"Update.{field.name}", getattr(self, field.name)))


IF_UPDATE = Update(additions=1, multiplications=0, reads=1, writes=1)
"""An integrate-and-fire neuron: compare with the threshold."""

LIF_UPDATE = Update(additions=1, multiplications=1, reads=1, writes=1)
"""A leaky one: multiply by the leak, compare with the threshold."""


@dataclass(frozen=True, kw_only=True)
class LayerCounts:
    """What one layer did in a run, and what the layer of an ordinary network (ANN) that it stands for would do.

    `spiking`, `analog` and `encoder` count it from what a run gives. Sizes are those of the layer; counts are totals of
    the run, over all its inferences.

    Parameters
    ----------
    name : str
        What the layer is called.
    inferences : int
        How many inferences the run made, such as images shown.
    sources, neurons : int
        Size: its inputs, and the neurons that it drives. A further set of connections onto neurons that another layer
        counts has 0 neurons.
    weights : int
        Size: distinct weights. A convolution has those of its kernel.
    macs : int
        Size: multiply-accumulates per inference of the layer of the ANN. They are its connections; of a convolution,
        those of the kernel at every place. 0 for what the ANN does not have, such as lateral inhibition.
    events : int
        Count: spikes that arrived at synapses. Each adds one weight to one neuron.
    analog_macs : int
        Count: multiply-accumulates that the spiking network itself did here, because the layer's input is analog.
    updates : int
        Count: updates of neurons.
    update : Update or None
        What an update does. None: the neurons do not spike, and the layer is one of the ANN left as it is.
    active_macs : int or None
        Count: those multiply-accumulates of the ANN whose input is not zero. None: not counted.

    Raises
    ------
    EnergyError
        If a number is not whole or negative, or if numbers contradict each other.
    """

    name: str
    inferences: int
    sources: int
    neurons: int
    weights: int
    macs: int
    events: int
    analog_macs: int
    updates: int
    update: Update | None
    active_macs: int | None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip():
            raise EnergyError(field_error("LayerCounts.name", "a name", self.name))
        for name in ("inferences", "sources", "neurons", "weights", "macs", "events", "analog_macs", "updates"):
            least = 1 if name == "inferences" else 0
            object.__setattr__(self, name, whole(self._where(name), getattr(self, name), least))
        if self.events and self.analog_macs:
            do = "A layer with inputs of both kinds is two layers."
            raise EnergyError(field_error(self._where("events"), "0, as its input is analog", self.events, do))
        if self.analog_macs and not self.macs:
            raise EnergyError(field_error(self._where("macs"), "those that analog_macs repeats", self.macs))
        if self.update is None and (self.updates or (self.macs and not self.analog_macs)):
            raise EnergyError(field_error(self._where("update"), "what an update of its neurons does", self.update))
        if self.active_macs is not None:
            object.__setattr__(self, "active_macs", whole(self._where("active_macs"), self.active_macs))
            if self.active_macs > self.macs * self.inferences:
                expected = f"at most {self.macs} macs in each of {self.inferences} inferences"
                raise EnergyError(field_error(self._where("active_macs"), expected, self.active_macs))

    def _where(self, name: str) -> str:
        return f"LayerCounts.{name} of {self.name!r}"

    @classmethod
    def spiking(
        cls,
        name: str,
        spikes: ArrayLike,
        fan_out: ArrayLike,
        *,
        neurons: int,
        update: Update,
        steps: int,
        inferences: int,
        most: int = 1,
        macs: int | None = None,
        weights: int | None = None,
        ann_active: ArrayLike | None = None,
    ) -> LayerCounts:
        """Count a layer whose input is spikes.

        Parameters
        ----------
        name, neurons, update, inferences
            As in the class.
        spikes : array_like of int, shape (sources,)
            How often each presynaptic neuron spiked in the whole run.
        fan_out : int or array_like of int, shape (sources,)
            How many neurons of this layer each presynaptic neuron reaches.
        steps : int
            Time steps per inference. Every neuron is updated at each.
        most : int
            How many spikes a neuron may send in a step: a burst counts as the spikes that it stands for.
        macs, weights : int, optional
            As in the class. If not given, the number of connections: the sum of the fan-out.
        ann_active : array_like of int, shape (sources,), optional
            In how many of the inferences each input of the ANN's layer was not zero (its own ReLU sparsity).

        Raises
        ------
        EnergyError
            If shapes do not agree, a number is not whole or negative, or a neuron spiked more often than it can in so
            many steps.
        """
        where = f"LayerCounts.spiking {name!r}"
        counted = _array(f"{where} spikes", spikes)
        if counted.ndim != 1:
            do = "Add them up over the inferences."
            raise EnergyError(field_error(f"{where} spikes", "one number for each neuron", counted.shape, do))
        steps, inferences = whole(f"{where} steps", steps, least=1), whole(f"{where} inferences", inferences, least=1)
        most = whole(f"{where} most", most, least=1)
        if counted.size and counted.max() > most * steps * inferences:
            number = "one" if most == 1 else most
            expected = f"at most {number} per step, {steps} steps in each of {inferences} inferences"
            raise EnergyError(field_error(f"{where} spikes", expected, int(counted.max())))
        reach = _for_each(f"{where} fan_out", fan_out, counted.size)
        connections = int(reach.sum())
        if ann_active is not None and macs not in (None, connections):
            raise EnergyError(field_error(f"{where} macs", f"the {connections} connections", macs, _WITH_ACTIVE))
        return cls(
            name=name,
            inferences=inferences,
            sources=counted.size,
            neurons=neurons,
            weights=connections if weights is None else weights,
            macs=connections if macs is None else macs,
            events=int(counted @ reach),
            analog_macs=0,
            updates=whole(f"{where} neurons", neurons) * steps * inferences,
            update=update,
            active_macs=_active(f"{where} ann_active", ann_active, reach, inferences),
        )

    @classmethod
    def analog(
        cls,
        name: str,
        fan_out: ArrayLike,
        *,
        sources: int,
        neurons: int,
        update: Update | None,
        steps: int,
        inferences: int,
        passes: int,
        weights: int | None = None,
        ann_active: ArrayLike | None = None,
    ) -> LayerCounts:
        """Count a layer whose input is analog: the first one under a constant current, or one that stays as it is.

        Parameters
        ----------
        name, sources, neurons, inferences
            As in the class.
        fan_out : int or array_like of int, shape (sources,)
            How many neurons of this layer each input reaches.
        update : Update or None
            As in the class. With None there are no steps to count.
        steps : int
            Time steps per inference, at each of which every neuron is updated.
        passes : int
            How often per inference the multiply-accumulates are done: once if the currents are held, otherwise once per
            step.
        weights : int, optional
            As in the class. If not given, the number of connections.
        ann_active : array_like of int, shape (sources,), optional
            In how many of the inferences each input was not zero.

        Raises
        ------
        EnergyError
            If shapes do not agree, or a number is not whole or negative.
        """
        where = f"LayerCounts.analog {name!r}"
        reach = _for_each(f"{where} fan_out", fan_out, whole(f"{where} sources", sources))
        steps, inferences = whole(f"{where} steps", steps, least=1), whole(f"{where} inferences", inferences, least=1)
        connections = int(reach.sum())
        return cls(
            name=name,
            inferences=inferences,
            sources=sources,
            neurons=neurons,
            weights=connections if weights is None else weights,
            macs=connections,
            events=0,
            analog_macs=connections * whole(f"{where} passes", passes, least=1) * inferences,
            updates=0 if update is None else whole(f"{where} neurons", neurons) * steps * inferences,
            update=update,
            active_macs=_active(f"{where} ann_active", ann_active, reach, inferences),
        )

    @classmethod
    def encoder(cls, name: str, *, neurons: int, update: Update, steps: int, inferences: int) -> LayerCounts:
        """Count what turns an input into spikes: ``neurons`` of them, updated at each of the steps of an inference.

        Raises
        ------
        EnergyError
            If a number is not whole or negative.
        """
        where = f"LayerCounts.encoder {name!r}"
        steps, inferences = whole(f"{where} steps", steps, least=1), whole(f"{where} inferences", inferences, least=1)
        return cls(
            name=name,
            inferences=inferences,
            sources=0,
            neurons=neurons,
            weights=0,
            macs=0,
            events=0,
            analog_macs=0,
            updates=whole(f"{where} neurons", neurons) * steps * inferences,
            update=update,
            active_macs=None,
        )

    @property
    def additions(self) -> int:
        """Additions of the run, without those of multiply-accumulates: one per event, and those of the updates."""
        return self.events + self.update_additions

    @property
    def update_additions(self) -> int:
        """Additions of the neurons' updates."""
        return self.updates * self.update.additions if self.update else 0

    @property
    def multiplications(self) -> int:
        """Multiplications of the neurons' updates."""
        return self.updates * self.update.multiplications if self.update else 0

    @property
    def weight_fetches(self) -> int:
        """Weights read: one per event, one per multiply-accumulate."""
        return self.events + self.analog_macs

    @property
    def state_traffic(self) -> int:
        """State variables read and written: one each per event, and those of the updates."""
        return 2 * self.events + self.update_traffic

    @property
    def update_traffic(self) -> int:
        """State variables that the updates read and write."""
        return self.updates * (self.update.reads + self.update.writes) if self.update else 0


_WITH_ACTIVE = "The active inputs of the ANN can be counted only where its connections are those of this layer."


def _array(where: str, values: ArrayLike) -> NDArray[np.int64]:
    array = np.asarray(values)
    if array.size == 0:
        return array.astype(np.int64)
    if array.dtype.kind not in "iu" or array.min() < 0:
        got = f"{array.dtype} from {array.min()}" if array.dtype.kind in "iuf" else array.dtype
        raise EnergyError(field_error(where, "counts: whole numbers, none negative", got))
    return array.astype(np.int64)


def _for_each(where: str, values: ArrayLike, sources: int) -> NDArray[np.int64]:
    array = _array(where, values)
    if array.shape not in ((), (sources,)):
        raise EnergyError(field_error(where, f"one number, or one for each of {sources} sources", array.shape))
    return np.broadcast_to(array, (sources,))


def _active(where: str, active: ArrayLike | None, reach: NDArray[np.int64], inferences: int) -> int | None:
    if active is None:
        return None
    array = _array(where, active)
    if array.shape != reach.shape or (array.size and array.max() > inferences):
        expected = f"for each of {reach.size} sources, in how many of {inferences} inferences it was not zero"
        got = f"shape {array.shape}, up to {array.max(initial=0)}"
        raise EnergyError(field_error(where, expected, got))
    return int(array @ reach)
