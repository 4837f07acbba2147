"""What a network did in a course, so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from brian2.units.fundamentalunits import Quantity
from numpy.typing import NDArray
from scipy import sparse

from biosnn.engine import network_state
from biosnn.learning.diehl_cook import Learner
from biosnn.learning.presenter import Protocol
from biosnn.learning.schedule import EXAM, EXHIBITS, LESSONS, Course
from biosnn.measure import sparse_spike_counts

_RESPONSES = ("data", "indices", "indptr")
_NUMBERS = ("begin", "seconds", "memory")
_OWN = (*_NUMBERS, "image", "boost", "traffic", "exhibit_spikes", "exhibit_inputs")


@dataclass(frozen=True)
class Record:
    """What a network did in a course, so far.

    Parameters
    ----------
    begin : float
        The network's time when the course began (s).
    seconds, memory : float
        How long a processor has worked (s), and the most bytes held in memory; 0 where that is not known.
    state : mapping of str to Quantity
        What the network has come to: see `biosnn.engine.network_state`. One that stands still when it is frozen has
        come to it in its lessons.
    image : ndarray of int, shape (presentations,)
        The image shown.
    boost : ndarray, shape (presentations,)
        By how many hertz it was brighter than usual. Of an image that the exam has shown again, image, boost and
        responses are those of the last time.
    responses : csr_array of int, shape (presentations, neurons)
        Spikes of the excitatory cells.
    traffic : ndarray of int, shape (3,)
        Spikes of the inputs, the excitatory and the inhibitory cells in the exam.
    exhibit_spikes, exhibit_inputs : ndarray, shape (2, spikes)
        Time (s) since the first exhibit came, and number of the excitatory cell or input.
    """

    begin: float
    seconds: float
    memory: float
    state: Mapping[str, Quantity]
    image: NDArray[np.int64]
    boost: NDArray[np.float64]
    responses: Any
    traffic: NDArray[np.int64]
    exhibit_spikes: NDArray[np.float64]
    exhibit_inputs: NDArray[np.float64]

    @property
    def done(self) -> int:
        """How many presentations there were."""
        return len(self.image)

    @property
    def theta(self) -> NDArray[np.float64]:
        """Adaptive part of the thresholds (V), shape (neurons,); empty if the cell's model has none."""
        return np.asarray(self.state.get("excitatory.theta", []), dtype=float)

    @property
    def weights(self) -> NDArray[Any]:
        """Weights of the inputs, shape (neurons, inputs)."""
        return np.asarray(self.state["plastic.w"]).reshape(-1, self.responses.shape[1]).T

    def arrays(self) -> dict[str, Any]:
        """All of it as named arrays, from which `from_arrays` makes it anew."""
        responses = {f"responses/{name}": getattr(self.responses, name) for name in _RESPONSES}
        own = {name: np.asarray(getattr(self, name)) for name in _OWN}
        return {**own, **responses, **{f"state/{key}": value for key, value in self.state.items()}}


def nothing_yet(neurons: int, begin: float, state: Mapping[str, Quantity]) -> Record:
    """The record of a course that is about to begin."""
    none = np.empty((2, 0))
    image, boost = np.empty(0, dtype=np.int64), np.empty(0)
    responses = sparse.csr_array((0, neurons), dtype=np.int32)
    return Record(begin, 0.0, 0.0, state, image, boost, responses, np.zeros(3, dtype=np.int64), none, none)


def from_arrays(arrays: Mapping[str, Any], neurons: int) -> Record:
    """The record that `Record.arrays` wrote.

    Raises
    ------
    ValueError, KeyError
        If they are not what it writes.
    """
    data, indices, indptr = (np.asarray(arrays[f"responses/{name}"]) for name in _RESPONSES)
    responses = sparse.csr_array((data, indices, indptr), shape=(len(indptr) - 1, neurons))
    responses.check_format(full_check=True)
    state = {key.removeprefix("state/"): Quantity(value) for key, value in arrays.items() if key.startswith("state/")}
    if {responses.shape[0]} != {len(arrays[name]) for name in ("image", "boost")}:
        raise ValueError("images, brightness and responses are not of as many presentations")
    own = {name: arrays[name] for name in _OWN} | {name: float(arrays[name]) for name in _NUMBERS}
    return Record(state=state, responses=responses, **own)


def extended(record: Record, sim: Any, learner: Learner, course: Course, part: int, count: int) -> Record:
    """The record with what a network did in the next piece of a course, whose results can be read."""
    period = float(learner.protocol.period)
    begin = record.begin + record.done * period
    times, numbers = np.asarray(learner.spikes.t) - begin, np.asarray(learner.spikes.i)
    more = replace(
        _costs_added(record, sim, learner, part),
        state=record.state if part != LESSONS and learner.stands_still else _state(learner),
        image=np.append(record.image, np.asarray(learner.stage.log.image[0], dtype=np.int64)),
        boost=np.append(record.boost, np.asarray(learner.stage.log.boost[0])),
        responses=sparse.vstack([record.responses, _answers(record, learner, count)], format="csr"),
    )
    if part == EXHIBITS:
        first = record.begin + (course.lessons + course.examined) * period
        return replace(
            more,
            exhibit_spikes=_appended(record.exhibit_spikes, times + begin - first, numbers),
            exhibit_inputs=_appended(
                record.exhibit_inputs, np.asarray(learner.input_spikes.t) - first, learner.input_spikes.i
            ),
        )
    return more


def weakly_answered(record: Record, course: Course, protocol: Protocol) -> tuple[NDArray[np.int64], float]:
    """Which presentations of an exam have to be shown again, and how much brighter than usual (Hz).

    Those that got fewer spikes than the protocol wants, as often as it allows. The ones shown least brightly so far
    come first, so that all have the same brightness.
    """
    exam = np.arange(course.lessons, course.lessons + course.examined)
    few = np.asarray(record.responses[exam].sum(axis=1)).ravel() < protocol.fewest_spikes
    step = float(protocol.brighter)
    weak = exam[few & (record.boost[exam] < (protocol.times - 0.5) * step)]
    least = record.boost[weak].min(initial=np.inf)
    return weak[record.boost[weak] == least], least + step


def answered_again(record: Record, sim: Any, learner: Learner, rows: NDArray[np.int64], boost: float) -> Record:
    """The record with new answers in place of those to some presentations of the exam, which were shown again."""
    answers = _answers(record, learner, len(rows))
    source, brightness = np.arange(record.done), record.boost.copy()
    source[rows], brightness[rows] = record.done + np.arange(len(rows)), boost
    responses = sparse.vstack([record.responses, answers], format="csr")[source]
    return replace(_costs_added(record, sim, learner, EXAM), boost=brightness, responses=responses)


def _answers(record: Record, learner: Learner, count: int) -> Any:
    """Spikes of the excitatory cells in each of the presentations just over."""
    period = float(learner.protocol.period)
    times = np.asarray(learner.spikes.t) - (record.begin + record.done * period)
    cells = len(learner.excitatory)
    return sparse_spike_counts(times, learner.spikes.i, period=period, periods=count, neurons=cells)


def _costs_added(record: Record, sim: Any, learner: Learner, part: int) -> Record:
    """The record with what the piece just over took, and with its spikes if it is of the exam."""
    sources = (learner.input_count, learner.spikes, learner.inhibitory_count)
    spikes = np.array([_count(source) if part == EXAM else 0 for source in sources], dtype=np.int64)
    return replace(
        record,
        seconds=record.seconds + sim.usage.seconds,
        memory=max(record.memory, sim.usage.memory),
        traffic=record.traffic + spikes,
    )


def _state(learner: Learner) -> dict[str, Quantity]:
    """What the network has come to, without the playlist, which is known from the course."""
    return {key: value for key, value in network_state(learner.network).items() if key != "stage.playlist"}


def _count(monitor: Any) -> int:
    return int(monitor.num_spikes) if monitor is not None else 0


def _appended(before: NDArray[np.float64], times: Any, numbers: Any) -> NDArray[np.float64]:
    return np.concatenate([before, np.stack([np.asarray(times, float), np.asarray(numbers, float)])], axis=1)
