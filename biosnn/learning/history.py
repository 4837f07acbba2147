"""What a network did in a training run, so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from brian2.units.fundamentalunits import Quantity
from numpy.typing import NDArray
from scipy import sparse

from biosnn.display import Brief
from biosnn.engine import network_state
from biosnn.learning.network import PlasticNetwork
from biosnn.learning.presenter import Protocol
from biosnn.learning.responses import Responses
from biosnn.learning.schedule import RECORDED, TEST, TRAINING, Piece, TrainingSchedule
from biosnn.learning.sources import InputSource
from biosnn.measure import sparse_spike_counts

_SPARSE = ("data", "indices", "indptr")
_TIMED = ("row", "step", "neuron")
_NUMBERS = ("begin", "seconds", "memory")
_COUNTS = ("input_spikes", "excitatory_spikes", "inhibitory_spikes")
_OWN = (*_NUMBERS, *_COUNTS, "image", "boost", "recorded_spikes", "recorded_inputs")


@dataclass(frozen=True)
class TrainingHistory(Brief):
    """What a network did in a training run, so far.

    Parameters
    ----------
    begin : float
        The network's time when the run began (s).
    seconds, memory : float
        How long a processor has worked (s), and the most bytes held in memory; 0 where that is not known.
    state : mapping of str to Quantity
        The state of the network: see `biosnn.engine.network_state`. For one whose frozen cells do not change, the state
        at the end of training.
    image : ndarray of int, shape (presentations,)
        The image shown.
    boost : ndarray, shape (presentations,)
        By how many hertz the inputs fired faster than usual. Of an image that the test has shown again, image, boost
        and responses are those of the last time.
    responses : csr_array of int, shape (presentations, neurons)
        Spikes of the excitatory cells.
    timed : Responses
        The same with their times, where the time of an answer counts; else nothing.
    input_spikes, excitatory_spikes, inhibitory_spikes : ndarray of int, shape (parts, neurons)
        Spikes of each input and of each cell in each part of the schedule, images shown again included.
    recorded_spikes, recorded_inputs : ndarray, shape (2, spikes)
        Time (s) since the recorded presentations began, and number of the excitatory cell or input.
    """

    begin: float
    seconds: float
    memory: float
    state: Mapping[str, Quantity]
    image: NDArray[np.int64]
    boost: NDArray[np.float64]
    responses: Any
    timed: Responses
    input_spikes: NDArray[np.int64]
    excitatory_spikes: NDArray[np.int64]
    inhibitory_spikes: NDArray[np.int64]
    recorded_spikes: NDArray[np.float64]
    recorded_inputs: NDArray[np.float64]

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

    def traffic(self, part: int) -> NDArray[np.int64]:
        """Spikes of the inputs, the excitatory and the inhibitory cells in a part of the schedule, shape (3,)."""
        return np.array([getattr(self, name)[part].sum() for name in _COUNTS])

    def arrays(self) -> dict[str, Any]:
        """All of it as named arrays, from which `from_arrays` makes it anew."""
        responses = {f"responses/{name}": getattr(self.responses, name) for name in _SPARSE}
        timed = {f"timed/{name}": getattr(self.timed, name) for name in _TIMED}
        timed["timed/presentations"] = np.asarray(self.timed.presentations)
        fields = {name: np.asarray(getattr(self, name)) for name in _OWN}
        return {**fields, **responses, **timed, **{f"state/{key}": value for key, value in self.state.items()}}


def empty_history(
    built: PlasticNetwork, schedule: TrainingSchedule, begin: float, state: Mapping[str, Quantity]
) -> TrainingHistory:
    """The history of a run that is about to begin."""
    cells, none = len(built.excitatory), np.empty(0, dtype=np.int64)
    counts = {
        name: np.zeros((len(schedule.parts), size), dtype=np.int64)
        for name, size in zip(_COUNTS, (len(built.inputs), cells, cells), strict=True)
    }
    return TrainingHistory(
        begin=begin,
        seconds=0.0,
        memory=0.0,
        state=state,
        image=none,
        boost=np.empty(0),
        responses=sparse.csr_array((0, cells), dtype=np.int32),
        timed=Responses(0, cells, built.steps, none, none, none),
        recorded_spikes=np.empty((2, 0)),
        recorded_inputs=np.empty((2, 0)),
        **counts,
    )


def from_arrays(arrays: Mapping[str, Any], empty: TrainingHistory) -> TrainingHistory:
    """The history that `TrainingHistory.arrays` wrote, of a run that began as an empty one.

    Raises
    ------
    ValueError, KeyError
        If they are not what it writes.
    """
    data, indices, indptr = (np.asarray(arrays[f"responses/{name}"]) for name in _SPARSE)
    responses = sparse.csr_array((data, indices, indptr), shape=(len(indptr) - 1, empty.responses.shape[1]))
    responses.check_format(full_check=True)
    state = {key.removeprefix("state/"): Quantity(value) for key, value in arrays.items() if key.startswith("state/")}
    if {responses.shape[0]} != {len(arrays[name]) for name in ("image", "boost")}:
        raise ValueError("images, boosts and responses are not of as many presentations")
    row, step, neuron = (np.asarray(arrays[f"timed/{name}"]) for name in _TIMED)
    timed = replace(empty.timed, presentations=int(arrays["timed/presentations"]), row=row, step=step, neuron=neuron)
    fields = {name: arrays[name] for name in _OWN} | {name: float(arrays[name]) for name in _NUMBERS}
    return TrainingHistory(state=state, responses=responses, timed=timed, **fields)


def extended(
    history: TrainingHistory,
    sim: Any,
    built: PlasticNetwork,
    source: InputSource,
    schedule: TrainingSchedule,
    piece: Piece,
) -> TrainingHistory:
    """The history with what a network did in a piece of its schedule, whose results can be read."""
    if piece.again:
        return _answered_again(history, sim, built, piece)
    phase = schedule.parts[piece.part].phase
    image, boost = source.shown(built, schedule.order[piece.done : piece.done + piece.count])
    more = replace(
        _costs_added(history, sim, built, piece.part),
        image=np.append(history.image, image),
        boost=np.append(history.boost, boost),
        responses=sparse.vstack([history.responses, _answers(history, built, piece.count)], format="csr"),
    )
    if phase == TRAINING or not (source.repeats and built.stands_still):
        more = replace(more, state=_state(built, source))
    if source.timed:
        more = replace(more, timed=history.timed + _timed_answers(history, built, piece.count))
    if phase == RECORDED:
        period = float(built.protocol.period)
        first, begin = (history.begin + done * period for done in (schedule.bounds(piece.part)[0], history.done))
        times = np.asarray(built.spikes.t) - begin + begin - first
        inputs = np.asarray(built.input_spikes.t) - first
        more = replace(
            more,
            recorded_spikes=_appended(history.recorded_spikes, times, built.spikes.i),
            recorded_inputs=_appended(history.recorded_inputs, inputs, built.input_spikes.i),
        )
    return more


def weakly_answered(
    history: TrainingHistory, schedule: TrainingSchedule, protocol: Protocol
) -> tuple[NDArray[np.int64], float]:
    """Which presentations of a test have to be shown again, and by how many hertz faster the inputs then fire.

    Those that got fewer spikes than the protocol wants, as often as it allows. The ones shown least brightly so far
    come first, so that all have the same brightness.
    """
    test = np.arange(*schedule.bounds(TEST))
    few = np.asarray(history.responses[test].sum(axis=1)).ravel() < protocol.minimum_spikes
    step = float(protocol.intensity_step)
    weak = test[few & (history.boost[test] < (protocol.times - 0.5) * step)]
    least = history.boost[weak].min(initial=np.inf)
    return weak[history.boost[weak] == least], least + step


def _answered_again(history: TrainingHistory, sim: Any, built: PlasticNetwork, piece: Piece) -> TrainingHistory:
    """The history with new answers in place of those to some presentations of the test, which were shown again."""
    rows, answers = np.array(piece.again), _answers(history, built, piece.count)
    source, boost = np.arange(history.done), history.boost.copy()
    source[rows], boost[rows] = history.done + np.arange(len(rows)), piece.boost
    responses = sparse.vstack([history.responses, answers], format="csr")[source]
    return replace(_costs_added(history, sim, built, piece.part), boost=boost, responses=responses)


def _answers(history: TrainingHistory, built: PlasticNetwork, count: int) -> Any:
    """Spikes of the excitatory cells in each of the presentations just over."""
    period = float(built.protocol.period)
    times = np.asarray(built.spikes.t) - (history.begin + history.done * period)
    cells = len(built.excitatory)
    return sparse_spike_counts(times, built.spikes.i, period=period, periods=count, neurons=cells)


def _timed_answers(history: TrainingHistory, built: PlasticNetwork, count: int) -> Responses:
    """When the excitatory cells have spiked in the presentations just over."""
    steps = np.rint(np.asarray(built.spikes.t / built.excitatory.clock.dt)).astype(np.int64)
    begin, cells = built.step_of(history.begin) + history.done * built.steps, np.asarray(built.spikes.i, dtype=np.int64)
    size = {"presentations": count, "neurons": len(built.excitatory), "length": built.steps}
    return Responses.of(steps - begin, cells, **size)


def _costs_added(history: TrainingHistory, sim: Any, built: PlasticNetwork, part: int) -> TrainingHistory:
    """The history with what the piece just over took, and with its spikes."""
    counts = {name: getattr(history, name).copy() for name in _COUNTS}
    monitors = (built.input_count, built.spikes, built.inhibitory_count)
    for count, monitor in zip(counts.values(), monitors, strict=True):
        if monitor is not None:
            count[part] += np.asarray(monitor.count, dtype=np.int64)
    seconds, memory = history.seconds + sim.usage.seconds, max(history.memory, sim.usage.memory)
    return replace(history, seconds=seconds, memory=memory, **counts)


def _state(built: PlasticNetwork, source: InputSource) -> dict[str, Quantity]:
    """The state of the network, without what each piece sets again."""
    return {key: value for key, value in network_state(built.network).items() if not key.startswith(source.brings)}


def _appended(before: NDArray[np.float64], times: Any, numbers: Any) -> NDArray[np.float64]:
    return np.concatenate([before, np.stack([np.asarray(times, float), np.asarray(numbers, float)])], axis=1)
