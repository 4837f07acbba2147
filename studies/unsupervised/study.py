"""Can spiking neurons learn handwritten digits without labels?

Inputs fire in proportion to the grey levels of an image. Excitatory cells compete by inhibition, adapt their
thresholds, and change their input weights by spike-timing dependent plasticity. Nobody tells them what a digit is:
labels are used afterwards only, to name what each cell has come to answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from brian2 import Hz, Quantity, ms, mV, second
from numpy.typing import NDArray

from biosnn.catalogue import neuron_model
from biosnn.datasets import Dataset, load, names, stratified_split
from biosnn.engine import Simulation
from biosnn.errors import SettingsError, field_error
from biosnn.learning import (
    Checkpoints,
    DiehlCookNetwork,
    NetworkSettings,
    Protocol,
    TrainingRun,
    TrainingSchedule,
    build,
    fingerprint,
    score,
    train,
)
from biosnn.model import NeuronModel
from biosnn.quantity import format_quantity
from biosnn.study import Claim, Result, setting

from .networks import RENAMED, Start, network_files, settings_of
from .outcome import TIMES_CHANCE, Outcome, result_of

TARGET = "cpp"
ANSWER = [
    (
        "{accuracy|%} of held-out images are correctly classified; {accuracy without learning|%} without "
        "plasticity, {chance|%} by chance."
    ),
    "k-means with as many centres reaches {k-means|%}.",
]

METHOD = """
After Diehl & Cook 2015. Every pixel fires at a rate in proportion to its grey level. Excitatory cells receive the
inputs through plastic synapses; each excites one inhibitory cell, which inhibits all the other excitatory cells, so
that few cells answer an image. A cell that fires raises its own threshold, and the weights that arrive at a cell are
scaled to a fixed sum before every image. An image that got too few spikes is shown again, brighter.

After training, weights and thresholds are frozen. Training images are shown once more, all or as many as the setting
"n_labelling" says, and each cell gets the class that it answers most; then the held-out images are shown, and the class
whose cells fire most on average is the decision. Here as well, an image that got too few spikes is shown again,
brighter, and the last answer counts. Held-out images are never seen while learning or labelling. Each seed
has a split of its own, unless the dataset has test images, which are then the held-out ones. All of this, from the
first image to the last, runs in generated code.

The negative control is the same network, on the split of the first seed, whose synapses do not learn: thresholds
adapt and labels are assigned as ever, but the weights stay as random as they began.
"""


# Images of 28x28 pixels: the times, rates, weights and models of the authors' code, one pass over the training images.
PAPER = {
    "n_training": "60000",
    "n_labelling": "10000",
    "held_out": "0",
    "neuron_preset": "",
    "rule_preset": "",
    "shown": "350 ms",
    "rest": "150 ms",
    "reset_state": "",
    "rate": "63.75 Hz",
    "intensity_step": "32 Hz",
    "input_gain": "1",
    "weight_total": "78",
    "precision": "float32",
}
# Clothes differ in brightness more than digits do, and the brightest would win every cell.
PAPER_SIZED = {"mnist": PAPER, "fashion-mnist": {**PAPER, "equally_bright": "on"}}


def sized(neurons: int, known: Mapping[str, Any]) -> dict[str, str]:
    """How thresholds adapt and cells compete in a network of so many, for images of 28x28 pixels; README.md: why."""
    own_cell = known["neuron"] != "lif_adaptive" or known["neuron_preset"] not in ("", "short_training")
    if own_cell or known["dataset"] not in PAPER_SIZED:
        return {}
    decay = {"tau_theta": f"{25 * neurons} s"} if neurons < 400 else {}
    competition = {"inhibition": "30"} if neurons <= 400 else {}
    return {**decay, **competition}


@dataclass(frozen=True)
class Settings:
    """What can be changed; README.md tells how the defaults were chosen."""

    dataset: str = setting("digits", "which images", choices=names(colour=False))
    neurons: int = setting(100, "how many excitatory cells", minimum=1)
    networks: int = setting(3, "how many networks learn, each with a seed of its own", minimum=1)
    n_training: int = setting(5000, "presentations while learning", minimum=0)
    training_images: int = setting(0, "how many images to learn from; 0: all that are not held out", minimum=0)
    n_labelling: int = setting(0, "how many training images, at most, give the cells their labels; 0: all", minimum=0)
    held_out: int = setting(500, "how many images are held out for the test; 0: the dataset's test images", minimum=0)
    classes: int = setting(0, "use the first so many classes only; 0: all", minimum=0)
    equally_bright: bool = setting(False, "scale the grey levels of each image to the same sum")
    network: str = setting(
        "", "a trained network to begin with, by its name or file; it brings its settings and n_training=0"
    )
    control: bool = setting(True, "also run the negative control: the same network with learning switched off")

    baselines: bool = setting(True, "also let k-means and logistic regression do the same")

    neuron: str = setting("lif_adaptive", "model of the excitatory cells: a name of the catalogue or a file")
    neuron_preset: str = setting("short_training", "its preset to learn with, if it has it")
    theta_plus: Quantity = setting(0 * mV, "rise of a threshold at a spike; 0 mV: the neuron's own", minimum=0 * mV)
    tau_theta: Quantity = setting(0 * second, "its decay time constant; 0 s: the neuron's own", minimum=0 * second)
    inhibitory: str = setting("lif_inhibitory", "model of the inhibitory cells")
    rule: str = setting("stdp_diehl_cook", "model of the plastic synapses: a name of the catalogue or a file")
    rule_preset: str = setting("sixteen_fibres", "its preset to learn with, if it has it")

    shown: Quantity = setting(150 * ms, "how long an image is shown", minimum=1 * ms)
    rest: Quantity = setting(30 * ms, "how long the inputs are silent after it", minimum=0 * ms)
    reset_state: tuple[str, ...] = setting(
        ("v", "g_exc", "g_inh"), "state of the excitatory cells put back before each image, for a short rest to do"
    )
    rate: Quantity = setting(1020 * Hz, "firing rate of an input at full intensity", minimum=0 * Hz)
    minimum_spikes: int = setting(5, "an image with fewer spikes in answer is shown again, brighter", minimum=0)
    intensity_step: Quantity = setting(512 * Hz, "how much that rate is raised each time", minimum=1 * Hz)
    delays: Quantity = setting(0 * ms, "longest delay of an input; each synapse draws its own", minimum=0 * ms)

    input_gain: float = setting(0.5, "conductance of an input spike at a weight of one, in leaks", minimum=0.0)
    weight_total: float = setting(4.0, "sum of the input weights of a cell; 0: not kept", minimum=0.0)
    excitation: float = setting(10.4, "conductance of a spike to the inhibitory partner, in leaks", minimum=0.0)
    inhibition: float = setting(17.0, "conductance of an inhibitory spike, in leaks", minimum=0.0)
    dt: Quantity = setting(0.5 * ms, "time step", minimum=0.01 * ms)
    precision: str = setting("float64", "precision of the state variables", choices=("float64", "float32"))
    checkpoint: int = setting(3000, "presentations after which what was learned is kept, to go on from", minimum=1)

    RENAMED: ClassVar[dict[str, str]] = RENAMED
    CONDITIONAL_DEFAULTS: ClassVar[dict[str, Any]] = {
        "neurons": sized,
        "dataset": PAPER_SIZED,
    }


def settings_of_files(given: Mapping[str, Any]) -> Mapping[str, str]:
    """What a trained network brings along."""
    return settings_of(str(given.get("network", "")))


def run(settings: Settings, sim: Simulation) -> Result:
    """Let several networks learn, each with a split of its own, and compare them with simpler methods."""
    data = _data(settings)
    start = Start.of(settings, data)
    # The network of a seed is the same one whether it is trained by itself with --seed or as one of several, and its
    # file is named by it (seed-4.npz). So seeds are counted on, not derived (biosnn.seeds): runs whose seeds are less
    # than ``networks`` apart have networks in common.
    schedules = [_schedule(settings, data, start, sim.seed + number) for number in range(settings.networks)]
    built, outcomes, control = _train(settings, sim, data, start, schedules)
    return result_of(settings, data, outcomes, control, network_files(settings, start, built, outcomes))


def _data(settings: Settings) -> Dataset:
    data = load(settings.dataset)
    if settings.equally_bright:
        data = data.equally_bright()
    if not settings.classes:
        return data
    kept = np.flatnonzero(data.labels < settings.classes)
    return replace(data.take(kept), for_training=int(np.count_nonzero(kept < data.for_training)))


def _schedule(settings: Settings, data: Dataset, start: Start, seed: int) -> TrainingSchedule:
    train, test = start.split(data) or _split(settings, data, seed)
    train = train[: settings.training_images] if settings.training_images else train
    return TrainingSchedule(
        train,
        test,
        settings.n_training,
        n_recorded=min(6, len(test)),
        seed=seed,
        n_labelling=min(settings.n_labelling, len(train)),
    )


def _split(settings: Settings, data: Dataset, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Images to learn from and images for the test, the former in random order."""
    if settings.held_out:
        return stratified_split(data.labels, settings.held_out, seed)
    if not data.for_training:
        raise SettingsError(field_error("held_out", f"at least 1, since {data.name} has no test images", 0))
    order = np.random.default_rng(seed).permutation(data.for_training)
    return order, np.arange(data.for_training, len(data.labels))


def _protocol(settings: Settings) -> Protocol:
    return Protocol(
        shown=settings.shown,
        rest=settings.rest,
        rate=settings.rate,
        minimum_spikes=settings.minimum_spikes,
        intensity_step=settings.intensity_step,
        times=20,
    )


def _cell(settings: Settings) -> NeuronModel:
    """The excitatory cell, with the settings' own adaptation of its threshold."""
    model = neuron_model(settings.neuron)
    preset = settings.neuron_preset if settings.neuron_preset in model.presets else ""
    adaptation = {name: getattr(settings, name) for name in ("theta_plus", "tau_theta")}
    return model.with_values(preset, **{name: str(format_quantity(q)) for name, q in adaptation.items() if float(q)})


def _network(settings: Settings) -> NetworkSettings:
    return NetworkSettings(
        size=settings.neurons,
        neuron=_cell(settings),
        neuron_preset="",
        rule=settings.rule,
        rule_preset=settings.rule_preset,
        inhibitory=settings.inhibitory,
        input_gain=settings.input_gain,
        weight_total=settings.weight_total,
        excitation=settings.excitation,
        inhibition=settings.inhibition,
        delays=settings.delays,
        reset_state=settings.reset_state,
    )


def _train(
    settings: Settings, sim: Simulation, data: Dataset, start: Start, schedules: list[TrainingSchedule]
) -> tuple[DiehlCookNetwork, list[Outcome], Outcome | None]:
    """Train on every schedule, the control on the first: one build, as many processes at once as there are cores."""
    sim.reset(dt=settings.dt, precision=settings.precision)
    made_of = start.network_settings(settings, _network(settings))
    built = build(data, _protocol(settings), made_of, schedules[0].length)
    runs = [TrainingRun(schedule) for schedule in schedules]
    runs += [TrainingRun(schedules[0], learning=False)] * settings.control
    checkpoints = None
    if sim.checkpoint_folder is not None:
        extra = (sim.target, sim.seed, str(settings.dt), settings.precision, settings.checkpoint, start.digest)
        checkpoints = Checkpoints(sim.checkpoint_folder, [fingerprint(built, run, *extra) for run in runs])
    histories = train(sim, built, runs, checkpoint=settings.checkpoint, checkpoints=checkpoints, **start.state(built))
    found = [
        Outcome(run.schedule, history, score(history, run.schedule, data))
        for run, history in zip(runs, histories, strict=True)
    ]
    return built, found[: len(schedules)], found[-1] if settings.control else None


def _answers(result: Result) -> bool:
    """The activity floor: cells answer nearly every image, and most cells answer some."""
    values = result.values
    return bool(
        values["spikes an image"] >= 1 and values["images without answer"] < 0.1 and values["silent neurons"] < 0.5
    )


CLAIMS = [
    Claim(
        "learns",
        "held-out digits are classified with at least six times the accuracy of chance",
        lambda result: result.values["accuracy"] > TIMES_CHANCE * result.values["chance"],
        _answers,
    ),
    Claim(
        "plasticity matters",
        "the same network without plasticity is at least ten points worse",
        lambda result: result.values["accuracy"] > result.values["accuracy without learning"] + 0.1,
        _answers,
    ),
    Claim(
        "generalises",
        "held-out images are classified nearly as well as training images: within five points",
        lambda result: result.values["accuracy"] > result.values["accuracy on training images"] - 0.05,
        _answers,
    ),
    Claim(
        "few answer",
        "cells compete: on average fewer than a tenth of them answer an image",
        lambda result: result.values["cells answering an image"] < 0.1 * len(result.arrays["neuron labels"]),
        _answers,
    ),
]
