"""Teach networks without labels: one program for all of them, no Python between images, checkpoints on the way.

A course is run in pieces. Each begins from the state in which the one before has left the network, at the time at which
it ended, with random numbers of its own that follow from the seed and the piece. So a training that was stopped goes on
from its last checkpoint to the same result. The exam changes nothing, if the cells' model has a preset that freezes
them: its pieces all begin from the state after the lessons, and as many run at once as there are cores. Images that got
too few spikes in it are then shown again, brighter, a piece for each brightness.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from brian2 import Quantity, second

from biosnn.engine import Point
from biosnn.engine.progress import Progress
from biosnn.learning.checkpoint import Checkpoints
from biosnn.learning.diehl_cook import FROZEN, Learner
from biosnn.learning.history import Record, answered_again, extended, nothing_yet, weakly_answered
from biosnn.learning.homeostasis import scaled
from biosnn.learning.schedule import EXAM, LESSONS, Course
from biosnn.learning.scoring import accuracy_so_far
from biosnn.quantity import parse_quantity

_PARTS = ("learning without labels", "showing images to the frozen network", "showing a few again, inputs recorded")


@dataclass(frozen=True)
class Pupil:
    """A network to be taught.

    Parameters
    ----------
    course : Course
        What it sees.
    learning : bool
        Whether its synapses learn. A network whose weights stay as random as they began, while its thresholds adapt, is
        the negative control.
    """

    course: Course
    learning: bool = True


def teach(
    sim: Any,
    learner: Learner,
    pupils: Sequence[Pupil],
    *,
    checkpoint: int,
    checkpoints: Checkpoints | None = None,
    begin: float = 0.0,
    state: Mapping[str, Quantity] | None = None,
) -> list[Record]:
    """Teach networks, as many at once as there are cores: learn, freeze, show all images, show the exhibits.

    Parameters
    ----------
    sim : Simulation
        An open session in which nothing has run.
    learner : Learner
        What each network is made of; its playlist is as long as the courses.
    pupils : sequence of Pupil
        With courses of the same lengths.
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
    list of Record
    """
    records = [nothing_yet(len(learner.excitatory), begin, state or {}) for _ in pupils]
    if checkpoints is not None:
        records = [checkpoints.last(number, record) for number, record in enumerate(records)]
    length, total = pupils[0].course.length, sum(pupil.course.length for pupil in pupils)
    so_far = sum(record.done for record in records)
    if so_far == total:
        return records
    prepared = sim.prepare(
        learner.network,
        lambda: _program(sim, learner),
        Point(_example(learner, pupils[0]), durations=np.zeros(3) * second),
        resumable=True,
    )
    with Progress(_PARTS[LESSONS], begun_at=so_far / total) as shown:
        while (least := min(record.done for record in records)) < length:
            now = [number for number, record in enumerate(records) if record.done == least]
            work = [(n, piece) for n in now for piece in _pieces(learner, pupils[n].course, records[n], checkpoint)]
            shown.what = _PARTS[work[0][1].part]
            said = _said(learner, pupils, records)
            base, new = sum(record.done for record in records), sum(piece.count for _, piece in work if not piece.again)
            again = sum(piece.count for _, piece in work if piece.again)
            said = f"{said}, {again:,} images again, brighter" if again else said

            def report(fraction: float, base: int = base, new: int = new, said: str = said) -> None:
                done = base + fraction * new
                shown.update(done / total, f"{done:,.0f} of {total:,} presentations{said}")

            def read(at: int, work: Any = work) -> None:
                number, piece = work[at]
                course = pupils[number].course
                records[number] = _read(records[number], sim, learner, course, piece)
                if checkpoints is not None:
                    checkpoints.keep(number, records[number])

            points = [_point(learner, pupils[number], records[number], piece) for number, piece in work]
            prepared.run(points, read, report=report)
    return records


@dataclass(frozen=True)
class _Piece:
    """A piece of a course: how many presentations there were before it, which part it is of, and how many it has.

    One of images shown again has the presentations that it repeats, and by how many hertz it is brighter.
    """

    done: int
    part: int
    count: int
    again: tuple[int, ...] = ()
    boost: float = 0.0


def _pieces(learner: Learner, course: Course, record: Record, most: int) -> list[_Piece]:
    """The pieces of a course that can run now: the next one; of the exam all, if the frozen network stands still."""
    done = record.done
    if done == course.lessons + course.examined and learner.stands_still:
        weak, boost = weakly_answered(record, course, learner.protocol)
        if len(weak):
            return [_Piece(done, EXAM, len(weak), tuple(weak), boost)]
    pieces = [_Piece(done, *course.piece(done, most))]
    all_at_once = pieces[0].part == EXAM and learner.stands_still
    while all_at_once and (done := done + pieces[-1].count) < course.lessons + course.examined:
        pieces.append(_Piece(done, *course.piece(done, most)))
    return pieces


def _read(record: Record, sim: Any, learner: Learner, course: Course, piece: _Piece) -> Record:
    if piece.again:
        return answered_again(record, sim, learner, np.array(piece.again), piece.boost)
    return extended(record, sim, learner, course, piece.part, piece.count)


def _program(sim: Any, learner: Learner) -> None:
    """The three parts of a course; how long each takes, a point says."""
    learner.pause(keepers=False, input_spikes=True)
    sim.run(learner.network, learner.protocol.period, _PARTS[0])
    learner.freeze()
    sim.run(learner.network, learner.protocol.period, _PARTS[1])
    learner.pause(keepers=True, input_spikes=False)
    sim.run(learner.network, learner.protocol.period, _PARTS[2])


def _example(learner: Learner, pupil: Pupil) -> dict[str, Any]:
    return {
        "stage.playlist": learner.stage.filled(pupil.course.playlist),
        "stage.first_boost": 0 / second,
        **rates(learner, learning=True),
    }


def _point(learner: Learner, pupil: Pupil, record: Record, piece: _Piece) -> Point:
    """Where a piece of a course begins."""
    course, period = pupil.course, learner.protocol.period
    durations = np.zeros(3)
    durations[piece.part] = piece.count
    origin = [course.seed, piece.done, *([round(piece.boost)] if piece.again else [])]
    point = {
        **_example(learner, pupil),
        **record.state,
        **rates(learner, learning=pupil.learning),
    }
    if piece.part != LESSONS:
        # The state may be that after the lessons. An image shown again takes one of them more, so that the stage may
        # not have come to their end.
        point |= {"stage.place": np.array([piece.done - 1]), "stage.boost": np.zeros(1) / second}
        point |= _scaled_weights(learner, point)
    if piece.again:
        images = np.pad(record.image[list(piece.again)], (0, course.length - piece.count), mode="edge")
        point |= {
            "stage.playlist": learner.stage.filled(images),
            "stage.place": np.array([-1]),
            "stage.first_boost": piece.boost / second,
        }
    seed = int(np.random.SeedSequence(origin).generate_state(1)[0])
    return Point(point, seed, record.begin * second + piece.done * period, durations * period)


def _scaled_weights(learner: Learner, point: Mapping[str, Any]) -> dict[str, Any]:
    """The weights as the first image of the exam finds them: scaled, as before every lesson.

    The cells that answered the last lesson have gained by it, and unscaled they would win every image of the exam.
    """
    total, key = learner.circuit.weight_total, f"{learner.plastic.name}.w"
    if not total or key not in point:
        return {}
    return {key: scaled(point[key], len(learner.excitatory), total)}


def rates(learner: Learner, *, learning: bool) -> dict[str, Quantity]:
    """The learning rates of the rule as a point's values: its own, or those of its preset "frozen"."""
    model = learner.plastic.model
    frozen: Mapping[str, str] = model.presets[FROZEN]
    values = {name: model.parameters[name].value if learning else text for name, text in frozen.items()}
    return {f"{learner.plastic.name}.{name}": parse_quantity(text) for name, text in values.items()}


def _said(learner: Learner, pupils: Sequence[Pupil], records: Sequence[Record]) -> str:
    """The accuracy so far of the networks that learn, for the progress."""
    found = [
        accuracy_so_far(record, pupil.course, learner.data)
        for pupil, record in zip(pupils, records, strict=True)
        if pupil.learning
    ]
    known = [value for value in found if value is not None]
    return f", accuracy so far {100 * float(np.mean(known)):.1f} %" if known else ""
