"""The third way: cells that compete learn by spike-timing dependent plasticity, and a linear readout decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from brian2 import Hz, ms
from numpy.typing import NDArray

from biosnn.coding import TTFS
from biosnn.datasets import Dataset
from biosnn.energy import LayerCounts, Ledger, Update
from biosnn.engine import Simulation
from biosnn.learning import (
    CLEAN,
    EncodedImages,
    NetworkSettings,
    Played,
    Protocol,
    Responses,
    TrainingRun,
    TrainingSchedule,
    build,
    fixed_linear,
    train,
)

from .points import CLASSES, EARLY, LATE, Task

if TYPE_CHECKING:
    from .study import Settings

STEP, WINNERS, FADE = 0.5 * ms, 8, 0.8
"""How many of the first cells count in an answer, and how much each does, compared with the one before."""
GAIN, WEIGHT_TOTAL = 150.0, 2.0
"""With which some cells answer every point before its last input has spiked."""
CELL_UPDATE = Update(additions=4, multiplications=4, reads=4, writes=4)
"""A step of lif_first_spike: four variables that decay or grow, the current's part, and a comparison with a sum."""
_LABELLING, _TEST = 1, 2


@dataclass(frozen=True, eq=False)
class Local:
    """What a network that was not given labels answers.

    Parameters
    ----------
    decisions : array of int, shape (points,)
        Of the whole answer.
    accuracy_by_step : array, shape (steps,)
        Of the answer so far.
    first : array, shape (points,)
        When the first cell spiked (s), infinite where none did.
    spikes : float
        Of cells in an answer.
    ledger : Ledger
        What it did in the test.
    """

    decisions: NDArray[np.int64]
    accuracy_by_step: NDArray[np.float64]
    first: NDArray[np.float64]
    spikes: float
    ledger: Ledger


def learn_locally(settings: Settings, sim: Simulation, task: Task) -> tuple[Local, Local]:
    """The network with plasticity, and the same without."""
    values = np.concatenate([task.training.values, task.test.values])
    labels = np.concatenate([task.training.labels, task.test.labels])
    n = len(task.training.labels)
    images = np.rint(255 * values).astype(np.uint8)[:, None]
    data = Dataset("yin-yang", images, labels, 255, "Kriener, Göltz & Petrovici 2022", n)
    schedule = TrainingSchedule(
        np.arange(n),
        np.arange(n, len(labels)),
        settings.presentations,
        n_recorded=0,
        seed=sim.seed,
        n_labelling=n,
        shuffled=False,
        disturbances=(CLEAN,),
        n_disturbed=len(task.test.labels),
    )
    sim.reset(dt=STEP)
    code = TTFS(duration=LATE - EARLY, dt=STEP)
    built = build(data, _protocol(LATE - EARLY), _network(settings.cells), 1)
    source = EncodedImages(code, np.pad(code.spike_weights(), (0, built.steps - code.length)))
    runs = [TrainingRun(schedule, source, learning=learning, winners=WINNERS) for learning in (True, False)]
    histories = train(sim, built, runs, checkpoint=2000)
    with_plasticity, without = (_read(history, schedule, data) for history in histories)
    return with_plasticity, without


def _protocol(shown: Any) -> Protocol:
    return Protocol(shown=shown, rest=shown, rate=0 * Hz, minimum_spikes=0, intensity_step=0 * Hz, times=0)


def _network(cells: int) -> NetworkSettings:
    return NetworkSettings(
        size=cells,
        neuron="lif_first_spike",
        neuron_preset="",
        rule="stdp_potential",
        rule_preset="",
        inhibitory="",
        input_gain=GAIN,
        weight_total=WEIGHT_TOTAL,
        excitation=0.0,
        inhibition=0.0,
        delays=0 * ms,
        reset_state=("v", "g_exc", "urgency"),
        coding=Played(1 << 18),
    )


def _read(history: Any, schedule: TrainingSchedule, data: Dataset) -> Local:
    labelling, test = (history.timed.section(*schedule.bounds(part)) for part in (_LABELLING, _TEST))
    decide = fixed_linear(labelling.ranked(FADE), data.labels[schedule.labelling])
    labels, steps = data.labels[schedule.test], range(1, test.steps + 1)
    by_step = np.array([np.mean(decide(test.ranked(FADE, step)) == labels) for step in steps])
    first = np.where(test.first() < test.steps, test.first() * float(STEP), np.inf)
    spikes = len(test.row) / test.presentations
    ledger = _ledger(history.input_spikes[_TEST], test)
    return Local(decide(test.ranked(FADE)), by_step, first, spikes, ledger)


def _ledger(inputs: NDArray[np.int64], test: Responses) -> Ledger:
    cells, shared = test.neurons, {"steps": test.steps, "inferences": test.presentations}
    counts = np.bincount(test.neuron, minlength=cells)
    given: dict[str, Any] = {"neurons": cells, "update": CELL_UPDATE, **shared}
    told: dict[str, Any] = {"neurons": 0, "update": CELL_UPDATE, "macs": 0, "weights": 1, **shared}
    quiet = Update(additions=0, multiplications=0, reads=0, writes=0)
    read: dict[str, Any] = {"neurons": CLASSES, "update": quiet, **shared}
    return Ledger(
        (
            LayerCounts.spiking("cells", inputs, cells, **given),
            LayerCounts.spiking("winners", counts, cells - 1, **told),  # each answer is told to all other cells
            LayerCounts.spiking("readout", counts, CLASSES, **read),
        )
    )
