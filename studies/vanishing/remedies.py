"""Part 4: remedies for a converted network whose spikes vanish, side by side on the same images and for as long.

Each changes one thing in the network as it is. None sees a label: all learn from calibration images what the ordinary
network makes of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from biosnn.ann import reference
from biosnn.catalogue import neuron_model
from biosnn.conversion import (
    HybridNetwork,
    HybridOutcome,
    Outcome,
    SpikingNetwork,
    Trials,
    decisions,
    ledger,
    run,
    to_hybrid,
)
from biosnn.conversion.analysis.metrics import activity_kept, output_errors
from biosnn.conversion.analysis.remedies import (
    Target,
    calibrate_bias,
    calibrate_start,
    homeostasis,
    search_scales,
    spiking_layers,
)
from biosnn.conversion.hybrid.going_on import Remainders
from biosnn.energy import verdicts
from biosnn.engine import Simulation
from biosnn.errors import SettingsError, field_error
from biosnn.model import NeuronModel
from biosnn.study import setting

from .converted import Baseline, Repetition

if TYPE_CHECKING:
    from .study import Settings

Floats = NDArray[np.float64]
AS_IT_IS, RECOMMENDED, HYBRID = "as it is", "recommended", "hybrid"
SOFT, SCALES, START, BIAS, NOISE = (
    "soft reset",
    "threshold scales",
    "start calibrated",
    "bias currents",
    "noise currents",
)
HOMEOSTASIS, PERCENTILE, BOTH = "homeostasis", "percentile", "recommended and bias"
REMEDIES = (SCALES, HOMEOSTASIS, BIAS, START, PERCENTILE, NOISE, SOFT, BOTH, HYBRID)
"""What is tried, beside the recommended conversion: soft reset, percentiles, and half a threshold at the start."""
SIGMAS = (0.05, 0.15, 0.4)
"""Strengths of the noise that are tried on calibration images."""
_SOFT = {"neuron": "if_soft", "preset": ""}
_PERCENTILE: dict[str, Any] = {"method": "percentile", "percentile": None, "per": "channel"}
SURE = 0.98
"""The fraction of calibration images on which a hybrid has to decide as the ordinary network does."""


@dataclass(frozen=True)
class RemedySettings:
    """What can be changed about remedies."""

    tried: tuple[str, ...] = setting(
        REMEDIES,
        "which remedies are tried, beside the recommended conversion; searches take long in large networks, and noise "
        "is for neurons with hard reset only",
    )
    rounds: int = setting(10, "how often homeostasis sees the calibration images", minimum=1)
    within: float = setting(1.0, "points below the ANN that are near enough, for the steps needed", minimum=0.0)


@dataclass(frozen=True, eq=False)
class Tried:
    """What a remedy came to in one repetition.

    Parameters
    ----------
    curve : ndarray, shape (steps,)
        Accuracy after each step; between the marks of a hybrid, as at the mark before.
    spikes : ndarray, shape (steps,)
        Spikes an image until then.
    energies : ndarray, shape (conventions,)
        Energy of an inference of all steps (J), by each convention of the ledger.
    kept, rate : ndarray, shape (layers,)
        What each layer's rates tell, over the mean activation, and spikes per neuron and step; NaN where it is analog.
    right : ndarray of bool, shape (images,)
        Which images are correctly classified in the end.
    """

    curve: Floats
    spikes: Floats
    energies: Floats
    kept: Floats
    rate: Floats
    right: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Remedies:
    """What was measured.

    Parameters
    ----------
    layers : tuple of str
        Populations that stand for ReLUs, in the order of computation.
    tried : mapping of str to list of Tried
        By remedy, one for each repetition.
    ann : list of ndarray of bool, shape (images,)
        Which images the ordinary network classifies correctly, by repetition.
    conventions : tuple of str
        Of the ledger.
    ann_energies : ndarray, shape (conventions,)
        Of the ordinary network (J).
    notes : mapping of str to ndarray
        Rates while homeostasis works ("course", shape (repetitions, rounds + 1, layers)), what they are held at
        ("held"), and the scales of thresholds that were found ("scales", both of shape (repetitions, layers)).
    sigma : float
        Of the noise, as found on calibration images.
    spiking : int
        How many of the first layers spike in the hybrid; 0 if there is none.
    """

    layers: tuple[str, ...]
    tried: Mapping[str, list[Tried]]
    ann: list[NDArray[np.bool_]]
    conventions: tuple[str, ...]
    ann_energies: Floats
    notes: Mapping[str, Floats]
    sigma: float
    spiking: int


def run_remedies(settings: Settings, sim: Simulation, baseline: Baseline) -> Remedies:
    """Treat the network in each repetition anew, and show it the test images."""
    for name in settings.tried:
        if name not in REMEDIES:
            raise SettingsError(field_error("tried", f"remedies among {', '.join(REMEDIES)}", name))
    cases = [_Case(baseline, repetition, settings) for repetition in baseline.repetitions]
    _without_other_neurons(sim, cases)
    sigma = 0.0
    if NOISE in settings.tried and baseline.model.name == "if_hard":
        sigma = _best_noise(sim, cases[0])
        _with_other_neurons(sim, cases, {NOISE: {"neuron": _noisy(sigma), "preset": ""}})
    _with_other_neurons(sim, cases, {SOFT: _SOFT, RECOMMENDED: {**_SOFT, **_PERCENTILE, "start": 0.5}})
    # A network of a single layer that spikes has nothing to leave out.
    spiking = _spiking(settings, sim, baseline) if HYBRID in settings.tried and len(baseline.layers) > 1 else 0
    for case in cases if spiking else ():
        net = to_hybrid(case.snn, f"first {spiking}")
        case.judge(HYBRID, net, net.run(case.images.test, settings.steps, labels=case.images.labels, sim=sim))
    first = cases[0]
    return Remedies(
        baseline.layers,
        {
            name: [case.tried[name] for case in cases]
            for name in (AS_IT_IS, RECOMMENDED, *REMEDIES)
            if name in first.tried
        },
        [repetition.right for repetition in baseline.repetitions],
        first.conventions,
        first.ann_energies,
        {name: np.array([case.notes[name] for case in cases]) for name in first.notes},
        sigma,
        spiking,
    )


class _Case:
    """One repetition: the network before any remedy, its images, and what was tried."""

    def __init__(self, baseline: Baseline, images: Repetition, settings: Settings) -> None:
        self.baseline, self.images, self.settings, self.steps = baseline, images, settings, settings.steps
        self.snn, self.means = baseline.converted(images), baseline.means(images)
        self.tried: dict[str, Tried] = {}
        self.notes: dict[str, Any] = {}
        self.conventions: tuple[str, ...] = ()
        self.ann_energies: Floats = np.empty(0)

    def show(self, trials: Trials, name: str, snn: SpikingNetwork) -> None:
        """Show the test images to a network."""
        (outcome,) = trials.run([snn], self.images.test, self.images.labels)
        self.judge(name, snn, outcome)

    def judge(self, name: str, snn: SpikingNetwork | HybridNetwork, outcome: Outcome | HybridOutcome) -> None:
        """Keep what matters of what a network did."""
        images, T = len(self.images.test), self.steps
        if isinstance(outcome, HybridOutcome):
            stages, curve = [stage for stage in outcome.stages if stage], _stepped(outcome)
        else:
            stages, curve = [outcome], outcome.latency_curve
        by_step = sum(fired for stage in stages for fired in stage.by_step.values())
        did = {name: fired.sum(axis=0) / images for stage in stages for name, fired in stage.spikes.items()}
        thresholds = self.snn if isinstance(snn, HybridNetwork) else snn
        judged = [verdict for verdict in verdicts(ledger(snn, outcome)) if verdict.snn is not None]
        self.conventions = tuple(verdict.convention for verdict in judged)
        self.ann_energies = np.array([float(np.asarray(verdict.ann)) for verdict in judged])
        self.tried[name] = Tried(
            curve,
            np.cumsum(by_step) / images,
            np.array([float(np.asarray(verdict.snn)) for verdict in judged]),
            np.array(
                [
                    activity_kept(thresholds, k, did[k], T, mean) if k in did else np.nan
                    for k, mean in self.means.items()
                ]
            ),
            np.array([float(did[layer].mean()) / T if layer in did else np.nan for layer in self.means]),
            outcome.decided() == self.images.labels,
        )


def _stepped(outcome: HybridOutcome) -> Floats:
    """The accuracy at each step, as it was at the last mark; 0 before the first."""
    place = np.searchsorted(outcome.marks, np.arange(1, outcome.steps + 1), side="right") - 1
    return np.where(place >= 0, outcome.latency_curve[place], 0.0)


def _without_other_neurons(sim: Simulation, cases: list[_Case]) -> None:
    """What can be changed about the network without other neurons: thresholds, currents, and where images begin."""
    trials, wanted = Trials(cases[0].snn, cases[0].steps, sim), set(cases[0].settings.tried)
    for case in cases:
        snn = trials.variant(case.snn)
        case.show(trials, AS_IT_IS, snn)
        target = Target(snn, trials, case.images.calibration)
        if SCALES in wanted:
            search = search_scales(target)
            case.notes["scales"] = list(search.scales.values())
            case.show(trials, SCALES, search.snn)
        if HOMEOSTASIS in wanted:
            settled = homeostasis(target, rounds=case.settings.rounds)
            case.notes |= {"course": settled.rates, "held": settled.targets}
            case.show(trials, HOMEOSTASIS, settled.snn)
        if BIAS in wanted:
            case.show(trials, BIAS, calibrate_bias(target))
        if START in wanted:
            case.show(trials, START, calibrate_start(target))
        if PERCENTILE in wanted:
            case.show(trials, PERCENTILE, trials.variant(case.baseline.converted(case.images, **_PERCENTILE)))


def _with_other_neurons(sim: Simulation, cases: list[_Case], changes: Mapping[str, Mapping[str, Any]]) -> None:
    """Networks of other neurons; the recommended one may get bias currents too."""
    trials: Trials | None = None
    for case in cases:
        for name, change in changes.items():
            snn = case.baseline.converted(case.images, **change)
            trials = trials or Trials(snn, case.steps, sim)
            snn = trials.variant(snn)
            if name == RECOMMENDED or name in case.settings.tried:
                case.show(trials, name, snn)
            if name == RECOMMENDED and BOTH in case.settings.tried:
                case.show(trials, BOTH, calibrate_bias(Target(snn, trials, case.images.calibration)))


def _noisy(sigma: float) -> NeuronModel:
    return neuron_model("if_hard_noisy").with_values(sigma=str(sigma))


def _best_noise(sim: Simulation, case: _Case) -> float:
    """The noise current that brings outputs on calibration images nearest to the ordinary network's."""
    calibration, errors = case.images.calibration, []
    ann = reference(case.snn.graph).outputs(calibration)
    for sigma in SIGMAS:
        snn = case.baseline.converted(case.images, neuron=_noisy(sigma), preset="")
        outcome = run(snn, calibration, case.steps, sim=sim)
        errors.append(output_errors(outcome, ann)[-1])
    return SIGMAS[int(np.argmin(errors))]


def _spiking(settings: Settings, sim: Simulation, baseline: Baseline) -> int:
    """How many of the first layers may spike, so that decisions on calibration images stay the ordinary network's."""
    agreed, rests = [], Remainders()
    for repetition in baseline.repetitions:
        snn, images = baseline.converted(repetition), repetition.calibration
        outcome = run(snn, images, settings.steps, each=True, sim=sim)
        meant = decisions(reference(snn.graph).outputs(images))
        layers = len(spiking_layers(snn))
        agreed.append([np.mean(rests.decided(snn, outcome, images, k) == meant) for k in range(1, layers)])
    return max((k for k, part in enumerate(np.mean(agreed, axis=0), 1) if part >= SURE), default=1)
