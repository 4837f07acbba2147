"""Part 2, recognition: networks that learn without labels, told the same images in every coding.

There are two kinds of networks, of the same size: where the rate of the spikes is the code, that of Diehl & Cook 2015,
and where their time is, one in which the first spikes take all. Each is built once, for all of its codings and seeds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from brian2 import Hz, Quantity, ms
from numpy.typing import NDArray

from biosnn.catalogue import neuron_model
from biosnn.coding import Coding, delete, jitter
from biosnn.datasets import Dataset, stratified_split
from biosnn.learning import (
    CLEAN,
    Circuit,
    CodedPupil,
    CodedRecord,
    Disturbance,
    Exam,
    Learner,
    Played,
    Protocol,
    build,
    teach_coded,
)
from biosnn.model import NeuronModel
from biosnn.quantity import format_quantity

# So many input spikes fit into a piece of a run, 16 MB; a piece has no more presentations than that, for the progress.
CAPACITY, PIECE = 1 << 21, 2000
_GAIN_IMAGES = 100
# The exams of a network: images to name cells by, the test, and the test disturbed, from the third on.
LABELLED, TEST, DISTURBED = range(3)


@dataclass(frozen=True, eq=False)
class Images:
    """What a network of a seed sees: indices of images for the lessons, to name cells by, and for the test."""

    lessons: NDArray[np.int64]
    labelled: NDArray[np.int64]
    test: NDArray[np.int64]
    seed: int


@dataclass(frozen=True, eq=False)
class Told:
    """What a network did that was told images in a coding."""

    coding: str
    code: Coding
    images: Images
    record: CodedRecord
    learner: Learner


def disturbances(settings: Any) -> list[Disturbance]:
    """What is done to images or spikes, from the settings: nothing, noise, deletion, jitter."""
    noise = [Disturbance(f"noise {sd:g}", values=sd) for sd in settings.noise]
    lost = [Disturbance(f"deletion {p:g}", spikes=partial(_delete, p)) for p in settings.deletion]
    late = [Disturbance(f"jitter {format_quantity(sd)}", spikes=partial(_jitter, sd)) for sd in settings.jitter]
    return [CLEAN, *noise, *lost, *late]


def _delete(probability: float, spikes: Any, rng: np.random.Generator) -> Any:
    return delete(spikes, probability, rng)


def _jitter(sd: Quantity, spikes: Any, rng: np.random.Generator) -> Any:
    return jitter(spikes, sd, rng)


def split(settings: Any, data: Dataset, seed: int) -> Images:
    """Images for a seed. Held-out images are never seen in lessons, nor is a cell or a readout told their labels."""
    if settings.held_out:
        train, test = stratified_split(data.labels, settings.held_out, seed)
    else:
        train = np.random.default_rng(seed).permutation(data.for_training)
        test = np.arange(data.for_training, len(data.labels))
    lessons = np.resize(train, settings.lessons)
    return Images(lessons, train[: settings.labelled or len(train)], test, seed)


def recognise(settings: Any, sim: Any, data: Dataset, codings: Mapping[str, Coding]) -> list[Told]:
    """Teach and examine a network for each coding and seed."""
    images = [split(settings, data, sim.seed + number) for number in range(settings.networks)]
    found: dict[str, list[Told]] = {}
    for by_rate in (True, False):
        told = {name: code for name, code in codings.items() if (name in settings.rate_codings) == by_rate}
        if told:
            sim.reset(dt=settings.dt, precision=settings.precision)
            learner = rate_network(settings, data) if by_rate else first_spike_network(settings, data)
            found |= _teach(settings, sim, data, learner, told, images)
    return [told for name in codings for told in found[name]]


def _teach(
    settings: Any,
    sim: Any,
    data: Dataset,
    learner: Learner,
    codings: Mapping[str, Coding],
    images: list[Images],
) -> dict[str, list[Told]]:
    rows = data.flat
    pupils = []
    for code in codings.values():
        for seen in images:
            values = {} if learner.inhibitory else {"plastic.gain": settings.input_gain * fair_gain(code, rows, seen)}
            disturbed = rows[seen.test[: settings.disturbed or None]]
            exams = [Exam(rows[seen.labelled]), Exam(rows[seen.test])]
            exams += [Exam(disturbed, disturbance) for disturbance in disturbances(settings)[1:]]
            length = round(float(learner.protocol.period / settings.dt))
            weights = np.pad(code.spike_weights(), (0, length - code.length))
            pupils.append(CodedPupil(code, rows[seen.lessons], exams, seen.seed, weights, values, settings.winners))
    records = iter(teach_coded(sim, learner, pupils, piece=PIECE))
    return {name: [Told(name, code, seen, next(records), learner) for seen in images] for name, code in codings.items()}


def fair_gain(code: Coding, rows: NDArray[np.float64], seen: Images) -> float:
    """By how much to multiply the input of a code, so that images bring as much in every code.

    What a spike brings lasts until the image ends, as the currents of the cells do. In the time to first spike
    t = T(1 - x), a value x so brings x T, and that is what the others are held to.
    """
    rng, weights = np.random.default_rng(seen.seed), code.spike_weights()
    images = rows[seen.labelled[:_GAIN_IMAGES]]
    brought = 0.0
    for image in images:
        spikes = code.encode(image, rng)
        brought += float(weights[spikes.steps] @ (1 - spikes.steps / code.length))
    return float(images.sum()) / max(brought, 1e-12)


def rate_network(settings: Any, data: Dataset) -> Learner:
    """The network of Diehl & Cook 2015: spikes are counted, and inhibition lets few cells answer."""
    circuit = Circuit(
        size=settings.neurons,
        neuron=_adapting(settings.rate_neuron, settings.rate_theta_plus, settings.rate_tau_theta),
        neuron_preset="",
        rule=settings.rate_rule,
        rule_preset=settings.rate_rule_preset,
        inhibitory="lif_inhibitory",
        input_gain=settings.rate_input_gain,
        weight_total=settings.rate_weight_total,
        excitation=10.4,
        inhibition=settings.inhibition,
        delays=0 * ms,
        settle=("v", "g_exc", "g_inh"),
        coding=Played(CAPACITY),
    )
    return build(data, _protocol(settings.rate_shown, settings.rate_rest), circuit, 1)


def first_spike_network(settings: Any, data: Dataset) -> Learner:
    """A network whose answer is who spikes first: the winners take all, and learn what came before them."""
    circuit = Circuit(
        size=settings.neurons,
        neuron=_adapting(settings.neuron, settings.theta_plus, settings.tau_theta),
        neuron_preset="",
        rule=settings.rule,
        rule_preset="",
        inhibitory="",
        input_gain=settings.input_gain,
        weight_total=settings.weight_total,
        excitation=0.0,
        inhibition=0.0,
        delays=0 * ms,
        settle=("v", "g_exc", "urgency"),
        coding=Played(CAPACITY),
    )
    return build(data, _protocol(settings.shown, settings.rest), circuit, 1)


def _protocol(shown: Quantity, rest: Quantity) -> Protocol:
    # How bright an image is, its coding knows; nothing is shown again.
    return Protocol(shown=shown, rest=rest, rate=0 * Hz, fewest_spikes=0, brighter=0 * Hz, times=0)


def _adapting(model: str, theta_plus: Quantity, tau_theta: Quantity) -> NeuronModel:
    """A cell whose threshold adapts as the settings say, where they say anything."""
    cell = neuron_model(model)
    asked = {"theta_plus": theta_plus, "tau_theta": tau_theta}
    return cell.with_values("", **{name: str(format_quantity(q)) for name, q in asked.items() if float(q)})
