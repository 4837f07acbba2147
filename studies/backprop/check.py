"""Part 1: is the exact gradient right, and how short must time steps be?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from brian2 import Quantity, ms, second
from numpy.typing import NDArray

from biosnn import training
from biosnn.datasets import LabelledSpikeTrains
from biosnn.engine import Simulation
from biosnn.engine.progress import Progress
from biosnn.quantity import format_quantity
from biosnn.seeds import derived_seed
from biosnn.study import Claim, Result, Table
from biosnn.training import engine_for, spike_list

if TYPE_CHECKING:
    from .study import Settings

Floats = NDArray[np.float64]
SIZES = [20, 10, 3]
INPUT_TIME, DURATION = 20 * ms, 30 * ms
LAYERS = {"hidden": "input_to_hidden", "output": "hidden_to_output"}
UNCUT = training.Exact(largest_jump=1e9)
"""Jumps that are cut, as in training, are no gradient."""
WEIGHTS = [(1.0, 0.7), (0.6, 0.5)]
"""Of both connections, mean and standard deviation: with them hidden neurons spike some times each."""
CHANGE = 0.02
"""Of a weight, for central differences: shifts spikes by many of the finest steps, and by little."""
LOSS = training.FirstSpike()


@dataclass(frozen=True, eq=False)
class Checked:
    """Gradients of a random network by connection: at each step, the finest, and, if asked, of differences."""

    by_step: list[dict[str, Floats]]
    finest: dict[str, Floats]
    differences: dict[str, Floats]
    spikes: float


def check_result(settings: Settings, sim: Simulation) -> Result:
    """Compare gradients in all random networks."""
    with Progress("checking gradients") as shown:
        networks = [_network(step) for step in (*settings.check_steps, settings.finest)]
        engines = [engine_for(sim, network, UNCUT, LOSS.feature) for network in networks]
        found = []
        for number in range(settings.check_networks):
            found.append(_checked(settings, sim, engines, number))
            shown.update((number + 1) / settings.check_networks, "")
    steps = [format_quantity(step) for step in settings.check_steps]
    values, arrays = {}, {"check steps": np.array([float(x) for x in settings.check_steps]) * second}
    for layer, name in LAYERS.items():
        cosines = np.array([[_cosine(at[name], one.finest[name]) for at in one.by_step] for one in found])
        ratios = np.array([[_ratio(at[name], one.finest[name]) for at in one.by_step] for one in found])
        held = [one for one in found if one.differences]
        differences = np.array([_cosine(one.finest[name], one.differences[name]) for one in held])
        arrays |= {f"check {layer} cosines": cosines, f"check {layer} ratios": ratios}
        arrays[f"check {layer} exact"] = np.concatenate([one.finest[name].ravel() for one in held])
        arrays[f"check {layer} differences"] = np.concatenate([one.differences[name].ravel() for one in held])
        values[f"check {layer} cosine with central differences"] = float(np.median(differences))
        for step, cosine in zip(steps, np.median(cosines, axis=0), strict=True):
            values[f"check {layer} cosine at {step}"] = float(cosine)
    values["check hidden spikes"] = float(np.mean([one.spikes for one in found]))
    return Result(values, arrays, tables={"Gradients by time step": _table(steps, arrays)})


def _checked(settings: Settings, sim: Simulation, engines: list[Any], number: int) -> Checked:
    seed = derived_seed(sim.seed, number)
    rng = np.random.default_rng(seed)
    times = np.sort(rng.uniform(0.0, float(INPUT_TIME), SIZES[0])) * second
    inputs = rng.permutation(SIZES[0])
    indptr, labels = np.array([0, len(inputs)]), rng.integers(SIZES[-1], size=1)
    data = LabelledSpikeTrains(inputs, times, indptr, labels, (SIZES[0],), DURATION)
    for engine in engines:
        engine.network.weights = _network(settings.finest, seed).weights
    *by_step, finest = [_gradient(engine, data) for engine in engines]
    engine = engines[-1]
    spikes = len(engine.forward(spike_list(engine.network, data, "data")).spikes["hidden"].neuron)
    held = number < settings.check_differences
    weights = engine.network.weights
    differences = {name: _differences(weights[name], engine, data) for name in LAYERS.values()} if held else {}
    return Checked(by_step, finest, differences, spikes)


def _network(step: Quantity, seed: int = 1) -> training.TrainableNetwork:
    return training.feedforward(
        SIZES, readout="lif_exp_trainable", weights=WEIGHTS, dt=step, duration=DURATION, seed=seed
    )


def _gradient(engine: Any, data: LabelledSpikeTrains) -> dict[str, Floats]:
    """As `training.gradient` has it, but of a library that is built once for all networks."""
    _, slopes = _loss(engine, data)
    return {name: np.array(found) for name, found in engine.backward(slopes).weights.items()}


def _loss(engine: Any, data: LabelledSpikeTrains) -> tuple[float, Floats]:
    network = engine.network
    features = engine.forward(spike_list(network, data, "data")).features
    losses, slopes = LOSS(features, data.labels, network.duration)
    return float(losses[0]), slopes


def _differences(weights: Floats, engine: Any, data: LabelledSpikeTrains) -> Floats:
    found = np.empty_like(weights)
    for place in np.ndindex(weights.shape):
        kept, both = weights[place], []
        for change in (CHANGE, -CHANGE):
            weights[place] = kept + change
            both.append(_loss(engine, data)[0])
        weights[place] = kept
        found[place] = (both[0] - both[1]) / (2 * CHANGE)
    return found


def _cosine(one: Floats, other: Floats) -> float:
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(np.vdot(one, other)) / lengths if lengths else 0.0


def _ratio(one: Floats, true: Floats) -> float:
    length = float(np.linalg.norm(true))
    return float(np.linalg.norm(one)) / length if length else np.nan


def _table(steps: list[str], arrays: Any) -> Table:
    rows = [["time step", "hidden: cosine", "hidden: length", "output: cosine", "output: length"]]
    medians = [
        np.nanmedian(arrays[f"check {layer} {what}"], axis=0) for layer in LAYERS for what in ("cosines", "ratios")
    ]
    rows += [[step, *(f"{of[k]:.3f}" for of in medians)] for k, step in enumerate(steps)]
    caption = (
        "Gradient at a time step and at the finest one: cosine of the angle, ratio of lengths; medians of networks."
    )
    return Table(caption, rows)


def _fires(result: Any) -> bool:
    """The minimum activity: on average, each hidden neuron spikes."""
    return bool(result.values["check hidden spikes"] >= SIZES[1])


CHECK_CLAIMS = [
    Claim(
        "check gradients are right",
        "the exact gradient at the finest step is that of central differences: median cosines are above 0.98",
        lambda result: all(result.values[f"check {layer} cosine with central differences"] > 0.98 for layer in LAYERS),
        _fires,
    ),
    Claim(
        "check short steps are needed",
        "from each time step to the next shorter one, the hidden layer's gradient comes nearer to the true one",
        lambda result: bool(np.all(np.diff(np.median(result.arrays["check hidden cosines"], axis=0)) > 0)),
        _fires,
    ),
]
