"""Training by gradients: epochs over labelled spike trains, batch after batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from biosnn.engine import progress
from biosnn.errors import AdjointError, TrainingError, field_error
from biosnn.seeds import derived_seed
from biosnn.training import checkpoint
from biosnn.training.activity import ActivityRange, SilentBump, check_layers, costs
from biosnn.training.batch import FIRST_SPIKES, Answer, Floats, Gradients, Inputs
from biosnn.training.engines.cpp_engine import CppEngine
from biosnn.training.engines.numpy_engine import NumpyEngine
from biosnn.training.examples import Labelled, inputs_of, take
from biosnn.training.history import Epoch, Evaluation, TrainingResult
from biosnn.training.losses import Loss
from biosnn.training.methods import Exact, Surrogate
from biosnn.training.network import TrainableNetwork
from biosnn.training.optimizers import Adam, Optimizer, State
from biosnn.training.variation import Variation, check_variations, varied

PRECISIONS = ("float64", "float32")
Engine = NumpyEngine | CppEngine


@dataclass(frozen=True)
class _Plan:
    """What a training is asked to do; see `train`."""

    loss: Loss
    method: Exact | Surrogate
    optimizer: Optimizer
    batch: int
    epochs: int
    patience: int
    activity: tuple[ActivityRange, ...]
    bumps: tuple[SilentBump, ...]
    variations: tuple[Variation, ...]
    precision: str


def train(
    sim: Any,
    network: TrainableNetwork,
    data: Labelled,
    *,
    loss: Loss,
    method: Exact | Surrogate | None = None,
    optimizer: Optimizer | None = None,
    batch: int = 32,
    epochs: int = 20,
    validation: Labelled | None = None,
    patience: int = 0,
    activity: Sequence[ActivityRange] = (),
    bumps: Sequence[SilentBump] = (),
    variations: Sequence[Variation] = (),
    precision: str = "float64",
    report: Callable[[int, Epoch], None] | None = None,
) -> TrainingResult:
    """Train a network's weights, and those parameters that its layers name.

    Parameters
    ----------
    sim : Simulation
        Where: its target (``cpp`` or ``numpy``), threads and seed, which gives the order of examples. With a folder for
        checkpoints, an interrupted training goes on from its last epoch and comes to the same.
    network : TrainableNetwork
        Changed in place when the training ends.
    data, validation : LabelledSpikeTrains or LabelledValues
        Training examples; others by which the best epoch is chosen.
    loss : Loss
        What an answer costs.
    method : Exact or Surrogate, optional
        How gradients go through spikes; exactly by default.
    optimizer : Optimizer, optional
        How weights follow gradients; ``Adam()`` by default.
    batch : int
        How many examples a step takes.
    epochs : int
        How often all examples are gone through.
    patience : int
        After how many epochs without a lower validation loss the training ends; 0: never before its last epoch.
    activity, bumps : sequence
        What keeps neurons active, and not too active.
    variations : sequence of Variation
        What is changed of the training examples each time that they are seen.
    precision : {"float64", "float32"}
        Of the passes on ``cpp``, and of weights while they are trained.
    report : callable, optional
        Told the number of each epoch, from 0, and what it came to.

    Returns
    -------
    TrainingResult

    Raises
    ------
    TrainingError, AdjointError
        Before anything is trained, if data or settings do not fit the network, or something of it has no gradient.
    TrainingError
        If weights become infinite or no numbers.
    """
    rules = (tuple(activity), tuple(bumps), tuple(variations))
    plan = _Plan(loss, method or Exact(), optimizer or Adam(), batch, epochs, patience, *rules, precision)
    _check_plan(network, plan)
    given = inputs_of(network, data, "data")
    held_out = None if validation is None else inputs_of(network, validation, "validation")
    if patience and validation is None:
        raise TrainingError(field_error("train, patience", "validation data to judge by", "none"))
    working = _working_copy(network, plan)
    engine = engine_for(sim, working, plan.method, loss.feature, precision)
    kept = checkpoint.Training.of(sim, network, plan, data, validation)
    state = kept.resume(working, lambda: {name: plan.optimizer.state_of(array) for name, array in _trained(working)})
    with progress.Progress("training") as bar:
        for number in range(len(state.epochs), plan.epochs):
            if patience and number - 1 - state.best >= patience:
                break
            epoch = _epoch(sim, engine, plan, given, data.labels, number, state.optimizer, bar)
            if held_out is not None and validation is not None:
                judged = _evaluated(engine, loss, held_out, validation.labels, plan.batch)
                _check_finite(working, judged.loss, number)
                epoch = replace(epoch, validation_loss=judged.loss, validation_accuracy=judged.accuracy)
            state.add(epoch, working)
            kept.keep(working, state)
            if report is not None:
                report(number, epoch)
    network.weights = {name: np.asarray(array, np.float64) for name, array in state.best_weights.items()}
    network.parameters = dict(state.best_parameters)
    return TrainingResult(tuple(state.epochs), state.best)


def evaluate(
    sim: Any,
    network: TrainableNetwork,
    data: Labelled,
    *,
    loss: Loss,
    method: Exact | Surrogate | None = None,
    batch: int = 256,
    precision: str = "float64",
) -> Evaluation:
    """Let a network answer to data, and hold that against their labels.

    Parameters
    ----------
    sim, network, data, loss, batch, precision
        See `train`.
    method : Exact or Surrogate, optional
        By which the network is trained: that and the same precision spare it another compiled program. It does not
        change the answers.
    """
    if method is None:
        engine = _engine_to_evaluate(sim, network, loss.feature, precision)
    else:
        engine = engine_for(sim, network, method, loss.feature, precision)
    return _evaluated(engine, loss, inputs_of(network, data, "data"), data.labels, batch)


def _engine_to_evaluate(sim: Any, network: TrainableNetwork, feature: str, precision: str) -> Engine:
    """An engine for networks of all kinds. Nothing is differentiated: for an exact gradient the least is kept."""
    try:
        return engine_for(sim, network, Exact(), feature, precision)
    except (TrainingError, AdjointError):
        if feature in FIRST_SPIKES:
            raise
        return engine_for(sim, network, Surrogate(), feature, precision)


def gradient(
    sim: Any,
    network: TrainableNetwork,
    data: Labelled,
    *,
    loss: Loss,
    method: Exact | Surrogate | None = None,
    precision: str = "float64",
) -> tuple[float, Gradients]:
    """The mean loss of some examples, and how it changes with weights and trained parameters; for a loop of your own.

    Parameters
    ----------
    sim, network, data, loss, method, precision
        See `train`. All examples are one batch.
    """
    engine = engine_for(sim, network, method or Exact(), loss.feature, precision)
    given = inputs_of(network, data, "data")
    losses, slopes = loss(engine.forward(given).features, data.labels, network.duration)
    found = engine.backward(slopes)
    weights = {name: np.array(array, np.float64) / len(given) for name, array in found.weights.items()}
    parameters = {name: slope / len(given) for name, slope in found.parameters.items()}
    return float(losses.mean()), Gradients(weights, parameters, found.clipped)


def engine_for(
    sim: Any, network: TrainableNetwork, method: Exact | Surrogate, feature: str, precision: str = "float64"
) -> Engine:
    """What runs a network and its adjoint on the target of a simulation."""
    if precision not in PRECISIONS:
        raise TrainingError(field_error("precision", " or ".join(PRECISIONS), precision))
    for layer in network.layers:  # a study's report shows the equations of what was simulated
        if layer.model not in sim.models:
            sim.models.append(layer.model)
    if sim.target == "cpp":
        return CppEngine(network, method, feature, precision=precision, threads=sim.threads)
    if sim.target != "numpy":
        raise TrainingError(field_error("The target of a training", "cpp or numpy", sim.target))
    if precision != "float64":
        raise TrainingError(field_error("precision", "float64 on the target numpy", precision))
    return NumpyEngine(network, method, feature)


def _check_plan(network: TrainableNetwork, plan: _Plan) -> None:
    for name, value, least in (("batch", plan.batch, 1), ("epochs", plan.epochs, 1), ("patience", plan.patience, 0)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise TrainingError(field_error(f"train, {name}", f"a whole number of at least {least}", value))
    objects: tuple[tuple[str, Any, tuple[type, ...]], ...] = (
        ("loss", plan.loss, (Loss,)),
        ("method", plan.method, (Exact, Surrogate)),
        ("optimizer", plan.optimizer, (Optimizer,)),
    )
    for name, given, kinds in objects:
        if not isinstance(given, kinds):
            expected = " or ".join(kind.__name__ for kind in kinds)
            raise TrainingError(field_error(f"train, {name}", f"an object of {expected}", given))
    check_layers(network, [*plan.activity, *plan.bumps])
    check_variations(network, plan.variations)
    if not network.parameters and not any(one.trained for one in network.connections):
        raise TrainingError(field_error("train, network", "a connection or a parameter that is trained", "none"))


def _working_copy(network: TrainableNetwork, plan: _Plan) -> TrainableNetwork:
    working = network.copy()
    working.weights = {name: array.astype(plan.precision) for name, array in network.weights.items()}
    return working


def _trained(network: TrainableNetwork) -> Iterator[tuple[str, NDArray[Any]]]:
    """The arrays that an optimizer changes, by their names; parameters are arrays of one number here."""
    for one in network.connections:
        if one.trained:
            yield one.name, network.weights[one.name]
    for name, value in network.parameters.items():
        yield name, np.array([value])


def _epoch(
    sim: Any,
    engine: Engine,
    plan: _Plan,
    given: Inputs,
    labels: NDArray[np.int64],
    number: int,
    optimizer: dict[str, State],
    bar: progress.Progress,
) -> Epoch:
    network, examples = engine.network, len(given)
    random = np.random.default_rng(derived_seed(sim.seed, number))
    order = random.permutation(examples)
    total, right, clipped = 0.0, 0, 0
    counts = {one.name: np.zeros(one.size) for one in network.layers if one.model.threshold}
    for begin in range(0, examples, plan.batch):
        chosen = order[begin : begin + plan.batch]
        answer = engine.forward(varied(take(given, chosen), plan.variations, random))
        losses, slopes = plan.loss(answer.features, labels[chosen], network.duration)
        each = _counts(answer, counts, network)
        cost, by_counts = costs(plan.activity, each)
        found = engine.backward(slopes, by_counts)
        _update(engine, plan.optimizer, found, len(chosen), optimizer, plan.optimizer.rate_of(number))
        total += float(losses.sum()) + cost
        right += int(np.sum(plan.loss.decide(answer.features) == labels[chosen]))
        clipped += found.clipped
        done = (number + (begin + len(chosen)) / examples) / plan.epochs
        seen = begin + len(chosen)
        bar.update(done, f"epoch {number + 1} of {plan.epochs}, loss {total / seen:.3f}, accuracy {right / seen:.1%}")
    _check_finite(network, total, number)
    silent = {name: int(np.sum(spikes == 0)) for name, spikes in counts.items()}
    for bump in plan.bumps:
        bump.apply(network, counts[bump.layer] == 0)
    network.keep_signs()
    spikes = {name: float(x.sum()) / examples for name, x in counts.items()}
    return Epoch(total / examples, right / examples, spikes=spikes, clipped=clipped, silent=silent)


def _counts(answer: Answer, totals: dict[str, Floats], network: TrainableNetwork) -> dict[str, Floats]:
    """Spikes of each neuron in each example, which are added to the totals too."""
    found = {}
    for name, total in totals.items():
        found[name] = answer.spikes[name].counts(network.layer(name).size).astype(float)
        total += found[name].sum(axis=0)
    return found


def _update(
    engine: Engine,
    optimizer: Optimizer,
    found: Gradients,
    examples: int,
    states: dict[str, State],
    rate: float,
) -> None:
    network = engine.network
    for one in network.connections:
        if one.trained:
            weights, slopes = network.weights[one.name], found.weights[one.name]
            slopes /= examples
            engine.step(optimizer, weights, slopes, states[one.name], rate)
    network.keep_signs()
    for layer in network.layers:
        for name, (low, high) in layer.trained.items():
            key = f"{layer.name}.{name}"
            # Parameters are moved as parts of their range, whatever their unit.
            part = np.array([(network.parameters[key] - low) / (high - low)])
            optimizer.step(part, np.array([found.parameters[key] / examples * (high - low)]), states[key], rate)
            network.parameters[key] = float(low + np.clip(part[0], 0, 1) * (high - low))


def _check_finite(network: TrainableNetwork, total: float, number: int) -> None:
    do = "Take a smaller learning rate, or a smaller largest_jump."
    if not np.isfinite(total):
        raise TrainingError(f"train: the loss is no finite number in epoch {number + 1}. {do}")
    for name, weights in network.weights.items():
        if not np.all(np.isfinite(weights)):
            raise TrainingError(f"Connection {name!r}: weights are no finite numbers after epoch {number + 1}. {do}")


def _evaluated(engine: Engine, loss: Loss, given: Inputs, labels: NDArray[np.int64], batch: int) -> Evaluation:
    network, features, losses = engine.network, [], []
    counts = {one.name: np.zeros(one.size) for one in network.layers if one.model.threshold}
    for begin in range(0, len(given), batch):
        chosen = np.arange(begin, min(begin + batch, len(given)))
        answer = engine.forward(take(given, chosen))
        features.append(answer.features)
        losses.append(loss(answer.features, labels[chosen], network.duration)[0])
        _counts(answer, counts, network)
    every = np.concatenate(features)
    decisions = loss.decide(every)
    spikes = {name: total / len(given) for name, total in counts.items()}
    return Evaluation(
        float(np.concatenate(losses).mean()), float(np.mean(decisions == labels)), decisions, every, spikes
    )
