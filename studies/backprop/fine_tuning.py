"""Part 4: a converted network that is trained further, so that a few time steps are enough."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from biosnn import training
from biosnn.ann import Graph
from biosnn.conversion import SpikingNetwork, convert, read_network
from biosnn.datasets import LabelledValues, load, stratified_split
from biosnn.engine import Simulation
from biosnn.engine.progress import Progress
from biosnn.seeds import derived_seed
from biosnn.study import Claim, Result, Table
from biosnn.study.ann_data import SPLIT_SEED

from .trained import precision_of

if TYPE_CHECKING:
    from .study import Settings

DATASET, HELD_OUT = "digits", 500
ALONE, TUNED, SHUFFLED = "conversion alone", "fine-tuned", "shuffled labels"


def tuning_result(settings: Settings, sim: Simulation) -> Result:
    """Convert a network, and train it at each number of time steps."""
    snn, learned, test = _converted(settings)
    loss = training.LastPotential
    rows = [["time steps", ALONE, TUNED, "spikes per image before", "after"]]
    before, after, spikes = [], [], []
    with Progress("fine-tuning") as bar:
        for done, steps in enumerate(settings.tuning_steps):
            bar.update(done / len(settings.tuning_steps), f"{steps} steps")
            tuned_network = training.trainable(snn, steps)
            alone = training.evaluate(sim, tuned_network, test, loss=loss(1 / steps))
            _train(settings, sim, tuned_network, learned, steps)
            tuned = training.evaluate(sim, tuned_network, test, loss=loss(1 / steps))
            before.append(alone.accuracy)
            after.append(tuned.accuracy)
            spikes.append([_spikes(answer) for answer in (alone, tuned)])
            rows.append(
                [str(steps), f"{alone.accuracy:.3f}", f"{tuned.accuracy:.3f}", *(f"{n:.0f}" for n in spikes[-1])]
            )
    values: dict[str, Any] = {}
    for steps, alone_, tuned_ in zip(settings.tuning_steps, before, after, strict=True):
        values[f"tuning accuracy at {steps} steps, {ALONE}"] = alone_
        values[f"tuning accuracy at {steps} steps, {TUNED}"] = tuned_
    fewest = min(settings.tuning_steps)
    values[f"tuning accuracy, {SHUFFLED}"] = _control(settings, sim, snn, learned, test, fewest)
    arrays = {
        "tuning steps": np.array(settings.tuning_steps),
        "tuning accuracy": np.array([before, after]),
        "tuning spikes": np.array(spikes).T,
    }
    network = settings.tuning_network
    caption = f"{network} with few time steps: accuracy on {len(test)} images that neither network has learned from."
    return Result(values, arrays, tables={"Fine-tuning": Table(caption, rows)})


def _converted(settings: Settings) -> tuple[SpikingNetwork, LabelledValues, LabelledValues]:
    """The network, and the images that it has learned from, and those that are held out."""
    graph, data = read_network(settings.tuning_network), load(DATASET)
    images = _scaled(graph, data.images)
    first, second = stratified_split(data.labels, HELD_OUT, seed=SPLIT_SEED)
    held_out, learned = (first, second) if len(first) == HELD_OUT else (second, first)
    snn = convert(graph, images[learned][:500])
    parts = [training.labelled_images(snn, images[some], data.labels[some]) for some in (learned, held_out)]
    return snn, parts[0], parts[1]


def _scaled(graph: Graph, images: Any) -> NDArray[np.float32]:
    whole = np.asarray(images, np.float32).reshape(len(images), *graph.input.shape)
    return whole / np.float32(whole.max())


def _train(
    settings: Settings, sim: Simulation, network: training.TrainableNetwork, data: LabelledValues, steps: int
) -> None:
    training.train(
        sim,
        network,
        data,
        loss=training.LastPotential(1 / steps),
        method=training.Surrogate(),
        optimizer=training.Adam(rate=settings.tuning_rate, decay=0.5),
        batch=settings.batch,
        epochs=settings.tuning_epochs,
        precision=precision_of(sim),
    )


def _control(
    settings: Settings, sim: Simulation, snn: Any, learned: LabelledValues, test: LabelledValues, steps: int
) -> float:
    """The accuracy after training with labels in random order."""
    order = np.random.default_rng(derived_seed(sim.seed, 0)).permutation(len(learned))
    network = training.trainable(snn, steps)
    _train(settings, sim, network, LabelledValues(learned.values, learned.labels[order]), steps)
    return training.evaluate(sim, network, test, loss=training.LastPotential(1 / steps)).accuracy


def _spikes(answer: training.Evaluation) -> float:
    return sum(float(each.sum()) for each in answer.spikes.values())


def _fires(result: Any) -> bool:
    """Every network spikes, with any number of time steps more than once per image."""
    return bool(np.min(result.arrays["tuning spikes"]) > 1)


def _gained(result: Any) -> bool:
    before, after = result.arrays["tuning accuracy"]
    fewest = int(np.argmin(result.arrays["tuning steps"]))
    return bool(after[fewest] >= before[fewest] + 0.05 and np.all(after >= before))


TUNING_CLAIMS = [
    Claim(
        "tuning helps at few time steps",
        "with the fewest time steps, fine-tuning adds at least 5 points to what conversion alone reaches, and with no "
        "number of steps it costs accuracy",
        _gained,
        _fires,
    ),
    Claim(
        "tuning needs the labels",
        "trained with labels in random order, the network is worse than converted alone",
        lambda result: bool(
            result.values[f"tuning accuracy, {SHUFFLED}"]
            < result.arrays["tuning accuracy"][0][int(np.argmin(result.arrays["tuning steps"]))]
        ),
        _fires,
    ),
]
