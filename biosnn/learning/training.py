"""Train networks without labels: one program for all of them, no Python between images, checkpoints on the way.

A schedule is run in pieces. Each begins from the state in which the one before has left the network, at the time at
which it ended, with random numbers of its own that follow from the seed and the piece. So a training that was stopped
resumes from its last checkpoint to the same result. Where the spikes of the inputs come from, and how presentations are
prepared, an `InputSource` says; all else is the same whatever the source.

The test of images that are presented changes nothing, if the cells' model has a preset that freezes them: its pieces
all begin from the state after training, and as many run at once as there are cores. Images that got too few spikes in
it are then shown again, brighter, a piece for each intensity.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from brian2 import Quantity, second

from biosnn.display import Brief
from biosnn.engine import Point
from biosnn.engine.progress import Progress
from biosnn.learning.checkpoint import Checkpoints
from biosnn.learning.evaluation.scoring import accuracy_so_far
from biosnn.learning.history import TrainingHistory, empty_history, extended, weakly_answered
from biosnn.learning.network import PlasticNetwork
from biosnn.learning.schedule import TEST, TRAINING, Piece, TrainingSchedule
from biosnn.learning.sources import InputSource, PresentedImages

_PHASES = ("learning without labels", "showing images to the frozen network", "showing a few again, inputs recorded")


@dataclass(frozen=True, eq=False)
class TrainingRun(Brief):
    """A network to be trained.

    Parameters
    ----------
    schedule : TrainingSchedule
        What it sees.
    source : InputSource
        Where the spikes of its inputs come from: images presented as it runs, or encoded beforehand.
    learning : bool
        Whether its synapses learn. A network whose weights stay as random as they began, while its thresholds adapt, is
        the negative control.
    values : mapping of str to Quantity
        What else is this network's own, such as ``{"plastic.gain": 1}``.
    winners : int
        How many spikes the frozen network gives in answer at most, where the first take all; while it learns, one.
    """

    schedule: TrainingSchedule
    source: InputSource = field(default_factory=PresentedImages)
    learning: bool = True
    values: Mapping[str, Any] = field(default_factory=dict)
    winners: int = 1


def train(
    sim: Any,
    built: PlasticNetwork,
    runs: Sequence[TrainingRun],
    *,
    checkpoint: int,
    checkpoints: Checkpoints | None = None,
    begin: float = 0.0,
    state: Mapping[str, Quantity] | None = None,
) -> list[TrainingHistory]:
    """Train networks, as many at once as there are cores: learn, freeze, show all images, show the recorded ones.

    Parameters
    ----------
    sim : Simulation
        An open session in which nothing has run.
    built : PlasticNetwork
        What each network is made of. If images are presented, its presentation order is as long as the schedules.
    runs : sequence of TrainingRun
        One for each network.
    checkpoint : int
        How many presentations a piece has at most. The result depends on it, as on a seed.
    checkpoints : Checkpoints, optional
        Where to keep what was reached after each piece, and to look for what was reached before.
    begin : float
        The network's time at the beginning (s).
    state : mapping, optional
        The state of the network at the beginning; by default that of its models.

    Returns
    -------
    list of TrainingHistory

    Raises
    ------
    CodingError, ModelError
        If the source of a run does not fit the network, or the spikes of one image are more than its inputs can hold.
    """
    for run in runs:
        run.source.check(built, run.schedule)
    histories = [empty_history(built, run.schedule, begin, state or {}) for run in runs]
    if checkpoints is not None:
        histories = [checkpoints.last(number, history) for number, history in enumerate(histories)]
    total, prepared = sum(run.schedule.length for run in runs), None
    with Progress(_PHASES[TRAINING], begun_at=sum(history.done for history in histories) / total) as bar:
        while work := _next(built, runs, histories, checkpoint):
            first = work[0]
            program = partial(_program, sim, built)
            prepared = prepared or sim.prepare(built.network, program, first.point, resumable=True)
            bar.what = _PHASES[runs[first.run].schedule.parts[first.piece.part].phase]
            said = _said(built, runs, histories, work)
            base = sum(history.done for history in histories)
            new = sum(one.piece.count for one in work if not one.piece.again)

            def report(fraction: float, base: int = base, new: int = new, said: str = said) -> None:
                done = base + fraction * new
                bar.update(done / total, f"{done:,.0f} of {total:,} presentations{said}")

            def read(at: int, work: Any = work) -> None:
                number, piece = work[at].run, work[at].piece
                run, history = runs[number], histories[number]
                histories[number] = extended(history, sim, built, run.source, run.schedule, piece)
                if checkpoints is not None:
                    checkpoints.keep(number, histories[number])

            prepared.run([one.point for one in work], read, report=report)
    return histories


@dataclass(frozen=True, eq=False)
class _Work:
    """A piece of the schedule of a run, and the point at which it begins."""

    run: int
    piece: Piece
    point: Point


def _next(
    built: PlasticNetwork, runs: Sequence[TrainingRun], histories: Sequence[TrainingHistory], most: int
) -> list[_Work]:
    """What can run now: of each network its next piece, or several that do not depend on each other."""
    work = []
    for number, (run, history) in enumerate(zip(runs, histories, strict=True)):
        for piece in _pieces(built, run, history, most):
            start = built.step_of(history.begin) + piece.done * built.steps
            count, values = run.source.prepare(built, run.schedule, piece, start, history.image)
            cut = replace(piece, count=count)
            work.append(_Work(number, cut, _point(built, run, history, cut, values)))
    return work


def _pieces(built: PlasticNetwork, run: TrainingRun, history: TrainingHistory, most: int) -> list[Piece]:
    """The pieces of a schedule that can run now: the next one; of the test all, if the frozen network stands still."""
    schedule, done = run.schedule, history.done
    apart = run.source.repeats and built.stands_still
    if apart and done == schedule.bounds(TEST)[1]:
        weak, boost = weakly_answered(history, schedule, built.protocol)
        if len(weak):
            return [Piece(done, TEST, len(weak), tuple(weak), boost)]
    if done == schedule.length:
        return []
    pieces = [schedule.piece(done, most)]
    if apart and pieces[0].part == TEST:
        while (done := done + pieces[-1].count) < schedule.bounds(TEST)[1]:
            pieces.append(schedule.piece(done, most))
    return pieces


def _program(sim: Any, built: PlasticNetwork) -> None:
    """The three phases of a schedule; how long each takes, a point says."""
    built.pause(learning=False, input_spikes=True)
    sim.run(built.network, built.protocol.period, _PHASES[0])
    built.freeze()
    sim.run(built.network, built.protocol.period, _PHASES[1])
    built.pause(learning=True, input_spikes=False)
    sim.run(built.network, built.protocol.period, _PHASES[2])


def _point(
    built: PlasticNetwork, run: TrainingRun, history: TrainingHistory, piece: Piece, brought: Mapping[str, Any]
) -> Point:
    """Where a piece of a schedule begins."""
    schedule, period = run.schedule, built.protocol.period
    phase, durations = schedule.parts[piece.part].phase, np.zeros(3)
    durations[phase] = piece.count
    origin = [schedule.seed, piece.done, *([round(piece.boost)] if piece.again else [])]
    part_done = piece.done / schedule.n_training if phase == TRAINING else 1.0
    learning = built.phase_values(run.learning, part_done, 1 if phase == TRAINING else run.winners)
    values = {**run.values, **history.state, **brought, **learning}
    if phase != TRAINING and run.source.repeats:
        values |= built.scaled_weights(values)
    return Point(
        values,
        seed=int(np.random.SeedSequence(origin).generate_state(1)[0]),
        start=history.begin * second + piece.done * period,
        durations=durations * period,
    )


def _said(
    built: PlasticNetwork,
    runs: Sequence[TrainingRun],
    histories: Sequence[TrainingHistory],
    work: Sequence[_Work],
) -> str:
    """For the progress: the accuracy so far of the networks that learn, and how many images are shown again."""
    estimates = [
        accuracy_so_far(history, run.schedule, built.data)
        for run, history in zip(runs, histories, strict=True)
        if run.learning and run.schedule.tested
    ]
    known = [value for value in estimates if value is not None]
    said = f", accuracy so far {100 * float(np.mean(known)):.1f} %" if known else ""
    again = sum(one.piece.count for one in work if one.piece.again)
    return f"{said}, {again:,} images again, brighter" if again else said
