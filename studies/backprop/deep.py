"""Part 2: what becomes of activity in deep networks while they are trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from brian2 import ms
from numpy.typing import NDArray

from biosnn import training
from biosnn.engine import Simulation
from biosnn.study import Claim, Result, Table

from .points import CLASSES, SHOWN, Task, task_of
from .trained import POTENTIAL, precision_of

if TYPE_CHECKING:
    from .study import Settings

Floats = NDArray[np.float64]
ALONE, RANGE, BUMP = "as it is", "activity range", "silent bump"
CONDITIONS = (ALONE, RANGE, BUMP)
LOWEST, HIGHEST, STRENGTH = 0.5, 2.0, 0.05
"""Spikes per neuron and example within which activity costs nothing, and what it costs outside."""
BUMP_BY, STEP = 0.1, 0.5 * ms


def depth_result(settings: Settings, sim: Simulation) -> Result:
    """Train networks of each depth in each condition."""
    task = task_of(settings)
    few = Task(task.training.first(settings.deep_points), task.validation, task.test)
    values: dict[str, Any] = {}
    arrays: dict[str, Any] = {"depth layers": np.array(settings.depths), "depth conditions": np.array(CONDITIONS)}
    rows = [["hidden layers", "condition", "accuracy", "spikes per neuron in the last layer", "silent layers"]]
    for layers in settings.depths:
        for condition in CONDITIONS:
            rates, accuracy = _trained(settings, sim, few, layers, condition)
            where = f"depth {layers}, {condition}"
            arrays[f"depth rates {layers}, {condition}"] = rates
            values[f"{where}, accuracy"] = accuracy
            values[f"{where}, last layer before"], values[f"{where}, last layer after"] = rates[0, -1], rates[-1, -1]
            silent = int(np.sum(rates[-1] < 0.01))
            values[f"{where}, silent layers after"] = silent
            rows.append([str(layers), condition, f"{accuracy:.3f}", f"{rates[-1, -1]:.2f}", str(silent)])
    caption = "Deep networks after they were trained: accuracy in the test, spikes per neuron and point."
    return Result(values, arrays, tables={"Deep networks": Table(caption, rows)})


def _trained(settings: Settings, sim: Simulation, task: Task, layers: int, condition: str) -> tuple[Floats, float]:
    """Spikes per neuron and example of each hidden layer, before, in each epoch, and after; accuracy in the test."""
    width, names = settings.width, [f"hidden_{k}" for k in range(1, layers + 1)]
    begin = [(settings.input_weight, settings.input_spread)]
    begin += [(settings.deep_weight / np.sqrt(width), 2 * settings.deep_weight / np.sqrt(width))] * (layers - 1)
    network = training.feedforward(
        [5, *[width] * layers, CLASSES],
        weights=[*begin, (0.0, 1 / np.sqrt(width))],
        dt=STEP,
        duration=2 * SHOWN,
        seed=sim.seed,
    )
    ranges = [training.ActivityRange(name, LOWEST, HIGHEST, STRENGTH) for name in names]
    bumps = [training.SilentBump(name, BUMP_BY) for name in names]
    # As it is trained, which spares the compiler other programs of many layers.
    how: dict[str, Any] = {"loss": POTENTIAL, "method": training.Surrogate(), "precision": precision_of(sim)}
    before = training.evaluate(sim, network, task.test.spikes, **how)
    result = training.train(
        sim,
        network,
        task.training.spikes,
        optimizer=training.Adam(rate=settings.rate),
        batch=settings.batch,
        epochs=settings.deep_epochs,
        activity=ranges if condition == RANGE else (),
        bumps=bumps if condition == BUMP else (),
        **how,
    )
    after = training.evaluate(sim, network, task.test.spikes, **how)
    rates = [
        [before.spikes[name].mean() for name in names],
        *([epoch.spikes[name] / width for name in names] for epoch in result.epochs),
        [after.spikes[name].mean() for name in names],
    ]
    return np.array(rates), after.accuracy


def _fires(result: Any) -> bool:
    """The minimum activity: before training, the first layer of every network fires."""
    return all(rates[0, 0] > 0.1 for name, rates in result.arrays.items() if name.startswith("depth rates"))


DEPTH_CLAIMS = [
    Claim(
        "depth spikes vanish",
        "before training, at every depth, the last layer has less than a tenth of the first one's spikes",
        lambda result: all(
            rates[0, -1] < 0.1 * rates[0, 0] for name, rates in result.arrays.items() if name.startswith("depth rates")
        ),
        _fires,
    ),
    Claim(
        "depth a range of activity brings spikes back",
        "trained with a range of activity, no layer of any network is silent, and the last one has at least a tenth of "
        "a spike per neuron and point",
        lambda result: all(
            result.values[f"depth {layers}, {RANGE}, silent layers after"] == 0
            and result.values[f"depth {layers}, {RANGE}, last layer after"] >= 0.1
            for layers in result.arrays["depth layers"]
        ),
        _fires,
    ),
]
